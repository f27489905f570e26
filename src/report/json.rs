//! `report.json`: everything, in base units, in a fixed order.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Serialize;

use crate::analysis::Analysis;
use crate::comparison::sample::kept::Kept;
use crate::gate::{Level, Verdict};
use crate::metric::measure::without_known_status;
use crate::outcome::Outcome;
use crate::summary::{EndpointSummary, ErrorSummary, FieldSummary, Source, Timeline};
use crate::tally::{Category, Doubts, Endpoint, Evidence};
use crate::units::{moment, quantile_name};

mod comparison;
mod rates;
mod sample;

use comparison::ComparisonJson;
use rates::{QuotaJson, Rates};
use sample::SampleJson;

/// The version of the format.
const SCHEMA_ID: &str = "loadgate.report/1";

/// Renders the whole report.
pub fn render(analysis: &Analysis) -> anyhow::Result<String> {
    let summary = &analysis.summary;
    let all = std::iter::once(&summary.total).chain(&summary.endpoints);
    let kept = Kept::of_all(all.clone().map(|e| &e.tally).collect());
    let mut all = all
        .zip(&kept)
        .map(|(summary, kept)| endpoint(summary, kept));
    let report = Report {
        schema: SCHEMA_ID,
        run: Run {
            label: &summary.label,
            started_at: summary.started_ms.map(moment),
            ended_at: summary.ended_ms.map(moment),
            duration_s: summary.duration_s,
            users_max: summary.users_max,
            sources: &summary.sources,
            metadata: &summary.metadata,
        },
        total: all.next().context("a run has a total")??,
        endpoints: all.collect::<Result<_, _>>()?,
        errors: summary.errors.iter().map(error).collect(),
        rates: Rates::of(summary),
        quotas: analysis.quotas.iter().map(QuotaJson::of).collect(),
        fields: &summary.total.fields,
        timeline: timeline(&summary.timeline),
        comparison: analysis.comparison.as_ref().map(ComparisonJson::of),
        gates: analysis.verdicts.iter().map(gate).collect(),
        outcome: &analysis.outcome,
        notes: &summary.notes,
    };
    let mut text = serde_json::to_string_pretty(&report)?;
    text.push('\n');
    Ok(text)
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    run: Run<'a>,
    total: EndpointJson<'a>,
    endpoints: Vec<EndpointJson<'a>>,
    errors: Vec<ErrorJson<'a>>,
    rates: Rates<'a>,
    quotas: Vec<QuotaJson<'a>>,
    fields: &'a BTreeMap<String, FieldSummary>,
    timeline: TimelineJson,
    comparison: Option<ComparisonJson<'a>>,
    gates: Vec<GateJson<'a>>,
    outcome: &'a Outcome,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Run<'a> {
    label: &'a str,
    started_at: Option<String>,
    ended_at: Option<String>,
    duration_s: Option<f64>,
    users_max: Option<u64>,
    sources: &'a [Source],
    metadata: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct EndpointJson<'a> {
    method: &'a str,
    name: &'a str,
    requests: u64,
    failures: u64,
    unknown_outcomes: u64,
    untimed: u64,
    failure_ratio: Option<f64>,
    rps: Option<f64>,
    response_time_ms: Times,
    statuses: BTreeMap<String, u64>,
    failed_statuses: BTreeMap<String, u64>,
    unknown_statuses: u64,
    fields: &'a BTreeMap<String, FieldSummary>,
    evidence: Evidence,
    doubts: &'a Doubts,
    sample: SampleJson,
}

#[derive(Serialize)]
struct Times {
    min: Option<f64>,
    mean: Option<f64>,
    max: Option<f64>,
    stddev: Option<f64>,
    quantiles: Quantiles,
}

/// Quantiles in rising order, under their names.
struct Quantiles(Vec<(String, f64)>);

impl Serialize for Quantiles {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    method: &'a str,
    name: &'a str,
    status: Option<u16>,
    category: Category,
    error: &'a str,
    count: u64,
    share: Option<f64>,
    first_seen: Option<String>,
    last_seen: Option<String>,
}

#[derive(Serialize)]
struct TimelineJson {
    interval_s: i64,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    start: String,
    requests: u64,
    failures: u64,
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
    users: Option<u64>,
}

#[derive(Serialize)]
struct GateJson<'a> {
    id: &'a str,
    require: &'a str,
    endpoint: Option<EndpointKey<'a>>,
    verdict: &'static str,
    level: Level,
    observed: Option<f64>,
    limit: Option<f64>,
    unit: &'static str,
    margin: Option<f64>,
    samples: u64,
    interval: Option<(f64, f64)>,
    because: &'a str,
    origin: OriginJson<'a>,
}

#[derive(Serialize)]
struct OriginJson<'a> {
    file: &'a str,
    line: Option<u64>,
}

/// An endpoint as `{method, name}`.
#[derive(Serialize)]
struct EndpointKey<'a> {
    method: &'a str,
    name: &'a str,
}

impl<'a> EndpointKey<'a> {
    fn of(endpoint: &'a Endpoint) -> Self {
        Self {
            method: &endpoint.method,
            name: &endpoint.name,
        }
    }
}

/// Rounded to a millionth: below the resolution of what is measured, and free of the noise of floats.
fn tidy(value: f64) -> Option<f64> {
    value.is_finite().then(|| {
        if value.abs() < 1e9 {
            (value * 1e6).round() / 1e6
        } else {
            value
        }
    })
}

fn endpoint<'a>(summary: &'a EndpointSummary, kept: &Kept) -> anyhow::Result<EndpointJson<'a>> {
    let times = &summary.response_time;
    let (method, name) = summary
        .endpoint
        .as_ref()
        .map_or(("", "Total"), |e| (e.method.as_str(), e.name.as_str()));
    let failed = summary.tally.failures_by_status.iter();
    Ok(EndpointJson {
        method,
        name,
        requests: summary.requests,
        failures: summary.failures,
        unknown_outcomes: summary.unknown_outcomes,
        untimed: summary.tally.untimed,
        failure_ratio: summary.failure_ratio,
        rps: summary.rps.and_then(tidy),
        response_time_ms: Times {
            min: times.min.and_then(tidy),
            mean: times.mean.and_then(tidy),
            max: times.max.and_then(tidy),
            stddev: times.stddev.and_then(tidy),
            quantiles: Quantiles(
                times
                    .quantiles
                    .iter()
                    .filter_map(|(q, v)| Some((quantile_name(*q), tidy(*v)?)))
                    .collect(),
            ),
        },
        statuses: summary
            .statuses
            .iter()
            .map(|(s, n)| (s.to_string(), *n))
            .collect(),
        failed_statuses: failed
            .filter_map(|(s, n)| Some(((*s)?.to_string(), *n)))
            .collect(),
        unknown_statuses: without_known_status(&summary.tally),
        fields: &summary.fields,
        evidence: summary.evidence,
        doubts: &summary.tally.doubts,
        sample: SampleJson::of(kept)?,
    })
}

fn error(summary: &ErrorSummary) -> ErrorJson<'_> {
    ErrorJson {
        method: &summary.endpoint.method,
        name: &summary.endpoint.name,
        status: summary.status,
        category: summary.category,
        error: &summary.message,
        count: summary.count,
        share: summary.share,
        first_seen: summary.first_ms.map(moment),
        last_seen: summary.last_ms.map(moment),
    }
}

fn timeline(timeline: &Timeline) -> TimelineJson {
    let rows = timeline.rows.iter().map(|row| Row {
        start: moment(row.start_s * 1000),
        requests: row.requests,
        failures: row.failures,
        p50: row.p50.and_then(tidy),
        p95: row.p95.and_then(tidy),
        p99: row.p99.and_then(tidy),
        users: row.users,
    });
    TimelineJson {
        interval_s: timeline.interval_s,
        rows: rows.collect(),
    }
}

fn gate(verdict: &Verdict) -> GateJson<'_> {
    GateJson {
        id: &verdict.id,
        require: &verdict.require,
        endpoint: verdict.endpoint.as_ref().map(EndpointKey::of),
        verdict: verdict.decision.name(),
        level: verdict.level,
        observed: verdict.observed.and_then(tidy),
        limit: verdict.limit.and_then(tidy),
        unit: verdict.unit.symbol(),
        margin: verdict.margin.and_then(tidy),
        samples: verdict.samples,
        interval: verdict
            .interval
            .and_then(|(low, high)| Some((tidy(low)?, tidy(high)?))),
        because: &verdict.because,
        origin: OriginJson {
            file: &verdict.origin.file,
            line: verdict.origin.line,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_schema_holds_for_any_run() {
        let schema =
            serde_json::from_str(crate::report::schema::SCHEMA).expect("the schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
        for requests in [0, 1, 100] {
            let text = render(&fixture::analysis(requests)).expect("renders");
            let json = serde_json::from_str(&text).expect("is JSON");
            let errors: Vec<String> = validator
                .iter_errors(&json)
                .map(|e| format!("{}: {e}", e.instance_path))
                .collect();
            assert!(errors.is_empty(), "{requests}: {errors:?}");
        }
    }
}
