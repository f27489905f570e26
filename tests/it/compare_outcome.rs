//! What `compare` ends with.

use serde_json::Value;

use crate::harness::{read, shell, write};

/// `compare` says what regressed on its last line, in its exit code and in every report.
#[test]
fn compare_says_what_regressed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let make = |name: &str, seed: u32, more: &str| {
        let command = format!(
            "loadgate generate --scenario worker-batches --write log --requests 1500 --seed {seed} --out {name} {more}"
        );
        assert_eq!(shell(path, &command).code, 0);
    };
    for (i, name) in ["a1", "a2", "a3"].into_iter().enumerate() {
        make(name, i as u32 + 1, "");
    }
    for (i, name) in ["b1", "b2", "b3"].into_iter().enumerate() {
        make(name, i as u32 + 11, "--degrade '*:latency*2'");
    }
    let sides = |a: &str, b: &str| {
        format!(
            "loadgate compare {a}1 {b}1 --baseline {a}2 --baseline {a}3 --replicate {b}2 --replicate {b}3 --out out"
        )
    };
    let run = shell(path, &sides("a", "b"));
    let last = run.stdout.trim_end().lines().last().unwrap();
    assert_eq!(run.code, 1, "{last}");
    assert!(
        last.starts_with("FAILED: b1, b2, b3 against a1, a2, a3: "),
        "{last}"
    );
    assert!(
        last.contains(": regressed: POST ") && last.contains(" slower (mean +"),
        "{last}"
    );
    let junit = quick_junit::Report::deserialize_from_str(&read(path, "out/junit.xml")).unwrap();
    assert_eq!((junit.tests, junit.failures), (1, 1));
    let report: Value = serde_json::from_str(&read(path, "out/report.json")).unwrap();
    assert_eq!(report["outcome"]["verdict"], "fail");
    assert_eq!(report["gates"][0]["id"], "comparison");
    let quiet = shell(path, &(sides("a", "b") + " --quiet"));
    assert_eq!(quiet.stdout.trim_end(), last);
    // A gate is one criterion more.
    let run = shell(path, &(sides("a", "b") + " --require 'requests > 1'"));
    let last = run.stdout.trim_end().lines().last().unwrap().to_owned();
    assert_eq!(run.code, 1);
    assert!(
        last.starts_with("FAILED: 1 of 2 criteria passed; failed: comparison; b1"),
        "{last}"
    );
    // The other way round everything is better.
    let run = shell(path, &sides("b", "a"));
    let last = run.stdout.trim_end().lines().last().unwrap().to_owned();
    assert_eq!(run.code, 0, "{last}");
    assert!(
        last.starts_with("COMPARED: a1, a2, a3 against b1, b2, b3: no regression found; "),
        "{last}"
    );
    // `[regression]` says itself what follows.
    write(path, "loadgate.toml", "[regression]\nlevel = \"warn\"\n");
    let run = shell(path, &sides("a", "b"));
    let last = run.stdout.trim_end().lines().last().unwrap().to_owned();
    assert_eq!(run.code, 0, "{last}");
    assert!(
        last.starts_with("PASSED with 1 warning: ") && last.contains(" regressed: "),
        "{last}"
    );
    std::fs::remove_file(path.join("loadgate.toml")).unwrap();
    // Of nothing, nothing can be told.
    write(path, "none.jsonl", "");
    let run = shell(path, "loadgate compare none.jsonl none.jsonl");
    let last = run
        .stdout
        .trim_end()
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();
    assert!(
        run.code == 3 && last.starts_with("UNDECIDED: "),
        "{} {last} {}",
        run.code,
        run.stderr
    );
}
