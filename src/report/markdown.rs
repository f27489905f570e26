//! `report.md`: fits a pull-request comment.

use std::fmt::Write as _;

use super::compared;
use super::figures;
use super::no_verdict::NoVerdict;
use crate::analysis::Analysis;
use crate::comparison::Comparison;
use crate::gate::{Decision, Level, Verdict};
use crate::summary::{EndpointSummary, Summary};
use crate::units::{Unit, moment};
use crate::visible;

/// Endpoints shown, the busiest first.
const MOST_ENDPOINTS: usize = 50;
/// Errors and compared figures shown.
const MOST_ROWS: usize = 100;
/// From this many verdicts on, those that passed are behind a click.
const MANY_VERDICTS: usize = 12;
/// Longest name shown.
const LONGEST_NAME: usize = 120;
/// Longest sentence shown.
const LONGEST_SENTENCE: usize = 4000;

/// Renders the outcome and every verdict, and nothing else.
pub(super) fn verdicts(analysis: &Analysis) -> anyhow::Result<String> {
    let summary = &analysis.summary;
    let mut text = format!(
        "## {} {}\n\n",
        match symbol_of(analysis.outcome.verdict) {
            "✅" if analysis.outcome.warned > 0 => "⚠️",
            symbol => symbol,
        },
        sentence(&analysis.outcome.sentence())
    );
    writeln!(text, "{}\n", facts(summary))?;
    gates(&mut text, &analysis.verdicts)?;
    Ok(text)
}

/// Renders the whole report.
pub fn render(analysis: &Analysis) -> anyhow::Result<String> {
    let summary = &analysis.summary;
    let mut text = verdicts(analysis)?;
    if let Some(comparison) = &analysis.comparison {
        compared(&mut text, comparison)?;
    }
    endpoints(&mut text, summary)?;
    errors(&mut text, summary)?;
    rates(&mut text, analysis)?;
    let fields = figures::fields(summary);
    details(
        &mut text,
        "Measured fields",
        &figures::FIELD_COLUMNS,
        &fields,
    )?;
    if !summary.notes.is_empty() {
        writeln!(
            text,
            "<details><summary>Notes ({})</summary>\n",
            summary.notes.len()
        )?;
        for note in &summary.notes {
            writeln!(text, "* {}", sentence(note))?;
        }
        writeln!(text, "\n</details>")?;
    }
    Ok(text)
}

/// The report of no verdict: every problem, with its place and what to do.
pub fn no_verdict(why: &NoVerdict) -> anyhow::Result<String> {
    let mut text = format!("## ⛔ {}\n\n", sentence(&why.sentence()));
    for problem in &why.problems {
        let place = problem.origin.iter().map(|origin| format!("{origin}: "));
        writeln!(
            text,
            "* **{}** {}{}",
            problem.code,
            cell(&place.collect::<String>()),
            sentence(&problem.message)
        )?;
        if let Some(help) = &problem.help {
            writeln!(text, "  help: {}", sentence(help))?;
        }
    }
    Ok(text)
}

pub(super) fn symbol_of(verdict: &str) -> &'static str {
    match verdict {
        "pass" => "✅",
        "fail" => "❌",
        _ => "❓",
    }
}

fn facts(summary: &Summary) -> String {
    let mut facts = vec![cell(&summary.label)];
    facts.extend(summary.started_ms.map(moment));
    facts.extend(summary.duration_s.map(|s| Unit::Time.human(s * 1e3)));
    facts.extend(summary.users_max.map(|u| format!("{u} users")));
    facts.push(format!(
        "{} requests",
        Unit::Count.human(summary.total.requests as f64)
    ));
    facts.join(" · ")
}

/// Every verdict: what did not pass first; what passed behind a click where there is much of it.
fn gates(text: &mut String, verdicts: &[Verdict]) -> std::fmt::Result {
    let (passed, others): (Vec<&Verdict>, Vec<&Verdict>) = verdicts
        .iter()
        .partition(|verdict| verdict.decision == Decision::Pass);
    let mut others = others;
    others.sort_by_key(|v| match (v.decision, v.level) {
        (Decision::Fail, Level::Fail) => 0,
        (Decision::Undecided, Level::Fail) => 1,
        (Decision::Fail, Level::Warn) => 2,
        (Decision::Undecided, Level::Warn) => 3,
        (Decision::Pass, _) => 4,
    });
    if verdicts.len() <= MANY_VERDICTS {
        others.extend(passed);
        return rows(text, &others);
    }
    rows(text, &others)?;
    if passed.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "<details><summary>Passed ({})</summary>\n",
        passed.len()
    )?;
    rows(text, &passed)?;
    writeln!(text, "</details>\n")
}

fn rows(text: &mut String, verdicts: &[&Verdict]) -> std::fmt::Result {
    if verdicts.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "| | Gate | Endpoint | Rule | Observed | Limit | Why |\n|---|---|---|---|---:|---:|---|"
    )?;
    for verdict in verdicts {
        let human = |value: Option<f64>| {
            value.map_or_else(|| figures::NONE.to_owned(), |v| verdict.unit.human(v))
        };
        let warns = if verdict.level == Level::Warn {
            " (warns only)"
        } else {
            ""
        };
        writeln!(
            text,
            "| {} {}{warns} | {} | {} | {} | {} | {} | {} |",
            symbol_of(verdict.decision.name()),
            verdict.decision.name(),
            cell(&verdict.id),
            cell(&verdict.endpoint_name()),
            cell(&verdict.require),
            human(verdict.observed),
            human(verdict.limit),
            sentence(&verdict.because)
        )?;
    }
    writeln!(text)
}

fn more(text: &mut String, all: usize, shown: usize, what: &str) -> std::fmt::Result {
    if all > shown {
        writeln!(text, "\n… and {} more {what} in `report.json`", all - shown)?;
    }
    writeln!(text)
}

fn endpoints(text: &mut String, summary: &Summary) -> std::fmt::Result {
    writeln!(
        text,
        "<details><summary>Endpoints ({})</summary>\n",
        summary.endpoints.len()
    )?;
    writeln!(
        text,
        "| Endpoint | Requests | Failures | Requests/s | Mean | p50 | p95 | p99 | Max |"
    )?;
    writeln!(text, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    let mut busiest: Vec<&EndpointSummary> = summary.endpoints.iter().collect();
    busiest.sort_by_key(|e| std::cmp::Reverse(e.requests));
    for endpoint in
        std::iter::once(&summary.total).chain(busiest.iter().copied().take(MOST_ENDPOINTS))
    {
        let times = &endpoint.response_time;
        let time =
            |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| Unit::Time.human(v));
        let quantile = |q: u32| time(times.quantiles.get(&q).copied());
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            cell(&endpoint.name()),
            Unit::Count.human(endpoint.requests as f64),
            endpoint
                .failure_ratio
                .map_or_else(|| "–".to_owned(), |r| Unit::Ratio.human(r)),
            endpoint
                .rps
                .map_or_else(|| "–".to_owned(), |r| Unit::PerSecond.human(r)),
            time(times.mean),
            quantile(500_000),
            quantile(950_000),
            quantile(990_000),
            time(times.max)
        )?;
    }
    more(text, busiest.len(), MOST_ENDPOINTS, "endpoints")?;
    writeln!(text, "</details>\n")
}

fn errors(text: &mut String, summary: &Summary) -> std::fmt::Result {
    if summary.errors.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "<details><summary>Errors ({})</summary>\n",
        summary.errors.len()
    )?;
    writeln!(
        text,
        "| Endpoint | Status | Category | Message | Count |\n|---|---|---|---|---:|"
    )?;
    for error in summary.errors.iter().take(MOST_ROWS) {
        writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            cell(&error.endpoint.to_string()),
            error
                .status
                .map_or_else(|| "–".to_owned(), |s| s.to_string()),
            error.category.name(),
            cell(&error.message),
            Unit::Count.human(error.count as f64)
        )?;
    }
    more(text, summary.errors.len(), MOST_ROWS, "errors")?;
    writeln!(text, "</details>\n")
}

fn rates(text: &mut String, analysis: &Analysis) -> std::fmt::Result {
    let rates = figures::rates(analysis);
    details(text, "Rates and quotas", &figures::RATE_COLUMNS, &rates)?;
    for line in figures::quota_details(analysis) {
        writeln!(text, "* {}", sentence(&line))?;
    }
    Ok(())
}

/// What differs from the baseline: sentences for all to see, the table behind a click.
fn compared(text: &mut String, comparison: &Comparison) -> std::fmt::Result {
    writeln!(text, "### Comparison\n")?;
    for line in compared::lines(comparison) {
        writeln!(text, "* {}", sentence(&line))?;
    }
    writeln!(text)?;
    let rows = compared::rows(comparison);
    let shown = &rows[..rows.len().min(MOST_ROWS)];
    details(text, "Compared figures", &compared::COLUMNS, shown)?;
    if rows.len() > shown.len() {
        more(text, rows.len(), shown.len(), "figures")?;
    }
    Ok(())
}

/// A table that can be opened: its first column is text, the others are figures. Nothing without rows.
fn details<const N: usize>(
    text: &mut String,
    title: &str,
    header: &[&str; N],
    rows: &[[String; N]],
) -> std::fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(text, "<details><summary>{title}</summary>\n")?;
    writeln!(text, "| {} |", header.join(" | "))?;
    writeln!(text, "|---{}|", "|---:".repeat(N - 1))?;
    for row in rows {
        writeln!(text, "| {} |", row.each_ref().map(|c| cell(c)).join(" | "))?;
    }
    writeln!(text, "\n</details>\n")
}

/// Text that stays text inside a table cell: no markup, no mention, no line break, not endless.
pub(super) fn cell(text: &str) -> String {
    up_to(text, LONGEST_NAME * 4)
}

/// A sentence of ours that may quote what others chose.
fn sentence(text: &str) -> String {
    up_to(text, LONGEST_SENTENCE)
}

fn up_to(text: &str, longest: usize) -> String {
    let mut safe = String::new();
    let mut before = ' ';
    for (i, c) in visible::text(text).chars().enumerate() {
        if i == longest {
            safe.push('…');
            break;
        }
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("&#64;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' => {
                safe.push('\\');
                safe.push(c);
            }
            // Two of them at a line's begin are an order to GitHub's log.
            ':' if before == ':' => safe.push_str("\\:"),
            c => safe.push(c),
        }
        before = c;
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn names_stay_text() {
        let text = render(&fixture::analysis(50)).expect("renders");
        assert!(!text.contains("<script>") && !text.contains("@all"));
        assert!(
            text.lines()
                .filter(|l| l.starts_with("| ✅"))
                .all(|l| l.ends_with(" |"))
        );
        assert!(text.starts_with("## ❌ FAILED"));
        assert!(
            render(&fixture::analysis(0))
                .expect("renders")
                .starts_with("## ❓ UNDECIDED")
        );
    }
}
