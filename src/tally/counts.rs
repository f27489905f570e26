//! Counters for many whole keys that lie close together: microseconds, milliseconds, buckets.
//!
//! A key is cut into chunk, page and slot. Only chunks and pages that hold something exist, so that a million distinct keys
//! cost less than a megabyte, and adding one is a few steps through memory.

use std::collections::BTreeMap;

mod pages;

use pages::{Page, Pages, SLOTS};

const PAGES: usize = 16;
const SLOT_BITS: u32 = 6;
const CHUNK_BITS: u32 = 10;
/// Chunks found by position; those further away are looked up.
const NEAR: i64 = 1 << 18;

/// How often each key was seen.
#[derive(Clone, Default)]
pub struct Counts {
    /// Number of the chunk that `near` begins with.
    base: i64,
    /// Chunk number − `base` → index into `chunks`, plus one; 0 is no chunk.
    near: Vec<u32>,
    /// Chunks out of reach of `near`.
    far: BTreeMap<i64, u32>,
    chunks: Vec<[Page; PAGES]>,
    pages: Pages,
    /// What of a counter does not fit 32 bits: multiples of 2^32.
    beyond: BTreeMap<i64, u64>,
    total: u64,
}

impl Counts {
    /// Adds `n` to a key's count.
    #[inline]
    pub fn add(&mut self, key: i64, n: u64) {
        if n > 0 {
            self.total += n;
            self.put(key, n);
        }
    }

    #[inline]
    fn put(&mut self, key: i64, n: u64) {
        let chunk = self.chunk(key >> CHUNK_BITS);
        let (page, slot) = place(key);
        if !self.pages.add(self.chunks[chunk][page], slot, n) {
            self.grow(chunk, key, n);
        }
    }

    /// The chunk of that number, made if need be.
    #[inline]
    fn chunk(&mut self, number: i64) -> usize {
        let at = number.wrapping_sub(self.base);
        match usize::try_from(at).ok().and_then(|at| self.near.get(at)) {
            Some(&found) if found > 0 => found as usize - 1,
            _ => self.new_chunk(number),
        }
    }

    #[cold]
    fn new_chunk(&mut self, number: i64) -> usize {
        if self.near.is_empty() {
            self.base = number;
        }
        let len = self.near.len() as i64;
        // More room than asked for, so that keys that come in falling order do not move the list each time.
        if number < self.base && self.base.saturating_sub(number) <= NEAR - len {
            let missing = self.base - number;
            let room = missing.max(len / 2).min(NEAR - len);
            self.near
                .splice(0..0, std::iter::repeat_n(0, room as usize));
            self.base -= room;
        } else if number >= self.base && number.saturating_sub(self.base) < NEAR {
            let needed = (number - self.base) as usize + 1;
            if needed > self.near.len() {
                self.near.resize(needed, 0);
            }
        }
        let next = self.chunks.len() as u32 + 1;
        let at = usize::try_from(number.wrapping_sub(self.base)).ok();
        let slot = match at.and_then(|at| self.near.get_mut(at)) {
            Some(slot) => slot,
            None => self.far.entry(number).or_default(),
        };
        if *slot == 0 {
            *slot = next;
            self.chunks.push([Page::default(); PAGES]);
        }
        *slot as usize - 1
    }

    #[cold]
    fn grow(&mut self, chunk: usize, key: i64, n: u64) {
        let (at, slot) = place(key);
        let page = self.chunks[chunk][at];
        if let Some(page) = Pages::with_slot(page, slot).filter(|_| n == 1) {
            self.chunks[chunk][at] = page;
        } else if let Some(page) = self.pages.wider(page) {
            self.chunks[chunk][at] = page;
            self.put(key, n);
        } else {
            let beyond = self.pages.add_widest(page, slot, n);
            if beyond > 0 {
                *self.beyond.entry(key).or_default() += beyond;
            }
        }
    }

    /// Adds everything another counter holds.
    pub fn merge(&mut self, other: &Self) {
        if self.total == 0 {
            self.clone_from(other);
            return;
        }
        for (number, theirs) in other.chunks_within(i64::MIN, i64::MAX) {
            let ours = self.chunk(number);
            for (at, page) in theirs.iter().enumerate().filter(|(_, p)| !p.is_empty()) {
                self.merge_page(ours, number, at, other, *page);
            }
        }
        for (key, n) in &other.beyond {
            self.put(*key, n << 32);
        }
        self.total += other.total;
    }

    fn merge_page(&mut self, chunk: usize, number: i64, at: usize, other: &Self, theirs: Page) {
        let ours = self.chunks[chunk][at];
        let first = first_key(number, at);
        if ours.is_empty() {
            self.chunks[chunk][at] = self.pages.copy(&other.pages, theirs);
        } else if theirs.is_small() {
            theirs
                .slots()
                .for_each(|slot| self.put(first + slot as i64, 1));
        } else if let Some(sum) = self.pages.merge(ours, &other.pages, theirs) {
            self.chunks[chunk][at] = sum;
        } else {
            for (slot, n) in other.pages.counts(theirs).into_iter().enumerate() {
                self.put(first + slot as i64, n);
            }
        }
    }

    /// Chunks with their numbers, in ascending order.
    fn chunks_within(&self, first: i64, last: i64) -> impl Iterator<Item = (i64, &[Page; PAGES])> {
        let end = self.base.saturating_add(self.near.len() as i64);
        let found = |number: i64, at: u32| (number, &self.chunks[at as usize - 1]);
        let below =
            (first < self.base).then(|| self.far.range(first..=last.min(self.base - 1).max(first)));
        let above = (last >= end).then(|| self.far.range(end.max(first)..=last));
        let from = first.clamp(self.base, end) - self.base;
        let to = last.saturating_add(1).clamp(self.base + from, end) - self.base;
        let near = self.near[from as usize..to as usize].iter().enumerate();
        let near = near
            .filter(|(_, at)| **at > 0)
            .map(move |(i, at)| found(self.base + from + i as i64, *at));
        let far = move |range: Option<std::collections::btree_map::Range<'_, i64, u32>>| {
            range
                .into_iter()
                .flatten()
                .map(|(n, at)| (*n, *at))
                .collect::<Vec<_>>()
        };
        let far_chunks = move |range| far(range).into_iter().map(move |(n, at)| found(n, at));
        far_chunks(below).chain(near).chain(far_chunks(above))
    }

    /// Keys in ascending order, each with its count.
    pub fn iter(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        self.range(i64::MIN, i64::MAX)
    }

    /// Keys from `first` to `last`, both included, in ascending order, each with its count.
    pub fn range(&self, first: i64, last: i64) -> impl Iterator<Item = (i64, u64)> + '_ {
        let chunks =
            (first <= last).then(|| self.chunks_within(first >> CHUNK_BITS, last >> CHUNK_BITS));
        chunks
            .into_iter()
            .flatten()
            .flat_map(move |(number, pages)| {
                let pages = pages
                    .iter()
                    .enumerate()
                    .filter(|(_, page)| !page.is_empty());
                pages.map(move |(at, page)| (first_key(number, at), *page))
            })
            .filter(move |(at, _)| *at <= last && at.saturating_add(SLOTS as i64) > first)
            .flat_map(move |(at, page)| Filled::of(at, self, page))
            .filter(move |(key, _)| (first..=last).contains(key))
    }

    fn page(&self, first: i64, page: Page) -> [u64; SLOTS] {
        let mut page = self.pages.counts(page);
        if !self.beyond.is_empty() {
            for (key, n) in self.beyond.range(first..first + SLOTS as i64) {
                page[(key - first) as usize] += n << 32;
            }
        }
        page
    }

    /// The keys at these ranks (from 0, ascending), as if each key stood there as often as it was seen. Ranks at or beyond
    /// the total are left out.
    pub fn at_ranks(&self, ranks: &[u64]) -> Vec<i64> {
        let mut found = Vec::with_capacity(ranks.len());
        let mut wanted = ranks.iter().peekable();
        let mut before = 0;
        for (number, pages) in self.chunks_within(i64::MIN, i64::MAX) {
            for (at, page) in pages.iter().enumerate().filter(|(_, p)| !p.is_empty()) {
                let first = first_key(number, at);
                let in_page = self.page_total(first, *page);
                if wanted.peek().is_some_and(|rank| **rank < before + in_page) {
                    let mut seen = before;
                    for (slot, n) in self.page(first, *page).into_iter().enumerate() {
                        seen += n;
                        while wanted.next_if(|rank| **rank < seen).is_some() {
                            found.push(first + slot as i64);
                        }
                    }
                }
                before += in_page;
                if wanted.peek().is_none() {
                    return found;
                }
            }
        }
        found
    }

    fn page_total(&self, first: i64, page: Page) -> u64 {
        if self.beyond.is_empty() {
            self.pages.total(page)
        } else {
            self.page(first, page).iter().sum()
        }
    }

    /// A key's count.
    pub fn get(&self, key: i64) -> u64 {
        self.range(key, key).next().map_or(0, |(_, n)| n)
    }

    /// Sum of all counts.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The smallest key.
    pub fn first(&self) -> Option<i64> {
        self.iter().next().map(|(key, _)| key)
    }

    /// The largest key.
    pub fn last(&self) -> Option<i64> {
        let (number, pages) = self.chunks_within(i64::MIN, i64::MAX).last()?;
        let page = pages.iter().rposition(|page| !page.is_empty())?;
        let at = first_key(number, page);
        let counts = self.page(at, pages[page]);
        counts
            .iter()
            .rposition(|n| *n > 0)
            .map(|slot| at + slot as i64)
    }
}

/// The counters of a page that hold something.
struct Filled {
    first: i64,
    counts: [u64; SLOTS],
    /// A bit for each that is still to come.
    left: u64,
}

impl Filled {
    fn of(first: i64, counts: &Counts, page: Page) -> Self {
        let counts = counts.page(first, page);
        let bits = counts.iter().rev();
        Self {
            first,
            counts,
            left: bits.fold(0, |left, n| left << 1 | u64::from(*n > 0)),
        }
    }
}

impl Iterator for Filled {
    type Item = (i64, u64);

    #[inline]
    fn next(&mut self) -> Option<(i64, u64)> {
        let slot = self.left.trailing_zeros() as usize;
        let n = *self.counts.get(slot)?;
        self.left &= self.left - 1;
        Some((self.first + slot as i64, n))
    }
}

fn place(key: i64) -> (usize, usize) {
    (
        (key >> SLOT_BITS) as usize & (PAGES - 1),
        key as usize & (SLOTS - 1),
    )
}

fn first_key(chunk: i64, page: usize) -> i64 {
    (chunk << CHUNK_BITS) + ((page as i64) << SLOT_BITS)
}

impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.total == other.total && self.iter().eq(other.iter())
    }
}

impl std::fmt::Debug for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl FromIterator<(i64, u64)> for Counts {
    fn from_iter<I: IntoIterator<Item = (i64, u64)>>(pairs: I) -> Self {
        let mut counts = Self::default();
        for (key, n) in pairs {
            counts.add(key, n);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(counts: &Counts) -> Vec<(i64, u64)> {
        counts.iter().collect()
    }

    #[test]
    fn a_page_grows_from_slots_to_the_widest() {
        let mut counts = Counts::default();
        for n in [1, 1, 1, 1, 1, 300, 5_000_000_000] {
            counts.add(7, n);
            counts.add(1 << 40, 1);
        }
        assert_eq!(listed(&counts), [(7, 5_000_000_305), (1 << 40, 7)]);
        assert_eq!(
            (counts.first(), counts.last(), counts.total()),
            (Some(7), Some(1 << 40), 5_000_000_312)
        );
        assert_eq!((counts.get(7), counts.get(8)), (5_000_000_305, 0));
    }

    #[test]
    fn nothing_is_empty() {
        let counts = Counts::default();
        assert_eq!(
            (counts.first(), counts.last(), counts.get(3)),
            (None, None, 0)
        );
        assert!(counts.is_empty() && listed(&counts).is_empty());
    }

    /// Keys near one another, far away, and on either side of zero.
    fn keys() -> impl Strategy<Value = Vec<(i64, u64)>> {
        let key = prop_oneof![
            4 => -300..300_i64,
            2 => -5_000_000..5_000_000_i64,
            1 => 1_700_000_000_000..1_700_000_100_000_i64,
            1 => any::<i64>().prop_map(|k| k >> 12),
        ];
        let n = prop_oneof![6 => Just(1), 2 => 1..300_u64, 1 => 0..10_000_000_000_u64];
        prop::collection::vec((key, n), 0..200)
    }

    proptest! {
        #[test]
        fn counts_as_a_map_does(one in keys(), two in keys(), from in -400..400_i64, len in 0..2000_i64) {
            let mut map = BTreeMap::new();
            for (key, n) in one.iter().chain(&two).filter(|(_, n)| *n > 0) {
                *map.entry(*key).or_insert(0) += n;
            }
            let mut merged: Counts = one.iter().copied().collect();
            merged.merge(&two.iter().copied().collect());
            let whole: Counts = one.iter().chain(&two).copied().collect();
            prop_assert_eq!(listed(&merged), map.iter().map(|(k, n)| (*k, *n)).collect::<Vec<_>>());
            prop_assert_eq!(&merged, &whole);
            prop_assert_eq!(merged.total(), map.values().sum::<u64>());
            prop_assert_eq!(merged.last(), map.keys().next_back().copied());
            let all: Vec<i64> = map.iter().flat_map(|(k, n)| std::iter::repeat_n(*k, (*n).min(400) as usize)).collect();
            if all.len() as u64 == whole.total() {
                let ranks: Vec<u64> = (0..all.len() as u64 + 3).step_by(7).collect();
                let expected: Vec<i64> = ranks.iter().filter_map(|r| all.get(*r as usize).copied()).collect();
                prop_assert_eq!(whole.at_ranks(&ranks), expected);
            }
            let part: Vec<_> = whole.range(from, from + len).collect();
            prop_assert_eq!(part, map.range(from..=from + len).map(|(k, n)| (*k, *n)).collect::<Vec<_>>());
        }
    }
}
