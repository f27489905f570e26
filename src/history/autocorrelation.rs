//! How much a run resembles the one before, seen through the steps between them.

use super::effect::deviation_by_steps;

/// Steps beyond this many robust deviations are changes of level, not noise, and are left out.
const STEP_LIMIT: f64 = 3.0;

/// Lag-1 autocorrelation of `values`, estimated from their differences so that a change of level does not count as
/// correlation: differences of an AR(1) process have the lag-1 autocorrelation r = −(1 − ρ)/2, hence ρ = 1 + 2r.
/// Between −1 and 0.95; zero with fewer than six runs, or if nothing varies.
pub fn autocorrelation(values: &[f64]) -> f64 {
    if values.len() < 6 {
        return 0.0;
    }
    let steps: Vec<f64> = values.windows(2).map(|w| w[1] - w[0]).collect();
    let limit = STEP_LIMIT * std::f64::consts::SQRT_2 * deviation_by_steps(values);
    let kept: Vec<Option<f64>> = steps
        .iter()
        .map(|step| (limit == 0.0 || step.abs() <= limit).then_some(*step))
        .collect();
    let squares = mean(kept.iter().flatten().map(|step| step * step));
    let products = mean(kept.windows(2).filter_map(|w| Some(w[0]? * w[1]?)));
    match (products, squares) {
        (Some(products), Some(squares)) if squares > 0.0 => {
            (1.0 + 2.0 * products / squares).clamp(-1.0, 0.95)
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
    use crate::history::random::Random;

    fn first_order(rho: f64, n: usize) -> Vec<f64> {
        let mut random = Random::new(11);
        let mut value = random.normal();
        (0..n)
            .map(|_| {
                value = rho * value + (1.0 - rho * rho).sqrt() * random.normal();
                value
            })
            .collect()
    }

    #[test]
    fn correlation_of_a_zigzag() {
        // Steps 1 −1 1 −1 1 −1 1: r = −1, ρ = −1.
        assert_eq!(
            autocorrelation(&[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]),
            -1.0
        );
    }

    #[test]
    fn correlation_of_long_series() {
        assert!(autocorrelation(&first_order(0.0, 4000)).abs() < 0.08);
        assert!((autocorrelation(&first_order(0.6, 4000)) - 0.6).abs() < 0.08);
    }

    #[test]
    fn a_step_is_not_correlation() {
        let mut values = first_order(0.0, 4000);
        for value in &mut values[2000..] {
            *value += 50.0;
        }
        assert!(autocorrelation(&values).abs() < 0.08);
    }

    #[test]
    fn correlation_of_equal_runs() {
        assert_eq!(autocorrelation(&[5.0; 20]), 0.0);
    }
}
