//! The statistics table; that of Locust 0.8 to 0.13 is `_requests.csv`.

use std::collections::BTreeMap;

use super::text::{Number, Row, Table};
use crate::diagnostic::Diagnostic;
use crate::tally::{Endpoint, EndpointTally, Evidence, Tally, whole_bytes};

/// What a table held.
#[derive(Default)]
pub struct Read {
    /// Endpoints and the total row.
    pub tally: Tally,
    /// What was wrong.
    pub problems: Vec<Diagnostic>,
    /// Sentences for the reader.
    pub notes: Vec<String>,
    /// Rows used.
    pub records: u64,
}

/// Columns of measured values, shared by the statistics and the history.
pub struct Columns {
    /// Requests.
    pub requests: usize,
    /// Failures.
    pub failures: usize,
    median: Option<usize>,
    average: Option<usize>,
    min: Option<usize>,
    max: Option<usize>,
    size: Option<usize>,
    rps: Option<usize>,
    percentiles: Vec<(usize, u32)>,
}

impl Columns {
    /// Finds the columns; those of the history are called `Total …`.
    pub fn find(table: &Table) -> Result<Self, Diagnostic> {
        Ok(Self {
            requests: table.needed(&["total request count", "request count", "# requests"])?,
            failures: table.needed(&["total failure count", "failure count", "# failures"])?,
            median: table.column(&["total median response time", "median response time"]),
            average: table.column(&["total average response time", "average response time"]),
            min: table.column(&["total min response time", "min response time"]),
            max: table.column(&["total max response time", "max response time"]),
            size: table.column(&["total average content size", "average content size"]),
            rps: table.column(&["requests/s"]),
            percentiles: table.percentiles(),
        })
    }

    /// The longest response time in ms.
    pub fn max_ms(&self, table: &Table, row: &Row) -> Option<f64> {
        match table.number(row, self.max) {
            Number::Known(max) => Some(max),
            _ => None,
        }
    }

    /// The percentiles of a row that are known.
    pub fn quantiles(&self, table: &Table, row: &Row) -> BTreeMap<u32, f64> {
        let known = |&(column, q): &(usize, u32)| match table.number(row, Some(column)) {
            Number::Known(ms) => Some((q, ms)),
            _ => None,
        };
        self.percentiles.iter().filter_map(known).collect()
    }

    /// A row as counts; the number of `nan` and `inf` cells is added to `not_finite`.
    pub fn tally(
        &self,
        table: &Table,
        row: &Row,
        not_finite: &mut u64,
    ) -> Result<EndpointTally, Diagnostic> {
        let requests = table.count(row, self.requests)?;
        let failures = table.count(row, self.failures)?;
        let mut measured = |column: Option<usize>| match table.number(row, column) {
            Number::Known(value) if value >= 0.0 => Ok(Some(value)),
            Number::Unknown => Ok(None),
            Number::NotFinite => {
                *not_finite += 1;
                Ok(None)
            }
            Number::Known(_) | Number::Bad => {
                let column = column.unwrap_or_default();
                let cell = row.cells.get(column).unwrap_or_default();
                let message = format!("`{cell}` is not a number of 0 or more");
                Err(table.problem(
                    row,
                    column,
                    message,
                    "times, sizes and rates are numbers, `N/A` or empty",
                ))
            }
        };
        let average = measured(self.average)?;
        let (min, max) = (measured(self.min)?, measured(self.max)?);
        let (size, rps, median) = (
            measured(self.size)?,
            measured(self.rps)?,
            measured(self.median)?,
        );
        let mut quantiles = BTreeMap::new();
        for (column, q) in &self.percentiles {
            if let Some(ms) = measured(Some(*column))? {
                quantiles.insert(*q, ms);
            }
        }
        if let (Some(median), false) = (median, self.percentiles.iter().any(|(_, q)| *q == 500_000))
        {
            quantiles.insert(500_000, median);
        }
        let some = requests > 0;
        let us = |ms: Option<f64>| ms.filter(|_| some).map(|ms| ms * 1e3);
        Ok(EndpointTally {
            evidence: Evidence::Reported,
            requests,
            failures,
            reported_sum_us: us(average).map(|us| us * requests as f64),
            min_us: us(min),
            max_us: us(max),
            reported_quantiles: if some { quantiles } else { BTreeMap::new() },
            reported_rps: rps,
            without_start: requests,
            without_status: requests,
            bytes: whole_bytes(size.map(|size| size * requests as f64)),
            ..EndpointTally::default()
        })
    }
}

/// Whether a type cell marks the total row.
pub fn is_total(kind: &str) -> bool {
    matches!(kind.trim(), "" | "None")
}

/// Reads `_stats.csv` (`_requests.csv` up to 0.13).
pub fn read(table: &Table) -> Result<Read, Diagnostic> {
    let kind = table.needed(&["type", "method"])?;
    let name = table.needed(&["name"])?;
    let columns = Columns::find(table)?;
    let mut read = Read::default();
    let mut lines: BTreeMap<Endpoint, u64> = BTreeMap::new();
    let mut not_finite = 0;
    for (index, row) in table.rows.iter().enumerate() {
        if let Some(problem) = table.short(row) {
            read.problems.push(problem);
            continue;
        }
        let tally = match columns.tally(table, row, &mut not_finite) {
            Ok(tally) => tally,
            Err(problem) => {
                read.problems.push(problem);
                continue;
            }
        };
        let last = index + 1 == table.rows.len();
        if last && is_total(&row.cells[kind]) && matches!(&row.cells[name], "Aggregated" | "Total")
        {
            read.tally.reported_total = Some(tally);
            read.records += 1;
            continue;
        }
        let key = Endpoint {
            name: row.cells[name].to_owned(),
            method: row.cells[kind].to_owned(),
        };
        if let Some(first) = lines.get(&key) {
            let message = format!(
                "`{key}` is in the table twice: on line {first} and on line {}",
                table.line(row)
            );
            read.problems.push(table.problem(
                row,
                name,
                message,
                "one row per type and name; remove one of the two",
            ));
            continue;
        }
        lines.insert(key.clone(), table.line(row));
        read.tally.endpoints.insert(key, tally);
        read.records += 1;
    }
    if not_finite > 0 {
        read.notes.push(format!(
            "{}: {not_finite} cells say nan or inf and count as unknown",
            table.file
        ));
    }
    if read.tally.reported_total.is_none() {
        let what = if read.tally.endpoints.is_empty() {
            "has no rows: there were no requests, or the file is incomplete"
        } else {
            "has no total row: the total's counts are sums of the rows, its percentiles are unknown"
        };
        read.notes.push(format!("{} {what}", table.file));
    }
    if table.column(&["method"]).is_some() {
        add_uncounted_failures(&mut read, &table.file);
    }
    Ok(read)
}

/// Locust up to 0.9 left failures out of the counts; the header is the same until 0.13.
fn add_uncounted_failures(read: &mut Read, file: &str) {
    let tally = &mut read.tally;
    let mut rows: Vec<_> = tally
        .endpoints
        .values_mut()
        .chain(&mut tally.reported_total)
        .collect();
    if rows.iter().any(|row| row.failures > row.requests) {
        for row in &mut rows {
            let mean = row
                .reported_sum_us
                .map(|sum| sum / row.requests.max(1) as f64);
            row.requests += row.failures;
            row.reported_sum_us = mean.map(|mean| mean * row.requests as f64);
            (row.without_start, row.without_status) = (row.requests, row.requests);
        }
        read.notes.push(format!(
            "{file} has more failures than requests: it is of Locust 0.9 or older, which does not count failures as \
             requests; they were added, but response times and rates leave them out"
        ));
    } else if rows.iter().any(|row| row.failures > 0) {
        read.notes.push(format!(
            "{file} is of Locust 0.8 to 0.13; up to 0.9 its counts and response times leave failures out, which the \
             table does not tell; they were taken to be included"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,\
        Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,50%,7.0%,99.999,100%";

    fn parse(rows: &str) -> Read {
        read(&Table::parse("s.csv", &format!("{HEAD}\n{rows}")).unwrap()).unwrap()
    }

    #[test]
    fn an_endpoint_may_be_called_aggregated() {
        let read = parse(
            "GET,Aggregated,2,1,10,10.5,9,12,3,1,0,10,9,12,12\n,Aggregated,\"2,813\",1,10,10.5,9,12,3,1,0,10,9,12,12\n",
        );
        assert_eq!(read.tally.endpoints.len(), 1);
        let total = read.tally.reported_total.unwrap();
        assert_eq!(total.requests, 2813);
        assert_eq!(
            total.reported_quantiles.keys().copied().collect::<Vec<_>>(),
            [70_000, 500_000, 999_990, 1_000_000]
        );
    }

    #[test]
    fn bad_cells_short_and_double_rows_have_places() {
        let read = parse(
            "GET,a,2.5,0,1,1,1,1,1,1,1,1,1,1,1\nGET,b,2,0,1,nan,1,1,1,inf,1,1,1,1,N/A\nGET,b,2,0,1,1,1,1,1,1,1,1,1,1,1\nGET,c,2,0,1",
        );
        let places: Vec<_> = read.problems.iter().map(Diagnostic::short).collect();
        assert!(
            places[0].starts_with("s.csv:2:7: error[bad-line]: `2.5` is not a count"),
            "{places:?}"
        );
        assert!(places[1].contains("on line 3 and on line 4"), "{places:?}");
        assert!(
            places[2].starts_with("s.csv:5:12: error[bad-line]: the row has 5 of 15 cells"),
            "{places:?}"
        );
        let b = read.tally.endpoints.values().next().unwrap();
        assert_eq!((b.reported_sum_us, b.reported_rps), (None, None));
        assert_eq!(read.notes.len(), 2);
    }

    #[test]
    fn decimal_commas_are_read() {
        let text = "Type;Name;Request Count;Failure Count;Average Response Time\nGET;a;2813;1;159,800\n;Aggregated;2813;1;159,8\n";
        let read = read(&Table::parse("s", text).unwrap()).unwrap();
        assert_eq!(
            read.tally.reported_total.unwrap().reported_sum_us,
            Some(159.8 * 1e3 * 2813.0)
        );
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = read(&Table::parse("s", "Name,Request Count\n").unwrap())
            .err()
            .unwrap();
        assert_eq!(error.code, "bad-header");
    }

    #[test]
    fn failures_outside_the_counts_are_added() {
        let text = "\"Method\",\"Name\",\"# requests\",\"# failures\"\n\"GET\",\"a\",1,2\n\"None\",\"Total\",1,2";
        let read = read(&Table::parse("s", text).unwrap()).unwrap();
        assert_eq!(read.tally.reported_total.unwrap().requests, 3);
    }
}
