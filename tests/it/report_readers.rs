//! Reads verdicts out of every kind of report, the way other programs and people do.

use std::path::Path;

use loadgate::units::Unit;
use quick_junit::{NonSuccessKind, TestCaseStatus};
use serde_json::Value;

/// A verdict as `report.json` has it, its figures as people read them.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub id: String,
    pub rule: String,
    pub endpoint: String,
    pub word: String,
    pub warns: bool,
    pub observed: String,
    pub limit: String,
    pub because: String,
}

const NONE: &str = "–";
pub fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref())
        .unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}

pub fn from_json(report: &Value) -> Vec<Verdict> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |gate: &Value| {
        let unit = if gate["unit"] == "ms" {
            Unit::Time
        } else {
            Unit::Plain
        };
        let human = |v: &Value| v.as_f64().map_or(NONE.to_owned(), |v| unit.human(v));
        let endpoint = &gate["endpoint"];
        Verdict {
            id: text(&gate["id"]),
            rule: text(&gate["require"]),
            endpoint: format!("{} {}", text(&endpoint["method"]), text(&endpoint["name"])),
            word: text(&gate["verdict"]),
            warns: gate["level"] == "warn",
            observed: human(&gate["observed"]),
            limit: human(&gate["limit"]),
            because: text(&gate["because"]),
        }
    };
    report["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(one)
        .collect()
}

/// The text of a piece of HTML: tags away, entities read.
pub fn text_of(html: &str) -> String {
    let tag = regex::Regex::new("<[^>]*>").unwrap();
    let text = tag.replace_all(html, " ");
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&#x2f;", "/")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Pieces of a text from each `begin` to the next `end`.
pub fn pieces<'t>(text: &'t str, begin: &str, end: &str) -> Vec<&'t str> {
    let starts: Vec<usize> = text.match_indices(begin).map(|(at, _)| at).collect();
    starts
        .into_iter()
        .map(|at| &text[at..at + text[at..].find(end).unwrap()])
        .collect()
}

/// Exactly one piece holds all of a verdict.
pub fn holds(place: &str, pieces: &[String], parts: &[&str]) {
    let found = pieces
        .iter()
        .filter(|piece| parts.iter().all(|part| piece.contains(part)));
    assert_eq!(
        found.count(),
        1,
        "{place}: {parts:?} in {} pieces",
        pieces.len()
    );
}

pub fn in_html(page: &str, verdicts: &[Verdict]) {
    let body = &page[page.find("<main").unwrap()..];
    let cards = pieces(body, "<li class=\"card verdict", "</li>");
    let rows = pieces(body, "<tr class=\"verdict", "</tr>");
    assert_eq!(cards.len() + rows.len(), verdicts.len(), "cards and rows");
    let texts: Vec<String> = cards
        .iter()
        .chain(&rows)
        .map(|piece| text_of(piece))
        .collect();
    for v in verdicts {
        let word = match v.word.as_str() {
            "pass" => "Passed",
            "fail" => "Failed",
            _ => "Undecided",
        };
        let warns = if v.warns { "warns only" } else { "" };
        let parts = [
            &v.id,
            &v.rule,
            &v.endpoint,
            &v.observed,
            &v.limit,
            &v.because,
            word,
            warns,
        ];
        holds("report.html", &texts, &parts);
    }
    // What did not pass comes first, and nothing of it is behind a click.
    let order: Vec<bool> = texts.iter().map(|text| text.contains("Passed")).collect();
    assert!(order.is_sorted(), "passed verdicts come last");
    if let Some(folded) = body.find("<details class=\"passed\"") {
        let end = folded + body[folded..].find("</table>").unwrap();
        assert!(!body[folded..end].contains("<tr class=\"verdict fail"));
        assert!(!body[folded..end].contains("<tr class=\"verdict undecided"));
        let is_open = body[folded..].starts_with("<details class=\"passed\" open>");
        assert_eq!(is_open, verdicts.iter().all(|v| v.word == "pass"));
    }
    assert_eq!(page.contains("id=\"gates\""), !verdicts.is_empty());
    assert_eq!(page.contains("href=\"#gates\""), !verdicts.is_empty());
}

pub fn in_markdown(place: &str, text: &str, verdicts: &[Verdict]) {
    let plain = |text: &str| {
        let text = text.replace("&lt;", "<").replace("&gt;", ">");
        text.replace("&amp;", "&").replace('\\', "")
    };
    let rows: Vec<String> = text
        .lines()
        .filter(|line| {
            line.starts_with("| ✅") || line.starts_with("| ❌") || line.starts_with("| ❓")
        })
        .map(plain)
        .collect();
    assert_eq!(rows.len(), verdicts.len(), "{place}: rows");
    for v in verdicts {
        let level = if v.warns { " (warns only)" } else { "" };
        let verdict = format!(" {}{level} |", v.word);
        let figures = format!("| {} | {} |", v.observed, v.limit);
        let parts = [&v.id, &v.rule, &v.endpoint, &verdict, &figures, &v.because];
        holds(place, &rows, &parts.map(String::as_str));
    }
    // Every table has a heading and every fold its end.
    assert_eq!(
        text.matches("<details>").count(),
        text.matches("</details>").count()
    );
}

pub fn in_junit(text: &str, verdicts: &[Verdict]) {
    let report = quick_junit::Report::deserialize_from_str(text).unwrap();
    let suite = &report.test_suites[0];
    assert_eq!(suite.test_cases.len(), verdicts.len());
    for v in verdicts {
        let name = format!("{}: {}", v.id, v.rule);
        let case = suite
            .test_cases
            .iter()
            .find(|case| {
                case.name.as_str() == name
                    && case
                        .classname
                        .as_ref()
                        .is_some_and(|c| c.as_str() == v.endpoint)
            })
            .unwrap_or_else(|| panic!("no case {name} of {}", v.endpoint));
        let out = case.system_out.as_ref().unwrap().as_str();
        let figures = format!("observed {}, limit {},", v.observed, v.limit);
        assert!(out.contains(&v.because) && out.contains(&figures), "{out}");
        assert!(out.starts_with(&v.word), "{out}");
        let as_expected = match (&case.status, v.word.as_str(), v.warns) {
            (TestCaseStatus::Success { .. }, "pass", _)
            | (TestCaseStatus::Skipped { .. }, "fail" | "undecided", true) => true,
            (TestCaseStatus::NonSuccess { kind, .. }, word, false) => {
                let expected = if word == "fail" {
                    NonSuccessKind::Failure
                } else {
                    NonSuccessKind::Error
                };
                *kind == expected && word != "pass"
            }
            _ => false,
        };
        assert!(as_expected, "{name}: {:?}", case.status);
    }
    let count = |word: &str| {
        let all = verdicts.iter().filter(|v| v.word == word && !v.warns);
        all.count()
    };
    assert_eq!(
        (report.failures, report.errors),
        (count("fail"), count("undecided"))
    );
}

pub fn in_csv(text: &str, verdicts: &[Verdict]) {
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let gates: Vec<_> = rows
        .iter()
        .filter(|row| row[4].starts_with("gate:"))
        .collect();
    assert_eq!(gates.len(), verdicts.len());
    for v in verdicts {
        let metric = format!("gate:{}", v.id);
        let found = gates.iter().filter(|row| {
            row[4] == metric && format!("{} {}", &row[2], &row[3]) == v.endpoint && row[7] == v.word
        });
        assert_eq!(found.count(), 1, "{metric}");
    }
}

pub fn in_openmetrics(text: &str, verdicts: &[Verdict]) {
    for v in verdicts {
        let sample = format!(
            "loadgate_gate_verdict{{gate=\"{}\",endpoint=\"{}\",verdict=\"{}\"}} 1\n",
            v.id, v.endpoint, v.word
        );
        assert_eq!(text.matches(&sample).count(), 1, "{sample}");
    }
}

pub fn in_terminal(text: &str, verdicts: &[Verdict]) {
    // A verdict begins with its sign at the third column; what is indented further belongs to it.
    let gates = text.split("\nGates\n").nth(1).unwrap_or_default();
    let mut blocks: Vec<String> = Vec::new();
    for line in gates.lines().take_while(|line| !line.is_empty()) {
        match blocks.last_mut().filter(|_| line.starts_with("      ")) {
            Some(block) => block.extend([" ", line.trim()]),
            None => blocks.push(line.trim().to_owned()),
        }
    }
    assert_eq!(blocks.len(), verdicts.len(), "{gates}");
    for v in verdicts {
        let word = match (v.word.as_str(), v.warns) {
            ("pass", _) => "✓ pass",
            ("fail", false) => "✗ FAIL ",
            ("fail", true) => "✗ FAIL (warn)",
            (_, false) => "? UNDECIDED ",
            (_, true) => "? UNDECIDED (warn)",
        };
        let endpoint = format!("[{}]", v.endpoint);
        let observed = if v.observed == NONE { "" } else { &v.observed };
        let limit = if v.limit == NONE { "" } else { &v.limit };
        let parts = [
            v.id.as_str(),
            &v.rule,
            &endpoint,
            observed,
            limit,
            &v.because,
            word,
        ];
        holds("terminal", &blocks, &parts);
    }
}
