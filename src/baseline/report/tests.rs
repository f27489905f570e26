use super::*;
use crate::analysis::Analysis;
use crate::config::expression::metric_named;
use crate::history::entry::{Entry, Provenance};
use crate::input::report::{Ends, read};
use crate::metric::Context;
use crate::metric::measure::measure;
use crate::outcome::Outcome;
use crate::report::json;
use crate::summary::{About, Summary};
use crate::tally::{Concern, Endpoint as Key, ErrorKey, Request, Tally};

const EVERYTHING: [&str; 26] = [
    "requests",
    "failures",
    "failure_ratio",
    "success_ratio",
    "unexpected_failures",
    "unexpected_failure_ratio",
    "ratio(status=5xx)",
    "count(status=503)",
    "count(status=429)",
    "min",
    "mean",
    "max",
    "stddev",
    "p50",
    "p95",
    "rps",
    "rpm",
    "users",
    "duration",
    "peak_rps",
    "max(rows)",
    "mean(rows)",
    "stddev(rows)",
    "p99(rows)",
    "increase(rows)",
    "slope(rows)",
];

/// A hundred requests, one every 100 ms; every tenth a 503, every twentieth a 404; `rows` counts them.
fn tally() -> Tally {
    let mut tally = Tally::default();
    let (down, gone) = (ErrorKey::new(Some(503), ""), ErrorKey::new(Some(404), ""));
    for i in 0..100_u64 {
        let failure = match i {
            _ if i % 10 == 0 => Some(&down),
            _ if i % 20 == 1 => Some(&gone),
            _ => None,
        };
        let request = Request {
            start_ms: Some(1_767_225_600_000 + i as i64 * 100),
            response_time_us: 1000 + i * 10,
            status: Some(failure.map_or(200, |key| key.status.unwrap())),
            failure,
            users: Some(5),
            fields: &[("rows", i as f64)],
            ..Request::default()
        };
        let name = "/a".to_owned();
        let method = "GET".to_owned();
        tally.add(Key { name, method }, &request);
    }
    tally
}

fn analysis(tally: Tally) -> Analysis {
    Analysis {
        summary: Summary::new(tally, About::default()),
        comparison: None,
        verdicts: Vec::new(),
        quotas: Vec::new(),
        outcome: Outcome::default(),
        trend: None,
    }
}

/// The run as its report and as its line keep it.
fn kept(analysis: &Analysis) -> [(KeptIn, Report); 2] {
    let text = json::render(analysis).unwrap();
    let report = read("report.json", text.as_bytes()).unwrap();
    let entry = Entry::new(analysis, &[], Provenance::default());
    let text = serde_json::to_string(&entry).unwrap();
    let entry: Entry = serde_json::from_str(&text).unwrap();
    [
        (KeptIn::Report, report),
        (KeptIn::History, entry.as_report()),
    ]
}

fn figure(
    report: &Report,
    kept_in: KeptIn,
    name: &str,
    expected: &[u16],
) -> Result<Rounded, String> {
    let terms = Terms {
        metrics: vec![metric_named(name).unwrap()],
        of_total: Vec::new(),
        expected: expected.to_vec(),
        ..Terms::default()
    };
    let sample = sample(report, kept_in, "kept", &terms);
    sample.total.figures[0].value.clone()
}

#[test]
fn a_kept_run_has_the_figures_of_the_run_itself() {
    let run = analysis(tally());
    let expected = [404];
    let context = Context {
        duration_s: run.summary.duration_s,
        users_max: run.summary.users_max,
        expected: expected.to_vec(),
    };
    for name in EVERYTHING {
        let metric = metric_named(name).unwrap();
        let live = measure(&metric, &run.summary.total.tally, &context).unwrap();
        for (kept_in, report) in kept(&run) {
            let kept = figure(&report, kept_in, name, &expected).unwrap();
            let apart = (kept.value - live.value).abs();
            assert!(
                apart <= 1e-6 * live.value.abs().max(1.0),
                "{name} {kept_in:?}: {kept:?}, not {}",
                live.value
            );
        }
    }
    // Ten 503 and five 404, of which the latter are expected.
    let (kept_in, report) = &kept(&run)[1];
    let ratio = |name| figure(report, *kept_in, name, &expected).unwrap().value;
    assert_eq!(ratio("ratio(status=5xx)"), 0.1);
    assert_eq!(ratio("unexpected_failures"), 10.0);
}

#[test]
fn what_is_not_kept_is_told_by_the_right_name() {
    for (kept_in, report) in kept(&analysis(tally())) {
        let why = |name| figure(&report, kept_in, name, &[]).unwrap_err();
        let name = kept_in.name();
        for metric in [
            "apdex(500ms)",
            "p99.9(rows)",
            "count(error~\"x\")",
            "peak(5s)",
        ] {
            let why = why(metric);
            assert!(why.contains(name) && why.contains("does not keep"), "{why}");
        }
        assert_eq!(
            why("max(cells)"),
            "no request has the field `cells`; there are rows"
        );
    }
}

#[test]
fn an_older_line_says_that_it_is_older() {
    let [_, (kept_in, mut report)] = kept(&analysis(tally()));
    report.total.ends = Ends::default();
    report.total.fields = None;
    for name in ["ratio(status=5xx)", "count(status=429)", "max(rows)"] {
        let why = figure(&report, kept_in, name, &[]).unwrap_err();
        assert!(
            why.contains("the baseline's line of the history is older"),
            "{why}"
        );
    }
    let why = figure(&report, kept_in, "unexpected_failures", &[404]).unwrap_err();
    assert!(why.contains("is older"), "{why}");
    assert_eq!(
        figure(&report, kept_in, "failures", &[]).unwrap().value,
        15.0
    );
}

#[test]
fn unknown_outcomes_stay_unknown() {
    let mut tally = tally();
    let endpoint = tally.endpoints.values_mut().next().unwrap();
    endpoint.add(&Request {
        start_ms: Some(1_767_225_610_000),
        response_time_us: 1000,
        unknown_outcome: true,
        ..Request::default()
    });
    for (kept_in, report) in kept(&analysis(tally)) {
        let of = |name| figure(&report, kept_in, name, &[]);
        let failures = of("failures").unwrap();
        assert_eq!((failures.lower, failures.upper), (15.0, 16.0));
        let why = of("failure_ratio").unwrap_err();
        assert!(
            why.starts_with("1 of 101 requests do not say whether they failed"),
            "{why}"
        );
        assert!(
            of("ratio(status=5xx)")
                .unwrap_err()
                .contains("1 of 101 requests have no status")
        );
        assert_eq!(of("count(status=5xx)").unwrap().upper, 11.0);
    }
}

#[test]
fn doubts_stay() {
    let mut tally = tally();
    let endpoint = tally.endpoints.values_mut().next().unwrap();
    endpoint
        .doubts
        .add(&[Concern::Failures], "the failures contradict each other");
    tally
        .doubts
        .add(&[Concern::Users, Concern::Percentiles], "a wild guess");
    let run = analysis(tally);
    for (kept_in, report) in kept(&run) {
        for (name, why) in [
            ("failure_ratio", "the failures contradict each other"),
            ("count(status=5xx)", "the failures contradict each other"),
            ("users", "a wild guess"),
            ("p95", "a wild guess"),
        ] {
            assert_eq!(
                figure(&report, kept_in, name, &[]).unwrap_err(),
                why,
                "{name}"
            );
        }
        assert!(figure(&report, kept_in, "mean", &[]).is_ok());
    }
    // A history is read by more than baselines: what is in doubt is not there.
    let entry = Entry::new(&run, &[], Provenance::default());
    assert_eq!(
        (entry.users_max, entry.total.known_failures()),
        (None, None)
    );
    assert_eq!(entry.total.unexpected_failures, None);
    assert!(entry.total.response_time_ms.quantiles.is_empty() && entry.times_of(None).is_none());
    assert!(entry.total.response_time_ms.mean.is_some());
}

#[test]
fn peaks_are_as_exact_as_their_source() {
    let [(kept_in, mut report), _] = kept(&analysis(tally()));
    let of = |report: &Report| figure(report, kept_in, "peak_rps", &[]);
    let peak = of(&report).unwrap();
    assert_eq!((peak.lower, peak.upper), (10.0, 10.0));
    report.rates.peak_rps.as_mut().unwrap().at_most = Some(14);
    assert_eq!(of(&report).unwrap().upper, 14.0);
    report.rates.peak_rps.as_mut().unwrap().at_most = None;
    assert!(of(&report).is_err());
    // Ten seconds hold no minute.
    let minute = figure(&report, kept_in, "peak_rpm", &[]).unwrap_err();
    assert_eq!(minute, "the run is shorter than the window");
}
