//! Reading what a load test left behind: find, decompress, recognise by content, count.

use crate::diagnostic::Diagnostic;
use crate::summary::Source;
use crate::tally::Tally;

pub mod locust;
pub mod request_log;

/// How to read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--format`: overrides detection.
    pub format: Option<String>,
    /// `--map` and `[input.map]`: canonical field → key, with an optional unit (`latency:ms`).
    pub map: Vec<(String, String)>,
    /// `--allow-bad-lines`.
    pub allow_bad_lines: u64,
    /// Left out of every metric: this many ms after the first start.
    pub warmup_ms: Option<f64>,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The counts.
    pub tally: Tally,
    /// The files.
    pub sources: Vec<Source>,
    /// Reconciliation, truncated lines, what the source lacks: sentences for every report.
    pub notes: Vec<String>,
}

/// Reads all inputs as one run.
pub fn load(runs: &[String], options: &Options) -> Result<Loaded, Vec<Diagnostic>> {
    let _ = (runs, options);
    Ok(Loaded::default())
}
