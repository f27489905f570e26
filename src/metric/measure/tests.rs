use super::*;
use crate::comparison::interval::quantile_bounds;
use crate::tally::{ErrorKey, Request};

/// Ten requests of 100 to 1000 ms, one second apart, the last a 503, `rows` = 1 to 10.
fn ten() -> EndpointTally {
    let mut tally = EndpointTally::default();
    let unavailable = ErrorKey::new(Some(503), "");
    for i in 1..=10_u64 {
        tally.add(&Request {
            start_ms: Some(i as i64 * 1000),
            response_time_us: i * 100_000,
            status: Some(if i == 10 { 503 } else { 200 }),
            failure: (i == 10).then_some(&unavailable),
            fields: &[("rows", i as f64)],
            ..Request::default()
        });
    }
    tally
}

fn value(metric: &Metric) -> f64 {
    let context = Context {
        duration_s: Some(10.0),
        users_max: Some(4),
        expected: vec![503],
    };
    measure(metric, &ten(), &context).expect("measurable").value
}

#[test]
fn hand_computed() {
    assert!((value(&Metric::Quantile(0.95)) - 955.0).abs() < 1e-9); // 9.55 × 100
    assert!((value(&Metric::Mean) - 550.0).abs() < 1e-9);
    assert!((value(&Metric::FailureRatio) - 0.1).abs() < 1e-12);
    assert_eq!(value(&Metric::UnexpectedFailures), 0.0); // 503 is expected here
    assert!((value(&Metric::Ratio(Filter::StatusClass(5))) - 0.1).abs() < 1e-12);
    assert_eq!(value(&Metric::Count(Filter::Status(200))), 9.0);
    assert_eq!(value(&Metric::Field(Aggregate::Max, "rows".into())), 10.0);
    assert_eq!(
        value(&Metric::Field(Aggregate::Increase, "rows".into())),
        9.0
    );
    assert!((value(&Metric::Field(Aggregate::Slope, "rows".into())) - 3600.0).abs() < 1e-6);
    assert_eq!(value(&Metric::Peak(10.0)), 10.0);
    assert_eq!(value(&Metric::Peak(5.0)), 5.0);
    assert_eq!(value(&Metric::Rps), 1.0);
    assert_eq!(value(&Metric::Rpm), 60.0);
    // T = 200 ms: 2 satisfied, 3 to 8 tolerated (6), 900 ms and the failure frustrated: (2 + 3) / 10.
    assert!((value(&Metric::Apdex(200.0)) - 0.5).abs() < 1e-12);
    // √((Σ(i − 5.5)²)/10) × 100 = √8.25 × 100.
    assert!((value(&Metric::Stddev) - 8.25_f64.sqrt() * 100.0).abs() < 1e-9);
}

#[test]
fn requests_without_a_status_leave_a_status_open() {
    // One 200, two without a status, one that timed out: at most 2 of 4 can be a 503.
    let mut tally = EndpointTally::default();
    let late = ErrorKey::new(None, "timed out");
    for (status, failure) in [
        (Some(200), None),
        (None, None),
        (None, None),
        (None, Some(&late)),
    ] {
        tally.add(&Request {
            status,
            failure,
            ..Request::default()
        });
    }
    let of = |metric| measure(&metric, &tally, &Context::default()).expect("measurable");
    let bounds = |metric| of(metric).precision.map(|p| (p.low, p.high));
    let class = Filter::StatusClass;
    assert_eq!(bounds(Metric::Ratio(class(5))), Some((0.0, 0.5)));
    assert_eq!(bounds(Metric::Count(class(2))), Some((1.0, 3.0)));
    assert_eq!(
        of(Metric::Count(class(2))).remark.as_deref(),
        Some("2 of 4 requests have no status")
    );
}

#[test]
fn fewest_samples_follow_the_quantile() {
    assert_eq!(minimum_samples(&Metric::Quantile(0.5)), 2);
    assert_eq!(minimum_samples(&Metric::Quantile(0.95)), 20);
    assert_eq!(minimum_samples(&Metric::Quantile(0.99)), 100);
    assert_eq!(minimum_samples(&Metric::Quantile(0.999)), 1000);
    assert_eq!(minimum_samples(&Metric::Quantile(1.0)), 1);
}

#[test]
fn order_statistics_interval_of_a_hundred() {
    // n = 100, q = 0.5: ranks 40 and 61 (binomial 0.025 and 0.975 quantiles 40 and 60, plus one).
    let bounds = |q| {
        let values = (1..=100).map(|v| (f64::from(v), 1));
        let found = quantile_bounds(values, 100, 100.0, q, 0.025);
        (found.lower, found.upper)
    };
    assert_eq!(bounds(0.5), (Some(40.0), Some(61.0)));
    assert_eq!(bounds(0.99).1, None);
}

#[test]
fn order_statistics_interval_of_ten_million() {
    // scipy.stats.binom.ppf(0.025, 10**7, 0.5) = 4996901, ppf(0.975, …) + 1 = 5003100; of 0.95: 9498649, 9501351.
    // Each value stands for its own rank; only those about the bounds are apart, the rest are counted together.
    let about = |ranks: [u64; 2]| {
        let [low, high] = ranks;
        let apart = |from: u64| (from - 50..from + 50).map(|rank| (rank as f64, 1));
        let rest = |value: u64, n: u64| std::iter::once((value as f64, n));
        move || {
            rest(0, low - 51)
                .chain(apart(low))
                .chain(rest(low + 50, high - low - 100))
                .chain(apart(high))
                .chain(rest(high + 50, 10_000_000 - high - 49))
        }
    };
    for (q, ranks) in [
        (0.5, [4_996_901, 5_003_100]),
        (0.95, [9_498_649, 9_501_351]),
    ] {
        let found = quantile_bounds(about(ranks)(), 10_000_000, 1e7, q, 0.025);
        let expected = ranks.map(|rank| Some(rank as f64));
        assert_eq!([found.lower, found.upper], expected);
    }
}

#[test]
fn nothing_is_not_zero() {
    let empty = EndpointTally::default();
    assert!(measure(&Metric::Failures, &empty, &Context::default()).is_err());
    assert!(
        measure(
            &Metric::Field(Aggregate::Max, "gone".into()),
            &ten(),
            &Context::default()
        )
        .is_err_and(|why| why.contains("there are rows"))
    );
}

#[test]
fn a_duration_is_known_as_far_as_rates_and_history_agree() {
    let context = Context {
        duration_s: Some(39.0),
        ..Context::default()
    };
    let of = |rps| {
        let tally = EndpointTally {
            requests: 400,
            reported_rps: Some(rps),
            ..EndpointTally::default()
        };
        measure(&Metric::Duration, &tally, &context).expect("known")
    };
    // 400 requests at 10 a second took 40 s: the history's 39 s, but for its whole seconds.
    assert_eq!(
        (of(10.0).value, of(10.0).precision.is_none()),
        (39_000.0, true)
    );
    // At 8 a second they took 50 s.
    let bounds = of(8.0).precision.map(|p| (p.low, p.high));
    assert_eq!(bounds, Some((39_000.0, 50_000.0)));
}

#[test]
fn a_history_alone_tells_a_rate_within_its_rows() {
    let tally = EndpointTally {
        requests: 400,
        is_open: true,
        ..EndpointTally::default()
    };
    let context = Context {
        duration_s: Some(40.0),
        ..Context::default()
    };
    let found = measure(&Metric::Rps, &tally, &context).expect("known");
    let bounds = found.precision.map(|p| (p.low, p.high));
    // 400 requests in 40 s, or in 42, or in 38.
    assert_eq!(
        (found.value, bounds),
        (10.0, Some((400.0 / 42.0, 400.0 / 38.0)))
    );
}
