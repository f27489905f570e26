//! From when to when an input goes: what tells one run from another.

use crate::tally::Tally;

/// The time of one input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// First start, epoch ms; of samples the first.
    pub first_ms: Option<i64>,
    /// Last end, epoch ms.
    pub last_ms: Option<i64>,
}

impl Extent {
    /// Of everything that was counted.
    pub fn of(tally: &Tally) -> Self {
        let mut extent = Self::default();
        for endpoint in tally.endpoints.values().chain(&tally.reported_total) {
            if let (Some(first), Some(last)) = (endpoint.first_start_ms, endpoint.last_end_ms) {
                extent.see(first, last);
            }
        }
        let sampled = tally.samples.values().flat_map(|field| {
            let seconds = field.seconds();
            [seconds.first_key_value(), seconds.last_key_value()]
        });
        let users = [tally.users.first_key_value(), tally.users.last_key_value()];
        let seconds = sampled.flatten().map(|(second, _)| *second);
        let seconds = seconds.chain(users.into_iter().flatten().map(|(second, _)| *second));
        for second in seconds {
            let ms = second.saturating_mul(1000);
            extent.see(ms, ms);
        }
        extent
    }

    /// Widens the time.
    pub fn see(&mut self, first_ms: i64, last_ms: i64) {
        self.first_ms = Some(self.first_ms.map_or(first_ms, |at| at.min(first_ms)));
        self.last_ms = Some(self.last_ms.map_or(last_ms, |at| at.max(last_ms)));
    }
}
