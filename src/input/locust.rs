//! Locust's own results: CSV tables and JSON.
//!
//! Columns are found by name, so that every Locust from 0.8 on is read. Decisions:
//!
//! * JSON holds the whole run and the histogram of response times; where it is present it gives the counts, and the
//!   tables add users, percentiles over time and the failures' texts.
//! * Locust up to 0.9 does not count failures as requests, and nothing in its tables says so. It is taken for such a
//!   table only when a row has more failures than requests; otherwise a note says what was assumed.
//! * The history's percentiles are those of a sliding window only if the data contradicts "since the start"; its
//!   zeros are unknown, never stored.
//! * A request log is always better: then the tables are only compared with it.

#![allow(
    clippy::result_large_err,
    reason = "an error is made once per file, and ends the reading of it"
)]

mod distribution;
mod failures;
mod history;
mod json;
mod reconcile;
mod stats;
mod text;
mod width;

use std::collections::BTreeMap;

use super::extent::Extent;
use crate::diagnostic::Diagnostic;
use crate::summary::Source;
use crate::tally::Tally;
use text::{plural, thousands};

/// Which of Locust's results a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `_stats.csv`, `_requests.csv` up to 0.13.
    Stats,
    /// `_stats_history.csv`.
    History,
    /// `_failures.csv`.
    Failures,
    /// `_exceptions.csv`.
    Exceptions,
    /// `_distribution.csv`, up to 0.13.
    Distribution,
    /// `--json`.
    Json,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Stats,
        Self::History,
        Self::Failures,
        Self::Exceptions,
        Self::Distribution,
        Self::Json,
    ];

    /// Its name for `--format` and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stats => "locust-stats",
            Self::History => "locust-history",
            Self::Failures => "locust-failures",
            Self::Exceptions => "locust-exceptions",
            Self::Distribution => "locust-distribution",
            Self::Json => "locust-json",
        }
    }

    /// Tells by the header row, or by the shape of JSON.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        let (text, _) = text::decode("", &bytes[..bytes.len().min(1 << 16)]);
        if text.trim_start().starts_with('[') {
            let locust = text.contains("\"num_requests\"") && text.contains("\"response_times\"");
            let empty = text
                .chars()
                .all(|c| c.is_whitespace() || matches!(c, '[' | ']'))
                && text.contains(']');
            return (locust || empty).then_some(Self::Json);
        }
        let (header, _) = text::header(&text);
        let has = |name: &str| header.iter().any(|cell| cell == name);
        let typed = has("type") || has("method");
        if has("name") && has("timestamp") && (has("total request count") || has("# requests")) {
            Some(Self::History)
        } else if has("name") && has("# requests") && !typed {
            Some(Self::Distribution)
        } else if has("name") && (has("request count") || has("# requests")) {
            Some(Self::Stats)
        } else if has("name") && has("error") && (has("occurrences") || has("# occurrences")) {
            Some(Self::Failures)
        } else if has("count") && has("message") && has("traceback") {
            Some(Self::Exceptions)
        } else {
            None
        }
    }
}

/// Everything read of Locust's results of one run.
#[derive(Default)]
pub struct Tables {
    stats: Option<(String, Tally)>,
    history: Option<(String, Tally)>,
    json: Option<(String, Tally)>,
    distribution: Vec<(String, BTreeMap<u32, f64>)>,
    failures: Vec<failures::Failure>,
    exceptions: Vec<(u64, String)>,
    notes: Vec<String>,
    extents: Vec<(Kind, String, Extent)>,
}

impl Tables {
    /// Reads one file; bad rows are errors unless allowed, and then counted in the source.
    pub fn read(
        &mut self,
        file: &str,
        kind: Kind,
        bytes: &[u8],
        allow_bad_lines: &mut u64,
    ) -> Result<Source, Vec<Diagnostic>> {
        let (text, note) = text::decode(file, bytes);
        self.notes.extend(note);
        let (records, problems) = self
            .take(file, kind, &text)
            .map_err(|problem| vec![problem])?;
        let rejected = text::settle(file, problems, allow_bad_lines)?;
        Ok(Source {
            path: file.to_owned(),
            format: kind.name(),
            records,
            rejected,
        })
    }

    fn take(
        &mut self,
        file: &str,
        kind: Kind,
        text: &str,
    ) -> Result<(u64, Vec<Diagnostic>), Diagnostic> {
        if kind == Kind::Json {
            let (tally, records) = json::read(file, text)?;
            self.extents
                .push((kind, file.to_owned(), Extent::of(&tally)));
            add(&mut self.json, file, tally);
            return Ok((records, Vec::new()));
        }
        let table = text::Table::parse(file, text)?;
        if let Some(problem) = width::beyond(&table) {
            return Err(problem);
        }
        Ok(match kind {
            Kind::Stats | Kind::Json => {
                let read = stats::read(&table)?;
                self.notes.extend(read.notes);
                if self.stats.is_some() {
                    let what = "was added to another statistics table; percentiles of two tables cannot be joined";
                    self.notes.push(format!("{file} {what}"));
                }
                add(&mut self.stats, file, read.tally);
                (read.records, read.problems)
            }
            Kind::History => {
                let read = history::read(&table)?;
                self.notes.extend(read.notes);
                self.extents
                    .push((kind, file.to_owned(), Extent::of(&read.tally)));
                add(&mut self.history, file, read.tally);
                (read.records, read.problems)
            }
            Kind::Failures => {
                let (rows, problems) = failures::read(&table)?;
                let records = rows.len() as u64;
                self.failures.extend(rows);
                (records, problems)
            }
            Kind::Exceptions => {
                let (rows, problems) = failures::read_exceptions(&table)?;
                let records = rows.len() as u64;
                self.exceptions.extend(rows);
                (records, problems)
            }
            Kind::Distribution => {
                let (rows, problems) = distribution::read(&table)?;
                let records = rows.len() as u64;
                self.distribution.extend(rows);
                (records, problems)
            }
        })
    }

    /// The run as the tables tell it. With a request log, which gives the numbers, they are compared with it, and the
    /// tally holds at most the users over time, if the log lacks them.
    pub fn finish(mut self, from_log: Option<&Tally>) -> (Option<Tally>, Vec<String>) {
        let mut notes = std::mem::take(&mut self.notes);
        if let Some((_, stats)) = &mut self.stats {
            distribution::distribute(stats, &self.distribution);
        }
        notes.extend(self.exceptions_note());
        let tally = match from_log {
            Some(log) => {
                notes.extend(self.reconcile(log));
                let users = self
                    .history
                    .map(|(_, history)| history.users)
                    .unwrap_or_default();
                (log.users.is_empty() && !users.is_empty()).then(|| Tally {
                    users,
                    ..Tally::default()
                })
            }
            None => self.combine(&mut notes),
        };
        (tally, notes)
    }

    /// Users per epoch second, if the history tells.
    pub fn users(&self) -> Option<&BTreeMap<i64, u64>> {
        self.history.as_ref().map(|(_, history)| &history.users)
    }

    /// From when to when each file goes that tells times.
    pub(super) fn extents(&self) -> &[(Kind, String, Extent)] {
        &self.extents
    }

    fn exceptions_note(&self) -> Option<String> {
        let count: u64 = self.exceptions.iter().map(|(n, _)| n).sum();
        let (_, message) = self.exceptions.iter().max_by_key(|(n, _)| *n)?;
        let message: String = message
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(200)
            .collect();
        Some(format!(
            "the load script raised {}, most often: {message}",
            plural(count, "exception")
        ))
    }

    fn reconcile(&self, log: &Tally) -> Vec<String> {
        let results: Vec<_> = self.stats.iter().chain(&self.json).collect();
        let notes: Vec<String> = results
            .iter()
            .flat_map(|(file, tally)| reconcile::with_log(file, tally, log))
            .collect();
        if notes.is_empty() && !results.is_empty() {
            let total = log.total();
            return vec![format!(
                "request log and Locust's tables agree: {}, {}",
                plural(total.requests, "request"),
                plural(total.failures, "failure")
            )];
        }
        notes
    }

    fn combine(self, notes: &mut Vec<String>) -> Option<Tally> {
        if let (Some((csv, table)), Some((file, json))) = (&self.stats, &self.json) {
            notes.extend(reconcile::table_and_json((csv, table), (file, json)));
        }
        let csv_requests = self
            .stats
            .as_ref()
            .map_or(0, |(_, table)| table.total().requests);
        // An empty array beside a table with requests is that of another process.
        let json = self
            .json
            .filter(|(_, json)| csv_requests == 0 || !json.endpoints.is_empty());
        let from_json = json.is_some();
        let mut tally = match (json, self.stats, &self.history) {
            (Some((_, tally)), _, _) | (None, Some((_, tally)), _) => tally,
            (None, None, Some((file, history))) => {
                notes.push(format!(
                    "only the history {file} was found: the counts are those of its last rows"
                ));
                let mut tally = history.clone();
                let rows = tally
                    .endpoints
                    .values_mut()
                    .chain(&mut tally.reported_total);
                rows.for_each(|row| row.is_open = true);
                tally
            }
            (None, None, None) => {
                if !self.failures.is_empty() {
                    notes.push("the failures table was left out: no file says how many requests there were".to_owned());
                }
                return None;
            }
        };
        if let Some((_, history)) = self.history {
            join(&mut tally, history, from_json);
        }
        let mut unplaced = 0;
        for failure in self.failures {
            match tally.endpoints.get_mut(&failure.endpoint) {
                Some(endpoint) => {
                    let (first, last) = failure.seen;
                    let category = failure.key.category;
                    endpoint.errors.entry(failure.key).or_default().add(
                        category,
                        failure.count,
                        first,
                        last,
                    );
                }
                None => unplaced += failure.count,
            }
        }
        if unplaced > 0 {
            notes.push(format!(
                "{} failures are of endpoints without a row of counts and are not listed",
                thousands(unplaced)
            ));
        }
        Some(tally)
    }
}

/// Keeps a table; a second one of the same kind is added to the first.
fn add(slot: &mut Option<(String, Tally)>, file: &str, tally: Tally) {
    match slot {
        Some((name, known)) => {
            known.merge(&tally);
            *name = format!("{name} with {file}");
        }
        None => *slot = Some((file.to_owned(), tally)),
    }
}

/// Adds what only the history knows: users, percentiles over time, and, without JSON, counts per second.
fn join(tally: &mut Tally, history: Tally, from_json: bool) {
    tally.users = history.users;
    tally.reported_timeline = history.reported_timeline;
    if from_json {
        for (key, counts) in history.endpoints {
            if let Some(endpoint) = tally.endpoints.get_mut(&key) {
                endpoint.seconds.batches = counts.seconds.batches;
            }
        }
        return;
    }
    for (key, counts) in history.endpoints {
        if let Some(endpoint) = tally.endpoints.get_mut(&key) {
            endpoint.seconds = counts.seconds;
            endpoint.row_gap_s = counts.row_gap_s;
            endpoint.first_start_ms = counts.first_start_ms;
            endpoint.last_end_ms = counts.last_end_ms;
        }
    }
    if let Some(counts) = history.reported_total {
        let mut total = tally.total();
        total.seconds = counts.seconds;
        total.row_gap_s = counts.row_gap_s;
        total.first_start_ms = counts.first_start_ms;
        total.last_end_ms = counts.last_end_ms;
        tally.reported_total = Some(total);
    }
}

#[cfg(test)]
mod tests;
