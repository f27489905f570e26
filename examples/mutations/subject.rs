//! What is mutated: real runs of every input, with gates that fail on them as they are.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::judge::{self, Scratch};
use super::runs::{Run, collect};

/// A file of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl File {
    /// Whether it is called a table.
    pub fn is_table(&self) -> bool {
        has_ending(&self.name, "csv")
    }
}

/// Whether a file's name ends so.
pub fn has_ending(name: &str, ending: &str) -> bool {
    let its = Path::new(name).extension();
    its.is_some_and(|its| its.eq_ignore_ascii_case(ending))
}

/// What kind of input is mutated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Locust's set of CSV tables.
    Tables,
    /// Locust's JSON.
    LocustJson,
    /// A request log.
    Log,
    /// A request log, and the tables of the same run.
    LogBesideTables,
    /// A `report.json` that is the baseline.
    Report,
    /// A history that is the baseline.
    History,
}

impl Kind {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tables => "tables",
            Self::LocustJson => "locust-json",
            Self::Log => "log",
            Self::LogBesideTables => "log-and-tables",
            Self::Report => "report",
            Self::History => "history",
        }
    }

    /// Whether the mutated files are what the run is compared with, not the run.
    pub fn is_baseline(self) -> bool {
        matches!(self, Self::Report | Self::History)
    }
}

/// What a gate asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// Requests.
    Requests,
    /// Failed requests.
    Failures,
    /// Failures ÷ requests.
    FailureRatio,
    /// Mean response time, ms.
    Mean,
    /// Longest response time, ms.
    Max,
    /// A percentile (0 to 100) of the response times, ms.
    Percentile(u32),
    /// Requests per second.
    Rps,
    /// Most users.
    Users,
    /// The largest value of a measured field.
    FieldMax(String),
    /// The mean of a measured field.
    FieldMean(String),
}

impl Figure {
    /// As a gate writes it.
    fn metric(&self) -> String {
        match self {
            Self::Requests => "requests".to_owned(),
            Self::Failures => "failures".to_owned(),
            Self::FailureRatio => "failure_ratio".to_owned(),
            Self::Mean => "mean".to_owned(),
            Self::Max => "max".to_owned(),
            Self::Percentile(p) => format!("p{p}"),
            Self::Rps => "rps".to_owned(),
            Self::Users => "users".to_owned(),
            Self::FieldMax(name) => format!("max({name})"),
            Self::FieldMean(name) => format!("mean({name})"),
        }
    }

    fn unit(&self) -> &'static str {
        match self {
            Self::Mean | Self::Max | Self::Percentile(_) => "ms",
            Self::Rps => "/s",
            _ => "",
        }
    }

    /// In a report, of the total or of an endpoint.
    fn of(&self, report: &Value, endpoint: &Value) -> Option<f64> {
        let times = &endpoint["response_time_ms"];
        let value = match self {
            Self::Requests => &endpoint["requests"],
            Self::Failures => &endpoint["failures"],
            Self::FailureRatio => &endpoint["failure_ratio"],
            Self::Mean => &times["mean"],
            Self::Max => &times["max"],
            Self::Percentile(p) => &times["quantiles"][format!("p{p}")],
            Self::Rps => &endpoint["rps"],
            Self::Users => &report["run"]["users_max"],
            Self::FieldMax(name) => &endpoint["fields"][name]["max"],
            Self::FieldMean(name) => &endpoint["fields"][name]["mean"],
        };
        value.as_f64()
    }
}

/// Which endpoint a gate is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// `GET`, …
    pub method: String,
    /// Its name.
    pub name: String,
}

/// A gate that fails on the run as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// Its id in the gate file.
    pub id: String,
    /// What it asks for.
    pub figure: Figure,
    /// Of which endpoint; `None` is the total.
    pub on: Option<Endpoint>,
    /// Whether the figure must be above the limit, not below.
    pub above: bool,
    /// The limit; of a baseline the factor.
    pub limit: f64,
    /// The requirement's text.
    pub require: String,
}

impl Gate {
    /// Whether a figure keeps it.
    pub fn holds(&self, value: f64) -> bool {
        if self.above {
            value > self.limit
        } else {
            value < self.limit
        }
    }
}

/// A run with gates that fail on it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Where it is from, and its kind.
    pub name: String,
    /// What kind.
    pub kind: Kind,
    /// What is mutated.
    pub files: Vec<File>,
    /// Of a baseline the run that is compared with it.
    pub current: Vec<File>,
    /// Another run's files of the same kind, to mix in.
    pub other: Vec<File>,
    /// The gates, all of which fail.
    pub gates: Vec<Gate>,
}

impl Subject {
    /// The gate file.
    pub fn gate_file(&self) -> String {
        let mut all = Vec::new();
        for gate in &self.gates {
            let Gate { id, require, .. } = gate;
            let mut lines = vec![
                "[[gate]]".to_owned(),
                format!("id = \"{id}\""),
                format!("require = \"{require}\""),
            ];
            if let Some(on) = &gate.on {
                let name = format!("{} {}", on.method, on.name);
                lines.push(format!("on = {}", Value::String(name)));
            }
            if self.kind.is_baseline() {
                lines.push("significant = false".to_owned());
            }
            all.extend(lines);
        }
        all.join("\n") + "\n"
    }
}

/// Every run below the folders, in every form that it is there in; `most_lines` bounds a log.
pub fn find(folders: &[String], most_lines: usize, scratch: &Scratch) -> Result<Vec<Subject>> {
    let mut runs = Vec::new();
    for folder in folders {
        collect(Path::new(folder), folder, most_lines, &mut runs)?;
    }
    runs.sort_by(|a: &Run, b: &Run| a.name.cmp(&b.name));
    let mut subjects = Vec::new();
    for (i, run) in runs.iter().enumerate() {
        let other = runs.iter().cycle().skip(i + 1).take(runs.len());
        let other: Vec<&Run> = other.collect();
        for kind in [
            Kind::Tables,
            Kind::LocustJson,
            Kind::Log,
            Kind::LogBesideTables,
        ] {
            let Some(files) = run.files(kind) else {
                continue;
            };
            let other = other.iter().find_map(|other| other.files(kind));
            let subject = Subject {
                name: format!("{} ({})", run.name, kind.name()),
                kind,
                files,
                current: Vec::new(),
                other: other.unwrap_or_default(),
                gates: Vec::new(),
            };
            subjects.extend(with_gates(subject, scratch)?);
        }
        if let Some(log) = &run.log {
            subjects.extend(kept(run, log, scratch)?);
        }
    }
    Ok(subjects)
}

/// How far below or above its own figure a run's limit lies: the nearest at which it fails for sure.
const FACTORS: [f64; 3] = [0.97, 0.9, 0.75];

/// The subject with the gates that fail on it; `None` if there are fewer than three.
fn with_gates(mut subject: Subject, scratch: &Scratch) -> Result<Option<Subject>> {
    let Some(report) = judge::report(&subject, scratch)? else {
        return Ok(None);
    };
    let mut failing = Vec::new();
    for factor in FACTORS {
        subject.gates = wished(&report, factor);
        subject.gates.retain(|gate| !has(&failing, gate));
        let Some(report) = judge::report(&subject, scratch)? else {
            continue;
        };
        let verdicts = judge::verdicts(&report);
        let fails = |gate: &&Gate| verdicts.get(&gate.id).map(String::as_str) == Some("fail");
        let found: Vec<Gate> = subject.gates.iter().filter(fails).cloned().collect();
        failing.extend(found);
    }
    for (i, gate) in failing.iter_mut().enumerate() {
        gate.id = format!("G{i}");
    }
    subject.gates = failing;
    Ok((subject.gates.len() >= 3).then_some(subject))
}

fn has(gates: &[Gate], wished: &Gate) -> bool {
    let same = |gate: &Gate| {
        (&gate.figure, &gate.on, gate.above) == (&wished.figure, &wished.on, wished.above)
    };
    gates.iter().any(same)
}

/// Gates whose limits lie that near to the figures.
fn wished(report: &Value, factor: f64) -> Vec<Gate> {
    let mut gates = Vec::new();
    let total = &report["total"];
    let percentiles = [50, 95, 99].map(Figure::Percentile);
    let times = [Figure::Mean, Figure::Max].into_iter().chain(percentiles);
    let counts = [
        Figure::Requests,
        Figure::Failures,
        Figure::FailureRatio,
        Figure::Rps,
        Figure::Users,
    ];
    let fields = total["fields"].as_object();
    let fields = fields.into_iter().flat_map(|fields| fields.keys().take(2));
    let fields = fields.flat_map(|name| {
        [
            Figure::FieldMax(name.clone()),
            Figure::FieldMean(name.clone()),
        ]
    });
    for figure in times.clone().chain(counts).chain(fields) {
        gate(&mut gates, report, (total, None), figure, false, factor);
    }
    for figure in [Figure::Requests, Figure::Rps, Figure::Users] {
        gate(&mut gates, report, (total, None), figure, true, factor);
    }
    let endpoints: Vec<&Value> = report["endpoints"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let by = |key: &dyn Fn(&Value) -> Option<f64>| {
        let enough = endpoints
            .iter()
            .filter(|e| e["requests"].as_u64() > Some(40));
        enough.max_by(|a, b| key(a).unwrap_or(0.0).total_cmp(&key(b).unwrap_or(0.0)))
    };
    if let Some(slowest) = by(&|e| e["response_time_ms"]["quantiles"]["p95"].as_f64()) {
        for figure in [Figure::Mean, Figure::Max, Figure::Percentile(95)] {
            gate(
                &mut gates,
                report,
                (slowest, endpoint(slowest)),
                figure,
                false,
                factor,
            );
        }
    }
    if let Some(worst) = by(&|e| e["failures"].as_f64()) {
        for figure in [Figure::Failures, Figure::FailureRatio] {
            gate(
                &mut gates,
                report,
                (worst, endpoint(worst)),
                figure,
                false,
                factor,
            );
        }
    }
    gates
}

fn endpoint(of: &Value) -> Option<Endpoint> {
    Some(Endpoint {
        method: of["method"].as_str()?.to_owned(),
        name: of["name"].as_str()?.to_owned(),
    })
}

fn gate(
    gates: &mut Vec<Gate>,
    report: &Value,
    (target, on): (&Value, Option<Endpoint>),
    figure: Figure,
    above: bool,
    factor: f64,
) {
    let Some(value) = figure.of(report, target).filter(|v| *v > 0.0) else {
        return;
    };
    let limit = if above {
        value / factor
    } else {
        value * factor
    };
    // Six digits are enough, and are what the gate file says.
    let limit = (limit * 1e6).round() / 1e6;
    let cmp = if above { ">" } else { "<" };
    let require = format!("{} {cmp} {limit}{}", figure.metric(), figure.unit());
    gates.push(Gate {
        id: format!("W{}", gates.len()),
        figure,
        on,
        above,
        limit,
        require,
    });
}

/// The run's report and its history as baselines of a run that is much worse.
fn kept(run: &Run, log: &File, scratch: &Scratch) -> Result<Vec<Subject>> {
    let Some(worse) = worse(log) else {
        return Ok(Vec::new());
    };
    let Some((report, history)) = judge::keep(log, scratch)? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for (kind, name, bytes) in [
        (Kind::Report, "report.json", report),
        (Kind::History, "history.jsonl", history),
    ] {
        let file = File {
            name: name.to_owned(),
            bytes,
        };
        let mut subject = Subject {
            name: format!("{} ({})", run.name, kind.name()),
            kind,
            files: vec![file],
            current: vec![worse.clone()],
            other: Vec::new(),
            gates: Vec::new(),
        };
        for (figure, above, factor) in [
            (Figure::Mean, false, 1.2),
            (Figure::Percentile(95), false, 1.2),
            (Figure::Percentile(50), false, 1.2),
            (Figure::Max, false, 1.2),
            (Figure::FailureRatio, false, 1.2),
            (Figure::Failures, false, 1.2),
            (Figure::FieldMax("api_calls".to_owned()), false, 1.2),
            (Figure::FieldMean("api_calls".to_owned()), false, 1.2),
            (Figure::Rps, true, 0.8),
        ] {
            let (cmp, sign) = if above { (">=", '-') } else { ("<=", '+') };
            subject.gates.push(Gate {
                id: format!("G{}", subject.gates.len()),
                require: format!("{} {cmp} baseline {sign} 20%", figure.metric()),
                figure,
                on: None,
                above,
                limit: factor,
            });
        }
        let Some(report) = judge::report(&subject, scratch)? else {
            continue;
        };
        let verdicts = judge::verdicts(&report);
        let fails = |gate: &Gate| verdicts.get(&gate.id).map(String::as_str) == Some("fail");
        subject.gates.retain(fails);
        if subject.gates.len() >= 3 {
            found.push(subject);
        }
    }
    Ok(found)
}

/// The same log a week later, everything twice as slow, at half the pace, with more failures and calls.
fn worse(log: &File) -> Option<File> {
    let mut bytes = Vec::new();
    let mut first = None;
    for (i, line) in log.bytes.split(|b| *b == b'\n').enumerate() {
        let Ok(Value::Object(mut request)) = serde_json::from_slice(line) else {
            continue;
        };
        let start = request.get("start_time")?.as_f64()?;
        let first = *first.get_or_insert(start);
        request.remove("timestamp");
        request.insert(
            "start_time".to_owned(),
            (start + 604_800.0 + (start - first)).into(),
        );
        let time = request.get("response_time")?.as_f64()?;
        request.insert("response_time".to_owned(), (2.0 * time).into());
        if let Some(calls) = request.get("api_calls").and_then(Value::as_f64) {
            request.insert("api_calls".to_owned(), (2.0 * calls).into());
        }
        if i % 5 == 0 {
            request.insert("success".to_owned(), false.into());
        }
        serde_json::to_writer(&mut bytes, &request).ok()?;
        bytes.push(b'\n');
    }
    Some(File {
        name: "current.jsonl".to_owned(),
        bytes,
    })
}
