//! `loadgate check --record`: one line more in a history.

use std::io::Write;
use std::path::Path;

use crate::analysis::Analysis;
use crate::cli::Check;
use crate::commands::no_verdict::note;
use crate::commands::{Failure, not_recorded, say};
use crate::history::append::append;
use crate::history::entry::Entry;
use crate::history::line::Line;
use crate::history::provenance;
use crate::place::shown;

/// The run as a history holds it.
pub fn entry(analysis: &Analysis, expected: &[u16]) -> Entry {
    let from = provenance::of_this_run(&analysis.summary.metadata);
    Entry::new(analysis, expected, from)
}

/// Appends the run that was judged, and says so where the terminal report will be.
pub fn record(
    history: &Path,
    analysis: &Analysis,
    expected: &[u16],
    args: &Check,
    stdout: &mut dyn Write,
) -> Result<(), Failure> {
    let entry = entry(analysis, expected);
    let appended = append(history, &Line::Run(Box::new(entry)))
        .map_err(|error| not_recorded(history, &error))?;
    if let Some(aside) = &appended.set_aside {
        note(&format!(
            "a line that a killed writer had cut off was moved to {}",
            aside.display()
        ));
    }
    if args.quiet || super::destinations(args).uses_stdout() {
        return Ok(());
    }
    let (file, line) = (shown(&history.display().to_string()), appended.line);
    let word = if appended.known {
        "recorded before"
    } else {
        "recorded"
    };
    say(stdout, &format!("{word}: {file}:{line}\n"))
}
