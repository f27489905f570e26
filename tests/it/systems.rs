//! The first system's five criteria, each violated alone, on runs that are made for it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::harness::{loadgate_in, root};

const SCENARIO: &str = "templates/scenarios/worker-batches.toml";

/// Makes a run of the scenario, with text in it replaced, and judges it: id → worst verdict, of those that can fail.
fn judged(replaced: &[(&str, &str)], changes: &[&str]) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut scenario = std::fs::read_to_string(root(SCENARIO)).unwrap();
    for (from, to) in replaced {
        assert!(scenario.contains(from), "{from}");
        scenario = scenario.replacen(from, to, 1);
    }
    std::fs::write(folder.path().join("scenario.toml"), scenario).unwrap();
    let mut words = vec!["generate", "--scenario", "scenario.toml", "--seed", "3"];
    words.extend(["--write", "log", "--out", "run"]);
    words.extend(changes);
    let run = loadgate_in(folder.path(), &words, b"");
    assert_eq!(run.code, 0, "{}", run.stderr);
    check(folder.path(), "run")
}

fn check(folder: &Path, run: &str) -> BTreeMap<String, String> {
    let gates = root("testdata/gates/worker_batches.toml");
    let words = [
        "check",
        run,
        "--config",
        gates.to_str().unwrap(),
        "--json",
        "-",
    ];
    let run = loadgate_in(folder, &words, b"");
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let mut worst: BTreeMap<String, String> = BTreeMap::new();
    for gate in json["gates"].as_array().unwrap() {
        let text = |key: &str| gate[key].as_str().unwrap().to_owned();
        let verdict = worst.entry(text("id")).or_insert_with(|| "pass".to_owned());
        if text("verdict") != "pass" && verdict != "fail" {
            *verdict = text("verdict");
        }
    }
    worst
}

fn failed(verdicts: &BTreeMap<String, String>) -> Vec<&str> {
    let failed = verdicts.iter().filter(|(_, verdict)| *verdict != "pass");
    failed.map(|(id, _)| id.as_str()).collect()
}

#[test]
fn a_healthy_run_meets_all_five_criteria() {
    let verdicts = judged(&[], &[]);
    assert_eq!(failed(&verdicts), [""; 0]);
    for id in ["PERF-01", "PERF-02", "PERF-03", "PERF-04", "PERF-05"] {
        assert!(verdicts.contains_key(id), "{verdicts:?}");
    }
}

#[test]
fn each_criterion_fails_when_it_alone_is_violated() {
    // Always slow, but never very slow: p95 of 1.3 s, and p99 = 1.1 s · e^(2.326 · ln(1.3 / 1.1) / 1.645) ≈ 1.39 s.
    let slow = (
        "median = \"180ms\"\np95 = \"420ms\"",
        "median = \"1100ms\"\np95 = \"1300ms\"",
    );
    assert_eq!(failed(&judged(&[slow], &[])), ["PERF-01"]);
    // Rarely slow, then very: p95 of 0.6 s, and p99 = 30 ms · e^(2.326 · ln(600 / 30) / 1.645) ≈ 2.1 s.
    let tail = (
        "median = \"180ms\"\np95 = \"420ms\"",
        "median = \"20ms\"\np95 = \"600ms\"",
    );
    assert_eq!(failed(&judged(&[tail], &[])), ["PERF-02"]);
    assert_eq!(
        failed(&judged(&[], &["--set", "FINALIZAR*:api_calls=1..3"])),
        ["PERF-03"]
    );
    assert_eq!(
        failed(&judged(&[], &["--set", "QUERY METADATA:rows=901"])),
        ["PERF-04"]
    );
    assert_eq!(
        failed(&judged(&[], &["--set", "FINALIZAR*:api_writes=1"])),
        ["PERF-05"]
    );
}

#[test]
fn a_burst_alone_breaks_the_quota() {
    // 21 writes at once are under 30 in a minute, but more than 20 in ten seconds; else nothing is written.
    let burst = [
        "--set",
        "FINALIZAR*:api_writes=0",
        "--set",
        "INICIAR:api_writes=1",
    ];
    let mut changes = vec!["--users", "5", "--burst", "INICIAR:21@60s"];
    changes.extend(burst);
    let verdicts = judged(&[], &changes);
    assert_eq!(verdicts["PERF-05"], "fail", "{verdicts:?}");
}

#[test]
fn what_a_log_does_not_hold_is_undecided() {
    let folder = tempfile::tempdir().unwrap();
    let words = [
        "generate",
        "--scenario",
        "worker-batches",
        "--seed",
        "3",
        "--out",
        "run",
    ];
    assert_eq!(loadgate_in(folder.path(), &words, b"").code, 0);
    std::fs::remove_file(folder.path().join("run/requests.jsonl")).unwrap();
    let verdicts = check(folder.path(), "run");
    for id in [
        "PERF-03",
        "PERF-04",
        "PERF-05",
        "server-errors",
        "unexpected",
        "memory",
    ] {
        assert_eq!(verdicts[id], "undecided", "{verdicts:?}");
    }
    assert_eq!(verdicts["PERF-02"], "pass", "{verdicts:?}");
}

#[test]
fn a_part_of_a_run_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let words = [
        "generate",
        "--scenario",
        "worker-batches",
        "--out",
        "run",
        "--spawn-rate",
        "1",
        "--write",
        "log",
    ];
    assert_eq!(loadgate_in(folder.path(), &words, b"").code, 0);
    let run = |flags: &[&str]| {
        let mut words = vec!["check", "run", "--json", "-"];
        words.extend(flags);
        let run = loadgate_in(folder.path(), &words, b"");
        assert_eq!(run.code, 0, "{}", run.stderr);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let requests = json["total"]["requests"].as_u64().unwrap();
        (requests, json["notes"].to_string())
    };
    let (all, _) = run(&[]);
    let (early, _) = run(&["--to", "60s"]);
    let (late, note) = run(&["--from", "60s"]);
    assert_eq!(early + late, all);
    assert!(
        note.contains("only requests that start from 2026-01-01T00:01:00"),
        "{note}"
    );
    assert_eq!(run(&["--from", "2026-01-01T00:01:00Z"]).0, late);
    // 40 users spawn in 40 s; before that not all are there.
    let (steady, note) = run(&["--phase", "steady"]);
    assert!(
        steady < all && note.contains("steady phase, 40 users"),
        "{note}"
    );
    std::fs::write(
        folder.path().join("loadgate.toml"),
        "[run]\nphase = \"steady\"\n[[gate]]\nid = \"load\"\nrequire = \"requests >= 1\"\n",
    )
    .unwrap();
    assert_eq!(run(&[]).0, steady);
    assert_eq!(run(&["--phase", "all"]).0, all);
    let turned = ["check", "run", "--from", "2min", "--to", "1min", "--quiet"];
    let turned = loadgate_in(folder.path(), &turned, b"");
    assert_eq!(turned.code, 2);
    assert!(
        turned.stderr.contains("`from` is not before `to`"),
        "{}",
        turned.stderr
    );
    let wrong = loadgate_in(
        folder.path(),
        &["check", "run", "--from", "noon", "--quiet"],
        b"",
    );
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stderr.contains("`noon` is not a moment"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn reports_say_nothing_of_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let words = [
        "generate",
        "--scenario",
        "claims-api",
        "--seed",
        "3",
        "--out",
        "run",
    ];
    assert_eq!(loadgate_in(folder.path(), &words, b"").code, 0);
    let here = folder.path().canonicalize().unwrap();
    let gate = "[[gate]]\nid = \"a\"\nrequire = \"p95 < 1ms\"\n";
    std::fs::write(here.join("gates.toml"), gate).unwrap();
    let (run, gates) = (here.join("run"), here.join("gates.toml"));
    let words = [
        "check",
        run.to_str().unwrap(),
        "--config",
        gates.to_str().unwrap(),
        "--out",
        "out",
    ];
    assert_eq!(loadgate_in(&here, &words, b"").code, 1);
    for report in std::fs::read_dir(here.join("out")).unwrap() {
        let path = report.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            !text.contains(here.to_str().unwrap()),
            "{} names {}",
            path.display(),
            here.display()
        );
    }
    let json = std::fs::read_to_string(here.join("out/report.json")).unwrap();
    assert!(json.contains("\"run/requests.jsonl\"") && json.contains("\"gates.toml\""));
}
