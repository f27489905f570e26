//! The subcommands.

mod baseline;
pub mod check;
pub mod compare;
pub mod explain;
pub mod generate;
pub mod init;
pub mod manual;
pub mod migrate;
pub mod no_verdict;
pub mod plan;
mod sources;
pub mod trend;

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use crate::cli::{Cli, Color, Command, SchemaName};
use crate::diagnostic::{Diagnostic, Origin};
use crate::{metric, report, visible};

/// Why there is no verdict.
#[derive(Debug)]
pub enum Failure {
    /// Problems with the user's files and flags.
    Diagnostics(Vec<Diagnostic>),
    /// I/O, or a bug: an error chain.
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl From<Diagnostic> for Failure {
    fn from(problem: Diagnostic) -> Self {
        Self::Diagnostics(vec![problem])
    }
}

impl Failure {
    /// Standard output could not be written.
    pub fn of_stdout(error: &io::Error) -> Self {
        report::write_failed(Path::new("-"), error).into()
    }

    /// Every problem; what is not the user's is a fault of ours.
    pub fn problems(&self) -> Vec<Diagnostic> {
        match self {
            Self::Diagnostics(problems) => problems.clone(),
            Self::Other(error) => {
                let problem = Diagnostic::new("internal", format!("{error:#}")).help(
                    "this is a fault of loadgate: please report it, with the input if you can",
                );
                vec![problem]
            }
        }
    }
}

/// A history could not be appended to.
fn not_recorded(history: &Path, error: &anyhow::Error) -> Failure {
    Diagnostic::new("not-recorded", format!("{error:#}"))
        .at(Origin::file(history.display().to_string()))
        .help("name a history that `--record` made, or a new file in a folder that can be written")
        .into()
}

/// Writes text for people to standard output: nothing of it is obeyed by a terminal or a CI system.
fn say(stdout: &mut dyn Write, text: &str) -> Result<(), Failure> {
    put(stdout, &visible::lines(text))
}

/// The same of a report that may have colours.
fn say_in_color(stdout: &mut dyn Write, text: &str, color: bool) -> Result<(), Failure> {
    if color {
        put(stdout, &visible::lines_in_color(text))
    } else {
        say(stdout, text)
    }
}

/// Writes data to standard output, as it is.
fn put(stdout: &mut dyn Write, data: &str) -> Result<(), Failure> {
    let written = stdout
        .write_all(data.as_bytes())
        .and_then(|()| stdout.flush());
    written.map_err(|error| Failure::of_stdout(&error))
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self::Diagnostics(diagnostics)
    }
}

/// Whether the terminal report is coloured.
fn is_colored(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
        }
    }
}

/// Runs a subcommand; the answer is the exit code.
pub fn run(cli: &Cli, stdout: &mut dyn Write) -> Result<u8, Failure> {
    match &cli.command {
        Command::Check(args) => check::run(args, check::Purpose::Check, stdout),
        Command::Trend(args) => trend::run(args, stdout),
        Command::Compare(args) => compare::run(args, stdout),
        Command::Generate(args) => generate::run(args, stdout),
        Command::Plan(args) => plan::run(args, stdout),
        Command::Init(args) => init::run(args, stdout),
        Command::Migrate(args) => migrate::run(args, stdout),
        Command::Explain(args) => explain::run(args, stdout),
        Command::Completions(args) => manual::completions(args, stdout),
        Command::Man(args) => manual::page(args, stdout),
        Command::Metrics => {
            for (name, unit, meaning) in metric::ALL {
                let line = format!("{name:<26} {:<6} {meaning}\n", unit.symbol());
                say(stdout, &line)?;
            }
            Ok(0)
        }
        Command::Schema { name } => {
            let schema = match name {
                SchemaName::Report => report::schema::SCHEMA,
                SchemaName::Trend => report::trend::schema::SCHEMA,
            };
            put(stdout, schema)?;
            Ok(0)
        }
    }
}
