//! `trend.md`: fits a pull-request comment.

use std::fmt::Write as _;

use super::sparkline::sparkline;
use super::words;
use crate::report::markdown::{cell, symbol_of};
use crate::trend::{Group, Trend, Word};

const MOST_ROWS: usize = 100;
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
    if group.changes.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "| | Change | Where and since when | How much |\n|---|---|---|---|"
    )?;
    for change in group.changes.iter().take(MOST_ROWS) {
        let mut how = words::extent(change);
        if let Some(reason) = &change.acknowledged {
            let _ = write!(how, "; acknowledged: {reason}");
        }
        writeln!(
            text,
            "| {} {} | {} | {} | {} |",
            symbol_of(words::verdict(change)),
            words::standing(change),
            change.id,
            cell(&words::place(group, change)),
            cell(&how)
        )?;
    }
    writeln!(text)
}

fn undecided(text: &mut String, group: &Group) -> std::fmt::Result {
    let reasons = words::undecided(group);
    for (why, series) in &reasons {
        writeln!(
            text,
            "* cannot be told: {} ({})",
            cell(why),
            cell(&series.join(", "))
        )?;
    }
    for series in group
        .series
        .iter()
        .filter(|s| s.newest.word == Word::Suspect)
    {
        let what = format!("{} {}", series.name(), series.metric.name());
        writeln!(
            text,
            "* suspect: {} ({})",
            cell(&series.newest.because),
            cell(&what)
        )?;
    }
    writeln!(text)
}

fn series(text: &mut String, group: &Group) -> std::fmt::Result {
    writeln!(
        text,
        "<details><summary>Series ({})</summary>\n",
        group.series.len()
    )?;
    writeln!(
        text,
        "| Endpoint | Metric | Runs | Level | Newest | Change | Verdict |\n|---|---|---|---:|---:|---:|---|"
    )?;
    for series in group.series.iter().take(MOST_ROWS) {
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            cell(&series.name()),
            series.metric.name(),
            sparkline(&series.values, RUNS_SHOWN),
            words::value(series, words::level(series)),
            words::value(series, series.newest.value),
            words::newest_change(series),
            words::word(series)
        )?;
    }
    if group.series.len() > MOST_ROWS {
        writeln!(
            text,
            "\n… and {} more in `trend.json`",
            group.series.len() - MOST_ROWS
        )?;
    }
    writeln!(text, "\n</details>\n")
}
