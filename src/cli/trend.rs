//! Arguments of `loadgate trend`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Color;

/// Arguments of `loadgate trend`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgate check results/ --record history.jsonl   add a run\n  \
    loadgate trend history.jsonl                     has the newest run regressed?\n  \
    loadgate trend reports/ --metric p99 --on 'GET *' --html trend.html\n  \
    loadgate trend history.jsonl --ack 3fa2b1c0 --reason 'new cache, accepted'\n\n\
Exit codes: 0 the newest run is as its history predicts; 1 it has regressed, unacknowledged; 2 no verdict; \
3 something cannot be told.")]
pub struct Trend {
    /// Histories that `check --record` wrote, `report.json` files, or folders of them
    #[arg(value_name = "HISTORY", required = true)]
    pub histories: Vec<String>,

    /// Only runs that started on this day or later (`2026-01-31`, or a moment)
    #[arg(long, value_name = "DAY", help_heading = "Runs")]
    pub since: Option<String>,
    /// Only runs of this branch
    #[arg(long, value_name = "NAME", help_heading = "Runs")]
    pub branch: Option<String>,
    /// Only the newest N runs of each series
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Runs")]
    pub last: usize,
    /// Go on without up to N lines that cannot be read, and say so in every report
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Runs")]
    pub allow_bad_lines: u64,

    /// Metrics to follow: mean, pN, `failure_ratio`, `unexpected_failure_ratio`, rps
    /// [default: `mean,p50,p95,failure_ratio`, and `rps` of the total]
    #[arg(
        long,
        value_name = "METRIC",
        value_delimiter = ',',
        help_heading = "Series"
    )]
    pub metric: Vec<String>,
    /// Only endpoints that match: `GET /search*`, `/regex/`; repeatable
    #[arg(long, value_name = "SELECTOR", help_heading = "Series")]
    pub on: Vec<String>,

    /// How changes of level are found
    #[arg(long, value_enum, default_value_t, help_heading = "Judgement")]
    pub algorithm: Algorithm,
    /// Otava's window, in runs [default: 50]
    #[arg(long, value_name = "RUNS", value_parser = window, help_heading = "Judgement")]
    pub window: Option<usize>,
    /// Otava's largest p-value of a change [default: 0.001]
    #[arg(long, value_name = "P", value_parser = share, help_heading = "Judgement")]
    pub max_pvalue: Option<f64>,
    /// Otava's smallest relative change, 0.05 for 5 % [default: 0]
    #[arg(long, value_name = "RATIO", value_parser = magnitude, help_heading = "Judgement")]
    pub min_magnitude: Option<f64>,
    /// Whether what cannot be told fails (exit 3) or only warns
    #[arg(long, value_enum, default_value_t, help_heading = "Judgement")]
    pub on_undecided: OnUndecided,
    /// Test the rules on the history's own stable levels: how often would an unchanged run have been called worse?
    #[arg(long, help_heading = "Judgement")]
    pub self_test: bool,

    /// Accept a change by its id: its new level is meant; repeatable, written into the history
    #[arg(
        long,
        value_name = "CHANGE",
        requires = "reason",
        help_heading = "Acknowledge"
    )]
    pub ack: Vec<String>,
    /// Why it is accepted
    #[arg(
        long,
        value_name = "TEXT",
        requires = "ack",
        help_heading = "Acknowledge"
    )]
    pub reason: Option<String>,

    /// Write every report under its standard name into this folder
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub out: Option<PathBuf>,
    /// Write the HTML page (`-` is standard output, for this and the next three)
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub html: Option<PathBuf>,
    /// Write the JSON report
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub json: Option<PathBuf>,
    /// Write the long-form CSV
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub csv: Option<PathBuf>,
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

/// How changes of level are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    /// Seeded segmentation, calibrated by permutation
    #[default]
    Segmentation,
    /// As Apache Otava (Hunter) does, with its parameters
    Otava,
}

/// What follows from a series that cannot be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnUndecided {
    /// Exit code 3
    #[default]
    Fail,
    /// A warning
    Warn,
}

fn window(text: &str) -> Result<usize, String> {
    let runs = text
        .parse()
        .ok()
        .filter(|runs| (2..=1_000_000).contains(runs));
    runs.ok_or_else(|| format!("expected at least 2 runs, found `{text}`"))
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|p| (0.0..=1.0).contains(p));
    share.ok_or_else(|| format!("expected a probability from 0 to 1, found `{text}`"))
}

fn magnitude(text: &str) -> Result<f64, String> {
    let ratio = text
        .parse()
        .ok()
        .filter(|r: &f64| *r >= 0.0 && r.is_finite());
    ratio.ok_or_else(|| format!("expected a ratio such as 0.05, found `{text}`"))
}
