//! One run against one: a change so large that unchanged code does not explain it.
//!
//! How much runs of the same code differ is not known from two of them. Of 44 and 46 runs of unchanged code, on a quiet and
//! on a noisy machine, no ordered pair differs in any endpoint's median by more than a factor of 2.1, nor in its mean or
//! p95 by more than 2.8, once what the run's other endpoints did is taken off; without other endpoints to look at, by
//! 3.1 and 8.8 (`examples/comparison_rates.rs`).

use super::shortfall::Shortfall;
use super::{Comparison, EndpointComparison, Evidence, Row};
use crate::metric::Metric;
use crate::units::Unit;

/// Factors of a median beyond which it is far out, with other endpoints to look at and without.
const MEDIAN: (f64, f64) = (2.5, 4.0);
/// The same of any other figure.
const OTHER: (f64, f64) = (3.0, 10.0);
/// Requests a side from which such a factor is not that of a few slow requests, where the source does not say how sure it
/// is of the figure.
const REQUESTS: u64 = 100;

/// Whether the figure is so much worse that unchanged code does not explain it: by itself, or, of a response time, by the
/// endpoint's median.
///
/// It must be so in itself and against the other endpoints' mean change of the same figure, and the run's own sampling
/// error must not explain it. `turned`: asked in the direction that is better.
pub fn is_far_out(
    comparison: &Comparison,
    at: &EndpointComparison,
    row: &Row,
    turned: bool,
) -> bool {
    let of = |row: &Row| is_beyond(comparison, at, row, turned);
    of(row) || (row.metric.unit() == Unit::Time && at.row(&Metric::Quantile(0.5)).is_some_and(of))
}

fn is_beyond(comparison: &Comparison, at: &EndpointComparison, row: &Row, turned: bool) -> bool {
    let sign = if turned == row.metric.less_is_worse() {
        1.0
    } else {
        -1.0
    };
    let Some(own) = worst_case(row, sign) else {
        return false;
    };
    let others: Vec<f64> = comparison
        .endpoints
        .iter()
        .filter(|e| e.endpoint.is_some() && at.endpoint.is_some() && e.endpoint != at.endpoint)
        .filter_map(|e| logarithm(e.row(&row.metric)?))
        .map(|change| sign * change)
        .collect();
    let (with_others, alone) = match row.metric {
        Metric::Quantile(0.5) => MEDIAN,
        _ => OTHER,
    };
    let (least, factor) = if others.is_empty() {
        (own, alone)
    } else {
        let mean = others.iter().sum::<f64>() / others.len() as f64;
        (own.min(own - mean), with_others)
    };
    least > factor.ln() && is_sure(row, turned)
}

/// ln(current / baseline).
fn logarithm(row: &Row) -> Option<f64> {
    let (b, c) = (row.baseline.as_ref().ok()?, row.current.as_ref().ok()?);
    (*b > 0.0 && *c > 0.0).then(|| (c / b).ln())
}

/// The same with more being worse, at the bounds of rounding that are the kindest to the run.
fn worst_case(row: &Row, sign: f64) -> Option<f64> {
    logarithm(row)?;
    let ((b_low, b_high), (c_low, c_high)) = (row.baseline_range, row.current_range);
    let change = if sign > 0.0 {
        (c_low / b_high).ln()
    } else {
        (b_low / c_high).ln()
    };
    change.is_finite().then_some(change)
}

/// Whether the runs are sure enough of the figure itself.
fn is_sure(row: &Row, turned: bool) -> bool {
    let Evidence::Log(evidence) = row.evidence else {
        return false;
    };
    match evidence.difference {
        Ok(d) if turned => d.upper < 0.0,
        Ok(d) => d.lower > 0.0,
        Err(Shortfall::NothingOverTime) => {
            row.baseline_size.requests.min(row.current_size.requests) >= REQUESTS
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::fixture::{endpoint, run_of, with_mean};
    use crate::comparison::{Sample, Terms, compare};

    fn run(means: &[f64]) -> Sample {
        let mut run = run_of("/0", means[0], 0);
        for (i, mean) in means.iter().enumerate() {
            run.endpoints
                .insert(endpoint(&format!("/{i}")), with_mean(*mean, 0));
        }
        run
    }

    fn far_out(before: &[f64], now: &[f64]) -> bool {
        let terms = Terms {
            metrics: vec![Metric::Mean],
            of_total: Vec::new(),
            ..Terms::default()
        };
        let comparison = compare(&[run(before)], &[run(now)], &terms);
        let at = comparison.of(Some(&endpoint("/0"))).expect("compared");
        is_far_out(&comparison, at, &at.rows[0], false)
    }

    #[test]
    fn four_times_slower_is_far_out() {
        assert!(far_out(&[100.0, 50.0], &[400.0, 50.0]));
        assert!(!far_out(&[100.0, 50.0], &[280.0, 50.0]));
        assert!(!far_out(&[400.0, 50.0], &[100.0, 50.0]));
    }

    #[test]
    fn what_all_endpoints_do_is_the_machine() {
        assert!(!far_out(&[100.0, 50.0], &[400.0, 150.0]));
        // The others becoming faster makes nothing slower.
        assert!(!far_out(&[100.0, 200.0], &[110.0, 40.0]));
    }

    #[test]
    fn without_other_endpoints_it_takes_more() {
        assert!(!far_out(&[100.0], &[400.0]));
        assert!(far_out(&[100.0], &[1100.0]));
    }
}
