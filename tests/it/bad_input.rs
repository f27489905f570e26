//! Malformed inputs, each with its defined answer.

use crate::harness::{Run, file, loadgate, report, ten_lines};

/// Checks a file of these bytes.
fn check(name: &str, bytes: &[u8], more: &[&str]) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, name, bytes);
    let mut args = vec!["check", &path];
    args.extend(more);
    loadgate(&args)
}

fn refused(name: &str, bytes: &[u8], words: &[&str]) {
    let run = check(name, bytes, &[]);
    assert_eq!(run.code, 2, "{name}: {}", run.stdout);
    for word in words {
        assert!(
            run.stderr.contains(word),
            "{name}: no `{word}` in\n{}",
            run.stderr
        );
    }
}

fn with_line(line: &str) -> String {
    format!("{}{line}\n", ten_lines())
}

#[test]
fn bad_lines_are_named_with_line_and_column() {
    refused(
        "not_json",
        with_line("not json").as_bytes(),
        &["bad-line", "not_json:11:"],
    );
    refused("array", with_line("[]").as_bytes(), &["array:11"]);
    refused(
        "nan",
        with_line(r#"{"name":"/a","response_time_ms":NaN}"#).as_bytes(),
        &["nan:11:"],
    );
    refused(
        "infinity",
        with_line(r#"{"name":"/a","response_time_ms":Infinity}"#).as_bytes(),
        &["infinity:11:"],
    );
    refused(
        "negative",
        with_line(r#"{"name":"/a","response_time_ms":-1}"#).as_bytes(),
        &["negative:11", "negative"],
    );
    refused(
        "string",
        with_line(r#"{"name":"/a","response_time_ms":"fast"}"#).as_bytes(),
        &["string:11", "fast"],
    );
    refused(
        "no_time",
        with_line(r#"{"name":"/a","method":"GET"}"#).as_bytes(),
        &["no_time:11"],
    );
    refused(
        "long",
        with_line(&format!(r#"{{"name":"{}"}}"#, "x".repeat(2 << 20))).as_bytes(),
        &["long:11", "1 MiB"],
    );
    let mut bytes = ten_lines().into_bytes();
    bytes.extend(b"{\"name\":\"\xff\xfe\",\"response_time_ms\":1}\n");
    refused("not_utf8", &bytes, &["not_utf8:11", "UTF-8"]);
}

#[test]
fn bad_lines_may_be_allowed_and_are_counted() {
    let text = with_line("not json");
    let run = check(
        "log",
        text.as_bytes(),
        &["--allow-bad-lines", "1", "--json", "-"],
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["total"]["requests"], 10);
    assert_eq!(json["run"]["sources"][0]["rejected"], 1);
}

#[test]
fn a_cut_last_line_is_a_note() {
    let text = ten_lines() + r#"{"timestamp":"2026-01-01T00:00:11Z","na"#;
    let run = check("log", text.as_bytes(), &["--json", "-"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["total"]["requests"], 10);
    assert!(
        json["notes"].to_string().contains("cut"),
        "{}",
        json["notes"]
    );
}

#[test]
fn byte_order_mark_and_line_ends_change_nothing() {
    let total = |bytes: &str| {
        let run = check("log", bytes.as_bytes(), &["--json", "-"]);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        (
            json["total"].clone(),
            json["timeline"].clone(),
            json["notes"].clone(),
        )
    };
    let altered = format!("\u{feff}{}", ten_lines().replace('\n', "\r\n"));
    assert_eq!(total(&altered), total(&ten_lines()));
}

#[test]
fn files_that_say_nothing_are_refused() {
    refused("empty.csv", b"", &["empty"]);
    refused(
        "prose",
        b"Dear diary,\nit was a slow day.\n",
        &["unknown-format"],
    );
    refused(
        "corrupt.gz",
        b"\x1f\x8b\x08\x00garbage",
        &["corrupt-archive"],
    );
    let empty = tempfile::tempdir().unwrap();
    let run = loadgate(&["check", empty.path().to_str().unwrap()]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("nothing-recognised"), "{}", run.stderr);
}

#[test]
fn a_run_without_requests_is_undecided() {
    let (json, code) = report(&[
        "testdata/locust/2.47.0/empty",
        "--require",
        "failure_ratio < 1%",
    ]);
    assert_eq!(code, 3, "{}", json["gates"]);
    assert_eq!(json["total"]["requests"], 0);
    let (_, code) = report(&[
        "testdata/variants/header_only_stats.csv",
        "--require",
        "failures < 1",
    ]);
    assert_eq!(code, 3);
}

/// Requests of the unaltered table.
const WHOLE: u64 = 8540;

enum Answer {
    /// The numbers of the unaltered run.
    Same,
    /// Exit 2, and these words.
    Refused(&'static [&'static str]),
    /// Requests read, and a word in the notes.
    Noted(u64, &'static str),
}
use Answer::{Noted, Refused, Same};

/// Every altered file and its defined outcome.
const VARIANTS: &[(&str, Answer)] = &[
    ("bom_stats.csv", Same),
    ("crcrlf_stats.csv", Same),
    ("crcrlf_stats_history.csv", Noted(8540, "only the history")),
    (
        "cut_mid_row_stats_history.csv",
        Noted(8539, ":583: the last row is cut off and was left out"),
    ),
    ("lf_stats.csv", Same),
    ("semicolon_decimal_comma_stats.csv", Same),
    ("utf16le_stats.csv", Same),
    ("columns_reordered_stats.csv", Same),
    ("extra_column_stats.csv", Same),
    ("thousands_stats.csv", Same),
    ("zero_bytes_stats.csv", Refused(&["empty"])),
    (
        "cut_mid_row_stats.csv",
        Refused(&["bad-line", "cut_mid_row_stats.csv:"]),
    ),
    (
        "duplicate_row_stats.csv",
        Refused(&["duplicate_row_stats.csv:"]),
    ),
    ("header_only_stats.csv", Noted(0, "")),
    ("no_aggregated_stats.csv", Noted(8540, "no total row")),
    ("few_percentiles_stats.csv", Noted(8540, "")),
    ("nan_inf_stats.csv", Noted(8540, "nan")),
    ("raw_cut_last_line.jsonl", Noted(400, "cut")),
    (
        "raw_blank_and_bad_lines.jsonl",
        Refused(&["raw_blank_and_bad_lines.jsonl:403"]),
    ),
    ("raw_nan.jsonl", Refused(&["raw_nan.jsonl:11:"])),
    ("raw_negative.jsonl", Refused(&["negative"])),
    ("raw_crlf_bom.jsonl", Noted(400, "")),
    ("raw_shuffled.jsonl", Noted(400, "")),
    ("raw_strings.jsonl", Noted(400, "")),
    ("raw.jsonl.gz", Noted(400, "")),
];

#[test]
fn every_variant_has_its_defined_outcome() {
    let mut wrong = Vec::new();
    for (name, answer) in VARIANTS {
        let path = format!("testdata/variants/{name}");
        let run = loadgate(&["check", &path, "--json", "-"]);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_default();
        let requests = json["total"]["requests"].as_u64();
        let p95 = json["total"]["response_time_ms"]["quantiles"]["p95"].as_f64();
        let right = match answer {
            Same => run.code == 0 && requests == Some(WHOLE) && p95 == whole_p95(),
            Refused(words) => run.code == 2 && words.iter().all(|w| run.stderr.contains(w)),
            Noted(n, word) => {
                run.code == 0 && requests == Some(*n) && json["notes"].to_string().contains(word)
            }
        };
        if !right {
            wrong.push(format!(
                "{name}: exit {}, {requests:?}, p95 {p95:?}, {} {}",
                run.code, json["notes"], run.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn whole_p95() -> Option<f64> {
    let (json, _) = report(&["testdata/locust/2.47.0/batch/run_stats.csv"]);
    json["total"]["response_time_ms"]["quantiles"]["p95"].as_f64()
}

#[test]
fn a_missing_percentile_is_undecided_with_the_reason() {
    let (json, code) = report(&[
        "testdata/variants/few_percentiles_stats.csv",
        "--require",
        "p95 < 10s",
    ]);
    assert_eq!(code, 3);
    assert!(
        json["gates"][0]["because"]
            .as_str()
            .unwrap()
            .contains("p95"),
        "{}",
        json["gates"]
    );
}

/// Other people's tables are not in the repository; point `LOADGATE_SAMPLES` at a folder of result folders.
#[test]
fn any_locust_result_is_read_or_refused_with_a_message() {
    let Some(folder) = std::env::var_os("LOADGATE_SAMPLES") else {
        println!("skipped: LOADGATE_SAMPLES names no folder of further Locust results");
        return;
    };
    for set in std::fs::read_dir(folder).unwrap() {
        let set = set.unwrap().path();
        for table in std::fs::read_dir(&set).unwrap().map(|f| f.unwrap().path()) {
            let run = loadgate(&["check", table.to_str().unwrap(), "--quiet"]);
            assert!(
                [0, 2].contains(&run.code),
                "{}: {}",
                table.display(),
                run.code
            );
            assert!(
                run.code == 0 || run.stderr.contains("error["),
                "{}: {}",
                table.display(),
                run.stderr
            );
        }
    }
}
