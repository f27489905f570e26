//! The runs of a history that a run may be compared with: the newest ones made under the same conditions, of the level
//! that was last accepted.

use super::report::{self, KeptIn};
use crate::comparison::{Sample, Terms};
use crate::diagnostic::Diagnostic;
use crate::history::entry::{Entry, Provenance};
use crate::history::store::{self, History};
use crate::summary::Summary;
use crate::trend::collect::Selection;
use crate::trend::{self, Change, Group, Kind, Settings};

/// Runs taken at most: more say little more of the noise, and are older.
const MOST_RUNS: usize = 20;
/// Users may differ by this share.
const USERS: f64 = 0.1;

/// The runs to compare with, and what the reader must know of the choice.
#[derive(Debug, Default)]
pub struct Chosen {
    /// The runs, oldest first.
    pub samples: Vec<Sample>,
    /// How they were chosen, and what is to be known of the history, in sentences.
    pub notes: Vec<String>,
}

/// Chooses runs of a history for `summary`, which was made under `conditions`; up to `allowed_bad` lines that cannot be
/// read are left out.
pub fn choose(
    path: &str,
    summary: &Summary,
    conditions: &Provenance,
    terms: &Terms,
    allowed_bad: u64,
) -> Result<Chosen, Vec<Diagnostic>> {
    let all = store::read_all(&[path.to_owned()], allowed_bad)?;
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
    let choice = format!(
        "{path}: {} of {of} runs are the baseline; {runs} were made under the same conditions, {} of them at the level \
         last accepted",
        newest.len(),
        chosen.len()
    );
    let samples = newest.iter().map(|entry| Sample {
        recorded: true,
        ..report::sample(&entry.as_report(), KeptIn::History, path, terms)
    });
    Ok(Chosen {
        samples: samples.collect(),
        notes: all.notes.into_iter().chain([choice]).collect(),
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
