//! The runs of a history that a run may be compared with: the newest ones made under the same conditions, of the level
//! that was last accepted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::report::{self, KeptIn};
use crate::comparison::{Sample, Terms};
use crate::diagnostic::Diagnostic;
use crate::history::conditions::{self, Conditions};
use crate::history::entry::{Entry, Provenance};
use crate::history::store::{self, History};
use crate::place::shown;
use crate::summary::Summary;
use crate::trend::collect::Selection;
use crate::trend::{self, Change, Group, Kind, Settings};

/// Runs taken at most: more say little more of the noise, and are older.
const MOST_RUNS: usize = 20;
/// Fewest runs of a history that a run is compared with: fewer say nothing of how much runs differ.
pub const FEWEST_RUNS: usize = 3;
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

/// Chooses runs of a history for `summary`, which comes `from` here; up to `allowed_bad` lines that cannot be read are
/// left out.
pub fn choose(
    path: &str,
    summary: &Summary,
    from: &Provenance,
    terms: &Terms,
    allowed_bad: u64,
) -> Result<Chosen, Vec<Diagnostic>> {
    let all = store::read_all(&[path.to_owned()], allowed_bad)?;
    let conditions = Conditions::of_provenance(from);
    let mut left_out = BTreeMap::new();
    let mut others = 0;
    let mut comparable = History {
        runs: Vec::new(),
        ..all.clone()
    };
    for run in &all.runs {
        if is_same_run(&run.entry, summary) {
            continue;
        }
        others += 1;
        match difference(&run.entry, summary, &conditions) {
            Some(what) => *left_out.entry(what).or_insert(0_usize) += 1,
            None => comparable.runs.push(run.clone()),
        }
    }
    let level = accepted_level(&comparable);
    let runs = comparable.runs.len();
    let chosen: Vec<&Entry> = comparable
        .runs
        .iter()
        .map(|run| &run.entry)
        .skip(level.start)
        .take(level.len())
        .collect();
    let newest = &chosen[chosen.len().saturating_sub(MOST_RUNS)..];
    let mut choice = format!(
        "{}: {} of {others} earlier runs are the baseline",
        shown(path),
        newest.len()
    );
    if runs > chosen.len() {
        let _ = write!(
            choice,
            "; {} of the {runs} under the same conditions are at the level last accepted",
            chosen.len()
        );
    }
    for (what, count) in left_out {
        let was = if count == 1 { "run was" } else { "runs were" };
        let _ = write!(choice, "; {count} {was} made {what}");
    }
    let samples = newest.iter().map(|entry| Sample {
        recorded: true,
        ..report::sample(&entry.as_report(), KeptIn::History, path, terms)
    });
    Ok(Chosen {
        samples: samples.collect(),
        notes: all
            .notes
            .into_iter()
            .chain([choice])
            .chain(another_processor(newest, from))
            .collect(),
    })
}

/// Whether it is the very run that is checked.
fn is_same_run(entry: &Entry, summary: &Summary) -> bool {
    entry.started_ms.is_some()
        && entry.started_ms == summary.started_ms
        && entry.total.requests == summary.total.requests
}

/// How a run was made otherwise than the one that is checked, if it was.
fn difference(entry: &Entry, summary: &Summary, conditions: &Conditions) -> Option<String> {
    if let Some(label) = conditions.differs_in(&Conditions::of(entry)) {
        return Some(format!("with another `{label}`"));
    }
    if entry.total.requests == 0 {
        return Some("without a request".to_owned());
    }
    let (then, now) = (entry.users_max?, summary.users_max?);
    let apart = then.abs_diff(now) as f64 > (USERS * then.max(now) as f64).max(1.0);
    apart.then(|| "with another number of users".to_owned())
}

/// Processors of one number differ in speed: that is no reason to leave runs out, but one to doubt.
fn another_processor(runs: &[&Entry], from: &Provenance) -> Option<String> {
    let now = from
        .processor
        .as_deref()
        .filter(|_| from.machine.is_none())?;
    let others: Vec<&str> = runs
        .iter()
        .filter_map(|run| conditions::processor(run))
        .filter(|then| *then != now)
        .collect();
    let first = others.first()?;
    Some(format!(
        "{} of {} runs of the baseline were made on another processor ({first}; now {now}): that alone may make a run \
         faster or slower",
        others.len(),
        runs.len()
    ))
}

/// The places of the runs at the level last accepted: since the newest change that is not a regression or was
/// acknowledged. Runs since a regression that nobody acknowledged are no baseline, so that it does not become the new normal.
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
