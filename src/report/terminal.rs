//! The terminal report: at most 100 columns, colour never the only sign, the outcome on the last line.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::compared;
use super::figures::{self, NONE};
use crate::analysis::Analysis;
use crate::comparison::Comparison;
use crate::gate::{Decision, Level, Verdict};
use crate::summary::{EndpointSummary, Summary};
use crate::units::{Unit, moment};
use crate::visible::{self, painted};

pub(super) const WIDTH: u16 = 100;
const MOST_ENDPOINTS: usize = 50;
const MOST_ERRORS: usize = 10;
const LONGEST_NAME: usize = 44;

/// Renders the report for a terminal; `color` adds ANSI colours, never as the only sign.
pub fn render(analysis: &Analysis, color: bool) -> String {
    let mut text = format!("{}\n", facts(&analysis.summary));
    section(&mut text, "", &endpoints(&analysis.summary));
    if analysis.summary.endpoints.len() > MOST_ENDPOINTS {
        let _ = writeln!(
            text,
            "… and {} more endpoints",
            analysis.summary.endpoints.len() - MOST_ENDPOINTS
        );
    }
    if !analysis.summary.errors.is_empty() {
        section(&mut text, "Errors", &errors(&analysis.summary));
        let more = analysis.summary.errors.len().saturating_sub(MOST_ERRORS);
        if more > 0 {
            let _ = writeln!(text, "… and {more} more kinds of errors");
        }
    }
    rates(&mut text, analysis);
    let fields = figures::fields(&analysis.summary);
    if !fields.is_empty() {
        section(
            &mut text,
            "Measured fields",
            &rows(&figures::FIELD_COLUMNS, fields),
        );
    }
    if let Some(comparison) = &analysis.comparison {
        compared(&mut text, comparison);
    }
    if !analysis.summary.notes.is_empty() {
        text.push_str("\nNotes\n");
        for note in &analysis.summary.notes {
            wrapped(&mut text, "  * ", note);
        }
    }
    if !analysis.verdicts.is_empty() {
        text.push_str("\nGates\n");
        gates(&mut text, &analysis.verdicts, color);
    }
    let _ = writeln!(
        text,
        "\n{}",
        painted(
            &analysis.outcome.sentence(),
            analysis.outcome.verdict,
            color
        )
    );
    text
}

fn section(text: &mut String, title: &str, table: &Table) {
    let _ = writeln!(text, "{}{title}", if title.is_empty() { "" } else { "\n" });
    for line in table.lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// The run in one line: name, start, duration, users, requests.
pub(super) fn facts(summary: &Summary) -> String {
    let mut facts = vec![clean(&summary.label)];
    facts.extend(summary.started_ms.map(moment));
    facts.extend(summary.duration_s.map(|s| Unit::Time.human(s * 1e3)));
    facts.extend(summary.users_max.map(|u| format!("{u} users")));
    facts.push(format!(
        "{} requests",
        Unit::Count.human(summary.total.requests as f64)
    ));
    facts.join(" · ")
}

pub(super) fn table(header: &[&str], left: usize) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    table.set_header(header);
    for (i, column) in table.column_iter_mut().enumerate() {
        if i >= left {
            column.set_cell_alignment(CellAlignment::Right);
        }
        column.set_padding((0, 2));
    }
    table
}

fn endpoints(summary: &Summary) -> Table {
    let mut table = table(
        &[
            "Endpoint", "Requests", "Failed", "Req/s", "Mean", "p50", "p95", "p99", "Max",
        ],
        1,
    );
    let mut busiest: Vec<&EndpointSummary> = summary.endpoints.iter().collect();
    busiest.sort_by_key(|e| std::cmp::Reverse(e.requests));
    for endpoint in busiest
        .into_iter()
        .take(MOST_ENDPOINTS)
        .chain(std::iter::once(&summary.total))
    {
        let times = &endpoint.response_time;
        let time =
            |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |v| Unit::Time.human(v));
        let quantile = |q: u32| time(times.quantiles.get(&q).copied());
        table.add_row([
            short(&endpoint.name()),
            Unit::Count.human(endpoint.requests as f64),
            endpoint
                .failure_ratio
                .map_or_else(|| NONE.to_owned(), |r| Unit::Ratio.human(r)),
            endpoint
                .rps
                .map_or_else(|| NONE.to_owned(), |r| Unit::PerSecond.human(r)),
            time(times.mean),
            quantile(500_000),
            quantile(950_000),
            quantile(990_000),
            time(times.max),
        ]);
    }
    table
}

fn rates(text: &mut String, analysis: &Analysis) {
    let rates = figures::rates(analysis);
    if rates.is_empty() {
        return;
    }
    section(
        text,
        "Rates and quotas",
        &rows(&figures::RATE_COLUMNS, rates),
    );
    for line in figures::quota_details(analysis) {
        wrapped(text, "  ", &line);
    }
}

fn rows<const N: usize>(header: &[&str; N], rows: Vec<[String; N]>) -> Table {
    let mut table = table(header, 1);
    for mut row in rows {
        row[0] = short(&row[0]);
        table.add_row(row);
    }
    table
}

/// What differs from the baseline: the notable first, then why the rest could not be told.
fn compared(text: &mut String, comparison: &Comparison) {
    let all = compared::grouped(comparison);
    let hidden = all.len().saturating_sub(compared::MOST_ROWS);
    let shown: Vec<_> = all.into_iter().take(compared::MOST_ROWS).collect();
    section(text, "Comparison", &rows(&compared::GROUPED_COLUMNS, shown));
    if hidden > 0 {
        let _ = writeln!(text, "… and {hidden} more in the other reports");
    }
    for line in compared::lines(comparison) {
        wrapped(text, "  * ", &line);
    }
}

fn errors(summary: &Summary) -> Table {
    let mut table = table(&["Endpoint", "Status", "Category", "Message", "Count"], 4);
    for error in summary.errors.iter().take(MOST_ERRORS) {
        table.add_row([
            short(&error.endpoint.to_string()),
            error
                .status
                .map_or_else(|| NONE.to_owned(), |s| s.to_string()),
            error.category.name().to_owned(),
            short(&error.message),
            Unit::Count.human(error.count as f64),
        ]);
    }
    table
}

/// For each verdict what was judged, and why; what needs attention comes last, near the outcome.
fn gates(text: &mut String, verdicts: &[Verdict], color: bool) {
    let mut sorted: Vec<&Verdict> = verdicts.iter().collect();
    sorted.sort_by_key(|v| match (v.decision, v.level) {
        (Decision::Pass, _) => 0,
        (Decision::Undecided, Level::Warn) => 1,
        (Decision::Fail, Level::Warn) => 2,
        (Decision::Undecided, Level::Fail) => 3,
        (Decision::Fail, Level::Fail) => 4,
    });
    for verdict in sorted {
        let (symbol, word) = match verdict.decision {
            Decision::Pass => ("✓", "pass"),
            Decision::Fail => ("✗", "FAIL"),
            Decision::Undecided => ("?", "UNDECIDED"),
        };
        let level = if verdict.level == Level::Warn {
            " (warn)"
        } else {
            ""
        };
        let head = painted(
            &format!("{symbol} {word}{level}"),
            verdict.decision.name(),
            color,
        );
        let (id, rule) = (clean(&verdict.id), clean(&verdict.require));
        let asked = format!("{rule}  [{}]", clean(&verdict.endpoint_name()));
        let plain = format!("  {symbol} {word}{level}  {id}  {asked}");
        if plain.chars().count() <= usize::from(WIDTH) {
            let _ = writeln!(text, "  {head}  {id}  {asked}");
        } else {
            let _ = writeln!(text, "  {head}  {id}");
            wrapped(text, "      ", &asked);
        }
        wrapped(text, "      ", &verdict.because);
    }
}

/// A paragraph after a mark, its further lines indented as far. A word that is too long keeps its line to itself.
pub(super) fn wrapped(text: &mut String, mark: &str, paragraph: &str) {
    let paragraph = clean(paragraph);
    let mut line = mark.to_owned();
    let mut empty = true;
    for word in paragraph.split(' ') {
        let wide = line.chars().count() + 1 + word.chars().count() > usize::from(WIDTH);
        if wide && !empty {
            let _ = writeln!(text, "{}", line.trim_end());
            line = " ".repeat(mark.chars().count());
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

/// Text in which nothing is hidden: a name cannot write to the terminal.
pub(super) fn clean(text: &str) -> String {
    visible::text(text).into_owned()
}

/// A name cut in its middle, where names differ least.
fn short(name: &str) -> String {
    let chars: Vec<char> = clean(name).chars().collect();
    if chars.len() <= LONGEST_NAME {
        return chars.into_iter().collect();
    }
    let half = LONGEST_NAME / 2;
    let (head, tail) = (&chars[..half], &chars[chars.len() - half + 1..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        let text = render(&fixture::analysis(50), false);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
        assert!(
            text.lines().last().is_some_and(
                |l| l.starts_with("FAILED: 2 of 5 criteria passed; failed: require-2, Q;")
            ),
            "{text}"
        );
        assert!(text.contains("? UNDECIDED") && text.contains("✗ FAIL") && text.contains("✓ pass"));
        assert!(render(&fixture::analysis(0), false).contains("UNDECIDED: "));
    }

    #[test]
    fn tables_fit_a_hundred_columns() {
        let text = render(&fixture::analysis(50), false);
        for line in text.lines().skip(1) {
            assert!(line.chars().count() <= usize::from(WIDTH), "{line}");
        }
    }
}
