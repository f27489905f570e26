use serde_json::{Value, json};

use super::super::read;
use crate::history::entry::tests::entry;
use crate::history::line::{self, Line};
use crate::report::{fixture, json};

fn report() -> Value {
    let text = json::render(&fixture::analysis(100)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What is said of the fixture's report with other values in it.
fn said(changes: &[(&str, Value)]) -> String {
    let mut report = report();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = report.pointer_mut(parent).unwrap();
        parent[key] = value.clone();
    }
    let text = serde_json::to_string_pretty(&report).unwrap();
    match read("report.json", text.as_bytes()) {
        Ok(_) => String::new(),
        Err(problem) => problem.short(),
    }
}

#[test]
fn real_figures_are_sound() {
    assert_eq!(said(&[]), "");
    for requests in [0, 1, 2, 100, 400] {
        let text = json::render(&fixture::analysis(requests)).unwrap();
        assert!(read("report.json", text.as_bytes()).is_ok(), "{requests}");
        let text = line::write(&Line::Run(Box::new(entry(requests, "a")))).unwrap();
        assert!(line::read(&text, "h", 1).is_ok(), "{requests}");
    }
}

#[test]
fn a_figure_that_cannot_be_is_told_with_its_place() {
    let of = said(&[("/total/response_time_ms/mean", json!(1e300))]);
    let mut report = report();
    report["total"]["response_time_ms"]["mean"] = json!(1e300);
    let text = serde_json::to_string_pretty(&report).unwrap();
    let line = text.lines().position(|l| l.contains("e+300")).unwrap() + 1;
    assert!(
        of.starts_with(&format!(
            "report.json:{line}:15: error[impossible-figure]: `response_time_ms.mean` of the total cannot be: 1e300 is \
             more than any run has (3.2e12)"
        )),
        "{of}"
    );
}

#[test]
fn no_figure_contradicts_another() {
    // The fixture: 100 requests of 1.5 to 150 ms, ten failed; two endpoints.
    for (pointer, value, why) in [
        (
            "/total/failures",
            json!(101),
            "`failures` of the total cannot be: 101 is more than 100",
        ),
        ("/total/requests", json!(10_u64.pow(16)), "which no run has"),
        ("/total/requests", json!(99), "100 is more than 99"),
        ("/total/requests", json!(101), ""),
        ("/total/failures", json!(9), "failed_statuses"),
        ("/total/rps", json!(-1), "-1 is negative"),
        ("/total/rps", json!(400), "are not 100 requests"),
        ("/total/response_time_ms/mean", json!(-75.75), "is negative"),
        (
            "/total/response_time_ms/mean",
            json!(151),
            "by the response times",
        ),
        (
            "/total/response_time_ms/mean",
            json!(90),
            "by the response times",
        ),
        (
            "/total/response_time_ms/min",
            json!(0),
            "by the response times",
        ),
        (
            "/total/response_time_ms/max",
            json!(1500),
            "by the response times",
        ),
        (
            "/total/response_time_ms/stddev",
            json!(80),
            "half of the range",
        ),
        ("/total/response_time_ms/quantiles/p95", json!(151), "p95"),
        (
            "/total/response_time_ms/quantiles/p95",
            json!(120),
            "by the response times",
        ),
        (
            "/total/response_time_ms/quantiles/p50",
            json!(60),
            "by the response times",
        ),
    ] {
        let said = said(&[(pointer, value.clone())]);
        assert!(
            said.contains("error[impossible-figure]"),
            "{pointer}: {value}: {said}"
        );
        assert!(said.contains(why), "{pointer}: {value}: {said}");
    }
}

#[test]
fn neither_does_a_count_nor_what_is_known_of_a_figure() {
    for (pointer, value, why) in [
        ("/total/unknown_outcomes", json!(91), "known to have failed"),
        ("/total/untimed", json!(1), "100 is more than 99"),
        ("/total/statuses/200", json!(91), "statuses"),
        ("/total/unknown_statuses", json!(1), "without a status"),
        ("/total/failed_statuses/503", json!(11), "its failures"),
        (
            "/total/failed_statuses",
            json!({"404": 10}),
            "all of that status",
        ),
        (
            "/total/sample/relative_error/mean",
            json!(1e9),
            "more than any run has",
        ),
        (
            "/total/sample/effective_requests/mean",
            json!(1e6),
            "more than its 100 requests",
        ),
        (
            "/total/sample/times_us",
            json!([[3, 50], [3, 50]]),
            "do not rise",
        ),
        (
            "/total/sample/times_us",
            json!([[65, 100]]),
            "no bin begins at 65",
        ),
        (
            "/total/sample/times_us",
            json!([[u64::MAX, 100]]),
            "no bin begins",
        ),
        ("/endpoints/0/requests", json!(51), ""),
        ("/endpoints/0/failures", json!(3), ""),
        (
            "/run/duration_s",
            json!(-1),
            "`duration_s` of the run cannot be: -1 is negative",
        ),
        ("/run/users_max", json!(u64::MAX), "which no run has"),
        ("/rates/peak_rps/value", json!(101), "its requests"),
        ("/rates/peak_rps/at_most", json!(1), "which it is at most"),
    ] {
        let said = said(&[(pointer, value.clone())]);
        assert!(
            said.contains("error[impossible-figure]"),
            "{pointer}: {value}: {said}"
        );
        assert!(said.contains(why), "{pointer}: {value}: {said}");
    }
}

#[test]
fn figures_without_response_times_are_in_order() {
    for (pointer, value, why) in [
        (
            "/total/response_time_ms/mean",
            json!(151),
            "150 is less than `response_time_ms.mean`, 151",
        ),
        (
            "/total/response_time_ms/min",
            json!(100),
            "less than `response_time_ms.min`, 100",
        ),
        (
            "/total/response_time_ms/quantiles/p95",
            json!(120),
            "less than",
        ),
        (
            "/total/response_time_ms/quantiles/p99.9",
            json!(151),
            "less than",
        ),
    ] {
        let said = said(&[(pointer, value), ("/total/sample", json!(null))]);
        assert!(said.contains(why), "{pointer}: {said}");
    }
}

#[test]
fn fields_are_in_order_too() {
    let field = json!({
        "count": 4, "missing": 0, "min": 1.0, "mean": 2.5, "stddev": 1.118_033_988, "p50": 2.5, "p90": 3.7, "p95": 3.85,
        "p99": 3.97, "max": 4.0, "sum": 10.0, "first": 1.0, "last": 4.0, "increase": 3.0, "slope_per_hour": 3600.0
    });
    let with = |key: &str, value: Value| {
        let mut changed = field.clone();
        changed[key] = value;
        said(&[("/total/fields", json!({"rows": changed}))])
    };
    assert_eq!(with("count", json!(4)), "");
    for (key, value, why) in [
        ("mean", json!(4.5), "less than `fields.rows.mean`"),
        ("mean", json!(2.0), "are not 10"),
        ("p90", json!(2.0), "`fields.rows.p90` of the total"),
        ("p99", json!(5.0), "less than `fields.rows.p99`"),
        ("first", json!(0.0), "less than `fields.rows.min`"),
        ("stddev", json!(2.0), "reach from 1 to 4"),
        ("increase", json!(-1.0), "reach from 1 to 4"),
        ("count", json!(u64::MAX), "which no run has"),
        ("missing", json!(101), "its requests"),
    ] {
        let said = with(key, value.clone());
        assert!(said.contains(why), "{key}: {value}: {said}");
    }
}

#[test]
fn a_number_as_a_text_is_refused_where_it_stands() {
    let said = said(&[("/total/response_time_ms/mean", json!("NaN"))]);
    assert!(
        said.contains("error[bad-line]") && said.contains("NaN"),
        "{said}"
    );
    let said = self::said(&[("/run/started_at", json!("yesterday"))]);
    assert!(said.contains("`yesterday`"), "{said}");
}

#[test]
fn an_endpoint_is_there_once() {
    let mut report = report();
    let first = report["endpoints"][0].clone();
    report["endpoints"].as_array_mut().unwrap().push(first);
    let problem = read("r.json", report.to_string().as_bytes()).unwrap_err();
    assert!(problem.short().contains("the endpoint is there twice"));
}
