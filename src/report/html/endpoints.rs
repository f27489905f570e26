//! The table of endpoints, and their small multiples.

use std::collections::BTreeSet;

use minijinja::{Value, context};

use super::{NONE, comparison, names};
use crate::analysis::Analysis;
use crate::comparison::Comparison;
use crate::parallel;
use crate::report::chart::small;
use crate::summary::{EndpointSummary, Summary, Timeline};
use crate::tally::WORTH_THREADS;
use crate::units::{Scale, Unit};

/// Endpoints that have a line in the table: a page of thousands stays small enough to open.
const LINES: usize = 300;
/// Endpoints that have a small multiple.
const MULTIPLES: usize = 60;
/// The fewest and the most points of a line in the table, and of a small multiple.
const FEWEST_POINTS: usize = 12;
const MOST_POINTS: usize = 60;
/// A point stands for at least this many requests on average: the line of a rare endpoint would fall to pieces.
const REQUESTS_A_POINT: u64 = 4;

/// One column of numbers.
struct Column {
    title: &'static str,
    unit: Unit,
    /// The metric's anchor among the methods.
    method: &'static str,
    value: fn(&EndpointSummary) -> Option<f64>,
}

const COLUMNS: [Column; 9] = [
    Column {
        title: "Requests",
        unit: Unit::Count,
        method: "requests",
        value: |e| Some(e.requests as f64),
    },
    Column {
        title: "Failed",
        unit: Unit::Ratio,
        method: "failure_ratio",
        value: |e| e.failure_ratio,
    },
    Column {
        title: "Rate",
        unit: Unit::PerSecond,
        method: "rps",
        value: |e| e.rps,
    },
    Column {
        title: "Mean",
        unit: Unit::Time,
        method: "mean",
        value: |e| e.response_time.mean,
    },
    Column {
        title: "p50",
        unit: Unit::Time,
        method: "pn",
        value: |e| quantile(e, 500_000),
    },
    Column {
        title: "p90",
        unit: Unit::Time,
        method: "pn",
        value: |e| quantile(e, 900_000),
    },
    Column {
        title: "p95",
        unit: Unit::Time,
        method: "pn",
        value: |e| quantile(e, 950_000),
    },
    Column {
        title: "p99",
        unit: Unit::Time,
        method: "pn",
        value: |e| quantile(e, 990_000),
    },
    Column {
        title: "Max",
        unit: Unit::Time,
        method: "max",
        value: |e| e.response_time.max,
    },
];

fn quantile(endpoint: &EndpointSummary, millionths: u32) -> Option<f64> {
    endpoint.response_time.quantiles.get(&millionths).copied()
}

/// What `endpoints.html` shows.
pub fn view(analysis: &Analysis) -> anyhow::Result<Value> {
    let summary = &analysis.summary;
    let compared = analysis.comparison.as_ref();
    let everything = || {
        summary
            .endpoints
            .iter()
            .chain(std::iter::once(&summary.total))
    };
    let scales: Vec<Scale> = COLUMNS
        .iter()
        .map(|column| Scale::of(column.unit, everything().filter_map(|e| (column.value)(e))))
        .collect();
    let drawn = slowest(summary, LINES);
    let lines = !drawn.is_empty();
    let rows: anyhow::Result<Vec<Value>> = summary
        .endpoints
        .iter()
        .enumerate()
        .map(|(i, endpoint)| {
            row(
                endpoint,
                &scales,
                lines.then(|| drawn.contains(&i)),
                compared,
            )
        })
        .collect();
    Ok(context! {
        columns => COLUMNS.iter().zip(&scales).map(|(c, s)| context! { title => c.title, unit => s.symbol, method => c.method }).collect::<Vec<_>>(),
        compared => compared.is_some(),
        lines,
        all_lines => drawn.len() == summary.endpoints.len(),
        rows => rows?,
        count => Unit::Count.human(summary.endpoints.len() as f64),
        total => row(&summary.total, &scales, lines.then_some(true), compared)?,
        multiples => multiples(summary)?,
        multiples_left => Unit::Count.human(summary.endpoints.len().saturating_sub(MULTIPLES) as f64),
        more_than_multiples => summary.endpoints.len() > MULTIPLES,
    })
}

/// The endpoints with the highest p95 of those that have one over time, as their places in the summary.
fn slowest(summary: &Summary, most: usize) -> BTreeSet<usize> {
    by_p95(summary).into_iter().take(most).collect()
}

fn by_p95(summary: &Summary) -> Vec<usize> {
    let is_large = summary.total.requests >= WORTH_THREADS;
    parallel::each(
        summary.endpoints.iter().collect(),
        is_large,
        |e: &EndpointSummary| {
            e.timeline();
        },
    );
    let timed = |e: &EndpointSummary| {
        e.timeline()
            .rows
            .iter()
            .filter(|row| row.p95.is_some())
            .count()
            > 1
    };
    let mut places: Vec<usize> = (0..summary.endpoints.len())
        .filter(|i| timed(&summary.endpoints[*i]))
        .collect();
    let p95 = |i: &usize| quantile(&summary.endpoints[*i], 950_000).unwrap_or(0.0);
    places.sort_by(|a, b| p95(b).total_cmp(&p95(a))); // stable: equals by name
    places
}

fn row(
    endpoint: &EndpointSummary,
    scales: &[Scale],
    line: Option<bool>,
    compared: Option<&Comparison>,
) -> anyhow::Result<Value> {
    let cell = |(column, scale): (&Column, &Scale)| {
        (column.value)(endpoint).map_or_else(|| NONE.to_owned(), |value| scale.text(value))
    };
    let line = match line {
        Some(true) => small::sparkline(&thinned(endpoint))?,
        Some(false) | None => String::new(),
    };
    let (method, name) = match &endpoint.endpoint {
        Some(key) => (names::brief(&key.method), names::text(&key.name)),
        None => (String::new(), names::text("Total")),
    };
    Ok(context! {
        method,
        name,
        cells => COLUMNS.iter().zip(scales).map(cell).collect::<Vec<_>>(),
        line => Value::from_safe_string(line),
        change => compared.map(|c| comparison::cell(c, endpoint.endpoint.as_ref())),
    })
}

fn thinned(endpoint: &EndpointSummary) -> Timeline {
    let points = (endpoint.requests / REQUESTS_A_POINT) as usize;
    endpoint
        .timeline()
        .thinned(points.clamp(FEWEST_POINTS, MOST_POINTS))
}

fn multiples(summary: &Summary) -> anyhow::Result<Vec<Value>> {
    let shown = by_p95(summary).into_iter().take(MULTIPLES);
    let multiple = |i: usize| -> anyhow::Result<Value> {
        let endpoint = &summary.endpoints[i];
        let human = |millionths| {
            quantile(endpoint, millionths)
                .map_or_else(|| NONE.to_owned(), |ms| Unit::Time.human(ms))
        };
        let highest = endpoint
            .timeline()
            .extremes(|row| row.p95)
            .and_then(|(_, row)| row.p95);
        Ok(context! {
            row => i,
            name => names::brief(&endpoint.name()),
            p50 => human(500_000),
            p95 => human(950_000),
            highest => highest.map_or_else(|| NONE.to_owned(), |ms| Unit::Time.human(ms)),
            failed => (endpoint.failures > 0).then(|| endpoint.failure_ratio.map(|r| Unit::Ratio.human(r))).flatten(),
            svg => Value::from_safe_string(small::multiple(&thinned(endpoint))?),
        })
    };
    shown.map(multiple).collect()
}
