//! `comparison` of `report.json`.

use serde::Serialize;

use super::{EndpointKey, tidy};
use crate::comparison::cause::follows;
use crate::comparison::shift::ShiftPoint;
use crate::comparison::{Census, Comparison, EndpointComparison, Noise, Row, RunFacts, Size};
use crate::units::quantile_name;

/// Baseline and current runs, compared.
#[derive(Serialize)]
pub struct ComparisonJson<'a> {
    baseline: Vec<RunJson<'a>>,
    current: Vec<RunJson<'a>>,
    alpha: f64,
    census: CensusJson,
    preconditions: Vec<PreconditionJson<'a>>,
    new: Vec<EndpointKey<'a>>,
    vanished: Vec<EndpointKey<'a>>,
    endpoints: Vec<EndpointJson<'a>>,
}

#[derive(Serialize)]
struct RunJson<'a> {
    label: &'a str,
    requests: u64,
    duration_s: Option<f64>,
    users_max: Option<u64>,
}

#[derive(Serialize)]
struct CensusJson {
    regressed: u64,
    suspect: u64,
    improved: u64,
    unchanged: u64,
    not_enough_data: u64,
}

#[derive(Serialize)]
struct PreconditionJson<'a> {
    subject: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct EndpointJson<'a> {
    endpoint: Option<EndpointKey<'a>>,
    metrics: Vec<RowJson<'a>>,
    shift: Vec<ShiftJson>,
}

#[derive(Serialize)]
struct RowJson<'a> {
    metric: String,
    unit: &'static str,
    verdict: &'static str,
    reason: &'static str,
    because: &'a str,
    baseline: Option<f64>,
    current: Option<f64>,
    change: Option<f64>,
    relative: Option<f64>,
    interval: Option<(f64, f64)>,
    adjusted: Option<AdjustedJson>,
    decided_by: &'static str,
    follows: bool,
    margin: Option<f64>,
    p_worse: Option<f64>,
    p_better: Option<f64>,
    baseline_size: SizeJson,
    current_size: SizeJson,
    noise: NoiseJson,
    detectable: Option<f64>,
    runs_needed: Option<u32>,
    rounded: bool,
}

#[derive(Serialize)]
struct AdjustedJson {
    relative: Option<f64>,
    interval: Option<(f64, f64)>,
    p_worse: Option<f64>,
    p_better: Option<f64>,
}

#[derive(Serialize)]
struct SizeJson {
    runs: u32,
    requests: u64,
    effective: Option<f64>,
}

#[derive(Serialize)]
struct NoiseJson {
    source: &'static str,
    sigma: Option<f64>,
    degrees_of_freedom: Option<f64>,
}

#[derive(Serialize)]
struct ShiftJson {
    quantile: String,
    baseline_ms: Option<f64>,
    current_ms: Option<f64>,
    relative: Option<f64>,
}

impl<'a> ComparisonJson<'a> {
    /// Of the comparison.
    pub fn of(comparison: &'a Comparison) -> Self {
        Self {
            baseline: comparison.baseline.iter().map(run).collect(),
            current: comparison.current.iter().map(run).collect(),
            alpha: comparison.alpha,
            census: census(comparison.census),
            preconditions: comparison
                .preconditions
                .iter()
                .map(|p| PreconditionJson {
                    subject: p.subject.name(),
                    message: &p.message,
                })
                .collect(),
            new: comparison.new.iter().map(EndpointKey::of).collect(),
            vanished: comparison.vanished.iter().map(EndpointKey::of).collect(),
            endpoints: comparison
                .endpoints
                .iter()
                .map(|e| endpoint(comparison, e))
                .collect(),
        }
    }
}

fn run(facts: &RunFacts) -> RunJson<'_> {
    RunJson {
        label: &facts.label,
        requests: facts.requests,
        duration_s: facts.duration_s,
        users_max: facts.users_max,
    }
}

fn census(census: Census) -> CensusJson {
    CensusJson {
        regressed: census.regressed,
        suspect: census.suspect,
        improved: census.improved,
        unchanged: census.unchanged,
        not_enough_data: census.not_enough_data,
    }
}

fn endpoint<'a>(comparison: &Comparison, at: &'a EndpointComparison) -> EndpointJson<'a> {
    EndpointJson {
        endpoint: at.endpoint.as_ref().map(EndpointKey::of),
        metrics: at
            .rows
            .iter()
            .map(|r| row(r, follows(comparison, at, r)))
            .collect(),
        shift: at.shift.iter().map(shift).collect(),
    }
}

fn row(row: &Row, follows: bool) -> RowJson<'_> {
    let value = |value: &Result<f64, String>| value.as_ref().ok().copied().and_then(tidy);
    let (noise, source) = (row.noise.between_runs(), source(row.noise));
    RowJson {
        metric: row.metric.to_string(),
        unit: row.metric.unit().symbol(),
        verdict: row.judgement.word.name(),
        reason: row.judgement.reason.name(),
        because: &row.because,
        baseline: value(&row.baseline),
        current: value(&row.current),
        change: row.change.and_then(tidy),
        relative: row.relative.and_then(tidy),
        interval: row
            .interval
            .and_then(|(low, high)| Some((tidy(low)?, tidy(high)?))),
        adjusted: row.adjusted.map(|a| AdjustedJson {
            relative: tidy(a.relative),
            interval: tidy(a.interval.0).zip(tidy(a.interval.1)),
            p_worse: tidy(a.p_worse),
            p_better: tidy(a.p_better),
        }),
        decided_by: row.judgement.by.name(),
        follows,
        margin: row.margin().and_then(tidy),
        p_worse: row.p_worse.and_then(tidy),
        p_better: row.p_better.and_then(tidy),
        baseline_size: size(row.baseline_size),
        current_size: size(row.current_size),
        noise: NoiseJson {
            source,
            sigma: noise.and_then(|n| tidy(n.sigma)),
            degrees_of_freedom: noise.and_then(|n| tidy(n.degrees_of_freedom)),
        },
        detectable: row.detectable.and_then(tidy),
        runs_needed: row.runs_needed,
        rounded: row.rounded,
    }
}

fn source(noise: Noise) -> &'static str {
    match noise {
        Noise::Replicates(_) => "replicates",
        Noise::History(_) => "history",
        Noise::Counts => "counts",
        Noise::Unknown => "unknown",
    }
}

fn size(size: Size) -> SizeJson {
    SizeJson {
        runs: size.runs,
        requests: size.requests,
        effective: size.effective.and_then(tidy),
    }
}

fn shift(point: &ShiftPoint) -> ShiftJson {
    ShiftJson {
        quantile: quantile_name((point.q * 1e6).round() as u32),
        baseline_ms: tidy(point.baseline),
        current_ms: tidy(point.current),
        relative: point.relative().and_then(tidy),
    }
}
