//! Verdicts for other programs: CI systems, monitoring, chat.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Run, root, ten_lines};

/// Runs `loadgate check` on ten requests in a fresh folder with a gate file, as a job of a CI system.
fn job(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Run {
    std::fs::write(dir.join("run.jsonl"), ten_lines()).unwrap();
    let gates = "[[gate]]\nid = \"slow, 5%\"\nrequire = \"max < 900ms\"\n\n[[gate]]\nid = \"rows\"\nrequire = \"max(rows) < 5\"\n\n[[gate]]\nid = \"hint\"\nrequire = \"mean < 1ms\"\nlevel = \"warn\"\n\n[[gate]]\nid = \"fine\"\nrequire = \"requests == 10\"\n";
    std::fs::write(dir.join("loadgate.toml"), gates).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgate"));
    command
        .args(["check", "run.jsonl"])
        .args(args)
        .current_dir(dir);
    for name in [
        "GITHUB_OUTPUT",
        "GITHUB_STEP_SUMMARY",
        "CI",
        "GITHUB_ACTIONS",
        "GITLAB_CI",
        "TF_BUILD",
        "TEAMCITY_VERSION",
    ] {
        command.env_remove(name);
    }
    let output = command
        .envs(env.iter().copied())
        .env_remove("GITHUB_WORKSPACE")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn github_is_recognised_and_told_at_the_gates_lines() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("outputs"), "earlier=1\n").unwrap();
    let (outputs, summary) = (path("outputs"), path("summary"));
    let env = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_OUTPUT", outputs.as_str()),
        ("GITHUB_STEP_SUMMARY", summary.as_str()),
    ];
    let run = job(dir.path(), &[], &env);
    assert_eq!(run.code, 1);
    let commands: Vec<&str> = run.stdout.lines().filter(|l| l.starts_with("::")).collect();
    assert_eq!(commands.len(), 3, "{}", run.stdout);
    assert!(commands[0].starts_with(
        "::error file=loadgate.toml,line=2,title=slow%2C 5%25 failed%3A Total::max < 900ms: 1 s "
    ));
    assert!(
        commands[1]
            .starts_with("::error file=loadgate.toml,line=6,title=rows undecided%3A Total::")
    );
    assert!(
        commands[2]
            .starts_with("::warning file=loadgate.toml,line=10,title=hint failed%3A Total::")
    );
    // The outcome stays the last line.
    assert!(
        run.stdout
            .trim_end()
            .lines()
            .last()
            .unwrap()
            .starts_with("FAILED: 1 of 4")
    );
    let told = std::fs::read_to_string(&outputs).unwrap();
    assert!(
        told.starts_with("earlier=1\nverdict=fail\nexit-code=1\n"),
        "{told}"
    );
    assert!(
        std::fs::read_to_string(&summary)
            .unwrap()
            .starts_with("## ❌ FAILED: 1 of 4")
    );
    // Again: what stands in the files stays.
    job(dir.path(), &[], &env);
    assert_eq!(
        std::fs::read_to_string(&outputs)
            .unwrap()
            .matches("verdict=fail")
            .count(),
        2
    );
    // Silent when it should be.
    assert!(
        !job(dir.path(), &["--ci", "off"], &env)
            .stdout
            .contains("::error")
    );
    assert!(
        !job(dir.path(), &[], &[("CI", "true")])
            .stdout
            .contains("::error")
    );
}

#[test]
fn a_report_on_standard_output_stays_whole() {
    let dir = tempfile::tempdir().unwrap();
    for (choice, sign) in [
        ("github", "::error "),
        ("azure", "##vso["),
        ("teamcity", "##teamcity["),
    ] {
        let run = job(dir.path(), &["--ci", choice, "--json", "-"], &[]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["outcome"]["verdict"], "fail");
        assert!(run.stderr.contains(sign), "{choice}: {}", run.stderr);
    }
}

#[test]
fn mistakes_in_the_gate_file_are_annotated() {
    let dir = tempfile::tempdir().unwrap();
    let env = [("GITHUB_ACTIONS", "true"), ("CI", "true")];
    let run = job(dir.path(), &["--require", "p95 < 1"], &env);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(
        run.stderr
            .contains("::error title=bad-unit::`1` does not fit the metric; help: "),
        "{}",
        run.stderr
    );
}

#[test]
fn gitlab_gets_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let run = job(dir.path(), &["--out", "out"], &[("GITLAB_CI", "true")]);
    assert_eq!(run.code, 1);
    let names: BTreeSet<String> = std::fs::read_dir(dir.path().join("out"))
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect();
    for name in ["junit.xml", "metrics.txt", "gl-code-quality-report.json"] {
        assert!(names.contains(name), "{names:?}");
    }
    let text = std::fs::read_to_string(dir.path().join("out/gl-code-quality-report.json")).unwrap();
    let found: Vec<Value> = serde_json::from_str(&text).unwrap();
    let lines: Vec<_> = found
        .iter()
        .map(|f| (&f["severity"], &f["location"]["lines"]["begin"]))
        .collect();
    assert_eq!(
        lines,
        [
            (&"critical".into(), &2.into()),
            (&"major".into(), &6.into()),
            (&"minor".into(), &10.into())
        ]
    );
    // Elsewhere nobody asked for that file.
    job(dir.path(), &["--out", "plain"], &[]);
    assert!(
        !dir.path()
            .join("plain/gl-code-quality-report.json")
            .exists()
    );
}

#[test]
fn messages_and_metrics_are_written_where_they_are_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let run = job(
        dir.path(),
        &[
            "--slack",
            "slack.json",
            "--teams",
            "teams.json",
            "--openmetrics",
            "-",
        ],
        &[],
    );
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.starts_with("# TYPE loadgate_run gauge\n") && run.stdout.ends_with("\n# EOF\n")
    );
    assert!(run.stdout.contains(
        "loadgate_gate_limit{gate=\"slow, 5%\",endpoint=\"Total\",unit=\"seconds\"} 0.9\n"
    ));
    for name in ["slack.json", "teams.json"] {
        let text = std::fs::read_to_string(dir.path().join(name)).unwrap();
        let _: Value = serde_json::from_str(&text).unwrap();
        assert!(
            text.contains(
                "FAILED: 1 of 4 criteria passed; failed: slow, 5%; undecided: rows; warned: hint"
            ),
            "{text}"
        );
    }
}

/// The dashboard asks only for what is written.
#[test]
fn the_dashboard_knows_the_series() {
    let dir = tempfile::tempdir().unwrap();
    let written = job(dir.path(), &["--openmetrics", "-"], &[]).stdout;
    let text = std::fs::read_to_string(root("docs/grafana-dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let series = regex::Regex::new("loadgate_[a-z_]+").unwrap();
    let mut seen = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        let asked = panel["targets"][0]["expr"].as_str().unwrap();
        for found in series.find_iter(asked) {
            // Users and fields are not in these ten lines.
            let known = ["loadgate_users", "loadgate_field"].contains(&found.as_str());
            assert!(
                known || written.contains(&format!("# TYPE {} gauge", found.as_str())),
                "{asked}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 10);
}
