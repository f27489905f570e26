//! The grammar of a requirement.
//!
//! ```text
//! EXPR   = METRIC CMP LIMIT [(for | within) DURATION] [on SELECTOR]     (`on` only in `--require`)
//! CMP    = < | <= | > | >= | ==
//! LIMIT  = NUMBER [UNIT] | baseline [(+ | -) NUMBER (% | UNIT)]
//! ```

use regex::Regex;

use super::mistakes::nearest;
use super::quantity::duration;
use super::reach;
use crate::exact::Fraction;
use crate::gate::selector::not_a_regex;
use crate::gate::{Comparator, Limit, Requirement, within};
use crate::metric::{Aggregate, Filter, Metric};

mod limit;

pub use limit::floor;

/// What is wrong with an expression, and which bytes of it are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// A code of [`crate::diagnostic::CODES`].
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// First byte of the part that is meant.
    pub start: usize,
    /// Its length in bytes.
    pub len: usize,
    /// What to do.
    pub help: String,
}

type Parsed<T> = Result<T, Mistake>;

/// A trimmed part of the expression that knows where it stands.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Part<'a> {
    fn new(text: &'a str, start: usize) -> Self {
        let trimmed = text.trim_start();
        Self {
            start: start + text.len() - trimmed.len(),
            text: trimmed.trim_end(),
        }
    }
    fn at(self, from: usize) -> Self {
        Self::new(&self.text[from..], self.start + from)
    }
    fn until(self, to: usize) -> Self {
        Self::new(&self.text[..to], self.start)
    }
    fn wrong(
        self,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Mistake {
        Mistake {
            code,
            message: message.into(),
            start: self.start,
            len: self.text.len().max(1),
            help: help.into(),
        }
    }
}

/// Most decimals of a percentile: p99.9999999999 needs 10^12 requests.
const MOST_DECIMALS: usize = 10;
const USELESS: &str = "write a limit that some runs keep and others break";
const SHAPE: &str =
    "a requirement is `METRIC CMP LIMIT`, as `p95 < 500ms`; CMP is one of < <= > >= ==";

/// Cuts `EXPR on SELECTOR` at the first ` on ` behind the comparison: in front of it messages and fields have their own,
/// behind it names may. The selector comes with its first byte.
pub fn split_selector(text: &str) -> (&str, Option<(usize, &str)>) {
    let Ok(comparator) = comparator_at(text) else {
        return (text, None);
    };
    let on = text[comparator..].match_indices("on").find(|(at, word)| {
        let (before, after) = (
            &text[..comparator + at],
            &text[comparator + at + word.len()..],
        );
        before.ends_with(char::is_whitespace)
            && (after.is_empty() || after.starts_with(char::is_whitespace))
    });
    let Some((at, word)) = on else {
        return (text, None);
    };
    let from = comparator + at + word.len();
    let selector = Part::new(&text[from..], from);
    (
        &text[..comparator + at],
        Some((selector.start, selector.text)),
    )
}

/// Parses a requirement.
pub fn parse(text: &str) -> Parsed<Requirement> {
    let whole = Part::new(text, 0);
    let at = comparator_at(whole.text).map_err(|why| whole.wrong("bad-expression", why, SHAPE))?;
    let rest = &whole.text[at..];
    let (comparator, width) = match rest.as_bytes() {
        [b'<', b'=', ..] => (Comparator::LessOrEqual, 2),
        [b'>', b'=', ..] => (Comparator::GreaterOrEqual, 2),
        [b'=', b'=', ..] => (Comparator::Equal, 2),
        [b'<', ..] => (Comparator::Less, 1),
        [b'>', ..] => (Comparator::Greater, 1),
        _ => {
            let sign = Part {
                text: &rest[..1],
                start: whole.start + at,
            };
            return Err(sign.wrong("bad-expression", "`=` is not a comparison", "write `==`"));
        }
    };
    let metric = metric(whole.until(at))?;
    let (limit, within) = split_window(whole.at(at + width));
    let within_s = within.map(|part| window(part, &metric)).transpose()?;
    let part = limit;
    let limit = limit::limit(part, &metric)?;
    if let Some(why) = reach::useless(&metric, comparator, limit) {
        return Err(part.wrong("useless-limit", why, USELESS));
    }
    if within_s.is_some() && matches!(limit, Limit::Baseline { .. }) {
        let why = "windows are not compared with a baseline";
        return Err(part.wrong(
            "bad-expression",
            why,
            "leave out `within`, or write a limit",
        ));
    }
    Ok(Requirement {
        text: whole.text.to_owned(),
        limit,
        metric,
        comparator,
        within_s,
    })
}

/// The comparison outside parentheses and quotes, so that `ratio(status=5xx) < 1%` is cut at `<`; or why there is none.
fn comparator_at(text: &str) -> Result<usize, &'static str> {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            '<' | '>' | '=' if depth <= 0 && !quoted => return Ok(i),
            _ => {}
        }
    }
    Err(match (quoted, depth) {
        (true, _) => "a quote is not closed",
        (false, 1..) => "a parenthesis is not closed",
        (false, _) => "there is no comparison",
    })
}

fn split_window(part: Part<'_>) -> (Part<'_>, Option<Part<'_>>) {
    for word in [" within ", " for "] {
        if let Some(at) = part.text.find(word) {
            return (part.until(at), Some(part.at(at + word.len())));
        }
    }
    (part, None)
}

/// Windows move in steps of a second over counts per second.
fn window(part: Part<'_>, metric: &Metric) -> Parsed<f64> {
    let help = "a window is a number of whole seconds, as `60s`";
    let ms = duration(part.text).map_err(|why| part.wrong("bad-value", why, help))?;
    if ms < 1000.0 || ms % 1000.0 != 0.0 {
        let why = format!("`{}` is not a number of whole seconds", part.text);
        return Err(part.wrong("bad-value", why, help));
    }
    if !within::is_windowed(metric) {
        let why = format!("`{metric}` is not measured in windows");
        let help = "requests, failures, failure and success ratios, rates and percentiles are";
        return Err(part.wrong("bad-expression", why, help));
    }
    Ok(ms / 1e3)
}

/// A metric by its name alone.
pub fn metric_named(text: &str) -> Parsed<Metric> {
    metric(Part::new(text, 0))
}

fn metric(part: Part<'_>) -> Parsed<Metric> {
    if let Some((name, inner)) = part.text.split_once('(') {
        let Some(argument) = inner.strip_suffix(')') else {
            return Err(part.wrong(
                "bad-expression",
                format!("`{}` lacks its closing parenthesis", part.text),
                SHAPE,
            ));
        };
        let argument = Part::new(argument, part.start + name.len() + 1);
        return applied(Part::new(name, part.start), argument);
    }
    Ok(match part.text {
        "requests" => Metric::Requests,
        "failures" => Metric::Failures,
        "failure_ratio" => Metric::FailureRatio,
        "success_ratio" => Metric::SuccessRatio,
        "unexpected_failures" => Metric::UnexpectedFailures,
        "unexpected_failure_ratio" => Metric::UnexpectedFailureRatio,
        "min" => Metric::Min,
        "mean" => Metric::Mean,
        "median" => Metric::Quantile(0.5),
        "max" => Metric::Max,
        "stddev" => Metric::Stddev,
        "rps" => Metric::Rps,
        "rpm" => Metric::Rpm,
        "peak_rps" => Metric::Peak(1.0),
        "peak_rpm" => Metric::Peak(60.0),
        "users" => Metric::Users,
        "duration" => Metric::Duration,
        _ => Metric::Quantile(quantile(part)?),
    })
}

/// `p95` → 0.95, whose nearest float stands for exactly that. p100 is the largest value.
fn quantile(part: Part<'_>) -> Parsed<f64> {
    let percent = part.text.strip_prefix('p').filter(|percent| {
        let digits = percent.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        digits && percent.ends_with(|c: char| c.is_ascii_digit())
    });
    let percent = percent.ok_or_else(|| unknown(part))?;
    let decimals = percent
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    if decimals > MOST_DECIMALS || percent.len() > MOST_DECIMALS + 4 {
        let why = format!("`{}` has too many decimals", part.text);
        let help = format!("a percentile has at most {MOST_DECIMALS} decimals");
        return Err(part.wrong("bad-value", why, help));
    }
    let hundred = Fraction::whole(100);
    let exact = Fraction::parse(percent).ok_or_else(|| unknown(part))?;
    exact
        .over(hundred)
        .filter(|q| *q > Fraction::ZERO && *q <= Fraction::ONE)
        .map(Fraction::to_f64)
        .ok_or_else(|| unknown(part))
}

fn unknown(part: Part<'_>) -> Mistake {
    let known = crate::metric::ALL.iter().map(|(name, ..)| *name);
    let is_percentile =
        part.text.starts_with('p') && part.text[1..].starts_with(|c: char| c.is_ascii_digit());
    let help = match nearest(part.text, known) {
        _ if is_percentile => {
            "percentiles are written `p95` or `p99.9`; `loadgate metrics` lists them all".to_owned()
        }
        Some(name) => format!("did you mean `{name}`? `loadgate metrics` lists them all"),
        None => "`loadgate metrics` lists them all".to_owned(),
    };
    part.wrong(
        "unknown-metric",
        format!("unknown metric `{}`", part.text),
        help,
    )
}

fn applied(name: Part<'_>, argument: Part<'_>) -> Parsed<Metric> {
    let time = |resolution: f64, step: &str| {
        let help = "write a duration, as `500ms` or `10s`";
        let ms = duration(argument.text).map_err(|why| argument.wrong("bad-value", why, help))?;
        let steps = ms / resolution;
        // What is held no finer cannot be asked for any finer.
        if (steps - steps.round()).abs() > 1e-6 || steps < 0.5 {
            let why = format!("`{}` is not a number of whole {step}", argument.text);
            return Err(argument.wrong("bad-value", why, help));
        }
        Ok(ms)
    };
    match name.text {
        "ratio" => Ok(Metric::Ratio(filter(argument)?)),
        "count" => Ok(Metric::Count(filter(argument)?)),
        "apdex" => time(1e-3, "microseconds").map(Metric::Apdex),
        "peak" => time(1.0, "milliseconds").map(|ms| Metric::Peak(ms / 1e3)),
        text => {
            let aggregate = match text {
                "min" => Aggregate::Min,
                "mean" => Aggregate::Mean,
                "median" => Aggregate::Quantile(0.5),
                "max" => Aggregate::Max,
                "sum" => Aggregate::Sum,
                "stddev" => Aggregate::Stddev,
                "first" => Aggregate::First,
                "last" => Aggregate::Last,
                "increase" => Aggregate::Increase,
                "slope" => Aggregate::Slope,
                _ => Aggregate::Quantile(quantile(name)?),
            };
            if argument.text.is_empty() {
                return Err(name.wrong(
                    "bad-expression",
                    "the measured field is missing",
                    "write `max(api_calls)`",
                ));
            }
            Ok(Metric::Field(aggregate, argument.text.to_owned()))
        }
    }
}

fn filter(part: Part<'_>) -> Parsed<Filter> {
    let help = "write `status=5xx`, `status=429` or `error~\"timeout\"`";
    if let Some(status) = part.text.strip_prefix("status=") {
        if let Some(class) = status
            .strip_suffix("xx")
            .and_then(|c| c.parse().ok())
            .filter(|c| (1..=5).contains(c))
        {
            return Ok(Filter::StatusClass(class));
        }
        if let Some(status) = status.parse().ok().filter(|s| (100..600).contains(s)) {
            return Ok(Filter::Status(status));
        }
    } else if let Some(pattern) = part.text.strip_prefix("error~") {
        let pattern = pattern.trim();
        let quoted = pattern.strip_prefix('"').and_then(|p| p.strip_suffix('"'));
        let pattern = quoted.unwrap_or(pattern);
        let regex = Regex::new(pattern)
            .map_err(|e| part.wrong("bad-expression", not_a_regex(pattern, &e), help))?;
        return match crate::tally::errors::foldable(pattern) {
            None => Ok(Filter::Error(regex)),
            Some(instead) => Err(part.wrong(
                "bad-expression",
                format!("`{pattern}` looks for a number, but in messages numbers and ids are `#`"),
                format!("write `error~\"{instead}\"`; a status is selected by `status=503` or `status=5xx`"),
            )),
        };
    }
    Err(part.wrong(
        "bad-expression",
        format!("`{}` selects nothing", part.text),
        help,
    ))
}

#[cfg(test)]
mod tests;
