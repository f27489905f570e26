//! Where the level of a series changed.
//!
//! The scan of [`super::scan`] runs on the logarithms of the values, so that a change is a ratio. Before it, single runs
//! that stand alone are clipped; after it, each change is moved to where its neighbouring segments differ most, and the
//! changes that are too small to matter are removed, the smallest first, because removing one changes its neighbours.
//!
//! Runs that resemble the run before make long excursions which a permutation never shows. So, if anything was found,
//! the correlation between runs is estimated within the segments found (across them a change would pass for
//! correlation), and if there is some, the scan is repeated against autocorrelated series without a change.

use super::autocorrelation::{NEGLIGIBLE, autocorrelation, excessive};
use super::effect::{median, rounding_deviation, superiority};
use super::scan::{self, Calibration, Found, Null, Runs, Sums};
use super::settle::{Size, settle, sides};
use super::spike;
use crate::statistics::random::Random;

/// With fewer runs no change is looked for.
pub const MIN_RUNS: usize = 10;

/// What counts as a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Probability of a change being found in a series without one, 0.01 for 1 %.
    pub alpha: f64,
    /// Smallest change of the median that is reported, a ratio: 0.05 for 5 % up, or 1/1.05 down.
    pub margin: f64,
    /// Smallest probability of superiority that is reported, 0.5 to 1.
    pub superiority: f64,
    /// Series without change that the scan is calibrated by.
    pub replicates: usize,
    /// Seed of the random numbers; the same seed gives the same answer.
    pub seed: u64,
}

impl Default for Options {
    /// The defaults of the design; the seed is the caller's to choose, from the data.
    fn default() -> Self {
        Self {
            alpha: 0.01,
            margin: 0.05,
            superiority: 0.85,
            replicates: 999,
            seed: 0,
        }
    }
}

/// Which way a value moved; whether that is good is for the metric to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The new level is higher.
    Up,
    /// The new level is lower.
    Down,
}

/// A change of level.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangePoint {
    /// Index of the first run of the new segment.
    pub index: usize,
    /// Median of the segment before, in the unit of the series.
    pub before: f64,
    /// Median of the segment after, likewise.
    pub after: f64,
    /// `after` ÷ `before`.
    pub ratio: f64,
    /// Share of series without change in which the scan finds one as strong, at least 1 / (replicates + 1).
    pub p: f64,
    /// Probability that a run after lies beyond a run before, in the direction of the change; ties count half.
    pub superiority: f64,
    /// Which way the level moved.
    pub direction: Direction,
}

/// Runs without a change between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Index of its first run.
    pub start: usize,
    /// One past the index of its last run.
    pub end: usize,
    /// Median of its runs, in the unit of the series.
    pub median: f64,
}

/// A single run far from its neighbours and from the runs around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spike {
    /// Its index.
    pub index: usize,
    /// Its value, in the unit of the series.
    pub value: f64,
    /// What the scan took it for, likewise.
    pub clipped_to: f64,
}

/// What [`segment`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmentation {
    /// The changes, in order.
    pub change_points: Vec<ChangePoint>,
    /// The segments between them, in order; one more than there are changes, or none of an empty series.
    pub segments: Vec<Segment>,
    /// Single runs that were clipped for the scan; medians and superiority use their true values.
    pub spikes: Vec<Spike>,
    /// Lag-1 autocorrelation between runs, estimated apart from changes of level.
    pub autocorrelation: f64,
    /// Whether the scan was calibrated on autocorrelated series.
    pub guarded: bool,
    /// Whether there were enough runs to look for changes at all.
    pub scanned: bool,
}

/// A value that has no logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NotPositive {
    /// Index of the run.
    pub index: usize,
    /// Its value: zero, negative or not finite.
    pub value: f64,
}

/// Natural logarithms of values that must be positive and finite.
pub(super) fn logarithms(values: &[f64]) -> Result<Vec<f64>, NotPositive> {
    let log = |(index, &value): (usize, &f64)| {
        if value > 0.0 && value.is_finite() {
            Ok(value.ln())
        } else {
            Err(NotPositive { index, value })
        }
    };
    values.iter().enumerate().map(log).collect()
}

/// The median; the mean of the middle two of an even number of values. `NaN` of nothing.
pub fn median_of(values: &[f64]) -> f64 {
    median(values)
}

/// Finds the changes of level of `values`, one per run in order, all positive. Series that may hold zeros, such as
/// failures, are for [`super::counts`].
pub fn segment(values: &[f64], options: &Options) -> Result<Segmentation, NotPositive> {
    let mut logs = logarithms(values)?;
    let floor = rounding_deviation(values);
    let clips = spike::find(&logs, floor);
    for clip in &clips {
        logs[clip.index] = clip.to;
    }
    let scanned = values.len() >= MIN_RUNS;
    let runs = Runs::Levels {
        logs: logs.clone(),
        floor,
    };
    let mut found = Vec::new();
    if scanned {
        found = changes(&runs, values, Null::Permuted, options);
    }
    let apart: Vec<_> = segments(&found, values)
        .iter()
        .map(|s| s.start..s.end)
        .collect();
    let rho = autocorrelation(&logs, &apart);
    let guarded = !found.is_empty() && rho > NEGLIGIBLE;
    if guarded {
        let null = Null::Autoregressive(excessive(rho, values.len()));
        found = changes(&runs, values, null, options);
    }
    let spikes = clips.iter().map(|clip| Spike {
        index: clip.index,
        value: values[clip.index],
        clipped_to: clip.to.exp(),
    });
    Ok(Segmentation {
        change_points: describe(&found, values),
        segments: segments(&found, values),
        spikes: spikes.collect(),
        autocorrelation: rho,
        guarded,
        scanned,
    })
}

fn changes(runs: &Runs, values: &[f64], null: Null, options: &Options) -> Vec<Found> {
    let calibration = Calibration {
        null,
        alpha: options.alpha,
        replicates: options.replicates,
    };
    let found = scan::find(runs, &calibration, &mut Random::new(options.seed));
    settle(found, values.len(), &Sums::new(runs), |before, after| {
        size(&values[before], &values[after], options)
    })
}

fn size(before: &[f64], after: &[f64], options: &Options) -> Size {
    let magnitude = (median(after) / median(before)).ln().abs();
    let up = superiority(before, after);
    // A ratio of exactly the margin is large enough, whatever its logarithm was rounded to.
    let beyond_margin = magnitude >= options.margin.ln_1p() - 1e-12;
    Size {
        enough: beyond_margin && up.max(1.0 - up) >= options.superiority,
        magnitude,
    }
}

fn describe(found: &[Found], values: &[f64]) -> Vec<ChangePoint> {
    let describe_one = |(i, change): (usize, &Found)| {
        let (left, right) = sides(found, values.len(), i);
        let (left, right) = (&values[left], &values[right]);
        let (before, after) = (median(left), median(right));
        let up = superiority(left, right);
        let direction = if after > before {
            Direction::Up
        } else {
            Direction::Down
        };
        ChangePoint {
            index: change.index,
            before,
            after,
            ratio: after / before,
            p: change.p,
            superiority: match direction {
                Direction::Up => up,
                Direction::Down => 1.0 - up,
            },
            direction,
        }
    };
    found.iter().enumerate().map(describe_one).collect()
}

/// The segments between the changes.
fn segments(found: &[Found], values: &[f64]) -> Vec<Segment> {
    if values.is_empty() {
        return Vec::new();
    }
    let starts = std::iter::once(0).chain(found.iter().map(|f| f.index));
    let ends = found
        .iter()
        .map(|f| f.index)
        .chain(std::iter::once(values.len()));
    starts
        .zip(ends)
        .map(|(start, end)| Segment {
            start,
            end,
            median: median(&values[start..end]),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 to 104 in a fixed disorder, times `level`.
    fn around(level: f64, n: usize) -> Vec<f64> {
        (0..n)
            .map(|i| level * (100.0 + ((i * 7) % 5) as f64))
            .collect()
    }

    fn indices(values: &[f64]) -> Vec<usize> {
        let found = segment(values, &Options::default()).unwrap();
        found.change_points.iter().map(|c| c.index).collect()
    }

    #[test]
    fn a_step_is_described() {
        let values = [around(1.0, 10), around(1.5, 10)].concat();
        let found = segment(&values, &Options::default()).unwrap();
        let change = &found.change_points[0];
        assert_eq!(found.change_points.len(), 1);
        assert_eq!(
            (change.index, change.before, change.after),
            (10, 102.0, 153.0)
        );
        assert_eq!((change.ratio, change.superiority), (1.5, 1.0));
        assert_eq!((change.direction, found.scanned), (Direction::Up, true));
        let ranges: Vec<_> = found.segments.iter().map(|s| (s.start, s.end)).collect();
        assert_eq!(ranges, [(0, 10), (10, 20)]);
    }

    #[test]
    fn a_step_down_has_its_own_superiority() {
        let values = [around(1.5, 10), around(1.0, 10)].concat();
        let found = segment(&values, &Options::default()).unwrap();
        let change = &found.change_points[0];
        assert_eq!(
            (change.direction, change.superiority),
            (Direction::Down, 1.0)
        );
    }

    #[test]
    fn a_step_within_the_margin_is_removed() {
        assert!(indices(&[around(1.0, 20), around(1.04, 20)].concat()).is_empty());
    }

    #[test]
    fn nine_runs_are_not_scanned() {
        let values = [around(1.0, 5), around(2.0, 4)].concat();
        let found = segment(&values, &Options::default()).unwrap();
        assert!(!found.scanned);
        assert_eq!((found.change_points.len(), found.segments.len()), (0, 1));
    }

    #[test]
    fn a_single_bad_run_is_a_spike() {
        let mut values = around(1.0, 20);
        values[19] = 160.0;
        let found = segment(&values, &Options::default()).unwrap();
        assert_eq!(found.change_points, []);
        assert_eq!((found.spikes[0].index, found.spikes[0].value), (19, 160.0));
    }

    #[test]
    fn nothing_in_an_empty_series() {
        let found = segment(&[], &Options::default()).unwrap();
        assert_eq!((found.segments.len(), found.scanned), (0, false));
    }

    #[test]
    fn a_zero_is_refused_with_its_place() {
        let refused = segment(&[1.0, 0.0], &Options::default());
        let expected = NotPositive {
            index: 1,
            value: 0.0,
        };
        assert_eq!(refused, Err(expected));
    }

    #[test]
    fn the_same_seed_gives_the_same_answer() {
        let values = [around(1.0, 15), around(1.2, 15)].concat();
        let answer = || segment(&values, &Options::default());
        assert_eq!(answer(), answer());
    }
}
