//! One series as inline SVG: the runs, their levels, the steps between them, and what the newest run should have been.
//!
//! As in [`crate::report::chart`], each role has a colour of its own that becomes a CSS variable.

use anyhow::anyhow;
use plotters::prelude::*;

use crate::trend::Series;

const WIDTH: u32 = 760;
const HEIGHT: u32 = 190;

/// What is drawn: its colour in the drawing, and the CSS variable it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Runs,
    Level,
    Step,
    Expected,
    Text,
    Grid,
}

impl Role {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Runs, "var(--first)"),
        (Self::Level, "var(--second)"),
        (Self::Step, "var(--limit)"),
        (Self::Expected, "var(--third)"),
        (Self::Text, "var(--quiet)"),
        (Self::Grid, "var(--grid)"),
    ];

    fn color(self) -> RGBColor {
        match self {
            Self::Runs => RGBColor(1, 1, 241),
            Self::Level => RGBColor(1, 1, 242),
            Self::Step => RGBColor(1, 1, 243),
            Self::Expected => RGBColor(1, 1, 244),
            Self::Text => RGBColor(1, 1, 245),
            Self::Grid => RGBColor(1, 1, 246),
        }
    }
}

/// Draws a series; runs are numbered from 1.
pub fn draw(series: &Series) -> anyhow::Result<String> {
    let mut svg = String::new();
    paint(&mut svg, series).map_err(|error| anyhow!("cannot draw the chart: {error}"))?;
    Ok(themed(&svg))
}

type Painted<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn paint<'a>(svg: &'a mut String, series: &Series) -> Painted<'a> {
    let root = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    let text = ("sans-serif", 12).into_font().color(&Role::Text.color());
    let unit = series.metric.unit();
    let (low, high) = range(series);
    let end = series.values.len() as f64 + 0.5;
    let mut chart = ChartBuilder::on(&root)
        .margin(8)
        .x_label_area_size(24)
        .y_label_area_size(72)
        .build_cartesian_2d(0.5..end, low..high)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(Role::Grid.color())
        .axis_style(Role::Grid.color())
        .x_labels(series.values.len().min(12))
        .y_labels(4)
        .label_style(text)
        .x_label_formatter(&|run| format!("{run:.0}"))
        .y_label_formatter(&|value| unit.human(*value))
        .draw()?;
    for step in &series.steps {
        let at = step.run as f64 + 0.5;
        let line = [(at, low), (at, high)];
        chart.draw_series(LineSeries::new(line, Role::Step.color().stroke_width(1)))?;
    }
    if let Some(prediction) = series.newest.prediction {
        let newest = series.values.len() as f64;
        let bar = [
            (newest - 0.35, prediction.lower.max(low)),
            (newest + 0.35, prediction.upper.min(high)),
        ];
        chart.draw_series([Rectangle::new(bar, Role::Expected.color().stroke_width(1))])?;
    }
    for line in levels(series) {
        chart.draw_series(LineSeries::new(line, Role::Level.color().stroke_width(2)))?;
    }
    let values = || series.values.iter().enumerate();
    let runs: Vec<(f64, Option<f64>)> = values().map(|(i, v)| (i as f64 + 1.0, *v)).collect();
    for run in runs.split(|(_, v)| v.is_none()) {
        let line = run.iter().filter_map(|(x, v)| Some((*x, (*v)?)));
        chart.draw_series(LineSeries::new(line, Role::Runs.color().stroke_width(1)))?;
    }
    let dots = runs.iter().filter_map(|(x, v)| Some((*x, (*v)?)));
    chart.draw_series(dots.map(|at| Circle::new(at, 3, Role::Runs.color().filled())))?;
    root.present()
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
    let room = ((high - low) * 0.12).max(high * 0.02).max(1e-9);
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

/// The drawing with the page's colours, scaling to its column.
fn themed(svg: &str) -> String {
    let sized = format!("<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" ");
    let mut themed = svg.replacen(&sized, "<svg ", 1);
    for (role, variable) in Role::ALL {
        let RGBColor(r, g, b) = role.color();
        themed = themed.replace(&format!("#{r:02X}{g:02X}{b:02X}"), variable);
    }
    themed
}
