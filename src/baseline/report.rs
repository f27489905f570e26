//! A kept report as a sample: its figures as they were written, how sure it was of them, and its response times.

use std::collections::BTreeMap;

use crate::comparison::rounding::Rounded;
use crate::comparison::sample::kept::bin_width;
use crate::comparison::sample::{EndpointSample, Figure, Sample, Spread};
use crate::comparison::shortfall::Shortfall;
use crate::comparison::terms::Terms;
use crate::input::report::{Endpoint, Report};
use crate::metric::{Aggregate, Filter, Metric};
use crate::place::shown;
use crate::summary::quantile::{millionths, quantile};
use crate::tally::{self, Evidence};
use crate::units::quantile_name;

/// The run that the report is of; named by its path, as a report keeps the label of its own run.
pub fn sample(report: &Report, path: &str, terms: &Terms) -> Sample {
    let endpoint = |e: &Endpoint, total: bool| endpoint_sample(e, total, report, terms);
    Sample {
        label: format!("{} ({})", report.run.label, shown(path)),
        duration_s: report.run.duration_s,
        users_max: report.run.users_max,
        metadata: report.run.metadata.clone(),
        recorded: false,
        total: endpoint(&report.total, true),
        endpoints: report
            .endpoints
            .iter()
            .map(|e| {
                let key = tally::Endpoint {
                    name: e.name.clone(),
                    method: e.method.clone(),
                };
                (key, endpoint(e, false))
            })
            .collect(),
    }
}

fn endpoint_sample(of: &Endpoint, total: bool, report: &Report, terms: &Terms) -> EndpointSample {
    let figures = terms
        .metrics_of(total)
        .map(|metric| Figure {
            metric: metric.clone(),
            value: value(metric, of, total, report, terms),
            spread: spread(metric, of),
        })
        .collect();
    let worth = of
        .sample
        .as_ref()
        .and_then(|kept| kept.effective_requests.get("failure_ratio").copied());
    EndpointSample {
        evidence: of.evidence,
        requests: of.requests,
        failures: of.failures,
        effective_of_failures: worth
            .unwrap_or(of.requests as f64)
            .clamp(1.0, of.requests.max(1) as f64),
        times: times(of),
        figures,
    }
}

/// The middle of every bin, in ms.
fn times(of: &Endpoint) -> Vec<(f64, u64)> {
    let bins: BTreeMap<u64, u64> = of
        .sample
        .iter()
        .flat_map(|kept| kept.times_us.iter().copied())
        .collect();
    bins.into_iter()
        .map(|(least, n)| {
            (
                (least as f64 + (bin_width(least) - 1) as f64 / 2.0) / 1e3,
                n,
            )
        })
        .collect()
}

fn spread(metric: &Metric, of: &Endpoint) -> Result<Spread, Shortfall> {
    let kept = of.sample.as_ref().ok_or(Shortfall::NothingOverTime)?;
    let name = metric.to_string();
    let standard_error = *kept
        .relative_error
        .get(&name)
        .filter(|e| e.is_finite() && **e >= 0.0)
        .ok_or(Shortfall::NothingOverTime)?;
    Ok(Spread {
        standard_error,
        effective: kept.effective_requests.get(&name).copied(),
    })
}

fn value(
    metric: &Metric,
    of: &Endpoint,
    total: bool,
    report: &Report,
    terms: &Terms,
) -> Result<Rounded, String> {
    if of.requests == 0 && !matches!(metric, Metric::Field(..)) {
        return Err("there are no requests".to_owned());
    }
    if let Metric::Quantile(q) = metric {
        return of_quantile(*q, of);
    }
    let n = of.requests as f64;
    let times = &of.response_time_ms;
    let known = match metric {
        Metric::Requests => Some(n),
        Metric::Failures => Some(of.failures as f64),
        Metric::FailureRatio => Some(of.failures as f64 / n),
        Metric::SuccessRatio => Some(1.0 - of.failures as f64 / n),
        Metric::UnexpectedFailures => terms.expected.is_empty().then_some(of.failures as f64),
        Metric::UnexpectedFailureRatio => {
            terms.expected.is_empty().then_some(of.failures as f64 / n)
        }
        Metric::Ratio(filter) => with_status(filter, of).map(|k| k as f64 / n),
        Metric::Count(filter) => with_status(filter, of).map(|k| k as f64),
        Metric::Min => times.min,
        Metric::Mean => times.mean,
        Metric::Max => times.max,
        Metric::Stddev => times.stddev,
        Metric::Field(aggregate, name) => field(*aggregate, name, of),
        Metric::Rps => of.rps,
        Metric::Rpm => of.rps.map(|r| r * 60.0),
        Metric::Peak(window_s) if total => peak(*window_s, report),
        Metric::Users => report.run.users_max.map(|u| u as f64),
        Metric::Duration => report.run.duration_s.map(|s| s * 1e3),
        Metric::Peak(_) | Metric::Apdex(_) | Metric::Quantile(_) => None,
    };
    known.map(Rounded::exact).ok_or_else(|| {
        format!("a report does not keep `{metric}`: give the run itself as the baseline")
    })
}

/// As it was written; else from the bins, whose edges bound it.
fn of_quantile(q: f64, of: &Endpoint) -> Result<Rounded, String> {
    let name = quantile_name(millionths(q));
    if let Some(ms) = of.response_time_ms.quantiles.get(&name) {
        return Ok(match of.evidence {
            Evidence::Requests => Rounded::exact(*ms),
            Evidence::Histogram | Evidence::Reported => Rounded::of(*ms),
        });
    }
    let bins = times(of);
    let n = bins.iter().map(|(_, n)| n).sum();
    let ms = quantile(bins.into_iter(), n, q)
        .ok_or_else(|| format!("the report does not keep {name}"))?;
    let half = bin_width((ms * 1e3).round() as u64) as f64 / 2e3;
    Ok(Rounded {
        value: ms,
        lower: (ms - half).max(0.0),
        upper: ms + half,
    })
}

fn with_status(filter: &Filter, of: &Endpoint) -> Option<u64> {
    if of.statuses.is_empty() {
        return None;
    }
    let selected = |status: u16| match filter {
        Filter::Status(wanted) => status == *wanted,
        Filter::StatusClass(class) => status / 100 == *class,
        Filter::Error(_) => false,
    };
    if let Filter::Error(_) = filter {
        return None;
    }
    let counts = of.statuses.iter();
    Some(
        counts
            .filter(|(status, _)| status.parse().is_ok_and(selected))
            .map(|(_, n)| n)
            .sum(),
    )
}

fn field(aggregate: Aggregate, name: &str, of: &Endpoint) -> Option<f64> {
    let figure = match aggregate {
        Aggregate::Quantile(q) if millionths(q) == 950_000 => "p95".to_owned(),
        Aggregate::Slope => "slope_per_hour".to_owned(),
        other => other.to_string(),
    };
    of.fields.get(name)?.get(&figure)?.as_f64()
}

fn peak(window_s: f64, report: &Report) -> Option<f64> {
    let peak = match (window_s * 1e3).round() as i64 {
        1_000 => &report.rates.peak_rps,
        60_000 => &report.rates.peak_rpm,
        _ => &None,
    };
    peak.as_ref().map(|p| p.value as f64)
}
