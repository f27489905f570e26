//! The run over time, in intervals of one length.

use std::collections::BTreeMap;

use super::quantile::quantile;
use crate::tally::seconds::bucket_value_ms;
use crate::tally::{EndpointTally, Tally};

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
        let reported = &tally.reported_timeline;
        let ends = reported.keys().next().zip(reported.keys().next_back());
        let spans = counted
            .filter_map(|e| e.seconds.span())
            .chain(ends.map(|(a, b)| (*a, *b)));
        let (first, last) = spans.fold((i64::MAX, i64::MIN), |(a, b), (c, d)| (a.min(c), b.max(d)));
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
        let mut rows: Vec<Interval> = (0..=self.slot(self.last))
            .map(|i| Interval {
                start_s: self.first + i as i64 * self.interval_s,
                ..Interval::default()
            })
            .collect();
        for (at, n) in tally.seconds.requests.iter() {
            rows[self.slot(at)].requests += n;
        }
        for (at, n) in tally.seconds.failures.iter() {
            rows[self.slot(at)].failures += n;
        }
        self.percentiles(tally, &mut rows);
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

    /// Seconds come in order, so that one histogram at a time is enough.
    fn percentiles(&self, tally: &EndpointTally, rows: &mut [Interval]) {
        let mut histogram = Histogram::default();
        let mut open = 0;
        for (second, bucket, n) in tally.seconds.all_buckets() {
            let slot = self.slot(second);
            if slot != open {
                rows[open].set_percentiles(&histogram);
                histogram.clear();
                open = slot;
            }
            histogram.add(bucket, n);
        }
        rows[open].set_percentiles(&histogram);
    }
}

/// Requests in each bucket of response times.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    /// First and last bucket that may hold something.
    span: Option<(usize, usize)>,
    total: u64,
}

impl Histogram {
    /// Adds requests to a bucket.
    pub fn add(&mut self, bucket: u16, n: u64) {
        let at = usize::from(bucket);
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += n;
        self.total += n;
        self.span = Some(
            self.span
                .map_or((at, at), |(first, last)| (first.min(at), last.max(at))),
        );
    }

    /// Takes requests away again.
    pub fn remove(&mut self, bucket: u16, n: u64) {
        self.counts[usize::from(bucket)] -= n;
        self.total -= n;
    }

    fn clear(&mut self) {
        if let Some((first, last)) = self.span.take() {
            self.counts[first..=last].fill(0);
        }
        self.total = 0;
    }

    /// A percentile in milliseconds, within 0.4 %.
    pub fn percentile(&self, q: f64) -> Option<f64> {
        let (first, last) = self.span?;
        let held = self.counts[first..=last]
            .iter()
            .enumerate()
            .filter(|(_, n)| **n > 0);
        let values = held.map(|(i, n)| (bucket_value_ms((first + i) as u16), *n));
        quantile(values, self.total, q)
    }
}

impl Interval {
    fn set_percentiles(&mut self, histogram: &Histogram) {
        self.p50 = histogram.percentile(0.5);
        self.p95 = histogram.percentile(0.95);
        self.p99 = histogram.percentile(0.99);
    }
}
