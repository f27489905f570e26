//! Where along its distribution a run differs from its baseline.

use super::axis::Axis;
use super::over_time::{HEIGHT, optional_texts};
use super::{Figure, Limit, Mark, Plot, Reading, Role, Shape};
use crate::comparison::shift::ShiftPoint;
use crate::summary::quantile::millionths;
use crate::units::{Unit, change, quantile_name};

/// The change of every quantile; `None` if fewer than two are known.
pub fn shift(points: &[ShiftPoint]) -> anyhow::Result<Option<Figure>> {
    let places = || (0..).map(f64::from).zip(points);
    let known: Vec<(f64, f64)> = places()
        .filter_map(|(x, p)| Some((x, p.relative()?)))
        .collect();
    if known.len() < 2 {
        return Ok(None);
    }
    let (lowest, highest) = known
        .iter()
        .fold((0.0_f64, 0.0_f64), |(low, high), (_, y)| {
            (low.min(*y), high.max(*y))
        });
    let line = places().map(|(x, p)| (x, p.relative())).collect();
    let marks = vec![
        Mark {
            role: Role::Calm,
            label: String::new(),
            shape: Shape::Line(line),
        },
        Mark {
            role: Role::Accent,
            label: String::new(),
            shape: Shape::Dots(known),
        },
    ];
    let name = |p: &ShiftPoint| quantile_name(millionths(p.q));
    let ticks = places().map(|(x, p)| (x, name(p))).step_by(2);
    let plot = Plot {
        x: Axis::named(-0.4, points.len() as f64 - 0.6, ticks.collect()),
        y: Axis::between(Unit::Ratio, lowest, highest),
        height: HEIGHT,
        marks,
        limits: vec![Limit {
            label: "no change".to_owned(),
            value: 0.0,
            broken: false,
        }],
        spans: Vec::new(),
    };
    let told = points
        .iter()
        .filter_map(|p| Some(format!("{} {}", name(p), change(p.relative()?))));
    let column = |of: fn(&ShiftPoint) -> f64| points.iter().map(move |p| Some(of(p)));
    Ok(Some(Figure {
        id: "shift".to_owned(),
        title: "Shift".to_owned(),
        caption: "How every tenth, p95 and p99 of the response times changed against the baseline; above the line is slower. A level line is a change of everything alike, a rising one a change of the slow requests.".to_owned(),
        description: format!("{}.", told.collect::<Vec<_>>().join(", ")),
        svg: plot.svg("shift")?,
        reading: Reading {
            of: "Percentile".to_owned(),
            x: places().map(|(x, _)| plot.x.thousandths(x)).collect(),
            at: points.iter().map(name).collect(),
            series: vec![
                optional_texts("change", Unit::Ratio, points.iter().map(ShiftPoint::relative)),
                optional_texts("baseline", Unit::Time, column(|p| p.baseline)),
                optional_texts("current", Unit::Time, column(|p| p.current)),
            ],
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::shift::shift_function;

    #[test]
    fn twice_as_slow_is_a_level_line() {
        let before = (1..=100).map(|v| (f64::from(v), 1));
        let now = (1..=100).map(|v| (f64::from(v) * 2.0, 1));
        let figure = shift(&shift_function(&before, &now))
            .expect("draws")
            .expect("has points");
        assert!(
            figure.description.starts_with("p10 ×2, p20 ×2"),
            "{}",
            figure.description
        );
        assert_eq!(figure.reading.series[0].1[0], "100");
        assert!(shift(&[]).expect("draws").is_none());
    }
}
