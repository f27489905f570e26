//! The subcommands.

mod baseline;
pub mod check;
pub mod compare;
pub mod explain;
pub mod generate;
pub mod init;
pub mod manual;
pub mod migrate;
pub mod trend;

use std::io::{IsTerminal, Write};

use crate::cli::{Cli, Color, Command, SchemaName};
use crate::diagnostic::Diagnostic;
use crate::{metric, report};

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

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Other(error.into())
    }
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
        Command::Init(args) => init::run(args, stdout),
        Command::Migrate(args) => migrate::run(args, stdout),
        Command::Explain(args) => explain::run(args, stdout),
        Command::Completions(args) => manual::completions(args, stdout),
        Command::Man(args) => manual::page(args, stdout),
        Command::Metrics => {
            for (name, unit, meaning) in metric::ALL {
                writeln!(stdout, "{name:<26} {:<6} {meaning}", unit.symbol())?;
            }
            Ok(0)
        }
        Command::Schema { name } => {
            let schema = match name {
                SchemaName::Report => report::schema::SCHEMA,
                SchemaName::Trend => report::trend::schema::SCHEMA,
            };
            stdout.write_all(schema.as_bytes())?;
            Ok(0)
        }
    }
}
