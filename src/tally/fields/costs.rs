//! What requests cost, by the moment they start: whole numbers, which windows and token buckets add up.

use std::borrow::Cow;

use super::Counts;

/// Costs that are kept one by one, once others were counted.
const MOST_SINGLE: usize = 1 << 12;
/// Before, a cost for so many milliseconds: counters that are wide enough for costs need two bytes for each.
const SPAN_OF_ONE: u64 = 8;
/// In any case, four megabytes: a wrong clock makes any span long.
const MOST_EVER: usize = 1 << 18;

/// Start, epoch ms → sum of the costs there.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    counted: Counts,
    /// Those that are not counted yet, in any order.
    single: Vec<(i64, u64)>,
    /// First and last moment.
    span: Option<(i64, i64)>,
}

impl Costs {
    /// Adds the cost of a request that started at that moment.
    pub fn add(&mut self, start_ms: i64, cost: u64) {
        self.single.push((start_ms, cost));
        self.see(start_ms, start_ms);
    }

    /// Adds all that other costs hold.
    pub fn merge(&mut self, other: &Self) {
        self.counted.merge(&other.counted);
        self.single.extend_from_slice(&other.single);
        if let Some((first, last)) = other.span {
            self.see(first, last);
        }
    }

    /// Notes where costs were added, and counts those that are kept one by one when there are too many.
    fn see(&mut self, first: i64, last: i64) {
        let span = self.span.unwrap_or((first, last));
        let span = (span.0.min(first), span.1.max(last));
        self.span = Some(span);
        let by_span = (span.1.abs_diff(span.0) / SPAN_OF_ONE) as usize;
        let most = if self.counted.is_empty() {
            by_span.clamp(MOST_SINGLE, MOST_EVER)
        } else {
            MOST_SINGLE
        };
        if self.single.len() >= most {
            count(&mut self.counted, &mut self.single);
            self.single.clear();
        }
    }

    /// All of them, counted.
    pub fn counts(&self) -> Cow<'_, Counts> {
        if self.single.is_empty() {
            return Cow::Borrowed(&self.counted);
        }
        let mut counts = self.counted.clone();
        count(&mut counts, &mut self.single.clone());
        Cow::Owned(counts)
    }

    /// Their sum from one moment on and before another.
    pub fn within(&self, start_ms: i64, end_ms: i64) -> u64 {
        let counted = self.counted.range(start_ms, end_ms - 1).map(|(_, n)| n);
        let single = self.single.iter();
        let single = single.filter(|(at, _)| (start_ms..end_ms).contains(at));
        counted.chain(single.map(|(_, n)| *n)).sum()
    }
}

/// Counts costs in the order of their moments, so that their pages lie in order.
fn count(counts: &mut Counts, single: &mut [(i64, u64)]) {
    radsort::sort_by_key(single, |(start_ms, _)| *start_ms);
    for (start_ms, cost) in single {
        counts.add(*start_ms, *cost);
    }
}

impl PartialEq for Costs {
    fn eq(&self, other: &Self) -> bool {
        self.counts() == other.counts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_the_same_however_they_are_kept() {
        // So many that the first half is counted, at moments that come back.
        let all = (0..MOST_SINGLE as i64 * 2).map(|i| (i * 37 % 1000, (i % 7) as u64));
        let (mut costs, mut halves) = (Costs::default(), [Costs::default(), Costs::default()]);
        for (i, (at, cost)) in all.clone().enumerate() {
            costs.add(at, cost);
            halves[i % 2].add(at, cost);
        }
        costs.add(5, 3);
        halves[1].merge(&halves[0].clone());
        halves[1].add(5, 3);
        assert!(costs == halves[1] && !costs.single.is_empty());
        let sum = |from, to| {
            let within = all.clone().filter(|(at, _)| (from..to).contains(at));
            within.map(|(_, cost)| cost).sum::<u64>()
        };
        assert_eq!(costs.within(5, 6), sum(5, 6) + 3);
        assert_eq!(costs.within(6, 900), sum(6, 900));
        assert_eq!(
            costs.counts().range(6, 899).map(|(_, n)| n).sum::<u64>(),
            sum(6, 900)
        );
    }
}
