//! One run against one run: the noise within both, and between runs as far as it is known.

use super::distribution::{normal_sf, normal_upper, student_t_sf, student_t_upper};
use super::shortfall::Shortfall;

/// How runs of the same code differ from each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BetweenRuns {
    /// Standard deviation of ln(value) from run to run.
    pub sigma: f64,
    /// Degrees of freedom it was estimated with.
    pub degrees_of_freedom: f64,
}

/// The interval of a log difference of two single runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairInterval {
    /// ln(current / baseline), as given.
    pub difference: f64,
    /// Standard error, in logs.
    pub standard_error: f64,
    /// Lower bound, in logs.
    pub lower: f64,
    /// Upper bound, in logs.
    pub upper: f64,
    /// One-sided p of at least this much more, were there no change.
    pub p_greater: f64,
    /// Two-sided p.
    pub p_two_sided: f64,
}

/// d ± t · √(`se_b²` + `se_c²` + 2 sigma²), t with sigma's degrees of freedom; without sigma the normal's quantile,
/// and then the interval only says how sure the two runs are of themselves, not whether the code differs.
///
/// `baseline_error` and `current_error` are standard errors in logs, as [`super::sample`] has them.
pub fn pair_interval(
    difference: f64,
    baseline_error: f64,
    current_error: f64,
    noise: Option<BetweenRuns>,
    alpha: f64,
) -> Result<PairInterval, Shortfall> {
    let sigma = noise.map_or(0.0, |n| n.sigma);
    let known_df = noise.is_none_or(|n| n.degrees_of_freedom > 0.0);
    let errors = [baseline_error, current_error, sigma];
    if !(alpha > 0.0 && alpha < 0.5 && known_df && difference.is_finite())
        || errors.iter().any(|e| !(e.is_finite() && *e >= 0.0))
    {
        return Err(Shortfall::OutOfDomain);
    }
    let squares = baseline_error.powi(2) + current_error.powi(2) + 2.0 * sigma.powi(2);
    let standard_error = squares.sqrt();
    if standard_error <= 0.0 {
        return Err(Shortfall::NoVariance);
    }
    let tail =
        |t: f64| noise.map_or_else(|| normal_sf(t), |n| student_t_sf(t, n.degrees_of_freedom));
    let quantile = noise.map_or_else(
        || normal_upper(alpha),
        |n| student_t_upper(alpha, n.degrees_of_freedom),
    );
    let t = difference / standard_error;
    Ok(PairInterval {
        difference,
        standard_error,
        lower: difference - quantile * standard_error,
        upper: difference + quantile * standard_error,
        p_greater: tail(t),
        p_two_sided: (2.0 * tail(t.abs())).min(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_within_and_between_runs_by_hand() {
        // 0.03² + 0.04² + 2 × 0.05² = 0.0009 + 0.0016 + 0.005 = 0.0075; t(0.99; 4) = 3.746947.
        let noise = BetweenRuns {
            sigma: 0.05,
            degrees_of_freedom: 4.0,
        };
        let pair = pair_interval(0.1, 0.03, 0.04, Some(noise), 0.01).expect("errors");
        assert!((pair.standard_error - 0.0075_f64.sqrt()).abs() < 1e-15);
        assert!((pair.upper - (0.1 + 3.746_947 * 0.0075_f64.sqrt())).abs() < 1e-6);
        assert!((pair.upper + pair.lower - 0.2).abs() < 1e-14);
    }

    #[test]
    fn unknown_noise_leaves_the_runs_own() {
        // √(0.03² + 0.04²) = 0.05; z(0.975) = 1.959964.
        let pair = pair_interval(0.1, 0.03, 0.04, None, 0.025).expect("errors");
        assert!((pair.lower - (0.1 - 1.959_964 * 0.05)).abs() < 1e-7);
        // P(Z > 2) = 0.02275.
        assert!((pair.p_greater - 0.022_75).abs() < 1e-5);
        assert!((pair.p_two_sided - 0.0455).abs() < 1e-5);
    }

    #[test]
    fn all_equal_has_no_variance() {
        let why = pair_interval(0.1, 0.0, 0.0, None, 0.01);
        assert_eq!(why, Err(Shortfall::NoVariance));
    }

    #[test]
    fn an_infinite_difference_is_out_of_domain() {
        let why = pair_interval(f64::INFINITY, 0.1, 0.1, None, 0.01);
        assert_eq!(why, Err(Shortfall::OutOfDomain));
    }
}
