//! `loadgate check --record`: one line more in a history.

use std::io::Write;
use std::path::Path;

use crate::analysis::Analysis;
use crate::cli::Check;
use crate::commands::Failure;
use crate::diagnostic::{Diagnostic, Origin};
use crate::history::append::{Appended, append, refused};
use crate::history::entry::Entry;
use crate::history::line::Line;
use crate::history::{provenance, store};

/// What keeps the run from being recorded, found out before it is read: a file that cannot be added to, or a history that
/// cannot be read.
pub fn problems(history: &Path, allowed_bad_lines: u64) -> Vec<Diagnostic> {
    let file = history.display().to_string();
    if let Some(why) = refused(history) {
        let problem = Diagnostic::new("bad-history", format!("cannot record in it: {why}"))
            .at(Origin::file(file))
            .help("`--record` takes a history that it made before, or a new file");
        return vec![problem];
    }
    if !history.exists() {
        return Vec::new();
    }
    store::read_all(&[file], allowed_bad_lines)
        .err()
        .unwrap_or_default()
}

/// The run as a history holds it.
pub fn entry(analysis: &Analysis, expected: &[u16]) -> Entry {
    let from = provenance::of_this_run(&analysis.summary.metadata);
    Entry::new(analysis, expected, from)
}

/// Appends the run that was judged.
pub fn record(history: &Path, analysis: &Analysis, expected: &[u16]) -> Result<Appended, Failure> {
    let entry = entry(analysis, expected);
    Ok(append(history, &Line::Run(Box::new(entry)))?)
}

/// Says where the run was recorded, where the terminal report will be.
pub fn tell(
    history: &Path,
    appended: &Appended,
    args: &Check,
    stdout: &mut dyn Write,
) -> Result<(), Failure> {
    if let Some(aside) = &appended.set_aside {
        writeln!(
            std::io::stderr().lock(),
            "note: a line that a killed writer had cut off was moved to {}",
            aside.display()
        )?;
    }
    if args.quiet || super::destinations(args).uses_stdout() {
        return Ok(());
    }
    let (file, line) = (history.display(), appended.line);
    let word = if appended.known {
        "recorded before"
    } else {
        "recorded"
    };
    writeln!(stdout, "{word}: {file}:{line}")?;
    Ok(())
}
