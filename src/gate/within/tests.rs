use proptest::prelude::*;

use crate::config::require;
use crate::gate::{Decision, Terms, judge};
use crate::summary::{About, Summary};
use crate::tally::{Endpoint, ErrorKey, Request, Tally};

/// A run of requests: second, whether it failed, whether it does not say so.
fn run(requests: &[(i64, bool, bool)]) -> Tally {
    let mut tally = Tally::default();
    let failure = ErrorKey::new(Some(500), "no");
    for (second, failed, unknown) in requests {
        let request = Request {
            start_ms: Some(second * 1000),
            response_time_us: 1000,
            failure: (*failed && !unknown).then_some(&failure),
            unknown_outcome: *unknown,
            ..Request::default()
        };
        tally.add(Endpoint::default(), &request);
    }
    tally
}

fn judged(tally: Tally, rule: &str) -> (Decision, String) {
    let gate = require(rule, 1).expect(rule);
    let summary = Summary::new(tally, About::default());
    let verdict = judge(&summary, &[gate], &Terms::default()).remove(0);
    (verdict.decision, verdict.because)
}

#[test]
fn a_gap_of_years_costs_nothing_and_its_windows_count() {
    // One request at the epoch, and 57 years later ten in ten seconds.
    let today = 1_767_225_600;
    let mut requests = vec![(0, false, false)];
    requests.extend((0..10).map(|i| (today + i, i == 3, false)));
    let tally = || run(&requests);
    let before = std::time::Instant::now();
    let (decision, because) = judged(tally(), "requests >= 1 within 60s");
    assert_eq!(decision, Decision::Fail);
    assert!(
        because
            .contains("0 is below the limit of 1; worst window of 60 s from 1970-01-01T00:00:01Z"),
        "{because}"
    );
    // The first window with the failure has four requests, as nothing comes before them.
    let (decision, because) = judged(tally(), "failure_ratio < 10% within 10s");
    assert_eq!(decision, Decision::Fail);
    assert!(
        because.starts_with("25 % is beyond the limit of 10 %"),
        "{because}"
    );
    assert_eq!(judged(tally(), "rps <= 1 within 10s").0, Decision::Pass);
    assert_eq!(
        judged(tally(), "failures <= 1 within 100000min").0,
        Decision::Pass
    );
    assert!(before.elapsed().as_secs() < 5, "{:?}", before.elapsed());
}

#[test]
fn a_window_that_is_not_known_keeps_the_others_from_passing() {
    // Seconds 0 to 9: 4 of 10 failed. Seconds 20 to 29: nobody says.
    let mut requests: Vec<_> = (0..10).map(|s| (s, s < 4, false)).collect();
    requests.extend((20..30).map(|s| (s, false, true)));
    let (decision, because) = judged(run(&requests), "failure_ratio <= 50% within 10s");
    assert_eq!(decision, Decision::Undecided, "{because}");
    // A window that surely breaks the limit fails, whatever is not known of others.
    requests.extend((40..50).map(|s| (s, true, false)));
    let (decision, because) = judged(run(&requests), "failure_ratio <= 50% within 10s");
    assert_eq!(decision, Decision::Fail, "{because}");
    let (decision, because) = judged(run(&requests), "success_ratio >= 50% within 10s");
    assert_eq!(decision, Decision::Fail, "{because}");
}

#[test]
fn a_limit_is_judged_exactly_in_windows_too() {
    // 9 of 1000 in one second, and another second far away so that there is a whole window.
    let mut requests: Vec<_> = (0..1000).map(|i| (0, i < 9, false)).collect();
    requests.push((5, false, false));
    for (rule, expected) in [
        ("failure_ratio < 0.9% within 2s", Decision::Fail),
        ("failure_ratio <= 0.9% within 2s", Decision::Pass),
        ("rpm <= 30000 within 2s", Decision::Pass),
        ("rpm < 30000 within 2s", Decision::Fail),
        ("rps <= 333.3 within 3s", Decision::Fail),
    ] {
        assert_eq!(judged(run(&requests), rule).0, expected, "{rule}");
    }
}

proptest! {
    #[test]
    fn the_worst_window_is_that_of_a_walk_over_every_second(
        requests in prop::collection::vec((0..40_i64, any::<bool>(), prop::bool::weighted(0.1)), 1..60),
        stretch in 1..20_i64, length in 1..30_i64, digits in 0..30_u64
    ) {
        let requests: Vec<_> = requests.iter().map(|(s, failed, unknown)| (s * stretch, *failed, *unknown)).collect();
        let tally = run(&requests);
        let total = tally.total();
        let (first, last) = total.seconds.span().expect("requests");
        prop_assume!(last - first + 1 >= length);
        let windows = (first..=last - length + 1).map(|start| {
            let held = |what: &dyn Fn(&&(i64, bool, bool)) -> bool| {
                requests.iter().filter(|r| (start..start + length).contains(&r.0)).filter(what).count() as f64
            };
            let unknown = held(&|r| r.2);
            (held(&|_| true), held(&|r| r.1 && !r.2), unknown)
        });
        let windows: Vec<_> = windows.collect();
        let at_least = |limit: f64| windows.iter().all(|(n, ..)| *n >= limit);
        let expected = if at_least(digits as f64) { Decision::Pass } else { Decision::Fail };
        if digits > 0 {
            prop_assert_eq!(judged(run(&requests), &format!("requests >= {digits} within {length}s")).0, expected);
        }
        let few = windows.iter().all(|(_, failed, unknown)| failed + unknown <= digits as f64);
        let many = windows.iter().any(|(_, failed, _)| *failed > digits as f64);
        let expected = if few { Decision::Pass } else if many { Decision::Fail } else { Decision::Undecided };
        prop_assert_eq!(judged(run(&requests), &format!("failures <= {digits} within {length}s")).0, expected);
        if digits > 0 {
            let of = |failed: f64, n: f64| n == 0.0 || failed * 40.0 <= digits as f64 * n;
            let few = windows.iter().all(|(n, failed, unknown)| of(failed + unknown, *n));
            let many = windows.iter().any(|(n, failed, _)| !of(*failed, *n));
            let expected = if few { Decision::Pass } else if many { Decision::Fail } else { Decision::Undecided };
            let rule = format!("failure_ratio <= {}% within {length}s", digits as f64 * 2.5);
            let (decision, because) = judged(run(&requests), &rule);
            prop_assert_eq!(decision, expected, "{}: {}", rule, because);
        }
    }
}
