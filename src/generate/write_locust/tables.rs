//! Locust's comma-separated tables: CRLF line ends, quotes only where needed, numbers as Python prints them.

use std::io::{self, Write};

use super::Counted;
use super::entry::{Entry, Histogram, Recent};
use crate::generate::scenario::Scenario;

/// The percentiles Locust reports, with their column names.
const PERCENTILES: [(f64, &str); 11] = [
    (0.5, "50%"),
    (0.66, "66%"),
    (0.75, "75%"),
    (0.8, "80%"),
    (0.9, "90%"),
    (0.95, "95%"),
    (0.98, "98%"),
    (0.99, "99%"),
    (0.999, "99.9%"),
    (0.9999, "99.99%"),
    (1.0, "100%"),
];

const STATS: [&str; 11] = [
    "Type",
    "Name",
    "Request Count",
    "Failure Count",
    "Median Response Time",
    "Average Response Time",
    "Min Response Time",
    "Max Response Time",
    "Average Content Size",
    "Requests/s",
    "Failures/s",
];

const HISTORY_BEFORE: [&str; 6] = [
    "Timestamp",
    "User Count",
    "Type",
    "Name",
    "Requests/s",
    "Failures/s",
];

const HISTORY_AFTER: [&str; 7] = [
    "Total Request Count",
    "Total Failure Count",
    "Total Median Response Time",
    "Total Average Response Time",
    "Total Min Response Time",
    "Total Max Response Time",
    "Total Average Content Size",
];

/// A table in the dialect of Python's `csv` module.
pub struct Table<W: Write>(csv::Writer<W>);

impl<W: Write> Table<W> {
    /// An empty table.
    pub fn new(out: W) -> Self {
        Self(
            csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .from_writer(out),
        )
    }

    fn row(&mut self, cells: &[String]) -> io::Result<()> {
        self.0.write_record(cells).map_err(io::Error::from)
    }

    fn header(&mut self, cells: impl Iterator<Item = &'static str>) -> io::Result<()> {
        self.row(&cells.map(str::to_owned).collect::<Vec<_>>())
    }

    /// The writer below, with everything written.
    pub fn finish(self) -> io::Result<W> {
        self.0
            .into_inner()
            .map_err(|error| io::Error::other(error.to_string()))
    }
}

/// Epoch seconds as Python's `time.time()` has them.
pub fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}

/// A float as Python's `repr` prints it: the shortest text that reads back, with a decimal point.
pub fn repr(value: f64) -> String {
    format!("{value:?}")
}

/// `_stats.csv`.
pub fn stats<W: Write>(counted: &Counted, out: W) -> io::Result<W> {
    let mut table = Table::new(out);
    table.header(STATS.into_iter().chain(PERCENTILES.map(|(_, name)| name)))?;
    let entries = counted.sorted.iter().map(|place| &counted.entries[*place]);
    for entry in entries.chain([&counted.total]) {
        let mut cells = vec![entry.key.method.clone(), entry.key.name.clone()];
        cells.extend(totals(entry));
        for count in [entry.requests, entry.failures] {
            // Python prints 0 / 0 here as 0.0 too.
            let rate = if counted.span_s > 0.0 {
                count as f64 / counted.span_s
            } else {
                0.0
            };
            cells.push(repr(rate));
        }
        cells.extend(percentiles(entry, Some(&entry.times)));
        table.row(&cells)?;
    }
    table.finish()
}

/// The header of `_stats_history.csv`.
pub fn history_header<W: Write>(table: &mut Table<W>) -> io::Result<()> {
    let percentiles = PERCENTILES.map(|(_, name)| name);
    table.header(
        HISTORY_BEFORE
            .into_iter()
            .chain(percentiles)
            .chain(HISTORY_AFTER),
    )
}

/// One row of `_stats_history.csv`, with percentiles of the sliding window, as under `--csv-full-history`.
pub fn history_row<W: Write>(
    table: &mut Table<W>,
    entry: &Entry,
    now: i64,
    users: u32,
    recent: Recent,
) -> io::Result<()> {
    let mut cells = vec![
        now.to_string(),
        users.to_string(),
        entry.key.method.clone(),
        entry.key.name.clone(),
        format!("{:.6}", recent.rate(&entry.per_second)),
        format!("{:.6}", recent.rate(&entry.failures_per_second)),
    ];
    cells.extend(percentiles(entry, entry.window(now).as_ref()));
    cells.extend(totals(entry));
    table.row(&cells)
}

/// Request count to average content size, which both tables have.
fn totals(entry: &Entry) -> [String; 7] {
    let median = entry.times.median();
    // Rounding may carry the median outside of what was measured; Locust then prints the bound.
    let median = match entry.min_ms {
        Some(min) if median as f64 > entry.max_ms => repr(entry.max_ms.max(min)),
        Some(min) if (median as f64) < min => repr(min),
        _ => median.to_string(),
    };
    let float_or_zero = |value: Option<f64>| match value {
        Some(value) if value != 0.0 => repr(value),
        _ => "0".to_owned(),
    };
    let responded = entry.requests > 0;
    [
        entry.requests.to_string(),
        entry.failures.to_string(),
        median,
        repr(entry.average_ms()),
        float_or_zero(entry.min_ms),
        float_or_zero(responded.then_some(entry.max_ms)),
        if responded {
            repr(entry.bytes as f64 / entry.requests as f64)
        } else {
            "0".to_owned()
        },
    ]
}

fn percentiles(entry: &Entry, times: Option<&Histogram>) -> Vec<String> {
    let cell = |p: f64| match times {
        _ if entry.requests == 0 => "N/A".to_owned(),
        Some(times) => times.percentile(p).to_string(),
        None => "0".to_owned(),
    };
    PERCENTILES.iter().map(|(p, _)| cell(*p)).collect()
}

/// `_failures.csv`, by name, method and error.
pub fn failures<W: Write>(counted: &Counted, scenario: &Scenario, out: W) -> io::Result<W> {
    let mut table = Table::new(out);
    table.header(
        [
            "Method",
            "Name",
            "Error",
            "Occurrences",
            "First Seen",
            "Last Seen",
        ]
        .into_iter(),
    )?;
    let mut rows = std::collections::BTreeMap::new();
    for ((endpoint, failure), seen) in &counted.failures {
        let endpoint = &scenario.endpoints[*endpoint];
        let key = (&endpoint.key, &endpoint.failures[*failure].error);
        // Two failures with one text are one row, whatever their statuses.
        rows.entry(key)
            .and_modify(|row: &mut super::Seen| {
                row.count += seen.count;
                row.first = row.first.min(seen.first);
                row.last = row.last.max(seen.last);
            })
            .or_insert(*seen);
    }
    for ((endpoint, error), seen) in rows {
        table.row(&[
            endpoint.method.clone(),
            endpoint.name.clone(),
            error.clone(),
            seen.count.to_string(),
            crate::units::moment(seen.first * 1000),
            crate::units::moment(seen.last * 1000),
        ])?;
    }
    table.finish()
}

/// `_exceptions.csv`: no load script, so none raised.
pub fn exceptions<W: Write>(out: W) -> io::Result<W> {
    let mut table = Table::new(out);
    table.header(["Count", "Message", "Traceback", "Nodes"].into_iter())?;
    table.finish()
}
