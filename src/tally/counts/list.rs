//! Keys one by one, for what is counted too thinly for pages: four bytes for each request.
//!
//! They are kept as they come, and put in order when they are looked at: a thousand at once cost less each than one.

use std::sync::OnceLock;

use super::BIN;
use super::paged::page_of;
use super::pages::{Page, bytes_of};

/// The lowest bits of a list's base are zero: keys that lie close together share the highest bits, which then take no
/// sorting.
const BASE_BITS: u32 = 24;

/// One key of so many tells how the others lie.
const LOOKED_AT: usize = 4;

/// Keys that lie within 2^31 of the first (less 2^24), each as often as it was counted.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Added to each of `keys`.
    base: i64,
    keys: Vec<u32>,
    /// So many of them, from the first on, are in order.
    ordered: usize,
    /// All in order, once they were looked at before [`List::put_in_order`].
    copy: OnceLock<Vec<u32>>,
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
            self.base = key.saturating_sub(1 << 31) >> BASE_BITS << BASE_BITS;
        }
        u32::try_from(key.checked_sub(self.base)?).ok()
    }

    #[inline]
    fn key(&self, near: u32) -> i64 {
        self.base.saturating_add(i64::from(near))
    }

    /// Adds keys in any order; how many it took until one lay too far away.
    #[inline]
    pub fn add_each(&mut self, keys: impl Iterator<Item = i64>) -> usize {
        let before = self.keys.len();
        for key in keys {
            let Some(near) = self.near(key) else {
                break;
            };
            self.keys.push(near);
        }
        self.added(before)
    }

    /// Looks at what was added behind so many keys, and how many those are.
    fn added(&mut self, before: usize) -> usize {
        self.copy.take();
        if self.ordered == before {
            let from = before.saturating_sub(1);
            let ordered = self.keys[from..].is_sorted_by(|a, b| a <= b);
            self.ordered = if ordered { self.keys.len() } else { before };
        }
        self.keys.len() - before
    }

    /// Adds another's keys; `false`, and nothing is added, if they lie too far away.
    pub fn merge(&mut self, other: &Self) -> bool {
        let Some((first, last)) = other.ends() else {
            return true;
        };
        if self.keys.is_empty() {
            *self = other.clone();
            return true;
        }
        if self.near(other.key(first)).is_none() || self.near(other.key(last)).is_none() {
            return false;
        }
        let shift = other.base - self.base;
        let before = self.keys.len();
        let theirs = other.keys.iter();
        self.keys
            .extend(theirs.map(|near| (i64::from(*near) + shift) as u32));
        self.added(before);
        true
    }

    /// The least and the largest as they are kept.
    fn ends(&self) -> Option<(u32, u32)> {
        let least = self.keys.iter().min()?;
        Some((*least, *self.keys.iter().max()?))
    }

    /// Whether pages would need no more memory, as far as every fourth key tells.
    pub fn is_dense(&self) -> bool {
        let page = |near: u32| page_of(self.key(near));
        let Some((first, pages)) = self
            .ends()
            .map(|(least, most)| (page(least), page(most) - page(least) + 1))
            // Their places alone would need more.
            .filter(|(_, pages)| *pages as usize <= self.keys.len())
        else {
            return false;
        };
        let mut counted = vec![0_u8; pages as usize];
        for near in self.keys.iter().step_by(LOOKED_AT) {
            let n = &mut counted[(page(*near) - first) as usize];
            *n = n.saturating_add(1);
        }
        let bytes = |n: &u8| size_of::<Page>() + bytes_of(usize::from(*n) * LOOKED_AT);
        counted.iter().map(bytes).sum::<usize>() <= size_of_val(self.keys.as_slice())
    }

    /// Puts the keys in order, so that looking at them needs no copy, and gives back the room for more.
    pub fn put_in_order(&mut self) {
        self.sort();
        self.keys.shrink_to_fit();
    }

    /// Puts the keys in order.
    pub fn sort(&mut self) {
        if self.ordered < self.keys.len() {
            radsort::sort(&mut self.keys);
            self.ordered = self.keys.len();
        }
        self.copy.take();
    }

    /// The keys as they are kept, in ascending order.
    fn in_order(&self) -> &[u32] {
        if self.ordered == self.keys.len() {
            return &self.keys;
        }
        self.copy.get_or_init(|| {
            let mut keys = self.keys.clone();
            radsort::sort(&mut keys);
            keys
        })
    }

    /// Keys from `first` to `last`, both included, in ascending order, each with its count.
    pub fn range(&self, first: i64, last: i64) -> Iter<'_> {
        let keys = self.in_order();
        let from = keys.partition_point(|near| self.key(*near) < first);
        let within = &keys[from..];
        let to = within.partition_point(|near| self.key(*near) <= last);
        Iter {
            base: self.base,
            keys: &within[..to],
        }
    }

    /// How many keys lie from `first` to each of these bounds, which ascend.
    pub fn up_to(&self, first: i64, bounds: &[i64]) -> Vec<u64> {
        let keys = self.in_order();
        let from = keys.partition_point(|near| self.key(*near) < first);
        let mut at = from;
        let up_to = |bound: &i64| {
            // The bound is near: no search over all that follows.
            let rest = &keys[at..];
            let mut reach = 8;
            while reach < rest.len() && self.key(rest[reach]) <= *bound {
                reach *= 2;
            }
            let rest = &rest[..reach.min(rest.len())];
            at += rest.partition_point(|near| self.key(*near) <= *bound);
            (at - from) as u64
        };
        bounds.iter().map(up_to).collect()
    }

    /// Numbers of bins, each with how many keys lie in it.
    pub fn in_bins(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        let bin = |near: &u32| self.key(*near).div_euclid(BIN);
        let bins = self.in_order().chunk_by(move |a, b| bin(a) == bin(b));
        bins.map(move |keys| (bin(&keys[0]), keys.len() as u64))
    }

    /// All keys in ascending order, each as often as it was counted.
    pub fn keys(&self) -> impl Iterator<Item = i64> + '_ {
        self.in_order().iter().map(|near| self.key(*near))
    }

    /// The keys at these ranks, from 0; those beyond the last are left out.
    pub fn at_ranks(&self, ranks: &[u64]) -> Vec<i64> {
        let keys = self.in_order();
        let near = |rank: &u64| keys.get(usize::try_from(*rank).ok()?);
        let found = ranks.iter().filter_map(near);
        found.map(|near| self.key(*near)).collect()
    }

    /// The largest key.
    pub fn last(&self) -> Option<i64> {
        self.ends().map(|(_, most)| self.key(most))
    }
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
