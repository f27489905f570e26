//! Runs that were kept, in a report or in a history, as what later runs are measured by.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Run, file, loadgate, ten_lines};

const MACHINE: [&str; 2] = ["--label", "machine=bench"];

/// 400 requests in 40 s on that day of January: `errors` of them 503, every tenth 429, `rows` up to `rows`.
fn log(dir: &tempfile::TempDir, day: u64, errors: u64, rows: u64) -> String {
    let mut text = String::new();
    for i in 0..400_u64 {
        let status = match i {
            _ if i * errors / 400 < (i + 1) * errors / 400 => 503,
            _ if i % 10 == 0 => 429,
            _ => 200,
        };
        let (second, ms) = (i / 10, i % 10 * 100);
        writeln!(
            text,
            "{{\"timestamp\":\"2026-01-{day:02}T00:00:{second:02}.{ms:03}Z\",\"method\":\"GET\",\"name\":\"/a\",\
             \"response_time_ms\":{}.5,\"status\":{status},\"rows\":{}}}",
            100 + (i * 7 + day * 3) % 50,
            rows - i % 7
        )
        .unwrap();
    }
    file(dir, &format!("{day}.jsonl"), text.as_bytes())
}

fn check(run: &str, more: &[&str]) -> Run {
    loadgate(&[&["check", run][..], &MACHINE, more].concat())
}

/// A history of five such days, and the report of the last.
fn kept(dir: &tempfile::TempDir) -> [String; 2] {
    let path = |name| dir.path().join(name).to_str().unwrap().to_owned();
    let [history, report] = ["history.jsonl", "report.json"].map(path);
    for day in 1..=5 {
        let run = check(
            &log(dir, day, 8, 900),
            &["--record", &history, "--json", &report],
        );
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    [history, report]
}

fn gate(run: &str, baseline: &str, require: &str) -> Value {
    let run = check(
        run,
        &["--baseline", baseline, "--require", require, "--json", "-"],
    );
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: {}", run.stderr));
    report["gates"][0].clone()
}

#[test]
fn statuses_and_fields_are_measured_by_what_was_kept() {
    let dir = tempfile::tempdir().unwrap();
    let kept = kept(&dir);
    let same = log(&dir, 6, 8, 900);
    for baseline in &kept {
        for (require, observed, limit) in [
            ("ratio(status=5xx) <= baseline + 1%", 0.02, 0.0202),
            ("count(status=429) <= baseline", 40.0, 40.0),
            ("max(rows) <= baseline", 900.0, 900.0),
            ("mean(rows) <= baseline", 897.0075, 897.0075),
            ("p99(rows) <= baseline + 5%", 900.0, 945.0),
            ("unexpected_failure_ratio <= baseline", 0.12, 0.12),
            ("peak_rps <= baseline + 10%", 10.0, 11.0),
        ] {
            let gate = gate(&same, baseline, require);
            assert_eq!(gate["verdict"], "pass", "{baseline} {gate}");
            let near = |key: &str, wanted: f64| {
                let found = gate[key].as_f64().unwrap();
                assert!(
                    (found - wanted).abs() < 1e-6 * wanted.max(1.0),
                    "{key}: {gate}"
                );
            };
            near("observed", observed);
            near("limit", limit);
        }
    }
    let worse = log(&dir, 7, 200, 9000);
    for baseline in &kept {
        for require in [
            "ratio(status=5xx) <= baseline + 1%",
            "max(rows) <= baseline",
        ] {
            let gate = gate(&worse, baseline, require);
            assert_ne!(gate["verdict"], "pass", "{baseline} {gate}");
            assert!(gate["limit"].is_number(), "{baseline} {gate}");
        }
    }
}

#[test]
fn messages_name_what_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let [history, report] = kept(&dir);
    let same = log(&dir, 6, 8, 900);
    for (baseline, name) in [(&history, "line of the history"), (&report, "report")] {
        let gate = gate(&same, baseline, "apdex(500ms) >= baseline");
        assert_eq!(gate["verdict"], "undecided");
        let because = gate["because"].as_str().unwrap();
        assert!(
            because.contains(&format!("a {name} does not keep")),
            "{because}"
        );
    }
    let gate = gate(&same, &history, "max(cells) <= baseline");
    let because = gate["because"].as_str().unwrap();
    assert!(
        because.contains("no request has the field `cells`; there are rows"),
        "{because}"
    );
}

/// Takes out of every line, or of the report, what older versions did not keep.
fn as_older(path: &str) {
    fn older(value: &mut Value) {
        let keys = [
            "statuses",
            "failed_statuses",
            "unknown_statuses",
            "fields",
            "rates",
        ];
        match value {
            Value::Object(map) => {
                map.retain(|key, _| !keys.contains(&key.as_str()));
                map.values_mut().for_each(older);
            }
            Value::Array(all) => all.iter_mut().for_each(older),
            _ => {}
        }
    }
    let text = std::fs::read_to_string(path).unwrap();
    let mut written = String::new();
    for line in text.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        older(&mut line);
        writeln!(written, "{line}").unwrap();
    }
    std::fs::write(path, written).unwrap();
}

#[test]
fn older_lines_are_read_and_say_what_they_lack() {
    let dir = tempfile::tempdir().unwrap();
    let [history, _] = kept(&dir);
    as_older(&history);
    let same = log(&dir, 6, 8, 900);
    assert_eq!(
        gate(&same, &history, "failure_ratio <= baseline + 1%")["verdict"],
        "pass"
    );
    for require in [
        "ratio(status=5xx) <= baseline + 1%",
        "max(rows) <= baseline",
    ] {
        let gate = gate(&same, &history, require);
        assert_eq!(gate["verdict"], "undecided", "{gate}");
        let because = gate["because"].as_str().unwrap();
        assert!(
            because.contains("the baseline's line of the history is older"),
            "{because}"
        );
    }
    // Once there is a newer line, it is what counts.
    check(&same, &["--record", &history]);
    let next = log(&dir, 7, 8, 900);
    let gate = gate(&next, &history, "max(rows) <= baseline");
    assert_eq!(gate["limit"], 900.0, "{gate}");
}

/// Says of every endpoint that of 40 requests it is not known whether they failed.
fn with_unknown_outcomes(path: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut written = String::new();
    let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    while let Some(Ok(mut run)) = values.next() {
        run["total"]["unknown_outcomes"] = json!(40);
        for endpoint in run["endpoints"].as_array_mut().unwrap() {
            endpoint["unknown_outcomes"] = json!(40);
        }
        writeln!(written, "{run}").unwrap();
    }
    std::fs::write(path, written).unwrap();
}

#[test]
fn what_was_not_known_is_no_measure() {
    let dir = tempfile::tempdir().unwrap();
    let kept = kept(&dir);
    for baseline in &kept {
        with_unknown_outcomes(baseline);
        let gate = gate(
            &log(&dir, 6, 8, 900),
            baseline,
            "failure_ratio <= baseline + 1%",
        );
        assert_eq!(gate["verdict"], "undecided", "{gate}");
        let because = gate["because"].as_str().unwrap();
        assert!(
            because.contains("40 of 400 requests do not say whether they failed"),
            "{because}"
        );
    }
    let run = loadgate(&["trend", &kept[0], "--json", "-"]);
    let trend: Value = serde_json::from_str(&run.stdout).unwrap();
    let series = trend["groups"][0]["series"].as_array().unwrap();
    let values = |metric: &str| {
        let of = series.iter().find(|s| s["metric"] == metric).unwrap();
        let values = of["values"].as_array().unwrap();
        values.iter().filter(|v| !v.is_null()).count()
    };
    assert_eq!((values("failure_ratio"), values("mean")), (0, 5));
}

/// Writes another value over one of a JSON text, which has it once.
fn with(path: &str, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    let changed = format!("{path}.changed");
    std::fs::write(&changed, text.replacen(from, to, 1)).unwrap();
    changed
}

#[test]
fn a_baseline_that_cannot_be_is_refused_where_it_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let [history, report] = kept(&dir);
    let same = log(&dir, 6, 8, 900);
    let json: Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    let mean = json["total"]["response_time_ms"]["mean"].to_string();
    let written = format!("\"mean\": {mean}");
    for value in ["1e300", "-5", "\"NaN\"", "9999"] {
        let changed = with(&report, &written, &format!("\"mean\": {value}"));
        let run = check(
            &same,
            &["--baseline", &changed, "--require", "mean <= baseline"],
        );
        assert_eq!(run.code, 2, "{value}: {}", run.stdout);
        let text = std::fs::read_to_string(&changed).unwrap();
        let line = text.lines().position(|l| l.contains(value)).unwrap() + 1;
        assert!(
            run.stderr.contains(&format!("changed:{line}:")),
            "{value}: {}",
            run.stderr
        );
    }
    for (from, to) in [
        ("\"requests\":400", "\"requests\":40"),
        ("\"failures\":48", "\"failures\":480"),
        ("\"duration_s\":", "\"duration_s\":-"),
        ("\"p95\":", "\"p95\":9"),
    ] {
        let changed = with(&history, from, to);
        let run = check(
            &same,
            &["--baseline", &changed, "--require", "mean <= baseline"],
        );
        assert_eq!(run.code, 2, "{from}: {}", run.stdout);
        let place = run.stderr.contains("changed:1:");
        assert!(
            place && run.stderr.contains("impossible-figure"),
            "{from}: {}",
            run.stderr
        );
        let allowed = [
            "--baseline",
            &changed,
            "--allow-bad-lines",
            "1",
            "--require",
            "mean <= baseline + 50%",
        ];
        let run = check(&same, &allowed);
        assert!(
            run.code != 2 && run.stdout.contains("left out"),
            "{from}: {}",
            run.stdout
        );
        assert_eq!(loadgate(&["trend", &changed]).code, 2);
    }
}

/// Records where it cannot be: no verdict, no report that says otherwise, and nothing changed.
fn refuses(dir: &tempfile::TempDir, history: &Path, says: &str) {
    let run = file(dir, "run.jsonl", ten_lines().as_bytes());
    let html = dir.path().join("refused.html");
    let before = std::fs::read(history).ok();
    let done = check(
        &run,
        &[
            "--record",
            history.to_str().unwrap(),
            "--html",
            html.to_str().unwrap(),
        ],
    );
    assert_eq!(done.code, 2, "{}: {}", history.display(), done.stdout);
    assert!(done.stderr.contains(says), "{}", done.stderr);
    assert!(
        !done.stdout.contains("recorded")
            && std::fs::read_to_string(&html).is_ok_and(|page| page.contains("No verdict")),
        "{}",
        done.stdout
    );
    assert_eq!(std::fs::read(history).ok(), before);
}

#[test]
fn a_run_is_not_recorded_where_it_cannot_be() {
    let dir = tempfile::tempdir().unwrap();
    let [history, report] = kept(&dir);
    let path = |name: &str, bytes: &[u8]| dir.path().join(file(&dir, name, bytes));
    refuses(&dir, dir.path(), "it is a folder");
    refuses(&dir, Path::new("/dev/null"), "device");
    refuses(
        &dir,
        &dir.path().join("none/history.jsonl"),
        "folder does not exist",
    );
    refuses(&dir, &path("notes", b"notes\n"), "first line");
    refuses(
        &dir,
        &path("other", b"{\"schema\":\"other/1\"}\n"),
        "first line",
    );
    refuses(&dir, &path("bytes", b"\xff\xfe\0\n"), "first line");
    refuses(&dir, Path::new(&report), "first line");
    let whole = std::fs::read_to_string(&history).unwrap();
    let corrupt = whole.replacen("\"requests\":", "\"requests\":-", 2);
    refuses(&dir, &path("corrupt", corrupt.as_bytes()), "corrupt:1:");
    let newer = whole.clone() + "{\"schema\":\"loadgate.history/9\"}\n";
    refuses(&dir, &path("newer", newer.as_bytes()), "newer:6");
    // What a killed writer leaves, even as the first line, is kept aside, and a history that is not there is begun.
    for (name, text) in [("cut", &whole[..90]), ("new", "")] {
        let history = path(name, text.as_bytes());
        let run = check(
            &log(&dir, 6, 8, 900),
            &["--record", history.to_str().unwrap()],
        );
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.contains("recorded: "), "{}", run.stdout);
    }
}

#[test]
fn the_id_of_a_run_does_not_depend_on_what_else_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let [history, _] = kept(&dir);
    as_older(&history);
    let run = check(&log(&dir, 5, 8, 900), &["--record", &history]);
    assert!(run.stdout.contains("recorded before: "), "{}", run.stdout);
    assert_eq!(
        json!(std::fs::read_to_string(&history).unwrap().lines().count()),
        json!(5)
    );
}

/// A run is one baseline, whether its files, its report or its line of a history are read: the same figures, intervals and
/// verdicts to the last digit.
#[test]
fn a_run_compares_alike_whatever_it_is_read_from() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for (scenario, write) in [
        ("claims-api", "log"),
        ("worker-batches", "log"),
        ("rag-queries", "locust-csv"),
    ] {
        let generated = |seed: &str, day: &str| {
            let out = path(&format!("{scenario}-{seed}"));
            let start = format!("2026-01-{day}T00:00:00Z");
            let args = [
                "generate",
                "--scenario",
                scenario,
                "--seed",
                seed,
                "--start",
                &start,
            ];
            let more = ["--requests", "2500", "--write", write, "--out", &out];
            assert_eq!(loadgate(&[&args[..], &more].concat()).code, 0);
            out
        };
        let (before, now) = (generated("1", "01"), generated("2", "02"));
        let (report, history) = (path("report.json"), path(&format!("{scenario}.jsonl")));
        let made = check(&before, &["--json", &report, "--record", &history]);
        assert!([0, 3].contains(&made.code), "{}", made.stderr);
        let compared = |baseline: &str, current: &str| {
            let args = [
                "compare",
                baseline,
                current,
                "--json",
                "-",
                "--config",
                "/dev/null",
            ];
            let run = loadgate(&[&args[..], &MACHINE].concat());
            let report: Value =
                serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: {}", run.stderr));
            let comparison = &report["comparison"];
            assert!(comparison["endpoints"].as_array().unwrap().len() > 3);
            (
                comparison["endpoints"].clone(),
                comparison["census"].clone(),
            )
        };
        let files = compared(&before, &now);
        assert_eq!(compared(&report, &now), files, "{scenario}: report");
        assert_eq!(compared(&history, &now), files, "{scenario}: history");
    }
}
