//! Exit code 2: what CI collects tells why there is no verdict, and nothing of an earlier run stays green.

use serde_json::Value;

use crate::harness::{folder, names, read, shell, ten_lines, write};

const REPORTS: [&str; 6] = [
    "junit.xml",
    "metrics.csv",
    "metrics.txt",
    "report.html",
    "report.json",
    "report.md",
];

/// What is left of an earlier run that passed, after one without a verdict.
fn after_no_verdict(command: &str, code: &str) {
    let dir = folder();
    let path = dir.path();
    write(path, "bad.jsonl", &format!("{}not json\n", ten_lines()));
    write(
        path,
        "bad.toml",
        "[[gate]]\nid = \"a\"\nrequire = \"p95th < 1s\"\n\n[[gate]]\nid = \"b\"\nrequire = \"p95 < 5\"\n",
    );
    let asked =
        "--out out --slack slack.json --teams teams.json --json extra.json --junit extra.xml";
    let good = format!("loadgate check run.jsonl --require 'max < 10s' --ci gitlab {asked}");
    assert_eq!(shell(path, &good).code, 0);
    assert!(
        REPORTS
            .iter()
            .all(|name| names(&path.join("out")).contains(&(*name).to_owned()))
    );
    write(path, "out/mine.txt", "mine");
    let tell = "GITHUB_STEP_SUMMARY=summary.md GITHUB_OUTPUT=outputs";
    let run = shell(
        path,
        &format!("{tell} loadgate {command} --ci github {asked}"),
    );
    assert_eq!(run.code, 2, "{command}: {}{}", run.stdout, run.stderr);
    assert_eq!(run.stdout, "", "{command}");
    assert!(
        run.stderr.contains(code) || code == "usage",
        "{command}: {}",
        run.stderr
    );
    // Nothing is green any more.
    let left = names(&path.join("out"));
    for name in ["report.json", "metrics.csv", "metrics.txt"] {
        assert!(!left.contains(&name.to_owned()), "{command}: {left:?}");
        assert!(
            run.stderr.contains(&format!("note: removed out/{name}")),
            "{}",
            run.stderr
        );
    }
    assert!(!path.join("extra.json").exists());
    assert_eq!(read(path, "out/mine.txt"), "mine");
    for name in [
        "out/report.html",
        "out/report.md",
        "out/junit.xml",
        "extra.xml",
        "slack.json",
        "teams.json",
        "summary.md",
    ] {
        let text = read(path, name);
        assert!(
            !text.contains("PASSED") && !text.contains("Passed"),
            "{command}: {name}"
        );
        assert!(
            text.to_uppercase().contains("NO VERDICT"),
            "{command}: {name}: {text}"
        );
        assert!(
            text.contains(code) || name.contains(".json"),
            "{command}: {name}: {text}"
        );
        assert!(!text.contains(path.to_str().unwrap()), "{command}: {name}");
    }
    let junit = quick_junit::Report::deserialize_from_str(&read(path, "out/junit.xml")).unwrap();
    let problems = run.stderr.matches("::error ").count();
    assert!(
        problems > 0 && junit.errors == problems && junit.tests == problems,
        "{command}: {junit:?}"
    );
    let outputs = read(path, "outputs");
    assert!(
        outputs.starts_with("verdict=error\nexit-code=2\n"),
        "{outputs}"
    );
    assert!(outputs.contains("\nsentence=NO VERDICT: "), "{outputs}");
}

#[test]
fn without_a_verdict_ci_is_told_and_nothing_stays_green() {
    for (command, code) in [
        ("check nowhere.jsonl", "missing-input"),
        ("check bad.jsonl", "bad-line"),
        ("check run.jsonl --config bad.toml", "unknown-metric"),
        (
            "check run.jsonl --require 'p95 < 5' --require 'p9x < 5s'",
            "bad-unit",
        ),
        ("check run.jsonl --config nowhere.toml", "missing-input"),
        ("check run.jsonl --baseline nowhere", "missing-input"),
        (
            "check run.jsonl --html no/such/folder/x.html",
            "output-not-writable",
        ),
        ("check run.jsonl --html /dev/full", "write-failed"),
        ("check run.jsonl --record no/such/history", "bad-history"),
        ("compare run.jsonl nowhere.jsonl", "missing-input"),
        ("check run.jsonl --no-such-flag", "usage"),
        ("check --last", "usage"),
        ("check run.jsonl --allow-bad-lines many", "usage"),
        ("compare run.jsonl", "usage"),
    ] {
        after_no_verdict(command, code);
    }
}

/// A file of somebody else's is not removed, and no input is overwritten, not even by what is wrong.
#[test]
fn what_is_not_a_report_of_ours_is_left_alone() {
    let dir = folder();
    let path = dir.path();
    write(path, "data.json", "{\"mine\": true}");
    write(path, "table.csv", "a,b\n1,2\n");
    for command in [
        "check nowhere --json data.json --csv table.csv --openmetrics run.jsonl",
        "check run.jsonl --wrong --json data.json --csv table.csv",
        "check run.jsonl --wrong --junit run.jsonl",
        "check run.jsonl --junit run.jsonl --html run.jsonl",
    ] {
        assert_eq!(shell(path, &format!("loadgate {command}")).code, 2);
        assert_eq!(read(path, "data.json"), "{\"mine\": true}");
        assert_eq!(read(path, "table.csv"), "a,b\n1,2\n");
        assert_eq!(read(path, "run.jsonl"), ten_lines(), "{command}");
    }
}

#[test]
fn gitlab_and_azure_are_told_without_a_verdict() {
    let dir = folder();
    let path = dir.path();
    write(
        path,
        "loadgate.toml",
        "[[gate]]\nid = \"a\"\nrequire = \"p95th < 1s\"\n",
    );
    let run = shell(path, "loadgate check run.jsonl --ci gitlab --out out");
    assert_eq!(run.code, 2);
    let findings: Value =
        serde_json::from_str(&read(path, "out/gl-code-quality-report.json")).unwrap();
    assert_eq!(findings[0]["location"]["path"], "loadgate.toml");
    assert_eq!(findings[0]["location"]["lines"]["begin"], 3);
    assert_eq!(findings[0]["check_name"], "unknown-metric");
    let run = shell(path, "loadgate check run.jsonl --ci azure");
    assert!(
        run.stderr
            .contains("##vso[task.setvariable variable=loadgate.verdict;isOutput=true]error")
    );
    assert!(
        run.stderr
            .contains("##vso[task.logissue type=error;sourcepath=loadgate.toml;linenumber=3;")
    );
}

#[test]
fn a_trend_without_a_verdict_leaves_nothing_green() {
    let dir = folder();
    let path = dir.path();
    let record = "loadgate check run.jsonl --record history.jsonl --quiet && loadgate trend history.jsonl --out out --quiet";
    shell(path, record);
    assert!(path.join("out/trend.json").exists());
    write(path, "history.jsonl", "not a history\n");
    for command in ["trend history.jsonl", "trend history.jsonl --nonsense"] {
        let run = shell(path, &format!("loadgate {command} --out out"));
        assert_eq!(run.code, 2);
        assert_eq!(
            names(&path.join("out")),
            ["trend.html", "trend.md"],
            "{}",
            run.stderr
        );
        for name in ["out/trend.html", "out/trend.md"] {
            assert!(read(path, name).to_uppercase().contains("NO VERDICT"));
        }
    }
}
