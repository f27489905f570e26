//! Reports of a trend are read: every change, every run and the total are found, of few endpoints and of a thousand.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::chromium::{Browser, installed};
use crate::harness::{loadgate, root};

const REPORTS: [&str; 4] = ["trend.html", "trend.json", "trend.csv", "trend.md"];
/// What a report for people may have, however many endpoints there are.
const MEGABYTE: usize = 1_000_000;
/// What GitHub lets a comment have.
const COMMENT: usize = 65_536;

/// A history of the given size, in which `slower` endpoints take 1.6 times as long from the last three runs on. The first
/// endpoint has most of the requests, so that it is judged and not only shown.
pub struct Made {
    pub runs: usize,
    pub endpoints: usize,
    pub slower: usize,
}

impl Made {
    pub fn write(&self, path: &Path) {
        // Deviations of some per cent, the same every time.
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            1.0 + 0.03 * ((state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5)
        };
        let mut text = String::new();
        for run in 0..self.runs {
            let endpoint = |name: &str, mean: f64, requests: usize| {
                json!({
                    "method": if name == "Total" { "" } else { "GET" }, "name": name, "requests": requests, "failures": 0,
                    "unexpected_failures": 0, "rps": requests as f64 / 60.0, "evidence": "requests",
                    "response_time_ms": {"min": null, "mean": mean, "max": null, "stddev": null,
                        "quantiles": {"p50": mean * 0.9, "p95": mean * 1.6}},
                })
            };
            let mut requests = 0;
            let endpoints: Vec<Value> = (0..self.endpoints)
                .map(|i| {
                    let slow = i < self.slower && run + 3 >= self.runs;
                    let mean = (40.0 + i as f64 * 0.1) * random() * if slow { 1.6 } else { 1.0 };
                    let own = if i == 0 { 100_000 } else { 400 };
                    requests += own;
                    endpoint(&format!("/customers/{{id}}/part-{i:04}"), mean, own)
                })
                .collect();
            let line = json!({
                "schema": "loadgate.history/1", "kind": "run", "id": format!("{run:016x}"), "label": format!("nightly-{run:03}"),
                "started_at": format!("2026-{:02}-{:02}T03:00:00Z", 1 + run / 28, 1 + run % 28), "duration_s": 60.0,
                "users_max": 20, "commit": format!("{run:08x}cafe"), "branch": "main", "machine": "bench", "scenario": "shop",
                "labels": {"report": format!("https://ci.example.org/{run}/report.html")},
                "verdict": if run % 5 == 0 { "fail" } else { "pass" },
                "total": endpoint("Total", 50.0 * random(), requests), "endpoints": endpoints,
            });
            writeln!(text, "{line}").unwrap();
        }
        std::fs::write(path, text).unwrap();
    }
}

/// Every report of a history, the terminal's last.
struct Reports {
    folder: tempfile::TempDir,
    texts: Vec<(&'static str, String)>,
}

impl Reports {
    fn of(history: &Path, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut args = vec!["trend", history.to_str().unwrap()];
        args.extend(["--out", folder.path().to_str().unwrap()]);
        args.extend(more);
        let run = loadgate(&args);
        assert!(run.code != 2, "{}", run.stderr);
        let read = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let mut texts: Vec<_> = REPORTS.map(|name| (name, read(name))).into();
        texts.push(("terminal", run.stdout));
        Self { folder, texts }
    }

    fn made(made: &Made, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history = folder.path().join("history.jsonl");
        made.write(&history);
        Self::of(&history, more)
    }

    fn text(&self, of: &str) -> &str {
        &self.texts.iter().find(|(name, _)| *name == of).unwrap().1
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.text("trend.json")).unwrap()
    }

    fn page(&self) -> PathBuf {
        self.folder.path().join("trend.html")
    }
}

fn plain(text: &str) -> String {
    // As a reader sees Markdown and HTML.
    text.replace("&#x2f;", "/")
        .replace("\\_", "_")
        .replace("\\[", "[")
        .replace("\\]", "]")
}

/// Of a history that fits, every report has every change with its id, the total, and the page and Markdown every run.
#[test]
fn every_change_every_run_and_the_total_can_be_read() {
    let step = Reports::of(&root(crate::trend::STEP), &[]);
    let made = Reports::made(
        &Made {
            runs: 12,
            endpoints: 12,
            slower: 3,
        },
        &[],
    );
    for reports in [&step, &made] {
        let json = reports.json();
        let group = &json["groups"][0];
        let changes = group["changes"].as_array().unwrap();
        assert!(!changes.is_empty());
        for (name, text) in &reports.texts {
            let text = plain(text);
            for change in changes {
                let (id, endpoint) = (change["id"].as_str().unwrap(), change["name"].as_str());
                if let Some(endpoint) = endpoint {
                    assert!(text.contains(endpoint), "{name}: {endpoint}");
                }
                if change["follows"].is_null() && *name != "trend.csv" {
                    assert!(text.contains(id), "{name}: {change}");
                }
            }
            // In JSON the total is the series without a name.
            assert!(*name == "trend.json" || text.contains("Total"), "{name}");
            if *name == "terminal" {
                continue;
            }
            for run in group["runs"].as_array().unwrap() {
                let label = run["label"].as_str().unwrap();
                assert!(text.contains(label), "{name}: {label}");
            }
        }
    }
}

/// The rows of the series table of a text, by what starts them.
fn lines_of<'t>(text: &'t str, metric: &str) -> Vec<&'t str> {
    let row = |line: &&str| line.starts_with(&format!("   {metric} "));
    text.lines().filter(row).collect()
}

#[test]
fn what_happened_is_shown_and_the_rest_is_folded() {
    let reports = Reports::made(
        &Made {
            runs: 12,
            endpoints: 40,
            slower: 2,
        },
        &[],
    );
    let terminal = reports.text("terminal");
    assert_eq!(
        lines_of(terminal, "p95").len(),
        3,
        "two endpoints and the total:\n{terminal}"
    );
    let series = reports.json()["groups"][0]["series"]
        .as_array()
        .unwrap()
        .clone();
    let within = series
        .iter()
        .filter(|s| s["newest"]["verdict"] == "within")
        .count();
    let counted = format!("{within} of {} series within", series.len());
    for name in ["terminal", "trend.md", "trend.html"] {
        assert!(reports.text(name).contains(&counted), "{name}: {counted}");
    }
    let at = |text: &str| {
        terminal
            .find(text)
            .unwrap_or_else(|| panic!("{text}:\n{terminal}"))
    };
    assert!(at("What changed") < at("Metric") && at("Metric") < at("\nTotal\n"));
    // Worst first: the one that fails, before the one that is shown only.
    assert!(at("✗ regressed") < at("? regressed"));
    assert!(at("part-0000") < at("part-0001"));
}

/// A small history is shown whole.
#[test]
fn few_series_are_not_folded() {
    let reports = Reports::made(
        &Made {
            runs: 12,
            endpoints: 5,
            slower: 1,
        },
        &[],
    );
    assert_eq!(lines_of(reports.text("terminal"), "p95").len(), 6);
    assert!(!reports.text("terminal").contains("not shown"));
}

#[test]
fn a_thousand_endpoints_stay_usable() {
    for slower in [3, 1000] {
        let reports = Reports::made(
            &Made {
                runs: 8,
                endpoints: 1000,
                slower,
            },
            &["--metric", "mean"],
        );
        let size = |name| reports.text(name).len();
        assert!(
            size("trend.html") < MEGABYTE,
            "page: {}",
            size("trend.html")
        );
        assert!(size("trend.md") < COMMENT, "Markdown: {}", size("trend.md"));
        let lines = reports.text("terminal").lines().count();
        assert!(lines < 250, "terminal: {lines} lines");
        for line in reports.text("terminal").lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        // The worst and the total are there, the rest is counted, and nothing is lost.
        for name in ["terminal", "trend.md", "trend.html"] {
            let text = reports.text(name);
            assert!(
                text.contains("part-0000") && text.contains("Total"),
                "{name}"
            );
            assert!(text.contains("of 1001 series within"), "{name}");
        }
        for i in 0..1000 {
            let endpoint = format!("part-{i:04}");
            for name in ["trend.html", "trend.csv", "trend.json"] {
                assert!(reports.text(name).contains(&endpoint), "{name}: {endpoint}");
            }
        }
        let json = reports.json();
        assert_eq!(json["groups"][0]["series"].as_array().unwrap().len(), 1001);
        assert_eq!(reports.text("trend.csv").lines().count(), 1 + 1001 * 8);
    }
}

#[test]
fn a_long_history_stays_usable() {
    let reports = Reports::made(
        &Made {
            runs: 300,
            endpoints: 8,
            slower: 1,
        },
        &["--last", "1000", "--metric", "mean,p95"],
    );
    assert!(reports.text("trend.html").len() < MEGABYTE);
    assert!(reports.text("trend.md").len() < COMMENT);
    assert!(reports.text("trend.html").contains("280 older runs"));
    for run in reports.json()["groups"][0]["runs"].as_array().unwrap() {
        assert!(
            reports
                .text("trend.html")
                .contains(run["label"].as_str().unwrap()),
            "{run}"
        );
    }
}

/// A run with a text in every place that a run has.
fn hostile(text: &str) -> Reports {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("h.jsonl");
    Made {
        runs: 8,
        endpoints: 2,
        slower: 0,
    }
    .write(&history);
    let lines = std::fs::read_to_string(&history).unwrap();
    let lines: String = lines
        .lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            for key in ["label", "commit", "branch", "machine", "scenario"] {
                line[key] = json!(text);
            }
            line["labels"]["report"] = json!(text);
            line["endpoints"][0]["name"] = json!(text);
            line.to_string() + "\n"
        })
        .collect();
    std::fs::write(&history, lines).unwrap();
    Reports::of(&history, &[])
}

#[test]
fn only_addresses_of_the_web_become_links() {
    for text in [
        "javascript:document.title='taken'",
        "https://ci.example.org/\"onmouseover=\"document.title='taken'",
        "https://good.example@evil.example/",
        "data:text/html,<script>document.title='taken'</script>",
        "http://x/)](http://y/<script>",
        "</td><script>document.title='taken'</script>",
    ] {
        let reports = hostile(text);
        // The data of the charts is JSON in an element that nothing in it can end.
        let (page, data) = reports
            .text("trend.html")
            .split_once("<script type=")
            .unwrap();
        assert_eq!(data.matches("</script>").count(), 2, "{text}");
        assert_eq!(page.matches("rel=\"noopener").count(), 0, "{text}");
        assert!(
            !page.contains("<script>document") && !page.contains("\"onmouseover"),
            "{text}"
        );
        assert!(!reports.text("trend.md").contains("](<"), "{text}");
        let json = reports.json();
        assert_eq!(json["groups"][0]["runs"][0]["report"], text);
    }
    let made = Reports::made(
        &Made {
            runs: 8,
            endpoints: 2,
            slower: 0,
        },
        &[],
    );
    for run in 0..8 {
        let address = format!("https://ci.example.org/{run}/report.html");
        let link = format!(
            "<a href=\"{}\" rel=\"noopener noreferrer\">",
            address.replace('/', "&#x2f;")
        );
        assert!(made.text("trend.html").contains(&link), "{link}");
        assert!(
            made.text("trend.md")
                .contains(&format!("[ci.example.org](<{address}>)")),
            "{address}"
        );
    }
}

/// The label is of the run's report, not of what was measured: recorded again with another address, it is the same run.
#[test]
fn the_address_of_a_report_makes_no_other_run() {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("h.jsonl");
    let log = crate::trend::log(folder.path(), 1, 1.0, 0);
    for address in ["https://ci.example.org/1", "https://ci.example.org/2"] {
        let label = format!("report={address}");
        let recorded = crate::trend::record(history.to_str().unwrap(), &log, &[&label, "commit=c"]);
        assert_eq!(recorded.code, 0, "{}", recorded.stderr);
    }
    let (json, _) = crate::trend::trend(&[history.to_str().unwrap()]);
    let runs = json["groups"][0]["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert!(
        runs[0]["report"]
            .as_str()
            .unwrap()
            .starts_with("https://ci.example.org/")
    );
    assert_eq!(runs[0]["verdict"], "not-judged");
}

#[test]
fn the_page_of_a_trend_is_read_by_mouse_and_by_keyboard() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(&program);
    let reports = Reports::made(
        &Made {
            runs: 30,
            endpoints: 150,
            slower: 1,
        },
        &[],
    );
    browser.screen(1280, 900);
    browser.open(&reports.page());
    let tip =
        "document.getElementById('tip').hidden ? '' : document.getElementById('tip').innerText";
    assert_eq!(browser.text(tip), "");
    // The newest run of the total's first chart.
    browser.point(".chart .plane", 0.98);
    let newest = browser.text(tip);
    for wanted in [
        "run 30 (nightly-029",
        "2026-02-02",
        "mean",
        "what happened",
        "within",
    ] {
        assert!(newest.contains(wanted), "{wanted}: {newest}");
    }
    browser.point("h1", 0.5);
    assert_eq!(browser.text(tip), "");
    browser.value("document.querySelector('.chart .cursor').focus()");
    browser.press("Home");
    let first = browser.text("document.activeElement.getAttribute('aria-valuetext')");
    assert!(
        first.contains("run 1 (nightly-000") && first.contains("2026-01-01"),
        "{first}"
    );
    browser.press("ArrowRight");
    let second = browser.text("document.activeElement.getAttribute('aria-valuetext')");
    assert!(second.contains("run 2 (nightly-001"), "{second}");

    // Dates on the axis, few enough for a phone, the newest among them.
    let dates = browser.value("[...document.querySelector('svg.plot').querySelectorAll(':scope > text')].map((t) => t.textContent).filter((t) => /^[0-9]+ [A-Z][a-z][a-z]$/.test(t))");
    let dates: Vec<&str> = dates
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d.as_str().unwrap())
        .collect();
    assert!(
        (3..=6).contains(&dates.len()) && dates.last() == Some(&"2 Feb"),
        "{dates:?}"
    );

    // What is marked is said in words.
    let legend = browser.text("document.querySelector('.legend').innerText");
    assert!(
        legend.contains("regressed: run ") || legend.contains("step at run "),
        "{legend}"
    );

    // Every endpoint can be found.
    assert_eq!(
        browser.text("document.getElementById('shown').textContent"),
        "100 of 150 endpoints"
    );
    browser.value("document.getElementById('filter').focus()");
    browser.write("part-0149");
    assert_eq!(
        browser.text("document.getElementById('shown').textContent"),
        "1 of 150 endpoints"
    );

    // Runs: newest first, twenty at once, the others behind a click and on paper.
    let seen = "[...document.querySelectorAll('table.runs tbody tr')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height > 0).map((r) => Number(r.cells[0].textContent))";
    let numbers = |value: Value| -> Vec<i64> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_i64().unwrap())
            .collect()
    };
    assert_eq!(
        numbers(browser.value(seen)),
        (11..=30).rev().collect::<Vec<_>>()
    );
    browser.media("print", "light");
    assert_eq!(
        numbers(browser.value(seen)),
        (1..=30).rev().collect::<Vec<_>>()
    );
    browser.media("screen", "light");
    let links = browser.value("[...document.querySelectorAll('table.runs a')].map((a) => a.href)");
    let links: BTreeSet<&str> = links
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l.as_str().unwrap())
        .collect();
    assert_eq!(links.len(), 30);
    assert!(links.contains("https://ci.example.org/29/report.html"));
    // Links within the page lead somewhere.
    let lost = browser.value("[...document.querySelectorAll('a[href^=\"#\"]')].filter((a) => !document.getElementById(a.getAttribute('href').slice(1))).length");
    assert_eq!(lost, 0);
}

#[test]
fn a_plan_tells_the_order_and_a_command_that_works() {
    let run = loadgate(&["plan", "--runs", "3"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.starts_with("A B B A A B\n"), "{}", run.stdout);
    let command = run.stdout.lines().last().unwrap().trim();
    assert_eq!(
        command,
        "loadgate compare a1 b1 --baseline a2 --baseline a3 --replicate b2 --replicate b3"
    );
    // It is a command of loadgate: the runs are missing, and that is all that is wrong.
    let folder = tempfile::tempdir().unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let compared = crate::harness::loadgate_in(folder.path(), &words, b"");
    assert_eq!(compared.code, 2);
    assert!(
        compared.stderr.contains("missing-input"),
        "{}",
        compared.stderr
    );
    for wrong in ["0", "51", "x"] {
        assert_eq!(loadgate(&["plan", "--runs", wrong]).code, 2, "{wrong}");
    }
}
