//! Comparison with a baseline, as a user runs it.

use serde_json::Value;

use crate::harness::{file, loadgate, report, root};

const BASELINE: &str = "testdata/locust/2.47.0/batch";
const SAME: &str = "testdata/locust/2.47.0/batch_same";
const REGRESSED: &str = "testdata/locust/2.47.0/batch_regressed";
const SLOWER: &str = "POST finalizar_arm_10_unions";

/// The JSON report of a run against baselines, and the exit code.
fn against(run: &str, baselines: &[&str], more: &[&str]) -> (Value, i32) {
    let mut args = vec![run];
    for baseline in baselines {
        args.extend(["--baseline", baseline]);
    }
    args.extend(more);
    report(&args)
}

/// Endpoint and metric of every row with a word.
fn rows(report: &Value, word: &str) -> Vec<(String, String)> {
    let endpoints = report["comparison"]["endpoints"].as_array().unwrap();
    let mut found = Vec::new();
    for endpoint in endpoints {
        let name = match &endpoint["endpoint"] {
            Value::Null => "Total".to_owned(),
            key => format!(
                "{} {}",
                key["method"].as_str().unwrap(),
                key["name"].as_str().unwrap()
            ),
        };
        for row in endpoint["metrics"].as_array().unwrap() {
            if row["verdict"] == word {
                found.push((name.clone(), row["metric"].as_str().unwrap().to_owned()));
            }
        }
    }
    found
}

fn endpoints(rows: &[(String, String)]) -> Vec<&str> {
    let mut names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    names
}

#[test]
fn the_same_code_is_not_regressed() {
    let (json, code) = against(SAME, &[BASELINE], &[]);
    assert_eq!(code, 0);
    for word in ["regressed", "suspect", "improved"] {
        assert_eq!(rows(&json, word), [], "{word}");
    }
}

#[test]
fn one_run_of_slower_code_makes_exactly_that_endpoint_suspect() {
    for (baseline, current) in [
        (BASELINE.to_owned(), REGRESSED.to_owned()),
        // Locust's tables alone: only the mean is known well enough.
        (format!("{BASELINE}/run"), format!("{REGRESSED}/tables")),
    ] {
        let (json, code) = against(&current, &[&baseline], &[]);
        assert_eq!(code, 0, "{baseline}");
        assert_eq!(rows(&json, "regressed"), []);
        assert_eq!(endpoints(&rows(&json, "suspect")), [SLOWER], "{baseline}");
    }
}

/// The report of an earlier check stands for the run: same values, same findings.
#[test]
fn a_report_is_a_baseline() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    assert_eq!(loadgate(&["check", BASELINE, "--out", out]).code, 0);
    let (of_run, _) = against(REGRESSED, &[BASELINE], &[]);
    let suspect = rows(&of_run, "suspect");
    for path in [out.to_owned(), format!("{out}/report.json")] {
        let (of_report, _) = against(REGRESSED, &[&path], &[]);
        assert_eq!(rows(&of_report, "suspect"), suspect, "{path}");
        let endpoints = |report: &Value| report["comparison"]["endpoints"].clone();
        assert_eq!(endpoints(&of_report), endpoints(&of_run), "{path}");
    }
}

#[test]
fn a_report_of_tables_is_a_baseline_too() {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json");
    let json = json.to_str().unwrap();
    loadgate(&["check", &format!("{BASELINE}/run"), "--json", json]);
    let (report, _) = against(&format!("{REGRESSED}/tables"), &[json], &[]);
    assert_eq!(endpoints(&rows(&report, "suspect")), [SLOWER]);
}

#[test]
fn the_order_of_runs_changes_nothing_but_their_list() {
    let of = |baselines: &[&str], replicate: &str, run: &str| {
        let (mut json, _) = against(run, baselines, &["--replicate", replicate]);
        let comparison = json["comparison"].as_object_mut().unwrap();
        comparison.remove("baseline");
        comparison.remove("current");
        comparison.clone()
    };
    let one = of(&[BASELINE, SAME], REGRESSED, BASELINE);
    let other = of(&[SAME, BASELINE], BASELINE, REGRESSED);
    assert_eq!(one, other);
}

#[test]
fn the_report_of_a_comparison_follows_the_schema() {
    let schema: Value = serde_json::from_str(&loadgate(&["schema"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let gates = ["--config", "testdata/gates/regression.toml"];
    for (run, baseline, more) in [
        (REGRESSED, BASELINE, &gates[..]),
        (REGRESSED, "testdata/locust/2.20.1/batch", &[]),
        ("testdata/locust/2.47.0/empty", BASELINE, &[]),
        (BASELINE, "testdata/locust/2.47.0/empty", &[]),
        (
            "testdata/locust/2.47.0/weird_names",
            "testdata/locust/0.14.6/batch",
            &[],
        ),
    ] {
        let (json, _) = against(run, &[baseline], more);
        assert!(json["comparison"].is_object());
        let errors: Vec<String> = validator
            .iter_errors(&json)
            .map(|e| format!("{}: {e}", e.instance_path))
            .collect();
        assert!(errors.is_empty(), "{run} against {baseline}: {errors:?}");
    }
}

#[test]
fn a_baseline_that_is_not_there_is_no_verdict() {
    let run = loadgate(&[
        "check",
        SAME,
        "--baseline",
        "nowhere",
        "--baseline",
        "neither",
    ]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("`nowhere`") && run.stderr.contains("`neither`"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_report_that_cannot_be_read_says_where_and_why() {
    let dir = tempfile::tempdir().unwrap();
    let cut = file(
        &dir,
        "cut.json",
        b"{\n  \"schema\": \"loadgate.report/1\",\n  \"run\": {",
    );
    let newer = file(&dir, "newer.json", b"{\"schema\": \"loadgate.report/9\"}");
    let lacking = file(&dir, "lacking.json", b"{\"schema\": \"loadgate.report/1\"}");
    for (path, code, says) in [
        (&cut, "bad-line", "cut.json:3:"),
        (&newer, "newer-history", "version 9"),
        (&lacking, "bad-line", "missing field `run`"),
    ] {
        let run = loadgate(&["check", SAME, "--baseline", path]);
        assert_eq!(run.code, 2, "{path}");
        assert!(
            run.stderr.contains(code) && run.stderr.contains(says),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn rules_without_a_baseline_are_undecided() {
    let (json, code) = report(&[SAME, "--require", "p95 <= baseline + 20%"]);
    assert_eq!(
        (code, &json["gates"][0]["verdict"]),
        (3, &Value::from("undecided"))
    );
    let dir = tempfile::tempdir().unwrap();
    let config = file(&dir, "loadgate.toml", b"[regression]\n");
    let (json, code) = report(&[SAME, "--config", &config]);
    assert_eq!(
        (code, &json["gates"][0]["id"]),
        (3, &Value::from("regression"))
    );
}

#[test]
fn endpoints_that_came_or_went_are_findings() {
    let dir = tempfile::tempdir().unwrap();
    let line = |name: &str, i: u32| {
        format!(
            "{{\"timestamp\":\"2026-01-01T00:00:{i:02}Z\",\"name\":\"{name}\",\"response_time_ms\":{i}}}\n"
        )
    };
    let log = |names: [&str; 2]| {
        (10..40)
            .map(|i| line(names[i as usize % 2], i))
            .collect::<String>()
    };
    let before = file(&dir, "before.jsonl", log(["/stays", "/goes"]).as_bytes());
    let now = file(&dir, "now.jsonl", log(["/stays", "/comes"]).as_bytes());
    let run = loadgate(&["compare", &before, &now]);
    assert!(
        run.stdout.contains("new, not in the baseline: /comes"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("vanished, only in the baseline: /goes"));
    assert!(run.stdout.contains("doubt (mix): 50 % of the requests"));
}

#[test]
fn compare_takes_two_runs() {
    assert_eq!(loadgate(&["compare", BASELINE]).code, 2);
    assert_eq!(loadgate(&["compare", BASELINE, SAME, REGRESSED]).code, 2);
    let help = loadgate(&["compare", "--help"]);
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("<BASE> <CURRENT>") && help.stdout.contains("--replicate"));
}

#[test]
fn every_mistake_of_a_regression_section_is_told_at_once() {
    let path = "testdata/broken/regression.toml";
    let run = loadgate(&["check", SAME, "--config", path, "--quiet"]);
    assert_eq!(run.code, 2);
    let told = std::fs::read_to_string(root(path)).unwrap();
    for (line, text) in told.lines().enumerate() {
        let wrong = [
            "margin = \"5\"",
            "alpha",
            "p95th",
            "panic",
            "\"pass\"",
            "marign",
            "floor = 5",
            "id = \"regression\"",
            "significant",
        ];
        let expected = wrong.iter().any(|w| text.contains(w));
        let is_told = run.stderr.contains(&format!("{path}:{}:", line + 1));
        assert_eq!(
            is_told,
            expected,
            "line {}: {text}\n{}",
            line + 1,
            run.stderr
        );
    }
}

/// Four recorded runs predict the next; runs of another machine do not join them.
#[test]
fn a_history_is_a_baseline() {
    let dir = tempfile::tempdir().unwrap();
    let history = dir.path().join("history.jsonl");
    let history = history.to_str().unwrap();
    let generated = |seed: &str, more: &[&str]| {
        let out = dir.path().join(format!("run-{seed}"));
        let out = out.to_str().unwrap().to_owned();
        let start = format!("2026-01-0{seed}T00:00:00Z");
        let mut args = vec!["generate", "--scenario", "worker-batches", "--write", "log"];
        args.extend(["--start", &start]);
        args.extend(["--requests", "600", "--seed", seed, "--out", &out]);
        args.extend(more);
        assert_eq!(loadgate(&args).code, 0);
        out
    };
    for seed in ["1", "2", "3", "4"] {
        let run = generated(seed, &[]);
        let label = ["--label", "machine=a", "--record", history, "--quiet"];
        let args = [&["check", run.as_str()][..], &label[..]].concat();
        assert_eq!(loadgate(&args).code, 0);
    }
    let slow = generated("5", &["--degrade", "*ARM 10:latency*3"]);
    let (json, _) = against(&slow, &[history], &["--label", "machine=a"]);
    assert!(
        rows(&json, "suspect").contains(&("POST FINALIZAR ARM 10".to_owned(), "mean".to_owned()))
    );
    assert_eq!(rows(&json, "regressed"), []);
    assert_eq!(
        json["comparison"]["endpoints"][0]["metrics"][0]["noise"]["source"],
        "history"
    );
    assert_eq!(json["comparison"]["baseline"].as_array().unwrap().len(), 4);
    // The run itself is no part of what it is compared with.
    let recorded = format!("{}/run-4", dir.path().display());
    let (json, _) = against(&recorded, &[history], &["--label", "machine=a"]);
    assert_eq!(json["comparison"]["baseline"].as_array().unwrap().len(), 3);
    let run = loadgate(&[
        "check",
        &slow,
        "--baseline",
        history,
        "--label",
        "machine=b",
    ]);
    assert_eq!(run.code, 0);
    let words = run.stdout.replace("\n    ", " ");
    assert!(
        words.contains("0 of 3 runs made under the same conditions")
            && words.contains("4 runs were made with another `machine`"),
        "{words}"
    );
}
