//! `loadgate trend`: read a history, follow it, report.

use std::io::Write;
use std::path::Path;

use super::{Failure, is_colored};
use crate::cli::{Algorithm as Named, Trend as Args};
use crate::diagnostic::{Diagnostic, Origin};
use crate::gate::selector::Selector;
use crate::history::append::append;
use crate::history::line::Line;
use crate::history::otava;
use crate::history::store::{self, History};
use crate::input::open;
use crate::report::trend::{Destinations, terminal};
use crate::trend::collect::Selection;
use crate::trend::{self, Algorithm, SeriesMetric, Settings, Trend, changes, self_test};

/// Follows a history; the answer is the exit code.
pub fn run(args: &Args, stdout: &mut dyn Write) -> Result<u8, Failure> {
    let destinations = destinations(args);
    let selection = selection(args, &destinations)?;
    let settings = settings(args);
    // A stream is read twice where something is acknowledged.
    let held: Result<Vec<_>, _> = args.histories.iter().map(|path| open::hold(path)).collect();
    let _held = held.map_err(|problem| vec![problem])?;
    let mut history = store::read_all(&args.histories, args.allow_bad_lines)?;
    if !args.ack.is_empty() {
        acknowledge(args, &history, &selection, &settings)?;
        history = store::read_all(&args.histories, args.allow_bad_lines)?;
    }
    let mut trend = trend::follow(&history, &selection, &settings)?;
    if args.self_test {
        trend.self_test = trend.groups.first().map(|g| self_test::test(g, &settings));
    }
    destinations.write(&trend, stdout)?;
    if !destinations.uses_stdout() {
        show(args, &trend, stdout)?;
    }
    Ok(trend.outcome.exit_code)
}

fn destinations(args: &Args) -> Destinations {
    Destinations {
        out: args.out.clone(),
        html: args.html.clone(),
        json: args.json.clone(),
        csv: args.csv.clone(),
        markdown: args.markdown.clone(),
    }
}

/// Everything that can be wrong with the flags, all at once.
fn selection(args: &Args, destinations: &Destinations) -> Result<Selection, Failure> {
    let mut problems = Vec::new();
    let mut selection = Selection {
        branch: args.branch.clone(),
        last: args.last,
        undecided_warns: args.on_undecided == crate::cli::OnUndecided::Warn,
        ..Selection::default()
    };
    for name in &args.metric {
        match SeriesMetric::parse(name) {
            Some(metric) if !selection.metrics.contains(&metric) => selection.metrics.push(metric),
            Some(_) => {}
            None => problems.push(
                Diagnostic::new("unknown-metric", format!("`{name}` cannot be followed"))
                    .at(Origin::file("--metric"))
                    .help("`mean`, `p50` and any other percentile, `failure_ratio`, `unexpected_failure_ratio` or `rps`"),
            ),
        }
    }
    if let Some(text) = &args.since {
        selection.since_ms = since(text);
        if selection.since_ms.is_none() {
            problems.push(
                Diagnostic::new("bad-value", format!("`{text}` is not a day or a moment"))
                    .at(Origin::file("--since"))
                    .help("write `2026-01-31` or `2026-01-31T12:00:00Z`"),
            );
        }
    }
    if !args.on.is_empty() {
        let patterns: Vec<&str> = args.on.iter().map(String::as_str).collect();
        match Selector::new(&patterns) {
            Ok(selector) => selection.on = Some(selector),
            Err((i, why)) => problems.push(
                Diagnostic::new("bad-selector", format!("`{}`: {why}", patterns[i]))
                    .at(Origin::file("--on"))
                    .help("write a glob (`GET /search*`) or a regular expression (`/search/`)"),
            ),
        }
    }
    if let Err(found) = destinations.check() {
        problems.extend(found);
    }
    if problems.is_empty() {
        Ok(selection)
    } else {
        Err(problems.into())
    }
}

/// A day begins at midnight UTC.
fn since(text: &str) -> Option<i64> {
    let moment = text
        .parse()
        .or_else(|_| format!("{text}T00:00:00Z").parse());
    moment.ok().map(|m: jiff::Timestamp| m.as_millisecond())
}

fn settings(args: &Args) -> Settings {
    let defaults = otava::Parameters::default();
    Settings {
        algorithm: match args.algorithm {
            Named::Segmentation => Algorithm::Segmentation,
            Named::Otava => Algorithm::Otava(otava::Parameters {
                window_len: args.window.unwrap_or(defaults.window_len),
                max_pvalue: args.max_pvalue.unwrap_or(defaults.max_pvalue),
                min_magnitude: args.min_magnitude.unwrap_or(defaults.min_magnitude),
            }),
        },
        ..Settings::default()
    }
}

/// Appends an acknowledgement of each named change to the first history that is a file.
fn acknowledge(
    args: &Args,
    history: &History,
    selection: &Selection,
    settings: &Settings,
) -> Result<(), Failure> {
    let Some(file) = args
        .histories
        .iter()
        .find(|path| !Path::new(path).is_dir() && !open::is_stream(path))
    else {
        let problem = Diagnostic::new(
            "bad-value",
            "an acknowledgement is a line of a history file, and only folders are named",
        )
        .at(Origin::file("--ack"))
        .help("name the history file as well; it may be a new one");
        return Err(vec![problem].into());
    };
    let trend = trend::follow(history, selection, settings)?;
    let reason = args.reason.as_deref().unwrap_or_default();
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for id in &args.ack {
        match changes::acknowledge(&trend.groups, id, reason) {
            Ok(acknowledgement) => found.push(acknowledgement),
            Err(open) => {
                let help = if open.is_empty() {
                    "there is no change that is not acknowledged".to_owned()
                } else {
                    format!("changes that are not acknowledged: {}", open.join(", "))
                };
                problems.push(
                    Diagnostic::new("unknown-change", format!("there is no change `{id}`"))
                        .at(Origin::file("--ack"))
                        .help(help),
                );
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    for acknowledgement in found {
        append(
            Path::new(file),
            &Line::Acknowledgement(Box::new(acknowledgement)),
        )?;
    }
    Ok(())
}

fn show(args: &Args, trend: &Trend, stdout: &mut dyn Write) -> Result<(), Failure> {
    if args.quiet {
        writeln!(stdout, "{}", trend.outcome.sentence)?;
        return Ok(());
    }
    let color = is_colored(args.color);
    stdout.write_all(terminal::render(trend, color).as_bytes())?;
    Ok(())
}
