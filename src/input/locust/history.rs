//! The history table: users, counts per second, and percentiles of a sliding window.

use std::collections::BTreeMap;

use super::stats::{self, Columns};
use super::text::{Number, Table};
use crate::diagnostic::Diagnostic;
use crate::tally::seconds::Batch;
use crate::tally::{Endpoint, EndpointTally, Seconds, Tally};

/// One entry (an endpoint, or the total) over time.
#[derive(Default)]
struct Series {
    last: EndpointTally,
    seconds: Seconds,
    resets: u64,
    /// Second of the row before.
    before: Option<i64>,
    /// The longest time between two rows.
    gap_s: Option<i64>,
}

/// What the history held.
#[derive(Default)]
pub struct History {
    /// The last row of every endpoint, with its seconds; `reported_total` is the total's.
    pub tally: Tally,
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

/// Reads `_stats_history.csv`.
pub fn read(table: &Table) -> Result<History, Diagnostic> {
    let at = table.needed(&["timestamp"])?;
    let name = table.needed(&["name"])?;
    let kind = table.column(&["type", "method"]);
    let users = table.column(&["user count"]);
    let columns = Columns::find(table)?;
    let mut history = History::default();
    let mut series: BTreeMap<Option<Endpoint>, Series> = BTreeMap::new();
    let mut semantics = Semantics::default();
    let (mut first, mut last, mut not_finite) = (None, None, 0);
    for (index, row) in table.rows.iter().enumerate() {
        let final_row = index + 1 == table.rows.len();
        let short = table.short(row);
        if final_row && (table.unterminated || short.is_some()) {
            history.notes.push(format!(
                "{}:{}: the last row is cut off and was left out; the rows before it were used",
                table.file,
                table.line(row)
            ));
            continue;
        }
        let values = match short {
            Some(problem) => Err(problem),
            None => table.count(row, at).and_then(|second| {
                Ok((second as i64, columns.tally(table, row, &mut not_finite)?))
            }),
        };
        let (second, values) = match values {
            Ok(values) => values,
            Err(problem) => {
                history.problems.push(problem);
                continue;
            }
        };
        history.records += 1;
        let method = kind.map_or("", |kind| &row.cells[kind]);
        let total = stats::is_total(method) && matches!(&row.cells[name], "Aggregated" | "Total");
        let key = (!total).then(|| Endpoint {
            name: row.cells[name].to_owned(),
            method: method.to_owned(),
        });
        let entry = series.entry(key).or_default();
        let busy = values.requests > 0;
        let reset = entry.add(second, values);
        semantics.other_rows |= !total;
        let mut running = None;
        if let Number::Known(count) = table.number(row, users) {
            running = Some(count as u64);
            history.tally.add_users(second, count as u64);
        }
        if busy || running.is_some_and(|n| n > 0) {
            first = Some(first.map_or(second, |f: i64| f.min(second)));
            last = last.max(Some(second));
        }
        if total {
            let quantiles = columns.quantiles(table, row);
            semantics.see(
                quantiles.get(&1_000_000).copied(),
                columns.max_ms(table, row),
                reset,
            );
            let known: BTreeMap<u32, f64> =
                quantiles.into_iter().filter(|(_, ms)| *ms > 0.0).collect();
            if !known.is_empty() {
                history.tally.reported_timeline.insert(second, known);
            }
        }
    }
    // Before 1.2 the window slides even without rows of endpoints; those versions have a 99.999 column.
    let old = table.column(&["99.999", "99.999%", "# requests"]).is_some();
    let windowed = (semantics.other_rows || old) && semantics.contradicted;
    if !windowed {
        history.tally.reported_timeline.clear();
    }
    if not_finite > 0 {
        history.notes.push(format!(
            "{}: {not_finite} cells say nan or inf and count as unknown",
            table.file
        ));
    }
    finish(&mut history, series, windowed, (first, last), &table.file);
    Ok(history)
}

fn finish(
    history: &mut History,
    series: BTreeMap<Option<Endpoint>, Series>,
    windowed: bool,
    span: (Option<i64>, Option<i64>),
    file: &str,
) {
    for (key, series) in series {
        let mut tally = series.last;
        tally.seconds = series.seconds;
        // A row's requests ended after the row before; both moments are cut to whole seconds.
        tally.row_gap_s = series.gap_s.map(|gap| gap + 1);
        tally.first_start_ms = span.0.map(|s| s * 1000);
        tally.last_end_ms = span.1.map(|s| s * 1000);
        // The rate is that of the last ten seconds, and so are the percentiles of a sliding window.
        tally.reported_rps = None;
        if windowed {
            tally.reported_quantiles.clear();
        }
        let Some(key) = key else {
            if series.resets > 0 {
                let times = if series.resets == 1 {
                    "once".to_owned()
                } else {
                    format!("{} times", series.resets)
                };
                history.notes.push(format!(
                    "{file}: the request count falls {times} (`--reset-stats`, or a new test in the same file); Locust's \
                     totals hold only what came after"
                ));
            }
            history.tally.reported_total = Some(tally);
            continue;
        };
        history.tally.endpoints.insert(key, tally);
    }
}

impl Series {
    /// Counts what is new since the row before; true if the counts fell.
    fn add(&mut self, second: i64, row: EndpointTally) -> bool {
        let reset = self.before.is_some() && row.requests < self.last.requests;
        let gap = self.before.map(|before| second - before);
        self.gap_s = self.gap_s.max(gap);
        self.before = Some(second);
        let (requests, failures) = if reset {
            self.resets += 1;
            (row.requests, row.failures)
        } else {
            (
                row.requests - self.last.requests,
                row.failures.saturating_sub(self.last.failures),
            )
        };
        self.seconds.requests.add(second, requests);
        self.seconds.failures.add(second, failures);
        let before = self.last.sum_us().filter(|_| !reset).unwrap_or(0.0);
        if let Some(sum) = row.sum_us().filter(|_| requests > 0) {
            let sum_us = (sum - before).max(0.0).round() as u64;
            self.seconds.add_batch(second, Batch { requests, sum_us });
        }
        self.last = row;
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
