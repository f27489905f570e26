//! `metrics.csv`: long form for trends, in base units, safe to open in a spreadsheet.

use crate::analysis::Analysis;
use crate::comparison::{Comparison, EndpointComparison, Row};
use crate::gate;
use crate::summary::EndpointSummary;
use crate::units::{moment, quantile_name};
use crate::visible;

const HEADER: [&str; 8] = [
    "run",
    "started_at",
    "method",
    "name",
    "metric",
    "value",
    "unit",
    "status",
];

/// Renders the whole report.
pub fn render(analysis: &Analysis) -> anyhow::Result<String> {
    let summary = &analysis.summary;
    let started = summary.started_ms.map(moment).unwrap_or_default();
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(HEADER)?;
    let mut row =
        |method: &str, name: &str, metric: &str, value: Option<f64>, unit: &str, status: &str| {
            let value = value.map(|v| v.to_string()).unwrap_or_default();
            let (run, method, name, metric) =
                (safe(&summary.label), safe(method), safe(name), safe(metric));
            table.write_record([
                &run, &started, &method, &name, &metric, &value, unit, status,
            ])
        };
    for endpoint in std::iter::once(&summary.total).chain(&summary.endpoints) {
        let (method, name) = endpoint
            .endpoint
            .as_ref()
            .map_or(("", "Total"), |e| (e.method.as_str(), e.name.as_str()));
        for (metric, value, unit) in figures(endpoint) {
            row(method, name, &metric, value, unit, "")?;
        }
    }
    for (metric, value) in rates(analysis) {
        row("", "Total", &metric, Some(value), "", "")?;
    }
    for (endpoint, compared) in analysis.comparison.iter().flat_map(rows_of) {
        let (method, name) = endpoint
            .endpoint
            .as_ref()
            .map_or(("", "Total"), |e| (e.method.as_str(), e.name.as_str()));
        let unit = compared.metric.unit().symbol();
        let word = compared.judgement.word.name();
        let metric = format!("baseline:{}", compared.metric);
        row(
            method,
            name,
            &metric,
            compared.baseline.clone().ok(),
            unit,
            "",
        )?;
        let metric = format!("change:{}", compared.metric);
        row(method, name, &metric, compared.change, unit, word)?;
    }
    let alike = gate::alike(&analysis.verdicts);
    for (verdict, is_alike) in analysis.verdicts.iter().zip(alike) {
        let total = if verdict.selector.is_some() {
            ""
        } else {
            "Total"
        };
        let (method, name) = verdict
            .endpoint
            .as_ref()
            .map_or(("", total), |e| (e.method.as_str(), e.name.as_str()));
        let metric = if is_alike {
            format!("gate:{}:{}", verdict.id, verdict.require)
        } else {
            format!("gate:{}", verdict.id)
        };
        row(
            method,
            name,
            &metric,
            verdict.observed,
            verdict.unit.symbol(),
            verdict.decision.name(),
        )?;
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}

/// Every compared figure with its endpoint.
fn rows_of(comparison: &Comparison) -> impl Iterator<Item = (&EndpointComparison, &Row)> {
    let endpoints = comparison.endpoints.iter();
    endpoints.flat_map(|e| e.rows.iter().map(move |row| (e, row)))
}

/// Name, value and base unit of everything known of an endpoint; what is not known has no row.
fn figures(endpoint: &EndpointSummary) -> Vec<(String, Option<f64>, &'static str)> {
    let times = &endpoint.response_time;
    let fixed = [
        ("requests", Some(endpoint.requests as f64), ""),
        ("failures", Some(endpoint.failures as f64), ""),
        ("failure_ratio", endpoint.failure_ratio, "ratio"),
        ("rps", endpoint.rps, "1/s"),
        ("min", times.min, "ms"),
        ("mean", times.mean, "ms"),
        ("max", times.max, "ms"),
        ("stddev", times.stddev, "ms"),
    ];
    let quantiles = times
        .quantiles
        .iter()
        .map(|(q, v)| (quantile_name(*q), Some(*v), "ms"));
    let fields = endpoint.fields.iter().flat_map(|(name, field)| {
        let known = [
            ("min", Some(field.min)),
            ("mean", Some(field.mean)),
            ("p95", Some(field.p95)),
            ("max", Some(field.max)),
            ("sum", Some(field.sum)),
            ("increase", field.increase),
            ("slope", field.slope_per_hour),
        ];
        known.map(|(agg, value)| (format!("{agg}({name})"), value, ""))
    });
    let fixed = fixed
        .into_iter()
        .map(|(name, value, unit)| (name.to_owned(), value, unit));
    fixed
        .chain(quantiles)
        .chain(fields)
        .filter(|(_, value, _)| value.is_some_and(f64::is_finite))
        .collect()
}

/// The run's peaks, as far as they are exact and whole, and what quotas were measured to be.
fn rates(analysis: &Analysis) -> Vec<(String, f64)> {
    let peaks = analysis.summary.peaks.iter();
    let exact = peaks.filter(|w| w.is_exact());
    let mut rates: Vec<(String, f64)> = exact
        .map(|w| {
            (
                format!("peak({}s)", w.peak.window_ms / 1000),
                w.peak.count as f64,
            )
        })
        .collect();
    for quota in &analysis.quotas {
        let Some(usage) = &quota.usage else { continue };
        let mut figure = |name: &str, value: Option<f64>| {
            rates.extend(value.map(|v| (format!("quota:{}:{name}", quota.id), v)));
        };
        figure("peak", Some(usage.peak as f64));
        figure("at_most", usage.at_most.map(|most| most as f64));
        figure("utilization", Some(usage.utilization));
        figure("bursts", usage.bursts.as_ref().map(|b| b.len() as f64));
        figure("rejected", usage.replay.map(|r| r.rejected as f64));
    }
    rates
}

/// Text that no spreadsheet takes for a formula, and no log for an order.
pub(super) fn safe(text: &str) -> String {
    // The wide forms are formulas to spreadsheets of East Asia.
    let begins = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let seen = visible::text(text);
    if seen.starts_with(begins) || seen.trim_start().starts_with("::") {
        format!("'{seen}")
    } else {
        seen.into_owned()
    }
}

/// Whether a file begins as one of ours.
pub fn is_report(head: &str) -> bool {
    head.starts_with(&HEADER.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn no_cell_is_a_formula_and_verdicts_are_rows() {
        let text = render(&fixture::analysis(50)).expect("renders");
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = table.records().map(|r| r.expect("a row")).collect();
        assert!(rows.iter().flatten().all(|cell| !cell.starts_with('=')));
        let statuses: Vec<&str> = rows
            .iter()
            .map(|r| r.get(7).unwrap_or_default())
            .filter(|s| !s.is_empty())
            .collect();
        assert_eq!(
            statuses,
            ["pass", "fail", "undecided", "pass", "pass", "fail"]
        );
    }
}
