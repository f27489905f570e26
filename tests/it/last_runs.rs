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
