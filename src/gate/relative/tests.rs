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
fn a_plain_gate_compares_two_numbers() {
    let plain =
        |limit: &str, to: f64| decided(&format!("mean <= baseline {limit}"), "", &[100.0], &[to]).0;
    assert_eq!(plain("+ 20%", 119.0), Decision::Pass);
    assert_eq!(plain("+ 20%", 121.0), Decision::Fail);
    assert_eq!(plain("", 100.0), Decision::Pass);
    assert_eq!(plain("+ 5ms", 105.1), Decision::Fail);
    assert_eq!(plain("- 10%", 91.0), Decision::Fail);
    let comparison = compared(&runs(&[100.0]), &runs(&[121.0]));
    let verdict = verdict(
        "mean <= baseline + 20%",
        "",
        Some(&comparison),
        Policy::default(),
    );
    assert_eq!(
        (verdict.observed, verdict.limit),
        (Some(121.0), Some(120.0))
    );
    assert_eq!(verdict.margin, Some(-1.0));
    assert!(
        verdict.because.contains("how sure: suspect"),
        "{}",
        verdict.because
    );
}

#[test]
fn below_the_floor_nothing_fails() {
    let floor = |to: f64| decided("mean <= baseline + 1%", "floor = \"5ms\"", &[100.0], &[to]).0;
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
fn significance_fails_only_by_a_regression() {
    let of =
        |require: &str, from: &[f64], to: &[f64]| decided(require, "significant = true", from, to);
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
    // One run can only be suspected.
    assert_eq!(of(ten, &STABLE, &[130.0]), (Decision::Fail, Level::Warn));
    // A gate that asks for more of what is worse: fails where the mean fell.
    let more = "mean >= baseline - 10%";
    assert_eq!(of(more, &SLOWER, &[80.0, 81.0, 82.0]).0, Decision::Fail);
    assert_eq!(of(more, &STABLE, &SLOWER).0, Decision::Pass);
}

#[test]
fn the_policy_decides_what_is_not_sure() {
    let ten = "mean <= baseline + 10%";
    let suspect = compared(&runs(&STABLE), &runs(&[130.0]));
    let unknown = compared(&runs(&[100.0]), &runs(&[101.0]));
    let of = |comparison: &Comparison, on_suspect, on_inconclusive| {
        let policy = Policy {
            on_suspect,
            on_inconclusive,
        };
        let verdict = verdict(ten, "significant = true", Some(comparison), policy);
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
