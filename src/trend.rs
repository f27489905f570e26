//! Many runs, followed over time: plain data, which reports show and the exit code follows.
//!
//! 1. [`collect`] sorts the runs of a history into groups that may be compared, and picks the series to follow;
//! 2. [`table`] puts their figures into one column for each series;
//! 3. [`detect`] finds levels, changes and drifts of each, and [`judge`] its newest run;
//! 4. [`changes`] gathers what changed together, and marks what was acknowledged;
//! 5. what follows is the [`outcome`].

use std::collections::BTreeMap;

use crate::diagnostic::Origin;
use crate::history::counts::Failures;
use crate::history::segment::Direction;
use crate::tally::Endpoint;

pub mod changes;
pub mod collect;
pub mod detect;
pub mod judge;
pub mod outcome;
pub mod self_test;
pub mod series_metric;
pub mod table;

pub use outcome::Outcome;
pub use self_test::SelfTest;
pub use series_metric::SeriesMetric;

/// A history, followed and judged.
#[derive(Clone, Debug)]
pub struct Trend {
    /// How it was judged.
    pub settings: Settings,
    /// Runs that may be compared, the group of the newest run first, the others by key.
    pub groups: Vec<Group>,
    /// What the reader must know to trust the figures, in sentences.
    pub notes: Vec<String>,
    /// How often the history's own unchanged runs would have been called worse, if that was asked for.
    pub self_test: Option<SelfTest>,
    /// What follows.
    pub outcome: Outcome,
}

/// How the series are judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How changes of level are found.
    pub algorithm: Algorithm,
    /// Probability of a false alarm, one-sided, for one series.
    pub alpha: f64,
    /// Share of false alarms expected among all alarms of one report.
    pub false_discovery: f64,
}

/// How changes of level are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Algorithm {
    /// Seeded segmentation, calibrated by permutation.
    Segmentation,
    /// As Apache Otava does.
    Otava(crate::history::otava::Parameters),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Segmentation,
            alpha: 0.01,
            false_discovery: 0.05,
        }
    }
}

/// What runs must share to be compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// What they were made on: the label, or the processor's architecture and number.
    pub machine: Option<String>,
    /// What was run.
    pub scenario: Option<String>,
    /// The other labels that tell how a run was made.
    pub labels: BTreeMap<String, String>,
    /// Fewest and most users of the runs; a gap of more than a tenth separates groups.
    pub users: Option<(u64, u64)>,
}

/// Runs that may be compared.
#[derive(Clone, Debug)]
pub struct Group {
    /// What they share.
    pub key: Key,
    /// The runs, oldest first.
    pub runs: Vec<Run>,
    /// What is followed, by endpoint (the total last) and metric.
    pub series: Vec<Series>,
    /// What changed, newest first.
    pub changes: Vec<Change>,
    /// Whether the outcome is about this group: it holds the newest run of all.
    pub newest: bool,
}

/// One run of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its id in the history.
    pub id: String,
    /// Its name.
    pub label: String,
    /// First start, epoch ms.
    pub started_ms: Option<i64>,
    /// The commit under test.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// Requests, failures included.
    pub requests: u64,
    /// What the gates of that day said: `pass`, `fail`, `undecided` or `not-judged`.
    pub verdict: String,
    /// Where its report is, as whoever recorded it wrote with `--label report=…`: any text, not only an address.
    pub report: Option<String>,
    /// Where it is written.
    pub origin: Origin,
}

/// One metric of one endpoint over the runs of a group. Runs are meant by their index, from 0.
#[derive(Clone, Debug)]
pub struct Series {
    /// Which endpoint; `None` is the total.
    pub endpoint: Option<Endpoint>,
    /// Which metric.
    pub metric: SeriesMetric,
    /// Whether it is shown only, as the endpoint has less than a hundredth of the newest run's requests.
    pub advisory: bool,
    /// Its value in each run, in the metric's base unit; `None` where the run has none.
    pub values: Vec<Option<f64>>,
    /// Failures out of requests, of metrics that are shares; empty of others.
    pub failures: Vec<Option<Failures>>,
    /// Median of the five runs up to each.
    pub rolling: Vec<Option<f64>>,
    /// Runs without a change between them.
    pub levels: Vec<Level>,
    /// Where one level follows another.
    pub steps: Vec<Step>,
    /// Single runs far from their neighbours.
    pub spikes: Vec<usize>,
    /// The slow trend at the end, which takes the place of steps.
    pub drift: Option<Drift>,
    /// Correlation of runs with the run before, apart from changes.
    pub autocorrelation: f64,
    /// The newest run of the group.
    pub newest: Newest,
}

/// A level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// First run.
    pub first: usize,
    /// Last run.
    pub last: usize,
    /// Runs that have a value.
    pub runs: usize,
    /// Median of the runs (failures: of all requests together).
    pub value: f64,
}

/// A change of level.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// First run of the new level.
    pub run: usize,
    /// The level before.
    pub before: f64,
    /// The level after.
    pub after: f64,
    /// Probability of such a change where there is none.
    pub p: f64,
    /// Probability that a run after lies beyond one before; Otava has none.
    pub superiority: Option<f64>,
    /// Which way.
    pub direction: Direction,
}

/// A slow trend up to the newest run.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// Its first run.
    pub first: usize,
    /// Value of the fitted line at the first run.
    pub before: f64,
    /// Value of the fitted line at the newest run.
    pub after: f64,
    /// Runs it extends over.
    pub runs: usize,
    /// Two-sided p of the Mann-Kendall test.
    pub p: f64,
    /// Which way.
    pub direction: Direction,
}

/// What is said of the newest run of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Worse than the level before, and not acknowledged.
    Regressed,
    /// Nothing can be said; `because` says why.
    Undecided,
    /// Outside what the level predicts, but not beyond what so many series show by chance.
    Suspect,
    /// Better than the level predicts.
    Improved,
    /// Within what the level predicts.
    Within,
}

impl Word {
    /// As reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Undecided => "undecided",
            Self::Suspect => "suspect",
            Self::Improved => "improved",
            Self::Within => "within",
        }
    }
}

/// The newest run of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Newest {
    /// What is said of it.
    pub word: Word,
    /// Why, in a sentence.
    pub because: String,
    /// Its value, if it has one.
    pub value: Option<f64>,
    /// What the current level predicts, if it does.
    pub prediction: Option<Prediction>,
    /// Runs right before it that were beyond their prediction as well, and so are no part of the level.
    pub repeats: usize,
}

/// What the current level predicts of one more run, in the metric's base unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Runs of the level.
    pub runs: usize,
    /// The level.
    pub expected: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Noise between runs: deviation of the logs; of failures how many times a binomial's variance.
    pub noise: f64,
    /// Smallest change for the worse that one run would show, with probability 0.8: relative; of failures a difference.
    pub minimum_detectable: f64,
    /// One-sided p that the run is no worse than the level.
    pub p_worse: f64,
}

/// How a change shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A new level, from the run on.
    Step,
    /// A slow trend up to the run.
    Drift,
    /// The newest run alone.
    NewestRun,
}

impl Kind {
    /// As reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Drift => "drift",
            Self::NewestRun => "newest-run",
        }
    }
}

/// What changed at one endpoint at one run, in one direction.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each of them shown"
)]
pub struct Change {
    /// Eight hexadecimal digits, by which it is acknowledged.
    pub id: String,
    /// How it shows.
    pub kind: Kind,
    /// First run of the new level; of a drift the newest run.
    pub run: usize,
    /// Which endpoint; `None` is the total.
    pub endpoint: Option<Endpoint>,
    /// Whether it is for the worse.
    pub worse: bool,
    /// The metrics that changed.
    pub parts: Vec<Part>,
    /// Whether it began the level at which the newest run stands, in any of the metrics.
    pub current: bool,
    /// Whether it is beyond what so many series show by chance.
    pub significant: bool,
    /// Whether its endpoint is shown only.
    pub advisory: bool,
    /// Id of the endpoint's change that the total follows.
    pub follows: Option<String>,
    /// The reason, if it was acknowledged.
    pub acknowledged: Option<String>,
}

/// One metric of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Which metric.
    pub metric: SeriesMetric,
    /// The level before.
    pub before: f64,
    /// The level after.
    pub after: f64,
    /// Probability of such a change where there is none.
    pub p: f64,
}

impl Change {
    /// Whether the newest run has regressed by it.
    pub fn fails(&self) -> bool {
        self.worse
            && self.current
            && self.significant
            && !self.advisory
            && self.acknowledged.is_none()
    }
}

impl Series {
    /// The endpoint's name; `Total` for the run.
    pub fn name(&self) -> String {
        name(self.endpoint.as_ref())
    }

    /// Indices and values of the runs that have one.
    pub fn known(&self) -> (Vec<usize>, Vec<f64>) {
        let known = |(i, value): (usize, &Option<f64>)| Some((i, (*value)?));
        self.values.iter().enumerate().filter_map(known).unzip()
    }
}

/// The endpoint's name; `Total` for none.
pub fn name(endpoint: Option<&Endpoint>) -> String {
    endpoint.map_or_else(|| "Total".to_owned(), ToString::to_string)
}

/// Follows a history.
pub fn follow(
    history: &crate::history::store::History,
    selection: &collect::Selection,
    settings: &Settings,
) -> anyhow::Result<Trend> {
    let collected = collect::collect(history, selection);
    let mut notes = history.notes.clone();
    notes.extend(collected.notes);
    let mut groups = Vec::new();
    for (i, gathered) in collected.groups.into_iter().enumerate() {
        let mut group = gathered.tabulate()?;
        group.newest = i == 0;
        let accepted = changes::accepted(&group, &history.acknowledgements);
        detect::detect(&mut group, &accepted, settings);
        let rejected = judge::judge(&mut group, &accepted, settings);
        group.changes = changes::gather(&group, &accepted, &rejected, &history.acknowledgements);
        changes::settle_words(&mut group);
        groups.push(group);
    }
    let outcome = Outcome::of(groups.first(), selection.undecided_warns);
    Ok(Trend {
        settings: settings.clone(),
        groups,
        notes,
        self_test: None,
        outcome,
    })
}
