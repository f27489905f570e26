//! Histories: followed, judged, acknowledged.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::goldens::Goldens;
use crate::harness::{Run, loadgate, root};

pub const STEP: &str = "testdata/history/step_after_8.jsonl";
const STEP_LOCUST: &str = "testdata/history/step_after_8_locust.jsonl";

pub fn trend(args: &[&str]) -> (Value, i32) {
    let mut all = vec!["trend"];
    all.extend(args);
    all.extend(["--json", "-"]);
    let run = loadgate(&all);
    let json = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|e| panic!("{args:?}: no JSON ({e}), exit {}\n{}", run.code, run.stderr));
    (json, run.code)
}

/// A request log of two endpoints: 80 requests each, the second `factor` times as slow, runs apart by a few per cent.
pub fn log(dir: &Path, n: u64, factor: f64, failures: u64) -> String {
    let mut state = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let level = 1.0 + 0.04 * (random() - 0.5);
    let mut text = String::new();
    for i in 0..80 {
        for (name, base) in [("/steady", 40.0), ("/subject", 60.0 * factor)] {
            let ms = base * level * (0.8 + 0.4 * random());
            let status = if name == "/subject" && i < failures {
                500
            } else {
                200
            };
            let (day, second) = (1 + n, i / 2);
            writeln!(
                text,
                "{{\"timestamp\":\"2026-01-{day:02}T00:00:{second:02}Z\",\"method\":\"GET\",\"name\":\"{name}\",\
                 \"response_time_ms\":{ms:.3},\"status\":{status}}}"
            )
            .unwrap();
        }
    }
    let path = dir.join(format!("run{n:02}.jsonl"));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

pub fn record(history: &str, log: &str, labels: &[&str]) -> Run {
    let mut args = vec![
        "check",
        log,
        "--record",
        history,
        "--label",
        "machine=bench",
    ];
    for label in labels {
        args.extend(["--label", label]);
    }
    loadgate(&args)
}

/// A history of runs with the given factors on `/subject`.
pub fn recorded(dir: &Path, factors: &[f64]) -> String {
    let history = dir.join("history.jsonl").to_str().unwrap().to_owned();
    for (n, factor) in factors.iter().enumerate() {
        let run = record(&history, &log(dir, n as u64, *factor, 0), &["commit=c"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    history
}

pub fn changes(json: &Value) -> Vec<(String, u64, bool)> {
    let one = |c: &Value| {
        let name = c["name"].as_str().unwrap_or("Total").to_owned();
        (
            name,
            c["run"].as_u64().unwrap(),
            c["worse"].as_bool().unwrap(),
        )
    };
    json["groups"][0]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(one)
        .collect()
}

/// The step of the twelve real runs is found at its run and its endpoint, and nothing else but the total that follows.
#[test]
fn the_step_of_twelve_real_runs_is_found_and_nothing_else() {
    for history in [STEP, STEP_LOCUST] {
        let (json, code) = trend(&[history]);
        assert_eq!(code, 1, "{history}");
        let subject = "finalizar_sold_5_unions".to_owned();
        assert_eq!(
            changes(&json),
            [(subject, 9, true), ("Total".to_owned(), 9, true)],
            "{history}"
        );
        let found = &json["groups"][0]["changes"];
        assert_eq!(found[1]["follows"], found[0]["id"]);
        let metrics: Vec<&str> = found[0]["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["metric"].as_str().unwrap())
            .collect();
        assert_eq!(metrics, ["mean", "p50", "p95"], "{history}");
        for metric in found[0]["metrics"].as_array().unwrap() {
            let ratio = metric["after"].as_f64().unwrap() / metric["before"].as_f64().unwrap();
            assert!(
                (1.25..1.36).contains(&ratio),
                "1.3 times as slow, found {ratio}"
            );
        }
        for series in json["groups"][0]["series"].as_array().unwrap() {
            let touched = series["name"] == "finalizar_sold_5_unions" || series["name"].is_null();
            assert!(
                touched || series["newest"]["verdict"] == "within",
                "{series}"
            );
        }
    }
}

#[test]
fn before_the_step_nothing_has_regressed() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root(STEP)).unwrap();
    let first: Vec<&str> = text.lines().take(8).collect();
    let path = dir.path().join("h.jsonl");
    std::fs::write(&path, first.join("\n") + "\n").unwrap();
    let (json, code) = trend(&[path.to_str().unwrap()]);
    assert_eq!((code, changes(&json).len()), (0, 0));
}

/// The ninth run is suspect, with exit 0; from the tenth on it is a regression, and stays one.
#[test]
fn the_step_is_suspect_in_its_first_run_and_red_from_the_second_on() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root(STEP)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for runs in 9..=12 {
        let path = dir.path().join("h.jsonl");
        std::fs::write(&path, lines[..runs].join("\n") + "\n").unwrap();
        let (json, code) = trend(&[path.to_str().unwrap()]);
        assert_eq!(code, i32::from(runs > 9), "after {runs} runs");
        let sentence = json["outcome"]["sentence"].as_str().unwrap();
        assert_eq!(sentence.contains("suspect"), runs == 9, "{sentence}");
        let subject = |(name, run, worse): &(String, u64, bool)| {
            name == "finalizar_sold_5_unions" && *run == 9 && *worse
        };
        assert!(
            changes(&json).iter().any(subject),
            "after {runs} runs: {:?}",
            changes(&json)
        );
    }
}

#[test]
fn the_report_follows_its_schema() {
    let schema = serde_json::from_str(&loadgate(&["schema", "trend"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.jsonl");
    std::fs::write(&empty, "").unwrap();
    let empty = empty.to_str().unwrap();
    let all: [&[&str]; 4] = [
        &[STEP, "--self-test"],
        &[STEP, "--algorithm", "otava", "--metric", "p99,rps"],
        &[STEP, "--last", "3"],
        &[empty],
    ];
    for args in all {
        let (json, _) = trend(args);
        let errors: Vec<String> = validator
            .iter_errors(&json)
            .map(|e| format!("{}: {e}", e.instance_path))
            .collect();
        assert!(errors.is_empty(), "{args:?}: {errors:?}");
    }
}

#[test]
fn the_same_history_gives_the_same_bytes_in_every_report() {
    let of = || {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().to_str().unwrap();
        let run = loadgate(&["trend", STEP, "--self-test", "--out", out]);
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        let reports = ["trend.html", "trend.json", "trend.csv", "trend.md"].map(read);
        (run.stdout, reports)
    };
    let (stdout, reports) = of();
    assert_eq!((stdout.clone(), reports.clone()), of());
    for line in stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(reports[0].contains("default-src &#x27;none&#x27;; style-src &#x27;sha256-"));
    assert!(!reports[0].contains("unsafe"));
    let addresses = reports[0].matches("http:").count() + reports[0].matches("https:").count();
    let namespaces = reports[0].matches("www.w3.org").count();
    assert_eq!(addresses, namespaces, "nothing is fetched");
}

#[test]
fn an_acknowledged_change_passes_and_travels_with_the_history() {
    let dir = tempfile::tempdir().unwrap();
    let history = dir.path().join("h.jsonl");
    std::fs::copy(root(STEP), &history).unwrap();
    let history = history.to_str().unwrap();
    let (json, _) = trend(&[history]);
    let id = json["groups"][0]["changes"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let unknown = loadgate(&["trend", history, "--ack", "ffffffff", "--reason", "x"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("unknown-change") && unknown.stderr.contains(&id));
    let acked = loadgate(&[
        "trend",
        history,
        "--ack",
        &id,
        "--reason",
        "new storage, meant",
    ]);
    assert_eq!(acked.code, 0, "{}{}", acked.stdout, acked.stderr);
    assert!(acked.stdout.contains("acknowledged: new storage, meant"));
    assert_eq!(
        std::fs::read_to_string(history).unwrap().lines().count(),
        13
    );
    // Again from the file alone.
    let (json, code) = trend(&[history]);
    assert_eq!(
        (code, &json["outcome"]["verdict"]),
        (0, &Value::from("pass"))
    );
    assert_eq!(
        json["groups"][0]["changes"][1]["acknowledged"],
        "new storage, meant"
    );
}

/// Read as runs arrive, the step at run 9 is suspect in its first run and red in every later one; nothing else ever is.
#[test]
fn a_step_is_suspect_first_and_then_red_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root(STEP)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let path = dir.path().join("h.jsonl");
    for runs in 6..=lines.len() {
        std::fs::write(&path, lines[..runs].join("\n") + "\n").unwrap();
        let (json, code) = trend(&[path.to_str().unwrap()]);
        let outcome = &json["outcome"];
        let expected = match runs {
            ..9 => (0, false, false),
            9 => (0, true, false),
            _ => (1, false, true),
        };
        let suspect = outcome["suspect"].as_u64().unwrap() > 0;
        let found = (code, suspect, outcome["regressed"].as_u64().unwrap() > 0);
        assert_eq!(found, expected, "{runs} runs: {outcome}");
        if runs > 9 {
            let sentence = outcome["sentence"].as_str().unwrap();
            assert!(sentence.contains("since run 9"), "{sentence}");
        }
    }
}

/// One bad run alone is suspect; acknowledged, the next runs are judged by the level it began.
#[test]
fn a_suspect_run_can_be_acknowledged_too() {
    let dir = tempfile::tempdir().unwrap();
    let history = recorded(dir.path(), &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.5]);
    let (json, code) = trend(&[&history]);
    assert_eq!(
        (code, &json["outcome"]["suspect"]),
        (0, &Value::from(6)),
        "{}",
        json["outcome"]
    );
    let change = &json["groups"][0]["changes"][0];
    assert_eq!(
        (&change["kind"], &change["name"]),
        (&"newest-run".into(), &"/subject".into())
    );
    let id = change["id"].as_str().unwrap();
    let acked = loadgate(&["trend", &history, "--ack", id, "--reason", "meant"]);
    assert_eq!(acked.code, 0, "{}", acked.stdout);
    for (n, factor, expected) in [
        (8, 1.5, 0),
        (9, 1.5, 0),
        (10, 1.5, 0),
        (11, 2.2, 0),
        (12, 2.2, 1),
        (13, 2.2, 1),
    ] {
        record(&history, &log(dir.path(), n, factor, 0), &["commit=c"]);
        let (json, code) = trend(&[&history]);
        assert_eq!(code, expected, "run {n}: {}", json["outcome"]);
    }
}

/// A drift is a change of its own kind; once it is acknowledged, the steps it took the place of fail no run either.
#[test]
fn a_drift_is_found_and_can_be_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let factors: Vec<f64> = (0..16).map(|i| 1.0 + 0.03 * f64::from(i)).collect();
    let history = recorded(dir.path(), &factors);
    let (json, code) = trend(&[&history]);
    assert_eq!(code, 1);
    let change = &json["groups"][0]["changes"][0];
    let expected = (&"drift".into(), &"/subject".into());
    assert_eq!((&change["kind"], &change["name"]), expected, "{change}");
    let id = change["id"].as_str().unwrap();
    let acked = loadgate(&["trend", &history, "--ack", id, "--reason", "data grows"]);
    assert_eq!(acked.code, 0, "{}", acked.stdout);
    record(&history, &log(dir.path(), 16, 1.45, 0), &["commit=c"]);
    let (json, code) = trend(&[&history]);
    assert_eq!(code, 0, "{}", json["outcome"]);
}

#[test]
fn failures_that_begin_are_a_regression() {
    let dir = tempfile::tempdir().unwrap();
    let history = recorded(dir.path(), &[1.0; 8]);
    let asked = [
        history.as_str(),
        "--on",
        "/subject",
        "--metric",
        "failure_ratio",
    ];
    record(&history, &log(dir.path(), 8, 1.0, 12), &["commit=c"]);
    let (json, code) = trend(&asked);
    let newest = &json["groups"][0]["series"][0]["newest"];
    assert_eq!((code, &newest["verdict"]), (0, &"suspect".into()));
    record(&history, &log(dir.path(), 9, 1.0, 12), &["commit=c"]);
    let (json, code) = trend(&asked);
    assert_eq!(code, 1);
    let newest = &json["groups"][0]["series"][0]["newest"];
    assert_eq!(
        (&newest["value"], &newest["verdict"]),
        (&0.15.into(), &"regressed".into())
    );
}

#[test]
fn too_few_runs_cannot_be_told() {
    let dir = tempfile::tempdir().unwrap();
    for (runs, missing) in [(1, "5 more runs"), (4, "2 more runs"), (5, "1 more run ")] {
        let history = recorded(dir.path(), &vec![1.0; runs]);
        let run = loadgate(&["trend", &history]);
        assert_eq!(run.code, 3, "{runs} runs");
        for words in [
            "the noise between runs is known from 5 earlier runs on",
            missing,
            "of the same conditions",
        ] {
            assert!(run.stdout.contains(words), "{}", run.stdout);
        }
        let warned = loadgate(&["trend", &history, "--on-undecided", "warn"]);
        assert_eq!(warned.code, 0);
        std::fs::remove_file(&history).unwrap();
    }
}

#[test]
fn a_vanished_endpoint_cannot_be_told() {
    let dir = tempfile::tempdir().unwrap();
    let history = recorded(dir.path(), &[1.0; 7]);
    let path = log(dir.path(), 7, 1.0, 0);
    let text = std::fs::read_to_string(&path).unwrap();
    let without: Vec<&str> = text.lines().filter(|l| !l.contains("/subject")).collect();
    std::fs::write(&path, without.join("\n") + "\n").unwrap();
    record(&history, &path, &["commit=c"]);
    let (json, code) = trend(&[&history, "--metric", "mean"]);
    assert_eq!(code, 3, "{}", json["outcome"]);
    let newest = &json["groups"][0]["series"][1]["newest"];
    assert_eq!(newest["verdict"], "undecided");
    assert!(
        newest["because"]
            .as_str()
            .unwrap()
            .contains("7 earlier runs have"),
        "{newest}"
    );
}

/// Otava's answers come out of the command as they come out of Otava.
#[test]
fn otava_answers_as_otava_does() {
    let vectors = std::fs::read_to_string(root("testdata/vectors/change_points.json")).unwrap();
    let vectors: Value = serde_json::from_str(&vectors).unwrap();
    let old_defaults = [
        "--window",
        "30",
        "--max-pvalue",
        "0.01",
        "--min-magnitude",
        "0.05",
    ];
    let mut compared = 0;
    for case in vectors["cases"].as_array().unwrap() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("h.jsonl");
        std::fs::write(&path, history_of(case["series"].as_array().unwrap())).unwrap();
        let columns: [(&str, &[&str]); 2] = [("otava", &[]), ("otava_w30_p01_m05", &old_defaults)];
        for (answers, parameters) in columns {
            let expected: Vec<u64> = case[answers]
                .as_array()
                .unwrap()
                .iter()
                .map(|index| index.as_u64().unwrap() + 1)
                .collect();
            let mut args = vec![
                path.to_str().unwrap(),
                "--algorithm",
                "otava",
                "--metric",
                "mean",
            ];
            args.extend(["--on", "/a", "--last", "10000"]);
            args.extend(parameters);
            let (json, _) = trend(&args);
            let steps = json["groups"][0]["series"][0]["steps"].as_array().unwrap();
            let found: Vec<u64> = steps.iter().map(|s| s["run"].as_u64().unwrap()).collect();
            assert_eq!(found, expected, "{} {answers}", case["name"]);
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared}");
}

/// A history whose runs have these means at one endpoint.
fn history_of(means: &[Value]) -> String {
    let line = |(i, mean): (usize, &Value)| {
        let endpoint = |method: &str, name: &str| {
            format!(
                "{{\"method\":\"{method}\",\"name\":\"{name}\",\"requests\":100,\"failures\":0,\"unexpected_failures\":0,\"rps\":1.0,\
                 \"response_time_ms\":{{\"min\":null,\"mean\":{mean},\"max\":null,\"stddev\":null,\"quantiles\":{{}}}},\"evidence\":\"requests\"}}"
            )
        };
        format!(
            "{{\"schema\":\"loadgate.history/1\",\"kind\":\"run\",\"id\":\"{i:016x}\",\"label\":\"\",\"started_at\":null,\"duration_s\":null,\
             \"users_max\":null,\"commit\":null,\"branch\":null,\"machine\":null,\"scenario\":null,\"labels\":{{}},\"verdict\":\"pass\",\
             \"total\":{},\"endpoints\":[{}]}}\n",
            endpoint("", "Total"),
            endpoint("GET", "/a")
        )
    };
    means.iter().enumerate().map(line).collect()
}

#[test]
fn the_self_test_prints_a_rate_with_its_interval() {
    let run = loadgate(&["trend", STEP, "--self-test"]);
    assert!(run.stdout.contains("\nSelf-test\n"), "{}", run.stdout);
    assert!(run.stdout.contains("95 % interval"), "{}", run.stdout);
    let (json, _) = trend(&[STEP, "--self-test"]);
    let test = &json["self_test"];
    assert!(test["judged"].as_u64().unwrap() > 200, "{test}");
    let rate = test["rate"].as_f64().unwrap();
    assert!(rate < 0.03, "{test}");
}

#[test]
fn wrong_flags_are_told_together() {
    let run = loadgate(&[
        "trend",
        STEP,
        "--metric",
        "p95,speed",
        "--since",
        "yesterday",
        "--on",
        "/(/",
        "--quiet",
    ]);
    assert_eq!(run.code, 2);
    for code in ["unknown-metric", "bad-value", "bad-selector"] {
        assert!(run.stderr.contains(code), "{code}: {}", run.stderr);
    }
}

/// Names that break out of whatever does not escape them stay text in every report.
#[test]
fn hostile_names_stay_text() {
    let hostile = "=1+1|</td><script>alert('x')</script>`\u{202e}";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.jsonl");
    let means: Vec<Value> = (0..12).map(|i| Value::from(100 + i % 3)).collect();
    let text = history_of(&means)
        .replace("/a", hostile)
        .replace("\"label\":\"\"", &format!("\"label\":\"{hostile}\""));
    std::fs::write(&path, text).unwrap();
    let out = dir.path().join("out");
    let run = loadgate(&[
        "trend",
        path.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(run.code != 2, "{}", run.stderr);
    assert!(!run.stdout.contains('\u{202e}'));
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    assert!(
        !read("trend.html").contains("<script>alert")
            && read("trend.html").contains("&lt;script&gt;")
    );
    assert!(read("trend.csv").contains("'=1+1"));
    assert!(!read("trend.md").contains("|</td><script>"));
}

/// Every report of the twelve real runs, as it is; `LOADGATE_UPDATE=1` writes them anew.
#[test]
fn the_reports_of_the_step_are_as_expected() {
    let out = tempfile::tempdir().unwrap();
    let run = loadgate(&[
        "trend",
        STEP,
        "--self-test",
        "--out",
        out.path().to_str().unwrap(),
    ]);
    let names = ["trend.html", "trend.json", "trend.csv", "trend.md"];
    let mut found = names.map(|name| {
        let text = std::fs::read_to_string(out.path().join(name)).unwrap();
        (name, text)
    });
    let all = found
        .iter_mut()
        .map(|(name, text)| (*name, std::mem::take(text)));
    let mut goldens = Goldens::new();
    for (name, text) in all.chain([("stdout.txt", run.stdout)]) {
        goldens.check(&root("testdata/history/expected").join(name), &text);
    }
    goldens.finish();
}
