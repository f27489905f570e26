//! The command line, as `clap` derives it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub mod announce;
pub mod project;
mod trend;

use announce::Announce;
use project::{Completions, Explain, Init, Man, Migrate, Plan};
pub use trend::{Algorithm, OnUndecided, Trend};

/// Judge a load test after it ran.
#[derive(Debug, Parser)]
#[command(
    name = "loadgate",
    version,
    about = "Judges a load test after it ran, and never passes what it could not measure",
    after_help = "Examples:\n  \
        loadgate init                 write a gate file, proposed from the results found here\n  \
        loadgate check results/       judge a run against ./loadgate.toml\n  \
        loadgate check results/ --require 'p95 < 500ms' --out reports/\n  \
        loadgate explain p95          what a metric, a gate or an error code means\n\n\
        Exit codes:\n  \
        0     every gate passed (or there were none)\n  \
        1     a gate failed\n  \
        2     no verdict: usage, gate file, input, I/O\n  \
        3     no gate failed, but at least one is undecided\n  \
        130   interrupted"
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
    /// Follow a history: has the newest run regressed, and when did what change?
    Trend(Box<Trend>),
    /// Compare two runs, or several with several; gates are optional
    Compare(Box<Compare>),
    /// Print the order in which to run two versions that are to be compared
    Plan(Plan),
    /// Write the logs of a synthetic load test: same seed, same bytes
    Generate(Box<Generate>),
    /// Write a gate file proposed from results, a request logger for Locust, a CI pipeline
    Init(Init),
    /// Carry the thresholds of k6, Taurus or Artillery over into a gate file
    Migrate(Migrate),
    /// Say what a gate of the gate file, a metric or an error code means
    Explain(Explain),
    /// List every metric a gate can use
    Metrics,
    /// Print a shell's completion script
    Completions(Completions),
    /// Print the manual page, of loadgate or of one command
    Man(Man),
    /// Print a JSON Schema
    Schema {
        /// Which one
        #[arg(value_enum, default_value_t = SchemaName::Report)]
        name: SchemaName,
    },
}

/// Arguments of `loadgate generate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgate generate --list                       the scenarios that ship\n  \
    loadgate generate --scenario worker-batches --seed 1 --out run/\n  \
    loadgate generate --scenario claims-api --seed 1 --out slow/ --degrade '*detail:latency*3'\n  \
    loadgate generate --scenario worker-batches --seed 1 --out leak/ --leak 50MB/h --duration 1h\n\n\
    ENDPOINT is a name or `METHOD name`; `*` in it matches any text.")]
pub struct Generate {
    /// A scenario that ships, or the path of a scenario file
    #[arg(
        long,
        value_name = "NAME|FILE",
        required_unless_present = "list",
        help_heading = "Scenario"
    )]
    pub scenario: Option<String>,
    /// List the scenarios that ship
    #[arg(long, help_heading = "Scenario")]
    pub list: bool,
    /// Users, instead of the scenario's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Scenario")]
    pub users: Option<u32>,
    /// Users spawned per second, instead of the scenario's
    #[arg(long, value_name = "R", value_parser = spawn_rate, help_heading = "Scenario")]
    pub spawn_rate: Option<f64>,
    /// How long the run takes, instead of the scenario's end (`2min`)
    #[arg(
        long,
        value_name = "DURATION",
        conflicts_with = "requests",
        help_heading = "Scenario"
    )]
    pub duration: Option<String>,
    /// End the run after this many requests, instead of the scenario's end
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 40), help_heading = "Scenario")]
    pub requests: Option<u64>,
    /// The seed of every random number
    #[arg(long, value_name = "S", default_value_t = 1, help_heading = "Scenario")]
    pub seed: u64,
    /// When the run starts
    #[arg(
        long,
        value_name = "RFC3339",
        default_value = "2026-01-01T00:00:00Z",
        help_heading = "Scenario"
    )]
    pub start: String,

    /// Multiply response times or failure ratios: `ENDPOINT:latency*1.4`, `ENDPOINT:failures*4`; repeatable
    #[arg(long, value_name = "CHANGE", help_heading = "Changes")]
    pub degrade: Vec<String>,
    /// Add requests at one moment to each such endpoint: `ENDPOINT:30@60s`; repeatable
    #[arg(long, value_name = "BURST", help_heading = "Changes")]
    pub burst: Vec<String>,
    /// Let the memory samples grow: `10MB/h`
    #[arg(long, value_name = "RATE", help_heading = "Changes")]
    pub leak: Option<String>,
    /// Override a field (`ENDPOINT:rows=901`, `ENDPOINT:rows=1..900`) or a status's ratio (`ENDPOINT:503=0.02`); repeatable
    #[arg(long, value_name = "VALUE", help_heading = "Changes")]
    pub set: Vec<String>,

    /// The folder to write into
    #[arg(
        long,
        value_name = "DIR",
        required_unless_present = "list",
        help_heading = "Output"
    )]
    pub out: Option<PathBuf>,
    /// What to write
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',', default_values_t = [Written::Log, Written::LocustCsv, Written::LocustJson], help_heading = "Output")]
    pub write: Vec<Written>,
    /// Overwrite the files of an earlier run, and no others
    #[arg(long, help_heading = "Output")]
    pub force: bool,
}

/// What `loadgate generate` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Written {
    /// `requests.jsonl`, one line per request
    Log,
    /// `run_stats.csv`, `run_stats_history.csv`, `run_failures.csv`, `run_exceptions.csv`
    LocustCsv,
    /// `run.json`
    LocustJson,
}

fn spawn_rate(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate| (1e-3..=1e6).contains(rate))
        .ok_or_else(|| format!("expected users per second from 0.001 to 1000000, found `{text}`"))
}

/// The schemas that ship.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemaName {
    /// `report.json`
    Report,
    /// `trend.json`
    Trend,
}

/// Which part of a run counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Phase {
    /// The longest time with the most users: no ramp-up, no ramp-down
    Steady,
    /// No phase is cut out
    All,
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

/// Arguments of `loadgate compare`: those of `check`, but the baseline comes first.
#[derive(Debug, Args)]
#[command(
    override_usage = "loadgate compare [OPTIONS] <BASE> <CURRENT>",
    mut_arg("runs", |runs| runs.value_names(["BASE", "CURRENT"]).num_args(2)
        .help("The baseline and the current run: each a file, a directory, a Locust prefix or a `report.json`")),
    after_help = "Examples:\n  \
    loadgate compare main/ branch/                 what differs, and how sure that is\n  \
    loadgate compare a1/ b1/ --baseline a2/ --baseline a3/ --replicate b2/ --replicate b3/\n\n\
    Runs are the sample, not requests: one run against one raises a suspicion at most; make three a side, better five.\n\n\
Exit codes: 0 nothing has regressed; 1 something has, or a gate failed; 2 no verdict; 3 nothing could be told, or a gate is \
undecided."
)]
pub struct Compare {
    /// What `check` takes; the first two runs are baseline and current.
    #[command(flatten)]
    pub check: Check,
}

/// Arguments of `loadgate check`.
#[derive(Clone, Debug, Args)]
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

    /// Compare with a run, with a `report.json` of an earlier check, or with the last comparable runs of a history;
    /// repeatable, several are replicates
    #[arg(long, value_name = "RUN|REPORT|HISTORY", help_heading = "Baseline")]
    pub baseline: Vec<String>,
    /// A further run of what is checked, for the comparison; repeatable
    #[arg(long, value_name = "RUN", help_heading = "Baseline")]
    pub replicate: Vec<String>,

    /// Read the input as this format instead of recognising it
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub format: Option<String>,
    /// Where a request log keeps a field: `response_time=took:ms`; repeatable
    #[arg(long, value_name = "FIELD=KEY[:UNIT]", value_parser = pair, help_heading = "Input")]
    pub map: Vec<(String, String)>,
    /// Leave out this much from the first request on (`30s`)
    #[arg(long, value_name = "DURATION", help_heading = "Input")]
    pub warmup: Option<String>,
    /// Leave out requests that start before this: a moment (RFC 3339), or a time after the first start (`2min`)
    #[arg(long, value_name = "MOMENT", help_heading = "Input")]
    pub from: Option<String>,
    /// Leave out requests that start at or after this
    #[arg(long, value_name = "MOMENT", help_heading = "Input")]
    pub to: Option<String>,
    /// Count only the phase with the most users; `all` is the whole of what the other flags leave, whatever the gate file says
    #[arg(long, value_enum, help_heading = "Input")]
    pub phase: Option<Phase>,
    /// Go on despite up to N bad lines, and say so in every report
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Input")]
    pub allow_bad_lines: u64,
    /// Label the run: `commit=4f2a`; `name=…` is its title; repeatable
    #[arg(long, value_name = "K=V", value_parser = pair, help_heading = "Input")]
    pub label: Vec<(String, String)>,

    /// Append this run to a history, which `loadgate trend` follows; commit, branch and machine come from `--label`,
    /// else from the CI system's variables
    #[arg(long, value_name = "HISTORY", help_heading = "History")]
    pub record: Option<PathBuf>,

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
    #[command(flatten)]
    /// Where else the verdict is told.
    pub announce: Announce,
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
