//! The run over time, in intervals of one length.

use std::collections::BTreeMap;

use super::quantile::quantile;
use crate::tally::seconds::bucket_value_ms;
use crate::tally::{Counts, EndpointTally, FieldTally, Tally};

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
    /// Seconds of it that lie in the run: the interval's length, less in the last one.
    pub length_s: i64,
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

    fn length_of(&self, slot: i64) -> i64 {
        let begin = self.first + slot * self.interval_s;
        self.interval_s.min(self.last - begin + 1)
    }

    /// Counts per epoch second laid into the intervals; what lies outside of them is left out.
    pub fn counts(&self, seconds: &Counts) -> Vec<u64> {
        if self.first > self.last {
            return Vec::new();
        }
        let mut rows = vec![0; self.slot(self.last) + 1];
        for (at, n) in seconds.range(self.first, self.last) {
            rows[self.slot(at)] += n;
        }
        rows
    }

    /// Smallest and largest value of a field in each interval that has any.
    pub fn extremes(&self, field: &FieldTally) -> Vec<Option<(f64, f64)>> {
        if self.first > self.last {
            return Vec::new();
        }
        let mut rows: Vec<Option<(f64, f64)>> = vec![None; self.slot(self.last) + 1];
        for (at, second) in field.seconds().range(self.first..=self.last) {
            let row = &mut rows[self.slot(*at)];
            *row = Some(row.map_or((second.min, second.max), |(low, high)| {
                (low.min(second.min), high.max(second.max))
            }));
        }
        rows
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
                length_s: self.length_of(i as i64),
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

/// A count per second of an interval; intervals are at least a second long.
pub fn per_second(count: u64, length_s: i64) -> f64 {
    count as f64 / length_s.max(1) as f64
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

impl Timeline {
    /// Neighbouring intervals joined so that at most `most` are left: counts are summed up, of percentiles and users the
    /// highest stays. For drawings too small to show every interval.
    #[must_use]
    pub fn thinned(&self, most: usize) -> Self {
        let joined = self.rows.len().div_ceil(most.max(1)).max(1);
        let highest = |of: fn(&Interval) -> Option<f64>, rows: &[Interval]| {
            rows.iter().filter_map(of).reduce(f64::max)
        };
        let join = |rows: &[Interval]| Interval {
            start_s: rows[0].start_s,
            length_s: rows.iter().map(|row| row.length_s).sum(),
            requests: rows.iter().map(|row| row.requests).sum(),
            failures: rows.iter().map(|row| row.failures).sum(),
            p50: highest(|row| row.p50, rows),
            p95: highest(|row| row.p95, rows),
            p99: highest(|row| row.p99, rows),
            users: rows.iter().filter_map(|row| row.users).max(),
        };
        Self {
            interval_s: self.interval_s * joined as i64,
            rows: self.rows.chunks(joined).map(join).collect(),
        }
    }

    /// The intervals with the lowest and the highest of a figure; the earliest of equals. `None` if none has it.
    pub fn extremes(
        &self,
        figure: impl Fn(&Interval) -> Option<f64>,
    ) -> Option<(&Interval, &Interval)> {
        let known = || {
            let known = self.rows.iter().filter_map(|row| Some((row, figure(row)?)));
            known.filter(|(_, value)| !value.is_nan())
        };
        let lowest = known().reduce(|a, b| if b.1 < a.1 { b } else { a })?;
        let highest = known().reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        Some((lowest.0, highest.0))
    }
}

impl Interval {
    /// Its middle, in seconds since the run's first second.
    pub fn middle_s(&self, first_s: i64) -> f64 {
        (self.start_s - first_s) as f64 + self.length_s as f64 / 2.0
    }

    /// Requests per second.
    pub fn rps(&self) -> f64 {
        per_second(self.requests, self.length_s)
    }

    /// Failures per second.
    pub fn failures_per_s(&self) -> f64 {
        per_second(self.failures, self.length_s)
    }

    fn set_percentiles(&mut self, histogram: &Histogram) {
        self.p50 = histogram.percentile(0.5);
        self.p95 = histogram.percentile(0.95);
        self.p99 = histogram.percentile(0.99);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::{Endpoint, Request};

    /// One request a second for `seconds` seconds, the i-th taking i + 1 ms.
    fn run(seconds: i64) -> Tally {
        let mut tally = Tally::default();
        for second in 0..seconds {
            let request = Request {
                start_ms: Some(second * 1000),
                response_time_us: (second as u64 + 1) * 1000,
                status: Some(200),
                ..Request::default()
            };
            tally.add(Endpoint::default(), &request);
        }
        tally
    }

    #[test]
    fn the_last_interval_is_as_long_as_the_run_is_in_it() {
        // 601 s do not fit 600 points of 1 s: intervals of 2 s, the last with one second of the run.
        let tally = run(601);
        let total = tally.total();
        let timeline = Frame::new(&tally, &total).of(&total);
        assert_eq!(timeline.interval_s, 2);
        let (first, last) = (&timeline.rows[0], &timeline.rows[300]);
        assert_eq!((first.length_s, first.requests, first.rps()), (2, 2, 1.0));
        assert_eq!((last.length_s, last.requests, last.rps()), (1, 1, 1.0));
        assert_eq!((first.middle_s(0), last.middle_s(0)), (1.0, 600.5));
    }

    #[test]
    fn thinned_keeps_counts_and_peaks() {
        // 5 s at most 2 points: 3 s and 2 s; 1, 2, 3 ms and 4, 5 ms.
        let tally = run(5);
        let total = tally.total();
        let thin = Frame::new(&tally, &total).of(&total).thinned(2);
        let rows: Vec<_> = thin
            .rows
            .iter()
            .map(|r| (r.start_s, r.length_s, r.requests))
            .collect();
        assert_eq!(rows, [(0, 3, 3), (3, 2, 2)]);
        assert!((thin.rows[0].p95.expect("3 ms") - 3.0).abs() < 0.012);
        assert!(Timeline::default().thinned(60).rows.is_empty());
    }

    #[test]
    fn extremes_name_their_intervals() {
        let tally = run(3);
        let total = tally.total();
        let timeline = Frame::new(&tally, &total).of(&total);
        let (low, high) = timeline.extremes(|row| row.p50).expect("three intervals");
        assert_eq!((low.start_s, high.start_s), (0, 2));
        assert_eq!(timeline.extremes(|row| row.users.map(|u| u as f64)), None);
    }
}
