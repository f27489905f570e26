//! What the number of requests can say about a quantile: order-statistic intervals and the Harrell–Davis estimate.

use super::distribution::{binomial_cdf, regularised_beta};

/// Ranks (from 1) of the ordered values that bound a quantile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranks {
    /// Rank of the lower bound; `None` if even the smallest value is not surely below.
    pub lower: Option<u64>,
    /// Rank of the upper bound; `None` if even the largest value is not surely above.
    pub upper: Option<u64>,
    /// Chance that the quantile lies between them, an absent bound being infinite (probability).
    pub coverage: f64,
}

/// Equal-tailed distribution-free interval of the `q` quantile of `n` independent values.
///
/// With B binomial(n, q): the lower rank is the largest l with P(B < l) ≤ `alpha`, the upper the smallest u with
/// P(B ≥ u) ≤ `alpha` (Hahn and Meeker, Statistical Intervals, section 5.2). `q` and `alpha` between 0 and 1, exclusive.
pub fn order_statistic_ranks(n: u64, q: f64, alpha: f64) -> Ranks {
    // Smallest k in 0..=n for which P(B ≤ k) passes; n always does, its probability being 1.
    let first = |passes: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = u64::midpoint(low, high);
            if passes(binomial_cdf(middle, n, q)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    };
    // P(B ≤ l − 1) ≤ alpha holds up to just before the first k above alpha, so l is that k (0: no bound).
    let lower = first(&|p| p > alpha);
    let upper = first(&|p| p >= 1.0 - alpha) + 1;
    let below = lower.checked_sub(1).map_or(0.0, |k| binomial_cdf(k, n, q));
    Ranks {
        lower: (lower >= 1).then_some(lower),
        upper: (upper <= n).then_some(upper),
        coverage: binomial_cdf(upper - 1, n, q) - below,
    }
}

/// The fewest independent values for which both bounds of the `q` quantile exist, each with error `alpha`.
///
/// The smallest n with max(q, 1 − q)^n ≤ `alpha`: at `alpha` 0.025 (a 95 % interval) 6, 36, 72, 368 and 3,688 for
/// p50, p90, p95, p99 and p99.9. Divide requests by the design effect before comparing. Both arguments between 0 and 1,
/// exclusive.
pub fn fewest_values(q: f64, alpha: f64) -> u64 {
    let rarer = q.max(1.0 - q);
    let n = (alpha.ln() / rarer.ln()).ceil().max(1.0);
    // The quotient of two rounded logarithms may be one off at an exact power.
    if n > 1.0 && rarer.powf(n - 1.0) <= alpha {
        n as u64 - 1
    } else {
        n as u64
    }
}

/// Bounds of a quantile within one run, in the unit of its values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileBounds {
    /// Lower bound.
    pub lower: Option<f64>,
    /// Upper bound.
    pub upper: Option<f64>,
}

/// The order-statistic interval of the `q` quantile of `n` counted values (ascending) that are worth only
/// `effective` independent ones.
///
/// The ranks are those of ⌊`effective`⌋ values; rank r of them is the value a share (r − 1) / (⌊effective⌋ − 1) of the
/// way through the run's own values, rounded outwards.
pub fn quantile_bounds(
    counted: impl Iterator<Item = (f64, u64)>,
    n: u64,
    effective: f64,
    q: f64,
    alpha: f64,
) -> QuantileBounds {
    let worth = (effective.max(0.0).floor() as u64).min(n);
    let nothing = QuantileBounds {
        lower: None,
        upper: None,
    };
    if worth < 2 {
        return nothing;
    }
    let ranks = order_statistic_ranks(worth, q, alpha);
    let stretch = |rank: u64| (rank - 1) as f64 * (n - 1) as f64 / (worth - 1) as f64;
    let lower_at = ranks.lower.map(|r| stretch(r).floor() as u64);
    let upper_at = ranks.upper.map(|r| (stretch(r).ceil() as u64).min(n - 1));
    let mut bounds = nothing;
    let mut seen = 0;
    for (value, count) in counted {
        seen += count;
        if bounds.lower.is_none() && lower_at.is_some_and(|at| seen > at) {
            bounds.lower = Some(value);
        }
        if bounds.upper.is_none() && upper_at.is_some_and(|at| seen > at) {
            bounds.upper = Some(value);
        }
    }
    bounds
}

/// The Harrell–Davis estimate of the `q` quantile of `n` counted values in ascending order.
///
/// Every ordered value weighs `I_{i/n}(a, b) − I_{(i−1)/n}(a, b)`, a = (n + 1) q, b = (n + 1)(1 − q) (Harrell and
/// Davis 1982, Biometrika 69). `None` without values or with q outside 0..1.
pub fn harrell_davis(counted: impl Iterator<Item = (f64, u64)>, n: u64, q: f64) -> Option<f64> {
    if n == 0 || !(q > 0.0 && q < 1.0) {
        return None;
    }
    let (a, b) = ((n + 1) as f64 * q, (n + 1) as f64 * (1.0 - q));
    let mut seen = 0;
    let mut below = 0.0;
    let mut estimate = 0.0;
    for (value, count) in counted {
        seen += count;
        let up_to = regularised_beta(a, b, seen as f64 / n as f64);
        estimate += value * (up_to - below);
        below = up_to;
    }
    Some(estimate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_six_is_between_the_extremes() {
        // P(B < 1) = 2^-6 = 0.0156 ≤ 0.025; P(B < 2) = 7/64: ranks 1 and 6, coverage 1 − 2/64.
        let ranks = order_statistic_ranks(6, 0.5, 0.025);
        assert_eq!((ranks.lower, ranks.upper), (Some(1), Some(6)));
        assert!((ranks.coverage - 62.0 / 64.0).abs() < 1e-14);
    }

    #[test]
    fn median_of_five_has_no_bounds() {
        let ranks = order_statistic_ranks(5, 0.5, 0.025);
        assert_eq!((ranks.lower, ranks.upper), (None, None));
    }

    #[test]
    fn one_value_has_no_bounds() {
        let bounds = quantile_bounds([(5.0, 1)].into_iter(), 1, 1.0, 0.5, 0.025);
        assert_eq!((bounds.lower, bounds.upper), (None, None));
    }

    #[test]
    fn all_equal_bound_themselves() {
        let bounds = quantile_bounds([(5.0, 100)].into_iter(), 100, 100.0, 0.5, 0.025);
        assert_eq!((bounds.lower, bounds.upper), (Some(5.0), Some(5.0)));
    }

    #[test]
    fn fewer_effective_values_bound_less_closely() {
        // 1..=100: ranks 40 and 61 of 100; worth 6 of them, only the extremes.
        let values = || (1..=100).map(|v| (f64::from(v), 1));
        let full = quantile_bounds(values(), 100, 100.0, 0.5, 0.025);
        assert_eq!((full.lower, full.upper), (Some(40.0), Some(61.0)));
        let thin = quantile_bounds(values(), 100, 6.0, 0.5, 0.025);
        assert_eq!((thin.lower, thin.upper), (Some(1.0), Some(100.0)));
    }

    #[test]
    fn fewest_values_of_shown_quantiles() {
        let of = |alpha| [0.5, 0.9, 0.95, 0.99, 0.999].map(|q| fewest_values(q, alpha));
        assert_eq!(of(0.025), [6, 36, 72, 368, 3688]);
        assert_eq!(of(0.005), [8, 51, 104, 528, 5296]);
        // Exact powers: 0.5^3 = 0.125.
        assert_eq!(fewest_values(0.5, 0.125), 3);
    }

    #[test]
    fn harrell_davis_of_two_values_is_their_mean() {
        let hd = harrell_davis([(1.0, 1), (3.0, 1)].into_iter(), 2, 0.5).expect("values");
        assert!((hd - 2.0).abs() < 1e-14);
    }

    #[test]
    fn harrell_davis_counts_repeated_values() {
        let counted = harrell_davis([(1.0, 2), (4.0, 1)].into_iter(), 3, 0.9).expect("values");
        let single = harrell_davis([(1.0, 1), (1.0, 1), (4.0, 1)].into_iter(), 3, 0.9);
        assert!((counted - single.expect("values")).abs() < 1e-14);
    }

    #[test]
    fn harrell_davis_of_nothing() {
        assert_eq!(harrell_davis(std::iter::empty(), 0, 0.5), None);
    }
}
