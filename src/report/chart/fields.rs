//! Measured fields over time: memory, calls, rows.

use std::fmt::Write as _;

use super::over_time::{first, length, optional_texts, over_time, reading};
use super::{Figure, Limit, Mark, Reading, Role, Shape};
use crate::summary::FieldSummary;
use crate::summary::timeline::{Interval, Timeline};
use crate::units::Unit;

/// One field: the largest value in each interval, and the range down to the smallest.
pub fn field(
    timeline: &Timeline,
    nth: usize,
    (name, summary): (&str, &FieldSummary),
    rows: &[Option<(f64, f64)>],
    limits: Vec<Limit>,
) -> anyhow::Result<Figure> {
    let first = first(timeline);
    let along = || timeline.rows.iter().zip(rows);
    let largest = along().map(|(row, range)| (row.middle_s(first), range.map(|r| r.1)));
    let line = Mark {
        role: Role::Accent,
        label: "largest".to_owned(),
        shape: Shape::Line(largest.collect()),
    };
    let mut marks: Vec<Mark> = ranges(first, along())
        .into_iter()
        .map(|range| Mark {
            role: Role::Soft,
            label: String::new(),
            shape: Shape::Area(range),
        })
        .collect();
    marks.push(line);
    let plot = over_time(timeline, Unit::Plain, marks, limits);
    let id = format!("field-{nth}");
    let human = |value: f64| Unit::Plain.human(value);
    let mut description = format!(
        "From {} to {} in {} values.",
        human(summary.min),
        human(summary.max),
        Unit::Count.human(summary.count as f64)
    );
    if let (Some(increase), Some(slope)) = (summary.increase, summary.slope_per_hour) {
        let _ = write!(
            description,
            " The largest is {} above the first; the slope is {} per hour.",
            human(increase),
            human(slope)
        );
    }
    Ok(Figure {
        svg: plot.svg(&id)?,
        id,
        title: name.to_owned(),
        caption: format!(
            "Largest value in each {}, and the range down to the smallest; the log’s own unit.",
            length(timeline)
        ),
        description,
        reading: Reading {
            series: vec![
                optional_texts("smallest", Unit::Plain, rows.iter().map(|r| r.map(|r| r.0))),
                optional_texts("largest", Unit::Plain, rows.iter().map(|r| r.map(|r| r.1))),
            ],
            ..reading(timeline, Unit::Plain, &[])
        },
    })
}

/// The stretches in which the smallest value lies below the largest, each as an area.
fn ranges<'a>(
    first: i64,
    along: impl Iterator<Item = (&'a Interval, &'a Option<(f64, f64)>)>,
) -> Vec<Vec<(f64, f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64, f64)>> = vec![Vec::new()];
    for (row, range) in along {
        match (range, runs.last_mut()) {
            (Some((low, high)), Some(run)) => run.push((row.middle_s(first), *low, *high)),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| run.len() > 1 && run.iter().any(|(_, low, high)| low < high));
    runs
}
