//! How often `loadgate trend` fails a run of a history in which nothing changes, and how often it finds what does.
//!
//! `cargo run --release --example trend_rates [HISTORIES] [FOLDER…]`: 200 unless given, simulated, or made of the real runs
//! of each folder. Each simulated history has ten endpoints whose mean,
//! p50, p95 and failure ratio vary by 4, 3, 8 and 30 % from run to run, the first three together. Seeded: prints the same
//! table everywhere.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use std::f64::consts::TAU;
use std::path::Path;

use loadgate::diagnostic::Origin;
use loadgate::history::entry::{EndpointEntry, Entry, Times};
use loadgate::history::store::{History, RecordedRun};
use loadgate::tally::Evidence;
use loadgate::trend::{Settings, Trend, collect::Selection, follow};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

mod real;

const ENDPOINTS: usize = 10;

fn main() -> anyhow::Result<()> {
    let count = std::env::args().nth(1).and_then(|n| n.parse().ok());
    let count: u64 = count.unwrap_or(200);
    let folders: Vec<String> = std::env::args().skip(2).collect();
    for folder in &folders {
        real::tables(Path::new(folder), count)?;
    }
    if !folders.is_empty() {
        return Ok(());
    }
    println!("{count} histories per row\n");
    println!(
        "| runs | since the last | one endpoint is slower by | failed | for that endpoint | for another |"
    );
    println!("|---|---|---|---|---|---|");
    for (runs, after, change) in [
        (8, 1, 0.0),
        (12, 1, 0.0),
        (20, 1, 0.0),
        (50, 1, 0.0),
        (20, 1, 0.1),
        (20, 1, 0.2),
        (20, 2, 0.2),
        (20, 3, 0.2),
        (20, 5, 0.2),
        (20, 1, 0.4),
    ] {
        let mut failed = [0_u64; 3];
        for seed in 0..count {
            let history = history(seed, runs, after, change);
            let trend = follow(&history, &Selection::default(), &Settings::default())?;
            let [any, right, wrong] = &mut failed;
            *any += u64::from(trend.outcome.exit_code == 1);
            *right += u64::from(fails(&trend, |name| name == "/0"));
            *wrong += u64::from(fails(&trend, |name| name != "/0"));
        }
        let [any, right, wrong] = failed.map(|n| 100.0 * n as f64 / count as f64);
        let percent = 100.0 * change;
        println!(
            "| {runs} | {after} | {percent:.0} % | {any:.1} % | {right:.1} % | {wrong:.1} % |"
        );
    }
    Ok(())
}

/// Whether the outcome fails for an endpoint that is meant.
fn fails(trend: &Trend, meant: impl Fn(&str) -> bool) -> bool {
    let changes = trend.groups.iter().flat_map(|group| &group.changes);
    let mut failing = changes.filter(|change| change.fails() && change.follows.is_none());
    failing.any(|change| change.endpoint.as_ref().is_some_and(|e| meant(&e.name)))
}

struct Draws(Pcg64);

impl Draws {
    fn new(seed: u64) -> Self {
        Self(Pcg64::seed_from_u64(1_000_003 * (seed + 1)))
    }

    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (TAU * self.uniform()).cos()
    }
}

/// Runs of which the last `after` are slower at the first endpoint.
fn history(seed: u64, runs: usize, after: usize, change: f64) -> History {
    let mut draws = Draws::new(seed);
    let run = |i: usize| {
        let endpoints: Vec<EndpointEntry> = (0..ENDPOINTS)
            .map(|e| {
                let slower = if e == 0 && i + after >= runs {
                    1.0 + change
                } else {
                    1.0
                };
                endpoint(&format!("/{e}"), 50.0 * (e + 1) as f64 * slower, &mut draws)
            })
            .collect();
        RecordedRun {
            entry: entry(i, endpoints),
            origin: Origin::line("history.jsonl", i as u64 + 1),
        }
    };
    History {
        runs: (0..runs).map(run).collect(),
        ..History::default()
    }
}

fn endpoint(name: &str, level: f64, draws: &mut Draws) -> EndpointEntry {
    let mut near = |value: f64, noise: f64| value * (noise * draws.normal()).exp();
    // What moves all figures of a run, and what moves each.
    let level = near(level, 0.025);
    let mean = near(level, 0.03);
    let quantiles = [
        (500_000, near(0.8 * level, 0.015)),
        (950_000, near(2.0 * level, 0.075)),
    ];
    let failures = near(20.0, 0.3).round() as u64;
    EndpointEntry {
        method: "GET".to_owned(),
        name: name.to_owned(),
        requests: 2000,
        failures,
        unexpected_failures: Some(failures),
        rps: Some(10.0),
        response_time_ms: Times {
            mean: Some(mean),
            quantiles: quantiles.into_iter().collect(),
            ..Times::default()
        },
        evidence: Evidence::Requests,
        ..EndpointEntry::default()
    }
}

/// A run whose total has the endpoints' requests and the mean of their means.
fn entry(i: usize, endpoints: Vec<EndpointEntry>) -> Entry {
    let sum = |of: fn(&EndpointEntry) -> u64| endpoints.iter().map(of).sum();
    let means: f64 = endpoints
        .iter()
        .filter_map(|e| e.response_time_ms.mean)
        .sum();
    let total = EndpointEntry {
        method: String::new(),
        name: "Total".to_owned(),
        requests: sum(|e| e.requests),
        failures: sum(|e| e.failures),
        response_time_ms: Times {
            mean: Some(means / endpoints.len() as f64),
            ..Times::default()
        },
        evidence: Evidence::Requests,
        ..EndpointEntry::default()
    };
    Entry {
        id: format!("{i:016x}"),
        label: format!("run-{i}"),
        started_ms: Some(i as i64 * 86_400_000),
        duration_s: Some(200.0),
        users_max: Some(20),
        verdict: "pass".to_owned(),
        total,
        endpoints,
        ..Entry::default()
    }
}
