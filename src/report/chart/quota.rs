//! A quota's windows over time, against what is allowed.

use super::over_time::{HEIGHT, first, moments, texts};
use super::{Figure, Limit, Mark, Plot, Reading, Role, Shape, Span, axis::Axis};
use crate::gate::QuotaReport;
use crate::summary::timeline::Timeline;
use crate::units::{Unit, date_and_time};

/// The most in any window that ends in each interval, with limit, target and the worst window; `None` if the source
/// does not tell.
pub fn quota(
    timeline: &Timeline,
    nth: usize,
    report: &QuotaReport,
) -> anyhow::Result<Option<Figure>> {
    let Some(usage) = report
        .usage
        .as_ref()
        .filter(|usage| !usage.series.is_empty())
    else {
        return Ok(None);
    };
    let start = first(timeline);
    let values: Vec<f64> = usage.series.iter().map(|(_, n)| *n as f64).collect();
    let along = |at: &i64| {
        let row = timeline.rows.iter().find(|row| row.start_s == *at);
        row.map_or((*at - start) as f64, |row| row.middle_s(start))
    };
    let points = usage
        .series
        .iter()
        .map(|(at, n)| (along(at), Some(*n as f64)));
    let window = Unit::Time.human(report.window_ms as f64);
    let mut limits = vec![Limit {
        label: format!(
            "limit {} in {window}",
            Unit::Count.human(report.limit as f64)
        ),
        value: report.limit as f64,
        broken: usage.peak > report.limit,
    }];
    limits.extend(report.target.map(|target| Limit {
        label: format!("target {}", Unit::Count.human(target)),
        value: target,
        broken: usage.peak as f64 >= target,
    }));
    let highest = limits
        .iter()
        .map(|limit| limit.value)
        .fold(usage.peak as f64, f64::max);
    let seconds = |ms: i64| ms as f64 / 1e3 - start as f64;
    let plot = Plot {
        x: Axis::time(super::over_time::end(timeline)),
        y: Axis::values(Unit::Count, highest),
        height: HEIGHT,
        marks: vec![Mark {
            role: Role::Accent,
            label: report.cost.clone(),
            shape: Shape::Line(points.collect()),
        }],
        limits,
        spans: vec![Span {
            from: seconds(usage.start_ms),
            to: seconds(usage.end_ms),
            label: "worst window".to_owned(),
        }],
    };
    let id = format!("quota-{nth}");
    Ok(Some(Figure {
        svg: plot.svg(&id)?,
        id,
        title: format!("{}: {} in any {window}", report.id, report.cost),
        caption: format!(
            "The most in any window of {window} that ends in each interval; the worst window is marked."
        ),
        description: format!(
            "At most {} in the window from {}; that is {} of the limit of {}.",
            Unit::Count.human(usage.peak as f64),
            date_and_time(usage.start_ms),
            Unit::Ratio.human(usage.utilization),
            Unit::Count.human(report.limit as f64)
        ),
        reading: Reading {
            of: "Time (UTC)".to_owned(),
            x: usage
                .series
                .iter()
                .map(|(at, _)| plot.x.thousandths(along(at)))
                .collect(),
            at: moments(usage.series.iter().map(|(at, _)| *at), start),
            series: vec![texts(
                &format!("{} in {window}", report.cost),
                Unit::Count,
                &values,
            )],
        },
    }))
}
