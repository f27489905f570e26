//! One series: the runs, their levels, the steps between them, and what the newest run should have been.

use super::words;
use crate::report::chart::axis::Axis;
use crate::report::chart::over_time::optional_texts;
use crate::report::chart::{Figure, Mark, Plot, Reading, Role, Shape};
use crate::report::html::names::visible;
use crate::trend::{Group, Series};

/// Height of a figure's plane in pixels.
const HEIGHT: u32 = 150;
/// Numbers of runs that are written below a figure.
const TICKS: usize = 8;

/// Draws a series; runs are numbered from 1. `id` is the figure's, whose title and description the drawing has.
pub fn draw(series: &Series, id: &str) -> anyhow::Result<String> {
    plot(series).svg(id)
}

/// A series as a figure of the report on its newest run; `None` if fewer than two runs have a value.
pub fn figure(group: &Group, series: &Series, nth: usize) -> anyhow::Result<Option<Figure>> {
    if series.values.iter().flatten().count() < 2 {
        return Ok(None);
    }
    let (id, plot) = (format!("run-{nth}"), plot(series));
    let name = series.metric.name();
    let values = series.values.iter().copied();
    let runs = (1..).map(f64::from).zip(&group.runs);
    Ok(Some(Figure {
        svg: plot.svg(&id)?,
        id,
        title: name.clone(),
        caption: String::new(),
        description: format!("{}: {}.", words::word(series), series.newest.because),
        reading: Reading {
            of: "Run".to_owned(),
            x: runs.map(|(at, _)| plot.x.thousandths(at)).collect(),
            at: (0..group.runs.len())
                .map(|i| visible(&words::run(group, i)))
                .collect(),
            series: vec![optional_texts(&name, series.metric.unit(), values)],
        },
    }))
}

fn plot(series: &Series) -> Plot {
    let (low, high) = range(series);
    let newest = series.values.len() as f64;
    let mut marks = Vec::new();
    if let Some(prediction) = series.newest.prediction {
        let (lower, upper) = (prediction.lower.max(low), prediction.upper.min(high));
        let expected = vec![[newest - 0.35, newest + 0.35, lower, upper]];
        marks.push(mark(Role::Soft, Shape::Columns(expected)));
    }
    for step in &series.steps {
        let at = step.run as f64 + 0.5;
        let line = vec![(at, Some(low)), (at, Some(high))];
        marks.push(mark(Role::Base, Shape::Line(line)));
    }
    for line in levels(series) {
        let line = line.into_iter().map(|(x, y)| (x, Some(y))).collect();
        marks.push(mark(Role::Accent, Shape::Line(line)));
    }
    let runs = || (1..).map(f64::from).zip(series.values.iter().copied());
    marks.push(mark(Role::Calm, Shape::Line(runs().collect())));
    let dots = runs().filter_map(|(x, y)| Some((x, y?)));
    marks.push(mark(Role::Ink, Shape::Dots(dots.collect())));
    let every = series.values.len().div_ceil(TICKS).max(1);
    let ticks = (1..=series.values.len()).step_by(every);
    Plot {
        x: Axis::named(
            0.5,
            newest + 0.5,
            ticks.map(|run| (run as f64, run.to_string())).collect(),
        ),
        y: Axis::between(series.metric.unit(), low, high),
        height: HEIGHT,
        marks,
        limits: Vec::new(),
        spans: Vec::new(),
    }
}

fn mark(role: Role, shape: Shape) -> Mark {
    Mark {
        role,
        label: String::new(),
        shape,
    }
}

/// From a little below the smallest to a little above the largest value that is drawn; the end of a prediction that is
/// far away does not flatten the runs.
fn range(series: &Series) -> (f64, f64) {
    let known = || series.values.iter().flatten().copied();
    let (mut low, mut high) = known().fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if !low.is_finite() {
        return (0.0, 1.0);
    }
    if let Some(prediction) = series.newest.prediction {
        low = low.min(prediction.lower.max(low * 0.7));
        high = high.max(prediction.upper.min(high * 1.3));
    }
    let room = (high * 0.02).max(1e-9);
    ((low - room).max(0.0), high + room)
}

/// A level line for each level, and the drift as a slope.
fn levels(series: &Series) -> Vec<Vec<(f64, f64)>> {
    let at = |run: usize| run as f64 + 1.0;
    let drifting = series.drift.as_ref();
    let mut lines: Vec<Vec<(f64, f64)>> = series
        .levels
        .iter()
        .filter(|level| drifting.is_none_or(|drift| level.first < drift.first))
        .map(|level| {
            vec![
                (at(level.first), level.value),
                (at(level.last), level.value),
            ]
        })
        .collect();
    lines.extend(drifting.map(|drift| {
        let newest = series.values.len() as f64;
        vec![(at(drift.first), drift.before), (newest, drift.after)]
    }));
    lines
}
