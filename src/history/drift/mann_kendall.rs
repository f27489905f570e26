//! Is there a trend, and how steep: Mann and Kendall, Theil and Sen.

use std::cmp::Ordering;

use statrs::function::erf::erfc;

use crate::history::effect::median;

/// Up to so many runs without ties the distribution of S is counted out.
const EXACT_RUNS: usize = 10;

/// The trend of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Pairs of runs that rise less pairs that fall: Kendall's S.
    pub s: i64,
    /// Two-sided p-value of S.
    pub p: f64,
    /// Median of the slopes of all pairs, in units of the values per run.
    pub slope: f64,
}

/// Tests `values` for a trend and measures it; None of fewer than two runs.
///
/// S has mean 0 and, g being the sizes of groups of ties, variance (n(n−1)(2n+5) − Σ g(g−1)(2g+5)) / 18; its p is that of
/// the normal with a continuity correction, or exact for up to ten runs without ties. Runs that resemble the run before
/// with the correlation ρ = `autocorrelation` are worth fewer: the variance is multiplied by (1 + ρ) / (1 − ρ), as for
/// the mean of an AR(1) process (Yue and Wang, *Water Resources Management* 2004).
pub fn mann_kendall(values: &[f64], autocorrelation: f64) -> Option<Trend> {
    let n = values.len();
    let mut s = 0;
    let mut slopes = Vec::with_capacity(n * n.saturating_sub(1) / 2);
    for (i, early) in values.iter().enumerate() {
        for (apart, late) in values[i + 1..].iter().enumerate() {
            s += match late.total_cmp(early) {
                Ordering::Greater => 1,
                Ordering::Equal => 0,
                Ordering::Less => -1,
            };
            slopes.push((late - early) / (apart + 1) as f64);
        }
    }
    if slopes.is_empty() {
        return None;
    }
    let groups = ties(values);
    let rho = autocorrelation.clamp(0.0, 0.99);
    let p = if n <= EXACT_RUNS && groups.is_empty() && rho <= 0.0 {
        exact(n, s)
    } else {
        approximate(n, s, &groups, (1.0 + rho) / (1.0 - rho))
    };
    Some(Trend {
        s,
        p,
        slope: median(&slopes),
    })
}

/// Sizes of the groups of equal values, of two or more.
fn ties(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let groups = sorted.chunk_by(|a, b| a.total_cmp(b).is_eq());
    groups.map(<[f64]>::len).filter(|size| *size > 1).collect()
}

fn approximate(n: usize, s: i64, groups: &[usize], inflation: f64) -> f64 {
    let part = |g: usize| (g * (g - 1) * (2 * g + 5)) as f64;
    let tied: f64 = groups.iter().map(|g| part(*g)).sum();
    let variance = (part(n) - tied) / 18.0 * inflation;
    if s == 0 || variance <= 0.0 {
        return 1.0;
    }
    let z = (s.abs() - 1) as f64 / variance.sqrt();
    erfc(z / std::f64::consts::SQRT_2)
}

/// P(|S| ≥ |s|) over all orders of n different values. An order with k falling pairs has S = n(n−1)/2 − 2k; the orders
/// of n values with k falling pairs are those of n − 1 with k − 0, …, k − (n − 1), the last value placed in each spot.
fn exact(n: usize, s: i64) -> f64 {
    let pairs = n * (n - 1) / 2;
    let mut orders = vec![0_u64; pairs + 1];
    orders[0] = 1;
    for size in 2..=n {
        let smaller = orders.clone();
        for (k, count) in orders.iter_mut().enumerate() {
            *count = smaller[k.saturating_sub(size - 1)..=k].iter().sum();
        }
    }
    let extreme = (pairs - s.unsigned_abs() as usize) / 2;
    let tail: u64 = orders[..=extreme].iter().sum();
    let all: u64 = orders.iter().sum();
    (2.0 * tail as f64 / all as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_rising_runs() {
        // S = 6; of 24 orders one rises throughout, one falls: p = 2/24. Slopes 1 1 1 1 1 1.
        let trend = mann_kendall(&[1.0, 2.0, 3.0, 4.0], 0.0).unwrap();
        assert_eq!((trend.s, trend.slope), (6, 1.0));
        assert!((trend.p - 2.0 / 24.0).abs() < 1e-12);
    }

    #[test]
    fn five_runs_with_one_fall() {
        // 1 2 4 3 5: 9 pairs rise, 1 falls, S = 8; orders of 5 with at most one falling pair: 1 + 4. p = 10/120.
        // Slopes 1 3/2 2/3 1 2 1/2 1 −1 1/2 2, sorted −1 ½ ½ ⅔ 1 1 1 3/2 2 2, median 1.
        let trend = mann_kendall(&[1.0, 2.0, 4.0, 3.0, 5.0], 0.0).unwrap();
        assert_eq!((trend.s, trend.slope), (8, 1.0));
        assert!((trend.p - 10.0 / 120.0).abs() < 1e-12);
    }

    #[test]
    fn ties_use_the_corrected_variance() {
        // 1 1 2 3: S = 5; (4·3·13 − 2·1·9)/18 = 138/18 = 7.666667; z = 4/2.768875 = 1.444630; p = 0.148562.
        let trend = mann_kendall(&[1.0, 1.0, 2.0, 3.0], 0.0).unwrap();
        assert_eq!(trend.s, 5);
        assert!((trend.p - 0.148_562).abs() < 1e-5, "{}", trend.p);
    }

    #[test]
    fn correlation_makes_a_trend_less_certain() {
        let rising: Vec<f64> = (0..12).map(f64::from).collect();
        let p = |rho| mann_kendall(&rising, rho).unwrap().p;
        // S = 66, variance 12·11·29/18 = 212.667; z = 65/14.5831 = 4.4572, or over √3 = 2.5734.
        assert!((p(0.0) - 8.303e-6).abs() < 1e-8, "{}", p(0.0));
        assert!((p(0.5) - 0.010_072).abs() < 1e-5, "{}", p(0.5));
    }

    #[test]
    fn no_trend_in_equal_runs() {
        let trend = mann_kendall(&[2.0; 6], 0.0).unwrap();
        assert_eq!((trend.s, trend.p, trend.slope), (0, 1.0, 0.0));
    }

    #[test]
    fn no_trend_of_one_run() {
        assert_eq!(mann_kendall(&[1.0], 0.0), None);
    }
}
