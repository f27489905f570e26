use super::*;
use crate::config;
use crate::gate::{Decision, Verdict};
use crate::summary::{About, Summary};
use crate::tally::{Evidence, Request, Tally};

const LIMIT: &str = "limit = \"60 per 60s\"\ntarget = \"50%\"";

fn quota(keys: &str) -> Quota {
    let text = format!("[[quota]]\nid = \"Q\"\n{keys}\n");
    let config = config::parse(&text, "loadgate.toml").expect("valid");
    config.quotas[0].clone()
}

fn judged(summary: &Summary, keys: &str) -> (QuotaReport, Verdict) {
    judge(summary, &[quota(keys)]).remove(0)
}

fn endpoint(name: &str) -> Endpoint {
    Endpoint {
        name: name.to_owned(),
        method: "POST".to_owned(),
    }
}

/// A request to `name` at each of these milliseconds, with so many `writes` if that is known.
fn run(requests: &[(&str, i64, Option<f64>)]) -> Summary {
    let mut tally = Tally::default();
    for (name, start, writes) in requests {
        let fields = writes.map(|w| [("writes", w)]);
        let request = Request {
            start_ms: Some(*start),
            response_time_us: 1000,
            fields: fields.as_ref().map_or(&[], |f| f.as_slice()),
            ..Request::default()
        };
        tally.add(endpoint(name), &request);
    }
    Summary::new(tally, About::default())
}

/// One request every `every_ms` from 0 to `until_ms`.
fn steady(every_ms: i64, until_ms: i64) -> Summary {
    let each: Vec<_> = (0..=until_ms / every_ms)
        .map(|i| ("a", i * every_ms, Some(1.0)))
        .collect();
    run(&each)
}

#[test]
fn under_the_target_is_a_pass_and_at_it_is_not() {
    // Every 2.1 s: at 0, 2.1, … 58.8 s, 29 in a minute. Every 2 s: 30, which is not under 30.
    let (report, verdict) = judged(&steady(2100, 120_000), LIMIT);
    let usage = report.usage.expect("measured");
    assert_eq!(verdict.decision, Decision::Pass, "{}", verdict.because);
    assert_eq!((usage.peak, usage.headroom, usage.start_ms), (29, 31, 0));
    assert!((usage.utilization - 29.0 / 60.0).abs() < 1e-12);
    assert_eq!(
        (verdict.observed, verdict.limit, verdict.margin),
        (Some(29.0), Some(30.0), Some(1.0))
    );
    let (_, verdict) = judged(&steady(2000, 120_000), LIMIT);
    assert_eq!(verdict.decision, Decision::Fail);
    assert!(
        verdict
            .because
            .starts_with("30 requests in 1 min, not under the target of 30 (50 % of the limit)"),
        "{}",
        verdict.because
    );
    // Without a target the limit itself may be reached: 60 in any minute.
    let alone = "limit = \"60 per 60s\"";
    assert_eq!(
        judged(&steady(1000, 120_000), alone).1.decision,
        Decision::Pass
    );
    assert_eq!(
        judged(&steady(999, 120_000), alone).1.decision,
        Decision::Fail
    );
}

#[test]
fn costs_are_those_of_the_field_and_contributors_are_named() {
    let requests = [
        ("a", 0, Some(3.0)),
        ("b", 1000, Some(4.0)),
        ("a", 2000, Some(2.0)),
        ("a", 100_000, Some(1.0)),
    ];
    let keys = format!("{LIMIT}\ncost = \"writes\"");
    let (report, verdict) = judged(&run(&requests), &keys);
    assert_eq!(verdict.decision, Decision::Pass, "{}", verdict.because);
    let usage = report.usage.expect("measured");
    assert_eq!((usage.peak, usage.total), (9, Some(10)));
    assert_eq!(usage.contributors, [(endpoint("a"), 5), (endpoint("b"), 4)]);
    let keys = format!("{LIMIT}\ncost = \"writes\"\non = \"b\"");
    assert_eq!(
        judged(&run(&requests), &keys).0.usage.map(|u| u.peak),
        Some(4)
    );
    let keys = format!("{LIMIT}\ncost = 5");
    let (report, verdict) = judged(&run(&requests), &keys);
    assert_eq!(
        (report.usage.map(|u| u.peak), verdict.decision),
        (Some(15), Decision::Pass)
    );
}

#[test]
fn what_was_not_measured_is_never_a_pass() {
    let undecided = |summary: &Summary, keys: &str, because: &str| {
        let (_, verdict) = judged(summary, &format!("{LIMIT}\n{keys}"));
        assert_eq!(verdict.decision, Decision::Undecided, "{keys}");
        assert!(verdict.because.contains(because), "{}", verdict.because);
    };
    let long = steady(10_000, 120_000);
    undecided(&Summary::default(), "", "there are no requests");
    undecided(
        &long,
        "on = \"x*\"",
        "no endpoint matches `x*`; there are `POST a`",
    );
    undecided(
        &long,
        "cost = \"rows\"",
        "none of 13 requests has the field `rows`",
    );
    undecided(
        &steady(10_000, 30_000),
        "",
        "the run of 30.001 s is shorter than the window of 1 min",
    );
    let gap = run(&[("a", 0, Some(1.0)), ("a", 90_000, None)]);
    undecided(&gap, "cost = \"writes\"", "1 of 2 requests lack `writes`");
    let half = run(&[("a", 0, Some(0.5)), ("a", 90_000, Some(1.0))]);
    undecided(
        &half,
        "cost = \"writes\"",
        "1 values of `writes` at POST a are no whole number",
    );
}

#[test]
fn a_breach_is_a_breach_even_in_a_short_run() {
    let (_, verdict) = judged(&steady(100, 10_000), LIMIT);
    assert_eq!(verdict.decision, Decision::Fail);
    assert!(
        verdict
            .because
            .contains("101 requests in 1 min, beyond the limit of 60")
    );
    assert!(verdict.because.contains("lie after the run's last start"));
}

#[test]
fn bursts_and_rejections_are_breaches() {
    // 21 at once, then nothing for two minutes: 21 are under 30, but more than 20 in 10 s, and a bucket of 20 lacks one.
    let mut requests = vec![("a", 0, None); 21];
    requests.push(("a", 120_000, None));
    let because = |keys: &str| {
        let (_, verdict) = judged(&run(&requests), &format!("{LIMIT}\n{keys}"));
        (verdict.decision, verdict.because)
    };
    assert_eq!(because("").0, Decision::Pass);
    let (decision, why) = because("burst = \"20 per 10s\"");
    assert_eq!(decision, Decision::Fail);
    assert!(
        why.starts_with("1 burst beyond 20 per 10s, the worst with 21 from 1970"),
        "{why}"
    );
    let (decision, why) = because("bucket = \"1/s burst 20\"");
    assert_eq!(decision, Decision::Fail);
    assert!(
        why.starts_with(
            "a token bucket of 1/s burst 20 would have rejected 1 of 22 requests, first at 1970"
        ),
        "{why}"
    );
    assert_eq!(
        because("burst = \"21 per 10s\"\nbucket = \"1/s burst 21\"").0,
        Decision::Pass
    );
}

#[test]
fn by_whole_seconds_only_what_both_bounds_say_is_decided() {
    // Seconds 0 and 60 hold 15 each: 15 in any 60 neighbouring seconds, but a window of 60 s can touch both.
    let table = |first: u64, second: u64| {
        let mut tally = Tally::default();
        let counts = tally.endpoints.entry(endpoint("a")).or_default();
        counts.evidence = Evidence::Histogram;
        counts.requests = first + second;
        counts.without_start = first + second;
        counts.max_us = Some(0.0);
        counts.seconds.requests.add(0, first);
        counts.seconds.requests.add(60, second);
        counts.seconds.requests.add(120, 0);
        (counts.first_start_ms, counts.last_end_ms) = (Some(0), Some(120_000));
        Summary::new(tally, About::default())
    };
    let decision = |summary: &Summary, more: &str| {
        let (_, verdict) = judged(summary, &format!("{LIMIT}\n{more}"));
        (verdict.decision, verdict.because)
    };
    let (decided, because) = decision(&table(15, 15), "");
    assert_eq!(decided, Decision::Undecided);
    assert!(because.contains("between 15 and 30 in 1 min"), "{because}");
    assert_eq!(decision(&table(14, 15), "").0, Decision::Pass);
    assert_eq!(decision(&table(30, 0), "").0, Decision::Fail);
    assert_eq!(
        decision(&table(1, 1), "bucket = \"1/s burst 20\"").0,
        Decision::Undecided
    );
    assert_eq!(
        decision(&table(25, 0), "burst = \"20 per 10s\"").0,
        Decision::Fail
    );
}

#[test]
fn the_series_is_the_rate_as_it_was_seen() {
    // At 0, 30 s, 60 s, 120 s: the window that ends then holds 1, 2, 2 and 1. It stays at 2 until 88 s (that of 60 s and
    // of 30 s), and from 90 s on only 60 s is in it: where nothing happens the rate falls slowly, not to zero.
    let requests: Vec<_> = [0, 30_000, 60_000, 120_000]
        .map(|at| ("a", at, None))
        .to_vec();
    let (report, _) = judged(&run(&requests), LIMIT);
    let series = report.usage.expect("measured").series;
    let seen = [0, 28, 30, 60, 88, 90, 118, 120].map(|at| series.iter().find(|(s, _)| *s == at));
    let seen = seen.map(|row| row.expect("intervals of 2 s").1);
    assert_eq!(seen, [1, 1, 2, 2, 2, 1, 1, 1]);
}
