//! A slow trend that no single change explains.
//!
//! A trend is found by Mann's test (*Nonparametric tests against trend*, Econometrica 1945; Kendall 1970) and measured by
//! the median slope (Theil 1950; Sen, *JASA* 1968). Steps imitate a trend and a trend imitates steps: the one that fits
//! better is kept.

use super::autocorrelation::{autocorrelation, excessive};
use super::effect::{median, rounding_deviation};
use super::segment::{NotPositive, Segment, Segmentation, logarithms};

mod mann_kendall;

pub use mann_kendall::{Trend, mann_kendall};

/// With fewer runs no drift is looked for.
pub const MIN_RUNS: usize = 8;

/// What counts as a drift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Probability, two-sided, of a drift being found in a series without one.
    pub alpha: f64,
    /// Smallest change over the drift that is reported, a ratio: 0.05 for 5 % up, or 1/1.05 down.
    pub margin: f64,
}

impl Default for Options {
    /// One in a hundred, 5 %.
    fn default() -> Self {
        Self {
            alpha: 0.01,
            margin: 0.05,
        }
    }
}

/// A slow trend over the last runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// Index of the first run of the drift; it lasts to the end of the series.
    pub start: usize,
    /// Runs it extends over.
    pub runs: usize,
    /// Change from its first run to its last along the fitted line: 0.05 for +5 %.
    pub change: f64,
    /// Change from one run to the next, likewise.
    pub change_per_run: f64,
    /// Two-sided p-value of the Mann-Kendall test.
    pub p: f64,
    /// Indices of the change points that the drift explains better and that should not be reported beside it.
    pub replaces: Vec<usize>,
}

/// Finds the drift at the end of `values`, of which `segmentation` was made.
///
/// Tried are the runs from the begin of each segment to the end, the longest stretch first: a drift that was taken for
/// several steps is found whole. A stretch drifts if its trend is significant, as large as the margin, and if the line
/// fits it better than the segments do.
pub fn detect(
    values: &[f64],
    segmentation: &Segmentation,
    options: &Options,
) -> Result<Option<Drift>, NotPositive> {
    let logs = logarithms(values)?;
    let rounding = rounding_deviation(values);
    let segments = &segmentation.segments;
    let drift_from = |first: usize| {
        let start = segments[first].start;
        let stretch = &logs[start..];
        if stretch.len() < MIN_RUNS {
            return None;
        }
        let rho = correlation(stretch, segmentation.autocorrelation);
        let trend = mann_kendall(stretch, rho)?;
        let change = trend.slope * (stretch.len() - 1) as f64;
        let drifts = trend.p <= options.alpha
            && change.abs() >= options.margin.ln_1p() - 1e-12
            && line_fits_better(&logs, &segments[first..], trend.slope, rounding);
        drifts.then(|| Drift {
            start,
            runs: stretch.len(),
            change: change.exp_m1(),
            change_per_run: trend.slope.exp_m1(),
            p: trend.p,
            replaces: segments[first + 1..].iter().map(|s| s.start).collect(),
        })
    };
    Ok((0..segments.len()).find_map(drift_from))
}

/// The correlation between runs to reckon with: the one within segments or the one about the trend, whichever is less. A
/// steep trend is itself correlation within segments, and would hide behind it (Yue, Pilon, Phinney and Cavadias, *The
/// influence of autocorrelation on the ability to detect trend*, Hydrological Processes 2002).
fn correlation(stretch: &[f64], within_segments: f64) -> f64 {
    let slope = mann_kendall(stretch, 0.0).map_or(0.0, |trend| trend.slope);
    let about_trend: Vec<f64> = stretch
        .iter()
        .enumerate()
        .map(|(i, log)| log - slope * i as f64)
        .collect();
    let whole = 0..stretch.len();
    let about = autocorrelation(&about_trend, std::slice::from_ref(&whole));
    excessive(within_segments.min(about), stretch.len())
}

/// Whether a line of this slope fits the runs of `segments` better than their medians, by the Bayesian information
/// criterion of Laplace errors: 2n·ln(mean absolute residual) + parameters · ln n. The line has two parameters, the
/// segments a level each and a place for each change. Residuals below `rounding` are not a better fit.
fn line_fits_better(logs: &[f64], segments: &[Segment], slope: f64, rounding: f64) -> bool {
    let levels: f64 = segments
        .iter()
        .map(|segment| absolute_residuals(&logs[segment.start..segment.end]))
        .sum();
    let start = segments.first().map_or(0, |segment| segment.start);
    let without_slope: Vec<f64> = logs[start..]
        .iter()
        .enumerate()
        .map(|(i, log)| log - slope * i as f64)
        .collect();
    let n = without_slope.len() as f64;
    let criterion = |residuals: f64, parameters: usize| {
        let least = (rounding / 2.0).max(1e-9);
        2.0 * n * (residuals / n).max(least).ln() + parameters as f64 * n.ln()
    };
    criterion(absolute_residuals(&without_slope), 2) < criterion(levels, 2 * segments.len() - 1)
}

/// Sum of the distances to the median.
fn absolute_residuals(values: &[f64]) -> f64 {
    let middle = median(values);
    values.iter().map(|value| (value - middle).abs()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::segment;

    /// Noise of −2, 0 or 2 % in a fixed disorder on a level per run.
    fn with_noise(levels: impl Iterator<Item = f64>) -> Vec<f64> {
        let noise = |i: usize| 1.0 + 0.02 * (((i * 5 + i / 3) % 3) as f64 - 1.0);
        levels
            .enumerate()
            .map(|(i, level)| level * noise(i))
            .collect()
    }

    fn drift_of(values: &[f64]) -> Option<Drift> {
        let segmentation = segment::segment(values, &segment::Options::default()).unwrap();
        detect(values, &segmentation, &Options::default()).unwrap()
    }

    #[test]
    fn a_steady_rise_is_one_drift() {
        let values = with_noise((0..60).map(|i| 100.0 * 1.005_f64.powi(i)));
        let drift = drift_of(&values).unwrap();
        assert_eq!((drift.start, drift.runs), (0, 60));
        assert!((drift.change_per_run - 0.005).abs() < 0.0005, "{drift:?}");
        // 1.005⁵⁹ = 1.342.
        assert!((drift.change - 0.342).abs() < 0.03, "{drift:?}");
        assert!(!drift.replaces.is_empty());
    }

    #[test]
    fn a_step_is_no_drift() {
        let values = with_noise((0..60).map(|i| if i < 30 { 100.0 } else { 120.0 }));
        assert_eq!(drift_of(&values), None);
    }

    #[test]
    fn a_drift_after_a_step_keeps_the_step() {
        let level = |i: i32| match i {
            ..20 => 300.0,
            _ => 100.0 * 1.006_f64.powi(i - 20),
        };
        let drift = drift_of(&with_noise((0..60).map(level))).unwrap();
        assert_eq!(drift.start, 20);
        assert!(!drift.replaces.contains(&20));
    }

    #[test]
    fn a_rise_within_the_margin_is_none() {
        let values = with_noise((0..60).map(|i| 100.0 * 1.0005_f64.powi(i)));
        assert_eq!(drift_of(&values), None);
    }

    #[test]
    fn seven_runs_are_not_enough() {
        assert_eq!(drift_of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), None);
    }
}
