//! `trend.md`: fits a pull-request comment.

use std::fmt::Write as _;

use super::order;
use super::sparkline::sparkline;
use super::words;
use crate::report::markdown::{cell, symbol_of};
use crate::trend::{Group, Trend};
use crate::units::{Unit, date_and_time};

/// Rows of a table: a comment has room for 65,536 characters.
const MOST_ROWS: usize = 50;
const MOST_REASONS: usize = 12;
/// The newest runs that are listed.
const MOST_RUNS: usize = 20;
/// Runs that a line of text shows.
const RUNS_SHOWN: usize = 30;

/// Renders the whole report.
pub fn render(trend: &Trend) -> anyhow::Result<String> {
    let outcome = &trend.outcome;
    let mut text = format!(
        "## {} {}\n\n",
        symbol_of(outcome.verdict),
        cell(&outcome.sentence)
    );
    for (i, group) in trend.groups.iter().enumerate() {
        if i == 1 {
            writeln!(text, "### Other series, which the outcome is not about\n")?;
        }
        writeln!(text, "{}\n", cell(&words::facts(group)))?;
        changes(&mut text, group)?;
        if i == 0 {
            undecided(&mut text, group)?;
            series(&mut text, group)?;
            runs(&mut text, group)?;
        }
    }
    if let Some(test) = &trend.self_test {
        writeln!(text, "**Self-test**\n")?;
        for sentence in words::self_test(test) {
            writeln!(text, "* {}", cell(&sentence))?;
        }
        writeln!(text)?;
    }
    if !trend.notes.is_empty() {
        writeln!(
            text,
            "<details><summary>Notes ({})</summary>\n",
            trend.notes.len()
        )?;
        for note in &trend.notes {
            writeln!(text, "* {}", cell(note))?;
        }
        writeln!(text, "\n</details>")?;
    }
    Ok(text)
}

fn changes(text: &mut String, group: &Group) -> std::fmt::Result {
    let causes = order::causes(group);
    if causes.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "| | Change | Where and since when | How much |\n|---|---|---|---|"
    )?;
    for cause in causes.iter().take(MOST_ROWS) {
        let change = cause.change;
        let mut how = vec![words::extent(cause)];
        how.extend(words::followers(group, cause, 1));
        let reason = change.acknowledged.as_ref();
        how.extend(reason.map(|reason| format!("acknowledged: {reason}")));
        writeln!(
            text,
            "| {} {} | {} | {} | {} |",
            symbol_of(words::verdict(change)),
            words::standing(change),
            change.id,
            cell(&words::place(group, change)),
            cell(&how.join("; "))
        )?;
    }
    writeln!(text)?;
    more(text, causes.len(), MOST_ROWS, "changes")
}

/// How many are not shown, if any.
fn more(text: &mut String, all: usize, most: usize, what: &str) -> std::fmt::Result {
    if all > most {
        writeln!(text, "… and {} more {what} in `trend.json`\n", all - most)?;
    }
    Ok(())
}

fn undecided(text: &mut String, group: &Group) -> std::fmt::Result {
    let reasons = words::undecided(group);
    for (why, series) in reasons.iter().take(MOST_REASONS) {
        writeln!(
            text,
            "* could not be judged: {}: {}",
            cell(why),
            cell(&words::few(series, 6))
        )?;
    }
    let suspects = words::suspects(group);
    for suspect in suspects.iter().take(MOST_REASONS) {
        writeln!(text, "* suspect: {}", cell(suspect))?;
    }
    writeln!(text)?;
    more(text, reasons.len(), MOST_REASONS, "reasons")?;
    more(text, suspects.len(), MOST_REASONS, "suspect series")
}

/// The total, then the series in which something happened, worst first, then the others as far as there is room.
fn series(text: &mut String, group: &Group) -> std::fmt::Result {
    writeln!(
        text,
        "<details><summary>Series ({})</summary>\n",
        order::within(group)
    )?;
    writeln!(
        text,
        "| Endpoint | Metric | Runs | Before | Now | Change | Verdict |\n|---|---|---|---:|---:|---:|---|"
    )?;
    let sorted = order::sorted(group);
    let rows = sorted
        .eventful
        .iter()
        .chain(&sorted.calm)
        .copied()
        .flatten();
    for series in sorted.total.iter().chain(rows).take(MOST_ROWS) {
        let row = words::row(group, series);
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            cell(&series.name()),
            series.metric.name(),
            sparkline(&series.values, RUNS_SHOWN),
            words::value(series, row.before),
            words::value(series, row.now),
            row.change,
            words::word(series)
        )?;
    }
    writeln!(text)?;
    more(text, group.series.len(), MOST_ROWS, "series")?;
    writeln!(text, "</details>\n")
}

/// The newest runs, newest first.
fn runs(text: &mut String, group: &Group) -> std::fmt::Result {
    let count = group.runs.len();
    writeln!(text, "<details><summary>Runs ({count})</summary>\n")?;
    writeln!(
        text,
        "| Run | Started | Name | Commit | Branch | Requests | Gates | Report |\n|---:|---|---|---|---|---:|---|---|"
    )?;
    for (i, run) in group.runs.iter().enumerate().rev().take(MOST_RUNS) {
        let or_none = |text: Option<&str>| text.map_or_else(|| words::NONE.to_owned(), cell);
        let report = match (run.report.as_deref(), words::address(run.report.as_deref())) {
            // An address is of signs that Markdown has no other meaning for within its angle brackets.
            (_, Some(address)) => format!("[{}](<{}>)", cell(address.host), address.url),
            (text, None) => or_none(text),
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {report} |",
            i + 1,
            run.started_ms
                .map_or_else(|| words::NONE.to_owned(), date_and_time),
            cell(&run.label),
            or_none(run.commit.as_deref().map(words::short_commit)),
            or_none(run.branch.as_deref()),
            Unit::Count.human(run.requests as f64),
            cell(&run.verdict),
        )?;
    }
    writeln!(text)?;
    more(text, count, MOST_RUNS, "runs")?;
    writeln!(text, "</details>\n")
}
