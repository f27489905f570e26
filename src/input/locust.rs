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
//! * What contradicts itself is shown, but not judged (`locust/consistency.rs`).

#![allow(
    clippy::result_large_err,
    reason = "an error is made once per file, and ends the reading of it"
)]

mod consistency;
mod distribution;
mod encoding;
mod failures;
mod figures;
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
use crate::tally::{Doubts, EndpointTally, Tally};
use consistency::{Left, Log};
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
        let (text, _) = encoding::decode("", &bytes[..bytes.len().min(1 << 16)]);
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

/// Said of runs of which nothing but tables is left.
const LAST_SECOND: &str = "Locust writes its tables anew once a second, so that they lack the last second or so of a run; \
    its JSON (`--json-file`) and a request log hold all of it";

/// Everything read of Locust's results of one run.
#[derive(Default)]
pub struct Tables {
    stats: Vec<stats::Stats>,
    histories: Vec<history::History>,
    users: BTreeMap<i64, u64>,
    json: Vec<json::Counted>,
    /// Files of JSON, of which some hold no entry.
    json_files: Vec<String>,
    distribution: Vec<distribution::Distribution>,
    failures: Vec<failures::Failures>,
    exceptions: Vec<(u64, String)>,
    notes: Vec<String>,
    /// Whether bad rows were left out, as is allowed.
    is_partial: bool,
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
        let (text, note) = encoding::decode(file, bytes);
        self.notes.extend(note);
        let (records, problems) = self
            .take(file, kind, &text)
            .map_err(|problem| vec![problem])?;
        let rejected = text::settle(file, problems, allow_bad_lines)?;
        self.is_partial |= rejected > 0;
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
            let entries = json::read(file, text)?;
            let records = entries.len() as u64;
            let extent = Extent::of(&json::tally(&entries));
            self.extents.push((kind, file.to_owned(), extent));
            self.json.extend(entries);
            self.json_files.push(file.to_owned());
            return Ok((records, Vec::new()));
        }
        let table = text::Table::parse(file, text)?;
        if let Some(problem) = width::beyond(&table) {
            return Err(problem);
        }
        Ok(match kind {
            Kind::Stats | Kind::Json => {
                let mut read = stats::read(&table)?;
                self.notes.append(&mut read.notes);
                if !self.stats.is_empty() {
                    let what = "was added to another statistics table; percentiles of two tables cannot be joined";
                    self.notes.push(format!("{file} {what}"));
                }
                let told = (read.records(), std::mem::take(&mut read.problems));
                self.stats.push(read);
                told
            }
            Kind::History => {
                let mut read = history::read(&table)?;
                self.notes.append(&mut read.notes);
                for (second, users) in &read.tally.users {
                    let most = self.users.entry(*second).or_default();
                    *most = (*most).max(*users);
                }
                self.extents
                    .push((kind, file.to_owned(), Extent::of(&read.tally)));
                let told = (read.records, std::mem::take(&mut read.problems));
                self.histories.push(read);
                told
            }
            Kind::Failures => {
                let (rows, problems) = failures::read(&table)?;
                let records = rows.len() as u64;
                let file = file.to_owned();
                self.failures.push(failures::Failures { file, rows });
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
    /// tally holds at most the users over time, if the log lacks them, and what is doubtful of the log.
    pub fn finish(self, from_log: Option<&Tally>) -> (Option<Tally>, Vec<String>) {
        match from_log {
            Some(log) => {
                let total = log.total();
                let notes = self.reconcile(log, &total);
                self.beside(Log::Whole(&total), !log.users.is_empty(), notes)
            }
            None => self.alone(),
        }
    }

    /// The same beside a request log of which only a part was asked for; it holds so many requests in all.
    pub fn finish_beside_part(self, records: u64) -> (Option<Tally>, Vec<String>) {
        self.beside(Log::Part(records), false, Vec::new())
    }

    /// Users per epoch second, if the history tells.
    pub fn users(&self) -> Option<&BTreeMap<i64, u64>> {
        (!self.histories.is_empty()).then_some(&self.users)
    }

    fn left(&self) -> Left<'_> {
        Left {
            stats: &self.stats,
            histories: &self.histories,
            json: &self.json,
            failures: &self.failures,
            is_partial: self.is_partial,
        }
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

    /// Percentiles of a distribution table belong to the statistics beside it.
    fn distribute(&mut self) {
        for stats in &mut self.stats {
            let note = distribution::distribute(stats, &self.distribution);
            self.notes.extend(note);
        }
    }

    /// What the statistics count, and the names of their files.
    fn table(&self, notes: &mut Vec<String>) -> Option<(String, Tally)> {
        let tables = self.stats.iter().map(|stats| {
            let (tally, note) = stats.tally();
            notes.extend(note);
            (stats.file.clone(), tally)
        });
        tables.reduce(joined)
    }

    fn json(&self) -> Option<(String, Tally)> {
        let file = self.json_files.join(" with ");
        (!file.is_empty()).then(|| (file, json::tally(&self.json)))
    }

    fn reconcile(&self, log: &Tally, total: &EndpointTally) -> Vec<String> {
        let results: Vec<_> = self
            .table(&mut Vec::new())
            .into_iter()
            .chain(self.json())
            .collect();
        let notes: Vec<String> = results
            .iter()
            .flat_map(|(file, tally)| reconcile::with_log(file, tally, log, total))
            .collect();
        if notes.is_empty() && !results.is_empty() {
            return vec![format!(
                "request log and Locust's tables agree: {}, {}",
                plural(total.requests, "request"),
                plural(total.failures, "failure")
            )];
        }
        notes
    }

    /// What the tables add to a request log.
    fn beside(
        mut self,
        log: Log,
        has_users: bool,
        reconciled: Vec<String>,
    ) -> (Option<Tally>, Vec<String>) {
        self.distribute();
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.exceptions_note());
        notes.extend(reconciled);
        let left = self.left();
        let of_the_log = consistency::log::check(&left, log);
        let mut tally = Tally::default();
        notes.extend(consistency::check(&left).apply_to_users(&mut tally));
        if has_users {
            tally.doubts = Doubts::default();
        } else {
            tally.users = self.users;
        }
        notes.extend(of_the_log.apply(&mut tally));
        let says_something = !tally.users.is_empty() || !tally.doubts.is_empty();
        (says_something.then_some(tally), notes)
    }

    /// The run as the tables alone tell it.
    fn alone(mut self) -> (Option<Tally>, Vec<String>) {
        self.distribute();
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.exceptions_note());
        let findings = consistency::check(&self.left());
        let mut tally = self.combine(&mut notes);
        if let Some(tally) = &mut tally {
            notes.extend(findings.apply(tally));
        }
        (tally, notes)
    }

    fn combine(self, notes: &mut Vec<String>) -> Option<Tally> {
        let (table, json) = (self.table(notes), self.json());
        if let (Some((csv, table)), Some((file, json))) = (&table, &json) {
            notes.extend(reconcile::table_and_json((csv, table), (file, json)));
        }
        let csv_requests = table
            .as_ref()
            .map_or(0, |(_, table)| table.total().requests);
        // An empty array beside a table with requests is that of another process.
        let json = json.filter(|(_, json)| csv_requests == 0 || !json.endpoints.is_empty());
        let from_json = json.is_some();
        let histories = self.histories.into_iter();
        let history = histories.map(|h| (h.file, h.tally)).reduce(joined);
        let mut tally = match (json, table, &history) {
            (Some((_, json)), _, _) => {
                notes.extend(json::untimed_note(&json));
                json
            }
            (None, Some((_, table)), _) => {
                notes.extend((csv_requests > 0).then(|| LAST_SECOND.to_owned()));
                table
            }
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
        if let Some((_, history)) = history {
            join(&mut tally, history, from_json);
        }
        let rows = self.failures.into_iter().flat_map(|table| table.rows);
        let unplaced = place(&mut tally, rows);
        if unplaced > 0 {
            notes.push(format!(
                "{} failures are of endpoints without a row of counts and are not listed",
                thousands(unplaced)
            ));
        }
        Some(tally)
    }
}

/// Two tables of one kind as one.
fn joined((file, mut tally): (String, Tally), (other, more): (String, Tally)) -> (String, Tally) {
    tally.merge(&more);
    (format!("{file} with {other}"), tally)
}

/// Adds the failures' texts to their endpoints; the answer is how many have none.
fn place(tally: &mut Tally, failures: impl Iterator<Item = failures::Failure>) -> u64 {
    let mut unplaced = 0;
    for failure in failures {
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
    unplaced
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
