//! Reports tell nothing of the machine that they were made on.

use crate::harness::{folder, names, read, shell, ten_lines, write};

#[test]
fn no_report_tells_where_on_the_machine_files_lie() {
    let dir = folder();
    let elsewhere = tempfile::tempdir().unwrap();
    let (path, there) = (dir.path(), elsewhere.path());
    write(there, "base/requests.jsonl", &ten_lines());
    write(
        there,
        "gates.toml",
        "[[gate]]\nid = \"slow\"\nrequire = \"max < 1ms\"\n\n[[gate]]\nid = \"rel\"\nrequire = \"p95 <= baseline + 1%\"\n",
    );
    let secret = there.to_str().unwrap();
    let record = format!(
        "loadgate check {secret}/base --record {secret}/history.jsonl --label machine=m --quiet"
    );
    assert_eq!(shell(path, &record).code, 0);
    let kept = format!("loadgate check {secret}/base --out {secret}/kept --quiet");
    assert_eq!(shell(path, &kept).code, 0);
    for baseline in [
        "base",
        "base/requests.jsonl",
        "kept",
        "kept/report.json",
        "history.jsonl",
    ] {
        for ci in ["github", "azure", "teamcity", "gitlab"] {
            let command = format!(
                "GITHUB_STEP_SUMMARY=summary GITHUB_OUTPUT=outputs loadgate check run.jsonl --config {secret}/gates.toml \
                 --baseline {secret}/{baseline} --label machine=m --record {secret}/history-2.jsonl --ci {ci} --out out \
                 --slack slack --teams teams"
            );
            let run = shell(path, &command);
            assert!(
                run.code == 1 || baseline == "history.jsonl",
                "{command}: {}",
                run.stderr
            );
            for (place, text) in [
                ("stdout", run.stdout),
                (
                    "summary",
                    read(
                        path,
                        if ci == "github" {
                            "summary"
                        } else {
                            "run.jsonl"
                        },
                    ),
                ),
            ] {
                assert!(!text.contains(secret), "{command}: {place}: {text}");
            }
            for name in names(&path.join("out")) {
                let text = read(&path.join("out"), &name);
                assert!(!text.contains(secret), "{command}: {name}");
            }
            for name in ["slack", "teams"] {
                assert!(!read(path, name).contains(secret), "{command}: {name}");
            }
        }
    }
    let trend =
        format!("loadgate trend {secret}/history.jsonl {secret}/history-2.jsonl --out trend");
    let run = shell(path, &trend);
    assert!(!run.stdout.contains(secret), "{}", run.stdout);
    for name in names(&path.join("trend")) {
        assert!(!read(&path.join("trend"), &name).contains(secret), "{name}");
    }
    // Nor does what tells that there is no verdict, in files.
    let wrong = format!(
        "GITHUB_STEP_SUMMARY=summary GITHUB_OUTPUT=outputs loadgate check {secret}/nowhere --config {secret}/no.toml --ci github --out out"
    );
    let run = shell(path, &wrong);
    assert_eq!(run.code, 2);
    let annotations = run.stderr.lines().filter(|line| line.starts_with("::"));
    for line in annotations {
        assert!(!line.contains(secret), "{line}");
    }
    for name in [
        "out/junit.xml",
        "out/report.html",
        "out/report.md",
        "summary",
        "outputs",
    ] {
        assert!(!read(path, name).contains(secret), "{name}");
    }
}
