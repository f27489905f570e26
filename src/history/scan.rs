//! The scan for changes of level: seeded binary segmentation, calibrated as a whole.
//!
//! Every interval of a fixed, multi-scale set is split where its two sides differ most (Kovács, Bühlmann, Li and Munk,
//! *Seeded binary segmentation*, Biometrika 2023). How strong the strongest split of all would be by chance is found
//! by running the same scan on 999 series without a change; so the level holds for the scan, not for one test. Of the
//! intervals that are too strong for chance the narrowest is taken (Baranowski, Chen and Fryzlewicz,
//! *Narrowest-over-threshold*, JRSS B 2019), because it holds one change only; then both sides are scanned alike.

use crate::statistics::random::Random;

mod strength;

pub use strength::{Runs, Sums};

/// Fewest runs on either side of a change: one run cannot be told from an outlier.
pub const MIN_SIDE: usize = 2;

/// Strengths count as equal from this share on: the same runs in another order differ in rounding, which must not decide.
const EQUAL: f64 = 1.0 - 1e-9;

/// How the strength of a series without change is simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Null {
    /// The same runs in random order: no assumption but that order means nothing.
    Permuted,
    /// Normal runs, each correlated with the one before by this coefficient, 0 to 1.
    Autoregressive(f64),
}

/// The level of the scan and what its null series are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// What a series without change looks like.
    pub null: Null,
    /// Probability of a change being found where there is none, per scan.
    pub alpha: f64,
    /// Number of simulated series; p is never below 1 / (replicates + 1).
    pub replicates: usize,
}

/// A change that is too strong for chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// First run of the new level.
    pub index: usize,
    /// Share of series without change whose strongest split is at least as strong.
    pub p: f64,
}

/// Half-open part of a series.
type Interval = (usize, usize);

/// Finds the changes of `runs`, in order of index.
pub fn find(runs: &Runs, calibration: &Calibration, random: &mut Random) -> Vec<Found> {
    let mut found = Vec::new();
    let mut open = vec![(0, runs.len())];
    while let Some((start, end)) = open.pop() {
        if let Some(change) = find_one(&runs.part(start, end), calibration, random) {
            let index = start + change.index;
            found.push(Found { index, p: change.p });
            open.push((index, end));
            open.push((start, index));
        }
    }
    found.sort_by_key(|change| change.index);
    found
}

/// The change in the narrowest interval that is too strong for chance; of equally narrow ones the strongest.
fn find_one(runs: &Runs, calibration: &Calibration, random: &mut Random) -> Option<Found> {
    let intervals = seeded_intervals(runs.len());
    let sums = Sums::new(runs);
    let splits: Vec<(Interval, usize, f64)> = intervals
        .iter()
        .map(|&(start, end)| {
            let (split, strength) = sums.strongest_split(start, end);
            ((start, end), split, strength)
        })
        .collect();
    let strongest = splits.iter().map(|s| s.2).fold(0.0, f64::max);
    let chance = simulate(runs, &intervals, strongest, calibration, random)?;
    let p_of = |strength: f64| {
        let weaker = chance.partition_point(|by_chance| *by_chance < strength * EQUAL);
        let as_strong = chance.len() - weaker;
        (1 + as_strong) as f64 / (1 + chance.len()) as f64
    };
    let narrowest = splits
        .into_iter()
        .filter(|(_, _, strength)| p_of(*strength) <= calibration.alpha)
        .min_by(|(a, _, s), (b, _, t)| (a.1 - a.0).cmp(&(b.1 - b.0)).then(t.total_cmp(s)))?;
    Some(Found {
        index: narrowest.1,
        p: p_of(narrowest.2),
    })
}

/// The strongest splits of series without change, ascending. None as soon as so many are as strong as `strongest`
/// that its p exceeds alpha: a stable series costs a few replicates only.
fn simulate(
    runs: &Runs,
    intervals: &[Interval],
    strongest: f64,
    calibration: &Calibration,
    random: &mut Random,
) -> Option<Vec<f64>> {
    let total = calibration.replicates;
    let allowed = (calibration.alpha * (total + 1) as f64 + 1e-9).floor() as usize;
    if intervals.is_empty() || strongest <= 0.0 {
        return None;
    }
    let mut without_change = runs.clone();
    let mut sums = Sums::new(runs);
    let mut chance = Vec::with_capacity(total);
    let mut as_strong = 0;
    for _ in 0..total {
        match calibration.null {
            Null::Permuted => without_change.permute(random),
            Null::Autoregressive(rho) => without_change.make_autoregressive(rho, random),
        }
        sums.update(&without_change);
        let by_chance = intervals
            .iter()
            .map(|&(start, end)| sums.strongest_split(start, end).1)
            .fold(0.0, f64::max);
        as_strong += usize::from(by_chance >= strongest * EQUAL);
        if 1 + as_strong > allowed {
            return None;
        }
        chance.push(by_chance);
    }
    chance.sort_by(f64::total_cmp);
    Some(chance)
}

/// The intervals: per layer k their length is n / √2ᵏ, and 2⌈√2ᵏ⌉ − 1 of them are spread evenly, so that each overlaps
/// the next by half at least. Shorter than two minimal sides there are none.
fn seeded_intervals(n: usize) -> Vec<Interval> {
    let mut intervals = Vec::new();
    let mut shrink = 1.0;
    loop {
        let length = (n as f64 / shrink).ceil() as usize;
        if length < 2 * MIN_SIDE {
            return intervals;
        }
        let count = 2 * (shrink - 1e-9).ceil() as usize - 1;
        for i in 0..count {
            let start = (n - length) * i / (count - 1).max(1);
            intervals.push((start, start + length));
        }
        shrink *= std::f64::consts::SQRT_2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALIBRATION: Calibration = Calibration {
        null: Null::Permuted,
        alpha: 0.01,
        replicates: 999,
    };

    fn levels(logs: &[f64]) -> Runs {
        Runs::Levels {
            logs: logs.to_vec(),
            floor: 0.01,
        }
    }

    #[test]
    fn intervals_of_eight_runs() {
        // Lengths 8, 6, 4; 1, 3 and 3 of them.
        let expected = [(0, 8), (0, 6), (1, 7), (2, 8), (0, 4), (2, 6), (4, 8)];
        assert_eq!(seeded_intervals(8), expected);
    }

    #[test]
    fn no_interval_in_three_runs() {
        assert_eq!(seeded_intervals(3), []);
    }

    #[test]
    fn two_changes_are_found_where_they_are() {
        let mut logs = vec![0.0; 36];
        for (i, log) in logs.iter_mut().enumerate() {
            *log = 0.01 * ((i * 7) % 5) as f64 + if (12..24).contains(&i) { 0.3 } else { 0.0 };
        }
        let found = find(&levels(&logs), &CALIBRATION, &mut Random::new(1));
        let indices: Vec<usize> = found.iter().map(|f| f.index).collect();
        assert_eq!(indices, [12, 24]);
        assert!(found.iter().all(|f| f.p <= 0.01));
    }

    #[test]
    fn equal_runs_have_no_change() {
        let found = find(&levels(&[1.0; 30]), &CALIBRATION, &mut Random::new(1));
        assert_eq!(found, []);
    }
}
