//! How long the page takes: 50 endpoints and an hour. `cargo bench --bench html`; it should stay below 200 ms.

use loadgate::analysis::Analysis;
use loadgate::gate::{Terms, judge};
use loadgate::outcome::Outcome;
use loadgate::report::html;
use loadgate::summary::{About, Summary};
use loadgate::tally::{Endpoint, ErrorKey, Request, Tally};

const ENDPOINTS: usize = 50;
const SECONDS: i64 = 3600;
const PER_SECOND: i64 = 100;

fn main() {
    let page = html::render(&hour()).expect("renders");
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    divan::main();
}

/// An hour of 100 requests a second, response times from a fixed sequence, one in 50 failed.
fn hour() -> Analysis {
    let mut tally = Tally::default();
    let unavailable = ErrorKey::new(Some(503), "503 from the gateway");
    let mut state: u64 = 1;
    for i in 0..SECONDS * PER_SECOND {
        // Knuth's MMIX generator; its upper bits decide.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let drawn = state >> 33;
        let failed = drawn.is_multiple_of(50);
        let endpoint = Endpoint {
            name: format!("/api/resource/{:02}", drawn as usize % ENDPOINTS),
            method: "GET".to_owned(),
        };
        let request = Request {
            start_ms: Some(1_767_225_600_000 + i * 1000 / PER_SECOND),
            response_time_us: 5_000 + drawn % 997 * (drawn % 89),
            status: Some(if failed { 503 } else { 200 }),
            failure: failed.then_some(&unavailable),
            users: Some(200),
            fields: &[("memory_mb", 300.0 + (i / 10_000) as f64)],
            ..Request::default()
        };
        tally.add(endpoint, &request);
    }
    let summary = Summary::new(
        tally,
        About {
            label: "an hour".to_owned(),
            ..About::default()
        },
    );
    let gates: Vec<_> = ["p95 < 100ms", "failure_ratio < 1%", "p99 < 500ms on *"]
        .iter()
        .enumerate()
        .map(|(i, text)| loadgate::config::require(text, i + 1).expect("valid"))
        .collect();
    let verdicts = judge(&summary, &gates, &Terms::default());
    let outcome = Outcome::new(&verdicts, false);
    Analysis {
        comparison: None,
        summary,
        verdicts,
        quotas: Vec::new(),
        outcome,
        trend: None,
    }
}

#[divan::bench]
fn fifty_endpoints_and_an_hour(bencher: divan::Bencher<'_, '_>) {
    let analysis = hour();
    bencher.bench_local(|| html::render(&analysis).expect("renders").len());
}
