//! A kept run as a sample: its figures as they were written, how sure it was of them, and its response times.

use crate::comparison::rounding::Rounded;
use crate::comparison::sample::kept::{Kept, as_sure_as, bin_width};
use crate::comparison::sample::{EndpointSample, Figure, Sample, Spread};
use crate::comparison::shortfall::Shortfall;
use crate::comparison::terms::Terms;
use crate::input::report::{Endpoint, Field, Peak, Report};
use crate::metric::measure::NO_OUTCOME;
use crate::metric::{Aggregate, Filter, Metric};
use crate::place::shown;
use crate::summary::quantile::quantile;
use crate::tally::{self, Evidence};
use crate::units::{percentile_name, quantile_name};

/// What a run was kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptIn {
    /// A `report.json`.
    Report,
    /// A line of a history.
    History,
}

impl KeptIn {
    /// For people.
    fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::History => "line of the history",
        }
    }

    /// What is not kept, and what can be done.
    fn lacks(self, what: impl std::fmt::Display) -> String {
        format!(
            "a {} does not keep {what}: give the run itself as the baseline",
            self.name()
        )
    }

    /// The same of what only older versions did not keep.
    fn is_older(self, what: &str) -> String {
        let again = match self {
            Self::Report => "write it anew with `--json`",
            Self::History => "runs that are recorded now have them",
        };
        format!(
            "the baseline's {} is older and was written without {what}: {again}, or give the run itself as the baseline",
            self.name()
        )
    }
}

/// The run that was kept; named by its path, as it keeps its own label.
pub fn sample(report: &Report, kept_in: KeptIn, path: &str, terms: &Terms) -> Sample {
    let of = Whole {
        report,
        kept_in,
        terms,
    };
    let endpoint = |e: &Endpoint, total: bool| endpoint_sample(e, total, &of);
    Sample {
        label: format!("{} ({})", report.run.label, shown(path)),
        started_ms: report.run.started_ms,
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

/// What is looked at beside an endpoint.
struct Whole<'a> {
    report: &'a Report,
    kept_in: KeptIn,
    terms: &'a Terms,
}

fn endpoint_sample(of: &Endpoint, total: bool, whole: &Whole) -> EndpointSample {
    let figures = whole
        .terms
        .metrics_of(total)
        .map(|metric| Figure {
            metric: metric.clone(),
            value: value(metric, of, total, whole),
            spread: spread(metric, of),
        })
        .collect();
    let worth = of
        .sample
        .as_ref()
        .and_then(|kept| *kept.effective_requests.get("failure_ratio")?);
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
    let kept = of.sample.iter().flat_map(|kept| &kept.times_us);
    Kept::middles(&kept.copied().collect())
}

fn spread(metric: &Metric, of: &Endpoint) -> Result<Spread, Shortfall> {
    let kept = of.sample.as_ref().ok_or(Shortfall::NothingOverTime)?;
    let name = as_sure_as(metric).to_string();
    let error = kept.relative_error.get(&name).copied().flatten();
    Ok(Spread {
        standard_error: error.ok_or(Shortfall::NothingOverTime)?,
        effective: kept.effective_requests.get(&name).copied().flatten(),
    })
}

fn value(metric: &Metric, of: &Endpoint, total: bool, whole: &Whole) -> Result<Rounded, String> {
    if let Some(because) = of.doubts.on(metric) {
        return Err(because.to_owned());
    }
    if of.requests == 0 && !matches!(metric, Metric::Field(..)) {
        return Err("there are no requests".to_owned());
    }
    let (n, kept_in) = (of.requests, whole.kept_in);
    let known = |value: Option<f64>| {
        let lacks = || format!("the {} holds no `{metric}`", kept_in.name());
        value.map(Rounded::exact).ok_or_else(lacks)
    };
    let times = &of.response_time_ms;
    let run = &whole.report.run;
    match metric {
        Metric::Requests => Ok(Rounded::exact(n as f64)),
        Metric::Failures => Ok(failed(of, of.failures).count()),
        Metric::FailureRatio => failed(of, of.failures).share(n),
        Metric::SuccessRatio => {
            let ratio = failed(of, of.failures).share(n)?;
            Ok(Rounded::exact(1.0 - ratio.value))
        }
        Metric::UnexpectedFailures => Ok(failed(of, unexpected(of, whole)?).count()),
        Metric::UnexpectedFailureRatio => failed(of, unexpected(of, whole)?).share(n),
        Metric::Ratio(filter) => with_status(metric, filter, of, whole)?.share(n),
        Metric::Count(filter) => Ok(with_status(metric, filter, of, whole)?.count()),
        Metric::Min => known(times.min),
        Metric::Mean => known(times.mean),
        Metric::Max | Metric::Quantile(1.0) => known(times.max),
        Metric::Stddev => known(times.stddev),
        Metric::Quantile(q) => of_quantile(*q, of, kept_in),
        Metric::Field(aggregate, name) => field(*aggregate, name, of, kept_in),
        Metric::Rps => known(of.rps),
        Metric::Rpm => known(of.rps.map(|r| r * 60.0)),
        Metric::Peak(window_s) if total => peak(*window_s, whole),
        Metric::Users => known(run.users_max.map(|u| u as f64)),
        Metric::Duration => known(run.duration_s.map(|s| s * 1e3)),
        Metric::Peak(_) | Metric::Apdex(_) => Err(kept_in.lacks(format!("`{metric}`"))),
    }
}

/// So many requests, and perhaps some more of which it is not known.
struct Selected {
    count: u64,
    unknown: u64,
    lacking: &'static str,
}

impl Selected {
    fn count(&self) -> Rounded {
        Rounded {
            upper: (self.count + self.unknown) as f64,
            ..Rounded::exact(self.count as f64)
        }
    }

    /// A share is compared by its counts, which must all be known.
    fn share(&self, n: u64) -> Result<Rounded, String> {
        if self.unknown > 0 {
            return Err(format!("{} of {n} requests {}", self.unknown, self.lacking));
        }
        Ok(Rounded::exact(self.count as f64 / n as f64))
    }
}

fn failed(of: &Endpoint, failures: u64) -> Selected {
    Selected {
        count: failures,
        unknown: of.ends.unknown_outcomes,
        lacking: NO_OUTCOME,
    }
}

fn unexpected(of: &Endpoint, whole: &Whole) -> Result<u64, String> {
    let expected = &whole.terms.expected;
    if expected.is_empty() || of.failures == 0 {
        return Ok(of.failures);
    }
    if of.evidence != Evidence::Requests {
        return Err("Locust's tables do not say which HTTP status a failure had".to_owned());
    }
    let failed = of.ends.failed_statuses.as_ref();
    let failed = failed.ok_or_else(|| whole.kept_in.is_older("the HTTP statuses of failures"))?;
    let of_expected = expected.iter().filter_map(|status| failed.get(status));
    Ok(of.failures.saturating_sub(of_expected.sum()))
}

fn with_status(
    metric: &Metric,
    filter: &Filter,
    of: &Endpoint,
    whole: &Whole,
) -> Result<Selected, String> {
    let kept_in = whole.kept_in;
    if let Filter::Error(_) = filter {
        return Err(kept_in.lacks(format!("error messages by endpoint, so not `{metric}`")));
    }
    let statuses = of.ends.statuses.as_ref();
    let statuses = statuses.ok_or_else(|| kept_in.is_older("HTTP statuses"))?;
    if statuses.is_empty() {
        return Err("no request states an HTTP status".to_owned());
    }
    let selected = |status: u16| match filter {
        Filter::Status(wanted) => status == *wanted,
        Filter::StatusClass(class) => status / 100 == *class,
        Filter::Error(_) => false,
    };
    let count = statuses.iter().filter(|(status, _)| selected(**status));
    // Older reports do not say which of the rest came without an answer.
    let rest = of.requests.saturating_sub(statuses.values().sum());
    Ok(Selected {
        count: count.map(|(_, n)| n).sum(),
        unknown: of.ends.unknown_statuses.unwrap_or(rest),
        lacking: "have no status",
    })
}

/// As it was written; else from the bins, whose edges bound it.
fn of_quantile(q: f64, of: &Endpoint, kept_in: KeptIn) -> Result<Rounded, String> {
    let name = percentile_name(q);
    // The key of 0.9999999 would be that of 1.
    let mut kept = of.response_time_ms.quantiles.iter();
    let kept = kept.find(|(key, _)| quantile_name(**key) == name);
    if let Some((_, ms)) = kept {
        return Ok(match of.evidence {
            Evidence::Requests => Rounded::exact(*ms),
            Evidence::Histogram | Evidence::Reported => Rounded::of(*ms),
        });
    }
    let bins = times(of);
    let n = bins.iter().map(|(_, n)| n).sum();
    let ms = quantile(bins.into_iter(), n, q)
        .ok_or_else(|| format!("the {} holds no {name}", kept_in.name()))?;
    let half = bin_width((ms * 1e3).round() as u64) as f64 / 2e3;
    Ok(Rounded {
        value: ms,
        lower: (ms - half).max(0.0),
        upper: ms + half,
    })
}

fn field(
    aggregate: Aggregate,
    name: &str,
    of: &Endpoint,
    kept_in: KeptIn,
) -> Result<Rounded, String> {
    let fields = of.fields.as_ref();
    let fields = fields.ok_or_else(|| kept_in.is_older("measured fields"))?;
    let field = fields.get(name).ok_or_else(|| {
        let has: Vec<&str> = fields.keys().map(String::as_str).collect();
        let has = if has.is_empty() {
            "there are no measured fields".to_owned()
        } else {
            format!("there are {}", has.join(", "))
        };
        format!("no request has the field `{name}`; {has}")
    })?;
    if let Some(value) = field.figure(aggregate) {
        return Ok(Rounded::exact(value));
    }
    let figure = format!("`{aggregate}({name})`");
    Err(match aggregate {
        Aggregate::Quantile(q) if !Field::keeps(q) => kept_in.lacks(figure),
        Aggregate::Quantile(_) | Aggregate::Stddev => kept_in.is_older(&figure),
        _ => format!("the {} holds no {figure}", kept_in.name()),
    })
}

fn peak(window_s: f64, whole: &Whole) -> Result<Rounded, String> {
    let rates = &whole.report.rates;
    let kept: &Option<Peak> = match (window_s * 1e3).round() as i64 {
        1_000 => &rates.peak_rps,
        60_000 => &rates.peak_rpm,
        _ => {
            let window = format!("the busiest {window_s} s");
            return Err(whole.kept_in.lacks(window));
        }
    };
    let lacks = || format!("the {} holds no such peak", whole.kept_in.name());
    let peak = kept.as_ref().ok_or_else(lacks)?;
    if !peak.whole {
        return Err("the run is shorter than the window".to_owned());
    }
    let most = peak.at_most.ok_or("the source ends before the run")?;
    Ok(Rounded {
        upper: most as f64,
        ..Rounded::exact(peak.value as f64)
    })
}

#[cfg(test)]
mod tests;
