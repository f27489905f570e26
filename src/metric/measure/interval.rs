//! How far a percentile or a share may be off by chance: the 95 % interval of a gate's figure.
//!
//! Requests of one run depend on each other: one pause of the server slows many. So the interval rests on the effective
//! number of requests, the number of independent ones that would be as uncertain. It follows from how the share of requests
//! up to the percentile (or of those that failed) differs from second to second, by batch means (Law, *Simulation Modeling
//! and Analysis*, 9.5.3; for quantiles Woodruff 1952). The batches are few, so their own uncertainty is added by Student's t.
//! `cargo run --release --example interval_coverage` shows how often such intervals hold the true value.

use super::Z95;
use crate::comparison::batch_means::{Batch, batch_means_from};
use crate::comparison::distribution::student_t_upper;
use crate::comparison::interval::{QuantileBounds, quantile_bounds};
use crate::metric::{Measurement, Metric};
use crate::summary::quantile::response_time;
use crate::tally::seconds::bucket;
use crate::tally::{EndpointTally, Evidence};

/// Error on either side.
const ALPHA: f64 = 0.025;
/// Fewest seconds with requests that tell anything of how requests depend on each other.
const FEWEST_SECONDS: usize = 4;

/// The interval of what was measured; `None` where nothing is known of it.
pub fn interval(
    metric: &Metric,
    tally: &EndpointTally,
    measured: &Measurement,
) -> Option<(f64, f64)> {
    match metric {
        Metric::Quantile(q) if tally.evidence == Evidence::Requests => of_quantile(tally, *q),
        Metric::FailureRatio
        | Metric::SuccessRatio
        | Metric::UnexpectedFailureRatio
        | Metric::Ratio(_)
            if measured.precision.is_none() =>
        {
            Some(wilson(
                measured.value,
                worth_of_failures(tally, measured.samples)?,
            ))
        }
        _ => measured.interval,
    }
}

/// Order statistics of the effective number of requests (Hahn and Meeker 1991, 5.2).
fn of_quantile(tally: &EndpointTally, q: f64) -> Option<(f64, f64)> {
    if q <= 0.0 || q >= 1.0 {
        return None;
    }
    let n = tally.timed();
    let worth = worth_of_quantile(tally, q, n)?;
    let times = tally.response_times.iter();
    let times = times.map(|(us, n)| (us as f64 / 1e3, n));
    let QuantileBounds { lower, upper } = quantile_bounds(times, n, worth, q, ALPHA);
    lower.zip(upper)
}

/// So many independent requests say as much about a percentile.
///
/// Few requests lie beyond a high percentile, and whether they come in bursts is hard to see in so few: the percentile with
/// twice as many beyond is asked, too, and the more cautious of both answers counts.
fn worth_of_quantile(tally: &EndpointTally, q: f64, n: u64) -> Option<f64> {
    if tally.without_start > 0 {
        return None;
    }
    let other = if q > 0.75 {
        1.0 - 2.0 * (1.0 - q)
    } else if q < 0.25 {
        2.0 * q
    } else {
        q
    };
    let at = |q| Some(bucket((response_time(tally, q)? * 1e3).round() as u64));
    let up_to = tally.seconds.up_to([at(q.min(other))?, at(q.max(other))?]);
    let worth_of = |i: usize| {
        let batches = tally.seconds.requests.iter().zip(&up_to);
        let batches = batches.map(|((_, requests), up_to)| Batch {
            requests,
            sum_ms: up_to[i] as f64,
        });
        worth(&batches.collect::<Vec<_>>(), n)
    };
    Some(worth_of(0)?.min(worth_of(1)?))
}

/// So many independent requests say as much about a share: other outcomes are taken to come in bursts as failures do.
fn worth_of_failures(tally: &EndpointTally, n: u64) -> Option<f64> {
    let seconds = tally.seconds.requests.beside(&tally.seconds.failures);
    let batches = seconds.map(|(_, requests, failures)| Batch {
        requests,
        sum_ms: failures as f64,
    });
    worth(&batches.collect::<Vec<_>>(), n)
}

/// The effective number of `n` requests where one in a share of them is asked for: by p (1 − p) ÷ se² as many as would have
/// that standard error, less what the batches leave uncertain (the squares of normal and Student's quantile).
fn worth(batches: &[Batch], n: u64) -> Option<f64> {
    let all = n as f64;
    if batches.len() < FEWEST_SECONDS {
        return None;
    }
    let requests: u64 = batches.iter().map(|b| b.requests).sum();
    let p = batches.iter().map(|b| b.sum_ms).sum::<f64>() / requests.max(1) as f64;
    // Without any, or with nothing else, no second differs from another: every request counts.
    if p <= 0.0 || p >= 1.0 {
        return Some(all);
    }
    let means = batch_means_from(batches, FEWEST_SECONDS).ok()?;
    if means.standard_error_ms <= 0.0 {
        return Some(all);
    }
    let student = student_t_upper(ALPHA, (means.batches - 1) as f64);
    let worth = p * (1.0 - p) / means.standard_error_ms.powi(2) * (Z95 / student).powi(2);
    Some(worth.clamp(1.0, all.max(1.0)))
}

/// Wilson's interval of a share p among n (Wilson 1927, without continuity correction).
fn wilson(p: f64, n: f64) -> (f64, f64) {
    let z2 = Z95 * Z95;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    (
        (centre - half).max(0.0).min(p),
        (centre + half).min(1.0).max(p),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Context;
    use crate::metric::measure::measure;
    use crate::tally::{ErrorKey, Request};

    /// Forty seconds of ten requests each; `of(second, i)` says how long one took and whether it failed.
    fn run(of: impl Fn(u64, u64) -> (u64, bool)) -> EndpointTally {
        let mut tally = EndpointTally::default();
        let failed = ErrorKey::new(Some(503), "");
        for second in 0..40 {
            for i in 0..10 {
                let (us, fails) = of(second, i);
                tally.add(&Request {
                    start_ms: Some((second * 1000 + i * 100) as i64),
                    response_time_us: us,
                    failure: fails.then_some(&failed),
                    ..Request::default()
                });
            }
        }
        tally
    }

    fn interval_of(metric: &Metric, tally: &EndpointTally) -> Option<(f64, f64)> {
        let measured = measure(metric, tally, &Context::default()).expect("measured");
        interval(metric, tally, &measured)
    }

    #[test]
    fn wilson_by_hand() {
        // 2 of 10: centre (.2 + .19207) / 1.38415 = .28326, half 1.41598 × √(.016 + .0096037) = .22656.
        let (low, high) = wilson(0.2, 10.0);
        assert!(
            (low - 0.0567).abs() < 1e-4 && (high - 0.5098).abs() < 1e-4,
            "{low} {high}"
        );
    }

    #[test]
    fn seconds_alike_make_every_request_count() {
        // In each second 10, 20, … 100 ms: no second differs. p50 of 400: ranks 181 and 220, of 40 requests each.
        let tally = run(|_, i| ((i + 1) * 10_000, false));
        let (low, high) = interval_of(&Metric::Quantile(0.5), &tally).expect("known");
        assert_eq!((low, high), (50.0, 60.0));
    }

    #[test]
    fn whole_seconds_alike_count_as_one_request_each() {
        // Second s takes s + 1 ms: 40 values, each ten times, worth 40 requests at the most, not 400.
        let tally = run(|second, _| ((second * 7 % 40 + 1) * 1000, false));
        let (low, high) = interval_of(&Metric::Quantile(0.5), &tally).expect("known");
        // Of 40 independent values: ranks 14 and 27 (binomial quantiles 14 and 26). Of 400: 181 and 220, 19 and 22 ms.
        assert!(low <= 14.0 && high >= 27.0, "{low} {high}");
        // Every fourth second fails: a quarter of 40 seconds, not of 400 requests (21 to 30 %).
        let tally = run(|second, _| (1000, second % 4 == 0));
        let (low, high) = interval_of(&Metric::FailureRatio, &tally).expect("known");
        assert!(low < 0.15 && high > 0.39, "{low} {high}");
    }

    #[test]
    fn without_times_nothing_is_known() {
        let mut tally = run(|_, i| ((i + 1) * 10_000, false));
        tally.add(&Request {
            response_time_us: 1000,
            ..Request::default()
        });
        assert_eq!(interval_of(&Metric::Quantile(0.5), &tally), None);
        let mut short = EndpointTally::default();
        for i in 0..400 {
            short.add(&Request {
                start_ms: Some(i * 5),
                response_time_us: 1000 + i as u64,
                ..Request::default()
            });
        }
        assert_eq!(interval_of(&Metric::Quantile(0.5), &short), None);
    }
}
