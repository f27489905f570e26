//! One row of Locust's statistics: an endpoint, or the aggregate.

use std::collections::{BTreeMap, VecDeque};

use crate::tally::Endpoint;

/// Seconds of the sliding window of the history's percentiles.
const WINDOW_S: i64 = 10;
/// A snapshot this many seconds from the window's begin still serves.
const NEAR_S: i64 = 8;
/// Snapshots that are kept.
const SNAPSHOTS: usize = WINDOW_S as usize + 10;

/// What Locust counts about one endpoint (`StatsEntry`).
pub struct Entry {
    /// Method and name; the aggregate has no method.
    pub key: Endpoint,
    /// Number of the endpoint in the scenario.
    pub endpoint: usize,
    /// When it was first heard of, epoch microseconds.
    pub start_us: i64,
    /// Last response, epoch microseconds.
    pub last_us: Option<i64>,
    /// Requests, failures included.
    pub requests: u64,
    /// Failed ones.
    pub failures: u64,
    /// Sum of the response times in ms, added up in the order of the responses, as Python does.
    pub sum_ms: f64,
    /// Shortest response time.
    pub min_ms: Option<f64>,
    /// Longest response time.
    pub max_ms: f64,
    /// Sum of the body bytes.
    pub bytes: u64,
    /// Rounded response times.
    pub times: Histogram,
    /// Epoch second → responses.
    pub per_second: BTreeMap<i64, u64>,
    /// Epoch second → failures.
    pub failures_per_second: BTreeMap<i64, u64>,
    /// What was counted at the end of recent seconds.
    snapshots: VecDeque<(i64, Vec<u64>)>,
}

impl Entry {
    /// An endpoint first heard of at this moment, epoch microseconds.
    pub fn new(key: &Endpoint, endpoint: usize, now_us: i64) -> Self {
        Self {
            key: key.clone(),
            endpoint,
            start_us: now_us,
            last_us: None,
            requests: 0,
            failures: 0,
            sum_ms: 0.0,
            min_ms: None,
            max_ms: 0.0,
            bytes: 0,
            times: Histogram::default(),
            per_second: BTreeMap::new(),
            failures_per_second: BTreeMap::new(),
            snapshots: VecDeque::from([(second(now_us), Vec::new())]),
        }
    }

    /// The aggregate.
    pub fn total(start_us: i64) -> Self {
        let key = Endpoint {
            name: "Aggregated".to_owned(),
            method: String::new(),
        };
        Self::new(&key, usize::MAX, start_us)
    }

    /// Counts a response (`StatsEntry.log`).
    pub fn log(&mut self, now_us: i64, response_time_ms: f64, bytes: u64) {
        let now = second(now_us);
        if self.last_us.is_some_and(|last| now > second(last)) {
            self.snapshot(now - 1);
        }
        self.last_us = Some(now_us);
        self.requests += 1;
        *self.per_second.entry(now).or_default() += 1;
        self.sum_ms += response_time_ms;
        let min = self.min_ms.unwrap_or(response_time_ms);
        self.min_ms = Some(min.min(response_time_ms));
        self.max_ms = self.max_ms.max(response_time_ms);
        self.times.add(rounded_ms(response_time_ms));
        self.bytes += bytes;
    }

    /// Counts a failure (`StatsEntry.log_error`).
    pub fn log_failure(&mut self, now_us: i64) {
        self.failures += 1;
        *self.failures_per_second.entry(second(now_us)).or_default() += 1;
    }

    fn snapshot(&mut self, at: i64) {
        // An endpoint's first whole second replaces the empty snapshot of its creation.
        self.snapshots.retain(|(second, _)| *second != at);
        self.snapshots.push_back((at, self.times.counts.clone()));
        if self.snapshots.len() > SNAPSHOTS {
            self.snapshots.pop_front();
        }
    }

    /// The response times of about the last ten seconds; `None` without a snapshot near enough.
    pub fn window(&self, now: i64) -> Option<Histogram> {
        let begin = now - WINDOW_S;
        let near = self
            .snapshots
            .iter()
            .filter(|(at, _)| (at - begin).abs() <= NEAR_S);
        // Of two as near, the earlier one.
        let (_, old) = near.min_by_key(|(at, _)| ((at - begin).abs(), *at))?;
        Some(self.times.since(old))
    }

    /// Mean response time in ms, 0 without responses.
    pub fn average_ms(&self) -> f64 {
        if self.requests == 0 {
            0.0
        } else {
            self.sum_ms / self.requests as f64
        }
    }
}

/// The whole second of a moment in microseconds.
pub fn second(us: i64) -> i64 {
    us.div_euclid(1_000_000)
}

/// The seconds over which the history's rates are averaged: up to ten, ending three before the last response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recent {
    first: i64,
    end: i64,
}

impl Recent {
    /// For the run that starts at `start_us` and whose last response came at `last_us`, epoch microseconds.
    pub fn new(start_us: i64, last_us: Option<i64>) -> Self {
        let last = last_us.map_or(i64::MIN, second);
        Self {
            first: last.saturating_sub(12).max(second(start_us)),
            end: last.saturating_sub(2),
        }
    }

    /// The mean count per second; 0 before there is such a second.
    pub fn rate(self, counts: &BTreeMap<i64, u64>) -> f64 {
        if self.end <= self.first {
            return 0.0;
        }
        let sum: u64 = counts.range(self.first..self.end).map(|(_, n)| n).sum();
        sum as f64 / (self.end - self.first) as f64
    }
}

/// Python's `round` to Locust's precision: 1 ms below 100, 10 below 1000, 100 below 10,000, 1000 above; halves to
/// even.
pub fn rounded_ms(ms: f64) -> u64 {
    let step = match ms {
        ms if ms < 100.0 => 1.0,
        ms if ms < 1000.0 => 10.0,
        ms if ms < 10_000.0 => 100.0,
        _ => 1000.0,
    };
    ((ms / step).round_ties_even() * step) as u64
}

/// Counts of rounded response times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// By [`index`], as rounded times are few.
    counts: Vec<u64>,
    /// Indices in the order of their first response, as a Python dictionary keeps them.
    order: Vec<usize>,
    total: u64,
}

/// The place of a rounded time: 0 to 100 by ones, to 1000 by tens, to 10,000 by hundreds, then by thousands.
fn index(rounded: u64) -> usize {
    let index = match rounded {
        0..=100 => rounded,
        101..=1000 => 90 + rounded / 10,
        1001..=10_000 => 180 + rounded / 100,
        _ => 270 + rounded / 1000,
    };
    index as usize
}

/// The rounded time at a place, the inverse of [`index`].
fn time(index: usize) -> u64 {
    let index = index as u64;
    match index {
        0..=100 => index,
        101..=190 => (index - 90) * 10,
        191..=280 => (index - 180) * 100,
        _ => (index - 270) * 1000,
    }
}

impl Histogram {
    fn add(&mut self, rounded: u64) {
        let index = index(rounded);
        if self.counts.len() <= index {
            self.counts.resize(index + 1, 0);
        }
        if self.counts[index] == 0 {
            self.order.push(index);
        }
        self.counts[index] += 1;
        self.total += 1;
    }

    fn since(&self, old: &[u64]) -> Self {
        let mut counts = self.counts.clone();
        for (count, old) in counts.iter_mut().zip(old) {
            *count -= old;
        }
        Self {
            total: counts.iter().sum(),
            order: Vec::new(),
            counts,
        }
    }

    /// Rounded times and counts in the order in which the times first came.
    pub fn in_order(&self) -> impl Iterator<Item = (u64, u64)> {
        self.order
            .iter()
            .map(|index| (time(*index), self.counts[*index]))
    }

    /// Locust's rank rule (`calculate_response_time_percentile`): going down from the slowest, the first time that
    /// leaves at most ⌊n·p⌋ responses below it; 0 for no responses.
    pub fn percentile(&self, p: f64) -> u64 {
        let rank = (self.total as f64 * p) as u64;
        let mut below = self.total;
        for (index, count) in self.counts.iter().enumerate().rev() {
            below -= count;
            if *count > 0 && below <= rank {
                return time(index);
            }
        }
        0
    }

    /// Locust's median (`median_from_dict`): the time at the lower middle.
    pub fn median(&self) -> u64 {
        let middle = self.total.saturating_sub(1) / 2;
        let mut seen = 0;
        let place = self.counts.iter().position(|count| {
            seen += count;
            seen > middle
        });
        place.map_or(0, time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(times: &[f64]) -> Histogram {
        let mut histogram = Histogram::default();
        for ms in times {
            histogram.add(rounded_ms(*ms));
        }
        histogram
    }

    #[test]
    fn times_round_as_in_python() {
        let times = [
            0.4, 2.5, 3.5, 99.6, 105.0, 115.0, 996.0, 1250.0, 9960.0, 10_500.0, 58_760.0,
        ];
        let rounded = [0, 2, 4, 100, 100, 120, 1000, 1200, 10_000, 10_000, 59_000];
        assert_eq!(times.map(rounded_ms), rounded);
    }

    #[test]
    fn every_rounded_time_has_a_place_of_its_own() {
        let times = (0..100)
            .chain((100..1000).step_by(10))
            .chain((1000..10_000).step_by(100))
            .chain((10_000..90_000).step_by(1000));
        for (place, rounded) in times.enumerate() {
            assert_eq!((index(rounded), time(place)), (place, rounded));
        }
    }

    /// Ten times, 10 to 100 ms: ⌊10 · 0.5⌋ = 5 below 60; ⌊10 · 0.99⌋ = 9 below 100; the lower middle is the fifth.
    #[test]
    fn percentiles_of_ten_times() {
        let ten = histogram(&[10., 20., 30., 40., 50., 60., 70., 80., 90., 100.]);
        assert_eq!((ten.percentile(0.5), ten.median()), (60, 50));
        assert_eq!((ten.percentile(0.99), ten.percentile(1.0)), (100, 100));
        let none = Histogram::default();
        assert_eq!((none.percentile(0.95), none.median()), (0, 0));
        assert_eq!(histogram(&[7.0]).percentile(0.5), 7);
    }

    /// A response in every second from 100 to 119; at 120 the window begins after 110, so 111 to 119 are in it.
    #[test]
    fn the_window_is_ten_seconds() {
        let mut entry = Entry::total(100_000_000);
        for s in 100..120 {
            entry.log(s * 1_000_000, (s - 100) as f64, 0);
        }
        assert_eq!(
            entry.window(120).map(|w| (w.total, w.percentile(0.0))),
            Some((9, 11))
        );
        // Nothing near enough at the start: the snapshot of second 100 serves from 102 on.
        let entry = Entry::total(100_000_000);
        assert!(entry.window(101).is_none());
        assert!(entry.window(102).is_some());
    }

    /// The last response in second 20: the rate is of seconds 8 to 17.
    #[test]
    fn rates_are_means_of_ten_whole_seconds() {
        let counts: BTreeMap<i64, u64> = (0..=20).map(|s| (s, s as u64)).collect();
        let recent = Recent::new(0, Some(20_500_000));
        // (8 + 17) / 2
        assert_eq!(recent.rate(&counts), 12.5);
        assert_eq!(Recent::new(0, Some(2_000_000)).rate(&counts), 0.0);
        assert_eq!(Recent::new(0, Some(3_000_000)).rate(&counts), 0.0 / 1.0);
        assert_eq!(Recent::new(0, None).rate(&counts), 0.0);
    }
}
