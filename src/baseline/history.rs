//! The runs of a history that a run may be compared with: the newest ones made under the same conditions, of the level
//! that was last accepted.

use std::collections::BTreeMap;

use super::report;
use crate::comparison::sample::kept::least;
use crate::comparison::{Sample, Terms};
use crate::diagnostic::Diagnostic;
use crate::history::entry::{EndpointEntry, Entry, Provenance};
use crate::history::store::{self, History};
use crate::history::time_counts::TimeCounts;
use crate::input::report::{Endpoint, Kept, Rates, Report, Run, Times};
use crate::place::shown;
use crate::summary::Summary;
use crate::trend::collect::Selection;
use crate::trend::{self, Change, Group, Kind, Settings};
use crate::units::quantile_name;

/// Runs taken at most: more say little more of the noise, and are older.
const MOST_RUNS: usize = 20;
/// Users may differ by this share.
const USERS: f64 = 0.1;

/// The runs to compare with, and what the reader must know of the choice.
#[derive(Debug, Default)]
pub struct Chosen {
    /// The runs, oldest first.
    pub samples: Vec<Sample>,
    /// How they were chosen, in a sentence.
    pub note: String,
}

/// Chooses runs of a history for `summary`, which was made under `conditions`.
pub fn choose(
    path: &str,
    summary: &Summary,
    conditions: &Provenance,
    terms: &Terms,
) -> Result<Chosen, Vec<Diagnostic>> {
    let all = store::read_all(&[path.to_owned()], 0)?;
    let comparable = History {
        runs: all
            .runs
            .iter()
            .filter(|run| is_comparable(&run.entry, summary, conditions))
            .cloned()
            .collect(),
        ..all.clone()
    };
    let level = accepted_level(&comparable);
    let (runs, of) = (comparable.runs.len(), all.runs.len());
    let chosen: Vec<&Entry> = comparable
        .runs
        .iter()
        .map(|run| &run.entry)
        .skip(level.start)
        .take(level.len())
        .collect();
    let newest = &chosen[chosen.len().saturating_sub(MOST_RUNS)..];
    let note = format!(
        "{}: {} of {of} runs are the baseline; {runs} were made under the same conditions, {} of them at the level \
         last accepted",
        shown(path),
        newest.len(),
        chosen.len()
    );
    let samples = newest.iter().map(|entry| Sample {
        recorded: true,
        ..report::sample(&as_report(entry), path, terms)
    });
    Ok(Chosen {
        samples: samples.collect(),
        note,
    })
}

/// Whether a run was made under the same conditions and is not the very run that is checked.
fn is_comparable(entry: &Entry, summary: &Summary, conditions: &Provenance) -> bool {
    let same_run = entry.started_ms.is_some()
        && entry.started_ms == summary.started_ms
        && entry.total.requests == summary.total.requests;
    let same_users = match (entry.users_max, summary.users_max) {
        (Some(a), Some(b)) => a.abs_diff(b) as f64 <= (USERS * a.max(b) as f64).max(1.0),
        _ => true,
    };
    !same_run
        && same_users
        && entry.total.requests > 0
        && entry.machine == conditions.machine
        && entry.scenario == conditions.scenario
}

/// The places of the runs at the level last accepted: since the newest change that is no regression or was
/// acknowledged. Runs since a regression that nobody acknowledged are no baseline, lest it become the new normal.
fn accepted_level(history: &History) -> std::ops::Range<usize> {
    let whole = 0..history.runs.len();
    let selection = Selection {
        last: usize::MAX,
        ..Selection::default()
    };
    let Ok(trend) = trend::follow(history, &selection, &Settings::default()) else {
        return whole;
    };
    // Groups by users could be several; then the whole is taken, as their users are close.
    let [group] = &trend.groups[..] else {
        return whole;
    };
    level_of(group, whole)
}

fn level_of(group: &Group, whole: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let counts = |change: &&Change| {
        change.kind != Kind::Drift
            && change.significant
            && !change.advisory
            && change.follows.is_none()
    };
    let mut end = whole.end;
    // The newest first.
    for change in group.changes.iter().filter(counts) {
        if change.fails() {
            end = end.min(change.run);
        } else if change.run < end {
            return change.run..end;
        }
    }
    whole.start..end
}

/// An entry as the report that `check --json` would have written, as far as it was kept.
fn as_report(entry: &Entry) -> Report {
    let mut metadata = entry.labels.clone();
    let keys = [
        ("commit", &entry.commit),
        ("branch", &entry.branch),
        ("machine", &entry.machine),
        ("scenario", &entry.scenario),
    ];
    for (key, value) in keys {
        metadata.extend(value.iter().map(|value| (key.to_owned(), value.clone())));
    }
    Report {
        run: Run {
            label: entry.label.clone(),
            duration_s: entry.duration_s,
            users_max: entry.users_max,
            metadata,
        },
        total: endpoint(entry, &entry.total, true),
        endpoints: entry
            .endpoints
            .iter()
            .map(|e| endpoint(entry, e, false))
            .collect(),
        rates: Rates {
            peak_rps: None,
            peak_rpm: None,
        },
    }
}

fn endpoint(run: &Entry, of: &EndpointEntry, total: bool) -> Endpoint {
    let key = of.endpoint();
    let times = run.times_of((!total).then_some(&key));
    let mut bins: BTreeMap<u64, u64> = BTreeMap::new();
    for (us, n) in times.iter().flat_map(TimeCounts::least_us) {
        *bins.entry(least(us)).or_default() += n;
    }
    let known = &of.response_time_ms;
    Endpoint {
        method: of.method.clone(),
        name: of.name.clone(),
        requests: of.requests,
        failures: of.failures,
        rps: of.rps,
        response_time_ms: Times {
            min: known.min,
            mean: known.mean,
            max: known.max,
            stddev: known.stddev,
            quantiles: known
                .quantiles
                .iter()
                .map(|(q, ms)| (quantile_name(*q), *ms))
                .collect(),
        },
        statuses: BTreeMap::new(),
        fields: BTreeMap::new(),
        evidence: of.evidence,
        sample: Some(Kept {
            relative_error: of.sureness.relative_error.clone(),
            effective_requests: of.sureness.effective_requests.clone(),
            times_us: bins.into_iter().collect(),
        }),
    }
}
