//! Whether everything that was found is one run.
//!
//! Worker logs of one run overlap in time, and so do a log and the tables that stand beside it. What lies apart is of
//! several runs, and so are tables with different Locust prefixes, whatever their times: their statistics cannot be added.

use std::collections::{BTreeMap, BTreeSet};

use super::discover::Found;
use super::extent::Extent;
use super::locust::Kind;
use super::{Format, names};
use crate::diagnostic::Diagnostic;
use crate::units::{Unit, moment};

/// A shorter time between two inputs is none: users ramp up, memory is sampled before the first request.
const GAP_MS: i64 = 60_000;
/// Nor is one that is shorter than this share of the shorter side.
const SHARE: i64 = 10;
/// A shorter time is not worth a note.
const WORTH_A_NOTE_MS: i64 = 10_000;
/// Runs that are listed, and files of each.
const RUNS: usize = 8;
const FILES: usize = 4;

/// Part of a run, with its time.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its file.
    pub name: String,
    /// From when to when, epoch ms.
    pub extent: Extent,
    /// Whether it has to lie in the time of the others: Locust's JSON of another process.
    pub must_overlap: bool,
}

/// What is wrong if tables belong to several runs by their names.
pub fn by_name(found: &[Found]) -> Option<Diagnostic> {
    let tables = || {
        found.iter().filter_map(|one| match one.format {
            Format::Locust(kind) => Some((kind, one)),
            Format::RequestLog => None,
        })
    };
    let mut runs: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (_, one) in tables().filter(|(kind, _)| *kind != Kind::Json) {
        if let Some(prefix) = names::prefix(&one.input.name) {
            runs.entry(prefix).or_default().push(&one.input.name);
        }
    }
    let prefixes: BTreeSet<String> = runs.keys().cloned().collect();
    for (kind, one) in tables() {
        let json = names::json_prefix(&one.input.name);
        if kind == Kind::Json
            && let Some(files) = json.and_then(|prefix| runs.get_mut(&prefix))
        {
            files.push(&one.input.name);
        }
    }
    if prefixes.len() > 1 {
        let listed = runs
            .iter()
            .map(|(prefix, files)| format!("`{prefix}` ({})", files_of(files)));
        let named: Vec<String> = prefixes.iter().map(|p| format!("`{p}`")).collect();
        let message = format!(
            "tables of {} runs, not of one: {}",
            runs.len(),
            some(listed.collect(), RUNS, ", ")
        );
        return Some(several(message, &some(named, RUNS, " or ")));
    }
    Kind::ALL.into_iter().find_map(|kind| twice(kind, found))
}

/// What is wrong if there are two tables of one kind.
fn twice(kind: Kind, found: &[Found]) -> Option<Diagnostic> {
    let of_kind: Vec<&Found> = found
        .iter()
        .filter(|one| one.format == Format::Locust(kind))
        .collect();
    // Every process of a run writes its own JSON; those were named to be taken together.
    let may_be_many = kind == Kind::Json && of_kind.iter().all(|one| !one.in_folder);
    if of_kind.len() < 2 || may_be_many {
        return None;
    }
    let files: Vec<&str> = of_kind.iter().map(|one| one.input.name.as_str()).collect();
    let message = format!(
        "{} files of one kind ({}) that differ are of several runs, or states of one run at several times: {}",
        files.len(),
        kind.name(),
        files_of(&files)
    );
    let named: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
    Some(several(message, &some(named, RUNS, " or ")))
}

fn several(message: String, named: &str) -> Diagnostic {
    Diagnostic::new("several-runs", message).help(format!(
        "a check judges one run: name {named}; `loadgate compare` compares two runs, `loadgate trend` follows many"
    ))
}

/// Parts that lie in one time.
#[derive(Clone, Debug)]
struct Cluster<'p> {
    first_ms: i64,
    last_ms: i64,
    parts: Vec<&'p Part>,
}

impl Cluster<'_> {
    fn length(&self) -> i64 {
        self.last_ms.saturating_sub(self.first_ms)
    }

    fn gap_to(&self, later: &Self) -> i64 {
        later.first_ms.saturating_sub(self.last_ms)
    }
}

/// What is wrong if parts lie apart in time; else what a report must say of their order.
pub fn by_time(parts: &[Part]) -> Result<Option<String>, Diagnostic> {
    let mut all: Vec<Cluster<'_>> = parts
        .iter()
        .filter_map(|part| {
            Some(Cluster {
                first_ms: part.extent.first_ms?,
                last_ms: part.extent.last_ms?,
                parts: vec![part],
            })
        })
        .collect();
    all.sort_by_key(|c| (c.first_ms, c.last_ms));
    // What overlaps, also pair by pair as in a chain; then what is close for its length.
    let overlapping = joined(all, |a, b| a.gap_to(b) <= 0 && !outsider(a, b));
    let widest = overlapping
        .windows(2)
        .map(|pair| (pair[0].gap_to(&pair[1]), pair[0].last_ms))
        .max();
    let close = joined(overlapping, |a, b| {
        a.gap_to(b) <= GAP_MS.max(a.length().min(b.length()) / SHARE) && !outsider(a, b)
    });
    if close.len() < 2 {
        let note = widest.filter(|(gap, _)| *gap >= WORTH_A_NOTE_MS);
        return Ok(note.map(|(gap, at)| {
            format!(
                "nothing was logged for {} from {} on, between one file and the next; they were read as one run",
                Unit::Time.human(gap as f64),
                moment(at)
            )
        }));
    }
    let listed: Vec<String> = close.iter().map(in_words).collect();
    let message = format!(
        "the inputs are {} runs, not one: {}",
        close.len(),
        some(listed, RUNS, "; ")
    );
    let named = close.iter().map(|run| {
        let files = run
            .parts
            .iter()
            .take(FILES)
            .map(|part| format!("`{}`", part.name));
        files.collect::<Vec<_>>().join(" with ")
    });
    let mut problem = several(message, &some(named.collect(), RUNS, ", or "));
    if let Some(shift) = other_zone(&close) {
        let help = problem.help.take().unwrap_or_default();
        problem.help = Some(format!(
            "{help}; they differ by {}: if one of them writes local time, let it write the zone as well",
            Unit::Time.human(shift as f64)
        ));
    }
    Err(problem)
}

/// By how many ms two sides of one length differ that seem to have clocks of different zones.
fn other_zone(sides: &[Cluster<'_>]) -> Option<i64> {
    /// Zones differ by quarters of an hour, up to a day; runs begin and end a few seconds apart.
    const QUARTER_MS: i64 = 900_000;
    const FARTHEST_MS: i64 = 26 * 3_600_000;
    const APART_MS: i64 = 20_000;
    let [a, b] = sides else { return None };
    let shift = b.first_ms.saturating_sub(a.first_ms);
    let quarters = (shift + QUARTER_MS / 2) / QUARTER_MS * QUARTER_MS;
    let is_one = quarters > 0
        && shift <= FARTHEST_MS
        && shift.abs_diff(quarters) <= APART_MS as u64
        && a.length().abs_diff(b.length()) <= APART_MS as u64;
    is_one.then_some(quarters)
}

/// Whether one of two sides may only be taken together with what it overlaps, and does not.
fn outsider(a: &Cluster<'_>, b: &Cluster<'_>) -> bool {
    let strict = |c: &Cluster<'_>| c.parts.iter().any(|part| part.must_overlap);
    strict(a) && strict(b) && a.gap_to(b) > 0
}

/// Joins neighbours for as long as they belong together.
fn joined<'p>(
    clusters: Vec<Cluster<'p>>,
    belong: impl Fn(&Cluster<'p>, &Cluster<'p>) -> bool,
) -> Vec<Cluster<'p>> {
    let mut all: Vec<Cluster<'p>> = Vec::new();
    for next in clusters {
        match all.last_mut() {
            Some(last) if belong(last, &next) => {
                last.last_ms = last.last_ms.max(next.last_ms);
                last.parts.extend(next.parts);
            }
            _ => all.push(next),
        }
    }
    all
}

fn in_words(run: &Cluster<'_>) -> String {
    let files: Vec<&str> = run.parts.iter().map(|part| part.name.as_str()).collect();
    format!(
        "{} to {} ({})",
        moment(run.first_ms),
        moment(run.last_ms),
        files_of(&files)
    )
}

fn files_of(files: &[&str]) -> String {
    some(
        files.iter().map(|file| (*file).to_owned()).collect(),
        FILES,
        ", ",
    )
}

/// The first few of many.
fn some(mut all: Vec<String>, most: usize, between: &str) -> String {
    let more = all.len().saturating_sub(most);
    all.truncate(most);
    let text = all.join(between);
    match more {
        0 => text,
        more => format!("{text}, and {more} more"),
    }
}

#[cfg(test)]
mod tests;
