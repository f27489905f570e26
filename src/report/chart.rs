//! Charts as inline SVG, drawn from the model; one function for each figure.
//!
//! A chart has to be read on a phone, on a wide screen and on paper. So its marks lie in a plane that stretches with the
//! page ([`plane`], drawn by plotters), while its words keep their size: they are placed in per cent across and in pixels
//! down ([`words`]). Nothing has a colour of its own: every mark has a [`Role`], a class that the page's style knows.

pub mod axis;
pub mod bullet;
pub mod distribution;
pub mod fields;
pub mod over_time;
pub mod plane;
pub mod quota;
pub mod shift;
pub mod small;
pub mod words;

use axis::Axis;

/// What a mark stands for; a class of the page's style. The order of the kinds is that of their lightness, so that they
/// can be told apart in black and white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Text colour: the median, what is usual.
    Ink,
    /// The accent: what the eye should follow.
    Accent,
    /// A paler accent.
    Soft,
    /// Grey: context.
    Calm,
    /// Failures.
    Bad,
    /// Something to watch.
    Warm,
    /// Further kinds.
    Green,
    /// Further kinds.
    Sky,
    /// Further kinds.
    Plum,
    /// The baseline.
    Base,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 10] = [
        Self::Ink,
        Self::Accent,
        Self::Soft,
        Self::Calm,
        Self::Bad,
        Self::Warm,
        Self::Green,
        Self::Sky,
        Self::Plum,
        Self::Base,
    ];

    /// The class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Ink => "ink",
            Self::Accent => "accent",
            Self::Soft => "soft",
            Self::Calm => "calm",
            Self::Bad => "bad",
            Self::Warm => "warm",
            Self::Green => "green",
            Self::Sky => "sky",
            Self::Plum => "plum",
            Self::Base => "base",
        }
    }
}

/// A point, or a gap in the line.
pub type Point = (f64, Option<f64>);

/// The form of a mark, in the figure's own units.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A line, broken where a value is missing.
    Line(Vec<Point>),
    /// The area between two lines: x, lower, upper.
    Area(Vec<(f64, f64, f64)>),
    /// Columns: from x, to x, from y, to y.
    Columns(Vec<[f64; 4]>),
    /// Single points.
    Dots(Vec<(f64, f64)>),
    /// Single points, each under a sign that the legend explains.
    Signs(&'static str, Vec<(f64, f64)>),
}

/// One series of a figure.
#[derive(Clone, Debug)]
pub struct Mark {
    /// How it looks.
    pub role: Role,
    /// Written at its right end; empty for none.
    pub label: String,
    /// What is drawn.
    pub shape: Shape,
}

/// A horizontal line that a gate draws.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What it says.
    pub label: String,
    /// Where it lies, in the unit of the vertical axis.
    pub value: f64,
    /// Whether the run is beyond it.
    pub broken: bool,
}

/// A stretch of the horizontal axis that is marked: the worst window, say.
#[derive(Clone, Debug)]
pub struct Span {
    /// Begin, in the unit of the horizontal axis.
    pub from: f64,
    /// End.
    pub to: f64,
    /// What it is.
    pub label: String,
}

/// Everything that is drawn.
#[derive(Clone, Debug)]
pub struct Plot {
    /// Across.
    pub x: Axis,
    /// Down.
    pub y: Axis,
    /// Height of the plane in pixels.
    pub height: u32,
    /// Series, in the order in which they are painted.
    pub marks: Vec<Mark>,
    /// Limits.
    pub limits: Vec<Limit>,
    /// Marked stretches.
    pub spans: Vec<Span>,
}

/// A figure with its words.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Its anchor in the page.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// How to read it.
    pub caption: String,
    /// What it says, in words and numbers, for whoever cannot see it.
    pub description: String,
    /// The drawing.
    pub svg: String,
    /// The values behind it, as text.
    pub reading: Reading,
}

/// Values of a figure as text: what the tooltip and the table show.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Reading {
    /// What the first column of the table holds.
    pub of: String,
    /// Where each point lies across, in thousandths of the width.
    pub x: Vec<u16>,
    /// What each point is: a moment, a percentile.
    pub at: Vec<String>,
    /// Name with unit, and a text for each point.
    pub series: Vec<(String, Vec<String>)>,
}

impl Plot {
    /// The drawing; `id` is the figure's, whose title and description it has.
    pub fn svg(&self, id: &str) -> anyhow::Result<String> {
        let mut svg = words::open(id, self.height);
        words::grid(&mut svg, self);
        svg.push_str(&plane::draw(self)?);
        words::labels(&mut svg, self);
        svg.push_str("</svg>");
        Ok(svg)
    }

    /// The values of the vertical axis' marks, for its scale.
    pub fn highest(marks: &[Mark]) -> f64 {
        let values = marks.iter().map(|mark| match &mark.shape {
            Shape::Line(points) => highest(points.iter().filter_map(|p| p.1)),
            Shape::Area(points) => highest(points.iter().map(|p| p.2)),
            Shape::Columns(columns) => highest(columns.iter().map(|c| c[3])),
            Shape::Dots(points) | Shape::Signs(_, points) => highest(points.iter().map(|p| p.1)),
        });
        highest(values)
    }
}

fn highest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}
