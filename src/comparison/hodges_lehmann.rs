//! The Hodges–Lehmann ratio with exact bounds: k runs against k runs, whatever the shape of the noise.

use super::mann_whitney::outermost_rank;
use super::shortfall::Shortfall;

/// The typical ratio of a current run to a baseline run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatioShift {
    /// Median of all pairwise log ratios ln(current / baseline).
    pub difference: f64,
    /// Lower bound of the difference, in logs.
    pub lower: f64,
    /// Upper bound of the difference, in logs.
    pub upper: f64,
    /// The error each bound really has (probability): at most `alpha`, as ranks come in steps.
    pub error: f64,
}

/// Median and bounds of the pairwise log ratios of positive run-level values (Hodges and Lehmann 1963).
///
/// The bounds are the ordered pairwise differences `D_(c)` and `D_(n+1−c)` (from 1), c − 1 the largest number with
/// P(U ≤ c − 1) ≤ `alpha` under Mann–Whitney's distribution (Lehmann, Nonparametrics, section 2.3). With ties the
/// closed interval errs less than stated. At `alpha` 0.01 it takes five runs a side.
///
/// Pragmastat's `ratio_bounds` (13.0.1, misrate = 2 `alpha`) lies one difference further in on either side: its
/// margin is the smallest c with P(U ≤ c) ≥ `alpha`, whose error is above `alpha`.
pub fn ratio_shift(baseline: &[f64], current: &[f64], alpha: f64) -> Result<RatioShift, Shortfall> {
    if !(alpha > 0.0 && alpha < 0.5) {
        return Err(Shortfall::OutOfDomain);
    }
    let differences = log_ratios(baseline, current)?;
    let rank = outermost_rank(baseline.len(), current.len(), alpha)?;
    let (lower, upper) = bounds_at(&differences, rank.outside);
    Ok(RatioShift {
        difference: median(&differences),
        lower,
        upper,
        error: rank.error,
    })
}

/// All ln(current / baseline), ascending; one for each pair of runs.
pub fn log_ratios(baseline: &[f64], current: &[f64]) -> Result<Vec<f64>, Shortfall> {
    if baseline.is_empty() || current.is_empty() {
        return Err(Shortfall::TooFewRuns { runs: 0, needed: 1 });
    }
    let logs = |values: &[f64]| -> Result<Vec<f64>, Shortfall> {
        values
            .iter()
            .map(|v| {
                (v.is_finite() && *v > 0.0)
                    .then(|| v.ln())
                    .ok_or(Shortfall::NotPositive)
            })
            .collect()
    };
    let (x, y) = (logs(baseline)?, logs(current)?);
    let mut differences: Vec<f64> = y
        .iter()
        .flat_map(|y| x.iter().map(move |x| y - x))
        .collect();
    differences.sort_by(f64::total_cmp);
    Ok(differences)
}

/// The ascending differences with `outside` of them cut off at either end: first and last of the rest.
pub fn bounds_at(differences: &[f64], outside: usize) -> (f64, f64) {
    let last = differences.len() - 1;
    let outside = outside.min(last / 2);
    (differences[outside], differences[last - outside])
}

fn median(ascending: &[f64]) -> f64 {
    let n = ascending.len();
    f64::midpoint(ascending[(n - 1) / 2], ascending[n / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_against_five_by_hand() {
        // ln x = 0..4, ln y = 10..14: differences 6 (once), 7 (twice) … 14; median 10.
        // P(U ≤ 1) = 2/252 ≤ 0.01, so one difference is cut off on each side: 7 and 13.
        let e = std::f64::consts::E;
        let x: Vec<f64> = (0..5).map(|i| e.powi(i)).collect();
        let y: Vec<f64> = (10..15).map(|i| e.powi(i)).collect();
        let shift = ratio_shift(&x, &y, 0.01).expect("five runs");
        assert!((shift.difference - 10.0).abs() < 1e-9);
        assert!((shift.lower - 7.0).abs() < 1e-9);
        assert!((shift.upper - 13.0).abs() < 1e-9);
        assert!((shift.error - 2.0 / 252.0).abs() < 1e-15);
    }

    #[test]
    fn all_equal_is_no_shift() {
        let shift = ratio_shift(&[5.0; 5], &[5.0; 5], 0.01).expect("five runs");
        assert_eq!(
            (shift.difference, shift.lower, shift.upper),
            (0.0, 0.0, 0.0)
        );
    }

    #[test]
    fn one_value_is_out_of_reach() {
        let why = ratio_shift(&[100.0], &[101.0], 0.01);
        assert_eq!(why, Err(Shortfall::AlphaOutOfReach { smallest: 0.5 }));
    }

    #[test]
    fn empty_is_too_few_runs() {
        let why = ratio_shift(&[], &[1.0], 0.01);
        assert_eq!(why, Err(Shortfall::TooFewRuns { runs: 0, needed: 1 }));
    }

    #[test]
    fn zero_has_no_logarithm() {
        let why = ratio_shift(&[0.0; 5], &[1.0; 5], 0.01);
        assert_eq!(why, Err(Shortfall::NotPositive));
    }
}
