//! The run over time, in intervals of one length.

use std::collections::BTreeMap;

use super::quantile::quantiles_by_rank;
use crate::parallel;
use crate::tally::seconds::bucket_value_ms;
use crate::tally::{Counts, EndpointTally, FieldTally, Tally, WORTH_THREADS};

/// Interval lengths a chart may have, in seconds.
const LENGTHS: [i64; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
/// The most points a chart should have.
const MOST_POINTS: i64 = 600;
/// The fewest it should have, where the run is long enough.
const FEWEST_POINTS: i64 = 60;
/// Requests in an interval, on average, from which its percentiles are worth drawing.
const ENOUGH_REQUESTS: f64 = 20.0;

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
#[derive(Debug, Default)]
pub struct Frame {
    first: i64,
    last: i64,
    interval_s: i64,
    users: BTreeMap<i64, u64>,
    reported: BTreeMap<i64, BTreeMap<u32, f64>>,
}

/// The shortest length with at most 600 points. Months between two requests (a wrong clock, say): still no more.
fn shortest(span: i64) -> i64 {
    let fitting = LENGTHS.into_iter().find(|l| span / l < MOST_POINTS);
    fitting.unwrap_or_else(|| span / MOST_POINTS + 1)
}

/// Percentiles of a handful of requests say little: as long as a chart keeps 60 points, intervals get longer until they
/// hold enough.
fn interval(span: i64, requests: u64) -> i64 {
    let shortest = shortest(span);
    let enough = |l: &i64| requests as f64 * *l as f64 >= span as f64 * ENOUGH_REQUESTS;
    let longer = LENGTHS
        .into_iter()
        .filter(|l| *l > shortest && span / l >= FEWEST_POINTS);
    let mut lengths = std::iter::once(shortest).chain(longer);
    let last = lengths.clone().last();
    lengths.find(enough).or(last).unwrap_or(shortest)
}

impl Frame {
    /// Chooses the interval so that the run has at most 600 points, and as many requests in each as 60 points allow, up
    /// to 20.
    pub fn new(tally: &Tally, total: &EndpointTally) -> Self {
        let counted = tally.endpoints.values().chain(std::iter::once(total));
        let reported = &tally.reported_timeline;
        let ends = reported.keys().next().zip(reported.keys().next_back());
        let spans = counted
            .filter_map(|e| e.seconds.span())
            .chain(ends.map(|(a, b)| (*a, *b)));
        let (first, last) = spans.fold((i64::MAX, i64::MIN), |(a, b), (c, d)| (a.min(c), b.max(d)));
        let span = last.saturating_sub(first).saturating_add(1);
        let interval_s = match total.seconds.all_buckets().next() {
            Some(_) => interval(span, total.requests),
            None => shortest(span),
        };
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

    /// On all cores, each with intervals of its own: the run's timeline is what every report waits for.
    fn percentiles(&self, tally: &EndpointTally, rows: &mut [Interval]) {
        let is_large = tally.requests >= WORTH_THREADS;
        let parts = if is_large { parallel::threads() } else { 1 };
        let parts = rows.chunks_mut(rows.len().div_ceil(parts).max(1)).collect();
        parallel::each(parts, is_large, |rows: &mut [Interval]| {
            self.percentiles_of(tally, rows);
        });
    }

    fn percentiles_of(&self, tally: &EndpointTally, rows: &mut [Interval]) {
        for row in rows {
            let times = tally
                .seconds
                .joined(row.start_s, row.start_s + self.interval_s);
            let values = |ranks: &[u64]| {
                let buckets = times.at_ranks(ranks).into_iter();
                buckets
                    .map(|bucket| bucket_value_ms(bucket as u16))
                    .collect()
            };
            let found = quantiles_by_rank(times.total(), &[0.5, 0.95, 0.99], values);
            (row.p50, row.p95, row.p99) = (found[0], found[1], found[2]);
        }
    }
}

/// A count per second of an interval; intervals are at least a second long.
pub fn per_second(count: u64, length_s: i64) -> f64 {
    count as f64 / length_s.max(1) as f64
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
    fn a_sparse_run_has_longer_intervals_but_keeps_its_points() {
        // 300 s: 1 s would be 4 requests, 2 s 8, 5 s 20; 5 s are 60 points, 10 s would be 30.
        assert_eq!(interval(300, 1200), 5);
        assert_eq!(interval(300, 300), 5);
        assert_eq!(interval(300, 30_000), 1);
        assert_eq!(interval(30, 10), 1);
        // An hour: 6 s is not a length; 10 s gives 360 points of 20 requests.
        assert_eq!(interval(3600, 7200), 10);
        assert_eq!(interval(i64::MAX / 4, 2), i64::MAX / 4 / 600 + 1);
    }

    #[test]
    fn the_last_interval_is_as_long_as_the_run_is_in_it() {
        // 601 s with a request a second: intervals of 10 s, the last with one second of the run.
        let tally = run(601);
        let total = tally.total();
        let timeline = Frame::new(&tally, &total).of(&total);
        assert_eq!(timeline.interval_s, 10);
        let (first, last) = (&timeline.rows[0], &timeline.rows[60]);
        assert_eq!((first.length_s, first.requests, first.rps()), (10, 10, 1.0));
        assert_eq!((last.length_s, last.requests, last.rps()), (1, 1, 1.0));
        assert_eq!((first.middle_s(0), last.middle_s(0)), (5.0, 600.5));
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
