//! Locust 2.47's files, from what its statistics would have counted (`locust/stats.py`).
//!
//! Columns, number formats, rounding of response times, rank rule and the 10 s window are Locust's. Two things
//! differ on purpose: the tables hold the whole run, where Locust leaves out up to its last second, and failures are
//! sorted by name, method and error instead of by a hash.

use std::collections::BTreeMap;
use std::io::{self, Write};

use self::entry::Entry;

pub mod entry;
pub mod json;
pub mod tables;

/// Counts what Locust counts, and writes the history as it goes.
pub struct Statistics<W: Write> {
    /// Epoch microseconds.
    start_us: i64,
    /// In the order of their first response, as Locust's dictionary is.
    entries: Vec<Entry>,
    /// Endpoint number → place in `entries`.
    places: Vec<Option<usize>>,
    /// Places in the order of Locust's tables: by name, then method.
    sorted: Vec<usize>,
    total: Entry,
    failures: BTreeMap<(usize, usize), Seen>,
    /// When the last response came, epoch microseconds.
    last_us: Option<i64>,
    history: Option<tables::Table<W>>,
    /// The next row of the history, microseconds since the start.
    next_tick_us: u64,
}

/// How often a failure occurred and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Occurrences.
    pub count: u64,
    /// First, epoch seconds.
    pub first: i64,
    /// Last, epoch seconds.
    pub last: i64,
}

/// One response, as Locust's `request` event tells it.
pub struct Logged<'a> {
    /// Number of the endpoint, from 0.
    pub endpoint: usize,
    /// Its method and name.
    pub key: &'a crate::tally::Endpoint,
    /// When the response came, microseconds since the start.
    pub end_us: u64,
    /// Milliseconds.
    pub response_time_ms: f64,
    /// Body bytes.
    pub response_length: u64,
    /// Number of the failure, if it failed.
    pub failure: Option<usize>,
}

/// Time between two rows of the history.
const TICK_US: u64 = 1_000_000;

impl<W: Write> Statistics<W> {
    /// Nothing counted yet in the run that starts at `start_us`, epoch microseconds. The history goes to `history`, if
    /// it is wanted.
    pub fn new(start_us: i64, history: Option<W>) -> io::Result<Self> {
        let mut history = history.map(tables::Table::new);
        if let Some(table) = &mut history {
            tables::history_header(table)?;
        }
        Ok(Self {
            start_us,
            entries: Vec::new(),
            places: Vec::new(),
            sorted: Vec::new(),
            total: Entry::total(start_us),
            failures: BTreeMap::new(),
            last_us: None,
            history,
            next_tick_us: 0,
        })
    }

    /// Counts one response; responses come in the order of time. `users_at` tells how many users there were.
    pub fn response(
        &mut self,
        logged: &Logged<'_>,
        users_at: impl Fn(u64) -> u32,
    ) -> io::Result<()> {
        // A row written at the very moment of a response does not hold it yet.
        self.rows_until(logged.end_us, users_at)?;
        let now_us = self.start_us + logged.end_us as i64;
        self.last_us = Some(now_us);
        let place = self.place(logged, now_us);
        for entry in [&mut self.total, &mut self.entries[place]] {
            entry.log(now_us, logged.response_time_ms, logged.response_length);
            if logged.failure.is_some() {
                entry.log_failure(now_us);
            }
        }
        if let Some(failure) = logged.failure {
            let second = now_us.div_euclid(1_000_000);
            let seen = self
                .failures
                .entry((logged.endpoint, failure))
                .or_insert(Seen {
                    count: 0,
                    first: second,
                    last: second,
                });
            seen.count += 1;
            seen.last = second;
        }
        Ok(())
    }

    fn place(&mut self, logged: &Logged<'_>, now_us: i64) -> usize {
        if self.places.len() <= logged.endpoint {
            self.places.resize(logged.endpoint + 1, None);
        }
        *self.places[logged.endpoint].get_or_insert_with(|| {
            let place = self.entries.len();
            self.entries
                .push(Entry::new(logged.key, logged.endpoint, now_us));
            let entries = &self.entries;
            let at = self
                .sorted
                .partition_point(|other| entries[*other].key < *logged.key);
            self.sorted.insert(at, place);
            place
        })
    }

    fn rows_until(&mut self, end_us: u64, users_at: impl Fn(u64) -> u32) -> io::Result<()> {
        let Some(history) = &mut self.history else {
            return Ok(());
        };
        while self.next_tick_us <= end_us {
            let tick = self.next_tick_us;
            // A user that spawns at this very moment is not counted yet, so that the first row says 0, as Locust's.
            let users = if tick == 0 { 0 } else { users_at(tick - 1) };
            let now = (self.start_us + tick as i64).div_euclid(1_000_000);
            let rate = entry::Recent::new(self.start_us, self.last_us);
            for place in &self.sorted {
                tables::history_row(history, &self.entries[*place], now, users, rate)?;
            }
            tables::history_row(history, &self.total, now, users, rate)?;
            self.next_tick_us += TICK_US;
        }
        Ok(())
    }

    /// Writes the history to the first row that holds the whole run, and gives back its writer and what was counted.
    pub fn finish(
        mut self,
        end_us: u64,
        users_at: impl Fn(u64) -> u32,
    ) -> io::Result<(Option<W>, Counted)> {
        let last = self.last_us.map_or(0, |last| (last - self.start_us) as u64);
        // The first row after the last response, and no row of the run is left out.
        let after = (last / TICK_US + 1) * TICK_US;
        self.rows_until(end_us.max(after), users_at)?;
        let counted = Counted {
            span_s: self.last_us.map_or(0.0, |last| {
                tables::seconds(last) - tables::seconds(self.start_us)
            }),
            entries: self.entries,
            sorted: self.sorted,
            total: self.total,
            failures: self.failures,
        };
        let history = self.history.map(tables::Table::finish).transpose()?;
        Ok((history, counted))
    }
}

/// What a finished run counted.
pub struct Counted {
    /// From the start to the last response, seconds.
    pub span_s: f64,
    /// In the order of their first response.
    pub entries: Vec<Entry>,
    /// Places in `entries` by name, then method.
    pub sorted: Vec<usize>,
    /// The aggregate.
    pub total: Entry,
    /// (Endpoint number, failure number) → occurrences.
    pub failures: BTreeMap<(usize, usize), Seen>,
}

#[cfg(test)]
mod tests;
