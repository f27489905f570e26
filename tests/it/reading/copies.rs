//! The same results twice.

use super::*;

/// The log, beside a copy of that name and content.
fn beside(name: &str, bytes: &[u8]) -> (u64, String, String) {
    let text = log(BEGIN, 100, 200);
    let dir = run_of(&[("requests.jsonl", text.as_bytes()), (name, bytes)]);
    let run = check(&dir, &["--json", "-"]);
    let (n, notes) = requests(&run);
    let sources = json(&run)["run"]["sources"].to_string();
    (n, notes, sources)
}

#[test]
fn a_copy_counts_once() {
    let text = log(BEGIN, 100, 200);
    let mut reversed: Vec<&str> = text.split_inclusive('\n').collect();
    reversed.reverse();
    for (name, bytes) in [
        ("requests (1).jsonl", text.as_bytes().to_vec()),
        ("requests.jsonl.gz", gzip(text.as_bytes())),
        ("requests.jsonl.zst", zstd(text.as_bytes())),
        ("requests-sorted.jsonl", reversed.concat().into_bytes()),
    ] {
        let (n, notes, sources) = beside(name, &bytes);
        assert_eq!(n, 100, "{name}");
        assert!(
            notes.contains(&format!("{name} is a copy of")),
            "{name}: {notes}"
        );
        assert!(sources.contains("not-read"), "{sources}");
    }
}

#[test]
fn an_older_state_of_a_log_counts_once() {
    let text = log(BEGIN, 100, 200);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (name, part, place) in [
        ("requests.jsonl.1", lines[..60].concat(), "beginning"),
        // Cut in the middle of a line.
        (
            "older.jsonl",
            text[..text.len() / 2].to_owned(),
            "beginning",
        ),
        ("last.jsonl", lines[60..].concat(), "end"),
        ("errors.jsonl", lines[99..].concat(), "end"),
    ] {
        let (n, notes, _) = beside(name, part.as_bytes());
        assert_eq!(n, 100, "{name}");
        assert!(
            notes.contains(&format!("{name} is the {place} of")),
            "{name}: {notes}"
        );
    }
    // What begins alike and is another log is counted.
    let (n, ..) = beside(
        "worker.jsonl",
        (lines[0].to_owned() + &log(BEGIN + 5, 9, 200)).as_bytes(),
    );
    assert_eq!(n, 110);
}

#[test]
fn a_changed_copy_is_refused() {
    let text = log(BEGIN, 100, 200);
    let changed = log(BEGIN, 50, 200) + &log(BEGIN + 51, 49, 200);
    let dir = run_of(&[
        ("requests.jsonl", text.as_bytes()),
        ("cleaned.jsonl", changed.as_bytes()),
    ]);
    refused(&check(&dir, &[]), &["changed-copy", "same 50 lines"]);
}

#[test]
fn a_copied_table_counts_once() {
    let dir = folder();
    tables(&dir, "run", BEGIN, 20);
    let copy = |from: &str, to: &str| {
        std::fs::copy(dir.path().join(from), dir.path().join(to)).unwrap();
    };
    copy("run_stats.csv", "run_stats (1).csv");
    copy("run_stats_history.csv", "backup_stats_history.csv");
    let (n, notes) = requests(&loadgate_in(
        dir.path(),
        &["check", ".", "--json", "-"],
        b"",
    ));
    assert_eq!(n, 200);
    assert!(
        notes.contains("run_stats (1).csv is a copy of ./run_stats.csv"),
        "{notes}"
    );
    assert!(
        notes.contains("backup_stats_history.csv is a copy"),
        "{notes}"
    );
}

#[test]
fn one_file_under_two_names_counts_once() {
    let dir = folder();
    file(&dir, "a.jsonl", log(BEGIN, 9, 200).as_bytes());
    std::fs::hard_link(dir.path().join("a.jsonl"), dir.path().join("b.jsonl")).unwrap();
    let (n, notes) = requests(&loadgate_in(
        dir.path(),
        &["check", ".", "--json", "-"],
        b"",
    ));
    assert_eq!((n, notes.matches("counts once").count()), (9, 1), "{notes}");
    let twice = ["check", "a.jsonl", "a.jsonl", "--json", "-"];
    let (n, notes) = requests(&loadgate_in(dir.path(), &twice, b""));
    assert_eq!(n, 9);
    assert!(notes.contains("named twice"), "{notes}");
}

#[test]
fn a_stream_can_be_a_copy() {
    let dir = folder();
    let text = log(BEGIN, 5000, 200);
    file(&dir, "a.jsonl", text.as_bytes());
    let run = loadgate_in(
        dir.path(),
        &["check", "a.jsonl", "-", "--json", "-"],
        text.as_bytes(),
    );
    assert_eq!(requests(&run).0, 5000);
}
