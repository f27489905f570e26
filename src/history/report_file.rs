//! A `report.json` as a run of a history.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::entry::{EndpointEntry, Entry, Sureness, Times};
use crate::diagnostic::{Diagnostic, Origin};

/// The version that is read.
const SCHEMA: &str = "loadgate.report/1";

#[derive(Deserialize)]
struct Head {
    schema: String,
}

/// What is read of a report; all else is ignored.
#[derive(Deserialize)]
struct Report {
    run: Run,
    total: Endpoint,
    endpoints: Vec<Endpoint>,
    outcome: Outcome,
}

#[derive(Deserialize)]
struct Run {
    label: String,
    #[serde(default)]
    started_at: Option<String>,
    #[serde(default)]
    duration_s: Option<f64>,
    #[serde(default)]
    users_max: Option<u64>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Endpoint {
    method: String,
    name: String,
    requests: u64,
    failures: u64,
    #[serde(default)]
    rps: Option<f64>,
    response_time_ms: Times,
    evidence: crate::tally::Evidence,
    #[serde(default)]
    sample: Option<Sureness>,
}

#[derive(Deserialize)]
struct Outcome {
    verdict: String,
}

/// Whether a text is a report, of whatever version.
pub fn is_report(text: &str) -> bool {
    serde_json::from_str::<Head>(text).is_ok_and(|head| head.schema.starts_with("loadgate.report/"))
}

/// Reads a report that `loadgate check --json` wrote.
pub fn read(text: &str, file: &str) -> Result<Entry, Diagnostic> {
    let bad = |error: serde_json::Error| {
        Diagnostic::new("bad-line", format!("this report cannot be read: {error}"))
            .at(Origin::at(
                file,
                error.line().max(1) as u64,
                error.column().max(1) as u64,
            ))
            .help("write it anew with `loadgate check --json`")
    };
    let head: Head = serde_json::from_str(text).map_err(bad)?;
    if head.schema != SCHEMA {
        let message = format!(
            "this report was written by a newer loadgate (`{}`)",
            head.schema
        );
        return Err(Diagnostic::new("newer-history", message)
            .at(Origin::file(file))
            .help(format!("update loadgate; this one reads `{SCHEMA}`")));
    }
    let report: Report = serde_json::from_str(text).map_err(bad)?;
    let started = report.run.started_at.as_deref();
    let started: Option<jiff::Timestamp> = started.and_then(|text| text.parse().ok());
    let mut labels = report.run.metadata;
    let mut entry = Entry {
        id: String::new(),
        label: report.run.label,
        started_ms: started.map(jiff::Timestamp::as_millisecond),
        duration_s: report.run.duration_s,
        users_max: report.run.users_max,
        commit: labels.remove("commit"),
        branch: labels.remove("branch"),
        machine: labels.remove("machine"),
        scenario: labels.remove("scenario"),
        labels,
        verdict: report.outcome.verdict,
        total: endpoint(report.total),
        endpoints: report.endpoints.into_iter().map(endpoint).collect(),
    };
    entry.id = entry.identity();
    Ok(entry)
}

fn endpoint(read: Endpoint) -> EndpointEntry {
    EndpointEntry {
        method: read.method,
        name: read.name,
        requests: read.requests,
        failures: read.failures,
        unexpected_failures: None,
        rps: read.rps,
        response_time_ms: read.response_time_ms,
        evidence: read.evidence,
        times: None,
        sureness: read.sample.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::entry::tests::entry;
    use crate::report::{fixture, json};

    #[test]
    fn a_report_holds_the_figures_of_the_recorded_run() {
        let text = json::render(&fixture::analysis(100)).unwrap();
        assert!(is_report(&text));
        let read = read(&text, "report.json").unwrap();
        let recorded = entry(100, "a");
        assert_eq!(read.started_ms, recorded.started_ms);
        assert_eq!(read.total.response_time_ms, recorded.total.response_time_ms);
        assert_eq!(read.endpoints.len(), recorded.endpoints.len());
    }

    #[test]
    fn a_newer_report_is_refused() {
        let text = r#"{"schema":"loadgate.report/9"}"#;
        assert!(read(text, "r.json").unwrap_err().short().contains("newer"));
    }
}
