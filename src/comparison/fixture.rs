//! Samples for tests, without a run behind them.

use super::rounding::Rounded;
use super::sample::{EndpointSample, Figure, Sample, Spread};
use crate::metric::Metric;
use crate::tally::{Endpoint, Evidence};

/// The only endpoint's key.
pub fn endpoint(name: &str) -> Endpoint {
    Endpoint {
        name: name.to_owned(),
        method: "GET".to_owned(),
    }
}

/// An endpoint of 1,000 requests with this mean in ms, sure of it to 1 %, and so many failures.
pub fn with_mean(mean: f64, failures: u64) -> EndpointSample {
    let spread = Ok(Spread {
        standard_error: 0.01,
        effective: Some(500.0),
    });
    EndpointSample {
        evidence: Evidence::Requests,
        requests: 1000,
        failures,
        effective_of_failures: 1000.0,
        times: vec![(mean, 1000)],
        figures: vec![
            Figure {
                metric: Metric::Mean,
                value: Ok(Rounded::exact(mean)),
                spread,
            },
            Figure {
                metric: Metric::FailureRatio,
                value: Ok(Rounded::exact(failures as f64 / 1000.0)),
                spread,
            },
        ],
    }
}

/// A run whose endpoint `/a` has this mean, and that is all of it.
pub fn run(mean: f64) -> Sample {
    run_of("/a", mean, 0)
}

/// A run of one endpoint.
pub fn run_of(name: &str, mean: f64, failures: u64) -> Sample {
    Sample {
        label: format!("{name} {mean}"),
        total: with_mean(mean, failures),
        endpoints: [(endpoint(name), with_mean(mean, failures))].into(),
        ..Sample::default()
    }
}

/// Runs with these means.
pub fn runs(means: &[f64]) -> Vec<Sample> {
    means.iter().map(|mean| run(*mean)).collect()
}
