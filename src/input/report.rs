//! loadgate's own `report.json`, kept of an earlier run to compare with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::open::{self, Input};
use crate::diagnostic::{Diagnostic, Origin};
use crate::tally::Evidence;

/// What marks a report, up to its version.
const MARK: &str = "loadgate.report/";
/// The version that is read.
const VERSION: &str = "1";
/// How much of a file is looked at to recognise it.
const HEAD: usize = 4096;

/// The parts of a report that a comparison needs.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    /// The run itself.
    pub run: Run,
    /// The whole run.
    pub total: Endpoint,
    /// Every endpoint.
    pub endpoints: Vec<Endpoint>,
    /// The busiest second and minute.
    pub rates: Rates,
}

/// The run itself.
#[derive(Clone, Debug, Deserialize)]
pub struct Run {
    /// Its label.
    pub label: String,
    /// Seconds from first start to last end.
    pub duration_s: Option<f64>,
    /// The most concurrent users.
    pub users_max: Option<u64>,
    /// Its labels.
    pub metadata: BTreeMap<String, String>,
}

/// The busiest second and minute.
#[derive(Clone, Debug, Deserialize)]
pub struct Rates {
    /// Of one second.
    pub peak_rps: Option<Peak>,
    /// Of a minute.
    pub peak_rpm: Option<Peak>,
}

/// A busiest window.
#[derive(Clone, Debug, Deserialize)]
pub struct Peak {
    /// Requests in it.
    pub value: u64,
}

/// One endpoint, or the total.
#[derive(Clone, Debug, Deserialize)]
pub struct Endpoint {
    /// Its method.
    pub method: String,
    /// Its name.
    pub name: String,
    /// Requests, failures included.
    pub requests: u64,
    /// Failed requests.
    pub failures: u64,
    /// Requests per second.
    pub rps: Option<f64>,
    /// Response times.
    pub response_time_ms: Times,
    /// HTTP status → requests.
    pub statuses: BTreeMap<String, u64>,
    /// Measured fields, with all their figures by name; `null` where a figure is not known.
    pub fields: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    /// How exact the response times are.
    pub evidence: Evidence,
    /// What was kept for comparisons.
    pub sample: Option<Kept>,
}

/// Response times in ms.
#[derive(Clone, Debug, Deserialize)]
pub struct Times {
    /// Shortest.
    pub min: Option<f64>,
    /// Mean.
    pub mean: Option<f64>,
    /// Longest.
    pub max: Option<f64>,
    /// Standard deviation.
    pub stddev: Option<f64>,
    /// `p95` → ms.
    pub quantiles: BTreeMap<String, f64>,
}

/// What was kept for comparisons.
#[derive(Clone, Debug, Deserialize)]
pub struct Kept {
    /// Metric → standard error relative to it.
    pub relative_error: BTreeMap<String, f64>,
    /// Metric → independent requests the run is worth.
    pub effective_requests: BTreeMap<String, f64>,
    /// Least response time of a bin in µs, and requests in it.
    pub times_us: Vec<(u64, u64)>,
}

/// The report at this path, if it is one: the file itself, or the `report.json` of a folder that holds no run.
pub fn find(path: &str) -> Result<Option<Report>, Diagnostic> {
    let file = Path::new(path);
    // What is not there is told when it is looked for as a run.
    if file.is_dir() || !file.exists() && !open::is_stdin(path) {
        return Ok(None);
    }
    let input = Input::open(path)?;
    let head = input.head();
    let head = String::from_utf8_lossy(&head[..head.len().min(HEAD)]);
    if !head.trim_start().starts_with('{') || !head.contains(MARK) || !head.contains("\"schema\"") {
        return Ok(None);
    }
    read(path, &input.whole("a report")?).map(Some)
}

/// The report in a folder, if there is one.
pub fn in_folder(path: &str) -> Option<PathBuf> {
    let report = Path::new(path).join("report.json");
    report.is_file().then_some(report)
}

fn read(path: &str, bytes: &[u8]) -> Result<Report, Diagnostic> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: String,
    }
    let broken = |error: serde_json::Error| {
        let place = Origin::at(path, error.line() as u64, error.column() as u64);
        Diagnostic::new("bad-line", format!("the report cannot be read: {error}"))
            .at(place)
            .help("was it written to its end, by `loadgate check --json`?")
    };
    let versioned: Versioned = serde_json::from_slice(bytes).map_err(broken)?;
    match versioned.schema.strip_prefix(MARK) {
        Some(VERSION) => serde_json::from_slice(bytes).map_err(broken),
        other => Err(Diagnostic::new(
            "unknown-format",
            format!(
                "the report is of version {}, this loadgate reads version {VERSION}",
                other.unwrap_or("unknown")
            ),
        )
        .at(Origin::file(path))
        .help("read it with the loadgate that wrote it, or check the run again")),
    }
}
