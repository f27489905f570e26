//! The terminal report of a trend: at most 100 columns, colour never the only sign, the outcome on the last line.

use std::fmt::Write as _;

use super::sparkline::sparkline;
use super::words;
use crate::report::terminal::{clean, table, wrapped};
use crate::trend::{Change, Group, Series, Trend, Word};
use crate::visible::painted;

const MOST_SERIES: usize = 200;
const MOST_CHANGES: usize = 40;
/// Runs that a line of text shows.
const RUNS_SHOWN: usize = 20;

/// Renders the report for a terminal; `color` adds ANSI colours, never as the only sign.
pub fn render(trend: &Trend, color: bool) -> String {
    let mut text = String::new();
    for (i, group) in trend.groups.iter().enumerate() {
        if i == 1 {
            text.push_str("\nOther series, which the outcome is not about\n");
        }
        let _ = writeln!(text, "{}", clean(&words::facts(group)));
        if i == 0 {
            series(&mut text, group);
        }
        changes(&mut text, group, color);
        if i == 0 {
            undecided(&mut text, group);
        }
    }
    if let Some(test) = &trend.self_test {
        text.push_str("\nSelf-test\n");
        for sentence in words::self_test(test) {
            wrapped(&mut text, "  * ", &sentence);
        }
    }
    if !trend.notes.is_empty() {
        text.push_str("\nNotes\n");
        for note in &trend.notes {
            wrapped(&mut text, "  * ", &clean(note));
        }
    }
    let outcome = &trend.outcome;
    let _ = writeln!(
        text,
        "\n{}",
        painted(&outcome.sentence, outcome.verdict, color)
    );
    text
}

/// A line for each series, under a heading for each endpoint.
fn series(text: &mut String, group: &Group) {
    let mut table = table(
        &["", "Metric", "Runs", "Level", "Newest", "Change", "Verdict"],
        3,
    );
    if let Some(column) = table.column_mut(6) {
        column.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    let shown = &group.series[..group.series.len().min(MOST_SERIES)];
    for series in shown {
        table.add_row([
            String::new(),
            series.metric.name(),
            sparkline(&series.values, RUNS_SHOWN),
            words::value(series, words::level(series)),
            words::value(series, series.newest.value),
            words::newest_change(series),
            words::word(series),
        ]);
    }
    let mut lines = table.lines();
    let _ = writeln!(text, "\n{}", lines.next().unwrap_or_default().trim_end());
    let mut before: Option<&Series> = None;
    for (series, line) in shown.iter().zip(lines) {
        if before.is_none_or(|before| before.endpoint != series.endpoint) {
            let _ = writeln!(text, "{}", clean(&series.name()));
        }
        before = Some(series);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if group.series.len() > MOST_SERIES {
        let _ = writeln!(
            text,
            "… and {} more series",
            group.series.len() - MOST_SERIES
        );
    }
}

fn changes(text: &mut String, group: &Group, color: bool) {
    if group.changes.is_empty() {
        return;
    }
    text.push_str("\nChanges, the newest first\n");
    for change in group.changes.iter().take(MOST_CHANGES) {
        one(text, group, change, color);
    }
    let hidden = group.changes.len().saturating_sub(MOST_CHANGES);
    if hidden > 0 {
        let _ = writeln!(text, "  … and {hidden} older ones");
    }
    if group.newest
        && let Some(open) = group
            .changes
            .iter()
            .find(|c| c.fails() && c.follows.is_none())
    {
        let _ = writeln!(
            text,
            "  Meant? `loadgate trend HISTORY --ack {} --reason \"…\"` accepts the new level.",
            open.id
        );
    }
}

fn one(text: &mut String, group: &Group, change: &Change, color: bool) {
    let verdict = words::verdict(change);
    let symbol = match verdict {
        "fail" => "✗",
        "undecided" => "?",
        _ => "✓",
    };
    let head = painted(
        &format!("{symbol} {}", words::standing(change)),
        verdict,
        color,
    );
    let _ = writeln!(
        text,
        "  {head}  {}  {}",
        change.id,
        clean(&words::place(group, change))
    );
    wrapped(text, "      ", &clean(&words::extent(change)));
    if let Some(reason) = &change.acknowledged {
        wrapped(text, "      ", &format!("acknowledged: {}", clean(reason)));
    }
}

fn undecided(text: &mut String, group: &Group) {
    let reasons = words::undecided(group);
    let outside = group
        .series
        .iter()
        .filter(|s| s.newest.word == Word::Suspect)
        .map(|s| format!("{} {}: {}", s.name(), s.metric.name(), s.newest.because));
    let suspects: Vec<String> = outside.collect();
    if !suspects.is_empty() {
        text.push_str("\nSuspect\n");
        for suspect in suspects {
            wrapped(text, "  ? ", &clean(&suspect));
        }
    }
    if reasons.is_empty() {
        return;
    }
    text.push_str("\nCannot be told\n");
    for (why, series) in reasons {
        let all = if series.len() > 6 {
            format!("{} series", series.len())
        } else {
            series.join(", ")
        };
        wrapped(text, "  ? ", &format!("{}: {}", clean(&all), clean(&why)));
    }
}
