//! When a worker may stop: what it saw is already beyond a limit, and the run will be refused whatever follows.

use super::Worker;
use crate::input::width::Width;
use crate::limits;
use crate::tally::FieldTally;
use crate::tally::errors::many;

/// Endpoints whose errors are counted in the time of a block.
const QUICK: u64 = 100;

impl Worker<'_> {
    /// Whether the log is beyond a limit. To be asked after each block, which can add only so much.
    pub fn is_too_wide(&mut self) -> bool {
        self.blocks += 1;
        // To look at all endpoints takes as long as some of them are read.
        if self
            .blocks
            .is_multiple_of(1 + self.endpoints.len() as u64 / QUICK)
        {
            let all = self.endpoints.iter_mut().map(|(_, counts)| counts);
            self.errors_are_pooled = many::pool(all, self.errors_are_pooled);
        }
        let sampled = self.counted.tally.samples.values();
        let width = Width {
            endpoints: self.endpoints.len(),
            endpoint_bytes: self.name_bytes(),
            fields: self.names.len(),
            field_bytes: self.names.iter().map(String::len).sum(),
            sampled: sampled.map(FieldTally::sources).max().unwrap_or_default(),
        };
        if width.beyond().is_none() {
            return false;
        }
        // Endpoints of lines that are left out have a place, too, but do not count.
        let all = width.endpoints;
        self.forget_unused();
        let used = Width {
            endpoints: self.endpoints.len(),
            endpoint_bytes: self.name_bytes(),
            ..width
        };
        used.endpoints == all || used.beyond().is_some()
    }

    /// Bytes of the names of all endpoints; as long as they are few, it is not worth to look.
    fn name_bytes(&self) -> usize {
        const FEW: usize = limits::ENDPOINT_NAMES / (1 << 20);
        if self.endpoints.len() < FEW {
            return 0;
        }
        let names = self.endpoints.iter();
        names.map(|(e, _)| e.name.len() + e.method.len()).sum()
    }

    /// Lets go of endpoints without a request.
    fn forget_unused(&mut self) {
        self.count_series();
        self.series = super::Known::default();
        self.endpoints.retain(|(_, counts)| counts.requests > 0);
        let places = self.endpoints.iter().enumerate();
        self.known = places.map(|(at, (key, _))| (key.clone(), at)).collect();
    }
}
