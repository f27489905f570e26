//! The run over time, in intervals of one length.

use std::collections::BTreeMap;

use super::quantile::quantile;
use crate::tally::{EndpointTally, Second, Tally, bucket_value_ms};

/// Interval lengths a chart may have, in seconds.
const LENGTHS: [i64; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
/// The most points a chart should have.
const MOST_POINTS: i64 = 600;

/// Requests, failures, percentiles and users over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Length of every interval, in seconds.
    pub interval_s: i64,
    /// Every interval from first to last, empty ones included.
    pub rows: Vec<Interval>,
}

/// One interval of the timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interval {
    /// Its begin, epoch seconds.
    pub start_s: i64,
    /// Requests in it.
    pub requests: u64,
    /// Failures among them.
    pub failures: u64,
    /// Median response time in ms, within 0.5 %; from Locust's history as Locust rounded it.
    pub p50: Option<f64>,
    /// 95th percentile in ms, likewise.
    pub p95: Option<f64>,
    /// 99th percentile in ms, likewise.
    pub p99: Option<f64>,
    /// Most users in it; only in the run's own timeline.
    pub users: Option<u64>,
}

/// The intervals of a run, shared by all its endpoints.
#[derive(Debug)]
pub struct Frame {
    first: i64,
    last: i64,
    interval_s: i64,
    users: BTreeMap<i64, u64>,
    reported: BTreeMap<i64, BTreeMap<u32, f64>>,
}

impl Frame {
    /// Chooses the interval so that the run has at most 600 points.
    pub fn new(tally: &Tally, total: &EndpointTally) -> Self {
        let counted = tally.endpoints.values().chain(std::iter::once(total));
        let seconds = counted
            .flat_map(|e| e.seconds.keys())
            .chain(tally.reported_timeline.keys());
        let (first, last) = seconds.fold((i64::MAX, i64::MIN), |(a, b), s| (a.min(*s), b.max(*s)));
        let span = last.saturating_sub(first).saturating_add(1);
        let fitting = LENGTHS.iter().copied().find(|l| span / l < MOST_POINTS);
        // Months between two requests (a wrong clock, say): still at most 600 points.
        let interval_s = fitting.unwrap_or_else(|| span / MOST_POINTS + 1);
        Self {
            first,
            last,
            interval_s,
            users: tally.users.clone(),
            reported: tally.reported_timeline.clone(),
        }
    }

    fn slot(&self, second: i64) -> usize {
        ((second - self.first) / self.interval_s) as usize
    }

    /// An endpoint's counts laid into the intervals.
    pub fn of(&self, tally: &EndpointTally) -> Timeline {
        if self.first > self.last || (tally.seconds.is_empty() && self.reported.is_empty()) {
            return Timeline {
                interval_s: 1,
                rows: Vec::new(),
            };
        }
        let mut merged = vec![Second::default(); self.slot(self.last) + 1];
        for (at, second) in &tally.seconds {
            merged[self.slot(*at)].merge(second);
        }
        let mut rows: Vec<Interval> = merged
            .iter()
            .enumerate()
            .map(|(i, s)| self.interval(i, s))
            .collect();
        for (at, users) in self.users.range(self.first..=self.last) {
            let row = &mut rows[self.slot(*at)];
            row.users = row.users.max(Some(*users));
        }
        for (at, quantiles) in &self.reported {
            let row = &mut rows[self.slot(*at)];
            row.p50 = row.p50.or_else(|| quantiles.get(&500_000).copied());
            row.p95 = row.p95.or_else(|| quantiles.get(&950_000).copied());
            row.p99 = row.p99.or_else(|| quantiles.get(&990_000).copied());
        }
        Timeline {
            interval_s: self.interval_s,
            rows,
        }
    }

    fn interval(&self, index: usize, second: &Second) -> Interval {
        let p = |q| percentile(second, q);
        Interval {
            start_s: self.first + index as i64 * self.interval_s,
            requests: second.requests,
            failures: second.failures,
            p50: p(0.5),
            p95: p(0.95),
            p99: p(0.99),
            users: None,
        }
    }
}

/// A percentile of the bucketed response times in milliseconds, within 0.5 %.
pub fn percentile(second: &Second, q: f64) -> Option<f64> {
    let n = second.buckets.values().sum();
    quantile(
        second
            .buckets
            .iter()
            .map(|(b, n)| (bucket_value_ms(*b), *n)),
        n,
        q,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::bucket;

    #[test]
    fn buckets_are_within_half_a_percent() {
        for us in [1, 7, 999, 1_000, 123_456, 60_000_000] {
            let shown = bucket_value_ms(bucket(us)) * 1e3;
            assert!(
                (shown / us as f64 - 1.0).abs() <= 0.005 + 1e-9,
                "{us} shown as {shown}"
            );
        }
    }
}
