//! Keys one by one, for what is counted too thinly for pages: four bytes for each request.

use super::paged::page_of;
use super::pages::{Page, bytes_of};

/// How often each key may make room for others.
const MOST_MOVED_EACH: usize = 16;

/// Keys that lie within 2^31 of the first, each as often as it was counted, in ascending order.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Added to each of `keys`.
    base: i64,
    keys: Vec<u32>,
    /// How often a key had to make room for others.
    moved: usize,
}

impl List {
    /// How many keys there are, each as often as it was counted.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// A key as it is kept; `None` if it lies too far from the first.
    #[inline]
    fn near(&mut self, key: i64) -> Option<u32> {
        if self.keys.is_empty() {
            self.base = key.saturating_sub(1 << 31);
        }
        u32::try_from(key.checked_sub(self.base)?).ok()
    }

    #[inline]
    fn key(&self, near: u32) -> i64 {
        self.base.saturating_add(i64::from(near))
    }

    /// Adds keys in any order; how many it took until one lay too far away.
    pub fn add_each(&mut self, keys: impl Iterator<Item = i64>) -> usize {
        let before = self.keys.len();
        for key in keys {
            let Some(near) = self.near(key) else {
                break;
            };
            self.keys.push(near);
        }
        let added = &mut self.keys[before..];
        added.sort_unstable();
        let taken = added.len();
        let Some(least) = added.first().copied() else {
            return 0;
        };
        let from = self.keys[..before].partition_point(|known| *known <= least);
        if from < before {
            join(&mut self.keys[from..]);
        }
        self.moved += before - from;
        taken
    }

    /// Adds another's keys; `false`, and nothing is added, if they lie too far away.
    pub fn merge(&mut self, other: &Self) -> bool {
        let (Some(first), Some(last)) = (other.keys.first(), other.keys.last()) else {
            return true;
        };
        if self.near(other.key(*first)).is_none() || self.near(other.key(*last)).is_none() {
            return false;
        }
        let shift = other.base - self.base;
        let theirs = other.keys.iter();
        self.keys
            .extend(theirs.map(|near| (i64::from(*near) + shift) as u32));
        join(&mut self.keys);
        true
    }

    /// Whether so many keys had to make room that pages would have taken less time.
    pub fn is_slow(&self) -> bool {
        self.moved > MOST_MOVED_EACH * self.keys.len()
    }

    /// Whether pages would need no more memory.
    pub fn is_dense(&self) -> bool {
        let (Some(first), Some(last)) = (self.keys.first(), self.keys.last()) else {
            return false;
        };
        let page = |near: &u32| page_of(self.key(*near));
        let places = (page(last) - page(first)) as usize * size_of::<Page>();
        let pages = self.keys.chunk_by(|a, b| page(a) == page(b));
        let bytes = places + pages.map(|keys| bytes_of(keys.len())).sum::<usize>();
        bytes <= size_of_val(self.keys.as_slice())
    }

    /// Keys from `first` to `last`, both included, in ascending order, each with its count.
    pub fn range(&self, first: i64, last: i64) -> Iter<'_> {
        let from = self.keys.partition_point(|near| self.key(*near) < first);
        let within = &self.keys[from..];
        let to = within.partition_point(|near| self.key(*near) <= last);
        Iter {
            base: self.base,
            keys: &within[..to],
        }
    }

    /// How many keys lie from `first` to each of these bounds.
    pub fn up_to<const N: usize>(&self, first: i64, bounds: [i64; N]) -> [u64; N] {
        let from = self.keys.partition_point(|near| self.key(*near) < first);
        let within = &self.keys[from..];
        // The bounds are near: no search over all that follows.
        let mut reach = 8;
        while reach < within.len() && bounds.iter().any(|b| self.key(within[reach]) <= *b) {
            reach *= 2;
        }
        let within = &within[..reach.min(within.len())];
        bounds.map(|bound| within.partition_point(|near| self.key(*near) <= bound) as u64)
    }

    /// All keys in ascending order, each as often as it was counted.
    pub fn keys(&self) -> impl Iterator<Item = i64> + '_ {
        self.keys.iter().map(|near| self.key(*near))
    }

    /// The keys at these ranks, from 0; those beyond the last are left out.
    pub fn at_ranks(&self, ranks: &[u64]) -> Vec<i64> {
        let near = |rank: &u64| self.keys.get(usize::try_from(*rank).ok()?);
        let found = ranks.iter().filter_map(near);
        found.map(|near| self.key(*near)).collect()
    }

    /// The largest key.
    pub fn last(&self) -> Option<i64> {
        self.keys.last().map(|near| self.key(*near))
    }
}

/// Puts two runs of keys, each in order, into one.
#[expect(
    clippy::stable_sort_primitive,
    reason = "only the stable sort finds what is in order already"
)]
fn join(keys: &mut [u32]) {
    keys.sort();
}

/// Keys and their counts, in ascending order.
pub struct Iter<'l> {
    base: i64,
    keys: &'l [u32],
}

impl Iterator for Iter<'_> {
    type Item = (i64, u64);

    #[inline]
    fn next(&mut self) -> Option<(i64, u64)> {
        let (key, rest) = self.keys.split_first()?;
        let again = rest.iter().take_while(|next| *next == key).count();
        self.keys = &rest[again..];
        Some((self.base.saturating_add(i64::from(*key)), again as u64 + 1))
    }
}
