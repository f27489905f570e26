//! Gate files and requirements as a user meets them: what is wrong is told before the data is read, and what nothing judges
//! is no pass.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use tempfile::TempDir;

use crate::harness::{Run, file, loadgate_in, ten_lines};

/// So many requests, of which the first so many failed, to endpoints in turn, one every 100 ms.
fn log(requests: usize, failed: usize, names: &[&str]) -> String {
    let mut text = String::new();
    for i in 0..requests {
        let status = if i < failed { 500 } else { 200 };
        let (at, name) = (1_767_225_600_000 + i as i64 * 100, names[i % names.len()]);
        let name = serde_json::to_string(name).unwrap();
        let _ = writeln!(
            text,
            "{{\"timestamp\":{at},\"method\":\"GET\",\"name\":{name},\"response_time_ms\":{},\"status\":{status}}}",
            100 + i % 10
        );
    }
    text
}

fn folder(log: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    file(&dir, "r.jsonl", log.as_bytes());
    dir
}

fn check(dir: &TempDir, args: &[&str]) -> Run {
    let mut words = vec!["check", "r.jsonl"];
    words.extend(args);
    loadgate_in(dir.path(), &words, b"")
}

fn with_gates(dir: &TempDir, gates: impl AsRef<[u8]>) -> Run {
    file(dir, "g.toml", gates.as_ref());
    check(dir, &["--config", "g.toml", "--quiet"])
}

#[test]
fn a_gate_file_without_gates_is_an_error() {
    let dir = folder(&ten_lines());
    for text in [
        "",
        "# nothing\n",
        "[run]\nwarmup = \"1s\"\n[failures]\nexpected = [404]\n",
        "gate = []\n",
    ] {
        let run = with_gates(&dir, text);
        assert_eq!(run.code, 2, "{text}");
        assert!(
            run.stderr.starts_with("g.toml: error[no-gates]: "),
            "{}",
            run.stderr
        );
    }
    // A gate on the command line is one, and so is a file that is found.
    let run = check(
        &dir,
        &[
            "--config",
            "g.toml",
            "--require",
            "requests >= 1",
            "--quiet",
        ],
    );
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "PASSED: 1 of 1 criteria passed\n")
    );
    file(&dir, "loadgate.toml", b"");
    assert!(
        check(&dir, &["--quiet"])
            .stderr
            .contains("loadgate.toml: error[no-gates]")
    );
    // The ids of the command line are taken, too.
    file(
        &dir,
        "g.toml",
        b"[[gate]]\nid = \"require-1\"\nrequire = \"max < 5s\"\n",
    );
    let run = check(
        &dir,
        &[
            "--config",
            "g.toml",
            "--require",
            "requests >= 1",
            "--quiet",
        ],
    );
    assert!(run.stderr.contains("error[duplicate-id]"), "{}", run.stderr);
    // To compare needs no gates.
    let run = loadgate_in(
        dir.path(),
        &["compare", "r.jsonl", "r.jsonl", "--quiet"],
        b"",
    );
    // Of a run so short nothing can be judged, and that is a warning: no gate asked for it.
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.starts_with("COMPARED with 1 warning: "),
        "{}",
        run.stdout
    );
    for text in [
        "[[quota]]\nid = \"q\"\nlimit = \"100 per 1s\"\n",
        "[regression]\n",
    ] {
        assert_ne!(with_gates(&dir, text).code, 2, "{text}");
    }
}

#[test]
fn a_run_without_gates_is_not_judged_in_any_report() {
    let dir = folder(&ten_lines());
    let run = check(&dir, &["--out", "out"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.ends_with("\nNOT JUDGED: no gates\n"),
        "{}",
        run.stdout
    );
    let read = |name: &str| std::fs::read_to_string(dir.path().join("out").join(name)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(json["outcome"]["verdict"], "not-judged");
    assert!(read("report.md").contains("NOT JUDGED: no gates"));
    let page = read("report.html");
    assert!(page.contains("Not judged:</span>") && page.contains("no gates</bdi></h1>"));
    assert!(read("metrics.txt").contains("loadgate_outcome{verdict=\"pass\"} 0"));
    for (ci, told) in [
        ("github", "::warning title=not judged::no gates"),
        (
            "azure",
            "##vso[task.logissue type=warning;code=not judged]no gates",
        ),
        ("teamcity", "##teamcity[message text='not judged: no gates"),
    ] {
        let run = check(&dir, &["--ci", ci]);
        assert!(run.code == 0 && run.stdout.contains(told), "{}", run.stdout);
    }
    let run = check(&dir, &["--ci", "gitlab", "--out", "out"]);
    assert_eq!(run.code, 0);
    assert!(read("gl-code-quality-report.json").contains("not judged: no gates"));
}

#[test]
fn a_gate_file_that_is_no_text_shows_the_byte() {
    let dir = folder(&ten_lines());
    let run = with_gates(
        &dir,
        b"[[gate]]\nid = \"caf\xe9\"\nrequire = \"p95 < 1s\"\n",
    );
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.starts_with("g.toml:2:10: error[config-syntax]: the byte 0xe9 is not UTF-8; help: save the file as UTF-8"),
        "{}",
        run.stderr
    );
    let run = with_gates(
        &dir,
        "\u{feff}[[gate]]\r\nid = \"a\"\r\nrequire = \"max < 5s\"\r\n",
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn a_gate_file_of_a_hundred_thousand_mistakes_is_told_at_once() {
    let dir = folder(&ten_lines());
    let mut unknown = String::new();
    for i in 0..50_000 {
        let _ = writeln!(unknown, "k{i} = 1");
    }
    let begun = Instant::now();
    for text in [
        "[[gate]]\n".repeat(110_000),
        unknown,
        format!(
            "[[gate]]\nid = \"g\"\nrequire = \"max < 1s\"\non = [{}]\n",
            "\"a\",".repeat(200_000)
        ),
        format!("a = {}", "[".repeat(100_000)),
    ] {
        let run = with_gates(&dir, &text);
        assert_eq!(run.code, 2);
        assert!(!run.stderr.is_empty());
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[cfg(unix)]
#[test]
fn a_gate_file_without_end_is_given_up() {
    let dir = folder(&ten_lines());
    let run = check(&dir, &["--config", "/dev/zero", "--quiet"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("error[config-too-large]"),
        "{}",
        run.stderr
    );
    let run = check(&dir, &["--config", "/dev/null", "--quiet"]);
    assert!(
        run.code == 2 && run.stderr.contains("error[no-gates]"),
        "{}",
        run.stderr
    );
    // What stands in the place of the gate file is not passed over.
    std::fs::create_dir(dir.path().join("loadgate.toml")).unwrap();
    let run = check(&dir, &["--quiet"]);
    assert!(
        run.code == 2 && run.stderr.contains("cannot read the gate file"),
        "{}",
        run.stderr
    );
}

/// The endpoints that `on` selects.
fn judged(dir: &TempDir, on: &str) -> Vec<String> {
    let gates = format!("[[gate]]\nid = \"g\"\nrequire = \"max < 1h\"\non = {on}\n");
    file(dir, "g.toml", gates.as_bytes());
    let run = check(dir, &["--config", "g.toml", "--json", "-"]);
    let json: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{on}: {e}: {}", run.stderr));
    let gates = json["gates"].as_array().unwrap().clone();
    let names = gates
        .iter()
        .filter_map(|gate| Some(gate["endpoint"].get("name")?.as_str()?.to_owned()));
    names.collect()
}

#[test]
fn an_endpoints_name_goes_before_any_pattern() {
    let names = [
        "/api/v1/claims/",
        "/api/v1/claims/7/",
        "/a*",
        "/ab",
        "/a?",
        "/items/[id]/",
        "/x/",
    ];
    let dir = folder(&log(70, 0, &names));
    for (on, expected) in [
        ("\"/api/v1/claims/\"", vec!["/api/v1/claims/"]),
        ("\"GET /api/v1/claims/\"", vec!["/api/v1/claims/"]),
        ("\"/a*\"", vec!["/a*"]),
        ("\"/a?\"", vec!["/a?"]),
        ("\"/x/\"", vec!["/x/"]),
        ("\"/items/[id]/\"", vec!["/items/[id]/"]),
        ("\"/ab*\"", vec!["/ab"]),
        (
            "\"/^GET /api/\"",
            vec!["/api/v1/claims/", "/api/v1/claims/7/"],
        ),
        ("[\"/x/\", \"/ab\"]", vec!["/ab", "/x/"]),
    ] {
        assert_eq!(judged(&dir, on), expected, "{on}");
    }
    // A path that nobody asked for is none of those below it.
    let run = with_gates(
        &dir,
        "[[gate]]\nid = \"g\"\nrequire = \"max < 1h\"\non = \"/api/v1/\"\n",
    );
    assert_eq!(run.code, 3, "{}", run.stdout);
    file(
        &dir,
        "g.toml",
        b"[[gate]]\nid = \"g\"\nrequire = \"max < 1h\"\non = [\"/api/v1/claims/\", \"/^x*/\"]\n",
    );
    let run = loadgate_in(dir.path(), &["explain", "g", "--config", "g.toml"], b"");
    for told in [
        "  `/api/v1/claims/` is the exact name of an endpoint, or its method and name\n",
        "  `/^x*/` is the exact name of an endpoint, or its method and name; else a glob on either; else a regular expression",
    ] {
        assert!(run.stdout.contains(told), "{}", run.stdout);
    }
}

#[test]
fn a_limit_is_the_decimal_that_was_written() {
    let nine = folder(&log(1000, 9, &["/a"]));
    let seven = folder(&log(1000, 7, &["/a"]));
    for (dir, rule, code, told) in [
        (
            &nine,
            "failure_ratio < 0.9%",
            1,
            "0.9 % is at the limit of 0.9 %, and must be below it",
        ),
        (
            &nine,
            "failure_ratio <= 0.9%",
            0,
            "0.9 % is within the limit of 0.9 %",
        ),
        (
            &nine,
            "failure_ratio < 0.901%",
            0,
            "0.9 % is within the limit of 0.901 %",
        ),
        (
            &nine,
            "failure_ratio == 0.9%",
            0,
            "0.9 % is at the limit of 0.9 %",
        ),
        (
            &seven,
            "failure_ratio <= 0.7%",
            0,
            "0.7 % is within the limit of 0.7 %",
        ),
        (
            &seven,
            "failure_ratio > 0.7%",
            1,
            "0.7 % is at the limit of 0.7 %, and must be above it",
        ),
        (
            &seven,
            "success_ratio >= 99.3%",
            0,
            "99.3 % is at the limit of 99.3 %",
        ),
        (
            &seven,
            "p99.99999 < 1s",
            3,
            "1000 values, 10000000 are needed",
        ),
        (
            &seven,
            "p100 <= 109ms",
            0,
            "109 ms is within the limit of 109 ms",
        ),
        (&seven, "failure_ratio < 50% within 60s", 0, ""),
    ] {
        let run = check(dir, &["--require", rule]);
        assert!(
            run.code == code && run.stdout.contains(told),
            "{rule}: exit {}\n{}",
            run.code,
            run.stdout
        );
    }
}

#[test]
fn a_run_is_at_most_what_it_is() {
    // Means and ratios that are no short decimals, and a report that keeps them to a millionth.
    let dir = folder(&log(700, 13, &["/a", "/b", "/c"]));
    let gates = "[[gate]]\nid = \"same\"\nrequire = [\"mean <= baseline\", \"mean >= baseline\", \"p95 <= baseline\", \"p95 == baseline\", \"max <= baseline + 0%\", \"failure_ratio <= baseline\", \"rps >= baseline\"]\non = \"*\"\n[[gate]]\nid = \"total\"\nrequire = [\"rps == baseline\", \"mean == baseline\"]\n";
    file(&dir, "g.toml", gates.as_bytes());
    assert_eq!(
        check(&dir, &["--json", "before.json", "--record", "h.jsonl"]).code,
        0
    );
    for baseline in ["r.jsonl", "before.json"] {
        let run = check(&dir, &["--config", "g.toml", "--baseline", baseline]);
        assert_eq!(run.code, 0, "{baseline}: {}{}", run.stdout, run.stderr);
    }
}

#[test]
fn a_field_may_be_missing_in_just_so_many() {
    // 7 of 1000 lack it: at most 0.7 % is allowed.
    let mut text = String::new();
    for i in 0..1000 {
        let rows = if i < 7 { "" } else { ",\"rows\":1" };
        let at = 1_767_225_600_000_i64 + i;
        let _ = writeln!(
            text,
            "{{\"timestamp\":{at},\"name\":\"/a\",\"response_time_ms\":1,\"status\":200{rows}}}"
        );
    }
    let dir = folder(&text);
    for (most, code) in [("0.7%", 0), ("0.69%", 3)] {
        let gates = format!(
            "[[gate]]\nid = \"g\"\nrequire = \"max(rows) <= 1\"\nmax-missing = \"{most}\"\n"
        );
        assert_eq!(with_gates(&dir, gates).code, code, "{most}");
    }
}

#[test]
fn what_says_nothing_is_refused() {
    let dir = folder(&ten_lines());
    for rule in [
        "failure_ratio < 150%",
        "failure_ratio >= 0%",
        "p95 > -1s",
        "failures >= 0",
        "apdex(1s) <= 1",
    ] {
        let run = check(&dir, &["--require", rule, "--quiet"]);
        assert!(
            run.code == 2 && run.stderr.contains("error[useless-limit]"),
            "{rule}: {}",
            run.stderr
        );
    }
    for flags in [
        ["--warmup", "9999999999999h"],
        ["--from", "9999999999999h"],
        ["--to", "0s"],
        ["--map", "response_time=latency:parsecs"],
        ["--map", "name=label:ms"],
    ] {
        let run = check(&dir, &[flags[0], flags[1], "--quiet"]);
        assert!(
            run.code == 2 && run.stderr.starts_with(flags[0]),
            "{flags:?}: {}",
            run.stderr
        );
    }
    let run = check(
        &dir,
        &[
            "--map",
            "response_time=a",
            "--map",
            "response_time=b",
            "--quiet",
        ],
    );
    assert!(
        run.code == 2 && run.stderr.contains("mapped twice"),
        "{}",
        run.stderr
    );
    let run = with_gates(&dir, "[input.map]\nresponse_time = \"latency:parsecs\"\n");
    assert!(
        run.code == 2 && run.stderr.contains("the units are ms, us, ns, s, min, h"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_flag_goes_before_the_gate_files_map() {
    let line =
        "{\"timestamp\":0,\"n\":\"/n\",\"m\":\"/m\",\"response_time_ms\":1,\"status\":200}\n";
    let dir = folder(line);
    let gates =
        "[input.map]\nname = \"n\"\n[[gate]]\nid = \"g\"\nrequire = \"max < 1s\"\non = \"/m\"\n";
    assert_eq!(with_gates(&dir, gates).code, 3);
    let run = check(&dir, &["--config", "g.toml", "--map", "name=m", "--quiet"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
}

#[test]
fn a_span_of_eight_thousand_years_is_answered_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::from(
        "{\"timestamp\":0,\"name\":\"/a\",\"response_time_ms\":5,\"status\":200,\"rows\":1}\n",
    );
    text.push_str(&log(200, 3, &["/a", "/b"]));
    text.push_str("{\"timestamp\":\"9999-12-30T00:00:00Z\",\"name\":\"/a\",\"response_time_ms\":5,\"status\":200,\"rows\":1}\n");
    file(&dir, "r.jsonl", text.as_bytes());
    let gates = r#"
[[gate]]
id = "windows"
require = ["failure_ratio < 50% within 60s", "rps >= 1 within 60s", "p50 < 1s within 60s", "failures <= 9 within 87000h"]
[[gate]]
id = "each"
require = ["p95 < 1s", "peak(8000h) <= 100000", "slope(rows) < 5"]
on = "*"
[[quota]]
id = "quota"
limit = "60 per 1s"
burst = "20 per 100ms"
bucket = "100/s burst 20"
[[gate]]
id = "relative"
require = "rps >= baseline - 20%"
[regression]
"#;
    file(&dir, "g.toml", gates.as_bytes());
    let begun = Instant::now();
    let args = [
        "--config",
        "g.toml",
        "--baseline",
        "r.jsonl",
        "--record",
        "h.jsonl",
        "--out",
        "out",
    ];
    let run = check(&dir, &args);
    // A silence of thousands of years is more likely a second run than a pause.
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("two runs in one log"), "{}", run.stdout);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    assert!(Path::new(&dir.path().join("out/report.html")).is_file());
}
