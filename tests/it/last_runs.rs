//! The report of a run that is recorded shows the runs before it.

use crate::harness::{file, loadgate, ten_lines};

fn page(dir: &tempfile::TempDir, run: &str) -> String {
    let (history, html) = (
        dir.path().join("history.jsonl"),
        dir.path().join("report.html"),
    );
    let (history, html) = (history.to_str().unwrap(), html.to_str().unwrap());
    let done = loadgate(&["check", run, "--record", history, "--html", html]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    std::fs::read_to_string(html).unwrap()
}

#[test]
fn the_last_runs_are_drawn_once_there_are_some_and_twice_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let january = file(&dir, "a.jsonl", ten_lines().as_bytes());
    let february = file(
        &dir,
        "b.jsonl",
        ten_lines().replace("2026-01", "2026-02").as_bytes(),
    );
    assert!(
        !page(&dir, &january).contains("id=\"runs\""),
        "there is no run before it"
    );
    let second = page(&dir, &february);
    assert!(second.contains("id=\"runs\"") && second.contains("newest of 2 recorded"));
    assert_eq!(
        second,
        page(&dir, &february),
        "recorded before, it is the same report"
    );
    assert!(
        !page(&dir, &january).contains("id=\"runs\""),
        "there is a newer one"
    );
}

/// A run that was to be recorded and is not has no verdict: its page says so, and nothing else.
#[test]
fn what_is_no_history_is_left_alone_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let other = "{\"schema\":\"something else\"}\n";
    file(&dir, "history.jsonl", other.as_bytes());
    let run = file(&dir, "a.jsonl", ten_lines().as_bytes());
    let html = dir.path().join("report.html");
    let history = dir.path().join("history.jsonl");
    let checked = loadgate(&[
        "check",
        &run,
        "--record",
        history.to_str().unwrap(),
        "--html",
        html.to_str().unwrap(),
    ]);
    assert_eq!(checked.code, 2);
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.contains("bad-history") && page.contains("No verdict"));
    assert_eq!(std::fs::read_to_string(history).unwrap(), other);
}
