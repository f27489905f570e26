//! The command line, as `clap` derives it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Judge a load test after it ran.
#[derive(Debug, Parser)]
#[command(
    name = "loadgate",
    version,
    about = "Judges a load test after it ran, and never passes what it could not measure",
    after_help = "Exit codes: 0 every gate passed; 1 a gate failed; 2 no verdict (usage, gate file, input, I/O); \
                  3 no gate failed, but at least one is undecided."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read one run, measure it, judge it against gates, write the reports
    Check(Box<Check>),
    /// List every metric a gate can use
    Metrics,
    /// Print a JSON Schema
    Schema {
        /// Which one
        #[arg(value_enum, default_value_t = SchemaName::Report)]
        name: SchemaName,
    },
}

/// The schemas that ship.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemaName {
    /// `report.json`
    Report,
}

/// When to colour the terminal report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Arguments of `loadgate check`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgate check results/                        everything recognised in a folder is one run\n  \
    loadgate check results/run --require 'p95 < 500ms' --require 'failure_ratio < 1%'\n  \
    loadgate check requests.jsonl.gz --config loadgate.toml --out reports/\n  \
    kubectl logs job/load | loadgate check -       standard input")]
pub struct Check {
    /// Files, directories, Locust prefixes (`results/run`) or `-`; all together are one run
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<String>,

    /// Gate file [default: ./loadgate.toml if it is there]
    #[arg(long, value_name = "FILE", help_heading = "Gates")]
    pub config: Option<PathBuf>,
    /// Add a gate: `p95 < 500ms`, `p95 < 1s on FINALIZAR*`; repeatable
    #[arg(long, value_name = "EXPR", help_heading = "Gates")]
    pub require: Vec<String>,

    /// Read the input as this format instead of recognising it
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub format: Option<String>,
    /// Where a request log keeps a field: `response_time=took:ms`; repeatable
    #[arg(long, value_name = "FIELD=KEY[:UNIT]", value_parser = pair, help_heading = "Input")]
    pub map: Vec<(String, String)>,
    /// Leave out this much from the first request on (`30s`)
    #[arg(long, value_name = "DURATION", help_heading = "Input")]
    pub warmup: Option<String>,
    /// Go on despite up to N bad lines, and say so in every report
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Input")]
    pub allow_bad_lines: u64,
    /// Label the run: `commit=4f2a`; `name=…` is its title; repeatable
    #[arg(long, value_name = "K=V", value_parser = pair, help_heading = "Input")]
    pub label: Vec<(String, String)>,

    /// Write every report under its standard name into this folder
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub out: Option<PathBuf>,
    /// Write the HTML page (`-` is standard output, for this and the next four)
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub html: Option<PathBuf>,
    /// Write the JSON report
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub json: Option<PathBuf>,
    /// Write the long-form CSV
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub csv: Option<PathBuf>,
    /// Write the `JUnit` file
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub junit: Option<PathBuf>,
    /// Write the Markdown report
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub markdown: Option<PathBuf>,
    /// Print only the outcome; problems take one line each
    #[arg(long, help_heading = "Reports")]
    pub quiet: bool,
    /// When to colour
    #[arg(long, value_enum, default_value_t, help_heading = "Reports")]
    pub color: Color,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err(format!("expected `KEY=VALUE`, found `{text}`")),
    }
}
