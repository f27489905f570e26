//! Which runs may be compared, and what is followed of them.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{self, Cell};
use super::{Group, Key, Newest, Run, Series, SeriesMetric, Word};
use crate::gate::selector::Selector;
use crate::history::conditions::Conditions;
use crate::history::entry::{EndpointEntry, Entry};
use crate::history::provenance;
use crate::history::store::{History, RecordedRun};
use crate::tally::Endpoint;

/// Endpoints with less than this share of the newest run's requests are shown only.
const ADVISORY_SHARE: f64 = 0.01;
/// Runs belong to one group while the number of users grows by no more than this share from one to the next.
const USERS_GAP: f64 = 1.1;

/// What of a history is followed.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Only runs that started at this moment (epoch ms) or later.
    pub since_ms: Option<i64>,
    /// Only runs of this branch.
    pub branch: Option<String>,
    /// Only the newest runs of each group, at most so many.
    pub last: usize,
    /// The metrics; none means the default ones, and `rps` of the total.
    pub metrics: Vec<SeriesMetric>,
    /// Only these endpoints.
    pub on: Option<Selector>,
    /// Whether what cannot be told is a warning only.
    pub undecided_warns: bool,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            since_ms: None,
            branch: None,
            last: 100,
            metrics: Vec::new(),
            on: None,
            undecided_warns: false,
        }
    }
}

/// The groups, the one with the newest run first.
pub struct Collected<'a> {
    /// Runs with the series to follow.
    pub groups: Vec<Gathered<'a>>,
    /// What was left out and why.
    pub notes: Vec<String>,
}

/// Runs that may be compared, with the series to follow.
pub struct Gathered<'a> {
    key: Key,
    runs: Vec<&'a RecordedRun>,
    series: Vec<(Option<Endpoint>, SeriesMetric)>,
}

/// Sorts the selected runs into groups.
pub fn collect<'a>(history: &'a History, selection: &Selection) -> Collected<'a> {
    let mut notes = Vec::new();
    let chosen: Vec<&RecordedRun> = history
        .runs
        .iter()
        .filter(|run| {
            let since = selection
                .since_ms
                .is_none_or(|since| run.entry.started_ms.is_some_and(|ms| ms >= since));
            let branch = selection
                .branch
                .as_ref()
                .is_none_or(|branch| run.entry.branch.as_ref() == Some(branch));
            since && branch
        })
        .collect();
    let mut by_key: BTreeMap<Key, Vec<&RecordedRun>> = BTreeMap::new();
    let spans = user_spans(&chosen);
    for run in &chosen {
        by_key.entry(key(&run.entry, &spans)).or_default().push(run);
    }
    let newest = chosen.last().map(|run| key(&run.entry, &spans));
    let mut groups: Vec<Gathered> = by_key
        .into_iter()
        .map(|(key, mut runs)| {
            let dropped = runs.len().saturating_sub(selection.last);
            if dropped > 0 {
                notes.push(format!(
                    "of {} runs the newest {} are followed (`--last`)",
                    runs.len(),
                    selection.last
                ));
                runs.drain(..dropped);
            }
            let series = series(&runs, selection);
            Gathered { key, runs, series }
        })
        .collect();
    groups.sort_by_key(|group| (Some(&group.key) != newest.as_ref(), group.key.clone()));
    Collected { groups, notes }
}

/// Spans of users without a gap of more than a tenth, for runs of the same conditions.
type Spans = BTreeMap<Conditions, Vec<(u64, u64)>>;

fn user_spans(runs: &[&RecordedRun]) -> Spans {
    let mut seen: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
    for run in runs {
        let users = seen.entry(Conditions::of(&run.entry)).or_default();
        users.extend(run.entry.users_max);
    }
    let spans = |users: BTreeSet<u64>| {
        let mut spans: Vec<(u64, u64)> = Vec::new();
        for n in users {
            match spans.last_mut() {
                Some(span) if n as f64 <= (span.1 as f64 * USERS_GAP).max(span.1 as f64 + 1.0) => {
                    span.1 = n;
                }
                _ => spans.push((n, n)),
            }
        }
        spans
    };
    seen.into_iter()
        .map(|(key, users)| (key, spans(users)))
        .collect()
}

fn key(run: &Entry, spans: &Spans) -> Key {
    let conditions = Conditions::of(run);
    let users = run.users_max.and_then(|n| {
        let spans = spans.get(&conditions)?;
        spans
            .iter()
            .copied()
            .find(|(low, high)| (*low..=*high).contains(&n))
    });
    Key {
        machine: conditions.machine,
        scenario: conditions.scenario,
        labels: conditions.labels,
        users,
    }
}

/// Every metric of every endpoint that the newest run has or the one before had; the total last.
fn series(runs: &[&RecordedRun], selection: &Selection) -> Vec<(Option<Endpoint>, SeriesMetric)> {
    let recent = runs.iter().rev().take(2);
    let there: BTreeSet<Endpoint> = recent
        .flat_map(|run| run.entry.endpoints.iter().map(EndpointEntry::endpoint))
        .collect();
    let chosen = selection.on.as_ref().map(|on| on.among(&there));
    let endpoints = there
        .iter()
        .filter(|endpoint| chosen.as_ref().is_none_or(|on| on.matches(endpoint)));
    let named = !selection.metrics.is_empty();
    let metrics = if named {
        selection.metrics.clone()
    } else {
        SeriesMetric::DEFAULT.to_vec()
    };
    let mut all = Vec::new();
    for endpoint in endpoints {
        all.extend(
            metrics
                .iter()
                .map(|metric| (Some(endpoint.clone()), *metric)),
        );
    }
    if selection.on.is_none() {
        all.extend(metrics.iter().map(|metric| (None, *metric)));
        if !named {
            all.push((None, SeriesMetric::Rps));
        }
    }
    all
}

impl Gathered<'_> {
    /// The group with its figures, not yet judged.
    pub fn tabulate(self) -> anyhow::Result<Group> {
        let mut cells = Vec::new();
        for (run, recorded) in self.runs.iter().enumerate() {
            for (series, (endpoint, metric)) in self.series.iter().enumerate() {
                if let Some(value) = metric.of(&recorded.entry, endpoint.as_ref()) {
                    cells.push(Cell { run, series, value });
                }
            }
        }
        let columns = table::columns(self.runs.len(), self.series.len(), &cells)?;
        let newest = self.runs.last().map(|run| &run.entry);
        let of_newest = |endpoint: Option<&Endpoint>| {
            newest
                .and_then(|run| run.of(endpoint))
                .map_or(0, |e| e.requests)
        };
        let total = of_newest(None) as f64;
        let series = self.series.into_iter().zip(columns);
        let series = series.map(|((endpoint, metric), column)| Series {
            advisory: endpoint.is_some()
                && (of_newest(endpoint.as_ref()) as f64) < ADVISORY_SHARE * total
                && of_newest(endpoint.as_ref()) > 0,
            failures: failures(&self.runs, endpoint.as_ref(), metric),
            endpoint,
            metric,
            values: column.values,
            rolling: column.rolling,
            levels: Vec::new(),
            steps: Vec::new(),
            spikes: Vec::new(),
            drift: None,
            autocorrelation: 0.0,
            newest: Newest {
                word: Word::Undecided,
                because: String::new(),
                value: None,
                prediction: None,
                repeats: 0,
            },
        });
        Ok(Group {
            series: series.collect(),
            key: self.key,
            runs: self.runs.iter().map(|run| described(run)).collect(),
            changes: Vec::new(),
            newest: false,
        })
    }
}

/// Failures out of requests in each run, of metrics that are shares of requests.
fn failures(
    runs: &[&RecordedRun],
    endpoint: Option<&Endpoint>,
    metric: SeriesMetric,
) -> Vec<Option<crate::history::counts::Failures>> {
    if !metric.is_share() {
        return Vec::new();
    }
    let of = |run: &&RecordedRun| {
        let entry = run.entry.of(endpoint)?;
        Some(crate::history::counts::Failures {
            failures: metric.failures(entry)?,
            requests: entry.requests,
        })
        .filter(|failures| failures.requests > 0)
    };
    runs.iter().map(of).collect()
}

fn described(run: &RecordedRun) -> Run {
    let entry = &run.entry;
    Run {
        id: entry.id.clone(),
        label: entry.label.clone(),
        started_ms: entry.started_ms,
        commit: entry.commit.clone(),
        branch: entry.branch.clone(),
        requests: entry.total.requests,
        verdict: entry.verdict.clone(),
        report: entry.labels.get(provenance::REPORT).cloned(),
        origin: run.origin.clone(),
    }
}
