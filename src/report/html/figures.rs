//! Which figures a page has, in which section, and what is evidence for which verdict.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Value, context};

use super::{names, policy};
use crate::analysis::Analysis;
use crate::gate::{Decision, Verdict};
use crate::metric::{Filter, Metric};
use crate::report::chart::{Figure, Limit, Reading, distribution, fields, over_time, quota, shift};
use crate::report::trend;
use crate::tally::Endpoint;
use crate::units::{Unit, date_and_time};

/// The most measured fields that have a figure.
const FIELDS: usize = 12;

/// Figures under one heading.
pub struct Group {
    id: &'static str,
    title: &'static str,
    /// What holds for all of them.
    note: String,
    figures: Vec<Figure>,
}

/// Every figure that the run has data for.
pub fn groups(analysis: &Analysis) -> anyhow::Result<Vec<Group>> {
    let summary = &analysis.summary;
    let timeline = &summary.timeline;
    let measured = [
        over_time::response_times(timeline, limits(analysis, on_response_times))?,
        over_time::requests(timeline)?,
        over_time::users(timeline)?,
        over_time::statuses(timeline, &summary.over_time.statuses)?,
        over_time::failures(timeline, &summary.over_time.failures)?,
    ];
    let (now, before) = analysis
        .comparison
        .as_ref()
        .and_then(|c| c.distributions.as_ref())
        .map_or((&summary.distribution, None), |d| {
            (&d.current, Some(&d.baseline))
        });
    let spread = [
        distribution::histogram(now, before)?,
        distribution::percentile_curve(now, before, limits(analysis, on_percentiles))?,
        distribution::load(timeline)?,
    ];
    let started = summary.started_ms.map_or_else(String::new, |ms| {
        format!(
            "Time runs from the first request, at {}.",
            date_and_time(ms)
        )
    });
    let mut groups = vec![
        Group {
            id: "over-time",
            title: "Over time",
            note: started,
            figures: measured.into_iter().flatten().collect(),
        },
        Group {
            id: "comparison",
            title: "Against the baseline",
            note: String::new(),
            figures: shifts(analysis)?,
        },
        Group {
            id: "runs",
            title: "The last runs",
            note: last_runs(analysis),
            figures: runs(analysis)?,
        },
        Group {
            id: "rates",
            title: "Rates and quotas",
            note: String::new(),
            figures: quotas(analysis)?,
        },
        Group {
            id: "spread",
            title: "Distribution and load",
            note: String::new(),
            figures: spread.into_iter().flatten().collect(),
        },
        Group {
            id: "fields",
            title: "Measured fields",
            note: String::new(),
            figures: measured_fields(analysis)?,
        },
    ];
    let filled = |group: &Group| match group.id {
        "comparison" => analysis.comparison.is_some(),
        "rates" => !summary.peaks.is_empty() || !analysis.quotas.is_empty(),
        "fields" => !summary.total.fields.is_empty(),
        _ => !group.figures.is_empty(),
    };
    groups.retain(filled);
    Ok(groups)
}

fn last_runs(analysis: &Analysis) -> String {
    let runs = analysis.trend.as_ref().map_or(0, |group| group.runs.len());
    format!(
        "This run is the newest of {} recorded under the same conditions. Dots are runs, thick lines levels, dashed lines changes; the pale box is where the runs before put this one. The axes do not begin at zero.",
        Unit::Count.human(runs as f64)
    )
}

/// The total's series in the history that the run is recorded in.
fn runs(analysis: &Analysis) -> anyhow::Result<Vec<Figure>> {
    let Some(group) = &analysis.trend else {
        return Ok(Vec::new());
    };
    let total = group.series.iter().filter(|s| s.endpoint.is_none());
    let drawn = total
        .enumerate()
        .map(|(nth, series)| trend::chart::figure(group, series, &format!("run-{nth}")));
    drawn.filter_map(anyhow::Result::transpose).collect()
}

fn shifts(analysis: &Analysis) -> anyhow::Result<Vec<Figure>> {
    let total = analysis.comparison.as_ref().and_then(|c| c.of(None));
    let drawn = total.map(|total| shift::shift(&total.shift)).transpose()?;
    Ok(drawn.flatten().into_iter().collect())
}

fn quotas(analysis: &Analysis) -> anyhow::Result<Vec<Figure>> {
    let drawn = analysis.quotas.iter().enumerate().map(|(nth, report)| {
        let figure = quota::quota(&analysis.summary.timeline, nth, report)?;
        Ok(figure.map(|figure| Figure {
            title: names::brief(&figure.title),
            ..figure
        }))
    });
    drawn.filter_map(anyhow::Result::transpose).collect()
}

fn measured_fields(analysis: &Analysis) -> anyhow::Result<Vec<Figure>> {
    let summary = &analysis.summary;
    let rows = summary.over_time.fields.iter().take(FIELDS).enumerate();
    let known = rows
        .filter_map(|(nth, (name, rows))| Some((nth, name, summary.total.fields.get(name)?, rows)));
    known
        .map(|(nth, name, field, rows)| {
            let on_field = |metric: &Metric| matches!(metric, Metric::Field(aggregate, of) if of == name && aggregate.bounds_values());
            let mut figure = fields::field(&summary.timeline, nth, (name, field), rows, limits(analysis, on_field))?;
            figure.title = names::brief(&figure.title);
            Ok(figure)
        })
        .collect()
}

fn on_response_times(metric: &Metric) -> bool {
    matches!(
        metric,
        Metric::Quantile(_) | Metric::Mean | Metric::Min | Metric::Max
    )
}

fn on_percentiles(metric: &Metric) -> bool {
    matches!(metric, Metric::Quantile(_) | Metric::Max)
}

/// The most limits that are drawn into one figure; every verdict stands among the gates.
const LIMITS: usize = 4;

/// Limits that gates on the whole run set on a metric, broken ones first.
fn limits(analysis: &Analysis, on: impl Fn(&Metric) -> bool) -> Vec<Limit> {
    let total = analysis
        .verdicts
        .iter()
        .filter(|v| v.endpoint.is_none() && v.selector.is_none() && on(&v.metric));
    let limit = |v: &Verdict| {
        Some(Limit {
            label: names::visible(&format!("{}: {}", v.id, v.require)),
            value: v.limit?,
            broken: v.decision == Decision::Fail,
        })
    };
    let mut limits: Vec<Limit> = total.filter_map(limit).collect();
    limits.sort_by_key(|limit| !limit.broken); // stable: then as in the gate file
    limits.truncate(LIMITS);
    limits
}

/// What the templates show of the figures.
pub fn views(groups: &[Group]) -> Vec<Value> {
    let figure = |f: &Figure| {
        context! {
            id => f.id,
            title => f.title,
            caption => f.caption,
            description => names::visible(&f.description),
            svg => Value::from_safe_string(f.svg.clone()),
        }
    };
    let group = |g: &Group| {
        context! { id => g.id, title => g.title, note => g.note, figures => g.figures.iter().map(figure).collect::<Vec<_>>() }
    };
    groups.iter().map(group).collect()
}

/// The values behind the figures as JSON; where figures share their points across, those are there once.
pub fn readings(groups: &[Group]) -> anyhow::Result<String> {
    readings_of(groups.iter().flat_map(|group| &group.figures))
}

/// The same of any figures.
pub(in crate::report) fn readings_of<'f>(
    figures: impl Iterator<Item = &'f Figure>,
) -> anyhow::Result<String> {
    #[derive(serde::Serialize)]
    struct Frame<'a> {
        of: &'a str,
        x: &'a [u16],
        at: &'a [String],
    }
    #[derive(serde::Serialize)]
    struct Series<'a> {
        frame: usize,
        series: &'a [(String, Vec<String>)],
    }
    #[derive(serde::Serialize)]
    struct Readings<'a> {
        frames: Vec<Frame<'a>>,
        figures: BTreeMap<&'a str, Series<'a>>,
    }
    let mut readings = Readings {
        frames: Vec::new(),
        figures: BTreeMap::new(),
    };
    for figure in figures {
        let Reading { of, x, at, series } = &figure.reading;
        let same = |frame: &Frame<'_>| frame.of == of && frame.x == x && frame.at == at;
        let frame = readings.frames.iter().position(same).unwrap_or_else(|| {
            readings.frames.push(Frame { of, x, at });
            readings.frames.len() - 1
        });
        readings
            .figures
            .insert(&figure.id, Series { frame, series });
    }
    Ok(policy::inert(&serde_json::to_string(&readings)?))
}

/// Places in the page that a verdict can point to.
pub struct Anchors {
    figures: BTreeSet<String>,
    /// Field name → its figure.
    fields: BTreeMap<String, String>,
    endpoints: BTreeMap<Endpoint, usize>,
    errors: bool,
    /// Quota's id → its figure.
    quotas: BTreeMap<String, String>,
}

/// The places that this page has.
pub fn anchors(groups: &[Group], analysis: &Analysis) -> Anchors {
    let summary = &analysis.summary;
    let keys = summary.endpoints.iter().filter_map(|e| e.endpoint.clone());
    let fields = summary.over_time.fields.keys().take(FIELDS).enumerate();
    Anchors {
        figures: groups
            .iter()
            .flat_map(|g| g.figures.iter().map(|f| f.id.clone()))
            .collect(),
        fields: fields
            .map(|(nth, name)| (name.clone(), format!("field-{nth}")))
            .collect(),
        endpoints: keys.enumerate().map(|(i, key)| (key, i)).collect(),
        errors: !summary.errors.is_empty(),
        quotas: analysis
            .quotas
            .iter()
            .enumerate()
            .map(|(nth, quota)| (quota.id.clone(), format!("quota-{nth}")))
            .collect(),
    }
}

impl Anchors {
    /// Where to look for what a verdict rests on: an address in the page, and what is there.
    pub fn evidence(&self, verdict: &Verdict) -> (String, &'static str) {
        if let Some(row) = verdict
            .endpoint
            .as_ref()
            .and_then(|key| self.endpoints.get(key))
        {
            return (format!("#e{row}"), "its row");
        }
        if let Some(id) = self.quotas.get(&verdict.id) {
            return if self.figures.contains(id) {
                (format!("#{id}"), "its chart")
            } else {
                ("#rates".to_owned(), "the rates")
            };
        }
        let wanted: &[&str] = match &verdict.metric {
            Metric::Quantile(_)
            | Metric::Min
            | Metric::Mean
            | Metric::Max
            | Metric::Stddev
            | Metric::Apdex(_) => &["response-time", "percentiles"],
            Metric::Requests | Metric::Rps | Metric::Rpm | Metric::Peak(_) | Metric::Duration => {
                &["requests"]
            }
            Metric::Failures
            | Metric::FailureRatio
            | Metric::SuccessRatio
            | Metric::UnexpectedFailures
            | Metric::UnexpectedFailureRatio
            | Metric::Ratio(Filter::Error(_))
            | Metric::Count(Filter::Error(_)) => &["failures", "errors", "requests"],
            Metric::Ratio(Filter::Status(_) | Filter::StatusClass(_))
            | Metric::Count(Filter::Status(_) | Filter::StatusClass(_)) => &["statuses", "errors"],
            Metric::Users => &["users"],
            Metric::Field(_, name) => {
                let figure = self
                    .fields
                    .get(name)
                    .filter(|id| self.figures.contains(*id));
                return figure.map_or(("#total".to_owned(), "the total"), |id| {
                    (format!("#{id}"), "its chart")
                });
            }
        };
        let there = |id: &&&str| self.figures.contains(**id) || (**id == "errors" && self.errors);
        wanted
            .iter()
            .find(there)
            .map_or(("#total".to_owned(), "the total"), |id| {
                (
                    format!("#{id}"),
                    if *id == "errors" {
                        "the errors"
                    } else {
                        "the chart"
                    },
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn only_limits_on_the_whole_run_are_drawn_and_few_of_them() {
        // `p95 < 10s` passes, `p95 < 1ms` fails; `p95 < 1s on *` is about endpoints, whatever its selector says.
        let mut analysis = fixture::analysis(100);
        let labels = |analysis: &Analysis| -> Vec<String> {
            let found = limits(analysis, on_response_times);
            found.into_iter().map(|limit| limit.label).collect()
        };
        let drawn = labels(&analysis);
        assert_eq!(drawn.len(), 2);
        assert!(drawn[0].ends_with("p95 < 1ms") && drawn[1].ends_with("p95 < 10s"));
        for verdict in &mut analysis.verdicts {
            verdict.selector = None;
        }
        assert_eq!(labels(&analysis), drawn);
        analysis.verdicts = vec![analysis.verdicts; 10].concat();
        assert_eq!(labels(&analysis).len(), LIMITS);
    }
}
