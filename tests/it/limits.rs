//! Limits are decimals: each is judged as whole numbers say, at equality and beside it, whatever floats would make of it.

use std::cmp::Ordering;

use loadgate::comparison::{Sample, Terms as Asked, compare};
use loadgate::config;
use loadgate::gate::{Decision, Gate, Terms, Verdict, judge, quota};
use loadgate::metric::Metric;
use loadgate::summary::{About, Summary};
use loadgate::tally::{Endpoint, ErrorKey, Request, Tally};
use proptest::prelude::*;

const COMPARATORS: [&str; 5] = ["<", "<=", ">", ">=", "=="];

/// `digits` with a point before the last `decimals` of them.
fn decimal(digits: i128, decimals: u32) -> String {
    let scale = 10_i128.pow(decimals);
    let (whole, rest) = (digits / scale, digits % scale);
    match decimals {
        0 => whole.to_string(),
        _ => format!("{whole}.{rest:0>width$}", width = decimals as usize),
    }
}

/// A run of requests with these response times (µs) at these starts (ms), of which the first so many failed.
fn run(requests: &[(i64, u64)], failures: usize) -> Summary {
    let mut tally = Tally::default();
    let failure = ErrorKey::new(Some(500), "no");
    for (i, (start_ms, us)) in requests.iter().enumerate() {
        let failed = i < failures;
        let request = Request {
            start_ms: Some(*start_ms),
            response_time_us: *us,
            status: Some(if failed { 500 } else { 200 }),
            failure: failed.then_some(&failure),
            ..Request::default()
        };
        tally.add(Endpoint::default(), &request);
    }
    Summary::new(tally, About::default())
}

/// The verdict on `METRIC CMP LIMIT`; `None` if the limit is one that says nothing.
fn judged(summary: &Summary, rule: &str) -> Option<Verdict> {
    let mut gate = match config::require(rule, 1) {
        Ok(gate) => gate,
        Err(problem) => {
            let nothing = ["useless-limit", "bad-unit"].contains(&problem.code);
            assert!(nothing, "{rule}: {}", problem.short());
            return None;
        }
    };
    gate.min_samples = Some(1);
    Some(judge(summary, &[gate], &Terms::default()).remove(0))
}

fn keeps(order: Ordering, comparator: &str) -> bool {
    match comparator {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        _ => order.is_eq(),
    }
}

/// The decision, the margin's sign and the sentence all say what the order of figure and limit says.
fn agrees(verdict: &Verdict, order: Ordering, comparator: &str) {
    let expected = if keeps(order, comparator) {
        Decision::Pass
    } else {
        Decision::Fail
    };
    let (because, rule) = (&verdict.because, &verdict.require);
    assert_eq!(verdict.decision, expected, "{rule}: {because}");
    let margin = verdict.margin.expect("measured");
    match (expected, order) {
        (_, Ordering::Equal) => assert!(margin.abs() < f64::MIN_POSITIVE, "{rule}: {margin}"),
        (Decision::Pass, _) => assert!(margin > 0.0, "{rule}: {margin}"),
        _ => assert!(margin < 0.0, "{rule}: {margin}"),
    }
    let (value, rest) = because.split_once(" is ").expect("a sentence");
    let (_, limit) = rest.split_once(" the limit of ").expect("a limit");
    let limit = limit.split([';', '(']).next().unwrap_or(limit).trim();
    match (order, comparator) {
        (Ordering::Equal, "<" | ">") => {
            assert!(limit.contains(", and must be "), "{rule}: {because}");
        }
        (Ordering::Equal, _) => assert_eq!(value, limit, "{rule}"),
        _ => assert_ne!(value, limit, "{rule}: {because}"),
    }
}

/// Judges a figure, which is `numerator / denominator` of `unit`, against the decimals beside it.
fn near(summary: &Summary, metric: &str, unit: &str, (numerator, denominator): (i128, i128)) {
    for decimals in 0..4 {
        let scale = 10_i128.pow(decimals);
        let nearest = (numerator * scale).div_euclid(denominator);
        for digits in (nearest - 1).max(0)..=nearest + 2 {
            let order = (numerator * scale).cmp(&(digits * denominator));
            for comparator in COMPARATORS {
                let rule = format!("{metric} {comparator} {}{unit}", decimal(digits, decimals));
                if let Some(verdict) = judged(summary, &rule) {
                    agrees(&verdict, order, comparator);
                }
            }
        }
    }
}

fn requests() -> impl Strategy<Value = Vec<(i64, u64)>> {
    // Times in steps that meet limits of a few decimals, and any others.
    let time = prop_oneof![
        (1..3000_u64).prop_map(|ms| ms * 1000),
        (1..30_000_u64).prop_map(|tenths| tenths * 100),
        1..5_000_000_u64,
    ];
    prop::collection::vec((0..100_000_i64, time), 1..120)
}

/// The quantile `q / 1000` of times in µs: numerator and denominator of milliseconds.
fn quantile(requests: &[(i64, u64)], q: i128) -> (i128, i128) {
    let mut times: Vec<i128> = requests.iter().map(|(_, us)| i128::from(*us)).collect();
    times.sort_unstable();
    let position = (times.len() as i128 - 1) * q;
    let (rank, weight) = ((position / 1000) as usize, position % 1000);
    let (low, high) = (times[rank], times[(rank + 1).min(times.len() - 1)]);
    (low * 1000 + (high - low) * weight, 1_000_000)
}

#[test]
fn shares_at_every_limit_of_one_decimal() {
    // The 9 in 1000 of a limit of 0.9 %, and every other.
    for k in 0..=1000 {
        let requests = vec![(0, 1); 1000];
        let summary = run(&requests, k);
        for comparator in COMPARATORS {
            let rule = format!("failure_ratio {comparator} {}%", decimal(k as i128, 1));
            if let Some(verdict) = judged(&summary, &rule) {
                agrees(&verdict, Ordering::Equal, comparator);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn shares(n in 1..3000_usize, share in 0.0..=1.0_f64) {
        let k = (share * n as f64) as usize;
        let summary = run(&vec![(0, 1); n], k);
        near(&summary, "failure_ratio", "%", (k as i128 * 100, n as i128));
        near(&summary, "failure_ratio", "", (k as i128, n as i128));
        near(&summary, "ratio(status=5xx)", "%", (k as i128 * 100, n as i128));
        near(&summary, "success_ratio", "%", ((n - k) as i128 * 100, n as i128));
        near(&summary, "failures", "", (k as i128, 1));
    }

    #[test]
    fn times(requests in requests()) {
        let summary = run(&requests, 0);
        let n = requests.len() as i128;
        let us = || requests.iter().map(|(_, us)| i128::from(*us));
        for (metric, figure) in [
            ("min", (us().min().unwrap(), 1000)),
            ("max", (us().max().unwrap(), 1000)),
            ("p100", (us().max().unwrap(), 1000)),
            ("mean", (us().sum(), n * 1000)),
            ("median", quantile(&requests, 500)),
            ("p95", quantile(&requests, 950)),
            ("p99.9", quantile(&requests, 999)),
            ("p33.3", quantile(&requests, 333)),
        ] {
            near(&summary, metric, "ms", figure);
            near(&summary, metric, "s", (figure.0, figure.1 * 1000));
        }
    }

    #[test]
    fn rates_and_scores(requests in requests(), failures in 0..5_usize) {
        let failures = failures.min(requests.len());
        let summary = run(&requests, failures);
        let n = requests.len() as i128;
        let first = requests.iter().map(|(at, _)| *at).min().unwrap();
        let end = |(at, us): &(i64, u64)| at + us.div_ceil(1000) as i64;
        // How the end of a request is rounded is not what is tested here.
        let ms = summary.duration_s.map_or(0, |s| (s * 1e3).round() as i64);
        let longest = requests.iter().map(end).max().unwrap() - first;
        prop_assert!((ms - longest).abs() <= 1, "{ms} {longest}");
        if ms > 0 && requests.len() > 1 {
            near(&summary, "rps", "/s", (n * 1000, i128::from(ms)));
            near(&summary, "rpm", "/min", (n * 60_000, i128::from(ms)));
        }
        near(&summary, "duration", "ms", (i128::from(ms), 1));
        let fine = |up_to: u64| requests[failures..].iter().filter(|(_, us)| *us <= up_to).count();
        let (satisfied, all) = (fine(500_000), fine(2_000_000));
        near(&summary, "apdex(500ms)", "", ((satisfied + all) as i128, 2 * n));
    }

    #[test]
    fn fields(values in prop::collection::vec((0..20_000_i64, 0..4_u32), 1..50)) {
        let mut tally = Tally::default();
        for (digits, decimals) in &values {
            let value: f64 = decimal(i128::from(*digits), *decimals).parse().unwrap();
            let request = Request { start_ms: Some(0), fields: &[("rows", value)], ..Request::default() };
            tally.add(Endpoint::default(), &request);
        }
        let summary = Summary::new(tally, About::default());
        let thousandths = || values.iter().map(|(digits, decimals)| i128::from(*digits) * 10_i128.pow(3 - decimals));
        let (sum, n) = (thousandths().sum::<i128>(), values.len() as i128);
        let (least, most) = (thousandths().min().unwrap(), thousandths().max().unwrap());
        near(&summary, "sum(rows)", "", (sum, 1000));
        near(&summary, "mean(rows)", "", (sum, 1000 * n));
        near(&summary, "min(rows)", "", (least, 1000));
        near(&summary, "max(rows)", "", (most, 1000));
        let times: Vec<(i64, u64)> = thousandths().map(|v| (0, v as u64)).collect();
        near(&summary, "p95(rows)", "", quantile(&times, 950));
    }

    #[test]
    fn targets_of_quotas(limit in 1..2000_u64, digits in 1..1000_u64, decimals in 0..4_u32, beside in -1..2_i64) {
        // A target of so many per cent of the limit; the run has as many requests as that, or one more or less.
        let digits = digits.min(100 * 10_u64.pow(decimals));
        let scale = 100 * 10_i128.pow(decimals);
        let target = i128::from(digits) * i128::from(limit);
        let n = (target / scale + i128::from(beside)).max(1);
        let text = format!(
            "[[quota]]\nid = \"q\"\nlimit = \"{limit} per 1s\"\ntarget = \"{}%\"\n",
            decimal(i128::from(digits), decimals)
        );
        let Ok(config) = config::parse(&text, "loadgate.toml") else {
            // One request is not under it: nothing could be.
            prop_assert!(target <= scale, "{text}");
            return Ok(());
        };
        let mut requests = vec![(0, 1); n as usize];
        requests.push((5000, 1));
        let (_, verdict) = quota::judge(&run(&requests, 0), &config.quotas).remove(0);
        let expected = if n * scale < target { Decision::Pass } else { Decision::Fail };
        prop_assert_eq!(verdict.decision, expected, "{} of {}: {}", n, text, verdict.because);
    }

    #[test]
    fn changes_from_a_baseline(base_us in 1..3_000_000_u64, digits in 0..1000_u64, decimals in 0..4_u32, beside in -1..2_i64) {
        let scale = 100 * 10_i128.pow(decimals);
        let factor = scale + i128::from(digits);
        let us = (i128::from(base_us) * factor / scale + i128::from(beside)).max(0);
        let mut asked = Asked::default();
        asked.add(&Metric::Max, false);
        let sample = |us: u64| Sample::of(&run(&[(0, us)], 0), &asked);
        let current = run(&[(0, us as u64)], 0);
        let comparison = compare(&[sample(base_us)], &[sample(us as u64)], &asked);
        let terms = Terms { comparison: Some(&comparison), ..Terms::default() };
        for comparator in COMPARATORS {
            let rule = format!("max {comparator} baseline + {}%", decimal(i128::from(digits), decimals));
            let gate = config::require(&rule, 1).expect("valid");
            // The two numbers alone.
            let gate = Gate { significant: false, ..gate };
            let verdict = judge(&current, &[gate], &terms).remove(0);
            let order = (us * scale).cmp(&(i128::from(base_us) * factor));
            let expected = if keeps(order, comparator) { Decision::Pass } else { Decision::Fail };
            prop_assert_eq!(verdict.decision, expected, "{}: {}", rule, verdict.because);
        }
    }
}

#[test]
fn as_many_samples_as_a_percentile_needs() {
    for (percentile, needed) in [
        ("p50", 2),
        ("p90", 10),
        ("p95", 20),
        ("p99", 100),
        ("p99.9", 1000),
        ("p99.99", 10_000),
        ("p99.999", 100_000),
        ("p99.9999", 1_000_000),
        ("p99.99999", 10_000_000),
        ("p99.9999999999", 1_000_000_000_000),
        ("p33.3", 2),
        ("p66.7", 4),
    ] {
        let verdict = |expression: &str| {
            let gate = config::require(expression, 1).expect(expression);
            judge(&run(&[(0, 1)], 0), &[gate], &Terms::default()).remove(0)
        };
        for expression in [
            format!("{percentile} < 1s"),
            format!("{percentile}(rows) < 1"),
        ] {
            let gate = config::require(&expression, 1).expect(&expression);
            let fewest = loadgate::metric::measure::minimum_samples(&gate.requirements[0].metric);
            assert_eq!(fewest, needed, "{expression}");
        }
        let found = verdict(&format!("{percentile} < 1s"));
        assert_eq!(found.decision, Decision::Undecided, "{}", found.because);
        assert!(
            found.because.contains(&format!("{needed} are needed")),
            "{}",
            found.because
        );
    }
    let too_fine = config::require("p99.99999999999 < 1s", 1).expect_err("eleven decimals");
    assert!(
        too_fine.message.contains("too many decimals"),
        "{}",
        too_fine.short()
    );
}
