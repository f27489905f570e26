//! The newest run's failures against those of the current segment.
//!
//! Failures come in bursts, so that runs differ more than a binomial would have it. How much more is Pearson's dispersion
//! φ = χ² / degrees of freedom of the earlier runs, at least 1 (P. `McCullagh` and J. A. Nelder, *Generalized Linear Models*, 1989,
//! section 4.5). The difference is judged three times: by the score statistic with variance φ on Student's t; by Fisher's
//! exact test on counts thinned by φ, which holds where failures are few; and by a prediction interval on a scale where
//! ratios are not skewed, which holds where a few runs have very many. The largest p counts: of runs whose ratio varies by
//! half, the first two alone call 3 % of unchanged runs worse, not 1 %.

use super::{MIN_RUNS, NotEnoughData, Side};
use crate::comparison::distribution::{student_t_sf, student_t_upper};
use crate::comparison::errors::fisher_exact;
use crate::history::counts::Failures;

/// Failures per run from which on a ratio's logarithm is close to normal.
const FEW: f64 = 20.0;

/// What counts as outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Probability of an unchanged run beyond one end of the interval, 0 to 0.5.
    pub alpha: f64,
    /// Smallest difference of the ratios that matters: 0.001 for 0.1 percentage points.
    pub margin: f64,
}

impl Default for Options {
    /// One in a hundred, 0.1 percentage points.
    fn default() -> Self {
        Self {
            alpha: 0.01,
            margin: 0.001,
        }
    }
}

/// The newest run's failure ratio and what the earlier ones predict, ratios 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct FailurePrediction {
    /// Runs of the current segment that predict it.
    pub runs: usize,
    /// The newest run's ratio.
    pub value: f64,
    /// Failures over requests of the current segment.
    pub expected: f64,
    /// Lower end of the interval, not below 0.
    pub lower: f64,
    /// Upper end of the interval, not above 1.
    pub upper: f64,
    /// φ: how many times the variance between runs is that of a binomial.
    pub dispersion: f64,
    /// Where the newest run lies.
    pub side: Side,
    /// Whether the difference is at least the margin.
    pub beyond_margin: bool,
    /// Smallest rise of the ratio that would be outside with probability 0.8, roughly (on a normal).
    pub minimum_detectable: f64,
    /// One-sided p-value that the ratio is higher than predicted.
    pub p_above: f64,
    /// One-sided p-value that it is lower.
    pub p_below: f64,
}

/// Judges `newest` by the last of the `segments`, each the runs of one level in order; the others lend their noise.
pub fn predict(
    segments: &[&[Failures]],
    newest: Failures,
    options: &Options,
) -> Result<FailurePrediction, NotEnoughData> {
    let current = segments.last().copied().unwrap_or_default();
    let (degrees, dispersion) = dispersion(segments);
    let (failures, requests) = sum(current);
    if degrees + 1 < MIN_RUNS || requests == 0 || newest.requests == 0 {
        return Err(NotEnoughData::FewRuns {
            runs: degrees + usize::from(degrees > 0),
            required: MIN_RUNS,
        });
    }
    let df = degrees as f64;
    let (n, new) = (requests as f64, newest.requests as f64);
    let (expected, value) = (failures as f64 / n, newest.ratio());
    let error = |p: f64| (dispersion * p * (1.0 - p) * (1.0 / n + 1.0 / new)).sqrt();
    let together = (failures + newest.failures) as f64 / (n + new);
    let t = match error(together) {
        0.0 => 0.0,
        error => (value - expected) / error,
    };
    let thinned = |k: u64, n: u64| {
        let k = (k as f64 / dispersion).round();
        let n = (n as f64 / dispersion).round().max(k);
        (k as u64, (n - k) as u64)
    };
    let exact = fisher_exact(
        thinned(failures, requests),
        thinned(newest.failures, newest.requests),
    );
    let unskewed = unskewed_t(segments, newest, df);
    let p_above = [t, unskewed].map(|t| student_t_sf(t, df));
    let p_above = p_above.into_iter().fold(exact.p_greater, f64::max);
    let p_below = [-t, -unskewed].map(|t| student_t_sf(t, df));
    let p_below = p_below.into_iter().fold(exact.p_less, f64::max);
    let side = match (p_above, p_below) {
        (above, _) if above <= options.alpha => Side::Above,
        (_, below) if below <= options.alpha => Side::Below,
        _ => Side::Inside,
    };
    // Two failures and four requests more (Agresti and Coull 1998), lest an interval about zero have no width.
    let spread = error((failures as f64 + 2.0) / (n + 4.0));
    let reach = student_t_upper(options.alpha, df) * spread;
    Ok(FailurePrediction {
        runs: current.len(),
        value,
        expected,
        lower: (expected - reach).max(0.0),
        upper: (expected + reach).min(1.0),
        dispersion,
        side,
        beyond_margin: (value - expected).abs() >= options.margin - 1e-12,
        minimum_detectable: reach + student_t_upper(0.2, df) * spread,
        p_above,
        p_below,
    })
}

/// The newest run's distance from the level on a scale where ratios are not skewed, in deviations of the prediction:
/// their logarithms where runs have [`FEW`] failures or more, else angles 2·arcsin √ratio, which zero has too. The
/// variance is at least a binomial's on that scale: 1 / failures, or 1 / requests (Anscombe 1948).
fn unskewed_t(segments: &[&[Failures]], newest: Failures, df: f64) -> f64 {
    let current = segments.last().copied().unwrap_or_default();
    let runs = current.len().max(1) as f64;
    let failures = sum(current).0 as f64 / runs;
    let logs = failures >= FEW;
    let scaled = |run: &Failures| {
        if logs {
            ((run.failures as f64 + 0.5) / (run.requests as f64 + 0.5)).ln()
        } else {
            2.0 * run.ratio().clamp(0.0, 1.0).sqrt().asin()
        }
    };
    let mut squares = 0.0;
    let mut level = 0.0;
    for runs in segments.iter().filter(|runs| !runs.is_empty()) {
        let values: Vec<f64> = runs.iter().map(scaled).collect();
        level = values.iter().sum::<f64>() / values.len() as f64;
        squares += values.iter().map(|v| (v - level).powi(2)).sum::<f64>();
    }
    let binomial = if logs {
        1.0 / failures
    } else {
        1.0 / newest.requests as f64
    };
    let variance = (squares / df).max(binomial) * (1.0 + 1.0 / runs);
    (scaled(&newest) - level) / variance.sqrt()
}

/// How many of the runs of a level may predict the next, as [`super::baseline`] has it: more failures are worse.
pub fn baseline(before: &[&[Failures]], level: &[Failures], options: &Options) -> usize {
    super::unresolved(level, |level, next| {
        let segments = [before, &[level]].concat();
        predict(&segments, next, options)
            .is_ok_and(|found| found.side == Side::Above && found.beyond_margin)
    })
}

/// Degrees of freedom and φ of all segments together, each about its own ratio.
fn dispersion(segments: &[&[Failures]]) -> (usize, f64) {
    let mut degrees = 0;
    let mut chi_squared = 0.0;
    for runs in segments {
        let (failures, requests) = sum(runs);
        degrees += runs
            .iter()
            .filter(|run| run.requests > 0)
            .count()
            .saturating_sub(1);
        let ratio = failures as f64 / requests.max(1) as f64;
        let variance = ratio * (1.0 - ratio);
        if variance > 0.0 {
            chi_squared += runs
                .iter()
                .map(|run| {
                    let n = run.requests as f64;
                    (run.failures as f64 - n * ratio).powi(2)
                        / (n * variance).max(f64::MIN_POSITIVE)
                })
                .sum::<f64>();
        }
    }
    (degrees, (chi_squared / degrees.max(1) as f64).max(1.0))
}

fn sum(runs: &[Failures]) -> (u64, u64) {
    let failures = runs.iter().map(|run| run.failures).sum();
    let requests = runs.iter().map(|run| run.requests).sum();
    (failures, requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(failures: u64) -> Failures {
        Failures {
            failures,
            requests: 1000,
        }
    }

    fn predicted(earlier: &[u64], newest: u64) -> FailurePrediction {
        let runs: Vec<Failures> = earlier.iter().map(|k| of(*k)).collect();
        predict(&[&runs], of(newest), &Options::default()).unwrap()
    }

    #[test]
    fn dispersion_of_two_and_four() {
        // Mean 3 of 1000: each χ² is 1 / (1000 · 0.003 · 0.997) = 0.33434; six of them over 5 are below 1.
        let calm = predicted(&[2, 4, 2, 4, 2, 4], 3);
        assert_eq!((calm.dispersion, calm.side), (1.0, Side::Inside));
        // Mean 10: 81/9.9 for each of six: 49.0909 / 5 = 9.81818.
        let bursts = predicted(&[1, 19, 1, 19, 1, 19], 10);
        assert!((bursts.dispersion - 9.818_18).abs() < 1e-5, "{bursts:?}");
    }

    #[test]
    fn failures_out_of_nothing() {
        let one = predicted(&[0; 8], 1);
        assert_eq!(one.side, Side::Inside);
        let many = predicted(&[0; 8], 10);
        assert_eq!((many.side, many.beyond_margin), (Side::Above, true));
        assert!(many.upper < 0.01 && many.lower == 0.0);
    }

    #[test]
    fn bursts_are_not_a_change() {
        // 30 of 1000 would be far from 10 of a binomial, but these runs vary threefold.
        assert_eq!(predicted(&[1, 19, 1, 19, 1, 19], 25).side, Side::Inside);
        assert_eq!(predicted(&[9, 11, 10, 9, 11, 10], 30).side, Side::Above);
    }

    #[test]
    fn earlier_levels_lend_their_noise() {
        let before = [of(10), of(11), of(9), of(10)];
        let current = [of(50), of(52)];
        let newest = predict(&[&before, &current], of(51), &Options::default()).unwrap();
        assert_eq!((newest.runs, newest.side), (2, Side::Inside));
        assert!(predict(&[&current], of(51), &Options::default()).is_err());
    }
}
