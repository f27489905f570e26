//! What Locust left behind, held against itself: tables in, doubts and notes out.
//!
//! Locust writes the statistics, a row of the history and the failures one right after the other, from the same counters,
//! so that they agree to the last request. What may differ:
//!
//! * Each table is written anew once a second, so that the last one or two seconds of a run are only in the JSON and in a
//!   request log. Under load a turn takes up to five seconds.
//! * The history reaches the disk every ten seconds (five from 2.29 on), and some versions never write the rest.
//! * Times are rounded to two significant digits in percentiles, histogram and median; old versions cut off the fractions of
//!   the others.
//! * `--reset-stats` lets all counts begin again.
//!
//! All else is a contradiction: a cell, a row or a file is not of this run. Which one cannot be told, so that the gates on
//! all that may be wrong are undecided.

use std::collections::BTreeMap;

use super::failures::Failures;
use super::figures::Figures;
use super::history::History;
use super::json::Counted;
use super::stats::Stats;
use crate::tally::{Concern, Doubts, Endpoint, EndpointTally, Tally};

mod entries;
mod failed;
mod grown;
mod json_and_table;
pub mod log;
mod rates;
pub mod rows;
mod table;

pub use log::Log;

/// Counts, times and rates: what is doubtful where a row or a file may be of another run.
const COUNTED: [Concern; 4] = [
    Concern::Requests,
    Concern::Failures,
    Concern::Times,
    Concern::Course,
];

/// Times that are written exactly may lack their fraction, and differ by as much.
const FRACTION_MS: f64 = 1.0;

/// What was read of one run.
#[derive(Clone, Copy)]
pub struct Left<'t> {
    /// Statistics tables, one per master.
    pub stats: &'t [Stats],
    /// Histories.
    pub histories: &'t [History],
    /// Entries of JSON.
    pub json: &'t [Counted],
    /// Failures tables.
    pub failures: &'t [Failures],
    /// Whether bad rows were left out, as `--allow-bad-lines` allows: then sums may fall short.
    pub is_partial: bool,
}

/// Whose figures a finding is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The run and all its endpoints.
    Run,
    /// The total row alone.
    Total,
    /// These endpoints, and the total through them.
    Endpoints(Vec<Endpoint>),
}

/// A contradiction.
#[derive(Clone, Debug)]
struct Finding {
    place: Place,
    concerns: Vec<Concern>,
    because: String,
}

/// Every contradiction, and what else the reader should know.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
    notes: Vec<String>,
}

impl Findings {
    fn doubt(&mut self, place: Place, concerns: &[Concern], because: String) {
        self.found.push(Finding {
            place,
            concerns: concerns.to_vec(),
            because,
        });
    }

    fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Makes the figures doubtful; the summary tells every doubt in a note. Returns the other notes.
    pub fn apply(self, tally: &mut Tally) -> Vec<String> {
        for Finding {
            place,
            concerns,
            because,
        } in self.found
        {
            let add = |doubts: &mut Doubts| doubts.add(&concerns, &because);
            match place {
                Place::Run => add(&mut tally.doubts),
                Place::Total => match &mut tally.reported_total {
                    Some(total) => add(&mut total.doubts),
                    None => add(&mut tally.doubts),
                },
                Place::Endpoints(keys) => {
                    for key in keys {
                        match tally.endpoints.get_mut(&key) {
                            Some(endpoint) => add(&mut endpoint.doubts),
                            None => add(&mut tally.doubts),
                        }
                    }
                }
            }
        }
        self.notes
    }

    /// The same where other sources give the figures, and the tables only their users: the rest is only told.
    pub fn apply_to_users(self, tally: &mut Tally) -> Vec<String> {
        let mut notes = self.notes;
        for finding in self.found {
            if finding.concerns.contains(&Concern::Users) {
                tally.doubts.add(&[Concern::Users], &finding.because);
            } else {
                notes.push(finding.because);
            }
        }
        notes
    }
}

/// Holds all that was left behind against itself.
pub fn check(left: &Left) -> Findings {
    let mut findings = Findings::default();
    for stats in left.stats {
        rows::check(stats, &mut findings);
        table::check(stats, left, &mut findings);
        rates::check(stats, &mut findings);
    }
    for history in left.histories {
        grown::check(history, left, &mut findings);
    }
    entries::check(left.json, &mut findings);
    failed::check(left, &mut findings);
    grown::against_the_rest(left, &mut findings);
    json_and_table::check(left, &mut findings);
    findings
}

/// Rows of which the same is to be said: one sentence tells of all.
struct Alike<'t> {
    file: &'t str,
    what: &'t str,
    /// Said behind all.
    why: &'t str,
    /// Endpoint (`None`: the total), and what stands there.
    rows: Vec<(Option<Endpoint>, String)>,
}

impl<'t> Alike<'t> {
    fn new(file: &'t str, what: &'t str) -> Self {
        Self {
            file,
            what,
            why: "",
            rows: Vec::new(),
        }
    }

    fn add(&mut self, key: Option<&Endpoint>, detail: String) {
        self.rows.push((key.cloned(), detail));
    }

    /// What is wrong, where, and what stands there.
    fn sentence(&self) -> String {
        let (file, what, why) = (self.file, self.what, self.why);
        let place = |key: &Option<Endpoint>| {
            key.as_ref()
                .map_or_else(|| "the total".to_owned(), |key| format!("`{key}`"))
        };
        match self.rows.as_slice() {
            [] => format!("{file}: {what}{why}"),
            [(key, detail)] => format!("{file}: {what} in {}: {detail}{why}", place(key)),
            [(key, detail), ..] => format!(
                "{file}: {what} in {} rows, such as {}: {detail}{why}",
                self.rows.len(),
                place(key)
            ),
        }
    }

    fn tell(self, concerns: &[Concern], findings: &mut Findings) {
        let because = self.sentence();
        if self.rows.iter().any(|(key, _)| key.is_none()) {
            findings.doubt(Place::Total, concerns, because.clone());
        }
        let keys: Vec<Endpoint> = self.rows.into_iter().filter_map(|(key, _)| key).collect();
        if !keys.is_empty() {
            findings.doubt(Place::Endpoints(keys), concerns, because);
        }
    }
}

/// Whether two times that are written exactly are the same but for their fractions.
fn is_same(a: f64, b: f64) -> bool {
    // Spreadsheets keep six digits or more.
    (a - b).abs() <= FRACTION_MS.max(a.abs().max(b.abs()) * 1e-5)
}

/// A name as it can be compared between files: line ends may have been turned, and texts that are not UTF-8 are guessed file
/// by file.
fn comparable(key: &Endpoint) -> Endpoint {
    let text = |text: &str| {
        let plain = text.chars().filter(|c| *c != '\r');
        let mut folded = String::with_capacity(text.len());
        for c in plain {
            let c = if c.is_ascii() { c } else { '?' };
            if c != '?' || !folded.ends_with('?') {
                folded.push(c);
            }
        }
        folded
    };
    Endpoint {
        name: text(&key.name),
        method: text(&key.method),
    }
}

/// Requests and failures of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pair {
    requests: u64,
    failures: u64,
}

impl Pair {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.failures += other.failures;
    }
}

impl From<&Figures> for Pair {
    fn from(row: &Figures) -> Self {
        Self {
            requests: row.requests,
            failures: row.failures,
        }
    }
}

impl From<&EndpointTally> for Pair {
    fn from(tally: &EndpointTally) -> Self {
        Self {
            requests: tally.requests,
            failures: tally.failures,
        }
    }
}

/// Counts by names that can be compared, each with an endpoint that has the name.
fn by_name<'t>(
    rows: impl Iterator<Item = (&'t Endpoint, Pair)>,
) -> BTreeMap<Endpoint, (&'t Endpoint, Pair)> {
    let mut named: BTreeMap<Endpoint, (&Endpoint, Pair)> = BTreeMap::new();
    for (key, pair) in rows {
        let (_, known) = named
            .entry(comparable(key))
            .or_insert((key, Pair::default()));
        known.add(pair);
    }
    named
}

#[cfg(test)]
mod tests;
