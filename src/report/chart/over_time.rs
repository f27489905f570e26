//! Figures over the run's time: response times, requests, users, statuses, failures.

use super::axis::Axis;
use super::{Figure, Limit, Mark, Plot, Point, Reading, Role, Shape};
use crate::summary::over_time::{CountSeries, StatusLine};
use crate::summary::timeline::{Interval, Timeline, per_second};
use crate::units::{Scale, Unit, elapsed, time_of_day};

/// Height of a figure's plane in pixels.
pub const HEIGHT: u32 = 200;
/// A limit this many times above what was measured would flatten the lines; it is told in words instead.
const FAR: f64 = 2.5;

/// What a line shows of an interval.
type Of = fn(&Interval) -> Option<f64>;

/// Response times with the limits that gates set on them; `None` if the source has none over time.
pub fn response_times(timeline: &Timeline, limits: Vec<Limit>) -> anyhow::Result<Option<Figure>> {
    let lines: [(&str, Role, Of); 3] = [
        ("p99", Role::Soft, |row| row.p99),
        ("p95", Role::Accent, |row| row.p95),
        ("p50", Role::Ink, |row| row.p50),
    ];
    let known = lines
        .iter()
        .filter(|(.., of)| timeline.rows.iter().any(|row| of(row).is_some()));
    let marks: Vec<Mark> = known
        .map(|(label, role, of)| line(timeline, label, *role, *of))
        .collect();
    if marks.is_empty() {
        return Ok(None);
    }
    let mut sentences: Vec<String> = lines
        .iter()
        .rev()
        .filter_map(|(label, _, of)| extent(timeline, label, Unit::Time, of))
        .collect();
    sentences.extend(limits.iter().map(|limit| format!("Limit {}.", limit.label)));
    let plot = over_time(timeline, Unit::Time, marks, limits);
    let figure = Figure {
        id: "response-time".to_owned(),
        title: "Response time".to_owned(),
        caption: format!(
            "p50, p95 and p99 of the requests that started in each {}.",
            length(timeline)
        ),
        description: sentences.join(" "),
        svg: plot.svg("response-time")?,
        reading: reading(timeline, Unit::Time, &plot.marks),
    };
    Ok(Some(figure))
}

/// Requests and failures per second.
pub fn requests(timeline: &Timeline) -> anyhow::Result<Option<Figure>> {
    if timeline
        .rows
        .iter()
        .all(|row| row.requests == 0 && row.failures == 0)
    {
        return Ok(None);
    }
    let mut marks = vec![line(timeline, "requests", Role::Accent, |row| {
        Some(row.rps())
    })];
    let mut sentences: Vec<String> =
        extent(timeline, "Requests", Unit::PerSecond, &|row: &Interval| {
            Some(row.rps())
        })
        .into_iter()
        .collect();
    if timeline.rows.iter().any(|row| row.failures > 0) {
        marks.push(Mark {
            role: Role::Bad,
            label: "failures".to_owned(),
            shape: Shape::Area(steps(timeline, |row, _| (0.0, row.failures_per_s()))),
        });
        sentences.extend(extent(
            timeline,
            "Failures",
            Unit::PerSecond,
            &|row: &Interval| Some(row.failures_per_s()),
        ));
    } else {
        sentences.push("No failures.".to_owned());
    }
    let plot = over_time(timeline, Unit::PerSecond, marks, Vec::new());
    let mut reading = reading(timeline, Unit::PerSecond, &plot.marks[..1]);
    if plot.marks.len() > 1 {
        let rates: Vec<f64> = timeline.rows.iter().map(Interval::failures_per_s).collect();
        reading
            .series
            .push(texts("failures", Unit::PerSecond, &rates));
    }
    Ok(Some(Figure {
        id: "requests".to_owned(),
        title: "Requests and failures".to_owned(),
        caption: format!("Per second, over each {}.", length(timeline)),
        description: sentences.join(" "),
        svg: plot.svg("requests")?,
        reading,
    }))
}

/// Concurrent users; `None` if the source does not tell.
pub fn users(timeline: &Timeline) -> anyhow::Result<Option<Figure>> {
    let of = |row: &Interval| row.users.map(|users| users as f64);
    let Some(description) = extent(timeline, "Users", Unit::Count, &of) else {
        return Ok(None);
    };
    let plot = over_time(
        timeline,
        Unit::Count,
        vec![line(timeline, "users", Role::Ink, of)],
        Vec::new(),
    );
    Ok(Some(Figure {
        id: "users".to_owned(),
        title: "Users".to_owned(),
        caption: format!("The most concurrent users in each {}.", length(timeline)),
        description,
        svg: plot.svg("users")?,
        reading: reading(timeline, Unit::Count, &plot.marks),
    }))
}

/// Statuses per second, one upon the other; `None` without statuses.
pub fn statuses(
    timeline: &Timeline,
    lines: &[CountSeries<StatusLine>],
) -> anyhow::Result<Option<Figure>> {
    let mut series: Vec<(&CountSeries<StatusLine>, String, Role)> = Vec::new();
    for line in lines {
        let alike = series
            .iter()
            .filter(|(other, ..)| class(other.of) == class(line.of));
        let role = status_role(class(line.of), alike.count());
        let name = match line.of {
            StatusLine::One(status) => status.to_string(),
            StatusLine::Rarer(1) => "1 other".to_owned(),
            StatusLine::Rarer(kinds) => format!("{kinds} others"),
        };
        series.push((line, name, role));
    }
    let caption = format!(
        "Requests per second by HTTP status, one upon the other, over each {}.",
        length(timeline)
    );
    stacked(timeline, &series, "statuses", "Status codes", caption)
}

/// The hundreds of a status; 0 for a sum of several.
fn class(line: StatusLine) -> u16 {
    match line {
        StatusLine::One(status) => status / 100,
        StatusLine::Rarer(_) => 0,
    }
}

/// Calm for what went well, warm and dark for what did not; the nth of its class gets another shade.
fn status_role(class: u16, nth: usize) -> Role {
    let shades = match class {
        2 => [Role::Soft, Role::Sky, Role::Accent],
        3 => [Role::Green, Role::Sky, Role::Accent],
        4 => [Role::Warm, Role::Plum, Role::Green],
        5.. => [Role::Bad, Role::Ink, Role::Plum],
        _ => [Role::Calm; 3],
    };
    shades[nth % 3]
}

/// Failures per second by what kind they are, one upon the other; `None` without failures whose time is known.
pub fn failures(
    timeline: &Timeline,
    lines: &[CountSeries<crate::tally::Category>],
) -> anyhow::Result<Option<Figure>> {
    let roles = [
        Role::Bad,
        Role::Warm,
        Role::Plum,
        Role::Sky,
        Role::Green,
        Role::Ink,
        Role::Calm,
    ];
    let series: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(i, line)| {
            (
                line,
                line.of.name().to_owned(),
                roles[i.min(roles.len() - 1)],
            )
        })
        .collect();
    let caption = format!(
        "Failed requests per second by kind, one upon the other, over each {}.",
        length(timeline)
    );
    stacked(timeline, &series, "failures", "Failures by kind", caption)
}

fn stacked<K>(
    timeline: &Timeline,
    series: &[(&CountSeries<K>, String, Role)],
    id: &str,
    title: &str,
    caption: String,
) -> anyhow::Result<Option<Figure>> {
    if series.is_empty() {
        return Ok(None);
    }
    let mut below = vec![0.0; timeline.rows.len()];
    let mut marks = Vec::new();
    let mut reading = Reading {
        series: Vec::new(),
        ..reading(timeline, Unit::PerSecond, &[])
    };
    for (line, name, role) in series {
        let rates: Vec<f64> = timeline
            .rows
            .iter()
            .zip(&line.rows)
            .map(|(row, n)| per_second(*n, row.length_s))
            .collect();
        let area = steps(timeline, |_, i| (below[i], below[i] + rates[i]));
        marks.push(Mark {
            role: *role,
            label: name.clone(),
            shape: Shape::Area(area),
        });
        reading.series.push(texts(name, Unit::PerSecond, &rates));
        below
            .iter_mut()
            .zip(&rates)
            .for_each(|(sum, rate)| *sum += rate);
    }
    let counts = series
        .iter()
        .map(|(line, name, _)| format!("{name}: {}", Unit::Count.human(line.total as f64)));
    let description = format!("{}.", counts.collect::<Vec<_>>().join(", "));
    let plot = over_time(timeline, Unit::PerSecond, marks, Vec::new());
    Ok(Some(Figure {
        id: id.to_owned(),
        title: title.to_owned(),
        caption,
        description,
        svg: plot.svg(id)?,
        reading,
    }))
}

/// A figure with the run's time across.
pub fn over_time(timeline: &Timeline, unit: Unit, marks: Vec<Mark>, limits: Vec<Limit>) -> Plot {
    let measured = Plot::highest(&marks);
    let near = limits
        .iter()
        .map(|limit| limit.value)
        .filter(|value| *value <= measured * FAR);
    let highest = near.fold(measured, f64::max);
    Plot {
        x: Axis::time(end(timeline)),
        y: Axis::values(unit, highest),
        height: HEIGHT,
        marks,
        limits,
        spans: Vec::new(),
    }
}

/// Seconds from the first interval's begin to the last one's end.
pub fn end(timeline: &Timeline) -> f64 {
    let last = timeline.rows.last();
    last.map_or(0.0, |row| {
        (row.start_s + row.length_s - first(timeline)) as f64
    })
}

/// The run's first second.
pub fn first(timeline: &Timeline) -> i64 {
    timeline.rows.first().map_or(0, |row| row.start_s)
}

fn line(
    timeline: &Timeline,
    label: &str,
    role: Role,
    of: impl Fn(&Interval) -> Option<f64>,
) -> Mark {
    let first = first(timeline);
    let points: Vec<Point> = timeline
        .rows
        .iter()
        .map(|row| (row.middle_s(first), of(row)))
        .collect();
    Mark {
        role,
        label: label.to_owned(),
        shape: Shape::Line(points),
    }
}

/// Level over each interval: begin and end of every one, with what `of` gives for it and its number.
fn steps(timeline: &Timeline, of: impl Fn(&Interval, usize) -> (f64, f64)) -> Vec<(f64, f64, f64)> {
    let first = first(timeline);
    let level = |(i, row): (usize, &Interval)| {
        let (low, high) = of(row, i);
        let begin = (row.start_s - first) as f64;
        [(begin, low, high), (begin + row.length_s as f64, low, high)]
    };
    timeline.rows.iter().enumerate().flat_map(level).collect()
}

/// `10 s`: how long an interval is.
pub fn length(timeline: &Timeline) -> String {
    Unit::Time.human(timeline.interval_s as f64 * 1e3)
}

/// `p95 from 12 ms to 1.2 s, the highest after 2 min.`
pub fn extent(
    timeline: &Timeline,
    name: &str,
    unit: Unit,
    of: &dyn Fn(&Interval) -> Option<f64>,
) -> Option<String> {
    let (lowest, highest) = timeline.extremes(of)?;
    let (low, high) = (unit.human(of(lowest)?), unit.human(of(highest)?));
    if low == high {
        return Some(format!("{name} {high} throughout."));
    }
    let when = if highest.start_s == first(timeline) {
        "at the start".to_owned()
    } else {
        format!(
            "after {}",
            elapsed((highest.start_s - first(timeline)) as f64)
        )
    };
    Some(format!("{name} from {low} to {high}, the highest {when}."))
}

/// Where each interval lies and what its lines say.
pub fn reading(timeline: &Timeline, unit: Unit, marks: &[Mark]) -> Reading {
    let (first, axis) = (first(timeline), Axis::time(end(timeline)));
    let lines = marks.iter().filter_map(|mark| match &mark.shape {
        Shape::Line(points) => Some(optional_texts(
            &mark.label,
            unit,
            points.iter().map(|p| p.1),
        )),
        Shape::Area(_) | Shape::Columns(_) | Shape::Dots(_) | Shape::Signs(..) => None,
    });
    Reading {
        of: "Time (UTC)".to_owned(),
        x: timeline
            .rows
            .iter()
            .map(|row| axis.thousandths(row.middle_s(first)))
            .collect(),
        at: moments(timeline.rows.iter().map(|row| row.start_s), first),
        series: lines.collect(),
    }
}

/// Moments of the run as text, each with the time since its first second.
pub fn moments(seconds: impl Iterator<Item = i64>, first: i64) -> Vec<String> {
    let text = |at: i64| format!("{} ({})", time_of_day(at), elapsed((at - first) as f64));
    seconds.map(text).collect()
}

/// A series as text.
pub fn texts(name: &str, unit: Unit, values: &[f64]) -> (String, Vec<String>) {
    optional_texts(name, unit, values.iter().map(|value| Some(*value)))
}

/// A series as text, with a dash for what is missing, and the unit beside its name.
pub fn optional_texts(
    name: &str,
    unit: Unit,
    values: impl Iterator<Item = Option<f64>> + Clone,
) -> (String, Vec<String>) {
    let scale = Scale::of(unit, values.clone().flatten());
    let texts = values.map(|value| value.map_or_else(|| "–".to_owned(), |v| scale.text(v)));
    let name = if scale.symbol.is_empty() {
        name.to_owned()
    } else {
        format!("{name}, {}", scale.symbol)
    };
    (name, texts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn limit(value: f64) -> Limit {
        Limit {
            label: format!("<L> at {value}"),
            value,
            broken: true,
        }
    }

    #[test]
    fn limits_are_drawn_or_told() {
        // 100 requests, one of 1.5 ms more each 250 ms: p99 ends near 150 ms.
        let timeline = fixture::analysis(100).summary.timeline;
        let near = response_times(&timeline, vec![limit(100.0)])
            .expect("draws")
            .expect("has times");
        assert!(
            near.svg.contains("class=\"limit broken\"") && near.svg.contains("&lt;L&gt; at 100")
        );
        let far = response_times(&timeline, vec![limit(5000.0)])
            .expect("draws")
            .expect("has times");
        assert!(
            !far.svg.contains("class=\"limit broken\"") && far.svg.contains("beyond this chart")
        );
        assert!(
            far.description.contains("Limit <L> at 5000."),
            "{}",
            far.description
        );
    }

    #[test]
    fn every_figure_of_time_draws_and_tells_its_values() {
        let summary = fixture::analysis(100).summary;
        let timeline = &summary.timeline;
        let figures = [
            response_times(timeline, Vec::new()),
            requests(timeline),
            users(timeline),
            statuses(timeline, &summary.over_time.statuses),
            failures(timeline, &summary.over_time.failures),
        ];
        for figure in figures {
            let figure = figure.expect("draws").expect("has data");
            assert_eq!(figure.reading.x.len(), timeline.rows.len(), "{}", figure.id);
            assert!(
                figure
                    .reading
                    .series
                    .iter()
                    .all(|(_, texts)| texts.len() == timeline.rows.len())
            );
            assert!(
                !figure.description.is_empty()
                    && figure.svg.starts_with("<svg")
                    && figure.svg.ends_with("</svg>")
            );
        }
    }

    #[test]
    fn nothing_known_is_no_figure() {
        let none = Timeline::default();
        assert!(response_times(&none, Vec::new()).expect("draws").is_none());
        assert!(
            requests(&none).expect("draws").is_none() && users(&none).expect("draws").is_none()
        );
        assert!(
            statuses(&none, &[]).expect("draws").is_none()
                && failures(&none, &[]).expect("draws").is_none()
        );
    }
}
