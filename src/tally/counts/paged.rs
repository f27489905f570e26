//! Counters in pages, for keys that lie close together.
//!
//! A key is cut into page and slot. Only pages that hold something exist, and adding a key is two steps through memory.

use std::collections::{BTreeMap, btree_map};

use super::BIN;
use super::list::List;
use super::pages::{Held, MOST, Page, Pages, SLOT_BITS, SLOTS, width_for};

/// Pages found by position; those further away are looked up.
const NEAR: i64 = 1 << 20;

/// The widest that a page begins because the one before is so wide: after a moment with many keys the others stay narrow.
const MOST_INHERITED: u32 = 2;

/// How often each key was seen.
#[derive(Clone, Default)]
pub struct Paged {
    /// Number of the page that `near` begins with.
    base: i64,
    /// Pages by number − `base`.
    near: Vec<Page>,
    /// Pages out of reach of `near`.
    far: BTreeMap<i64, Page>,
    pages: Pages,
    /// What of a counter does not fit its page: multiples of [`MOST`].
    beyond: BTreeMap<i64, u64>,
    total: u64,
}

impl Paged {
    /// Adds `n` to a key's count.
    pub fn add(&mut self, key: i64, n: u64) {
        if n > 0 {
            self.total = self.total.saturating_add(n);
            self.put(key, n);
        }
    }

    /// Adds one to the count of each key.
    pub fn add_each(&mut self, keys: impl Iterator<Item = i64>) {
        for key in keys {
            self.total += 1;
            let page = self.at(page_of(key));
            if !self.pages.add(page, slot_of(key), 1) {
                self.put(key, 1);
            }
        }
    }

    /// Adds what a list counts.
    pub fn add_list(&mut self, list: &List) {
        self.add_each(list.keys());
    }

    fn put(&mut self, key: i64, n: u64) {
        let slot = slot_of(key);
        let page = *self.page(page_of(key));
        if self.pages.add(page, slot, n) {
            return;
        }
        // What is near is counted about as often: the page needs no small beginnings.
        let width = match n {
            _ if !page.is_empty() => 0,
            1 => self.at(page_of(key) - 1).width().min(MOST_INHERITED),
            n => width_for(n),
        };
        let grown = if width > 0 {
            let blank = self.pages.blank(width);
            if !self.pages.add(blank, slot, n) {
                *self.page(page_of(key)) = blank;
                return self.put(key, n);
            }
            blank
        } else if let Some(page) = Pages::with_slot(page, slot).filter(|_| n == 1) {
            page
        } else if let Some(page) = self.pages.wider(page) {
            *self.page(page_of(key)) = page;
            return self.put(key, n);
        } else {
            let beyond = self.pages.add_widest(page, slot, n);
            if beyond > 0 {
                let known = self.beyond.entry(key).or_default();
                *known = known.saturating_add(beyond);
            }
            page
        };
        *self.page(page_of(key)) = grown;
    }

    /// The page of that number, if there is one.
    #[inline]
    fn at(&self, number: i64) -> Page {
        let near = number.wrapping_sub(self.base) as usize;
        let far = || self.far.get(&number).copied();
        self.near
            .get(near)
            .copied()
            .or_else(far)
            .unwrap_or_default()
    }

    /// The page of that number, for which room is made if need be.
    fn page(&mut self, number: i64) -> &mut Page {
        if self.near.is_empty() {
            self.base = number;
        }
        let len = self.near.len() as i64;
        // More room than asked for, so that keys that come in falling order do not move the list each time.
        if number < self.base && self.base.saturating_sub(number) <= NEAR - len {
            let missing = self.base - number;
            let room = missing.max(len / 2).min(NEAR - len);
            let pages = std::iter::repeat_n(Page::default(), room as usize);
            self.near.splice(0..0, pages);
            self.base -= room;
        } else if number >= self.base && number.saturating_sub(self.base) < NEAR {
            let needed = (number - self.base) as usize + 1;
            if needed > self.near.len() {
                self.near.resize(needed, Page::default());
            }
        }
        match self.near.get_mut(number.wrapping_sub(self.base) as usize) {
            Some(page) => page,
            None => self.far.entry(number).or_default(),
        }
    }

    /// Adds everything another counter holds.
    pub fn merge(&mut self, other: &Self) {
        for (number, theirs) in other.pages_within(i64::MIN, i64::MAX) {
            self.merge_page(number, other, theirs);
        }
        for (key, n) in &other.beyond {
            self.put(*key, n.saturating_mul(MOST));
        }
        self.total = self.total.saturating_add(other.total);
    }

    /// Adds a page of another counter as the page of that number.
    fn merge_page(&mut self, number: i64, other: &Self, theirs: Page) {
        let first = first_key(number);
        let ours = self.at(number);
        if ours.is_empty() {
            *self.page(number) = self.pages.copy(&other.pages, theirs);
        } else if theirs.is_small() {
            let slots = theirs.slots();
            slots.for_each(|slot| self.put(first + slot as i64, 1));
        } else {
            let merged = self.pages.merge(ours, &other.pages, theirs);
            let (Ok(sum) | Err(sum)) = merged;
            // Mostly it stays where it was.
            if sum != ours {
                *self.page(number) = sum;
            }
            if merged.is_err() {
                for (slot, n) in other.pages.held(theirs, 0) {
                    self.put(first + slot as i64, n);
                }
            }
        }
    }

    /// See [`super::Counts::folded`]; `None` where pages do not fall on pages.
    pub fn folded(&self, first: i64, last: i64, period: i64) -> Option<Self> {
        let fits = |key: i64| slot_of(key) == 0;
        if !(fits(first) && fits(last + 1) && fits(period) && self.beyond.is_empty()) {
            return None;
        }
        let mut folded = Self::default();
        for (number, page) in self.pages_within(page_of(first), page_of(last)) {
            folded.merge_page(number.rem_euclid(page_of(period)), self, page);
            folded.total += self.page_total(number, page);
        }
        Some(folded)
    }

    /// Pages that hold something with their numbers, in ascending order.
    fn pages_within(&self, first: i64, last: i64) -> Numbered<'_> {
        let end = self.base.saturating_add(self.near.len() as i64);
        let listed = |range: Option<btree_map::Range<'_, i64, Page>>| {
            let pairs = range.into_iter().flatten().map(|(n, page)| (*n, *page));
            pairs.collect::<Vec<_>>().into_iter()
        };
        let below =
            (first < self.base).then(|| self.far.range(first..=last.min(self.base - 1).max(first)));
        let above = (last >= end).then(|| self.far.range(end.max(first)..=last));
        let from = first.clamp(self.base, end) - self.base;
        let to = last.saturating_add(1).clamp(self.base + from, end) - self.base;
        Numbered {
            below: listed(below),
            next: self.base + from,
            near: self.near[from as usize..to as usize].iter(),
            above: listed(above),
        }
    }

    /// Keys from `first` to `last`, both included, in ascending order, each with its count.
    pub fn range(&self, first: i64, last: i64) -> Iter<'_> {
        // An empty range is that of no page.
        let (first_page, last_page) = if first <= last {
            (page_of(first), page_of(last))
        } else {
            (i64::MAX, i64::MAX)
        };
        Iter {
            counts: self,
            pages: self.pages_within(first_page, last_page),
            at: 0,
            held: Held::default(),
            first,
            last,
        }
    }

    /// The keys at these ranks (from 0, ascending), as if each key stood there as often as it was seen. Ranks at or beyond
    /// the total are left out.
    pub fn at_ranks(&self, ranks: &[u64]) -> Vec<i64> {
        let mut found = Vec::with_capacity(ranks.len());
        let mut wanted = ranks.iter().peekable();
        let mut before = 0;
        for (number, page) in self.pages_within(i64::MIN, i64::MAX) {
            let in_page = self.page_total(number, page);
            if wanted.peek().is_some_and(|rank| **rank < before + in_page) {
                let mut seen = before;
                for (slot, n) in self.pages.held(page, 0) {
                    let key = first_key(number) + slot as i64;
                    seen = seen.saturating_add(n).saturating_add(self.beyond(key));
                    while wanted.next_if(|rank| **rank < seen).is_some() {
                        found.push(key);
                    }
                }
            }
            before += in_page;
            if wanted.peek().is_none() {
                break;
            }
        }
        found
    }

    /// How many keys lie from `first` to each of these bounds, all included; the bounds ascend.
    pub fn up_to(&self, first: i64, bounds: &[i64]) -> Vec<u64> {
        let mut sums = Vec::with_capacity(bounds.len());
        let Some(last) = bounds.last().copied().filter(|last| *last >= first) else {
            return vec![0; bounds.len()];
        };
        let mut before = 0;
        for (number, page) in self.pages_within(page_of(first), page_of(last)) {
            let begin = first_key(number);
            let end = begin + (SLOTS as i64 - 1);
            let skipped = if begin < first {
                self.page_up_to(number, page, first - 1)
            } else {
                0
            };
            while let Some(bound) = bounds.get(sums.len()).filter(|bound| **bound < end) {
                let within = *bound >= begin.max(first);
                sums.push(if within {
                    before + self.page_up_to(number, page, *bound) - skipped
                } else {
                    before
                });
            }
            before += self.page_total(number, page) - skipped;
        }
        sums.resize(bounds.len(), before);
        sums
    }

    /// What a page holds up to a key that lies in it.
    fn page_up_to(&self, number: i64, page: Page, key: i64) -> u64 {
        let sum = self.pages.up_to(page, slot_of(key));
        if self.beyond.is_empty() {
            return sum;
        }
        let beyond = self.beyond.range(first_key(number)..=key);
        beyond.fold(sum, |sum, (_, n)| {
            sum.saturating_add(n.saturating_mul(MOST))
        })
    }

    /// Numbers of bins that hold something, each with what it holds.
    pub fn in_bins(&self) -> Vec<(i64, u64)> {
        let mut bins = Vec::new();
        for (number, page) in self.pages_within(i64::MIN, i64::MAX) {
            let first = first_key(number).div_euclid(BIN);
            let sums = self.pages.in_bins(page);
            bins.extend((first..).zip(sums).filter(|(_, n)| *n > 0));
        }
        for (key, n) in &self.beyond {
            let at = bins.partition_point(|(bin, _)| *bin < key.div_euclid(BIN));
            bins[at].1 = bins[at].1.saturating_add(n.saturating_mul(MOST));
        }
        bins
    }

    fn page_total(&self, number: i64, page: Page) -> u64 {
        self.page_up_to(number, page, first_key(number) + (SLOTS as i64 - 1))
    }

    /// What of a key's count does not fit its page.
    fn beyond(&self, key: i64) -> u64 {
        if self.beyond.is_empty() {
            return 0;
        }
        self.beyond.get(&key).map_or(0, |n| n.saturating_mul(MOST))
    }

    /// Sum of all counts.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The largest key.
    pub fn last(&self) -> Option<i64> {
        let (number, page) = self.pages_within(i64::MIN, i64::MAX).last()?;
        let (slot, _) = self.pages.held(page, 0).last()?;
        Some(first_key(number) + slot as i64)
    }
}

/// Pages with their numbers: those far below, those near, those far above.
struct Numbered<'c> {
    below: std::vec::IntoIter<(i64, Page)>,
    near: std::slice::Iter<'c, Page>,
    /// Number of the next of `near`.
    next: i64,
    above: std::vec::IntoIter<(i64, Page)>,
}

impl Iterator for Numbered<'_> {
    type Item = (i64, Page);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(below) = self.below.next() {
            return Some(below);
        }
        for page in self.near.by_ref() {
            self.next += 1;
            if !page.is_empty() {
                return Some((self.next - 1, *page));
            }
        }
        self.above.next()
    }
}

/// Keys and their counts, in ascending order.
pub struct Iter<'c> {
    counts: &'c Paged,
    pages: Numbered<'c>,
    /// First key of the page that is looked at, and what is left of it.
    at: i64,
    held: Held<'c>,
    first: i64,
    last: i64,
}

impl Iterator for Iter<'_> {
    type Item = (i64, u64);

    #[inline]
    fn next(&mut self) -> Option<(i64, u64)> {
        loop {
            let Some((slot, n)) = self.held.next() else {
                let (number, page) = self.pages.next()?;
                self.at = first_key(number);
                let from = self.first.saturating_sub(self.at).max(0) as usize;
                self.held = self.counts.pages.held(page, from);
                continue;
            };
            let key = self.at + slot as i64;
            if key > self.last {
                return None;
            }
            if key >= self.first {
                return Some((key, n.saturating_add(self.counts.beyond(key))));
            }
        }
    }
}

/// The number of a key's page.
#[inline]
pub fn page_of(key: i64) -> i64 {
    key >> SLOT_BITS
}

#[inline]
fn slot_of(key: i64) -> usize {
    key as usize & (SLOTS - 1)
}

#[inline]
fn first_key(page: i64) -> i64 {
    page << SLOT_BITS
}
