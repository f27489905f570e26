//! `trend.csv`: long form, a row for each run of each series, in base units, safe to open in a spreadsheet.

use super::words;
use crate::report::csv::safe;
use crate::trend::{Group, Series, Trend, name};
use crate::units::moment;

const HEADER: [&str; 15] = [
    "machine",
    "scenario",
    "run",
    "label",
    "started_at",
    "commit",
    "branch",
    "method",
    "name",
    "metric",
    "value",
    "rolling_median",
    "level",
    "unit",
    "mark",
];

/// Whether a file begins as one of ours.
pub fn is_report(head: &str) -> bool {
    head.starts_with(&HEADER.join(","))
}

/// Renders the whole report.
pub fn render(trend: &Trend) -> anyhow::Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(HEADER)?;
    for group in &trend.groups {
        for series in &group.series {
            for run in 0..group.runs.len() {
                table.write_record(row(group, series, run))?;
            }
        }
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}

fn row(group: &Group, series: &Series, i: usize) -> [String; 15] {
    let run = &group.runs[i];
    let text = |value: Option<&str>| value.map(safe).unwrap_or_default();
    let number = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    let level = series
        .levels
        .iter()
        .find(|l| (l.first..=l.last).contains(&i));
    let endpoint = series.endpoint.as_ref();
    [
        text(group.key.machine.as_deref()),
        text(group.key.scenario.as_deref()),
        (i + 1).to_string(),
        safe(&run.label),
        run.started_ms.map(moment).unwrap_or_default(),
        text(run.commit.as_deref()),
        text(run.branch.as_deref()),
        text(endpoint.map(|e| e.method.as_str())),
        safe(&endpoint.map_or_else(|| name(None), |e| e.name.clone())),
        series.metric.name(),
        number(series.values[i]),
        number(series.rolling[i]),
        number(level.map(|level| level.value)),
        series.metric.unit().symbol().to_owned(),
        words::mark(group, series, i),
    ]
}
