//! Reports of a trend: formats and destinations. They show; they never compute.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use super::no_verdict::NoVerdict;
use super::{Format, Outputs, Without};
use crate::diagnostic::Diagnostic;
use crate::place::FileId;
use crate::trend::Trend;

pub(in crate::report) mod chart;
pub mod csv;
pub mod html;
pub mod json;
pub mod markdown;
mod order;
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
        use Without::{Remove, Tell};
        let format = |name, render, without| Format {
            name,
            render,
            without,
        };
        let html = format("trend.html", html::render, Tell(super::html::no_verdict));
        let json = format("trend.json", json::render, Remove(json::is_report));
        let csv = format("trend.csv", csv::render, Remove(csv::is_report));
        let markdown = format(
            "trend.md",
            markdown::render,
            Tell(super::markdown::no_verdict),
        );
        Outputs::new(
            self.out.as_deref(),
            &[
                (html, self.html.as_deref()),
                (json, self.json.as_deref()),
                (csv, self.csv.as_deref()),
                (markdown, self.markdown.as_deref()),
            ],
        )
    }

    /// Every path that is written.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.outputs().paths().map(Into::into).collect()
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
    pub fn write(&self, trend: &Trend, stdout: &mut dyn Write) -> Result<(), Vec<Diagnostic>> {
        self.outputs().write(trend, stdout)
    }

    /// There is no verdict: reports tell why, or are removed. Files of `spared` are left alone. Returns notes on what was
    /// removed, and problems.
    pub fn tell(
        &self,
        why: &NoVerdict,
        spared: &BTreeSet<FileId>,
        stdout: &mut dyn Write,
    ) -> (Vec<String>, Vec<Diagnostic>) {
        self.outputs().tell(why, spared, stdout)
    }
}
