//! The table of all endpoints: a row each, with the level now and the change of every metric.

use std::collections::BTreeMap;

use minijinja::{Value, context};

use crate::report::html::names::brief;
use crate::report::trend::order::{self, Sorted};
use crate::report::trend::words;
use crate::tally::Endpoint;
use crate::trend::{Group, Series, SeriesMetric};
use crate::units::Scale;

/// What the template shows; `anchors` says which endpoints have charts, and where.
pub fn view(
    group: &Group,
    sorted: &Sorted<'_>,
    anchors: &BTreeMap<Option<Endpoint>, String>,
) -> Value {
    let endpoints = || sorted.eventful.iter().chain(&sorted.calm).copied();
    let mut metrics: Vec<SeriesMetric> = Vec::new();
    // What only the total has is in its charts.
    for series in endpoints().flatten() {
        if !metrics.contains(&series.metric) {
            metrics.push(series.metric);
        }
    }
    let columns: Vec<(SeriesMetric, Scale)> = metrics
        .into_iter()
        .map(|metric| {
            let of_metric = group.series.iter().filter(|s| s.metric == metric);
            let values = of_metric.filter_map(|s| words::row(group, s).now);
            (metric, Scale::of(metric.unit(), values))
        })
        .collect();
    let row = |series: &[Series]| {
        let worst = order::worst(series);
        let endpoint = series.first().and_then(|s| s.endpoint.clone());
        context! {
            method => endpoint.as_ref().map(|e| brief(&e.method)).filter(|m| !m.is_empty()),
            name => endpoint.as_ref().map(|e| brief(&e.name)),
            charts => anchors.get(&endpoint),
            class => worst.map(super::class),
            word => worst.map(words::word),
            cells => columns.iter().flat_map(|column| cells(group, series, column)).collect::<Vec<_>>(),
        }
    };
    context! {
        columns => columns.iter().map(|(metric, scale)| context! { name => metric.name(), unit => scale.symbol }).collect::<Vec<_>>(),
        rows => endpoints().map(row).collect::<Vec<_>>(),
        count => sorted.eventful.len() + sorted.calm.len(),
        total => (!sorted.total.is_empty()).then(|| row(sorted.total)),
    }
}

fn cells(group: &Group, series: &[Series], (metric, scale): &(SeriesMetric, Scale)) -> [String; 2] {
    let none = || words::NONE.to_owned();
    let Some(series) = series.iter().find(|s| s.metric == *metric) else {
        return [none(), none()];
    };
    let row = words::row(group, series);
    let now = row.now.map_or_else(none, |value| scale.text(value));
    [now, row.change]
}
