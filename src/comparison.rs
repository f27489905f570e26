//! A run against its baseline: what differs, how sure that is, and what cannot be told.
//!
//! Runs, not requests, are the sample: requests of one run depend on each other and share its luck. So the strong
//! words need several runs on either side; one run against one can raise a suspicion at most.
//!
//! 1. a [`sample`] is one run as plain figures, each with how sure the run itself is of it;
//! 2. [`compare()`] sets the samples of both sides against each other: a [`Comparison`];
//! 3. gates and reports read it, and never compute.
//!
//! Conventions held throughout:
//! * differences are natural logarithms of current / baseline; 0 is "no change", 0.0953 is +10 %;
//! * `alpha` is the error allowed on *each* side of an interval: 0.01 gives the bounds of two one-sided tests;
//! * what cannot be computed is a named [`shortfall::Shortfall`], never NaN.

pub mod batch_means;
pub mod cause;
mod compare;
pub mod dependence;
mod draft;
pub mod errors;
mod estimate;
pub mod family;
pub mod far_out;
#[cfg(test)]
pub(crate) mod fixture;
pub mod hodges_lehmann;
pub mod interval;
pub mod mann_whitney;
pub mod multiplicity;
mod others;
pub mod pooled;
pub mod power;
mod precondition;
pub mod prediction;
pub mod random;
pub mod rounding;
pub mod rule;
pub mod run_pair;
pub mod sample;
mod sentence;
pub mod share;
pub mod shift;
pub mod terms;
pub mod welch;

pub use crate::statistics::{distribution, shortfall};
pub use compare::compare;
pub use precondition::{Precondition, Subject};
pub use sample::{EndpointSample, Sample};
pub use terms::Terms;

use crate::metric::Metric;
use crate::summary::Distribution;
use crate::tally::Endpoint;
use rule::{Judgement, Test, Word};
use run_pair::BetweenRuns;
use shift::ShiftPoint;

/// Baseline and current runs, compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The baseline's runs, in the order given.
    pub baseline: Vec<RunFacts>,
    /// The current runs, in the order given.
    pub current: Vec<RunFacts>,
    /// Error allowed on each side of every interval (probability).
    pub alpha: f64,
    /// The total first, then every endpoint both sides requested, by name, then method.
    pub endpoints: Vec<EndpointComparison>,
    /// Requested now, but not in any baseline run.
    pub new: Vec<Endpoint>,
    /// Requested in a baseline run, but not now.
    pub vanished: Vec<Endpoint>,
    /// Why the runs may not be comparable, so that every difference is to be doubted.
    pub preconditions: Vec<Precondition>,
    /// How many rows got which word.
    pub census: Census,
    /// How the response times of all runs of either side are distributed, with bins of one width; `None` if a side does
    /// not hold them.
    pub distributions: Option<Distributions>,
}

/// The whole of either side.
#[derive(Clone, Debug, PartialEq)]
pub struct Distributions {
    /// The baseline's runs together.
    pub baseline: Distribution,
    /// The current runs together.
    pub current: Distribution,
}

/// One run of either side.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFacts {
    /// Its label.
    pub label: String,
    /// Requests, failures included.
    pub requests: u64,
    /// First start to last end in seconds, if known.
    pub duration_s: Option<f64>,
    /// The most concurrent users seen, if known.
    pub users_max: Option<u64>,
}

/// One endpoint (or the total) of both sides.
#[derive(Clone, Debug)]
pub struct EndpointComparison {
    /// Which; `None` for the total.
    pub endpoint: Option<Endpoint>,
    /// One row for each metric, in the order of [`Terms::metrics`].
    pub rows: Vec<Row>,
    /// Deciles, p95 and p99 of all requests of either side; empty if a side does not hold its response times.
    pub shift: Vec<ShiftPoint>,
    /// The baseline's response times (ms, ascending) with their requests, all runs together; empty if not held.
    pub baseline_times: Vec<(f64, u64)>,
    /// The same of the current runs.
    pub current_times: Vec<(f64, u64)>,
}

/// One metric of one endpoint on both sides.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is compared.
    pub metric: Metric,
    /// The baseline's value in the metric's base unit: of several runs the geometric mean (the mean, if any is 0; for
    /// ratios that of all their requests). `Err` says why there is none.
    pub baseline: Result<f64, String>,
    /// The current value, likewise.
    pub current: Result<f64, String>,
    /// Between which bounds the baseline's value lies: apart only where its source rounds.
    pub baseline_range: (f64, f64),
    /// The same of the current value.
    pub current_range: (f64, f64),
    /// The baseline's runs and requests.
    pub baseline_size: Size,
    /// The current side's.
    pub current_size: Size,
    /// Current − baseline in the metric's base unit.
    pub change: Option<f64>,
    /// Current ÷ baseline − 1; `None` from zero, and for ratios.
    pub relative: Option<f64>,
    /// Bounds of `relative`, each wrong with probability alpha; for ratios bounds of `change`.
    pub interval: Option<(f64, f64)>,
    /// The same at equal response times of the run's other endpoints; `None` if too few runs or endpoints allow it.
    pub adjusted: Option<Change>,
    /// How much runs of the same code differ.
    pub noise: Noise,
    /// Verdict and reason.
    pub judgement: Judgement,
    /// What the rule was given, so that a gate can ask with a margin of its own.
    pub evidence: Evidence,
    /// Chance of at least so much worse, were there no change (one-sided); `None` if it could not be had.
    pub p_worse: Option<f64>,
    /// The same of so much better.
    pub p_better: Option<f64>,
    /// The worsening that would be seen 4 times in 5, at the level that the whole comparison leaves this figure: relative,
    /// for ratios absolute.
    pub detectable: Option<f64>,
    /// Runs a side that would see a worsening as small as the margin with a chance of 80 %.
    pub runs_needed: Option<u32>,
    /// Whether a side holds only values rounded by Locust, which widened the interval.
    pub rounded: bool,
    /// Verdict, figures and reason in one sentence.
    pub because: String,
}

/// How much stands behind a value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// Runs that have the endpoint and the figure.
    pub runs: u32,
    /// Requests in them.
    pub requests: u64,
    /// How many independent requests they are worth for this figure, if known.
    pub effective: Option<f64>,
}

/// How much runs of the same code differ, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Noise {
    /// Standard deviation of ln(value) from run to run, pooled within the sides given now.
    Replicates(BetweenRuns),
    /// The same, from earlier runs.
    History(BetweenRuns),
    /// The scatter of several runs' counts is part of the interval (ratios).
    Counts,
    /// One run against one: not known.
    Unknown,
}

impl Noise {
    /// The deviation between runs, if known as such.
    pub fn between_runs(self) -> Option<BetweenRuns> {
        match self {
            Self::Replicates(noise) | Self::History(noise) => Some(noise),
            Self::Counts | Self::Unknown => None,
        }
    }
}

/// What the rule was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Evidence {
    /// Of a metric compared by its logarithm.
    Log(rule::Evidence),
    /// Of a ratio compared by its difference.
    Share(share::Evidence),
    /// A side has no value.
    Missing,
}

/// The change at equal response times of the run's other endpoints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Ratio − 1.
    pub relative: f64,
    /// Its bounds, each wrong with probability alpha.
    pub interval: (f64, f64),
    /// Chance of at least so much worse, were there no change (one-sided).
    pub p_worse: f64,
    /// The same of so much better.
    pub p_better: f64,
}

/// How many rows got which word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Worse, borne out by runs on both sides.
    pub regressed: u64,
    /// Looks worse.
    pub suspect: u64,
    /// Better.
    pub improved: u64,
    /// No change larger than the margin.
    pub unchanged: u64,
    /// Could not be judged.
    pub not_enough_data: u64,
}

impl Census {
    fn count(&mut self, word: Word) {
        *match word {
            Word::Regressed => &mut self.regressed,
            Word::Suspect => &mut self.suspect,
            Word::Improved => &mut self.improved,
            Word::Unchanged => &mut self.unchanged,
            Word::NotEnoughData => &mut self.not_enough_data,
        } += 1;
    }
}

impl Comparison {
    /// The rows of one endpoint; `None` is the total.
    pub fn of(&self, endpoint: Option<&Endpoint>) -> Option<&EndpointComparison> {
        self.endpoints
            .iter()
            .find(|e| e.endpoint.as_ref() == endpoint)
    }
}

impl Row {
    /// The change that the verdict is about, with its bounds: relative, for ratios absolute. Adjusted by the run's other
    /// endpoints where that test decided.
    pub fn shown(&self) -> (Option<f64>, Option<(f64, f64)>) {
        match (&self.evidence, self.judgement.by, self.adjusted) {
            (Evidence::Share(_), _, _) => (self.change, self.interval),
            (_, Test::Others, Some(adjusted)) => (Some(adjusted.relative), Some(adjusted.interval)),
            _ => (self.relative, self.interval),
        }
    }

    /// Whether it is worse than the baseline at all, not by chance, whatever the margin; `turned`: whether it is better.
    ///
    /// One run against one has no noise to go by; see [`far_out`]. Of its shares the rule's wide margin decides.
    pub fn is_worse_at_all(&self, turned: bool) -> bool {
        let as_asked = |d: rule::Difference, survives: rule::Survives| {
            if turned {
                (d.reversed(), survives.reversed())
            } else {
                (d, survives)
            }
        };
        match self.evidence {
            Evidence::Missing => false,
            Evidence::Log(e) if matches!(e.noise, rule::Noise::Unknown { .. }) => false,
            Evidence::Log(e) => e.difference.is_ok_and(|plain| {
                let (plain, survives) = as_asked(plain, e.survives);
                let adjusted = e.adjusted.is_some_and(|a| {
                    let (d, survives) = as_asked(a.difference, a.survives);
                    d.lower > 0.0 && survives.worse && plain.estimate > 0.0
                });
                adjusted || (plain.lower > 0.0 && survives.worse)
            }),
            Evidence::Share(e) => e.difference.is_ok_and(|d| {
                let (d, survives) = as_asked(d, e.survives);
                let least = match e.noise {
                    rule::Noise::Known => 0.0,
                    rule::Noise::Unknown { .. } => share::wide_margin(e.baseline, e.margin),
                };
                d.lower > least && survives.worse
            }),
        }
    }

    /// Least change that mattered: relative, for ratios absolute; `None` if a side has no value.
    pub fn margin(&self) -> Option<f64> {
        match self.evidence {
            Evidence::Log(_) => Some(self.judgement.margin.exp_m1()),
            Evidence::Share(_) => Some(self.judgement.margin),
            Evidence::Missing => None,
        }
    }
}

impl EndpointComparison {
    /// The row of a metric.
    pub fn row(&self, metric: &Metric) -> Option<&Row> {
        self.rows.iter().find(|row| row.metric == *metric)
    }

    /// The endpoint's name for people; `Total` for the run.
    pub fn name(&self) -> String {
        self.endpoint
            .as_ref()
            .map_or_else(|| "Total".to_owned(), ToString::to_string)
    }
}

impl Word {
    /// `regressed`, `suspect`, `improved`, `unchanged`, `not enough data`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Suspect => "suspect",
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::NotEnoughData => "not enough data",
        }
    }
}
