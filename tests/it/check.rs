//! The main job from outside: exit codes, reports, determinism.

use std::collections::BTreeMap;

use crate::harness::{file, loadgate, loadgate_in, report, root, ten_lines};

const BATCH: &str = "testdata/locust/2.47.0/batch";

/// Every exit code, with the word for it in every report.
#[test]
fn exit_codes_and_verdicts_in_every_report() {
    let cases = [
        ("p95 < 10s", 0, "pass"),
        ("p95 < 10ms", 1, "fail"),
        ("max(no_such_field) < 1", 3, "undecided"),
        ("p95 <= baseline + 20%", 3, "undecided"),
    ];
    for (rule, code, word) in cases {
        let out = tempfile::tempdir().unwrap();
        let dir = out.path().join("reports");
        let run = loadgate(&[
            "check",
            BATCH,
            "--require",
            rule,
            "--out",
            dir.to_str().unwrap(),
        ]);
        assert_eq!(run.code, code, "{rule}: {}{}", run.stdout, run.stderr);
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
        assert_eq!(json["gates"][0]["verdict"], word);
        assert_eq!(json["outcome"]["verdict"], word);
        assert_eq!(json["outcome"]["exit_code"], code);
        let last = run.stdout.lines().last().unwrap().to_lowercase();
        assert!(last.contains(word), "{last}");
        for name in ["report.html", "report.md"] {
            assert!(
                read(name).to_lowercase().contains(word),
                "{name} does not say {word}"
            );
        }
        assert!(
            read("metrics.csv")
                .lines()
                .any(|l| l.contains("require-1") && l.ends_with(word))
        );
        let junit = read("junit.xml");
        assert_eq!(junit.contains("<failure"), word == "fail", "{junit}");
        assert_eq!(junit.contains("<error"), word == "undecided", "{junit}");
    }
}

#[test]
fn usage_and_input_errors_are_exit_2() {
    for args in [
        &["check"][..],
        &["check", "no/such/file"],
        &["check", BATCH, "--require", "p95 < 500"],
        &["check", BATCH, "--config", "no/such/loadgate.toml"],
        &["check", BATCH, "--html", "no/such/folder/report.html"],
        &[
            "check",
            BATCH,
            "--config",
            "testdata/broken/ten_mistakes.toml",
        ],
    ] {
        let run = loadgate(args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.stdout);
        assert!(run.stdout.is_empty(), "{args:?} printed a report");
        assert!(run.stderr.contains("error"), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn ten_mistakes_give_ten_messages() {
    let run = loadgate(&[
        "check",
        BATCH,
        "--quiet",
        "--config",
        "testdata/broken/ten_mistakes.toml",
    ]);
    assert_eq!(run.stderr.lines().count(), 10, "{}", run.stderr);
    for line in run.stderr.lines() {
        assert!(
            line.starts_with("testdata/broken/ten_mistakes.toml:"),
            "{line}"
        );
    }
}

#[test]
fn without_gates_nothing_is_judged_and_that_is_said() {
    let run = loadgate(&["check", BATCH]);
    assert_eq!(run.code, 0);
    assert!(
        run.stdout.ends_with("\nNOT JUDGED: no gates\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn the_worker_batches_are_judged_on_a_real_run() {
    let (json, code) = report(&[BATCH, "--config", "testdata/gates/locust_batch.toml"]);
    assert_eq!(code, 0, "{}", json["gates"]);
    let verdicts: BTreeMap<String, usize> =
        json["gates"]
            .as_array()
            .unwrap()
            .iter()
            .fold(BTreeMap::new(), |mut m, g| {
                *m.entry(format!(
                    "{} {}",
                    g["id"].as_str().unwrap(),
                    g["verdict"].as_str().unwrap()
                ))
                .or_default() += 1;
                m
            });
    assert_eq!(verdicts["PERF-01 pass"], 1);
    for gate in ["PERF-02", "PERF-03"] {
        assert_eq!(verdicts[&format!("{gate} pass")], 3, "{verdicts:?}");
    }
    let strict = ["--require", "p95 < 300ms on finalizar*"];
    let (json, code) = report(
        &[
            &[BATCH, "--config", "testdata/gates/locust_batch.toml"][..],
            &strict[..],
        ]
        .concat(),
    );
    let failed: Vec<&str> = json["gates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|g| g["verdict"] == "fail")
        .map(|g| g["id"].as_str().unwrap())
        .collect();
    assert_eq!((code, failed), (1, vec!["require-1"]));
}

#[test]
fn two_runs_write_identical_bytes() {
    let write = || {
        let out = tempfile::tempdir().unwrap();
        let args = [
            "check",
            BATCH,
            "--config",
            "testdata/gates/locust_batch.toml",
            "--out",
            out.path().to_str().unwrap(),
        ];
        let stdout = loadgate(&args).stdout;
        let mut files: BTreeMap<String, Vec<u8>> = std::fs::read_dir(out.path())
            .unwrap()
            .map(|f| f.unwrap().path())
            .map(|p| {
                (
                    p.file_name().unwrap().to_str().unwrap().to_owned(),
                    std::fs::read(&p).unwrap(),
                )
            })
            .collect();
        files.insert("stdout".to_owned(), stdout.into_bytes());
        files
    };
    let (first, second) = (write(), write());
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        [
            "junit.xml",
            "metrics.csv",
            "metrics.txt",
            "report.html",
            "report.json",
            "report.md",
            "stdout"
        ]
    );
    for (name, bytes) in &first {
        assert!(*bytes == second[name], "{name} differs");
        let text = String::from_utf8_lossy(bytes);
        assert!(
            !text.contains(env!("CARGO_MANIFEST_DIR")),
            "{name} names a folder of this machine"
        );
    }
}

#[test]
fn a_log_split_in_two_is_the_same_run() {
    let dir = tempfile::tempdir().unwrap();
    let lines = ten_lines();
    let (a, b) = lines.split_at(lines.match_indices('\n').nth(3).unwrap().0 + 1);
    let (whole, a, b) = (
        file(&dir, "w", lines.as_bytes()),
        file(&dir, "a", a.as_bytes()),
        file(&dir, "b", b.as_bytes()),
    );
    let (one, _) = report(&[&whole]);
    let (two, _) = report(&[&b, &a]);
    assert_eq!(one["total"], two["total"]);
    assert_eq!(one["timeline"], two["timeline"]);
    assert_eq!(one["total"]["requests"], 10);
}

#[test]
fn standard_input_prefix_and_directory_are_inputs() {
    let root = root("");
    let log = std::fs::read(root.join(BATCH).join("requests.jsonl.gz")).unwrap();
    let run = loadgate_in(&root, &["check", "-", "--json", "-"], &log);
    let piped: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let (directory, _) = report(&[BATCH]);
    let (prefix, _) = report(&[&format!("{BATCH}/run")]);
    for json in [&piped, &directory, &prefix] {
        assert_eq!(json["total"]["requests"], 8540);
        assert_eq!(json["total"]["failures"], 235);
    }
    assert_eq!(piped["total"]["evidence"], "requests");
    assert_ne!(prefix["total"]["evidence"], "requests");
}

#[test]
fn warm_up_is_left_out_of_a_log_and_undecided_on_tables() {
    let (json, code) = report(&[
        &format!("{BATCH}/requests.jsonl.gz"),
        "--warmup",
        "30s",
        "--require",
        "p95 < 10s",
    ]);
    assert_eq!(code, 0);
    let left = json["total"]["requests"].as_u64().unwrap();
    assert!(left > 0 && left < 8540, "{left}");
    let (json, code) = report(&[
        &format!("{BATCH}/run_stats.csv"),
        "--warmup",
        "30s",
        "--require",
        "p95 < 10s",
    ]);
    assert_eq!(
        (code, json["gates"][0]["verdict"].as_str().unwrap()),
        (3, "undecided")
    );
}

#[test]
fn other_json_in_a_folder_is_no_request_log() {
    let dir = tempfile::tempdir().unwrap();
    file(&dir, "requests.jsonl", ten_lines().as_bytes());
    file(
        &dir,
        "meta.json",
        b"{\"locust\": \"2.47.0\", \"exit_code\": 1}\n",
    );
    let folder = dir.path().to_str().unwrap();
    let (first, _) = report(&[folder]);
    assert_eq!(first["total"]["requests"], 10);
    // Its own reports in the same folder change nothing.
    assert_eq!(loadgate(&["check", folder, "--out", folder]).code, 0);
    let (second, _) = report(&[folder]);
    assert_eq!(first["run"]["sources"], second["run"]["sources"]);
}
