use crate::comparison::fixture::{run_of, runs};
use crate::comparison::{Comparison, Sample, Terms as Asked, compare};
use crate::config;
use crate::gate::{Decision, Inconclusive, Level, Policy, Terms, Verdict, judge, regression};
use crate::metric::Metric;
use crate::summary::{About, Summary};
use crate::tally::{Endpoint, Request, Tally};

/// The current run: only its endpoints matter here.
fn summary() -> Summary {
    let mut tally = Tally::default();
    let key = Endpoint {
        name: "/a".to_owned(),
        method: "GET".to_owned(),
    };
    tally.add(key, &Request::default());
    Summary::new(tally, About::default())
}

fn compared(baseline: &[Sample], current: &[Sample]) -> Comparison {
    let asked = Asked {
        metrics: vec![Metric::Mean, Metric::FailureRatio],
        of_total: Vec::new(),
        ..Asked::default()
    };
    compare(baseline, current, &asked)
}

/// A gate on the mean against these runs, with further lines of the gate file.
fn verdict(require: &str, more: &str, comparison: Option<&Comparison>, policy: Policy) -> Verdict {
    let text = format!("[[gate]]\nid = \"g\"\nrequire = \"{require}\"\n{more}\n");
    let config = config::parse(&text, "loadgate.toml").expect("valid");
    let terms = Terms {
        comparison,
        policy,
        ..Terms::default()
    };
    judge(&summary(), &config.gates, &terms).remove(0)
}

fn decided(require: &str, more: &str, baseline: &[f64], current: &[f64]) -> (Decision, Level) {
    let comparison = compared(&runs(baseline), &runs(current));
    let verdict = verdict(require, more, Some(&comparison), Policy::default());
    (verdict.decision, verdict.level)
}

const STABLE: [f64; 3] = [99.0, 100.0, 101.0];
const SLOWER: [f64; 3] = [114.0, 115.0, 116.0];

#[test]
fn without_significance_two_numbers_are_compared() {
    let alone = "significant = false";
    let plain = |limit: &str, to: f64| {
        decided(&format!("mean <= baseline {limit}"), alone, &[100.0], &[to]).0
    };
    assert_eq!(plain("+ 20%", 119.0), Decision::Pass);
    assert_eq!(plain("+ 20%", 121.0), Decision::Fail);
    assert_eq!(plain("", 100.0), Decision::Pass);
    assert_eq!(plain("+ 5ms", 105.1), Decision::Fail);
    let comparison = compared(&runs(&[100.0]), &runs(&[121.0]));
    let verdict = verdict(
        "mean <= baseline + 20%",
        alone,
        Some(&comparison),
        Policy::default(),
    );
    assert_eq!(
        (verdict.observed, verdict.limit),
        (Some(121.0), Some(120.0))
    );
    assert_eq!(verdict.margin, Some(-1.0));
}

#[test]
fn a_limit_that_asks_for_an_improvement_is_judged_as_it_stands() {
    let better = |to: f64| decided("mean <= baseline - 10%", "", &[100.0], &[to]).0;
    assert_eq!(better(89.0), Decision::Pass);
    assert_eq!(better(91.0), Decision::Fail);
    let equal = |to: f64| decided("mean == baseline", "", &[100.0], &[to]).0;
    assert_eq!(equal(100.0), Decision::Pass);
    assert_eq!(equal(100.1), Decision::Fail);
}

#[test]
fn beyond_the_limit_by_chance_is_undecided_in_one_sentence() {
    let judged = |from: &[f64], to: &[f64]| {
        let comparison = compared(&runs(from), &runs(to));
        let policy = Policy::default();
        verdict("mean <= baseline + 10%", "", Some(&comparison), policy)
    };
    let one = judged(&[515.0], &[619.0]);
    assert_eq!(one.decision, Decision::Undecided);
    assert_eq!(
        one.because,
        "619 ms against 515 ms: 20.2 % slower, but runs of unchanged code differ by as much; rerun, or make 3 runs a \
         side; the baseline has 515 ms, so the limit is 566.5 ms"
    );
    // Within the limit it passes, however little is known.
    assert_eq!(judged(&[515.0], &[560.0]).decision, Decision::Pass);
    let noisy = judged(&[80.0, 100.0, 120.0], &[95.0, 115.0, 135.0]);
    assert_eq!(noisy.decision, Decision::Undecided);
    assert!(noisy.because.contains(" runs a side"), "{}", noisy.because);
    assert!(!noisy.because.contains("make 3 runs"), "{}", noisy.because);
}

#[test]
fn one_run_against_one_fails_when_nothing_else_explains_it() {
    // Without other endpoints a mean must have become ten times worse.
    let mean = |to: f64| decided("mean <= baseline + 10%", "", &[100.0], &[to]).0;
    assert_eq!(mean(400.0), Decision::Undecided);
    assert_eq!(mean(1100.0), Decision::Fail);
}

#[test]
fn below_the_floor_nothing_fails() {
    let floor = |to: f64| {
        decided(
            "mean <= baseline + 1%",
            "floor = \"5ms\"\nsignificant = false",
            &[100.0],
            &[to],
        )
        .0
    };
    assert_eq!(floor(104.9), Decision::Pass);
    assert_eq!(floor(105.1), Decision::Fail);
}

#[test]
fn without_a_baseline_nothing_passes() {
    let verdict = verdict("mean <= baseline + 20%", "", None, Policy::default());
    assert_eq!(verdict.decision, Decision::Undecided);
    assert!(verdict.because.contains("--baseline"));
    let other = compared(&[run_of("/b", 100.0, 0)], &runs(&[100.0]));
    let verdict = self::verdict(
        "mean <= baseline",
        "on = \"*\"",
        Some(&other),
        Policy::default(),
    );
    assert_eq!(verdict.because, "the baseline has no such endpoint");
}

#[test]
fn too_few_values_on_either_side_are_undecided() {
    let verdict = decided("mean <= baseline", "min-samples = 1001", &[100.0], &[100.0]);
    assert_eq!(verdict.0, Decision::Undecided);
}

#[test]
fn a_limit_fails_beyond_it_and_beyond_chance() {
    let of = |require: &str, from: &[f64], to: &[f64]| decided(require, "", from, to);
    let ten = "mean <= baseline + 10%";
    assert_eq!(of(ten, &STABLE, &SLOWER), (Decision::Fail, Level::Fail));
    // +15 % is surely a change, but the gate allows 20 %.
    assert_eq!(
        of("mean <= baseline + 20%", &STABLE, &SLOWER).0,
        Decision::Pass
    );
    assert_eq!(of(ten, &STABLE, &STABLE), (Decision::Pass, Level::Fail));
    // A number beyond the limit, but the noise explains it.
    assert_eq!(
        of(ten, &[80.0, 100.0, 120.0], &[95.0, 115.0, 135.0]),
        (Decision::Undecided, Level::Fail)
    );
    // Three runs do predict a fourth.
    assert_eq!(of(ten, &STABLE, &[130.0]), (Decision::Fail, Level::Fail));
    // A gate that asks for more of what is worse: fails where the mean fell.
    let more = "mean >= baseline - 10%";
    assert_eq!(of(more, &SLOWER, &[80.0, 81.0, 82.0]).0, Decision::Fail);
    assert_eq!(of(more, &STABLE, &SLOWER).0, Decision::Pass);
}

#[test]
fn the_policy_decides_what_is_not_sure() {
    let ten = "mean <= baseline + 10%";
    let suspect = compared(&runs(&STABLE), &runs(&[130.0]));
    let unknown = compared(&runs(&[100.0]), &runs(&[121.0]));
    let of = |comparison: &Comparison, on_suspect, on_inconclusive| {
        let policy = Policy {
            on_suspect: Some(on_suspect),
            on_inconclusive: Some(on_inconclusive),
        };
        let verdict = verdict(ten, "", Some(comparison), policy);
        (verdict.decision, verdict.level)
    };
    let (fail, warn) = (Level::Fail, Level::Warn);
    assert_eq!(
        of(&suspect, fail, Inconclusive::Undecided),
        (Decision::Fail, fail)
    );
    assert_eq!(
        of(&suspect, warn, Inconclusive::Undecided),
        (Decision::Fail, warn)
    );
    assert_eq!(
        of(&unknown, fail, Inconclusive::Undecided),
        (Decision::Undecided, fail)
    );
    assert_eq!(
        of(&unknown, fail, Inconclusive::Warn),
        (Decision::Undecided, warn)
    );
    assert_eq!(
        of(&unknown, fail, Inconclusive::Fail),
        (Decision::Fail, fail)
    );
}

#[test]
fn a_regression_rule_warns_of_what_it_cannot_judge_unless_that_is_all() {
    let of = |section: &str, from: &[f64], to: &[f64]| {
        let text = format!("[regression]\nmetrics = [\"mean\"]\n{section}\n");
        let rule = config::parse(&text, "g.toml").expect("valid").regression;
        let rule = rule.expect("given");
        let comparison = compared(&runs(from), &runs(to));
        let terms = Terms {
            comparison: Some(&comparison),
            policy: rule.policy,
            ..Terms::default()
        };
        let verdicts = regression::judge(&summary(), &rule, &terms);
        (verdicts[1].decision, verdicts[1].level)
    };
    // Nothing at all could be judged.
    let noisy = ([80.0, 100.0, 120.0], [95.0, 115.0, 135.0]);
    assert_eq!(
        of("", &noisy.0, &noisy.1),
        (Decision::Undecided, Level::Fail)
    );
    assert_eq!(
        of("on-inconclusive = \"warn\"", &noisy.0, &noisy.1),
        (Decision::Undecided, Level::Warn)
    );
    // +15 % with bounds from 11 to 18 % is tolerated below 20 %, not below 16 %.
    assert_eq!(of("", &STABLE, &SLOWER).0, Decision::Fail);
    assert_eq!(
        of("tolerance = \"20%\"", &STABLE, &SLOWER).0,
        Decision::Pass
    );
    assert_eq!(
        of("tolerance = \"16%\"", &STABLE, &SLOWER).0,
        Decision::Fail
    );
}

fn regressions(section: &str, comparison: Option<&Comparison>) -> Vec<(String, Decision)> {
    let text = format!("[regression]\n{section}\n");
    let config = config::parse(&text, "loadgate.toml").expect("valid");
    let rule = config.regression.expect("given");
    let terms = Terms {
        comparison,
        policy: rule.policy,
        ..Terms::default()
    };
    regression::judge(&summary(), &rule, &terms)
        .iter()
        .map(|v| (format!("{} {}", v.endpoint_name(), v.require), v.decision))
        .collect()
}

#[test]
fn a_regression_rule_judges_every_endpoint_and_metric() {
    let comparison = compared(&runs(&STABLE), &runs(&SLOWER));
    let found = regressions("metrics = [\"mean\"]", Some(&comparison));
    let expected = [
        ("Total mean not worse by 5 %".to_owned(), Decision::Fail),
        ("GET /a mean not worse by 5 %".to_owned(), Decision::Fail),
    ];
    assert_eq!(found, expected);
    // With `on` the total is left out, unless nothing matches: then nothing is judged, and that is undecided.
    assert_eq!(
        regressions("metrics = [\"mean\"]\non = \"*a\"", Some(&comparison)).len(),
        1
    );
    // A slip in a list is told with the first verdict.
    let config = config::parse("[regression]\non = [\"*a\", \"TYPO\"]\n", "g.toml").expect("valid");
    let terms = Terms {
        comparison: Some(&comparison),
        ..Terms::default()
    };
    let verdicts = regression::judge(&summary(), &config.regression.expect("given"), &terms);
    assert!(
        verdicts[0]
            .because
            .ends_with("; `TYPO` matches no endpoint"),
        "{}",
        verdicts[0].because
    );
    let nothing = regressions("on = \"*b\"", Some(&comparison));
    assert_eq!((nothing.len(), nothing[0].1), (1, Decision::Undecided));
}

#[test]
fn a_regression_rule_without_a_baseline_is_undecided() {
    let nothing = regressions("", None);
    assert_eq!((nothing.len(), nothing[0].1), (1, Decision::Undecided));
}

#[test]
fn a_vanished_endpoint_is_undecided() {
    let before = [run_of("/a", 100.0, 0), run_of("/gone", 100.0, 0)];
    let comparison = compared(&before, &runs(&[100.0]));
    let found = regressions("metrics = [\"mean\"]\non = \"*gone\"", Some(&comparison));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, Decision::Undecided);
}
