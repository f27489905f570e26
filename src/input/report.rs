//! loadgate's own `report.json`, kept of an earlier run to compare with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::open::{self, Input};
use crate::diagnostic::{Diagnostic, Origin};
use crate::tally::{Doubts, Evidence};

mod field;
mod machine_text;
mod place;
mod sound;

pub use field::Field;
pub use machine_text::tidy;
pub use place::place;
pub use sound::{Fault, fault};

pub(crate) use machine_text::moments;
use machine_text::{quantiles, statuses};

/// What marks a report, up to its version.
const MARK: &str = "loadgate.report/";
/// The version that is read.
const VERSION: &str = "1";

/// What is kept of a run: the parts of a report that a comparison needs.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    /// The run itself.
    pub run: Run,
    /// The whole run.
    pub total: Endpoint,
    /// Every endpoint.
    pub endpoints: Vec<Endpoint>,
    /// The busiest second and minute.
    #[serde(default)]
    pub rates: Rates,
    /// How it was judged.
    #[serde(default)]
    pub outcome: Outcome,
}

/// The run itself.
#[derive(Clone, Debug, Deserialize)]
pub struct Run {
    /// Its label.
    pub label: String,
    /// First start, epoch ms; written as RFC 3339.
    #[serde(rename = "started_at", default, with = "moments")]
    pub started_ms: Option<i64>,
    /// Seconds from first start to last end.
    #[serde(default)]
    pub duration_s: Option<f64>,
    /// The most concurrent users.
    #[serde(default)]
    pub users_max: Option<u64>,
    /// Its labels.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// How a run was judged.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Outcome {
    /// `pass`, `fail` or `undecided`.
    pub verdict: String,
}

/// The busiest second and minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Of one second.
    pub peak_rps: Option<Peak>,
    /// Of a minute.
    pub peak_rpm: Option<Peak>,
}

/// A busiest window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// Requests in it, at least.
    pub value: u64,
    /// At most; absent if that is not known.
    #[serde(default)]
    pub at_most: Option<u64>,
    /// Whether the run was at least as long as the window.
    #[serde(default)]
    pub whole: bool,
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
    /// Requests known to have failed.
    pub failures: u64,
    /// Requests per second.
    #[serde(default)]
    pub rps: Option<f64>,
    /// Response times.
    pub response_time_ms: Times,
    /// How exact the response times are.
    pub evidence: Evidence,
    /// How the requests ended, beside their failures.
    #[serde(flatten)]
    pub ends: Ends,
    /// Why some figures cannot be judged.
    #[serde(default)]
    pub doubts: Doubts,
    /// Measured fields; absent in histories of older versions.
    #[serde(default)]
    pub fields: Option<BTreeMap<String, Field>>,
    /// What was kept for comparisons.
    #[serde(default)]
    pub sample: Option<Kept>,
}

/// How requests ended, as far as that is known. Everything is absent in what older versions wrote.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ends {
    /// Requests of which it is not known whether they failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unknown_outcomes: u64,
    /// Requests without a response time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub untimed: u64,
    /// HTTP status → requests.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "statuses")]
    pub statuses: Option<BTreeMap<u16, u64>>,
    /// HTTP status → failures.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "statuses")]
    pub failed_statuses: Option<BTreeMap<u16, u64>>,
    /// Requests of which it is not known with which status they ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_statuses: Option<u64>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Response times in milliseconds; what the source does not hold is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// Shortest.
    pub min: Option<f64>,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Longest.
    pub max: Option<f64>,
    /// Population standard deviation.
    pub stddev: Option<f64>,
    /// Quantile in millionths → milliseconds; written under their names (`p95`).
    #[serde(with = "quantiles")]
    pub quantiles: BTreeMap<u32, f64>,
}

/// What was kept for comparisons.
#[derive(Clone, Debug, Deserialize)]
pub struct Kept {
    /// Metric → standard error relative to it; absent where it is not known.
    pub relative_error: BTreeMap<String, Option<f64>>,
    /// Metric → independent requests the run is worth.
    pub effective_requests: BTreeMap<String, Option<f64>>,
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
    if !is_report(input.head()) {
        return Ok(None);
    }
    read(path, &input.whole("a report")?).map(Some)
}

/// The report in a folder, if there is one.
pub fn in_folder(path: &str) -> Option<PathBuf> {
    let report = Path::new(path).join("report.json");
    report.is_file().then_some(report)
}

/// Whether bytes begin with a report, of whatever version and in whatever order its keys are. A cut one is told by the mark
/// near its begin.
pub fn is_report(bytes: &[u8]) -> bool {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return false;
    }
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Versioned>();
    if let Some(Ok(report)) = values.next() {
        return report.schema.starts_with(MARK);
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]);
    head.contains(MARK) && head.contains("\"schema\"")
}

/// How much of a file that is not whole is looked at to recognise it.
const HEAD: usize = 4096;

#[derive(Deserialize)]
struct Versioned {
    schema: String,
}

/// Reads what `loadgate check --json` wrote; figures that cannot be are refused.
pub fn read(file: &str, bytes: &[u8]) -> Result<Report, Diagnostic> {
    let broken = |error: serde_json::Error| {
        let place = Origin::at(
            file,
            error.line().max(1) as u64,
            error.column().max(1) as u64,
        );
        Diagnostic::new("bad-line", format!("the report cannot be read: {error}"))
            .at(place)
            .help("was it written to its end, by `loadgate check --json`?")
    };
    let versioned: Versioned = serde_json::from_slice(bytes).map_err(broken)?;
    match versioned.schema.strip_prefix(MARK) {
        Some(VERSION) => {}
        other => {
            let message = format!(
                "the report is of version {}, this loadgate reads version {VERSION}",
                other.unwrap_or("unknown")
            );
            return Err(Diagnostic::new("newer-history", message)
                .at(Origin::file(file))
                .help("read it with the loadgate that wrote it, or check the run again"));
        }
    }
    let report: Report = serde_json::from_slice(bytes).map_err(broken)?;
    match fault(&report) {
        None => Ok(report),
        Some(fault) => {
            let text = String::from_utf8_lossy(bytes);
            Err(impossible(&fault, file, &text))
        }
    }
}

/// A figure that cannot be, with its place in the text that it was read from.
pub fn impossible(fault: &Fault, file: &str, text: &str) -> Diagnostic {
    let (line, column) = place(text, &fault.at);
    Diagnostic::new("impossible-figure", fault.sentence())
        .at(Origin::at(file, line, column))
        .help("take it from where it was made: `loadgate check` writes it anew from the run's own files")
}
