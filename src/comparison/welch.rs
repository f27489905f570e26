//! Welch's t on logarithms: k runs against k runs.

use super::distribution::{student_t_sf, student_t_upper};
use super::shortfall::Shortfall;

/// What Welch's t says about run-level values of two sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Welch {
    /// Difference of the mean logarithms, current − baseline: the log of the ratio of geometric means.
    pub difference: f64,
    /// Standard error of the difference, in logs.
    pub standard_error: f64,
    /// Welch–Satterthwaite degrees of freedom.
    pub degrees_of_freedom: f64,
    /// Difference divided by its standard error.
    pub t: f64,
    /// One-sided p: the chance of at least this much more, were there no change.
    pub p_greater: f64,
    /// One-sided p of at least this much less.
    pub p_less: f64,
    /// Two-sided p.
    pub p_two_sided: f64,
    /// Lower bound of the difference, in logs; the truth is below it with probability `alpha`.
    pub lower: f64,
    /// Upper bound of the difference, in logs.
    pub upper: f64,
}

/// Compares positive run-level values (one per run, any unit) on their logarithms.
///
/// d = mean ln y − mean ln x; se² = `s_x²/k_x` + `s_y²/k_y`; df = se⁴ / Σ (s²/k)² / (k − 1) (Welch 1947, Biometrika 34).
/// The interval is d ± t(1 − `alpha`; df) · se.
///
/// `sd_floor` is the least standard deviation of a log value that the source's rounding allows (step / √12 / value,
/// see [`super::rounding::Rounded::sd_floor`]); 0 for exact values.
pub fn of_logs(
    baseline: &[f64],
    current: &[f64],
    alpha: f64,
    sd_floor: f64,
) -> Result<Welch, Shortfall> {
    if !(alpha > 0.0 && alpha < 1.0 && sd_floor >= 0.0) {
        return Err(Shortfall::OutOfDomain);
    }
    let x = Side::of(baseline, sd_floor)?;
    let y = Side::of(current, sd_floor)?;
    let squared = x.squared_error + y.squared_error;
    if squared <= 0.0 {
        return Err(Shortfall::NoVariance);
    }
    let degrees_of_freedom = squared.powi(2) / (x.share_of_df() + y.share_of_df());
    let standard_error = squared.sqrt();
    let difference = y.mean - x.mean;
    let t = difference / standard_error;
    let reach = student_t_upper(alpha, degrees_of_freedom) * standard_error;
    Ok(Welch {
        difference,
        standard_error,
        degrees_of_freedom,
        t,
        p_greater: student_t_sf(t, degrees_of_freedom),
        p_less: student_t_sf(-t, degrees_of_freedom),
        p_two_sided: (2.0 * student_t_sf(t.abs(), degrees_of_freedom)).min(1.0),
        lower: difference - reach,
        upper: difference + reach,
    })
}

/// The mean of one side's logarithms and the squared error of that mean.
struct Side {
    runs: usize,
    mean: f64,
    squared_error: f64,
}

impl Side {
    fn of(values: &[f64], sd_floor: f64) -> Result<Self, Shortfall> {
        if values.len() < 2 {
            return Err(Shortfall::TooFewRuns {
                runs: values.len(),
                needed: 2,
            });
        }
        if values.iter().any(|v| !(v.is_finite() && *v > 0.0)) {
            return Err(Shortfall::NotPositive);
        }
        let k = values.len() as f64;
        // Around the first value, so that equal values have exactly no variance.
        let origin = values[0].ln();
        let logs: Vec<f64> = values.iter().map(|v| v.ln() - origin).collect();
        let mean = logs.iter().sum::<f64>() / k;
        let variance = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (k - 1.0);
        Ok(Self {
            runs: values.len(),
            mean: origin + mean,
            squared_error: variance.max(sd_floor * sd_floor) / k,
        })
    }

    fn share_of_df(&self) -> f64 {
        self.squared_error.powi(2) / (self.runs as f64 - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_against_two_by_hand() {
        // ln x = 0, 2; ln y = 3, 5: d = 3, s² = 2 each, se² = 2/2 + 2/2 = 2, df = 4 / (1 + 1) = 2.
        let e = std::f64::consts::E;
        let w = of_logs(&[1.0, e.powi(2)], &[e.powi(3), e.powi(5)], 0.05, 0.0).expect("variance");
        assert!((w.difference - 3.0).abs() < 1e-12);
        assert!((w.standard_error - 2_f64.sqrt()).abs() < 1e-12);
        assert!((w.degrees_of_freedom - 2.0).abs() < 1e-12);
        // t = 3/√2; P(T₂ > t) = ½ (1 − t/√(2 + t²)) = ½ (1 − 3/√13).
        let p = 0.5 * (1.0 - 3.0 / 13_f64.sqrt());
        assert!((w.p_greater - p).abs() < 1e-12);
        assert!((w.p_less - (1.0 - p)).abs() < 1e-12);
        assert!((w.p_two_sided - 2.0 * p).abs() < 1e-12);
        // t(0.95; 2) = 2.919985580.
        assert!((w.upper - (3.0 + 2.919_985_580 * 2_f64.sqrt())).abs() < 1e-8);
        assert!((w.upper + w.lower - 6.0).abs() < 1e-12);
    }

    #[test]
    fn one_value_is_too_few_runs() {
        let why = of_logs(&[100.0], &[101.0, 102.0], 0.01, 0.0);
        assert_eq!(why, Err(Shortfall::TooFewRuns { runs: 1, needed: 2 }));
    }

    #[test]
    fn empty_is_too_few_runs() {
        let why = of_logs(&[], &[], 0.01, 0.0);
        assert_eq!(why, Err(Shortfall::TooFewRuns { runs: 0, needed: 2 }));
    }

    #[test]
    fn all_equal_has_no_variance() {
        let why = of_logs(&[210.0; 3], &[220.0; 3], 0.01, 0.0);
        assert_eq!(why, Err(Shortfall::NoVariance));
    }

    #[test]
    fn all_equal_rounded_values_have_their_rounding_as_noise() {
        // Floor 0.02 a run: se = 0.02 √(2/3), df = 4.
        let w = of_logs(&[210.0; 3], &[220.0; 3], 0.01, 0.02).expect("floored");
        assert!((w.standard_error - 0.02 * (2.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert!((w.degrees_of_freedom - 4.0).abs() < 1e-12);
    }

    #[test]
    fn one_constant_side_still_has_an_answer() {
        // Only x varies: df = k_x − 1 = 2.
        let w = of_logs(&[100.0, 110.0, 120.0], &[130.0; 3], 0.01, 0.0).expect("variance");
        assert!((w.degrees_of_freedom - 2.0).abs() < 1e-12);
    }

    #[test]
    fn zero_has_no_logarithm() {
        let why = of_logs(&[0.0, 1.0], &[1.0, 2.0], 0.01, 0.0);
        assert_eq!(why, Err(Shortfall::NotPositive));
    }

    #[test]
    fn a_level_of_zero_is_out_of_domain() {
        let why = of_logs(&[1.0, 2.0], &[1.0, 2.0], 0.0, 0.0);
        assert_eq!(why, Err(Shortfall::OutOfDomain));
    }
}
