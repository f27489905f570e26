//! Figures without time: how response times are distributed, and how they go with the load.

use super::axis::Axis;
use super::over_time::{HEIGHT, texts};
use super::{Figure, Limit, Mark, Plot, Reading, Role, Shape};
use crate::summary::distribution::{Bin, Distribution};
use crate::summary::quantile::millionths;
use crate::summary::timeline::Timeline;
use crate::units::{Unit, quantile_name, time_of_day};

/// How many requests took how long, on a logarithmic axis; `None` without counts.
pub fn histogram(
    distribution: &Distribution,
    baseline: Option<&Distribution>,
) -> anyhow::Result<Option<Figure>> {
    let bins = &distribution.bins;
    let (Some(first), Some(last)) = (bins.first(), bins.last()) else {
        return Ok(None);
    };
    let compared = baseline.map(|b| b.bins.as_slice()).unwrap_or_default();
    let lowest = compared
        .first()
        .map_or(first.from_ms, |b| b.from_ms.min(first.from_ms));
    let highest = compared
        .last()
        .map_or(last.to_ms, |b| b.to_ms.max(last.to_ms));
    let columns = |bins: &[Bin]| {
        bins.iter()
            .filter(|b| b.requests > 0)
            .map(|b| [b.from_ms, b.to_ms, 0.0, b.share])
            .collect()
    };
    let mut marks = vec![Mark {
        role: Role::Accent,
        label: String::new(),
        shape: Shape::Columns(columns(bins)),
    }];
    if !compared.is_empty() {
        marks.push(Mark {
            role: Role::Base,
            label: "baseline".to_owned(),
            shape: Shape::Line(outline(compared)),
        });
    }
    let plot = Plot {
        x: Axis::logarithmic(Unit::Time, lowest, highest),
        y: Axis::values(Unit::Ratio, Plot::highest(&marks)),
        height: HEIGHT,
        marks,
        limits: Vec::new(),
        spans: Vec::new(),
    };
    let middle = |bin: &Bin| (bin.from_ms * bin.to_ms).sqrt();
    let range = |bin: &Bin| {
        format!(
            "{} to {}",
            Unit::Time.human(bin.from_ms),
            Unit::Time.human(bin.to_ms)
        )
    };
    let counts: Vec<f64> = bins.iter().map(|b| b.requests as f64).collect();
    let shares: Vec<f64> = bins.iter().map(|b| b.share).collect();
    let fullest = bins
        .iter()
        .rev()
        .max_by_key(|b| b.requests)
        .unwrap_or(first);
    Ok(Some(Figure {
        id: "distribution".to_owned(),
        title: "Distribution".to_owned(),
        caption: "Share of requests by response time; a logarithmic axis, and columns of equal width on it.".to_owned(),
        description: format!(
            "Response times from {} to {}; most often {}, {} of the requests.",
            Unit::Time.human(first.from_ms),
            Unit::Time.human(last.to_ms),
            range(fullest),
            Unit::Ratio.human(fullest.share)
        ),
        svg: plot.svg("distribution")?,
        reading: Reading {
            of: "Response time".to_owned(),
            x: bins.iter().map(|b| plot.x.thousandths(middle(b))).collect(),
            at: bins.iter().map(range).collect(),
            series: vec![texts("requests", Unit::Count, &counts), texts("share", Unit::Ratio, &shares)],
        },
    }))
}

/// The upper edge of a histogram as a line of steps.
fn outline(bins: &[Bin]) -> Vec<super::Point> {
    bins.iter()
        .flat_map(|b| [(b.from_ms, Some(b.share)), (b.to_ms, Some(b.share))])
        .collect()
}

/// Response time by percentile; the axis gives each nine the same room, as `HdrHistogram`'s plots do.
pub fn percentile_curve(
    distribution: &Distribution,
    baseline: Option<&Distribution>,
    limits: Vec<Limit>,
) -> anyhow::Result<Option<Figure>> {
    let curve: Vec<(f64, f64)> = distribution
        .curve
        .iter()
        .copied()
        .filter(|(q, _)| *q < 1.0)
        .collect();
    if curve.len() < 2 {
        return Ok(None);
    }
    let nines = |q: f64| -libm::log10(1.0 - q);
    let line = |curve: &[(f64, f64)]| {
        Shape::Line(
            curve
                .iter()
                .filter(|(q, _)| *q < 1.0)
                .map(|(q, ms)| (nines(*q), Some(*ms)))
                .collect(),
        )
    };
    let mut marks = Vec::new();
    if let Some(baseline) = baseline {
        marks.push(Mark {
            role: Role::Base,
            label: "baseline".to_owned(),
            shape: line(&baseline.curve),
        });
    }
    marks.push(Mark {
        role: Role::Accent,
        label: if baseline.is_some() {
            "this run".to_owned()
        } else {
            String::new()
        },
        shape: line(&curve),
    });
    let end = curve.last().map_or(1.0, |(q, _)| nines(*q));
    let ticks = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];
    let ticks = ticks.map(|q| (nines(q), quantile_name(millionths(q))));
    let highest = limits
        .iter()
        .map(|l| l.value)
        .filter(|v| *v <= Plot::highest(&marks) * 1.5);
    let plot = Plot {
        x: Axis::named(
            0.0,
            end,
            ticks.into_iter().filter(|(at, _)| *at <= end).collect(),
        ),
        y: Axis::values(Unit::Time, highest.fold(Plot::highest(&marks), f64::max)),
        height: HEIGHT,
        marks,
        limits,
        spans: Vec::new(),
    };
    let name = |q: f64| quantile_name(millionths(q));
    let told = curve
        .iter()
        .filter(|(q, _)| [0.5, 0.9, 0.95, 0.99, 0.999].contains(q));
    let told: Vec<String> = told
        .map(|(q, ms)| format!("{} {}", name(*q), Unit::Time.human(*ms)))
        .collect();
    let values: Vec<f64> = curve.iter().map(|(_, ms)| *ms).collect();
    Ok(Some(Figure {
        id: "percentiles".to_owned(),
        title: "Percentiles".to_owned(),
        caption: "The response time that this share of the requests did not exceed. Each further nine has the same room.".to_owned(),
        description: format!("{}.", told.join(", ")),
        svg: plot.svg("percentiles")?,
        reading: Reading {
            of: "Percentile".to_owned(),
            x: curve.iter().map(|(q, _)| plot.x.thousandths(nines(*q))).collect(),
            at: curve.iter().map(|(q, _)| name(*q)).collect(),
            series: vec![texts("response time", Unit::Time, &values)],
        },
    }))
}

/// Response time against load: an interval is a point. `None` if no interval has both.
pub fn load(timeline: &Timeline) -> anyhow::Result<Option<Figure>> {
    let rows = timeline.rows.iter().filter(|row| row.requests > 0);
    let mut points: Vec<(f64, f64, i64)> = rows
        .filter_map(|row| Some((row.rps(), row.p95?, row.start_s)))
        .collect();
    if points.len() < 2 {
        return Ok(None);
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let dots = points.iter().map(|(rate, ms, _)| (*rate, *ms)).collect();
    let marks = vec![Mark {
        role: Role::Accent,
        label: String::new(),
        shape: Shape::Dots(dots),
    }];
    let (least, most) = (points[0].0, points[points.len() - 1].0);
    let plot = Plot {
        x: Axis::between(Unit::PerSecond, least, most),
        y: Axis::values(Unit::Time, Plot::highest(&marks)),
        height: HEIGHT,
        marks,
        limits: Vec::new(),
        spans: Vec::new(),
    };
    let column = |of: fn(&(f64, f64, i64)) -> f64| points.iter().map(of).collect::<Vec<f64>>();
    let at_most = &points[points.len() - 1];
    Ok(Some(Figure {
        id: "load".to_owned(),
        title: "Response time against load".to_owned(),
        caption: "Each point is an interval: requests per second across, p95 up. A system at its limit bends upwards to the right.".to_owned(),
        description: format!(
            "{} intervals between {} and {}; p95 is {} at the highest rate.",
            Unit::Count.human(points.len() as f64),
            Unit::PerSecond.human(least),
            Unit::PerSecond.human(most),
            Unit::Time.human(at_most.1)
        ),
        svg: plot.svg("load")?,
        reading: Reading {
            of: "Time (UTC)".to_owned(),
            x: points.iter().map(|p| plot.x.thousandths(p.0)).collect(),
            at: points.iter().map(|p| time_of_day(p.2)).collect(),
            series: vec![texts("requests", Unit::PerSecond, &column(|p| p.0)), texts("p95", Unit::Time, &column(|p| p.1))],
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn figures_of_the_distribution_draw_with_and_without_a_baseline() {
        let summary = fixture::analysis(100).summary;
        let slower = fixture::analysis(300).summary.distribution;
        for baseline in [None, Some(&slower)] {
            let histogram = histogram(&summary.distribution, baseline)
                .expect("draws")
                .expect("has counts");
            let curve = percentile_curve(&summary.distribution, baseline, Vec::new())
                .expect("draws")
                .expect("has points");
            for figure in [histogram, curve] {
                assert_eq!(
                    figure.svg.contains(">baseline</text>"),
                    baseline.is_some(),
                    "{}",
                    figure.id
                );
                assert!(figure.reading.x.is_sorted());
            }
        }
    }

    #[test]
    fn nothing_known_is_no_figure() {
        let none = Distribution::default();
        assert!(histogram(&none, None).expect("draws").is_none());
        assert!(
            percentile_curve(&none, None, Vec::new())
                .expect("draws")
                .is_none()
        );
        assert!(load(&Timeline::default()).expect("draws").is_none());
    }
}
