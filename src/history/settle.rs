//! What becomes of the changes that a scan found: each is moved to its best place, and small ones are removed.

use std::ops::Range;

use super::scan::{Found, MIN_SIDE, Sums};

/// How large a change is, as far as it decides what is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Whether it is large enough to be reported.
    pub enough: bool,
    /// Its magnitude without sign: of those not large enough, the smallest goes first.
    pub magnitude: f64,
}

/// Moves every change to where its neighbouring segments differ most, then removes the small ones from the bottom up,
/// as each removal changes the neighbours; again until nothing moves. `size` is told the runs before and after.
pub fn settle(
    mut found: Vec<Found>,
    runs: usize,
    sums: &Sums,
    size: impl Fn(Range<usize>, Range<usize>) -> Size,
) -> Vec<Found> {
    // A pass removes a change or moves one to a stronger place; the limit only guards against a cycle of ties.
    for _ in 0..runs {
        let settled = remove_small(relocate(found.clone(), runs, sums), runs, &size);
        if settled == found {
            break;
        }
        found = settled;
    }
    found
}

/// The runs of the segments before and after the change `i`.
pub fn sides(found: &[Found], runs: usize, i: usize) -> (Range<usize>, Range<usize>) {
    let start = i.checked_sub(1).map_or(0, |before| found[before].index);
    let end = found.get(i + 1).map_or(runs, |after| after.index);
    (start..found[i].index, found[i].index..end)
}

fn relocate(mut found: Vec<Found>, runs: usize, sums: &Sums) -> Vec<Found> {
    for i in 0..found.len() {
        let (before, after) = sides(&found, runs, i);
        if after.end - before.start >= 2 * MIN_SIDE {
            found[i].index = sums.strongest_split(before.start, after.end).0;
        }
    }
    found
}

fn remove_small(
    mut found: Vec<Found>,
    runs: usize,
    size: impl Fn(Range<usize>, Range<usize>) -> Size,
) -> Vec<Found> {
    loop {
        let smallest = (0..found.len())
            .map(|i| {
                let (before, after) = sides(&found, runs, i);
                (i, size(before, after))
            })
            .filter(|(_, size)| !size.enough)
            .min_by(|(_, a), (_, b)| a.magnitude.total_cmp(&b.magnitude));
        let Some((smallest, _)) = smallest else {
            return found;
        };
        found.remove(smallest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::scan::Runs;

    /// 0 five times, 1 five times, 3 five times.
    fn stairs() -> Vec<f64> {
        [[0.0; 5], [1.0; 5], [3.0; 5]].concat()
    }

    fn settled(indices: &[usize], least: f64) -> Vec<usize> {
        let stairs = stairs();
        let sums = Sums::new(&Runs::Levels {
            logs: stairs.clone(),
            floor: 0.1,
        });
        let found = indices.iter().map(|&index| Found { index, p: 0.001 });
        let mean =
            |range: Range<usize>| stairs[range.clone()].iter().sum::<f64>() / range.len() as f64;
        let size = |before: Range<usize>, after: Range<usize>| {
            let magnitude = (mean(after) - mean(before)).abs();
            Size {
                enough: magnitude >= least,
                magnitude,
            }
        };
        let kept = settle(found.collect(), stairs.len(), &sums, size);
        kept.into_iter().map(|change| change.index).collect()
    }

    #[test]
    fn misplaced_changes_move() {
        assert_eq!(settled(&[4, 11], 0.5), [5, 10]);
    }

    #[test]
    fn a_change_too_many_is_removed() {
        assert_eq!(settled(&[5, 8, 10], 0.5), [5, 10]);
    }

    #[test]
    fn the_smaller_change_goes_first() {
        // 5 differs by 1, 10 by 2; without 5 the other side of 10 is 0.5, so 10 differs by 2.5 and stays.
        assert_eq!(settled(&[5, 10], 2.2), [10]);
    }
}
