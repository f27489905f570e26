//! How much a run resembles the one before, apart from changes of level.

use std::ops::Range;

/// Up to this estimate runs are taken for independent. Measured on 400 simulated series per case: 0.1 halves the false
/// alarms of 0.2 under a true correlation of 0.3, at one point of power.
pub const NEGLIGIBLE: f64 = 0.1;
/// The estimate may be too low, so it is raised by this many standard errors: measured to halve the false alarms once
/// more, at 5 to 8 points of power.
const EXCESS: f64 = 0.5;
/// The largest correlation that is told apart from a level that wanders without end.
const STRONGEST: f64 = 0.95;

/// The correlation to reckon with when `estimate` came from `runs` runs: zero if negligible, else half a standard error
/// (√1.5 / √n) more than estimated.
pub fn excessive(estimate: f64, runs: usize) -> f64 {
    if estimate <= NEGLIGIBLE {
        return 0.0;
    }
    let standard_error = (1.5 / runs as f64).sqrt();
    (estimate + EXCESS * standard_error).min(STRONGEST)
}

/// Lag-1 autocorrelation ρ of `values`, from the differences between runs of the same segment, so that a change of level
/// is not taken for correlation.
///
/// With `v[k]` the mean squared difference of runs k apart, an AR(1) process has `v[k]` = 2γ(1 − ρᵏ), hence
/// (v₂ + v₃) / v₁ = 2 + 2ρ + ρ², and ρ = √((v₂ + v₃) / v₁ − 1) − 1. Of independent runs its standard error is
/// √1.5 / √n; from v₂ / v₁ alone it would be √2 / √n. Between −1 and 0.95; zero if no segment has four runs, or if
/// nothing varies.
pub fn autocorrelation(values: &[f64], segments: &[Range<usize>]) -> f64 {
    let v = |lag: usize| {
        let squares = segments
            .iter()
            .flat_map(|segment| segment.clone().skip(lag))
            .map(|i| (values[i] - values[i - lag]).powi(2));
        mean(squares)
    };
    match (v(1), v(2), v(3)) {
        (Some(v1), Some(v2), Some(v3)) if v1 > 0.0 => {
            (((v2 + v3) / v1 - 1.0).max(0.0).sqrt() - 1.0).min(0.95)
        }
        _ => 0.0,
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
    (n > 0.0).then(|| sum / n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::random::Random;

    fn first_order(rho: f64) -> Vec<f64> {
        let mut random = Random::new(11);
        let mut value = random.normal();
        (0..4000)
            .map(|_| {
                value = rho * value + (1.0 - rho * rho).sqrt() * random.normal();
                value
            })
            .collect()
    }

    fn of_whole(values: &[f64]) -> f64 {
        autocorrelation(values, std::slice::from_ref(&(0..values.len())))
    }

    #[test]
    fn correlation_to_reckon_with() {
        // Half of √(1.5 / 24) = 0.25.
        assert_eq!(excessive(0.1, 24), 0.0);
        assert_eq!(excessive(0.5, 24), 0.625);
        assert_eq!(excessive(0.9, 24), 0.95);
    }

    #[test]
    fn correlation_of_a_zigzag() {
        // v₁ = 1, v₂ = 0, v₃ = 1: √(1 − 1) − 1.
        assert_eq!(of_whole(&[0.0, 1.0, 0.0, 1.0, 0.0, 1.0]), -1.0);
    }

    #[test]
    fn correlation_of_four_runs() {
        // v₁ = (1 + 4 + 1)/3 = 2, v₂ = (9 + 1)/2 = 5, v₃ = 4: √(9/2 − 1) − 1 = 0.870829.
        assert!((of_whole(&[0.0, 1.0, 3.0, 2.0]) - 0.870_829).abs() < 1e-6);
    }

    #[test]
    fn correlation_of_long_series() {
        assert!(of_whole(&first_order(0.0)).abs() < 0.06);
        assert!((of_whole(&first_order(0.6)) - 0.6).abs() < 0.06);
    }

    #[test]
    fn a_change_between_segments_is_not_correlation() {
        let mut values = first_order(0.0);
        for value in &mut values[2000..] {
            *value += 50.0;
        }
        assert!(of_whole(&values) > 0.2);
        assert!(autocorrelation(&values, &[0..2000, 2000..4000]).abs() < 0.06);
    }

    #[test]
    fn correlation_of_equal_and_of_few_runs() {
        assert_eq!(of_whole(&[5.0; 20]), 0.0);
        assert_eq!(of_whole(&[1.0, 2.0, 3.0]), 0.0);
        assert_eq!(of_whole(&[]), 0.0);
    }
}
