//! What a run is compared with, whatever it was kept as: a run in any input format, or the `report.json` of one.

use crate::comparison::{Sample, Terms};
use crate::diagnostic::Diagnostic;
use crate::input::{self, Options};
use crate::summary::{About, Summary};

pub mod history;
mod report;

use report::KeptIn;

/// The runs behind one `--baseline` or `--replicate`: as a rule one.
pub fn load(path: &str, options: &Options, terms: &Terms) -> Result<Vec<Sample>, Vec<Diagnostic>> {
    if let Some(report) = input::report::find(path).map_err(|problem| vec![problem])? {
        return Ok(vec![report::sample(&report, KeptIn::Report, path, terms)]);
    }
    let loaded = match input::load(&[path.to_owned()], options) {
        Ok(loaded) => loaded,
        Err(problems) => return kept_in_folder(path, terms, problems),
    };
    let about = About {
        label: path.to_owned(),
        sources: loaded.sources,
        ..About::default()
    };
    Ok(vec![Sample::of(&Summary::new(loaded.tally, about), terms)])
}

/// A folder without a run may hold the report of one.
fn kept_in_folder(
    path: &str,
    terms: &Terms,
    problems: Vec<Diagnostic>,
) -> Result<Vec<Sample>, Vec<Diagnostic>> {
    let nothing = problems.iter().all(|p| p.code == "nothing-recognised");
    let Some(report) = input::report::in_folder(path).filter(|_| nothing) else {
        return Err(problems);
    };
    let name = report.display().to_string();
    match input::report::find(&name) {
        Ok(Some(report)) => Ok(vec![report::sample(&report, KeptIn::Report, &name, terms)]),
        Ok(None) => Err(problems),
        Err(problem) => Err(vec![problem]),
    }
}
