//! What a run is compared with, whatever it was kept as: a run in any input format, the `report.json` of one,
//! or a history of many.

use std::io::{BufRead, BufReader, Read};

use crate::comparison::{Precondition, Sample, Terms};
use crate::diagnostic::Diagnostic;
use crate::history::entry::Entry;
use crate::history::{line, store};
use crate::input::{self, Options};
use crate::summary::{About, Summary};

mod history;
mod report;

pub use history::Current;

/// A line of a history may hold the counts of a great many endpoints.
const LONGEST_LINE: u64 = 1 << 28;

/// What was read.
#[derive(Debug, Default)]
pub struct Baseline {
    /// The runs, of a history the oldest first.
    pub samples: Vec<Sample>,
    /// What was left out.
    pub doubts: Vec<Precondition>,
}

impl Baseline {
    fn one(sample: Sample) -> Self {
        Self {
            samples: vec![sample],
            doubts: Vec::new(),
        }
    }

    fn history(entries: Vec<Entry>, path: &str, terms: &Terms, current: &Current) -> Self {
        let (samples, left_out) = history::samples(entries, path, terms, current);
        Self {
            samples,
            doubts: left_out.into_iter().collect(),
        }
    }
}

/// The runs behind one `--baseline` or `--replicate`: as a rule one, of a history all that are like the current one.
pub fn load(
    path: &str,
    options: &Options,
    terms: &Terms,
    current: &Current,
) -> Result<Baseline, Vec<Diagnostic>> {
    if let Some(report) = input::report::find(path).map_err(|problem| vec![problem])? {
        return Ok(Baseline::one(report::sample(&report, path, terms)));
    }
    if is_history(path) {
        return Ok(Baseline::history(store::read(path)?, path, terms, current));
    }
    let loaded = match input::load(&[path.to_owned()], options) {
        Ok(loaded) => loaded,
        Err(problems) => return kept_in_folder(path, terms, current, problems),
    };
    let about = About {
        label: path.to_owned(),
        sources: loaded.sources,
        ..About::default()
    };
    let mut sample = Sample::of(&Summary::new(loaded.tally, about), terms);
    if let Some(reason) = loaded.refused {
        sample.refuse(&reason);
    }
    Ok(Baseline::one(sample))
}

/// Whether the first line of a file is one of a history.
fn is_history(path: &str) -> bool {
    let Ok(file) = std::fs::File::open(path) else {
        return false;
    };
    let mut first = String::new();
    // What cannot be read as text is no history; the readers of runs say what else is wrong with it.
    let read = BufReader::new(file)
        .take(LONGEST_LINE)
        .read_line(&mut first);
    read.is_ok() && line::is_history(first.trim_end())
}

/// A folder without a run may hold the report of one, or be a history.
fn kept_in_folder(
    path: &str,
    terms: &Terms,
    current: &Current,
    problems: Vec<Diagnostic>,
) -> Result<Baseline, Vec<Diagnostic>> {
    if problems.iter().any(|p| p.code != "nothing-recognised") {
        return Err(problems);
    }
    if let Some(report) = input::report::in_folder(path) {
        let name = report.display().to_string();
        if let Some(report) = input::report::find(&name).map_err(|problem| vec![problem])? {
            return Ok(Baseline::one(report::sample(&report, &name, terms)));
        }
    }
    let entries = store::read(path)?;
    if entries.is_empty() {
        return Err(problems);
    }
    Ok(Baseline::history(entries, path, terms, current))
}
