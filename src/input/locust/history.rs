//! The history table: users, counts per second, and percentiles of a sliding window.

use std::collections::BTreeMap;

use super::figures::{Columns, Figures};
use super::stats;
use super::text::{Number, Row, Table};
use crate::diagnostic::Diagnostic;
use crate::tally::seconds::Batch;
use crate::tally::{Endpoint, EndpointTally, Seconds, Tally};

mod course;

pub use course::{Course, Disorder};

/// Longest pause within one test, in seconds; behind a longer one the counts of another begin, if they do.
const PAUSE_S: i64 = 60;

/// One entry (an endpoint, or the total) over time.
#[derive(Default)]
struct Series {
    last: Figures,
    seconds: Seconds,
    course: Course,
}

/// What the history held.
#[derive(Default)]
pub struct History {
    /// The file.
    pub file: String,
    /// The last row of every endpoint, with its seconds; `reported_total` is the total's.
    pub tally: Tally,
    /// The figures of the last row of every endpoint, and of the total (`None`).
    pub last: BTreeMap<Option<Endpoint>, Figures>,
    /// The total's course.
    pub course: Course,
    /// What cannot be of the rows' order and of what they say together.
    pub disorder: Option<String>,
    /// What was wrong.
    pub problems: Vec<Diagnostic>,
    /// Sentences for the reader.
    pub notes: Vec<String>,
    /// Rows used.
    pub records: u64,
}

/// What tells a sliding window from percentiles since the start.
#[derive(Default)]
struct Semantics {
    other_rows: bool,
    previous: f64,
    contradicted: bool,
}

impl Semantics {
    /// Since the start, the 100 % column never falls and is the (rounded) longest time.
    fn see(&mut self, top: Option<f64>, max: Option<f64>, reset: bool) {
        if reset {
            self.previous = 0.0;
        }
        let Some(top) = top else { return };
        self.contradicted |= top < self.previous || max.is_some_and(|max| top < max * 0.9 - 1.0);
        self.previous = top;
    }
}

/// Where the history's own columns are.
struct Places {
    at: usize,
    name: usize,
    kind: Option<usize>,
    users: Option<usize>,
    columns: Columns,
}

impl Places {
    fn find(table: &Table) -> Result<Self, Diagnostic> {
        Ok(Self {
            at: table.needed(&["timestamp"])?,
            name: table.needed(&["name"])?,
            kind: table.column(&["type", "method"]),
            users: table.column(&["user count"]),
            columns: Columns::find(table)?,
        })
    }

    /// The endpoint of a row; `None`: the total.
    fn key(&self, row: &Row) -> Option<Endpoint> {
        let method = self.kind.map_or("", |kind| &row.cells[kind]);
        let name = &row.cells[self.name];
        (!stats::is_total(method, name)).then(|| Endpoint {
            name: name.to_owned(),
            method: method.to_owned(),
        })
    }

    fn users(&self, table: &Table, row: &Row) -> Result<Option<u64>, Diagnostic> {
        match table.number(row, self.users) {
            Number::Unknown | Number::NotFinite => Ok(None),
            Number::Known(_) | Number::Bad => {
                let users = self.users.unwrap_or_default();
                table.count(row, users).map(Some)
            }
        }
    }
}

/// One row that could be used.
struct Entry {
    second: i64,
    key: Option<Endpoint>,
    users: Option<u64>,
    figures: Figures,
}

/// Reads `_stats_history.csv`.
pub fn read(table: &Table) -> Result<History, Diagnostic> {
    let places = Places::find(table)?;
    let mut history = History {
        file: table.file.clone(),
        ..History::default()
    };
    let entries = entries(table, &places, &mut history);
    let entries = history.of_the_last_test(entries);
    let mut series: BTreeMap<Option<Endpoint>, Series> = BTreeMap::new();
    let mut semantics = Semantics::default();
    let mut disorder = Disorder::default();
    let (mut first, mut last) = (None, None);
    for entry in entries {
        let Entry {
            second,
            key,
            users,
            figures,
        } = entry;
        disorder.see_row(second, users, &figures);
        let is_total = key.is_none();
        semantics.other_rows |= !is_total;
        if let Some(users) = users {
            history.tally.add_users(second, users);
        }
        if figures.requests > 0 || users.is_some_and(|n| n > 0) {
            first = Some(first.map_or(second, |f: i64| f.min(second)));
            last = last.max(Some(second));
        }
        let known = series.entry(key).or_default();
        let reset = known.add(second, users, &figures, &mut disorder);
        if is_total {
            let top = figures.quantiles.get(&1_000_000).copied();
            semantics.see(top, figures.max, reset);
            let quantiles = figures.quantiles.iter().filter(|(_, ms)| **ms > 0.0);
            let quantiles: BTreeMap<u32, f64> = quantiles.map(|(q, ms)| (*q, *ms)).collect();
            if !quantiles.is_empty() {
                history.tally.reported_timeline.insert(second, quantiles);
            }
        }
        known.last = figures;
    }
    // Before 1.2 the window slides even without rows of endpoints; those versions have a 99.999 column.
    let old = table.column(&["99.999", "99.999%", "# requests"]).is_some();
    let windowed = (semantics.other_rows || old) && semantics.contradicted;
    if !windowed {
        history.tally.reported_timeline.clear();
    }
    // Without any user there would have been no request: such a column knows of none, as one row before the start.
    if history.tally.users.values().all(|users| *users == 0) {
        history.tally.users.clear();
    }
    for known in series.values() {
        disorder.see_course(&known.course);
    }
    history.disorder = disorder.sentence(&table.file);
    history.finish(series, windowed, (first, last));
    Ok(history)
}

/// The rows that can be used; what is wrong with the others goes into the history's problems.
fn entries(table: &Table, places: &Places, history: &mut History) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(table.rows.len());
    let mut not_finite = 0;
    for (index, row) in table.rows.iter().enumerate() {
        let final_row = index + 1 == table.rows.len();
        if final_row && (table.unterminated || table.is_short(row)) {
            history.notes.push(format!(
                "{}:{}: the last row is cut off and was left out; the rows before it were used",
                table.file,
                table.line(row)
            ));
            continue;
        }
        let entry = match table.misshapen(row) {
            Some(problem) => Err(problem),
            None => table.second(row, places.at).and_then(|second| {
                Ok(Entry {
                    second,
                    key: places.key(row),
                    users: places.users(table, row)?,
                    figures: places.columns.read(table, row, &mut not_finite)?,
                })
            }),
        };
        match entry {
            Ok(entry) => entries.push(entry),
            Err(problem) => history.problems.push(problem),
        }
    }
    if not_finite > 0 {
        history.notes.push(format!(
            "{}: {not_finite} cells say nan or inf and count as unknown",
            table.file
        ));
    }
    history.records = entries.len() as u64;
    entries
}

impl History {
    /// The rows of the test that came last: one process can run several, one after the other, and its other tables are
    /// those of the last.
    fn of_the_last_test(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut before: Option<(i64, u64, u64)> = None;
        let (mut begin, mut tests, mut was_idle) = (None, 1, false);
        for entry in entries.iter().filter(|entry| entry.key.is_none()) {
            let requests = entry.figures.requests;
            was_idle |= entry.users == Some(0);
            if let Some((second, known, running)) = before
                && requests < known
                && (was_idle
                    || entry.second - second > PAUSE_S
                    || entry.users.is_some_and(|users| users * 2 < running))
            {
                begin = Some(entry.second);
                tests += 1;
            }
            if entry.users.is_some_and(|users| users > 0) {
                was_idle = false;
            }
            before = Some((entry.second, requests, entry.users.unwrap_or(0)));
        }
        let Some(begin) = begin else { return entries };
        self.notes.push(format!(
            "{} holds {tests} tests, one after the other, each counted anew; only the last was used",
            self.file
        ));
        entries
            .into_iter()
            .filter(|entry| entry.second >= begin)
            .collect()
    }

    fn finish(
        &mut self,
        series: BTreeMap<Option<Endpoint>, Series>,
        windowed: bool,
        span: (Option<i64>, Option<i64>),
    ) {
        for (key, series) in series {
            let mut tally = EndpointTally {
                seconds: series.seconds,
                // A row's requests ended after the row before; both moments are cut to whole seconds.
                row_gap_s: series.course.gap_s.map(|gap| gap + 1),
                first_start_ms: span.0.map(|s| s * 1000),
                last_end_ms: span.1.map(|s| s * 1000),
                // The rate is that of the last ten seconds, and so are the percentiles of a sliding window.
                reported_rps: None,
                ..series.last.tally()
            };
            let mut last = series.last;
            if windowed {
                tally.reported_quantiles.clear();
                last.quantiles.clear();
            }
            self.last.insert(key.clone(), last);
            if let Some(key) = key {
                self.tally.endpoints.insert(key, tally);
            } else {
                self.tally.reported_total = Some(tally);
                self.course = series.course;
            }
        }
        if self.course.resets > 0 {
            let times = if self.course.resets == 1 {
                "once".to_owned()
            } else {
                format!("{} times", self.course.resets)
            };
            self.notes.push(format!(
                "{}: the request count falls {times} (`--reset-stats`); Locust's totals hold only what came after",
                self.file
            ));
        }
    }
}

impl Series {
    /// Counts what is new since the row before; true if the counts fell.
    fn add(
        &mut self,
        second: i64,
        users: Option<u64>,
        row: &Figures,
        disorder: &mut Disorder,
    ) -> bool {
        let is_first = self.course.is_empty();
        let reset = !is_first && row.requests < self.last.requests;
        if !is_first && !reset {
            disorder.see_step(second, &self.last, row);
        }
        self.course.see(second, users, row.requests);
        let (requests, failures) = if reset {
            (row.requests, row.failures)
        } else {
            (
                row.requests - self.last.requests,
                row.failures.saturating_sub(self.last.failures),
            )
        };
        self.seconds.requests.add(second, requests);
        self.seconds.failures.add(second, failures);
        let sum = |row: &Figures| row.tally().sum_us();
        let before = sum(&self.last).filter(|_| !reset).unwrap_or(0.0);
        if let Some(sum) = sum(row).filter(|_| requests > 0) {
            let sum_us = (sum - before).max(0.0).round() as u64;
            self.seconds.add_batch(second, Batch { requests, sum_us });
        }
        reset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,100%,Total Request Count,\
        Total Failure Count,Total Max Response Time\r\n";

    fn parse(rows: &str) -> History {
        read(&Table::parse("h.csv", &format!("{HEAD}{rows}")).unwrap()).unwrap()
    }

    #[test]
    fn counts_are_differences_and_a_fall_starts_again() {
        let read = parse(
            "10,0,,Aggregated,0,0,N/A,N/A,0,0,0\r\n11,3,,Aggregated,1,0,5,9,4,1,9\r\n12,3,,Aggregated,1,0,5,9,1,0,9\r\n13,3,,Agg",
        );
        let total = read.tally.reported_total.unwrap();
        let requests: Vec<_> = total.seconds.requests.iter().collect();
        let failures: Vec<_> = total.seconds.failures.iter().collect();
        assert_eq!(
            (requests, failures),
            (vec![(11, 4), (12, 1)], vec![(11, 1)])
        );
        assert_eq!(
            (total.first_start_ms, total.last_end_ms),
            (Some(11_000), Some(12_000))
        );
        assert_eq!(read.notes.len(), 2, "{:?}", read.notes);
        assert!(read.notes[0].starts_with("h.csv:5: "));
        assert!(read.notes[1].contains("falls once"));
        assert!(read.tally.reported_timeline.is_empty());
    }

    #[test]
    fn a_sliding_window_needs_endpoints_and_falling_tops() {
        let rows = "10,1,GET,a,1,0,0,0,4,0,90\r\n10,1,,Aggregated,1,0,0,0,4,0,90\r\n11,1,,Aggregated,1,0,5,40,9,0,90\r\n";
        let timeline = parse(rows).tally.reported_timeline;
        assert_eq!(timeline.keys().copied().collect::<Vec<_>>(), [11]);
        let rows = "10,1,GET,a,1,0,5,90,4,0,90\r\n10,1,,Aggregated,1,0,5,90,4,0,90\r\n11,1,,Aggregated,1,0,5,90,9,0,90\r\n";
        let read = parse(rows);
        assert!(read.tally.reported_timeline.is_empty());
        assert_eq!(
            read.tally.reported_total.unwrap().reported_quantiles[&500_000],
            5.0
        );
    }
}
