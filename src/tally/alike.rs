//! Requests that ended alike are counted together.
//!
//! Most of what counting costs is waiting for counters that are not in the processor's cache. In a loop over many requests
//! that does nothing else, the processor fetches several counters at once.

use super::{Counts, EndpointTally, ErrorKey, merge_option};

/// Requests of one endpoint with the same outcome.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alike<'a> {
    /// HTTP status; `None` when there was no response.
    pub status: Option<u16>,
    /// What kind of failure they are; `None` for successes.
    pub failure: Option<&'a ErrorKey>,
    /// Start of each, epoch ms; empty when no start is known.
    pub starts_ms: &'a [i64],
    /// Response time of each in whole microseconds.
    pub response_times_us: &'a [u64],
    /// Sum of their body bytes.
    pub bytes: u64,
}

impl EndpointTally {
    /// Counts requests that ended alike.
    pub fn add_alike(&mut self, alike: &Alike<'_>) {
        let times = alike.response_times_us;
        let (Some(min), Some(max)) = (times.iter().min(), times.iter().max()) else {
            return;
        };
        let n = times.len() as u64;
        self.requests += n;
        for us in times {
            self.response_times.add(*us as i64, 1);
        }
        // Saturated sums are the same in any order, too.
        let sum = times.iter().copied().fold(0, u64::saturating_add);
        self.exact_sum_us = merge_option(self.exact_sum_us, Some(sum), u64::saturating_add);
        let squares = times.iter().map(|us| u128::from(*us) * u128::from(*us));
        self.sum_squares_us = squares.fold(self.sum_squares_us, u128::saturating_add);
        self.min_us = merge_option(self.min_us, Some(*min as f64), f64::min);
        self.max_us = merge_option(self.max_us, Some(*max as f64), f64::max);
        self.bytes = self.bytes.saturating_add(alike.bytes);
        match alike.status {
            Some(status) => *self.statuses.entry(status).or_default() += n,
            None => self.without_status += n,
        }
        if let Some(failure) = alike.failure {
            self.add_failures(alike, failure);
        }
        self.add_starts(alike);
    }

    fn add_failures(&mut self, alike: &Alike<'_>, failure: &ErrorKey) {
        let n = alike.response_times_us.len() as u64;
        self.failures += n;
        for us in alike.response_times_us {
            self.failed_response_times.add(*us as i64, 1);
        }
        *self.failures_by_status.entry(alike.status).or_default() += n;
        let starts = alike.starts_ms.iter().copied();
        let (first, last) = (starts.clone().min(), starts.max());
        let error = match self.errors.get_mut(failure) {
            Some(error) => error,
            None => self.errors.entry(failure.clone()).or_default(),
        };
        error.add(n, first, last);
        add_seconds(&mut error.seconds, alike.starts_ms);
    }

    fn add_starts(&mut self, alike: &Alike<'_>) {
        let (starts, times) = (alike.starts_ms, alike.response_times_us);
        let Some(first) = starts.iter().min() else {
            self.without_start += times.len() as u64;
            return;
        };
        for start in starts {
            self.starts.add(*start, 1);
        }
        self.first_start_ms = Some(self.first_start_ms.map_or(*first, |s| s.min(*first)));
        let end = |(start, us): (&i64, &u64)| start + us.div_ceil(1000) as i64;
        let ends = starts.iter().zip(times).map(end);
        self.last_end_ms = self.last_end_ms.max(ends.max());
        self.seconds.add(starts, times, alike.failure.is_some());
        if let Some(status) = alike.status {
            add_seconds(self.status_seconds.entry(status).or_default(), starts);
        }
    }
}

/// Counts starts (epoch ms) by their second; neighbours in one second are added at once.
fn add_seconds(seconds: &mut Counts, starts_ms: &[i64]) {
    let same = |a: &i64, b: &i64| a.div_euclid(1000) == b.div_euclid(1000);
    for run in starts_ms.chunk_by(same) {
        seconds.add(run[0].div_euclid(1000), run.len() as u64);
    }
}
