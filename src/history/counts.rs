//! Where the failure ratio changed: a likelihood scan on failures out of requests, which zeros do not disturb.
//!
//! The same scan as for levels, but a split is rated by the likelihood ratio of two binomials against one. Requests of
//! one run are not independent, so the ratio is never compared with χ²: the whole scan is calibrated by permuting runs.
//! Single runs that stand alone are clipped for the scan, lest one bad run hide a change elsewhere.

use std::ops::Range;

use super::effect::{median, superiority};
use super::scan::{self, Calibration, Found, Null, Runs, Sums};
use super::segment::{Direction, MIN_RUNS};
use super::settle::{Size, settle, sides};
use super::spike;
use crate::statistics::random::Random;

/// Failures of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// Requests that failed.
    pub failures: u64,
    /// All requests.
    pub requests: u64,
}

impl Failures {
    /// Share of requests that failed, 0 to 1; zero of no requests.
    pub fn ratio(self) -> f64 {
        if self.requests == 0 {
            0.0
        } else {
            self.failures as f64 / self.requests as f64
        }
    }
}

/// What counts as a change of the failure ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Probability of a change being found in a series without one.
    pub alpha: f64,
    /// Smallest difference of the ratios that is reported: 0.001 for 0.1 percentage points.
    pub margin: f64,
    /// Smallest probability of superiority that is reported, 0.5 to 1.
    pub superiority: f64,
    /// Permutations that the scan is calibrated by.
    pub replicates: usize,
    /// Seed of the random numbers; the same seed gives the same answer.
    pub seed: u64,
}

impl Default for Options {
    /// The defaults of the design; the seed is the caller's to choose, from the data.
    fn default() -> Self {
        Self {
            alpha: 0.01,
            margin: 0.001,
            superiority: 0.85,
            replicates: 999,
            seed: 0,
        }
    }
}

/// A change of the failure ratio.
#[derive(Clone, Debug, PartialEq)]
pub struct RatioChange {
    /// Index of the first run of the new segment.
    pub index: usize,
    /// Failures over requests of the whole segment before, 0 to 1.
    pub before: f64,
    /// Failures over requests of the whole segment after, 0 to 1.
    pub after: f64,
    /// Share of permuted series in which the scan finds a change as strong.
    pub p: f64,
    /// Probability that the ratio of a run after lies beyond that of a run before, in the direction of the change.
    pub superiority: f64,
    /// Which way the ratio moved; up is worse.
    pub direction: Direction,
}

/// What [`segment`] found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segmentation {
    /// The changes of the ratio, in order.
    pub change_points: Vec<RatioChange>,
    /// Indices of single runs far from their neighbours and from the runs around them, clipped for the scan; ratios and
    /// superiority use their true counts.
    pub spikes: Vec<usize>,
    /// Whether there were enough runs to look for changes at all.
    pub scanned: bool,
}

/// Finds the changes of the failure ratio of `runs`, in order. Fewer than ten runs are not scanned.
pub fn segment(runs: &[Failures], options: &Options) -> Segmentation {
    if runs.len() < MIN_RUNS {
        return Segmentation::default();
    }
    let (pairs, spikes) = without_spikes(runs);
    let scanned = Runs::Counts(pairs);
    let calibration = Calibration {
        null: Null::Permuted,
        alpha: options.alpha,
        replicates: options.replicates,
    };
    let found = scan::find(&scanned, &calibration, &mut Random::new(options.seed));
    let ratios: Vec<f64> = runs.iter().map(|run| run.ratio()).collect();
    let size = |before: Range<usize>, after: Range<usize>| {
        let magnitude = (pooled(&runs[after.clone()]) - pooled(&runs[before.clone()])).abs();
        let up = superiority(&ratios[before], &ratios[after]);
        Size {
            enough: magnitude >= options.margin && up.max(1.0 - up) >= options.superiority,
            magnitude,
        }
    };
    let found = settle(found, runs.len(), &Sums::new(&scanned), size);
    Segmentation {
        change_points: describe(&found, runs, &ratios),
        spikes,
        scanned: true,
    }
}

/// Failures and requests with single runs that stand alone clipped, and the indices of these.
///
/// They are sought among the angles 2·arcsin √ratio, whose standard deviation is 1 / √requests whatever the ratio
/// (Anscombe, *The transformation of Poisson, binomial and negative-binomial data*, Biometrika 1948).
fn without_spikes(runs: &[Failures]) -> (Vec<(f64, f64)>, Vec<usize>) {
    let mut pairs: Vec<(f64, f64)> = runs
        .iter()
        .map(|run| (run.failures.min(run.requests) as f64, run.requests as f64))
        .collect();
    let angles: Vec<f64> = runs
        .iter()
        .map(|run| 2.0 * run.ratio().clamp(0.0, 1.0).sqrt().asin())
        .collect();
    let requests: Vec<f64> = pairs.iter().map(|(_, requests)| *requests).collect();
    let clips = spike::find(&angles, 1.0 / median(&requests).max(1.0).sqrt());
    for clip in &clips {
        let (failures, requests) = &mut pairs[clip.index];
        *failures = *requests
            * (clip.to.clamp(0.0, std::f64::consts::PI) / 2.0)
                .sin()
                .powi(2);
    }
    (pairs, clips.iter().map(|clip| clip.index).collect())
}

/// Failures over requests of several runs together; zero of no requests.
fn pooled(runs: &[Failures]) -> f64 {
    let sum = |count: fn(&Failures) -> u64| runs.iter().map(count).sum();
    let together = Failures {
        failures: sum(|run| run.failures),
        requests: sum(|run| run.requests),
    };
    together.ratio()
}

fn describe(found: &[Found], runs: &[Failures], ratios: &[f64]) -> Vec<RatioChange> {
    let describe_one = |(i, change): (usize, &Found)| {
        let (left, right) = sides(found, runs.len(), i);
        let (before, after) = (pooled(&runs[left.clone()]), pooled(&runs[right.clone()]));
        let up = superiority(&ratios[left], &ratios[right]);
        let (direction, superiority) = if after > before {
            (Direction::Up, up)
        } else {
            (Direction::Down, 1.0 - up)
        };
        RatioChange {
            index: change.index,
            before,
            after,
            p: change.p,
            superiority,
            direction,
        }
    };
    found.iter().enumerate().map(describe_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(failures: &[u64]) -> Vec<Failures> {
        let run = |&failures| Failures {
            failures,
            requests: 1000,
        };
        failures.iter().map(run).collect()
    }

    fn indices(failures: &[u64]) -> Vec<usize> {
        let found = segment(&runs(failures), &Options::default()).change_points;
        found.iter().map(|change| change.index).collect()
    }

    #[test]
    fn failures_from_zero_are_described() {
        let found = segment(
            &runs(&[0, 0, 0, 0, 0, 0, 0, 0, 5, 6, 4, 5]),
            &Options::default(),
        )
        .change_points;
        let change = &found[0];
        assert_eq!((found.len(), change.index), (1, 8));
        assert_eq!((change.before, change.after), (0.0, 0.005));
        assert_eq!((change.superiority, change.direction), (1.0, Direction::Up));
        assert!(change.p <= 0.01);
    }

    #[test]
    fn failures_to_zero_go_down() {
        let found = segment(
            &runs(&[5, 6, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0]),
            &Options::default(),
        )
        .change_points;
        assert_eq!(found[0].direction, Direction::Down);
        assert_eq!((found[0].index, found[0].superiority), (4, 1.0));
    }

    #[test]
    fn one_run_of_many_failures_is_no_change() {
        assert!(indices(&[0, 0, 0, 0, 0, 0, 0, 500, 0, 0, 0, 0]).is_empty());
        assert!(indices(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 500]).is_empty());
    }

    #[test]
    fn one_bad_run_does_not_hide_a_change() {
        let mut failures = [vec![0; 20], vec![50, 60, 40, 50, 50]].concat();
        failures[8] = 500;
        let found = segment(&runs(&failures), &Options::default());
        assert_eq!(found.spikes, [8]);
        assert_eq!(found.change_points[0].index, 20);
    }

    #[test]
    fn a_change_within_the_margin_is_removed() {
        let failures = [[2; 10], [3; 10]].concat();
        let lenient = Options {
            margin: 0.0005,
            ..Options::default()
        };
        assert_eq!(segment(&runs(&failures), &lenient).change_points.len(), 1);
        let strict = Options {
            margin: 0.0011,
            ..Options::default()
        };
        assert_eq!(segment(&runs(&failures), &strict).change_points, []);
    }

    #[test]
    fn no_requests_and_few_runs() {
        let nothing = Failures {
            failures: 0,
            requests: 0,
        };
        let found = segment(&[nothing; 20], &Options::default());
        assert_eq!((found.change_points.len(), found.scanned), (0, true));
        assert!(indices(&[0, 0, 0, 9, 9, 9]).is_empty());
    }
}
