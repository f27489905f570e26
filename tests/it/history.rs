//! Histories: recorded, read in any order, and compared with.

use serde_json::Value;

use crate::harness::{Run, loadgate, root};
use crate::trend::{STEP, changes, log, record, recorded, trend};

/// Recording one by one and asking each time ends where recording all at once in another order does.
#[test]
fn batch_equals_incremental() {
    let factors = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.4, 1.4, 1.4, 1.4, 1.4];
    let one_by_one = tempfile::tempdir().unwrap();
    let mut asked = (Value::Null, 0);
    let history = one_by_one.path().join("history.jsonl");
    let history = history.to_str().unwrap();
    for (n, factor) in factors.iter().enumerate() {
        record(
            history,
            &log(one_by_one.path(), n as u64, *factor, 0),
            &["commit=c"],
        );
        asked = trend(&[history]);
    }
    let at_once = tempfile::tempdir().unwrap();
    let other = at_once.path().join("history.jsonl");
    for (n, factor) in factors.iter().enumerate().rev() {
        let log = log(at_once.path(), n as u64, *factor, 0);
        record(other.to_str().unwrap(), &log, &["commit=c"]);
    }
    let (there, code) = trend(&[other.to_str().unwrap()]);
    assert_eq!(code, asked.1);
    assert_eq!(there["groups"][0]["series"], asked.0["groups"][0]["series"]);
    assert_eq!(
        there["groups"][0]["changes"],
        asked.0["groups"][0]["changes"]
    );
    let subject = ("/subject".to_owned(), 7, true);
    assert!(changes(&there).contains(&subject), "{:?}", changes(&there));
}

#[test]
fn the_order_of_files_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root(STEP)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let part = |name: &str, which: &[usize]| {
        let chosen: Vec<&str> = which.iter().map(|i| lines[*i]).collect();
        let path = dir.path().join(name);
        std::fs::write(&path, chosen.join("\n") + "\n").unwrap();
        path.to_str().unwrap().to_owned()
    };
    let a = part("a.jsonl", &[11, 0, 3, 6]);
    let b = part("b.jsonl", &[2, 1, 4, 9, 5]);
    let c = part("c.jsonl", &[10, 7, 8]);
    assert_eq!(trend(&[&a, &b, &c]), trend(&[&c, &a, &b]));
    let whole = trend(&[STEP]);
    let (json, code) = trend(&[&b, &c, &a]);
    assert_eq!(code, whole.1);
    assert_eq!(json["groups"][0]["series"], whole.0["groups"][0]["series"]);
}

#[test]
fn a_folder_of_reports_is_a_history() {
    let dir = tempfile::tempdir().unwrap();
    let reports = tempfile::tempdir().unwrap();
    for n in 0..7 {
        let log = log(dir.path(), n, 1.0, 0);
        let out = reports.path().join(format!("{n}"));
        let out = out.to_str().unwrap();
        loadgate(&[
            "check",
            &log,
            "--out",
            out,
            "--label",
            "machine=bench",
            "--label",
            "commit=c",
        ]);
    }
    let (json, code) = trend(&[reports.path().to_str().unwrap()]);
    assert_eq!(code, 0, "{json}");
    assert_eq!(json["groups"][0]["runs"].as_array().unwrap().len(), 7);
}

#[test]
fn an_empty_history_cannot_be_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.jsonl");
    std::fs::write(&path, "").unwrap();
    let run = loadgate(&["trend", path.to_str().unwrap()]);
    assert_eq!(run.code, 3);
    assert!(
        run.stdout
            .contains("UNDECIDED: the history holds no such run"),
        "{}",
        run.stdout
    );
    let missing = loadgate(&["trend", dir.path().join("none").to_str().unwrap()]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("missing-input"));
}

#[test]
fn a_corrupt_or_newer_line_is_told_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root(STEP)).unwrap();
    let path = dir.path().join("h.jsonl");
    let history = path.to_str().unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[4] = lines[4].replace("\"requests\":", "\"requests\":-");
    lines[6] = lines[6].replace("loadgate.history/1", "loadgate.history/9");
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let run = loadgate(&["trend", history, "--quiet"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(
        run.stderr.contains("h.jsonl:5:") && run.stderr.contains("error[bad-line]"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("h.jsonl:7: error[newer-history]"),
        "{}",
        run.stderr
    );
    // A newer schema is never passed over.
    assert_eq!(
        loadgate(&["trend", history, "--allow-bad-lines", "9"]).code,
        2
    );
}

#[test]
fn runs_of_another_machine_or_scenario_are_their_own_series() {
    let dir = tempfile::tempdir().unwrap();
    let history = recorded(dir.path(), &[1.0; 7]);
    let other = log(dir.path(), 7, 3.0, 0);
    let run = loadgate(&[
        "check",
        &other,
        "--record",
        &history,
        "--label",
        "machine=faster",
    ]);
    assert_eq!(run.code, 0);
    let (json, code) = trend(&[&history]);
    assert_eq!(code, 3, "the newest run is alone on its machine");
    let machines: Vec<&str> = json["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["machine"].as_str().unwrap())
        .collect();
    assert_eq!(machines, ["faster", "bench"]);
    assert_eq!(json["groups"][1]["changes"].as_array().unwrap().len(), 0);
    let shown = loadgate(&["trend", &history]).stdout;
    assert!(
        shown.contains("Other series, which the outcome is not about"),
        "{shown}"
    );
}

fn compared(history: &str, log: &str, labels: &[&str]) -> Run {
    let mut args = vec!["check", log, "--baseline", history];
    args.extend(["--require", "mean <= baseline + 20% on *"]);
    for label in labels {
        args.extend(["--label", label]);
    }
    loadgate(&args)
}

/// The runs since an unacknowledged regression are no baseline; since an acknowledged one they are.
#[test]
fn the_accepted_level_of_a_history_is_the_baseline() {
    let dir = tempfile::tempdir().unwrap();
    let factors = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.5, 1.5, 1.5, 1.5];
    let history = recorded(dir.path(), &factors);
    let next = log(dir.path(), 11, 1.5, 0);
    let run = compared(&history, &next, &["machine=bench"]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    let words = run.stdout.replace("\n      ", " ");
    assert!(
        words.contains("✗ FAIL  require-1  mean <= baseline + 20%  [GET /subject]"),
        "{words}"
    );
    let note = run.stdout.replace("\n    ", " ");
    assert!(
        note.contains("7 of 11 earlier runs are the baseline"),
        "{note}"
    );
    let (json, _) = trend(&[&history]);
    let id = json["groups"][0]["changes"][0]["id"].as_str().unwrap();
    assert_eq!(
        loadgate(&["trend", &history, "--ack", id, "--reason", "meant"]).code,
        0
    );
    let run = compared(&history, &next, &["machine=bench"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(
        run.stdout
            .replace("\n    ", " ")
            .contains("4 of 11 earlier runs are the baseline"),
        "{}",
        run.stdout
    );
}

/// With no run of the same conditions nothing can be compared: `check` waits, `compare` cannot.
#[test]
fn a_history_of_another_machine_is_no_baseline() {
    let dir = tempfile::tempdir().unwrap();
    let history = recorded(dir.path(), &[1.0; 6]);
    let next = log(dir.path(), 6, 1.0, 0);
    let run = compared(&history, &next, &["machine=other"]);
    assert_eq!(run.code, 0);
    let words = run.stdout.replace("\n    ", " ").replace("  ", " ");
    assert!(
        words.contains("6 runs were made with another `machine`"),
        "{words}"
    );
    assert!(
        words.contains("0 of 3 runs made under the same conditions"),
        "{words}"
    );
    let run = loadgate(&["compare", &history, &next, "--label", "machine=other"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("no-comparable-run") && run.stderr.contains("`machine`"),
        "{}",
        run.stderr
    );
}

/// The first run starts the history; gates that need it wait for the fourth, with a warning in every report.
#[test]
fn a_history_starts_with_its_own_baseline() {
    let dir = tempfile::tempdir().unwrap();
    let history = dir.path().join("h.jsonl");
    let history = history.to_str().unwrap();
    let gates = dir.path().join("gates.toml");
    let text = "[[gate]]\nid = \"slower\"\nrequire = \"mean <= baseline + 20%\"\non = \"*\"\n[regression]\n";
    std::fs::write(&gates, text).unwrap();
    let out = dir.path().join("out");
    let check = |n: u64| {
        let run = log(dir.path(), n, 1.0, 0);
        loadgate(&[
            "check",
            &run,
            "--config",
            gates.to_str().unwrap(),
            "--baseline",
            history,
            "--record",
            history,
            "--label",
            "scenario=night",
            "--out",
            out.to_str().unwrap(),
        ])
    };
    for runs in 0..3 {
        let run = check(runs);
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        let last = run.stdout.lines().last().unwrap();
        assert!(last.starts_with("PASSED with 2 warnings"), "{last}");
        let of = format!("{runs} of 3 runs");
        for report in ["report.html", "report.json", "junit.xml", "report.md"] {
            let text = std::fs::read_to_string(out.join(report)).unwrap();
            assert!(text.contains(&of), "no `{of}` in {report}");
        }
        assert!(run.stdout.contains(&of), "{}", run.stdout);
    }
    let run = check(3);
    assert!(!run.stdout.contains("waiting"), "{}", run.stdout);
    let note = run.stdout.replace("\n    ", " ");
    assert!(
        note.contains("3 of 3 earlier runs are the baseline"),
        "{note}"
    );
    // A history that is not there, and that nothing is recorded in, is a mistake.
    let run = log(dir.path(), 9, 1.0, 0);
    let args = [
        "check",
        &run,
        "--baseline",
        "nowhere.jsonl",
        "--require",
        "p50 <= baseline",
    ];
    assert_eq!(loadgate(&args).code, 2);
}

/// Hosted runners differ in their processor from job to job: that is a doubt, and the runs stay a baseline.
#[test]
fn another_processor_is_a_doubt() {
    let dir = tempfile::tempdir().unwrap();
    let history = dir.path().join("h.jsonl");
    for n in 0..3 {
        let run = log(dir.path(), n, 1.0, 0);
        let args = [
            "check",
            &run,
            "--record",
            history.to_str().unwrap(),
            "--quiet",
        ];
        assert_eq!(loadgate(&args).code, 0);
    }
    let text = std::fs::read_to_string(&history).unwrap();
    let processor = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["machine"], serde_json::Value::Null);
        line["processor"].as_str().unwrap().to_owned()
    };
    let mine = processor(text.lines().next().unwrap());
    let same_number: Vec<&str> = mine.split(", ").take(2).collect();
    let other = format!("{}, Another Model 3000", same_number.join(", "));
    let lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    let changed = [
        lines[0].replace(&mine, &other),
        lines[1].clone(),
        lines[2].clone(),
    ];
    std::fs::write(&history, changed.join("\n") + "\n").unwrap();
    let run = compared(history.to_str().unwrap(), &log(dir.path(), 3, 1.0, 0), &[]);
    let words = run.stdout.replace("\n    ", " ").replace("  ", " ");
    assert!(
        words.contains("3 of 3 earlier runs are the baseline"),
        "{words}"
    );
    assert!(
        words.contains("1 of 3 runs of the baseline were made on another processor"),
        "{words}"
    );
}

/// A run that is recorded already is not compared with itself.
#[test]
fn a_run_is_not_its_own_baseline() {
    let dir = tempfile::tempdir().unwrap();
    let history = recorded(dir.path(), &[1.0, 1.0, 1.0, 1.0, 1.0, 2.0]);
    let run = compared(&history, &log(dir.path(), 5, 2.0, 0), &["machine=bench"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout
            .replace("\n    ", " ")
            .contains("5 of 5 earlier runs are the baseline"),
        "{}",
        run.stdout
    );
}

/// Recording twice is recording once; a line that a killed writer cut off is kept aside.
#[test]
fn recording_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let history = recorded(dir.path(), &[1.0, 1.0]);
    let again = record(&history, &log(dir.path(), 1, 1.0, 0), &["commit=c"]);
    assert!(
        again.stdout.starts_with("recorded before: ") && again.stdout.contains("history.jsonl:2"),
        "{}",
        again.stdout
    );
    let whole = std::fs::read_to_string(&history).unwrap();
    std::fs::write(&history, &whole[..whole.len() - 100]).unwrap();
    let shown = loadgate(&["trend", &history]);
    assert_eq!(shown.code, 3);
    assert!(
        shown
            .stdout
            .contains("history.jsonl:2: the last line is cut off"),
        "{}",
        shown.stdout
    );
    let third = record(&history, &log(dir.path(), 2, 1.0, 0), &["commit=c"]);
    assert!(
        third.stderr.contains("history.jsonl.cut") && third.stdout.contains("history.jsonl:2"),
        "{}",
        third.stderr
    );
    let kept = std::fs::read_to_string(format!("{history}.cut")).unwrap();
    assert!(whole.contains(kept.trim_end()));
    assert_eq!(
        std::fs::read_to_string(&history).unwrap().lines().count(),
        2
    );
}

/// Several programs at once: every run is there, on a line of its own.
#[test]
fn writers_at_the_same_time_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let history = dir.path().join("history.jsonl");
    let history = history.to_str().unwrap();
    let logs: Vec<String> = (0..8).map(|n| log(dir.path(), n, 1.0, 0)).collect();
    std::thread::scope(|scope| {
        for log in &logs {
            scope.spawn(|| assert_eq!(record(history, log, &["commit=c"]).code, 0));
        }
    });
    let (json, _) = trend(&[history]);
    assert_eq!(json["groups"][0]["runs"].as_array().unwrap().len(), 8);
}
