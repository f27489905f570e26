//! From when to when an input goes, and how much it holds: what tells one run from another, and a log from its copy.

use crate::tally::{EndpointTally, Tally};

/// Requests that two logs with the same sums can have by chance.
const BY_CHANCE: u64 = 20;

/// The time and the sums of one input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// First start, epoch ms; of samples the first.
    pub first_ms: Option<i64>,
    /// Last end, epoch ms.
    pub last_ms: Option<i64>,
    requests: u64,
    failures: u64,
    endpoints: usize,
    sum_us: u64,
    squares_us: u128,
}

impl Extent {
    /// Of everything that was counted.
    pub fn of(tally: &Tally) -> Self {
        let mut extent = Self {
            endpoints: tally.endpoints.len(),
            ..Self::default()
        };
        for endpoint in tally.endpoints.values().chain(&tally.reported_total) {
            extent.add(endpoint);
        }
        let sampled = tally.samples.values().flat_map(|field| {
            let seconds = field.seconds();
            [seconds.first_key_value(), seconds.last_key_value()]
        });
        let seen = sampled.flatten().map(|(second, _)| *second);
        let users = [tally.users.first_key_value(), tally.users.last_key_value()];
        for second in seen.chain(users.into_iter().flatten().map(|(second, _)| *second)) {
            extent.see(second.saturating_mul(1000), second.saturating_mul(1000));
        }
        extent
    }

    fn add(&mut self, endpoint: &EndpointTally) {
        self.requests += endpoint.requests;
        self.failures += endpoint.failures;
        self.sum_us = self
            .sum_us
            .wrapping_add(endpoint.exact_sum_us.unwrap_or_default());
        self.squares_us = self.squares_us.wrapping_add(endpoint.sum_squares_us);
        if let (Some(first), Some(last)) = (endpoint.first_start_ms, endpoint.last_end_ms) {
            self.see(first, last);
        }
    }

    /// Widens the time.
    pub fn see(&mut self, first_ms: i64, last_ms: i64) {
        self.first_ms = Some(self.first_ms.map_or(first_ms, |at| at.min(first_ms)));
        self.last_ms = Some(self.last_ms.map_or(last_ms, |at| at.max(last_ms)));
    }

    /// Whether another input holds the very same requests, in whatever order and form they are written.
    pub fn is_same(&self, other: &Self) -> bool {
        self == other
            && self.requests >= BY_CHANCE
            && self.first_ms.is_some()
            && self.squares_us > 0
    }
}
