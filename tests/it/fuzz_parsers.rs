//! The fuzz targets' checks on what is read besides runs: gate files, requirements, durations, histories, reports,
//! scenarios and other tools' thresholds; on real ones that were edited, a bounded number of times.

use std::sync::OnceLock;

use proptest::prelude::*;

use crate::fuzz::checks;
use crate::harness::{file, loadgate, root, ten_lines};

/// What is put into texts: signs of every grammar, and numbers at the edges.
const TOKENS: [&str; 48] = [
    "[[gate]]\n",
    "[[quota]]\n",
    "[run]\n",
    "id = \"x\"\n",
    "require = ",
    "on = \"*\"\n",
    "\"",
    "'",
    "\"\"\"",
    "\n",
    "=",
    "#",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "p95",
    "max(rows)",
    "ratio(status=5xx)",
    "count(error~\"x\")",
    "apdex(500ms)",
    "peak(10s)",
    "baseline",
    " + 20%",
    " within 60s",
    " on /a/",
    "<",
    "<=",
    "==",
    "ms",
    "%",
    "/s",
    "-1",
    "0",
    "1e300",
    "1e999",
    "NaN",
    "null",
    "true",
    "18446744073709551615",
    "9223372036854775807",
    "0.1",
    "99.99999999999",
    "\u{feff}",
    "\u{0}",
    "é",
];

/// An edit: where, what kind, and by what.
type Edit = (prop::sample::Index, u8, usize, u8);

/// Some of the texts, each edited a few times.
fn edited(seeds: Vec<String>) -> impl Strategy<Value = Vec<u8>> {
    let edit = (
        any::<prop::sample::Index>(),
        0..6_u8,
        0..TOKENS.len(),
        any::<u8>(),
    );
    (
        prop::sample::select(seeds),
        prop::collection::vec(edit, 0..6),
    )
        .prop_map(|(seed, edits)| {
            let mut bytes = seed.into_bytes();
            for edit in edits {
                apply(&mut bytes, edit);
            }
            bytes
        })
}

fn apply(bytes: &mut Vec<u8>, (at, kind, token, byte): Edit) {
    if bytes.is_empty() {
        return;
    }
    let at = at.index(bytes.len());
    let end = (at + 1 + usize::from(byte) % 40).min(bytes.len());
    match kind {
        0 => bytes[at] = byte,
        1 => drop(bytes.drain(at..end)),
        2 => bytes.truncate(at),
        3 => {
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
        4 => {
            // A number is another one.
            let is_digit = |b: &u8| b.is_ascii_digit() || *b == b'.';
            let from = at + bytes[at..].iter().take_while(|b| !is_digit(b)).count();
            let to = from + bytes[from..].iter().take_while(|b| is_digit(b)).count();
            bytes.splice(from..to, TOKENS[token].bytes());
        }
        _ => {
            bytes.splice(at..at, TOKENS[token].bytes());
        }
    }
}

fn texts(folder: &str, ending: &str) -> Vec<String> {
    let mut paths: Vec<_> = std::fs::read_dir(root(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    paths.iter().map(read).collect()
}

fn gate_files() -> Vec<String> {
    [
        texts("testdata/gates", "toml"),
        texts("testdata/broken", "toml"),
    ]
    .concat()
}

const EXPRESSIONS: [&str; 12] = [
    "p95 < 500ms",
    "p99.9 <= 1.5s on GET /users*",
    "ratio(status=5xx) <= baseline + 1%",
    "count(error~\"timed out\") == 0",
    "max(rows) <= 900",
    "slope(memory_mb) < 5",
    "failure_ratio < 1% within 60s",
    "apdex(500ms) >= 0.9",
    "peak(10s) <= 20",
    "p95(rows) < 9",
    "rps > 100/s",
    "duration < 2min",
];

const DURATIONS: [&str; 8] = [
    "30s",
    "500ms",
    "2min",
    "1h",
    "100us",
    "1_000.5 ms",
    "2026-01-31T12:00:00Z",
    "0.1s",
];

/// A small run's report and its line in a history, and of one without any request.
fn kept() -> &'static [Vec<String>; 2] {
    static KEPT: OnceLock<[Vec<String>; 2]> = OnceLock::new();
    KEPT.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let (history, mut reports) = (path("history.jsonl"), Vec::new());
        let fields = ten_lines().replace("\"status\":200", "\"status\":503,\"rows\":3");
        for (name, text) in [("a", ten_lines()), ("b", fields), ("c", String::new())] {
            let run = file(&dir, &format!("{name}.jsonl"), text.as_bytes());
            let json = path(&format!("{name}.json"));
            loadgate(&["check", &run, "--json", &json, "--record", &history]);
            reports.extend(std::fs::read_to_string(&json).ok());
        }
        let history = std::fs::read_to_string(history).unwrap();
        [reports, history.lines().map(str::to_owned).collect()]
    })
}

const MIGRATED: [&str; 3] = [
    "export const options = { thresholds: { http_req_duration: ['p(95)<500', 'avg<200'], 'checks{tag:a}': [{ threshold: 'rate>0.9', abortOnFail: true }] } };",
    "reporting:\n- module: passfail\n  criteria:\n  - avg-rt of Sample>150ms for 10s, stop as failed\n  - fail of X>50% for 5s\n",
    "config:\n  ensure:\n    thresholds:\n      - http.response_time.p95: 200\n    conditions:\n      - expression: \"http.response_time.p99 < 500 and vusers.failed == 0\"\n",
];

fn locust_json() -> String {
    std::fs::read_to_string(root("testdata/locust/2.47.0/style_b/run.json")).unwrap()
}

fn owned(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_gate_file_is_read_or_refused(bytes in edited(gate_files())) {
        checks::gate_file_is_read_or_refused(&bytes);
    }

    #[test]
    fn any_scenario_is_read_or_refused(bytes in edited(texts("templates/scenarios", "toml"))) {
        checks::scenario_is_read_or_refused(&bytes);
    }

    #[test]
    fn any_report_is_read_or_refused(bytes in edited(kept()[0].clone())) {
        checks::report_is_read_or_refused(&bytes);
    }

    #[test]
    fn any_history_line_is_read_or_refused(bytes in edited(kept()[1].clone())) {
        checks::history_line_is_read_or_refused(&bytes);
    }

    #[test]
    fn any_locust_json_is_counted_or_refused(bytes in edited(vec![locust_json()])) {
        checks::locust_json_never_panics(&bytes);
    }

    #[test]
    fn any_thresholds_are_carried_over_or_not(bytes in edited(owned(&MIGRATED))) {
        checks::migration_never_panics(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_expression_is_read_or_refused(bytes in edited(owned(&EXPRESSIONS))) {
        checks::expression_is_read_or_refused(&bytes);
    }

    #[test]
    fn any_duration_is_above_zero_or_none(bytes in edited(owned(&DURATIONS))) {
        checks::duration_is_positive_or_none(&bytes);
    }
}

#[test]
fn what_is_edited_is_read_as_it_is() {
    // Seeds that were refused would be fuzzed for nothing.
    let [reports, lines] = kept();
    assert_eq!((reports.len(), lines.len()), (3, 3));
    for report in reports {
        loadgate::input::report::read("report.json", report.as_bytes()).unwrap();
    }
    for line in lines {
        loadgate::history::line::read(line, "history.jsonl", 1).unwrap();
    }
    for text in EXPRESSIONS {
        loadgate::config::require(text, 1).unwrap();
    }
    for text in DURATIONS.iter().filter(|text| !text.starts_with("2026")) {
        loadgate::config::quantity::duration(text).unwrap();
    }
    for text in texts("testdata/gates", "toml") {
        loadgate::config::parse(&text, "loadgate.toml").unwrap();
    }
    for text in texts("templates/scenarios", "toml") {
        loadgate::generate::scenario::parse(&text, "scenario.toml").unwrap();
    }
    let carried = [
        loadgate::migrate::k6::thresholds(MIGRATED[0]),
        loadgate::migrate::taurus::criteria(MIGRATED[1]),
        loadgate::migrate::artillery::ensured(MIGRATED[2]),
    ];
    for found in carried {
        assert!(!found.unwrap().is_empty());
    }
}
