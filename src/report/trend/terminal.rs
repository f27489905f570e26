//! The terminal report of a trend: at most 100 columns, colour never the only sign, the outcome on the last line.

use std::fmt::Write as _;

use super::order::{self, Cause};
use super::sparkline::sparkline;
use super::words;
use crate::report::terminal::{WIDTH, clean, table, wrapped};
use crate::trend::{Group, Series, Trend};
use crate::visible::painted;

/// Up to so many series are all shown: they fit a screen. Of more, those in which nothing happened are folded.
const FEW_SERIES: usize = 30;
const MOST_SERIES: usize = 60;
const MOST_CHANGES: usize = 25;
const MOST_REASONS: usize = 12;
/// Changes that are named below the one they follow from.
const FOLLOWERS: usize = 3;
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
        changes(&mut text, group, color);
        if i == 0 {
            series(&mut text, group);
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

/// A line for each series, under a heading for each endpoint: what happened first, the total last.
fn series(text: &mut String, group: &Group) {
    let sorted = order::sorted(group);
    let folds = group.series.len() > FEW_SERIES;
    let calm = if folds { &[][..] } else { &sorted.calm };
    let rows = sorted.eventful.iter().chain(calm).copied().flatten();
    let room = MOST_SERIES.saturating_sub(sorted.total.len());
    let shown: Vec<&Series> = rows.take(room).chain(sorted.total).collect();
    let mut table = table(
        &["", "Metric", "Runs", "Before", "Now", "Change", "Verdict"],
        3,
    );
    if let Some(column) = table.column_mut(6) {
        column.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    for series in &shown {
        let row = words::row(group, series);
        table.add_row([
            String::new(),
            series.metric.name(),
            sparkline(&series.values, RUNS_SHOWN),
            words::value(series, row.before),
            words::value(series, row.now),
            row.change,
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
    if shown.len() < group.series.len() {
        let _ = writeln!(
            text,
            "{}; {} not shown: `--html`, `--csv` and `--json` have them",
            order::within(group),
            group.series.len() - shown.len()
        );
    }
}

fn changes(text: &mut String, group: &Group, color: bool) {
    let causes = order::causes(group);
    if causes.is_empty() {
        return;
    }
    text.push_str("\nWhat changed, the worst first\n");
    for cause in causes.iter().take(MOST_CHANGES) {
        one(text, group, cause, color);
    }
    let hidden = causes.len().saturating_sub(MOST_CHANGES);
    if hidden > 0 {
        let _ = writeln!(text, "  … and {hidden} more; `--json` has them all");
    }
    if group.newest
        && let Some(open) = causes.iter().find(|c| c.change.fails())
    {
        let _ = writeln!(
            text,
            "  Meant? `loadgate trend HISTORY --ack {} --reason \"…\"` accepts the new level.",
            open.change.id
        );
    }
}

fn one(text: &mut String, group: &Group, cause: &Cause<'_>, color: bool) {
    let change = cause.change;
    let verdict = words::verdict(change);
    let symbol = match verdict {
        "fail" => "✗",
        "undecided" => "?",
        _ => "✓",
    };
    let standing = format!("{symbol} {}", words::standing(change));
    let head = painted(&standing, verdict, color);
    let place = clean(&words::place(group, change));
    let plain = format!("  {standing}  {}  {place}", change.id);
    if plain.chars().count() <= usize::from(WIDTH) {
        let _ = writeln!(text, "  {head}  {}  {place}", change.id);
    } else {
        let _ = writeln!(text, "  {head}  {}", change.id);
        wrapped(text, "      ", &place);
    }
    wrapped(text, "      ", &clean(&words::extent(cause)));
    for line in words::followers(group, cause, FOLLOWERS) {
        wrapped(text, "      ", &clean(&line));
    }
    if let Some(reason) = &change.acknowledged {
        wrapped(text, "      ", &format!("acknowledged: {}", clean(reason)));
    }
}

/// What is suspect, and what could not be judged, with the reasons.
fn undecided(text: &mut String, group: &Group) {
    let suspects = words::suspects(group);
    if !suspects.is_empty() {
        text.push_str("\nSuspect\n");
        for suspect in suspects.iter().take(MOST_REASONS) {
            wrapped(text, "  ? ", &clean(suspect));
        }
        more(text, suspects.len());
    }
    let reasons = words::undecided(group);
    if reasons.is_empty() {
        return;
    }
    text.push_str("\nCould not be judged\n");
    for (why, series) in reasons.iter().take(MOST_REASONS) {
        let all = words::few(series, 6);
        wrapped(text, "  ? ", &format!("{}: {}", clean(why), clean(&all)));
    }
    more(text, reasons.len());
}

fn more(text: &mut String, all: usize) {
    if all > MOST_REASONS {
        let _ = writeln!(
            text,
            "  … and {} more; `--json` has them all",
            all - MOST_REASONS
        );
    }
}
