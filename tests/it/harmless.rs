//! Text of the system under test does nothing but be read: on no stream of no command, whatever `--ci` says, does it reach a
//! terminal as an escape sequence or a CI system as an order.

use std::path::Path;

use loadgate::visible::is_hidden;
use serde_json::json;

use crate::harness::{Run, loadgate_in};

/// Each has the word `pwned`, so that a test can tell that it was shown.
const HOSTILE: [&str; 20] = [
    "##vso[task.complete result=Succeeded;]pwned",
    "say ##vso[task.setvariable variable=PATH]pwned",
    "##[error]pwned",
    "###[group]pwned",
    "##teamcity[buildStop comment='pwned']",
    "::error::pwned",
    "::set-output name=x::pwned",
    "::stop-commands::pwned",
    "x\n::add-mask::pwned",
    " \t::warning::pwned",
    "\u{85}::error::pwned",
    "\u{2028}::error::pwned",
    "\u{1b}[2J\u{1b}[1;31mpwned\u{1b}[0m",
    "\u{1b}]8;;http:evil\u{7}pwned\u{1b}]8;;\u{7}",
    "\u{9b}31mpwned",
    "fine\rpwned",
    "\u{202e}pwned",
    "\u{200b}\u{200d}pwned",
    "\u{2066}pwned\u{2069}",
    "\u{feff}pwned",
];

/// Where orders may stand: the lines that loadgate itself says to this system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Nothing,
    GitHub,
    Azure,
    TeamCity,
}

const SYSTEMS: [(&str, Says); 3] = [
    ("github", Says::GitHub),
    ("azure", Says::Azure),
    ("teamcity", Says::TeamCity),
];

fn harmless(what: &str, text: &str, says: Says) {
    let order = regex::Regex::new(r"(?i)##[a-z0-9]*\[").unwrap();
    let github =
        regex::Regex::new(r"^::(error|warning) ((file|line|col|title)=[^:,]*,?)+::").unwrap();
    for line in text.split('\n') {
        let hidden: Vec<char> = line
            .chars()
            .filter(|c| is_hidden(*c) && *c != '\t')
            .collect();
        assert!(hidden.is_empty(), "{what}: {hidden:?} in {line:?}");
        let own = match says {
            Says::Nothing => None,
            Says::GitHub => github.find(line).map(|m| m.end()),
            Says::Azure => line
                .strip_prefix("##vso[task.")
                .filter(|rest| rest.starts_with("logissue ") || rest.starts_with("setvariable "))
                .map(|rest| line.len() - rest.len()),
            Says::TeamCity => line
                .strip_prefix("##teamcity[")
                .map(|rest| line.len() - rest.len()),
        };
        let rest = &line[own.unwrap_or_default()..];
        assert!(!order.is_match(rest), "{what}: an order in {line:?}");
        let begins = own.is_none() && line.trim_start().starts_with("::");
        assert!(!begins, "{what}: a command in {line:?}");
    }
}

fn both(what: &str, run: &Run, says: Says) {
    harmless(&format!("{what}, standard output"), &run.stdout, says);
    harmless(&format!("{what}, standard error"), &run.stderr, says);
}

/// A request log in which everything that can be a text is this one.
fn log(text: &str) -> String {
    let line = |i: u64| {
        json!({
            "timestamp": 1_767_225_600_000_u64 + i * 1000, "method": if i.is_multiple_of(2) { "GET" } else { text },
            "name": text, "response_time_ms": 10 + i, "status": if i.is_multiple_of(3) { 500 } else { 200 },
            "error": i.is_multiple_of(3).then_some(text), text: i, "users": i,
        })
    };
    (0..40).map(|i| line(i).to_string() + "\n").collect()
}

/// A gate file in which everything that can be a text is this one.
fn gates(text: &str) -> String {
    let quoted = json!(text).to_string().replace("\\u007f", "\\u007F");
    let quoted: String = quoted
        .chars()
        .map(|c| {
            if c.is_control() {
                format!("\\u{:04X}", c as u32)
            } else {
                c.to_string()
            }
        })
        .collect();
    format!(
        "[[gate]]\nid = {quoted}\nrequire = \"p95 < 1ms\"\non = {quoted}\n\n[[gate]]\nid = \"all\"\nrequire = \"max < 20ms\"\non = \"*\"\n"
    )
}

fn write(dir: &Path, name: &str, text: &str) {
    std::fs::write(dir.join(name), text).unwrap();
}

#[test]
fn every_report_on_either_stream() {
    for (i, text) in HOSTILE.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "run.jsonl", &log(text));
        write(dir.path(), "loadgate.toml", &gates(text));
        let label = format!("name={text}");
        let machine = format!("machine={text}");
        let base = ["check", "run.jsonl", "--label", &label, "--label", &machine];
        for more in [
            &[][..],
            &["--color", "always"],
            &["--quiet"],
            &["--json", "-"],
            &["--csv", "-"],
            &["--html", "-"],
            &["--markdown", "-"],
            &["--junit", "-"],
            &["--openmetrics", "-"],
            &["--slack", "-"],
            &["--teams", "-"],
            &["--record", "history.jsonl"],
        ] {
            let run = loadgate_in(dir.path(), &[&base[..], more].concat(), b"");
            assert_eq!(run.code, 1, "{i} {more:?}: {}", run.stderr);
            let seen = run
                .stdout
                .replace("\u{1b}[1;31m", "")
                .replace("\u{1b}[1;32m", "");
            let seen = seen.replace("\u{1b}[1;33m", "").replace("\u{1b}[0m", "");
            let run = Run {
                stdout: seen,
                ..run
            };
            both(&format!("{i} {more:?}"), &run, Says::Nothing);
            assert!(run.stdout.contains("pwned"), "{i} {more:?}");
        }
        for (ci, says) in SYSTEMS {
            for format in [&[][..], &["--quiet"], &["--json", "-"]] {
                let run = loadgate_in(
                    dir.path(),
                    &[&base[..], &["--ci", ci], format].concat(),
                    b"",
                );
                assert_eq!(run.code, 1, "{i} {ci}: {}", run.stderr);
                both(&format!("{i} {ci} {format:?}"), &run, says);
            }
        }
    }
}

#[test]
fn every_file_that_is_printed_into_a_log() {
    for (i, text) in HOSTILE.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "run.jsonl", &log(text));
        write(dir.path(), "loadgate.toml", &gates(text));
        let label = format!("name={text}");
        let args = [
            "check",
            "run.jsonl",
            "--label",
            &label,
            "--out",
            "out",
            "--ci",
            "gitlab",
        ];
        assert_eq!(loadgate_in(dir.path(), &args, b"").code, 1);
        let mut files = 0;
        for entry in std::fs::read_dir(dir.path().join("out")).unwrap() {
            let path = entry.unwrap().path();
            let content = std::fs::read_to_string(&path).unwrap();
            harmless(&format!("{i} {}", path.display()), &content, Says::Nothing);
            files += 1;
        }
        assert_eq!(files, 7);
        // XML 1.0 allows no other characters, and JSON keeps what it was given.
        let junit = std::fs::read_to_string(dir.path().join("out/junit.xml")).unwrap();
        quick_junit::Report::deserialize_from_str(&junit).unwrap();
        let report = std::fs::read_to_string(dir.path().join("out/report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["run"]["label"], text);
        let endpoints = report["endpoints"].as_array().unwrap();
        assert!(
            endpoints.iter().all(|e| e["name"] == text),
            "{i}: {endpoints:?}"
        );
        let csv = std::fs::read(dir.path().join("out/metrics.csv")).unwrap();
        let mut table = csv::Reader::from_reader(&csv[..]);
        for cell in table
            .records()
            .flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
        {
            assert!(!cell.starts_with(['=', '+', '@', '\t', '\r']), "{cell}");
        }
    }
}

/// Files with which something is wrong, and in which the text stands.
fn wrong_files(dir: &Path, text: &str) {
    let good = log("/a");
    let bad = json!({"name": "/a", "response_time_ms": text});
    let thresholds = json!({"options": {"thresholds": {text: [text, "p(95)<500"]}}});
    let shown = text.replace(|c: char| c.is_control(), " ");
    for (name, content) in [
        ("good.jsonl", good.clone()),
        ("bad.jsonl", format!("{good}{bad}\n")),
        ("prose.txt", format!("{text} and no end\n")),
        ("raw.jsonl", format!("{good}{text}\n{{{text}\n")),
        (
            "table.csv",
            format!("Type,Name,Request Count,Failure Count\nGET,{text},{text},x\n"),
        ),
        (
            "raw.toml",
            format!("[[gate]]\nid = {text}\n# {text}\nrequire = \"{text}\"\n"),
        ),
        (
            "keys.toml",
            gates(text).replace("require = \"p95", "requires = \"p95"),
        ),
        (
            "metric.toml",
            gates(text).replace("p95 < 1ms", &format!("p95 < {shown}")),
        ),
        ("history.jsonl", format!("{text}\n{{\"a\":\"{text}\"}}\n")),
        ("scenario.toml", format!("title = {text}\n")),
        ("s.json", thresholds.to_string()),
        (
            "s.js",
            format!(
                "export const options = {{ thresholds: {{ '{text}': ['p(95)<500', '{text}'] }} }};\n"
            ),
        ),
        (&format!("x{text}.txt"), "nothing".to_owned()),
    ] {
        write(dir, name, &content);
    }
}

/// Commands that fail, or nearly; `{}` is the text, and words are apart by two spaces.
const WRONG: &[&str] = &[
    "check  bad.jsonl",
    "check  raw.jsonl",
    "check  prose.txt",
    "check  table.csv",
    "check  {}",
    "check  x{}.txt",
    "check  good.jsonl  --config  raw.toml",
    "check  good.jsonl  --config  keys.toml",
    "check  good.jsonl  --config  metric.toml",
    "check  good.jsonl  --config  {}",
    "check  good.jsonl  --require  p95 < {}",
    "check  good.jsonl  --require  p95 < 1ms on {}",
    "check  good.jsonl  --map  response_time={}",
    "check  good.jsonl  --format  {}",
    "check  good.jsonl  --from  {}",
    "check  good.jsonl  --warmup  {}",
    "check  good.jsonl  --baseline  {}",
    "check  good.jsonl  --html  {}  --json  {}",
    "check  good.jsonl  --record  history.jsonl",
    "check  bad.jsonl  --junit  -",
    "check  bad.jsonl  --markdown  -",
    "check  bad.jsonl  --html  -",
    "check  bad.jsonl  --slack  -",
    "check  bad.jsonl  --teams  -",
    "check  --{}",
    "{}",
    "compare  good.jsonl  {}",
    "compare  bad.jsonl  good.jsonl",
    "trend  {}",
    "trend  history.jsonl",
    "trend  history.jsonl  --on  {}  --metric  {}  --since  {}",
    "trend  history.jsonl  --markdown  -",
    "generate  --scenario  {}  --out  out",
    "generate  --scenario  scenario.toml  --out  out",
    "generate  --scenario  claims-api  --out  out  --degrade  {}  --start  {}",
    "generate  --scenario  claims-api  --out  x{}.txt",
    "init  {}  --dir  new",
    "init  bad.jsonl  --dir  new",
    "migrate  k6  s.json",
    "migrate  k6  s.js",
    "migrate  k6  prose.txt",
    "migrate  taurus  prose.txt",
    "migrate  artillery  {}",
    "explain  {}",
    "explain  {}  --config  raw.toml",
    "man  {}",
    "completions  {}",
    "schema  {}",
];

/// Whatever is wrong, its text is quoted, and only quoted.
#[test]
fn every_message_of_every_command() {
    for (i, text) in HOSTILE.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        wrong_files(dir.path(), text);
        for command in WRONG {
            let words: Vec<String> = command.split("  ").map(|w| w.replace("{}", text)).collect();
            let args: Vec<&str> = words.iter().map(String::as_str).collect();
            let run = loadgate_in(dir.path(), &args, b"");
            both(&format!("{i} {args:?}"), &run, Says::Nothing);
            let heard = run.code == 2 || args[0] == "migrate" || !run.stdout.is_empty();
            assert!(heard, "{i} {args:?}: {}", run.code);
            if args[0] == "check" && run.code == 2 {
                let (ci, says) = SYSTEMS[i % SYSTEMS.len()];
                let args = [&args[..], &["--ci", ci, "--quiet"]].concat();
                let run = loadgate_in(dir.path(), &args, b"");
                both(&format!("{i} {args:?}"), &run, says);
            }
        }
    }
}

/// Names that a history, a comparison and a proposal carry on.
#[test]
fn every_report_of_other_commands() {
    for (i, text) in HOSTILE.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        for (name, slower) in [("a.jsonl", 1), ("b.jsonl", 3)] {
            let log: String = (0..200)
                .map(|n: u64| {
                    json!({
                        "timestamp": 1_767_225_600_000_u64 + n * 500 + slower * 10_000_000, "name": text,
                        "response_time_ms": (10 + n % 7) * slower, "success": !n.is_multiple_of(9), "error": text,
                    })
                    .to_string()
                        + "\n"
                })
                .collect();
            write(dir.path(), name, &log);
            let label = format!("name={text}");
            let commit = format!("commit={text}");
            let (report, address) = (format!("report={text}"), format!("report=https://x/{text}"));
            let report = if slower == 1 { report } else { address };
            let args = [
                "check",
                name,
                "--record",
                "history.jsonl",
                "--label",
                &label,
                "--label",
                &commit,
                "--label",
                &report,
            ];
            let run = loadgate_in(dir.path(), &args, b"");
            both(&format!("{i} {name}"), &run, Says::Nothing);
        }
        write(dir.path(), "loadgate.toml", &gates(text));
        for args in [
            &["compare", "a.jsonl", "b.jsonl"][..],
            &["compare", "a.jsonl", "b.jsonl", "--quiet"],
            &["compare", "a.jsonl", "b.jsonl", "--markdown", "-"],
            &["compare", "a.jsonl", "b.jsonl", "--html", "-"],
            &["check", "b.jsonl", "--baseline", "history.jsonl"],
            &["trend", "history.jsonl"],
            &["trend", "history.jsonl", "--quiet"],
            &["trend", "history.jsonl", "--markdown", "-"],
            &["trend", "history.jsonl", "--html", "-"],
            &["trend", "history.jsonl", "--json", "-"],
            &["trend", "history.jsonl", "--csv", "-"],
            &["init", "a.jsonl", "--dir", "new"],
            &["explain", text],
        ] {
            let run = loadgate_in(dir.path(), args, b"");
            both(&format!("{i} {args:?}"), &run, Says::Nothing);
            assert!(!run.stdout.is_empty() || run.code == 2, "{i} {args:?}");
        }
    }
}
