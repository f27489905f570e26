//! `trend.json`: everything, in base units, in a fixed order. Runs are numbered from 1.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::segment::Direction;
use crate::report::json;
use crate::trend::{
    Algorithm, Change, Drift, Group, Level, Outcome, Prediction, Run, SelfTest, Series, Step, Trend,
};
use crate::units::moment;

/// The version of the format.
const SCHEMA_ID: &str = "loadgate.trend/1";

/// Renders the whole report.
pub fn render(trend: &Trend) -> anyhow::Result<String> {
    let report = Report {
        schema: SCHEMA_ID,
        settings: settings(trend),
        groups: trend.groups.iter().map(group).collect(),
        self_test: trend.self_test.as_ref(),
        notes: &trend.notes,
        outcome: &trend.outcome,
    };
    json::pretty(&report)
}

/// Whether a file begins as one of ours.
pub fn is_report(head: &str) -> bool {
    head.contains("\"schema\"") && head.contains("loadgate.trend/")
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    settings: SettingsJson,
    groups: Vec<GroupJson<'a>>,
    self_test: Option<&'a SelfTest>,
    notes: &'a [String],
    outcome: &'a Outcome,
}

#[derive(Serialize)]
struct SettingsJson {
    algorithm: &'static str,
    alpha: f64,
    false_discovery: f64,
    window: Option<usize>,
    max_pvalue: Option<f64>,
    min_magnitude: Option<f64>,
}

fn settings(trend: &Trend) -> SettingsJson {
    let (algorithm, otava) = match trend.settings.algorithm {
        Algorithm::Segmentation => ("segmentation", None),
        Algorithm::Otava(parameters) => ("otava", Some(parameters)),
    };
    SettingsJson {
        algorithm,
        alpha: trend.settings.alpha,
        false_discovery: trend.settings.false_discovery,
        window: otava.map(|p| p.window_len),
        max_pvalue: otava.map(|p| p.max_pvalue),
        min_magnitude: otava.map(|p| p.min_magnitude),
    }
}

#[derive(Serialize)]
struct GroupJson<'a> {
    newest: bool,
    machine: Option<&'a str>,
    scenario: Option<&'a str>,
    labels: &'a BTreeMap<String, String>,
    users: Option<UsersJson>,
    runs: Vec<RunJson<'a>>,
    changes: Vec<ChangeJson<'a>>,
    series: Vec<SeriesJson<'a>>,
}

#[derive(Serialize)]
struct UsersJson {
    min: u64,
    max: u64,
}

#[derive(Serialize)]
struct RunJson<'a> {
    run: usize,
    id: &'a str,
    label: &'a str,
    started_at: Option<String>,
    commit: Option<&'a str>,
    branch: Option<&'a str>,
    requests: u64,
    verdict: &'a str,
    report: Option<&'a str>,
    file: &'a str,
    line: Option<u64>,
}

#[derive(Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts of a format"
)]
struct ChangeJson<'a> {
    id: &'a str,
    kind: &'static str,
    run: usize,
    method: Option<&'a str>,
    name: Option<&'a str>,
    worse: bool,
    current: bool,
    significant: bool,
    advisory: bool,
    follows: Option<&'a str>,
    acknowledged: Option<&'a str>,
    metrics: Vec<PartJson>,
}

#[derive(Serialize)]
struct PartJson {
    metric: String,
    unit: &'static str,
    before: Option<f64>,
    after: Option<f64>,
    p: Option<f64>,
}

#[derive(Serialize)]
struct SeriesJson<'a> {
    method: Option<&'a str>,
    name: Option<&'a str>,
    metric: String,
    unit: &'static str,
    advisory: bool,
    newest: NewestJson<'a>,
    levels: Vec<LevelJson>,
    steps: Vec<StepJson>,
    drift: Option<DriftJson>,
    spikes: Vec<usize>,
    autocorrelation: Option<f64>,
    values: Vec<Option<f64>>,
    rolling_median: Vec<Option<f64>>,
}

#[derive(Serialize)]
struct NewestJson<'a> {
    verdict: &'static str,
    because: &'a str,
    value: Option<f64>,
    prediction: Option<PredictionJson>,
}

#[derive(Serialize)]
struct PredictionJson {
    runs: usize,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    noise: Option<f64>,
    minimum_detectable: Option<f64>,
    p_worse: Option<f64>,
}

#[derive(Serialize)]
struct LevelJson {
    first_run: usize,
    last_run: usize,
    runs: usize,
    value: Option<f64>,
}

#[derive(Serialize)]
struct StepJson {
    run: usize,
    before: Option<f64>,
    after: Option<f64>,
    p: Option<f64>,
    superiority: Option<f64>,
    direction: &'static str,
}

#[derive(Serialize)]
struct DriftJson {
    first_run: usize,
    runs: usize,
    before: Option<f64>,
    after: Option<f64>,
    p: Option<f64>,
    direction: &'static str,
}

/// Rounded to a millionth of a million: below what is measured, and free of the noise of floats.
fn tidy(value: f64) -> Option<f64> {
    value.is_finite().then(|| match value.abs() {
        magnitude if magnitude >= 1e6 || magnitude == 0.0 => value,
        magnitude if magnitude < 1e-3 => {
            // p-values and small ratios keep six digits.
            let scale = 10_f64.powi(5 - magnitude.log10().floor() as i32);
            (value * scale).round() / scale
        }
        _ => (value * 1e6).round() / 1e6,
    })
}

fn group(group: &Group) -> GroupJson<'_> {
    GroupJson {
        newest: group.newest,
        machine: group.key.machine.as_deref(),
        scenario: group.key.scenario.as_deref(),
        labels: &group.key.labels,
        users: group.key.users.map(|(min, max)| UsersJson { min, max }),
        runs: group
            .runs
            .iter()
            .enumerate()
            .map(|(i, r)| run_json(i, r))
            .collect(),
        changes: group.changes.iter().map(change).collect(),
        series: group.series.iter().map(series).collect(),
    }
}

fn run_json(i: usize, run: &Run) -> RunJson<'_> {
    RunJson {
        run: i + 1,
        id: &run.id,
        label: &run.label,
        started_at: run.started_ms.map(moment),
        commit: run.commit.as_deref(),
        branch: run.branch.as_deref(),
        requests: run.requests,
        verdict: &run.verdict,
        report: run.report.as_deref(),
        file: &run.origin.file,
        line: run.origin.line,
    }
}

fn change(change: &Change) -> ChangeJson<'_> {
    let parts = change.parts.iter().map(|part| PartJson {
        metric: part.metric.name(),
        unit: part.metric.unit().symbol(),
        before: tidy(part.before),
        after: tidy(part.after),
        p: tidy(part.p),
    });
    ChangeJson {
        id: &change.id,
        kind: change.kind.name(),
        run: change.run + 1,
        method: change.endpoint.as_ref().map(|e| e.method.as_str()),
        name: change.endpoint.as_ref().map(|e| e.name.as_str()),
        worse: change.worse,
        current: change.current,
        significant: change.significant,
        advisory: change.advisory,
        follows: change.follows.as_deref(),
        acknowledged: change.acknowledged.as_deref(),
        metrics: parts.collect(),
    }
}

fn series(series: &Series) -> SeriesJson<'_> {
    let column = |values: &[Option<f64>]| values.iter().map(|v| v.and_then(tidy)).collect();
    SeriesJson {
        method: series.endpoint.as_ref().map(|e| e.method.as_str()),
        name: series.endpoint.as_ref().map(|e| e.name.as_str()),
        metric: series.metric.name(),
        unit: series.metric.unit().symbol(),
        advisory: series.advisory,
        newest: NewestJson {
            verdict: series.newest.word.name(),
            because: &series.newest.because,
            value: series.newest.value.and_then(tidy),
            prediction: series.newest.prediction.as_ref().map(prediction),
        },
        levels: series.levels.iter().map(level).collect(),
        steps: series.steps.iter().map(step).collect(),
        drift: series.drift.as_ref().map(drift),
        spikes: series.spikes.iter().map(|run| run + 1).collect(),
        autocorrelation: tidy(series.autocorrelation),
        values: column(&series.values),
        rolling_median: column(&series.rolling),
    }
}

fn prediction(prediction: &Prediction) -> PredictionJson {
    PredictionJson {
        runs: prediction.runs,
        expected: tidy(prediction.expected),
        lower: tidy(prediction.lower),
        upper: tidy(prediction.upper),
        noise: tidy(prediction.noise),
        minimum_detectable: tidy(prediction.minimum_detectable),
        p_worse: tidy(prediction.p_worse),
    }
}

fn level(level: &Level) -> LevelJson {
    LevelJson {
        first_run: level.first + 1,
        last_run: level.last + 1,
        runs: level.runs,
        value: tidy(level.value),
    }
}

fn step(step: &Step) -> StepJson {
    StepJson {
        run: step.run + 1,
        before: tidy(step.before),
        after: tidy(step.after),
        p: tidy(step.p),
        superiority: step.superiority.and_then(tidy),
        direction: direction(step.direction),
    }
}

fn drift(drift: &Drift) -> DriftJson {
    DriftJson {
        first_run: drift.first + 1,
        runs: drift.runs,
        before: tidy(drift.before),
        after: tidy(drift.after),
        p: tidy(drift.p),
        direction: direction(drift.direction),
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}
