//! The marks of a figure: a plane that stretches with the page, drawn by plotters.
//!
//! plotters knows colours only as numbers. Each role is drawn in a number of its own, which becomes a class afterwards;
//! strokes keep their width however the plane is stretched (`vector-effect`, in the page's style).

use std::fmt::Write as _;

use anyhow::anyhow;
use plotters::prelude::*;

use super::{Mark, Plot, Role, Shape};

/// Units across the plane and down: fine enough that a point is off by less than half a pixel on any screen.
const ACROSS: u32 = 2000;
const DOWN: u32 = 500;

type Pixel = (i32, i32);

/// The marks as an inner `<svg>`.
pub fn draw(plot: &Plot) -> anyhow::Result<String> {
    let mut drawn = String::new();
    paint(&mut drawn, plot).map_err(|error| anyhow!("cannot draw the chart: {error}"))?;
    Ok(classed(&drawn, &dots(plot)))
}

type Painted<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn paint<'a>(drawn: &'a mut String, plot: &Plot) -> Painted<'a> {
    let root = SVGBackend::with_string(drawn, (ACROSS, DOWN)).into_drawing_area();
    for mark in &plot.marks {
        let color = color(mark.role);
        match &mark.shape {
            Shape::Line(points) => {
                for run in points.split(|(_, value)| value.is_none()) {
                    let run = run.iter().filter_map(|(x, y)| Some(pixel(plot, *x, (*y)?)));
                    let run = straight(run.collect());
                    // A point alone is a line of no length, with round ends.
                    let run = if let [alone] = run[..] {
                        vec![alone, alone]
                    } else {
                        run
                    };
                    if !run.is_empty() {
                        root.draw(&PathElement::new(run, color))?;
                    }
                }
            }
            Shape::Area(points) => {
                let upper = points.iter().map(|(x, _, y)| pixel(plot, *x, *y)).collect();
                let lower = points
                    .iter()
                    .rev()
                    .map(|(x, y, _)| pixel(plot, *x, *y))
                    .collect();
                let mut edge = straight(upper);
                edge.extend(straight(lower));
                root.draw(&Polygon::new(edge, color.filled()))?;
            }
            Shape::Columns(columns) => {
                for [left, right, low, high] in columns {
                    let corners = [pixel(plot, *left, *high), pixel(plot, *right, *low)];
                    root.draw(&Rectangle::new(corners, color.filled()))?;
                }
            }
            // plotters would stretch circles and letters; see `dots`, and `words`
            Shape::Dots(_) | Shape::Signs(..) => {}
        }
    }
    root.present()
}

fn pixel(plot: &Plot, x: f64, y: f64) -> Pixel {
    let across = plot.x.place(x) * f64::from(ACROSS);
    let down = (1.0 - plot.y.place(y)) * f64::from(DOWN);
    (across.round() as i32, down.round() as i32)
}

/// Without the points in the middle of level stretches.
fn straight(points: Vec<Pixel>) -> Vec<Pixel> {
    let mut kept: Vec<Pixel> = Vec::with_capacity(points.len());
    for point in points {
        if let [.., before, last] = kept[..]
            && before.1 == last.1
            && last.1 == point.1
        {
            kept.pop();
        }
        kept.push(point);
    }
    kept
}

/// Points as lines of no length: their round ends stay round in a stretched plane.
fn dots(plot: &Plot) -> String {
    let mut paths = String::new();
    for Mark { role, shape, .. } in &plot.marks {
        let Shape::Dots(points) = shape else { continue };
        let _ = write!(paths, "<path class=\"dots {}\" d=\"", role.class());
        for (x, y) in points {
            let (x, y) = pixel(plot, *x, *y);
            let _ = write!(paths, "M{x} {y}h0");
        }
        paths.push_str("\"/>");
    }
    paths
}

fn color(role: Role) -> RGBColor {
    let number = Role::ALL.iter().position(|known| *known == role);
    RGBColor(1, 1, number.map_or(0, |n| n as u8 + 1))
}

/// plotters' drawing with classes in place of its colours, and without line breaks.
fn classed(drawn: &str, more: &str) -> String {
    let inside = drawn.split_once('>').map_or("", |(_, rest)| rest);
    let inside = inside
        .trim_end()
        .trim_end_matches("</svg>")
        .replace('\n', "")
        .replace(" \"/>", "\"/>");
    let mut text = format!(
        "<svg class=\"plane\" viewBox=\"0 0 {ACROSS} {DOWN}\" preserveAspectRatio=\"none\" width=\"100%\" height=\"100%\">{inside}{more}</svg>"
    );
    for role in Role::ALL {
        let RGBColor(r, g, b) = color(role);
        let (number, class) = (format!("#{r:02X}{g:02X}{b:02X}"), role.class());
        for (plain, kind) in [
            (
                format!("fill=\"none\" opacity=\"1\" stroke=\"{number}\" stroke-width=\"1\""),
                "line",
            ),
            (
                format!("opacity=\"1\" fill=\"{number}\" stroke=\"none\""),
                "area",
            ),
            (format!("opacity=\"1\" fill=\"{number}\""), "area"),
        ] {
            text = text.replace(&plain, &format!("class=\"{kind} {class}\""));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::axis::Axis;
    use crate::units::Unit;

    fn plot(shape: Shape) -> Plot {
        let mark = Mark {
            role: Role::Accent,
            label: String::new(),
            shape,
        };
        Plot {
            x: Axis::named(0.0, 4.0, Vec::new()),
            y: Axis::named(0.0, 10.0, Vec::new()),
            height: 100,
            marks: vec![mark],
            limits: Vec::new(),
            spans: Vec::new(),
        }
    }

    #[test]
    fn marks_have_classes_and_no_colours() {
        let y = |v| Some(v);
        let points = vec![(0.0, y(0.0)), (1.0, y(5.0)), (2.0, None), (3.0, y(10.0))];
        let line = draw(&plot(Shape::Line(points))).expect("draws");
        assert!(
            line.contains("<polyline class=\"line accent\" points=\"0,500 500,250\"/>"),
            "{line}"
        );
        assert!(
            line.contains("points=\"1500,0 1500,0\""),
            "a point alone is a dot: {line}"
        );
        let area = draw(&plot(Shape::Area(vec![(0.0, 0.0, 5.0), (4.0, 0.0, 5.0)]))).expect("draws");
        assert!(area.contains("<polygon class=\"area accent\""), "{area}");
        let columns = draw(&plot(Shape::Columns(vec![[0.0, 1.0, 0.0, 5.0]]))).expect("draws");
        assert!(
            columns.contains(
                "<rect x=\"0\" y=\"250\" width=\"500\" height=\"250\" class=\"area accent\"/>"
            ),
            "{columns}"
        );
        let dots = draw(&plot(Shape::Dots(vec![(2.0, 10.0)]))).expect("draws");
        assert!(
            dots.contains("<path class=\"dots accent\" d=\"M1000 0h0\"/>"),
            "{dots}"
        );
        for svg in [line, area, columns, dots] {
            assert!(!svg.contains('#') && !svg.contains("opacity"), "{svg}");
        }
    }

    #[test]
    fn level_stretches_need_two_points() {
        assert_eq!(
            straight(vec![(0, 1), (1, 1), (2, 1), (3, 2)]),
            [(0, 1), (2, 1), (3, 2)]
        );
        let _ = Unit::Count;
    }
}
