//! How many independent requests a run is worth where its failures are concerned: failures come in bursts.

use crate::comparison::batch_means::{Batch, batch_means};
use crate::tally::EndpointTally;

/// Requests divided by the design effect of the failure ratio, at most the requests.
///
/// The ratio's standard error is that of batch means over seconds, joined until they no longer depend on each other;
/// independent requests would have p (1 − p) / n. Without failures, or without seconds, nothing is known of bursts and
/// every request counts.
pub fn effective(tally: &EndpointTally) -> f64 {
    let n = tally.requests as f64;
    let p = tally.failures as f64 / n.max(1.0);
    let seconds = tally.seconds.requests.beside(&tally.seconds.failures);
    let batch = |(_, requests, failures)| Batch {
        requests,
        sum_ms: failures as f64,
    };
    let batches: Vec<Batch> = seconds.map(batch).collect();
    match batch_means(&batches) {
        Ok(means) if means.standard_error_ms > 0.0 && p < 1.0 => {
            let worth = p * (1.0 - p) / means.standard_error_ms.powi(2);
            worth.clamp(1.0, n.max(1.0))
        }
        _ => n,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::{ErrorKey, Request};

    /// Forty seconds of ten requests; `failed(second, i)` says which failed.
    fn run(failed: impl Fn(i64, i64) -> bool) -> EndpointTally {
        let mut tally = EndpointTally::default();
        let key = ErrorKey::new(Some(503), "");
        for second in 0..40 {
            for i in 0..10 {
                tally.add(&Request {
                    start_ms: Some(second * 1000 + i * 100),
                    response_time_us: 1000,
                    failure: failed(second, i).then_some(&key),
                    ..Request::default()
                });
            }
        }
        tally
    }

    #[test]
    fn whole_seconds_of_failures_are_worth_one_request_each() {
        // Every fourth second fails: 40 seconds are 40 coins, not 400 (the sample variance's n − 1 makes it 39).
        let worth = effective(&run(|second, _| second % 4 == 0));
        assert!((worth - 39.0).abs() < 1e-9, "{worth}");
    }

    #[test]
    fn evenly_spread_failures_are_worth_every_request() {
        assert_eq!(effective(&run(|_, i| i == 3)), 400.0);
        assert_eq!(effective(&run(|_, _| false)), 400.0);
        assert_eq!(effective(&run(|_, _| true)), 400.0);
    }
}
