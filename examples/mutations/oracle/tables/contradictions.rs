//! In what Locust's tables contradict themselves and each other.

use super::super::super::subject::{Figure, Gate};
use super::super::rounded_from;
use super::{Row, Tables};

/// What a contradiction is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// How many requests there were.
    Requests,
    /// How many failed.
    Failures,
    /// Response times.
    Times,
    /// Requests per second.
    Rates,
}

/// Whether a gate asks for it.
pub fn concerns(what: About, gate: &Gate) -> bool {
    match gate.figure {
        Figure::Requests => what == About::Requests,
        Figure::Failures | Figure::FailureRatio => {
            matches!(what, About::Requests | About::Failures)
        }
        Figure::Mean | Figure::Max | Figure::Percentile(_) => {
            matches!(what, About::Times | About::Requests)
        }
        Figure::Rps => matches!(what, About::Rates | About::Requests),
        Figure::Users | Figure::FieldMax(_) | Figure::FieldMean(_) => false,
    }
}

/// Everything in which tables contradict themselves or each other.
pub fn contradictions(tables: &Tables) -> Vec<(About, String)> {
    let mut found = Found(Vec::new());
    for row in tables.rows.iter().chain([&tables.total]) {
        of_row(row, tables.span_s, &mut found);
    }
    of_total(tables, &mut found);
    of_files(tables, &mut found);
    found.0
}

/// What contradicts.
struct Found(Vec<(About, String)>);

impl Found {
    fn say(&mut self, about: About, is_wrong: bool, why: impl Into<String>) {
        if is_wrong {
            self.0.push((about, why.into()));
        }
    }
}

fn of_row(row: &Row, span_s: f64, found: &mut Found) {
    let of = row.key.as_ref().map_or("the total", |key| &key.name);
    let more = row.failures > row.requests;
    found.say(
        About::Failures,
        more,
        format!("{of}: more failures than requests"),
    );
    let parts = row.requests.fract() != 0.0 || row.failures.fract() != 0.0;
    found.say(About::Requests, parts, format!("{of}: a part of a request"));
    if row.requests == 0.0 {
        return;
    }
    let ordered = row.min <= row.mean + 1.0 && row.mean <= row.max + 1.0;
    found.say(
        About::Times,
        !ordered,
        format!("{of}: the mean is not between min and max"),
    );
    let all: Vec<f64> = row.percentiles.values().copied().collect();
    let rising = all.windows(2).all(|two| two[0] <= two[1]);
    found.say(
        About::Times,
        !rising,
        format!("{of}: percentiles do not rise"),
    );
    let outside = all.iter().any(|ms| {
        let (low, high) = rounded_from(*ms);
        low > row.max + 1.0 || high < row.min - 1.0
    });
    found.say(
        About::Times,
        outside,
        format!("{of}: percentiles beyond min or max"),
    );
    let (low, high) = mean_between(row);
    let off = row.mean < low - 1.0 || row.mean > high + 1.0;
    found.say(
        About::Times,
        off,
        format!("{of}: percentiles rule out the mean"),
    );
    if span_s > 20.0 {
        let expected = row.requests / span_s;
        let off = row.rps > 1.3 * expected + 0.1 || row.rps < 0.7 * expected - 0.1;
        found.say(
            About::Rates,
            off,
            format!("{of}: {} requests per second", row.rps),
        );
    }
}

fn differs(a: f64, b: f64, slack: f64) -> bool {
    (a - b).abs() > slack * b.abs().max(1.0)
}

fn of_total(tables: &Tables, found: &mut Found) {
    let total = &tables.total;
    let sum = |figure: fn(&Row) -> f64| tables.rows.iter().map(figure).sum::<f64>();
    let off = differs(sum(|r| r.requests), total.requests, 1e-9);
    found.say(About::Requests, off, "rows are not the total");
    let off = differs(sum(|r| r.failures), total.failures, 1e-9);
    found.say(About::Failures, off, "failures are not the total");
    let mean = sum(|r| r.requests * r.mean) / total.requests.max(1.0);
    let off = differs(mean, total.mean, 0.01);
    found.say(About::Times, off, "the rows' means are not the total's");
    let max = tables.rows.iter().map(|r| r.max).fold(0.0, f64::max);
    let off = differs(max, total.max, 1e-3);
    found.say(About::Times, off, "the rows' longest is not the total's");
    let off = differs(sum(|r| r.rps), total.rps, 0.01);
    found.say(About::Rates, off, "the rows' rates are not the total's");
}

fn of_files(tables: &Tables, found: &mut Found) {
    let total = &tables.total;
    if let Some(failures) = &tables.failures {
        let off = differs(failures.values().sum(), total.failures, 1e-9);
        found.say(About::Failures, off, "the failures file differs");
        for row in &tables.rows {
            let told = row.key.as_ref().and_then(|key| failures.get(key)).copied();
            let off = differs(told.unwrap_or(0.0), row.failures, 1e-9);
            found.say(
                About::Failures,
                off,
                "the failures file differs at an endpoint",
            );
        }
    }
    if let Some([requests, failures, mean, _, max]) = tables.end {
        // The last row is written up to a few seconds before the table.
        let few = 5.0 * total.rps + 5.0;
        let off = (requests - total.requests).abs() > few;
        found.say(About::Requests, off, "the history ends elsewhere");
        let off = failures > total.failures + 1.0 || total.failures - failures > few;
        found.say(About::Failures, off, "the history ends with other failures");
        let off = differs(mean, total.mean, 0.1) || max > total.max + 1.0;
        found.say(About::Times, off, "the history ends with other times");
    }
}

/// Between which bounds the percentiles leave the mean.
fn mean_between(row: &Row) -> (f64, f64) {
    let one = 1.0 / row.requests;
    let (mut low, mut high) = (0.0, 0.0);
    let (mut share, mut from) = (0.0, row.min);
    let mut points: Vec<(f64, f64)> = row
        .percentiles
        .iter()
        .map(|(p, ms)| (f64::from(*p) / 100.0, *ms))
        .collect();
    points.push((1.0, row.max));
    for (q, ms) in points {
        let part = q - share;
        low += (part - one).max(0.0) * from;
        high += (part + one) * rounded_from(ms).1;
        (share, from) = (q, rounded_from(ms).0.max(0.0));
    }
    (low, high)
}
