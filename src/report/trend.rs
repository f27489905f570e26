//! Reports of a trend: formats and destinations. They show; they never compute.

use std::io::Write;
use std::path::PathBuf;

use super::Outputs;
use crate::diagnostic::Diagnostic;
use crate::trend::Trend;

pub(in crate::report) mod chart;
pub mod csv;
pub mod html;
pub mod json;
pub mod markdown;
pub mod schema;
mod sparkline;
pub mod terminal;
pub(in crate::report) mod words;

/// Where reports go; `-` is standard output.
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    /// A folder for every report under its standard name.
    pub out: Option<PathBuf>,
    /// The HTML page.
    pub html: Option<PathBuf>,
    /// The JSON report.
    pub json: Option<PathBuf>,
    /// The long-form CSV.
    pub csv: Option<PathBuf>,
    /// The Markdown report.
    pub markdown: Option<PathBuf>,
}

impl Destinations {
    fn outputs(&self) -> Outputs<Trend> {
        Outputs::new(
            self.out.as_deref(),
            &[
                ("trend.html", self.html.as_deref(), html::render),
                ("trend.json", self.json.as_deref(), json::render),
                ("trend.csv", self.csv.as_deref(), csv::render),
                ("trend.md", self.markdown.as_deref(), markdown::render),
            ],
        )
    }

    /// Whether a report takes standard output, so that the terminal report must not.
    pub fn uses_stdout(&self) -> bool {
        self.outputs().uses_stdout()
    }

    /// Finds what cannot be written, before anything is read.
    pub fn check(&self) -> Result<(), Vec<Diagnostic>> {
        self.outputs().check()
    }

    /// Writes every report.
    pub fn write(&self, trend: &Trend, stdout: &mut dyn Write) -> anyhow::Result<()> {
        self.outputs().write(trend, stdout)
    }
}
