//! Analysis of covariance: the difference of two sides at equal values of a covariate.

use super::distribution::{student_t_sf, student_t_upper};
use super::shortfall::Shortfall;

/// Coefficients that are estimated: level, side, slope.
const COEFFICIENTS: usize = 3;
/// Share of the side's and the covariate's squares below which what one leaves of the other is rounding, not data.
const COLLINEAR: f64 = 1e-9;

/// The effect of the side on a figure, at equal values of the covariate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Coefficient of the side: current − baseline, in the figure's unit.
    pub effect: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Observations − 3.
    pub degrees_of_freedom: f64,
    /// What one unit of the covariate adds to the figure.
    pub slope: f64,
    /// Standard deviation of what side and covariate leave unexplained.
    pub residual: f64,
}

/// Fits y = a + b · side + c · x by ordinary least squares; `current[i]` says on which side observation i is.
///
/// With S the centred sums of squares and products of side s, covariate x and figure y, D = `S_ss S_xx − S_sx²`:
/// b = (`S_xx S_sy − S_sx S_xy`) / D, c = (`S_ss S_xy − S_sx S_sy`) / D, se(b)² = r² `S_xx` / D, where r² is the residual
/// sum of squares over n − 3 (Cochran 1957, Biometrics 13, 261; Draper and Smith, Applied Regression Analysis, 14.6).
/// One observation on one side is allowed: it is then compared with what the line through the others predicts.
///
/// `sd_floor` is the least residual deviation that the source's rounding allows; 0 for exact values.
pub fn adjusted(
    y: &[f64],
    current: &[bool],
    x: &[f64],
    sd_floor: f64,
) -> Result<Effect, Shortfall> {
    let n = y.len();
    if current.len() != n || x.len() != n || sd_floor.is_nan() || sd_floor < 0.0 {
        return Err(Shortfall::OutOfDomain);
    }
    if y.iter().chain(x).any(|v| !v.is_finite()) {
        return Err(Shortfall::NotPositive);
    }
    let now = current.iter().filter(|c| **c).count();
    if now == 0 || now == n || n <= COEFFICIENTS {
        return Err(Shortfall::TooFewRuns {
            runs: n,
            needed: COEFFICIENTS + 1,
        });
    }
    // In an order of their own, so that the order given does not show in the last bit of a sum.
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| {
        let sides = current[a].cmp(&current[b]);
        sides
            .then(y[a].total_cmp(&y[b]))
            .then(x[a].total_cmp(&x[b]))
    });
    let s = centred(order.iter().map(|&i| f64::from(u8::from(current[i]))));
    let x = centred(order.iter().map(|&i| x[i]));
    let y = centred(order.iter().map(|&i| y[i]));
    let (ss, xx, sx) = (product(&s, &s), product(&x, &x), product(&s, &x));
    let (sy, xy) = (product(&s, &y), product(&x, &y));
    let determinant = ss * xx - sx * sx;
    if determinant <= COLLINEAR * ss * xx {
        return Err(Shortfall::Collinear);
    }
    let effect = (xx * sy - sx * xy) / determinant;
    let slope = (ss * xy - sx * sy) / determinant;
    let left: f64 = (0..n)
        .map(|i| (y[i] - effect * s[i] - slope * x[i]).powi(2))
        .sum();
    let degrees_of_freedom = (n - COEFFICIENTS) as f64;
    // Squares that are nothing but the rounding of floats are none.
    let left = if left <= 1e-24 * product(&y, &y) {
        0.0
    } else {
        left
    };
    let residual = (left / degrees_of_freedom).sqrt().max(sd_floor);
    if residual <= 0.0 {
        return Err(Shortfall::NoVariance);
    }
    Ok(Effect {
        effect,
        standard_error: residual * (xx / determinant).sqrt(),
        degrees_of_freedom,
        slope,
        residual,
    })
}

impl Effect {
    /// One-sided p of an effect of at least `effect`, were there none.
    pub fn p_of(&self, effect: f64) -> f64 {
        student_t_sf(effect / self.standard_error, self.degrees_of_freedom)
    }

    /// How far the bounds with error `alpha` each lie from the effect.
    pub fn reach(&self, alpha: f64) -> f64 {
        student_t_upper(alpha, self.degrees_of_freedom) * self.standard_error
    }
}

fn centred(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    // Around the first value, so that equal values are exactly zero.
    let origin = values[0];
    let mean = values.iter().map(|v| v - origin).sum::<f64>() / values.len() as f64;
    values.iter().map(|v| v - origin - mean).collect()
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDES: [bool; 6] = [false, false, false, true, true, true];

    #[test]
    fn three_against_three_by_hand() {
        // x = 0 1 2 in both sides, so that side and covariate are orthogonal: S_ss = 1.5, S_xx = 4, S_sx = 0.
        // y = 0 2 1 | 3 5 7: means 1 and 5, b = 4. S_xy = Σ (x − 1) y = (1 − 0) + (7 − 3) = 5, c = 1.25.
        // Left, y − mean of the side − 1.25 (x − 1):
        //   −1 + 1.25 = .25; 1; 0 − 1.25 = −1.25 | −2 + 1.25 = −.75; 0; 2 − 1.25 = .75.
        // Squares: .0625 + 1 + 1.5625 + .5625 + 0 + .5625 = 3.75; r² = 3.75 / 3 = 1.25; se² = 1.25 · 4 / 6 = 5/6.
        let y = [0.0, 2.0, 1.0, 3.0, 5.0, 7.0];
        let x = [0.0, 1.0, 2.0, 0.0, 1.0, 2.0];
        let fit = adjusted(&y, &SIDES, &x, 0.0).expect("varies");
        assert!((fit.effect - 4.0).abs() < 1e-12, "{fit:?}");
        assert!((fit.slope - 1.25).abs() < 1e-12);
        assert_eq!(fit.degrees_of_freedom, 3.0);
        assert!((fit.residual - 1.25_f64.sqrt()).abs() < 1e-12);
        assert!((fit.standard_error - (5.0_f64 / 6.0).sqrt()).abs() < 1e-12);
        // t(0.99; 3) = 4.540703.
        assert!((fit.reach(0.01) - 4.540_703 * fit.standard_error).abs() < 1e-5);
        // t = 4.381780; P(T₃ > t) = ½ − (atan(t/√3) + √3 t / (3 + t²)) / π = 0.011005.
        let t = 4.0 / (5.0_f64 / 6.0).sqrt();
        let root = 3.0_f64.sqrt();
        let p = 0.5 - ((t / root).atan() + root * t / (3.0 + t * t)) / std::f64::consts::PI;
        assert!((fit.p_of(4.0) - p).abs() < 1e-10);
        assert!((fit.p_of(-4.0) - (1.0 - p)).abs() < 1e-10);
    }

    #[test]
    fn what_the_covariate_explains_is_no_effect() {
        // y = 2 x + noise of .1 in a pattern that neither side nor x explains; the plain difference of means is 6.
        let x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let y = [0.1, 1.8, 4.1, 6.1, 7.8, 10.1];
        let fit = adjusted(&y, &SIDES, &x, 0.0).expect("varies");
        assert!(
            (fit.slope - 2.0).abs() < 1e-9 && fit.effect.abs() < 1e-9,
            "{fit:?}"
        );
    }

    #[test]
    fn one_run_is_compared_with_the_line_through_the_others() {
        // Others on x = 0 1 2 3 with y = 0 1 1 2 fit y = .1 + .6 x; at x = 4 that is 2.5, and 4 is 1.5 more.
        // Left −.1, .3, −.3, .1: r² = .2 / 2 = .1. Error of a prediction: r √(1 + 1/4 + (4 − 1.5)² / 5) = √.25.
        let y = [0.0, 1.0, 1.0, 2.0, 4.0];
        let x = [0.0, 1.0, 2.0, 3.0, 4.0];
        let fit = adjusted(&y, &[false, false, false, false, true], &x, 0.0).expect("varies");
        assert!((fit.effect - 1.5).abs() < 1e-12, "{fit:?}");
        assert!((fit.standard_error - 0.5).abs() < 1e-12);
        assert_eq!(fit.degrees_of_freedom, 2.0);
    }

    #[test]
    fn the_order_of_observations_changes_nothing() {
        let y = [0.3, 2.7, 1.1, 3.9, 5.2, 7.4];
        let x = [0.1, 1.3, 2.2, 0.4, 1.1, 2.9];
        let order = [4, 2, 0, 5, 3, 1];
        let of = |values: [f64; 6]| order.map(|i| values[i]);
        let turned = adjusted(&of(y), &order.map(|i| SIDES[i]), &of(x), 0.0);
        assert_eq!(turned, adjusted(&y, &SIDES, &x, 0.0));
    }

    #[test]
    fn a_covariate_that_is_the_side_is_collinear() {
        let x = SIDES.map(|c| f64::from(u8::from(c)) * 0.3);
        let y = [0.0, 2.0, 1.0, 3.0, 5.0, 7.0];
        assert_eq!(adjusted(&y, &SIDES, &x, 0.0), Err(Shortfall::Collinear));
        let constant = [4.2; 6];
        let why = adjusted(&y, &SIDES, &constant, 0.0);
        assert_eq!(why, Err(Shortfall::Collinear));
    }

    #[test]
    fn an_exact_fit_has_no_variance_but_that_of_rounding() {
        let x = [0.0, 1.0, 2.0, 0.0, 1.0, 2.0];
        let y = [1.0; 6];
        assert_eq!(adjusted(&y, &SIDES, &x, 0.0), Err(Shortfall::NoVariance));
        let fit = adjusted(&y, &SIDES, &x, 0.03).expect("floored");
        assert!((fit.standard_error - 0.03 * (4.0_f64 / 6.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn three_runs_or_one_side_are_too_few() {
        let few = |runs| Err(Shortfall::TooFewRuns { runs, needed: 4 });
        let three = adjusted(
            &[1.0, 2.0, 3.0],
            &[false, false, true],
            &[0.0, 1.0, 3.0],
            0.0,
        );
        assert_eq!(three, few(3));
        let one_side = adjusted(
            &[1.0, 2.0, 3.0, 4.0],
            &[true; 4],
            &[0.0, 1.0, 3.0, 2.0],
            0.0,
        );
        assert_eq!(one_side, few(4));
    }

    #[test]
    fn lengths_that_differ_are_out_of_domain() {
        let why = adjusted(&[1.0; 4], &[true; 3], &[0.0; 4], 0.0);
        assert_eq!(why, Err(Shortfall::OutOfDomain));
        let why = adjusted(&[f64::NAN; 6], &SIDES, &[0.0; 6], 0.0);
        assert_eq!(why, Err(Shortfall::NotPositive));
    }
}
