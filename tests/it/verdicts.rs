//! Every verdict stands in every report, however many there are and whether they passed or not. The reports are read, not
//! compared with what they were.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::loadgate_in;
use crate::report_readers::{
    Verdict, from_json, in_csv, in_html, in_junit, in_markdown, in_openmetrics, in_terminal, read,
    text_of,
};

/// What gates are made to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pass,
    Fail,
    Undecided,
    FailWarns,
    UndecidedWarns,
}

const EVERY: [Kind; 5] = [
    Kind::Pass,
    Kind::Fail,
    Kind::Undecided,
    Kind::FailWarns,
    Kind::UndecidedWarns,
];

impl Kind {
    fn verdict(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail | Self::FailWarns => "fail",
            Self::Undecided | Self::UndecidedWarns => "undecided",
        }
    }

    fn warns(self) -> bool {
        matches!(self, Self::FailWarns | Self::UndecidedWarns)
    }
}

const ENDPOINTS: usize = 20;

/// Thirty requests of each of twenty endpoints, 1 to 30 ms.
fn log() -> String {
    let mut log = String::new();
    for i in 0..ENDPOINTS * 30 {
        let (endpoint, nth) = (i % ENDPOINTS, i / ENDPOINTS);
        let _ = writeln!(
            log,
            "{{\"timestamp\":{},\"method\":\"GET\",\"name\":\"/e/{endpoint:02}\",\"response_time_ms\":{},\"status\":200}}",
            1_767_225_600_000_i64 + i as i64 * 10,
            nth + 1,
        );
    }
    log
}

fn gates(kinds: &[Kind]) -> String {
    let mut text = String::new();
    for (i, kind) in kinds.iter().enumerate() {
        let rule = match kind.verdict() {
            "pass" => "p95 < 500ms",
            "fail" => "p95 < 1ms",
            _ => "max(rows) < 5",
        };
        let level = if kind.warns() {
            "level = \"warn\"\n"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "[[gate]]\nid = \"G-{i:03}\"\nrequire = \"{rule}\"\non = \"GET /e/{:02}\"\n{level}",
            i % ENDPOINTS
        );
    }
    text
}

/// Runs `check` as a job of GitHub's, and returns the folder of reports, standard output and the exit code.
fn checked(dir: &Path, gates: &str, more: &[&str]) -> (String, i32) {
    std::fs::write(dir.join("run.jsonl"), log()).unwrap();
    let mut args = vec!["check", "run.jsonl", "--out", "out"];
    if !gates.is_empty() {
        std::fs::write(dir.join("loadgate.toml"), gates).unwrap();
    }
    args.extend(["--slack", "slack.json", "--teams", "teams.json"]);
    args.extend(more);
    let output = Command::new(env!("CARGO_BIN_EXE_loadgate"))
        .args(args)
        .current_dir(dir)
        .env("GITHUB_STEP_SUMMARY", dir.join("summary.md"))
        .env("GITHUB_OUTPUT", dir.join("outputs"))
        .env_remove("CI")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let code = output.status.code().unwrap();
    assert_ne!(code, 2, "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), code)
}

/// The last line as it should be: by criteria, with names.
fn sentence(verdicts: &[Verdict]) -> String {
    let mut worst: BTreeMap<&str, usize> = BTreeMap::new();
    for v in verdicts {
        let weight = match (v.word.as_str(), v.warns) {
            ("pass", _) => 0,
            (_, true) => 1,
            ("undecided", _) => 2,
            _ => 3,
        };
        let known = worst.entry(&v.id).or_default();
        *known = weight.max(*known);
    }
    let of = |weight: usize| -> Vec<&str> {
        let all = worst.iter().filter(|(_, w)| **w == weight);
        all.map(|(id, _)| *id).collect()
    };
    let begin = match (of(3).len(), of(2).len(), of(1).len()) {
        (1.., _, _) => "FAILED".to_owned(),
        (0, 1.., _) => "UNDECIDED".to_owned(),
        (0, 0, 0) => "PASSED".to_owned(),
        (0, 0, 1) => "PASSED with 1 warning".to_owned(),
        (0, 0, n) => format!("PASSED with {n} warnings"),
    };
    let mut text = format!(
        "{begin}: {} of {} criteria passed",
        of(0).len(),
        worst.len()
    );
    for (word, weight) in [("failed", 3), ("undecided", 2), ("warned", 1)] {
        let names = of(weight);
        let shown = if names.len() == 6 {
            6
        } else {
            names.len().min(5)
        };
        let more = names.len() - shown;
        if !names.is_empty() {
            let _ = write!(text, "; {word}: {}", names[..shown].join(", "));
        }
        if more > 0 {
            let _ = write!(text, " and {more} more");
        }
    }
    text
}

/// All reports of a run against these gates.
fn every_report(gates: &str, expected: usize) -> Vec<Verdict> {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (stdout, code) = checked(dir.path(), gates, &["--ci", "github"]);
    let report: Value = serde_json::from_str(&read(path("out/report.json"))).unwrap();
    let verdicts = from_json(&report);
    assert_eq!(verdicts.len(), expected);
    assert!(verdicts.iter().all(|v| !v.because.is_empty()));
    in_html(&read(path("out/report.html")), &verdicts);
    in_markdown("report.md", &read(path("out/report.md")), &verdicts);
    in_markdown("summary", &read(path("summary.md")), &verdicts);
    in_junit(&read(path("out/junit.xml")), &verdicts);
    in_csv(&read(path("out/metrics.csv")), &verdicts);
    in_openmetrics(&read(path("out/metrics.txt")), &verdicts);
    in_terminal(&stdout, &verdicts);
    if verdicts.is_empty() {
        return verdicts;
    }
    let told = sentence(&verdicts);
    assert_eq!(stdout.trim_end().lines().last(), Some(told.as_str()));
    assert!(read(path("outputs")).contains(&format!("\nsentence={told}\n")));
    let heading = read(path("summary.md")).lines().next().unwrap().to_owned();
    assert!(heading.replace('\\', "").ends_with(&told), "{heading}");
    let page = text_of(&read(path("out/report.html")));
    for part in told.split_once(": ").unwrap().1.split("; ") {
        assert!(page.contains(part), "{part}");
    }
    for message in ["slack.json", "teams.json"] {
        let text = read(path(message)).replace('\\', "");
        let begin: String = told.chars().take(100).collect();
        assert!(text.contains(&begin), "{message}: {text}");
    }
    let alarms = verdicts.iter().filter(|v| v.word != "pass").count();
    let slack: Value = serde_json::from_str(&read(path("slack.json"))).unwrap();
    let blocks = slack["blocks"].as_array().unwrap().len() - 2;
    assert_eq!(blocks, alarms.min(10) + usize::from(alarms > 10));
    let outcome = &report["outcome"];
    assert_eq!(outcome["exit_code"], code);
    let counts = |of: &Value| -> u64 {
        let each = ["passed", "failed", "undecided", "warned"].map(|key| of[key].as_u64().unwrap());
        each.iter().sum()
    };
    assert_eq!(counts(outcome), verdicts.len() as u64);
    let ids: std::collections::BTreeSet<&str> = verdicts.iter().map(|v| v.id.as_str()).collect();
    assert_eq!(counts(&outcome["criteria"]), ids.len() as u64);
    // As GitHub shows ten of a kind, what is beyond is counted.
    let annotated = stdout.lines().filter(|l| l.starts_with("::error ")).count();
    let errors = verdicts
        .iter()
        .filter(|v| v.word != "pass" && !v.warns)
        .count();
    assert_eq!(annotated, errors.min(9) + usize::from(errors > 9));
    verdicts
}

#[test]
fn every_verdict_stands_in_every_report_of_every_mix() {
    for count in [1, 12, 13, 60, 600] {
        let mut mixes: Vec<Vec<Kind>> = vec![
            EVERY.iter().cycle().take(count).copied().collect(),
            [Kind::Pass].iter().cycle().take(count).copied().collect(),
        ];
        if count < 600 {
            let alike = [
                Kind::Fail,
                Kind::Undecided,
                Kind::FailWarns,
                Kind::UndecidedWarns,
            ];
            mixes.extend(alike.map(|kind| vec![kind; count]));
            // One that failed among many that passed, and the other way round.
            for (one, others) in [(Kind::Fail, Kind::Pass), (Kind::Pass, Kind::Fail)] {
                let mut kinds = vec![others; count];
                kinds[count / 2] = one;
                mixes.push(kinds);
            }
        }
        for kinds in mixes {
            let verdicts = every_report(&gates(&kinds), count);
            for (i, (verdict, kind)) in verdicts.iter().zip(&kinds).enumerate() {
                assert_eq!(verdict.id, format!("G-{i:03}"));
                assert_eq!(
                    (verdict.word.as_str(), verdict.warns),
                    (kind.verdict(), kind.warns())
                );
            }
        }
    }
}

#[test]
fn a_run_without_gates_has_reports_without_verdicts() {
    every_report("", 0);
}

/// One gate on every endpoint is one criterion, and each of its verdicts stands in every report.
#[test]
fn a_criterion_has_many_verdicts() {
    let gate = "[[gate]]\nid = \"PERF-01\"\nrequire = \"p95 < 500ms\"\non = \"*\"\n";
    assert_eq!(
        sentence(&every_report(gate, ENDPOINTS)),
        "PASSED: 1 of 1 criteria passed"
    );
    let gate = gate.replace("500ms", "1ms");
    let verdicts = every_report(&gate, ENDPOINTS);
    assert_eq!(
        sentence(&verdicts),
        "FAILED: 0 of 1 criteria passed; failed: PERF-01"
    );
}

/// Other CI systems: `TeamCity` has a test for each verdict, Azure and GitLab what did not pass.
#[test]
fn other_systems_hear_of_every_verdict() {
    let kinds: Vec<Kind> = EVERY.iter().cycle().take(60).copied().collect();
    let dir = tempfile::tempdir().unwrap();
    let (stdout, _) = checked(dir.path(), &gates(&kinds), &["--ci", "teamcity"]);
    for i in 0..60 {
        let started = format!("##teamcity[testStarted name='G-{i:03}: ");
        assert_eq!(stdout.matches(&started).count(), 1, "{started}");
    }
    let (stdout, _) = checked(dir.path(), &gates(&kinds), &["--ci", "azure"]);
    for (i, kind) in kinds.iter().enumerate() {
        let issue = format!(";code=G-{i:03}]");
        assert_eq!(stdout.contains(&issue), *kind != Kind::Pass, "{issue}");
    }
    let told = "##vso[task.setvariable variable=loadgate.sentence;isOutput=true]FAILED: 12 of 60 criteria passed; failed: G-001,";
    assert!(stdout.contains(told), "{stdout}");
    checked(dir.path(), &gates(&kinds), &["--ci", "gitlab"]);
    let findings = read(dir.path().join("out/gl-code-quality-report.json"));
    let findings: Vec<Value> = serde_json::from_str(&findings).unwrap();
    assert_eq!(findings.len(), 48);
    let prints: std::collections::BTreeSet<&str> = findings
        .iter()
        .map(|f| f["fingerprint"].as_str().unwrap())
        .collect();
    assert_eq!(prints.len(), 48);
}

/// Several verdicts of one id on one endpoint, as `[regression]` makes them, are several everywhere.
#[test]
fn verdicts_of_one_id_and_endpoint_are_kept_apart() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.jsonl"), log()).unwrap();
    std::fs::write(dir.path().join("loadgate.toml"), "[regression]\n").unwrap();
    let args = ["check", "a.jsonl", "--baseline", "a.jsonl", "--out", "out"];
    let run = loadgate_in(dir.path(), &args, b"");
    assert_ne!(run.code, 2, "{}", run.stderr);
    let path = |name: &str| dir.path().join("out").join(name);
    let report: Value = serde_json::from_str(&read(path("report.json"))).unwrap();
    let gates = report["gates"].as_array().unwrap();
    assert_eq!(gates.len(), (ENDPOINTS + 1) * 3);
    let told = read(path("metrics.txt"));
    let verdicts = told
        .lines()
        .filter(|l| l.starts_with("loadgate_gate_verdict{"));
    assert_eq!(verdicts.count(), gates.len() * 3);
    let junit = quick_junit::Report::deserialize_from_str(&read(path("junit.xml"))).unwrap();
    assert_eq!(junit.tests, gates.len());
    let page = read(path("report.html"));
    let shown = page.matches("<li class=\"card verdict").count()
        + page.matches("<tr class=\"verdict").count();
    assert_eq!(shown, gates.len());
    for gate in gates {
        let because = gate["because"].as_str().unwrap();
        let words: Vec<&str> = run.stdout.split_whitespace().collect();
        assert!(words.join(" ").contains(because), "{because}");
    }
}
