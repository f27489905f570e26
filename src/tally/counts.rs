//! How often each of many whole keys was seen: microseconds, milliseconds, buckets.
//!
//! Keys are kept one by one while there are few of them for the room they take, and in pages of counters once those need
//! less memory. An endpoint with a request now and then is as cheap as one with a thousand a second.

use std::fmt;

mod list;
mod paged;
mod pages;

use list::List;
use paged::Paged;

/// Keys after which a list is looked at for the first time, whether pages would be smaller; then whenever it doubled.
const FIRST_LOOK: usize = 64;
/// A count above this is not kept as so many keys.
const MOST_ALIKE: u64 = 16;

/// Keys in each bin of [`Counts::in_bins`].
pub const BIN: i64 = 16;

/// How often each key was seen.
#[derive(Clone, Default)]
pub struct Counts {
    /// Once there are any, all keys are in them.
    pages: Option<Box<Paged>>,
    list: List,
    /// How long the list was when it was looked at last.
    looked_at: usize,
}

impl Counts {
    /// Adds `n` to a key's count.
    #[inline]
    pub fn add(&mut self, key: i64, n: u64) {
        match &mut self.pages {
            Some(pages) => pages.add(key, n),
            None if n > MOST_ALIKE => self.paged().add(key, n),
            None => self.add_each(std::iter::repeat_n(key, n as usize)),
        }
    }

    /// Adds one to the count of each key. Many at once cost less.
    #[inline]
    pub fn add_each(&mut self, keys: impl ExactSizeIterator<Item = i64> + Clone) {
        match &mut self.pages {
            Some(pages) => pages.add_each(keys),
            None => self.list(keys),
        }
    }

    fn list(&mut self, keys: impl ExactSizeIterator<Item = i64> + Clone) {
        let n = keys.len();
        let taken = self.list.add_each(keys.clone());
        if taken < n {
            self.paged().add_each(keys.skip(taken));
        } else {
            self.look();
        }
    }

    /// Turns a list that became longer into pages, if those are smaller.
    fn look(&mut self) {
        let len = self.list.len();
        if len >= FIRST_LOOK.max(self.looked_at * 2) {
            self.looked_at = len;
            if self.list.is_dense() {
                self.paged();
            }
        }
    }

    /// The pages, into which the list is turned.
    fn paged(&mut self) -> &mut Paged {
        let mut list = std::mem::take(&mut self.list);
        self.pages.get_or_insert_with(|| {
            list.sort();
            let mut pages = Box::<Paged>::default();
            pages.add_list(&list);
            pages
        })
    }

    /// Puts keys that are kept one by one in order. Nothing changes but the time and memory that looking at them takes.
    pub fn put_in_order(&mut self) {
        self.list.put_in_order();
    }

    /// Adds everything another counter holds.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.pages, &other.pages) {
            (None, None) => {
                if self.list.merge(&other.list) {
                    self.look();
                } else {
                    self.paged().add_list(&other.list);
                }
            }
            (None, Some(pages)) => {
                let list = std::mem::take(&mut self.list);
                let mut pages = pages.clone();
                pages.add_list(&list);
                self.pages = Some(pages);
            }
            (Some(ours), Some(theirs)) => ours.merge(theirs),
            (Some(ours), None) => ours.add_list(&other.list),
        }
    }

    /// Keys in ascending order, each with its count.
    pub fn iter(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        self.range(i64::MIN, i64::MAX)
    }

    /// Keys from `first` to `last`, both included, in ascending order, each with its count.
    pub fn range(&self, first: i64, last: i64) -> impl Iterator<Item = (i64, u64)> + '_ {
        match &self.pages {
            Some(pages) => Iter::Pages(pages.range(first, last)),
            None => Iter::List(self.list.range(first, last)),
        }
    }

    /// Keys from `first` to `last`, both included, each without the multiples of a period in it.
    #[must_use]
    pub fn folded(&self, first: i64, last: i64, period: i64) -> Self {
        let whole = self
            .pages
            .as_ref()
            .and_then(|p| p.folded(first, last, period));
        if let Some(pages) = whole {
            return Self {
                pages: Some(Box::new(pages)),
                ..Self::default()
            };
        }
        let keys = self.range(first, last);
        keys.map(|(key, n)| (key.rem_euclid(period), n)).collect()
    }

    /// The keys at these ranks (from 0, ascending), as if each key stood there as often as it was seen. Ranks at or beyond
    /// the total are left out.
    pub fn at_ranks(&self, ranks: &[u64]) -> Vec<i64> {
        match &self.pages {
            Some(pages) => pages.at_ranks(ranks),
            None => self.list.at_ranks(ranks),
        }
    }

    /// How many keys lie from `first` to each of these bounds, all included; the bounds ascend.
    pub fn up_to(&self, first: i64, bounds: &[i64]) -> Vec<u64> {
        match &self.pages {
            Some(pages) => pages.up_to(first, bounds),
            None => self.list.up_to(first, bounds),
        }
    }

    /// How many keys lie from `first` to the first of these bounds, behind it to the second, and so on, each bound
    /// included; the bounds ascend.
    pub fn in_parts(&self, first: i64, bounds: &[i64]) -> Vec<u64> {
        let mut parts = self.up_to(first, bounds);
        for i in (1..parts.len()).rev() {
            parts[i] -= parts[i - 1];
        }
        parts
    }

    /// What lies in each bin of [`BIN`] keys that holds something, ascending by the bin's number: its first key ÷ [`BIN`].
    pub fn in_bins(&self) -> Vec<(i64, u64)> {
        let listed = || self.list.in_bins().collect();
        self.pages
            .as_ref()
            .map_or_else(listed, |pages| pages.in_bins())
    }

    /// Keys in ascending order, each with its count and with that in other counts.
    pub fn beside<'c>(&'c self, other: &'c Self) -> impl Iterator<Item = (i64, u64, u64)> + 'c {
        let mut others = other.iter().peekable();
        self.iter().map(move |(key, n)| {
            while others.next_if(|(of, _)| *of < key).is_some() {}
            let of_other = others.next_if(|(of, _)| *of == key);
            (key, n, of_other.map_or(0, |(_, n)| n))
        })
    }

    /// A key's count.
    pub fn get(&self, key: i64) -> u64 {
        self.range(key, key).next().map_or(0, |(_, n)| n)
    }

    /// Sum of all counts.
    pub fn total(&self) -> u64 {
        let listed = self.list.len() as u64;
        self.pages.as_ref().map_or(listed, |pages| pages.total())
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// The smallest key.
    pub fn first(&self) -> Option<i64> {
        self.iter().next().map(|(key, _)| key)
    }

    /// The largest key.
    pub fn last(&self) -> Option<i64> {
        let listed = || self.list.last();
        self.pages
            .as_ref()
            .map_or_else(listed, |pages| pages.last())
    }
}

/// Keys and their counts, in ascending order.
enum Iter<'c> {
    List(list::Iter<'c>),
    Pages(paged::Iter<'c>),
}

impl Iterator for Iter<'_> {
    type Item = (i64, u64);

    #[inline]
    fn next(&mut self) -> Option<(i64, u64)> {
        match self {
            Self::List(list) => list.next(),
            Self::Pages(pages) => pages.next(),
        }
    }
}

impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.total() == other.total() && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    use std::collections::BTreeMap;

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
    fn a_sum_that_fits_no_counter_takes_no_other_page() {
        // The page became the widest before it was clear that the sum does not fit even that.
        let mut counts = Counts::from_iter([(0, 65_535)]);
        counts.merge(&Counts::from_iter([(0, u64::from(u32::MAX))]));
        counts.add(1000, 300);
        counts.add(2000, 300);
        assert_eq!(
            listed(&counts),
            [(0, 4_295_032_830), (1000, 300), (2000, 300)]
        );
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
            let bounds = [from - 3, from, from, from + len / 3, from + len / 2, from + len];
            let up_to = bounds.map(|bound| map.range(from..(bound + 1).max(from)).map(|(_, n)| n).sum::<u64>());
            prop_assert_eq!(whole.up_to(from, &bounds), up_to);
            let mut bins = BTreeMap::new();
            for (key, n) in &map {
                *bins.entry(key.div_euclid(BIN)).or_insert(0) += n;
            }
            prop_assert_eq!(whole.in_bins(), bins.into_iter().collect::<Vec<_>>());
            for period in [100, 256, 1024] {
                let first = from.div_euclid(period) * period;
                let folded = whole.folded(first, first + 2 * period - 1, period);
                let mut expected = BTreeMap::new();
                for (key, n) in map.range(first..first + 2 * period) {
                    *expected.entry(key.rem_euclid(period)).or_insert(0) += n;
                }
                prop_assert_eq!(listed(&folded), expected.into_iter().collect::<Vec<_>>());
            }
            let (ones, twos): (Counts, Counts) = (one.iter().copied().collect(), two.iter().copied().collect());
            let beside: Vec<_> = ones.beside(&twos).collect();
            prop_assert_eq!(beside, ones.iter().map(|(k, n)| (k, n, twos.get(k))).collect::<Vec<_>>());
            let part: Vec<_> = whole.range(from, from + len).collect();
            prop_assert_eq!(part, map.range(from..=from + len).map(|(k, n)| (*k, *n)).collect::<Vec<_>>());
        }
    }
}
