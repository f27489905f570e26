//! The figures of one row, as a table states them.

use std::collections::BTreeMap;

use super::text::{Number, Row, Table};
use crate::diagnostic::Diagnostic;
use crate::tally::{EndpointTally, Evidence, whole_bytes};

/// What a row says of an endpoint, or of the total. Times in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Requests.
    pub requests: u64,
    /// Failures.
    pub failures: u64,
    /// Median, clipped to the shortest and the longest.
    pub median: Option<f64>,
    /// Mean.
    pub average: Option<f64>,
    /// Shortest.
    pub min: Option<f64>,
    /// Longest.
    pub max: Option<f64>,
    /// Average size of a body in bytes.
    pub size: Option<f64>,
    /// Requests per second; in the history those of the last seconds.
    pub requests_per_s: Option<f64>,
    /// Failures per second.
    pub failures_per_s: Option<f64>,
    /// Percentiles: quantile in millionths → time.
    pub quantiles: BTreeMap<u32, f64>,
}

impl Figures {
    /// Whether every time is 0: so Locust writes that no request had a response time.
    pub fn is_untimed(&self) -> bool {
        let times = || {
            let single = [self.median, self.average, self.min, self.max];
            single
                .into_iter()
                .flatten()
                .chain(self.quantiles.values().copied())
        };
        self.requests > 0 && times().next().is_some() && times().all(|ms| ms == 0.0)
    }

    /// The figures as counts.
    pub fn tally(&self) -> EndpointTally {
        let timed = self.requests > 0 && !self.is_untimed();
        let us = |ms: Option<f64>| ms.filter(|_| timed).map(|ms| ms * 1e3);
        let mut quantiles = if timed {
            self.quantiles.clone()
        } else {
            BTreeMap::new()
        };
        if let (Some(median), true) = (self.median, timed) {
            quantiles.entry(500_000).or_insert(median);
        }
        let requests = self.requests;
        EndpointTally {
            evidence: Evidence::Reported,
            requests,
            failures: self.failures,
            untimed: if timed { 0 } else { requests },
            reported_sum_us: us(self.average).map(|us| us * requests as f64),
            min_us: us(self.min),
            max_us: us(self.max),
            reported_quantiles: quantiles,
            reported_rps: self.requests_per_s,
            without_start: requests,
            without_status: requests,
            bytes: whole_bytes(self.size.map(|size| size * requests as f64)),
            ..EndpointTally::default()
        }
    }
}

/// Columns of figures, shared by the statistics and the history.
pub struct Columns {
    requests: usize,
    failures: usize,
    median: Option<usize>,
    average: Option<usize>,
    min: Option<usize>,
    max: Option<usize>,
    size: Option<usize>,
    requests_per_s: Option<usize>,
    failures_per_s: Option<usize>,
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
            requests_per_s: table.column(&["requests/s"]),
            failures_per_s: table.column(&["failures/s", "requests failed/s"]),
            percentiles: table.percentiles(),
        })
    }

    /// A row's figures; the number of `nan` and `inf` cells is added to `not_finite`.
    pub fn read(
        &self,
        table: &Table,
        row: &Row,
        not_finite: &mut u64,
    ) -> Result<Figures, Diagnostic> {
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
        let mut figures = Figures {
            requests: table.count(row, self.requests)?,
            failures: table.count(row, self.failures)?,
            median: measured(self.median)?,
            average: measured(self.average)?,
            min: measured(self.min)?,
            max: measured(self.max)?,
            size: measured(self.size)?,
            requests_per_s: measured(self.requests_per_s)?,
            failures_per_s: measured(self.failures_per_s)?,
            quantiles: BTreeMap::new(),
        };
        for (column, q) in &self.percentiles {
            if let Some(ms) = measured(Some(*column))? {
                figures.quantiles.insert(*q, ms);
            }
        }
        Ok(figures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_throughout_are_no_times() {
        let row = |max: f64| Figures {
            requests: 3,
            average: Some(0.0),
            max: Some(max),
            quantiles: [(500_000, 0.0)].into(),
            ..Figures::default()
        };
        let none = row(0.0).tally();
        assert_eq!((none.untimed, none.timed(), none.max_us), (3, 0, None));
        assert!(none.reported_quantiles.is_empty());
        let some = row(0.4).tally();
        assert_eq!((some.untimed, some.max_us), (0, Some(400.0)));
        // A row without any time is one of a table without such columns.
        let unknown = Figures {
            requests: 3,
            ..Figures::default()
        };
        assert_eq!(unknown.tally().untimed, 0);
    }
}
