use serde_json::{Value, json};

use super::*;
use crate::history::entry::tests::entry;
use crate::history::line::{self, Line};
use crate::input::report::read;
use crate::report::{fixture, json};

#[test]
fn a_report_holds_the_figures_of_the_recorded_run() {
    let text = json::render(&fixture::analysis(100)).unwrap();
    let read = Entry::of_report(read("report.json", text.as_bytes()).unwrap());
    let recorded = entry(100, "a");
    assert_eq!(read.started_ms, recorded.started_ms);
    assert_eq!(read.total.response_time_ms, recorded.total.response_time_ms);
    assert_eq!(read.total.ends, recorded.total.ends);
    assert_eq!(read.total.fields, recorded.total.fields);
    assert_eq!(read.rates, recorded.rates);
    assert_eq!(read.endpoints.len(), recorded.endpoints.len());
}

/// What is said of the fixture's line with another value in it.
fn said(pointer: &str, value: Value) -> String {
    let text = line::write(&Line::Run(Box::new(entry(100, "a")))).unwrap();
    let mut line: Value = serde_json::from_str(&text).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    line.pointer_mut(parent).unwrap()[key] = value;
    match line::read(&line.to_string(), "h.jsonl", 7) {
        Ok(_) => String::new(),
        Err(problem) => problem.short(),
    }
}

#[test]
fn a_line_with_a_figure_that_cannot_be_is_refused() {
    assert_eq!(said("/label", json!("other")), "");
    for (pointer, value, why) in [
        (
            "/total/failures",
            json!(101),
            "`failures` of the total cannot be",
        ),
        (
            "/total/unexpected_failures",
            json!(11),
            "more than its failures, 10",
        ),
        (
            "/duration_s",
            json!(-3),
            "`duration_s` of the run cannot be",
        ),
        (
            "/endpoints/1/response_time_ms/max",
            json!(-3),
            "is negative",
        ),
        (
            "/endpoints/0/times",
            json!({"exact_us": [1500, 51]}),
            "51 is more than 50",
        ),
        (
            "/endpoints/0/sureness/relative_error/mean",
            json!(-1),
            "is negative",
        ),
        ("/endpoints/0/statuses/200", json!(70), "its requests"),
        ("/rates/peak_rps/value", json!(101), "its requests"),
    ] {
        let said = said(pointer, value);
        assert!(said.starts_with("h.jsonl:7:"), "{pointer}: {said}");
        assert!(
            said.contains("error[impossible-figure]"),
            "{pointer}: {said}"
        );
        assert!(said.contains(why), "{pointer}: {said}");
    }
    let key = |at: &[&str]| {
        let at: Vec<String> = at.iter().map(|k| (*k).to_owned()).collect();
        in_line(&at).join("/")
    };
    assert_eq!(key(&["run", "users_max"]), "users_max");
    assert_eq!(
        key(&["endpoints", "0", "sample", "times_us"]),
        "endpoints/0/times"
    );
    assert_eq!(
        key(&["total", "sample", "relative_error", "mean"]),
        "total/sureness/relative_error/mean"
    );
}

#[test]
fn counts_that_overflow_are_refused() {
    let times = json!({"exact_us": [1500, u64::MAX, 1, u64::MAX]});
    assert!(said("/endpoints/0/times", times).contains("overflow"));
}
