//! Small drawings of one endpoint: its line in the table, and its place among the small multiples.

use super::axis::Axis;
use super::over_time::first;
use super::{Mark, Plot, Role, Shape, plane};
use crate::summary::timeline::Timeline;
use crate::units::Unit;

/// p95 over time as a line without words, for a cell of the table.
pub fn sparkline(timeline: &Timeline) -> anyhow::Result<String> {
    let plot = plot(timeline, vec![p95(timeline)]);
    Ok(format!(
        "<svg class=\"spark\" width=\"100%\" height=\"22\" aria-hidden=\"true\">{}</svg>",
        plane::draw(&plot)?
    ))
}

/// Median and p95 over time with the failures below, for a small multiple; the words are the page's.
pub fn multiple(timeline: &Timeline) -> anyhow::Result<String> {
    let start = first(timeline);
    let median = timeline
        .rows
        .iter()
        .map(|row| (row.middle_s(start), row.p50))
        .collect();
    let plot = plot(
        timeline,
        vec![
            p95(timeline),
            Mark {
                role: Role::Ink,
                label: String::new(),
                shape: Shape::Line(median),
            },
        ],
    );
    let mut drawing =
        String::from("<svg class=\"small\" width=\"100%\" height=\"56\" aria-hidden=\"true\">");
    drawing.push_str("<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"55.5\" y2=\"55.5\"/>");
    drawing.push_str(&plane::draw(&plot)?);
    drawing.push_str(&failures(timeline, &plot.x)?);
    drawing.push_str("</svg>");
    Ok(drawing)
}

/// A tick on the ground for every interval with failures.
fn failures(timeline: &Timeline, x: &Axis) -> anyhow::Result<String> {
    let start = first(timeline);
    let failing = timeline.rows.iter().filter(|row| row.failures > 0);
    let columns: Vec<[f64; 4]> = failing
        .map(|row| {
            let begin = (row.start_s - start) as f64;
            [begin, begin + row.length_s as f64, 0.0, 1.0]
        })
        .collect();
    if columns.is_empty() {
        return Ok(String::new());
    }
    plane::draw(&Plot {
        x: x.clone(),
        y: Axis::named(0.0, 12.0, Vec::new()),
        height: 56,
        marks: vec![Mark {
            role: Role::Bad,
            label: String::new(),
            shape: Shape::Columns(columns),
        }],
        limits: Vec::new(),
        spans: Vec::new(),
    })
}

fn p95(timeline: &Timeline) -> Mark {
    let start = first(timeline);
    let points = timeline
        .rows
        .iter()
        .map(|row| (row.middle_s(start), row.p95))
        .collect();
    Mark {
        role: Role::Accent,
        label: String::new(),
        shape: Shape::Line(points),
    }
}

fn plot(timeline: &Timeline, marks: Vec<Mark>) -> Plot {
    let last = timeline.rows.last();
    let end = last.map_or(1.0, |row| {
        (row.start_s + row.length_s - first(timeline)) as f64
    });
    Plot {
        x: Axis::named(0.0, end, Vec::new()),
        y: Axis::values(Unit::Time, Plot::highest(&marks)),
        height: 56,
        marks,
        limits: Vec::new(),
        spans: Vec::new(),
    }
}
