//! Charts as inline SVG, drawn from the model by plotters; one function for each figure.
//!
//! Colours are names of CSS variables in disguise: plotters knows only numbers, so that each role has a colour of its
//! own which is replaced by `var(--role)` afterwards, and the page decides how it looks in light and dark.

use anyhow::anyhow;
use plotters::prelude::*;

use crate::summary::Timeline;
use crate::units::Unit;

const WIDTH: u32 = 760;
const HEIGHT: u32 = 260;

/// What a line stands for; its colour in the drawing, and the CSS variable it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Median, requests, users.
    First,
    /// p95, failures.
    Second,
    /// p99.
    Third,
    /// A gate's limit.
    Limit,
    /// Axes and labels.
    Text,
    /// Grid.
    Grid,
}

impl Role {
    const ALL: [Self; 6] = [
        Self::First,
        Self::Second,
        Self::Third,
        Self::Limit,
        Self::Text,
        Self::Grid,
    ];

    fn color(self) -> RGBColor {
        match self {
            Self::First => RGBColor(1, 1, 241),
            Self::Second => RGBColor(1, 1, 242),
            Self::Third => RGBColor(1, 1, 243),
            Self::Limit => RGBColor(1, 1, 244),
            Self::Text => RGBColor(1, 1, 245),
            Self::Grid => RGBColor(1, 1, 246),
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::First => "var(--first)",
            Self::Second => "var(--second)",
            Self::Third => "var(--third)",
            Self::Limit => "var(--limit)",
            Self::Text => "var(--quiet)",
            Self::Grid => "var(--grid)",
        }
    }
}

/// One line of a chart: seconds since the start → value; `None` breaks the line.
struct Line {
    label: &'static str,
    role: Role,
    points: Vec<(f64, Option<f64>)>,
}

/// Response times over time with the limits that gates set on them (label and milliseconds).
pub fn response_times(timeline: &Timeline, limits: &[(String, f64)]) -> anyhow::Result<String> {
    let line = |label, role, of: fn(&crate::summary::Interval) -> Option<f64>| Line {
        label,
        role,
        points: points(timeline, of),
    };
    let lines = [
        line("p50", Role::First, |i| i.p50),
        line("p95", Role::Second, |i| i.p95),
        line("p99", Role::Third, |i| i.p99),
    ];
    draw(&lines, limits, |v| Unit::Time.human(v))
}

/// Requests and failures per second over time.
pub fn throughput(timeline: &Timeline) -> anyhow::Result<String> {
    let seconds = timeline.interval_s.max(1) as f64;
    let rate = |count: fn(&crate::summary::Interval) -> u64| {
        timeline
            .rows
            .iter()
            .map(|r| (at(timeline, r), Some(count(r) as f64 / seconds)))
            .collect()
    };
    let lines = [
        Line {
            label: "requests",
            role: Role::First,
            points: rate(|r| r.requests),
        },
        Line {
            label: "failures",
            role: Role::Second,
            points: rate(|r| r.failures),
        },
    ];
    draw(&lines, &[], |v| Unit::PerSecond.human(v))
}

/// Concurrent users over time.
pub fn users(timeline: &Timeline) -> anyhow::Result<String> {
    let points = points(timeline, |r| r.users.map(|u| u as f64));
    draw(
        &[Line {
            label: "users",
            role: Role::First,
            points,
        }],
        &[],
        |v| Unit::Count.human(v),
    )
}

fn points(
    timeline: &Timeline,
    of: fn(&crate::summary::Interval) -> Option<f64>,
) -> Vec<(f64, Option<f64>)> {
    timeline
        .rows
        .iter()
        .map(|r| (at(timeline, r), of(r)))
        .collect()
}

/// The middle of an interval, in seconds since the first one began.
fn at(timeline: &Timeline, row: &crate::summary::Interval) -> f64 {
    let first = timeline.rows.first().map_or(0, |r| r.start_s);
    (row.start_s - first) as f64 + timeline.interval_s as f64 / 2.0
}

fn draw(
    lines: &[Line],
    limits: &[(String, f64)],
    human: fn(f64) -> String,
) -> anyhow::Result<String> {
    let values = lines
        .iter()
        .flat_map(|l| l.points.iter().filter_map(|(_, v)| *v));
    let highest = values
        .chain(limits.iter().map(|(_, v)| *v))
        .fold(0.0, f64::max);
    let top = if highest > 0.0 { highest * 1.1 } else { 1.0 };
    let end = lines
        .iter()
        .filter_map(|l| l.points.last())
        .map(|(x, _)| *x)
        .fold(1.0, f64::max);
    let mut svg = String::new();
    paint(&mut svg, lines, limits, (end, top), human)
        .map_err(|error| anyhow!("cannot draw the chart: {error}"))?;
    Ok(themed(&svg))
}

type Painted<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn paint<'a>(
    svg: &'a mut String,
    lines: &[Line],
    limits: &[(String, f64)],
    (end, top): (f64, f64),
    human: fn(f64) -> String,
) -> Painted<'a> {
    let root = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    let text = |role: Role| ("sans-serif", 12).into_font().color(&role.color());
    let mut chart = ChartBuilder::on(&root)
        .margin(8)
        .margin_right(56)
        .x_label_area_size(24)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(Role::Grid.color())
        .axis_style(Role::Grid.color())
        .x_labels(6)
        .y_labels(5)
        .label_style(text(Role::Text))
        .x_label_formatter(&|s| clock(*s))
        .y_label_formatter(&|v| human(*v))
        .draw()?;
    for (label, limit) in limits {
        let dash = LineSeries::new(
            [(0.0, *limit), (end, *limit)],
            Role::Limit.color().stroke_width(1),
        );
        chart.draw_series(dash)?;
        let above = (end * 0.01, limit + top * 0.05);
        chart.draw_series([Text::new(label.clone(), above, text(Role::Limit))])?;
    }
    for line in lines {
        let stroke = line.role.color().stroke_width(2);
        for run in line.points.split(|(_, v)| v.is_none()) {
            let run: Vec<(f64, f64)> = run.iter().filter_map(|(x, v)| Some((*x, (*v)?))).collect();
            if let [alone] = run[..] {
                chart.draw_series([Circle::new(alone, 2, line.role.color().filled())])?;
            }
            chart.draw_series(LineSeries::new(run, stroke))?;
        }
        if let Some((x, value)) = line
            .points
            .iter()
            .rev()
            .find_map(|(x, v)| Some((*x, (*v)?)))
        {
            let label =
                EmptyElement::at((x, value)) + Text::new(line.label, (6, -6), text(line.role));
            chart.draw_series([label])?;
        }
    }
    root.present()
}

/// Time since the start: `45 s`, `2:30 min`, `1:05 h`.
fn clock(seconds: f64) -> String {
    let s = seconds.round() as i64;
    match s {
        ..120 => format!("{s} s"),
        120..7200 => format!("{}:{:02} min", s / 60, s % 60),
        _ => format!("{}:{:02} h", s / 3600, s / 60 % 60),
    }
}

/// The drawing with the page's colours, scaling to its column.
fn themed(svg: &str) -> String {
    let sized = format!("<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" ");
    let mut themed = svg.replacen(&sized, "<svg ", 1);
    for role in Role::ALL {
        let RGBColor(r, g, b) = role.color();
        themed = themed.replace(&format!("#{r:02X}{g:02X}{b:02X}"), role.variable());
    }
    themed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn limits_are_drawn_and_colours_are_the_pages() {
        let summary = fixture::analysis(100).summary;
        let svg = response_times(&summary.timeline, &[("PERF-01: 1 s".to_owned(), 1000.0)])
            .expect("draws");
        assert!(
            svg.contains("PERF-01: 1 s") && svg.contains("var(--limit)") && svg.contains("viewBox")
        );
        assert!(!svg.contains("#0101"), "{svg}");
    }

    #[test]
    fn an_empty_timeline_draws() {
        assert!(response_times(&Timeline::default(), &[]).is_ok());
        assert!(throughput(&Timeline::default()).is_ok() && users(&Timeline::default()).is_ok());
    }
}
