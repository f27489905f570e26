//! Documents that cannot drift from the program.

use crate::harness::{loadgate, root};

fn readme() -> String {
    std::fs::read_to_string(root("README.md")).unwrap()
}

/// The real output in the README is what its first command prints.
#[test]
fn readme_shows_the_real_output() {
    let readme = readme();
    let command = readme
        .lines()
        .find_map(|l| l.strip_prefix("cargo run --quiet -- "))
        .expect("the run command");
    let words: Vec<&str> = command.split_whitespace().collect();
    let run = loadgate(&words);
    assert_eq!(run.code, 0, "the README says that this run passes");
    let shown = readme
        .split("```text\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    if std::env::var_os("LOADGATE_UPDATE").is_some() {
        std::fs::write(root("README.md"), readme.replacen(shown, &run.stdout, 1)).unwrap();
        return;
    }
    for line in shown.lines().filter(|l| !l.trim().is_empty()) {
        assert!(
            run.stdout.contains(line),
            "README shows a line that is not printed: {line}\n{}",
            run.stdout
        );
    }
    assert!(
        shown.contains(run.stdout.lines().last().unwrap()),
        "README does not show the outcome"
    );
}

#[test]
fn readme_lists_the_exit_codes() {
    let readme = readme();
    for code in 0..=3 {
        assert!(readme.contains(&format!("| {code} |")), "exit code {code}");
    }
}

#[test]
fn metrics_and_schema_are_printed() {
    let metrics = loadgate(&["metrics"]);
    assert_eq!(metrics.code, 0);
    for (name, _, meaning) in loadgate::metric::ALL {
        assert!(
            metrics.stdout.contains(name) && metrics.stdout.contains(meaning),
            "{name}"
        );
    }
    let schema: serde_json::Value = serde_json::from_str(&loadgate(&["schema"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for run in [
        "2.47.0/batch",
        "2.47.0/empty",
        "2.47.0/batch/run_stats.csv",
        "0.14.6/batch/run_stats.csv",
    ] {
        let (report, _) =
            crate::harness::report(&[&format!("testdata/locust/{run}"), "--require", "p95 < 1s"]);
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|e| format!("{}: {e}", e.instance_path))
            .collect();
        assert!(errors.is_empty(), "{run}: {errors:?}");
    }
}

#[test]
fn every_gate_file_of_the_repository_is_valid() {
    for file in std::fs::read_dir(root("testdata/gates")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if let Err(problems) = loadgate::config::parse(&text, &path.display().to_string()) {
            panic!(
                "{}",
                problems
                    .iter()
                    .map(loadgate::diagnostic::Diagnostic::long)
                    .collect::<Vec<_>>()
                    .join("\n")
            );
        }
    }
}
