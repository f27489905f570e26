//! How often the 95 % interval of a percentile, or of a failure ratio, holds the true value.
//!
//! `cargo run --release --example interval_coverage [RUNS]`: 1000 runs a row unless given, of 1,000 requests each. Logarithms
//! of response times are normal, and each depends on the one before (AR(1)); a request fails where its logarithm is beyond
//! the 98th percentile, so that failures come in bursts. Seeded: prints the same table everywhere.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use std::f64::consts::TAU;

use loadgate::metric::measure::{interval, measure};
use loadgate::metric::{Context, Metric};
use loadgate::tally::{EndpointTally, ErrorKey, Request};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

const REQUESTS: u32 = 1000;
/// Standard normal quantiles of .5, .95, .99 and .98.
const NORMAL: [f64; 4] = [0.0, 1.644_853_627, 2.326_347_874, 2.053_748_911];

fn main() {
    let runs = std::env::args().nth(1).and_then(|n| n.parse().ok());
    let runs: u32 = runs.unwrap_or(1000);
    println!(
        "| correlation with the request before | requests per second | p50 | p95 | p99 | failure ratio |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    for correlation in [0.0, 0.5, 0.8, 0.95] {
        for per_second in [1, 10, 100] {
            let cells = coverage(runs, correlation, per_second).map(|(held, known)| {
                if known == 0 {
                    return "no interval".to_owned();
                }
                let share = 100.0 * f64::from(held) / f64::from(known);
                let absent = 100.0 * f64::from(runs - known) / f64::from(runs);
                if absent < 0.05 {
                    format!("{share:.1} %")
                } else {
                    format!("{share:.1} % ({absent:.0} % without)")
                }
            });
            println!("| {correlation} | {per_second} | {} |", cells.join(" | "));
        }
    }
}

/// Of each figure, in how many runs there is an interval, and in how many of those it holds the true value.
fn coverage(runs: u32, correlation: f64, per_second: u32) -> [(u32, u32); 4] {
    let median_ms = 100.0;
    let truth = |z: f64| median_ms * (0.5 * z).exp();
    let figures = [
        (Metric::Quantile(0.5), truth(NORMAL[0])),
        (Metric::Quantile(0.95), truth(NORMAL[1])),
        (Metric::Quantile(0.99), truth(NORMAL[2])),
        (Metric::FailureRatio, 0.02),
    ];
    let mut counts = [(0, 0); 4];
    for seed in 0..runs {
        let tally = run(u64::from(seed), correlation, per_second, truth);
        for ((metric, truth), (held, known)) in figures.iter().zip(&mut counts) {
            let measured = measure(metric, &tally, &Context::default());
            let bounds = measured.ok().and_then(|m| interval(metric, &tally, &m));
            let Some((low, high)) = bounds else { continue };
            *known += 1;
            *held += u32::from(low <= *truth && *truth <= high);
        }
    }
    counts
}

fn run(
    seed: u64,
    correlation: f64,
    per_second: u32,
    time_ms: impl Fn(f64) -> f64,
) -> EndpointTally {
    let mut draws = Pcg64::seed_from_u64(1_000_003 * (seed + 1));
    let mut uniform = move || ((draws.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    let mut normal = move || (-2.0 * uniform().ln()).sqrt() * (TAU * uniform()).cos();
    let mut tally = EndpointTally::default();
    let failed = ErrorKey::new(Some(503), "");
    let mut z = normal();
    for i in 0..REQUESTS {
        tally.add(&Request {
            start_ms: Some(i64::from(i) * 1000 / i64::from(per_second)),
            response_time_us: (time_ms(z) * 1e3).round() as u64,
            failure: (z > NORMAL[3]).then_some(&failed),
            ..Request::default()
        });
        z = correlation * z + (1.0 - correlation * correlation).sqrt() * normal();
    }
    tally
}
