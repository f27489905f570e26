//! Requests that ended alike are counted together.
//!
//! Most of what counting costs is waiting for counters that are not in the processor's cache. In a loop over many requests
//! that does nothing else, the processor fetches several counters at once.

use super::seconds::Run;
use super::{Counts, EndpointTally, ErrorKey, Request, merge_option, whole_bytes};

/// Requests of one endpoint with the same outcome.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alike<'a> {
    /// HTTP status; `None` when there was no response.
    pub status: Option<u16>,
    /// What kind of failure they are; `None` for successes.
    pub failure: Option<&'a ErrorKey>,
    /// Whether the log does not say if they failed; they are then no failures.
    pub unknown_outcome: bool,
    /// Start of each, epoch ms; empty when no start is known.
    pub starts_ms: &'a [i64],
    /// Response time of each in whole microseconds.
    pub response_times_us: &'a [u64],
    /// Sum of their body bytes.
    pub bytes: u64,
}

/// Below this many microseconds, 67 s, so many squares as [`MOST_SQUARES`] fit 64 bits.
const SHORT_US: u64 = 1 << 26;
const MOST_SQUARES: usize = 1 << 12;

impl EndpointTally {
    /// Counts requests that ended alike.
    pub fn add_alike(&mut self, alike: &Alike<'_>) {
        let times = alike.response_times_us;
        let ends = (u64::MAX, 0);
        let (min, max) = times
            .iter()
            .fold(ends, |(min, max), us| (min.min(*us), max.max(*us)));
        if times.is_empty() {
            return;
        }
        let n = times.len() as u64;
        self.requests += n;
        let keys = times.iter().map(|us| *us as i64);
        self.response_times.add_each(keys.clone());
        // Saturated sums are the same in any order, too.
        let sum = times.iter().copied().fold(0, u64::saturating_add);
        self.exact_sum_us = merge_option(self.exact_sum_us, Some(sum), u64::saturating_add);
        let squares = if max < SHORT_US && times.len() <= MOST_SQUARES {
            u128::from(times.iter().map(|us| us * us).sum::<u64>())
        } else {
            let squares = times.iter().map(|us| u128::from(*us) * u128::from(*us));
            squares.fold(0, u128::saturating_add)
        };
        self.sum_squares_us = self.sum_squares_us.saturating_add(squares);
        self.min_us = merge_option(self.min_us, Some(min as f64), f64::min);
        self.max_us = merge_option(self.max_us, Some(max as f64), f64::max);
        self.bytes = self.bytes.saturating_add(alike.bytes);
        match alike.status {
            Some(status) => *self.statuses.entry(status).or_default() += n,
            None => self.without_status += n,
        }
        let runs = self
            .seconds
            .add(alike.starts_ms, times, alike.failure.is_some());
        self.add_unknown(alike.unknown_outcome, n, &runs);
        if let Some(failure) = alike.failure {
            self.add_failures(alike, failure, &runs);
            self.failed_response_times.add_each(keys);
        }
        self.add_starts(alike, &runs);
    }

    /// Counts a request of which the log gives no response time.
    pub fn add_untimed(&mut self, request: &Request<'_>) {
        self.requests += 1;
        self.untimed += 1;
        let bytes = whole_bytes(request.response_length);
        self.bytes = self.bytes.saturating_add(bytes);
        match request.status {
            Some(status) => *self.statuses.entry(status).or_default() += 1,
            None => self.without_status += 1,
        }
        let alike = Alike {
            status: request.status,
            failure: request.failure,
            unknown_outcome: request.unknown_outcome,
            starts_ms: request.start_ms.as_slice(),
            response_times_us: &[0],
            bytes,
        };
        let runs = self
            .seconds
            .add_untimed(alike.starts_ms, alike.failure.is_some());
        self.add_unknown(alike.unknown_outcome, 1, &runs);
        if let Some(failure) = alike.failure {
            self.add_failures(&alike, failure, &runs);
        }
        self.add_starts(&alike, &runs);
        self.add_fields(request.fields, request.start_ms);
    }

    /// Takes requests of which the source does not say whether they failed for successes.
    pub fn unknown_are_successes(&mut self) {
        self.unknown_outcomes = 0;
        self.seconds.unknown = Counts::default();
    }

    fn add_unknown(&mut self, are_unknown: bool, n: u64, runs: &[Run]) {
        if are_unknown {
            self.unknown_outcomes += n;
            add_seconds(&mut self.seconds.unknown, runs);
        }
    }

    fn add_failures(&mut self, alike: &Alike<'_>, failure: &ErrorKey, runs: &[Run]) {
        let n = alike.response_times_us.len() as u64;
        self.failures += n;
        *self.failures_by_status.entry(alike.status).or_default() += n;
        let starts = alike.starts_ms.iter().copied();
        let (first, last) = (starts.clone().min(), starts.max());
        let error = match self.errors.get_mut(failure) {
            Some(error) => error,
            None => self.errors.entry(failure.clone()).or_default(),
        };
        error.add(failure.category, n, first, last);
        add_seconds(&mut error.seconds, runs);
    }

    fn add_starts(&mut self, alike: &Alike<'_>, runs: &[Run]) {
        let (starts, times) = (alike.starts_ms, alike.response_times_us);
        let Some(first) = starts.iter().min() else {
            self.without_start += times.len() as u64;
            return;
        };
        self.starts.add_each(starts.iter().copied());
        self.first_start_ms = Some(self.first_start_ms.map_or(*first, |s| s.min(*first)));
        let end_us =
            |(start, us): (&i64, &u64)| start.saturating_mul(1000).saturating_add_unsigned(*us);
        let last_us = starts.iter().zip(times).map(end_us).max();
        // Rounded up to whole milliseconds.
        let last = last_us.map(|us| -(us.saturating_neg().div_euclid(1000)));
        self.last_end_ms = self.last_end_ms.max(last);
        if let Some(status) = alike.status {
            add_seconds(self.status_seconds.entry(status).or_default(), runs);
        }
    }
}

fn add_seconds(seconds: &mut Counts, runs: &[Run]) {
    for run in runs {
        seconds.add(run.second, run.requests);
    }
}
