//! What is written into a figure, and its grid: placed in per cent across and in pixels down, so that text keeps its size.

use std::fmt::Write as _;

use super::{Limit, Mark, Plot, Shape};

/// Least distance of two lines of text, in pixels.
const LINE: f64 = 14.0;
/// Longest label of a limit, in characters.
const LONGEST: usize = 38;

/// The begin of a drawing whose title and description are the figure's.
pub fn open(id: &str, height: u32) -> String {
    format!(
        "<svg class=\"plot\" width=\"100%\" height=\"{height}\" role=\"img\" aria-labelledby=\"{id}-title\" aria-describedby=\"{id}-text\">"
    )
}

/// Text that cannot become markup.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Not allowed in XML at all, and no name needs them.
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// The first characters of a text that is too long for a drawing.
pub fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars()
        .take(longest - 1)
        .chain(std::iter::once('…'))
        .collect()
}

fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Lines behind the marks: ticks, their labels, marked stretches and limits.
pub fn grid(svg: &mut String, plot: &Plot) {
    let height = f64::from(plot.height);
    for span in &plot.spans {
        let (from, to) = (plot.x.place(span.from), plot.x.place(span.to));
        let _ = write!(
            svg,
            "<rect class=\"span\" x=\"{}\" y=\"0\" width=\"{}\" height=\"{height}\"/><text class=\"of-span\" x=\"{}\" y=\"-4\"{}>{}</text>",
            percent(from),
            percent((to - from).max(0.004)),
            percent(if to > 0.6 { from } else { to }),
            if to > 0.6 {
                " dx=\"-4\" text-anchor=\"end\""
            } else {
                " dx=\"4\""
            },
            escape(&shortened(&span.label, LONGEST)),
        );
    }
    for (value, text) in &plot.y.ticks {
        let y = down(plot, *value);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{y}\" y2=\"{y}\"/><text x=\"-8\" y=\"{y}\" dy=\".32em\" text-anchor=\"end\">{}</text>",
            escape(text)
        );
    }
    for (value, text) in &plot.x.ticks {
        let share = plot.x.place(*value);
        let anchor = match share {
            s if s < 0.02 => "",
            s if s > 0.98 => " text-anchor=\"end\"",
            _ => " text-anchor=\"middle\"",
        };
        let x = percent(share);
        let _ = write!(
            svg,
            "<line class=\"tick\" x1=\"{x}\" x2=\"{x}\" y1=\"{height}\" y2=\"{}\"/><text x=\"{x}\" y=\"{}\"{anchor}>{}</text>",
            height + 4.0,
            height + 17.0,
            escape(text)
        );
    }
}

/// Pixels from the top.
fn down(plot: &Plot, value: f64) -> f64 {
    round((1.0 - plot.y.place(value)) * f64::from(plot.height))
}

fn round(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}

/// Names at the ends of the series, and limits with theirs, none upon another. An area also has a sample of its colour,
/// as its end may be too thin to see.
pub fn labels(svg: &mut String, plot: &Plot) {
    limits(svg, plot);
    signs(svg, plot);
    let named = plot.marks.iter().filter(|mark| !mark.label.is_empty());
    let mut ends: Vec<(f64, i64, &Mark)> = named
        .enumerate()
        .filter_map(|(i, mark)| {
            // Where ends meet, lines keep the order in which they were given, and areas lie one upon the other.
            let order = if matches!(mark.shape, Shape::Area(_)) {
                -(i as i64)
            } else {
                i as i64
            };
            Some((down(plot, end(&mark.shape)?), order, mark))
        })
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let places: Vec<f64> = ends.iter().map(|(y, ..)| *y).collect();
    for ((.., mark), y) in ends.iter().zip(apart(&places, 0.0, f64::from(plot.height))) {
        let class = mark.role.class();
        let mut indent = 6;
        if matches!(mark.shape, Shape::Area(_)) {
            let top = y - 4.5;
            let _ = write!(
                svg,
                "<rect class=\"area {class}\" x=\"100%\" y=\"{top}\" width=\"9\" height=\"9\" transform=\"translate(7)\"/>"
            );
            indent = 21;
        }
        let _ = write!(
            svg,
            "<text class=\"end {class}\" x=\"100%\" dx=\"{indent}\" y=\"{y}\" dy=\".32em\">{}</text>",
            escape(&shortened(&mark.label, 14))
        );
    }
}

/// Signs above their points, or below where there is no room.
fn signs(svg: &mut String, plot: &Plot) {
    for Mark { role, shape, .. } in &plot.marks {
        let Shape::Signs(sign, points) = shape else {
            continue;
        };
        for (x, y) in points {
            let at = down(plot, *y);
            let _ = write!(
                svg,
                "<text class=\"mark {}\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{sign}</text>",
                role.class(),
                percent(plot.x.place(*x)),
                round(if at < 16.0 { at + 17.0 } else { at - 7.0 }),
            );
        }
    }
}

/// Where a series ends; for an area the middle of its end.
fn end(shape: &Shape) -> Option<f64> {
    match shape {
        Shape::Line(points) => points.iter().rev().find_map(|p| p.1),
        Shape::Area(points) => points
            .last()
            .map(|(_, low, high)| f64::midpoint(*low, *high)),
        Shape::Columns(_) | Shape::Dots(_) | Shape::Signs(..) => None,
    }
}

fn limits(svg: &mut String, plot: &Plot) {
    let mut sorted: Vec<&Limit> = plot.limits.iter().collect();
    sorted.sort_by(|a, b| b.value.total_cmp(&a.value));
    // A limit beyond the axis is told at the top, without a line.
    let wanted: Vec<f64> = sorted
        .iter()
        .map(|limit| {
            if plot.y.holds(limit.value) {
                down(plot, limit.value) - 5.0
            } else {
                8.0
            }
        })
        .collect();
    let places = apart(&wanted, 8.0, f64::from(plot.height) - 2.0);
    for (limit, y) in sorted.iter().zip(places) {
        let class = if limit.broken {
            "limit broken"
        } else {
            "limit"
        };
        let label = escape(&shortened(&limit.label, LONGEST));
        if plot.y.holds(limit.value) {
            let at = down(plot, limit.value);
            let _ = write!(
                svg,
                "<line class=\"{class}\" x1=\"0\" x2=\"100%\" y1=\"{at}\" y2=\"{at}\"/><text class=\"of-{class}\" x=\"4\" y=\"{y}\">{label}</text>"
            );
        } else {
            let _ = write!(
                svg,
                "<text class=\"of-{class}\" x=\"4\" y=\"{y}\">↑ {label}, beyond this chart</text>"
            );
        }
    }
}

/// Places (ascending) moved so far that each is a line of text below the one before, and none is beyond the ends as long
/// as there is room.
fn apart(places: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut moved: Vec<f64> = Vec::with_capacity(places.len());
    for place in places {
        let least = moved.last().map_or(top, |above| above + LINE);
        moved.push(place.max(least));
    }
    let mut lowest = bottom;
    for place in moved.iter_mut().rev() {
        *place = round(place.min(lowest));
        lowest = *place - LINE;
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_distance() {
        assert_eq!(apart(&[10.0, 12.0, 60.0], 0.0, 100.0), [10.0, 24.0, 60.0]);
        assert_eq!(apart(&[95.0, 96.0, 97.0], 0.0, 100.0), [72.0, 86.0, 100.0]);
        assert!(apart(&[], 0.0, 100.0).is_empty());
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            escape("<a b=\"c\">&'\u{1b}"),
            "&lt;a b=&quot;c&quot;&gt;&amp;&#39; "
        );
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß", 3), "äö…");
        assert_eq!(percent(1.0 / 3.0), "33.33%");
        assert_eq!(percent(1.0), "100%");
    }
}
