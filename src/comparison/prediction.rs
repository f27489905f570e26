//! One run against several: where the next run of the same code would lie.

use super::distribution::student_t_upper;
use super::run_pair::BetweenRuns;
use super::shortfall::Shortfall;

/// The log distance of one run from the others, and how far it may be by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// ln(one) − mean ln(others).
    pub difference: f64,
    /// s √(1 + 1/n).
    pub standard_error: f64,
    /// t(1 − alpha; n − 1) times the standard error.
    pub reach: f64,
    /// The others' deviation, with n − 1 degrees of freedom.
    pub noise: BetweenRuns,
}

/// The log-t prediction interval of one run from n ≥ 2 positive values (Hahn and Meeker, Statistical Intervals, 4.8).
///
/// `sd_floor` is the least deviation that the source's rounding allows.
pub fn of_log(
    others: &[f64],
    one: f64,
    sd_floor: f64,
    alpha: f64,
) -> Result<Prediction, Shortfall> {
    if others.len() < 2 {
        return Err(Shortfall::TooFewRuns {
            runs: others.len(),
            needed: 2,
        });
    }
    if !others
        .iter()
        .chain([&one])
        .all(|v| v.is_finite() && *v > 0.0)
    {
        return Err(Shortfall::NotPositive);
    }
    let n = others.len() as f64;
    // Around the first value, so that equal values have exactly no variance.
    let logs: Vec<f64> = others.iter().map(|v| (v / others[0]).ln()).collect();
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let sigma = variance.sqrt().max(sd_floor);
    if sigma <= 0.0 {
        return Err(Shortfall::NoVariance);
    }
    let standard_error = sigma * (1.0 + 1.0 / n).sqrt();
    Ok(Prediction {
        difference: (one / others[0]).ln() - mean,
        standard_error,
        reach: student_t_upper(alpha, n - 1.0) * standard_error,
        noise: BetweenRuns {
            sigma,
            degrees_of_freedom: n - 1.0,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_runs_predict_the_next() {
        // Logs −0.1, 0, 0, 0, 0.1: mean 0, s² = 0.02 / 4, s = 0.070711; se = s √1.2 = 0.077460;
        // t(0.99; 4) = 3.746947, so the next run lies within ±0.290237.
        let others: Vec<f64> = [-0.1_f64, 0.0, 0.0, 0.0, 0.1].map(f64::exp).to_vec();
        let p = of_log(&others, 0.3_f64.exp(), 0.0, 0.01).expect("five runs");
        assert!((p.difference - 0.3).abs() < 1e-12);
        assert!((p.noise.sigma - 0.005_f64.sqrt()).abs() < 1e-12);
        assert!((p.reach - 0.290_237_3).abs() < 1e-6, "{}", p.reach);
    }

    #[test]
    fn one_run_predicts_nothing() {
        let few = Shortfall::TooFewRuns { runs: 1, needed: 2 };
        assert_eq!(of_log(&[1.0], 2.0, 0.0, 0.01), Err(few));
        assert_eq!(
            of_log(&[1.0, 1.0], 2.0, 0.0, 0.01),
            Err(Shortfall::NoVariance)
        );
        assert_eq!(
            of_log(&[1.0, 0.0], 2.0, 0.0, 0.01),
            Err(Shortfall::NotPositive)
        );
        assert!(of_log(&[1.0, 1.0], 2.0, 0.1, 0.01).is_ok());
    }
}
