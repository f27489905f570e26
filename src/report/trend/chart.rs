//! One series: the runs, their levels, the steps between them, and what the newest run should have been.

use super::words;
use crate::report::chart::axis::Axis;
use crate::report::chart::over_time::optional_texts;
use crate::report::chart::{Figure, Mark, Plot, Reading, Role, Shape};
use crate::report::html::names::visible;
use crate::trend::{Group, Series};
use crate::units::short_moments;

/// Height of a figure's plane in pixels.
const HEIGHT: u32 = 150;
/// Dates that fit side by side below a figure on a phone.
const TICKS: usize = 5;

/// A series as a figure; `None` if fewer than two runs have a value. `id` is the figure's, whose title and description the
/// drawing has.
pub fn figure(group: &Group, series: &Series, id: &str) -> anyhow::Result<Option<Figure>> {
    if series.values.iter().flatten().count() < 2 {
        return Ok(None);
    }
    let plot = plot(group, series);
    let name = series.metric.name();
    let values = series.values.iter().copied();
    let runs = (1..).map(f64::from).zip(&group.runs);
    let mut said = vec![optional_texts(&name, series.metric.unit(), values)];
    let marks = (0..group.runs.len()).map(|i| words::mark(group, series, i));
    let marks: Vec<String> = marks.collect();
    if marks.iter().any(|mark| !mark.is_empty()) {
        said.push(("what happened".to_owned(), marks));
    }
    let legend = words::legend(group, series);
    let sentences = legend.iter().map(|(sign, text)| format!("{sign} {text}."));
    Ok(Some(Figure {
        svg: plot.svg(id)?,
        id: id.to_owned(),
        title: name,
        caption: visible(&sentences.collect::<Vec<_>>().join(" ")),
        description: format!("{}: {}.", words::word(series), series.newest.because),
        reading: Reading {
            of: "Run".to_owned(),
            x: runs.map(|(at, _)| plot.x.thousandths(at)).collect(),
            at: (0..group.runs.len())
                .map(|i| visible(&words::run_and_date(group, i)))
                .collect(),
            series: said,
        },
    }))
}

fn plot(group: &Group, series: &Series) -> Plot {
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
    marks.extend(signs(group, series));
    Plot {
        x: Axis::named(0.5, newest + 0.5, dates(group)),
        y: Axis::between(series.metric.unit(), low, high),
        height: HEIGHT,
        marks,
        limits: Vec::new(),
        spans: Vec::new(),
    }
}

/// Runs that are no part of a level, with the signs of the legend.
fn signs(group: &Group, series: &Series) -> Vec<Mark> {
    let mut signs: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    for (run, value) in series.values.iter().enumerate() {
        let (Some(value), Some(sign)) = (value, words::sign(group, series, run)) else {
            continue;
        };
        let point = (run as f64 + 1.0, *value);
        match signs.iter_mut().find(|(known, _)| *known == sign) {
            Some((_, points)) => points.push(point),
            None => signs.push((sign, vec![point])),
        }
    }
    let shown = |(sign, points)| mark(Role::Ink, Shape::Signs(sign, points));
    signs.into_iter().map(shown).collect()
}

/// Dates of some runs, the newest among them; runs are equally far apart, and one without a date has its number. A date
/// is not written twice in a row.
fn dates(group: &Group) -> Vec<(f64, String)> {
    let runs = &group.runs;
    let every = runs.len().div_ceil(TICKS).max(1);
    let mut shown: Vec<usize> = (0..runs.len()).rev().step_by(every).collect();
    shown.reverse();
    let started = shown.iter().filter_map(|run| runs[*run].started_ms);
    let mut texts = short_moments(&started.collect::<Vec<_>>()).into_iter();
    let mut ticks: Vec<(f64, String)> = Vec::new();
    for run in shown {
        let date = runs[run].started_ms.and_then(|_| texts.next());
        let text = date.unwrap_or_else(|| format!("run {}", run + 1));
        let known = ticks.iter().rev().find(|(_, text)| !text.is_empty());
        let again = known.is_some_and(|(_, before)| *before == text);
        let text = if again { String::new() } else { text };
        ticks.push((run as f64 + 1.0, text));
    }
    ticks
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
