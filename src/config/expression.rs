//! The grammar of a requirement.
//!
//! ```text
//! EXPR   = METRIC CMP LIMIT [(for | within) DURATION] [on SELECTOR]     (`on` only in `--require`)
//! CMP    = < | <= | > | >= | ==
//! LIMIT  = NUMBER [UNIT] | baseline [(+ | -) NUMBER (% | UNIT)]
//! ```

use regex::Regex;

use super::mistakes::nearest;
use crate::gate::{Comparator, Limit, Requirement};
use crate::metric::{Aggregate, Filter, Metric};
use crate::units::Unit;

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

const SHAPE: &str =
    "a requirement is `METRIC CMP LIMIT`, as `p95 < 500ms`; CMP is one of < <= > >= ==";

/// Parses a requirement.
pub fn parse(text: &str) -> Parsed<Requirement> {
    let whole = Part::new(text, 0);
    let Some(at) = comparator_at(whole.text) else {
        return Err(whole.wrong("bad-expression", "there is no comparison", SHAPE));
    };
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
    let within_s = within.map(window).transpose()?;
    Ok(Requirement {
        text: whole.text.to_owned(),
        limit: parse_limit(limit, &metric)?,
        metric,
        comparator,
        within_s,
    })
}

/// The comparison outside parentheses, so that `ratio(status=5xx) < 1%` is cut at `<`.
fn comparator_at(text: &str) -> Option<usize> {
    let (mut depth, mut quoted) = (0_i32, false);
    for (i, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            '<' | '>' | '=' if depth <= 0 && !quoted => return Some(i),
            _ => {}
        }
    }
    None
}

fn split_window(part: Part<'_>) -> (Part<'_>, Option<Part<'_>>) {
    for word in [" within ", " for "] {
        if let Some(at) = part.text.find(word) {
            return (part.until(at), Some(part.at(at + word.len())));
        }
    }
    (part, None)
}

fn window(part: Part<'_>) -> Parsed<f64> {
    duration_ms(part.text)
        .filter(|ms| *ms >= 1000.0)
        .map(|ms| ms / 1e3)
        .ok_or_else(|| {
            part.wrong(
                "bad-value",
                format!("`{}` is not a window", part.text),
                "a window is `1s` or longer, as `60s`",
            )
        })
}

/// Milliseconds of `30s`, `500ms`, `2min`, `1h`, `100us`; `None` for anything else, and for what is not above zero.
pub fn duration_ms(text: &str) -> Option<f64> {
    let (number, unit) = number_and_unit(text)?;
    Some(number * time_factor(unit)?).filter(|ms| *ms > 0.0)
}

/// The number and the unit of `10MB`, whatever they are.
pub fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | '_')))
        .unwrap_or(text.len());
    let number: f64 = text[..end].replace('_', "").parse().ok()?;
    number.is_finite().then_some((number, text[end..].trim()))
}

fn time_factor(unit: &str) -> Option<f64> {
    Some(match unit {
        "us" | "µs" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        "m" | "min" => 6e4,
        "h" => 3.6e6,
        _ => return None,
    })
}

/// Bytes in a unit.
pub fn byte_factor(unit: &str) -> Option<f64> {
    Some(match unit {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        _ => return None,
    })
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
        text => Metric::Quantile(quantile(text).ok_or_else(|| unknown(part))?),
    })
}

/// `p95` → 0.95. Kept to a millionth.
fn quantile(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
    (percent > 0.0 && percent <= 100.0 && text.ends_with(|c: char| c.is_ascii_digit()))
        .then(|| (percent * 1e4).round() / 1e6)
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
    let span =
        |why: String| argument.wrong("bad-value", why, "write a duration, as `500ms` or `10s`");
    match name.text {
        "ratio" => Ok(Metric::Ratio(filter(argument)?)),
        "count" => Ok(Metric::Count(filter(argument)?)),
        "apdex" => duration_ms(argument.text)
            .map(Metric::Apdex)
            .ok_or_else(|| span(format!("`{}` is not a duration", argument.text))),
        "peak" => duration_ms(argument.text)
            .map(|ms| Metric::Peak(ms / 1e3))
            .ok_or_else(|| span(format!("`{}` is not a duration", argument.text))),
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
                text => Aggregate::Quantile(quantile(text).ok_or_else(|| unknown(name))?),
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
        let pattern = pattern.trim().trim_matches('"');
        return Regex::new(pattern).map(Filter::Error).map_err(|e| {
            part.wrong(
                "bad-expression",
                e.to_string().lines().last().unwrap_or_default(),
                help,
            )
        });
    }
    Err(part.wrong(
        "bad-expression",
        format!("`{}` selects nothing", part.text),
        help,
    ))
}

fn parse_limit(part: Part<'_>, metric: &Metric) -> Parsed<Limit> {
    if let Some(rest) = part.text.strip_prefix("baseline") {
        return baseline(part, rest.trim(), metric);
    }
    let Some((number, unit)) = number_and_unit(part.text) else {
        let message = if part.text.is_empty() {
            "the limit is missing".to_owned()
        } else {
            format!("`{}` is not a number", part.text)
        };
        return Err(part.wrong("bad-value", message, SHAPE));
    };
    let value = in_base_units(part, number, unit, metric)?;
    if value < 0.0 && !matches!(metric, Metric::Field(..)) {
        return Err(part.wrong(
            "bad-value",
            "a limit below zero can never matter",
            "write a positive limit",
        ));
    }
    Ok(Limit::Absolute(value))
}

fn baseline(part: Part<'_>, rest: &str, metric: &Metric) -> Parsed<Limit> {
    if rest.is_empty() {
        return Ok(Limit::Baseline {
            factor: 1.0,
            offset: 0.0,
        });
    }
    let help = "write `baseline + 20%` or `baseline + 50ms`";
    let sign = match rest.as_bytes()[0] {
        b'+' => 1.0,
        b'-' => -1.0,
        _ => {
            return Err(part.wrong(
                "bad-expression",
                format!("`{rest}` does not follow `baseline`"),
                help,
            ));
        }
    };
    let Some((number, unit)) = number_and_unit(&rest[1..]) else {
        return Err(part.wrong("bad-value", format!("`{rest}` is not a change"), help));
    };
    if unit == "%" {
        return Ok(Limit::Baseline {
            factor: 1.0 + sign * number / 100.0,
            offset: 0.0,
        });
    }
    Ok(Limit::Baseline {
        factor: 1.0,
        offset: sign * in_base_units(part, number, unit, metric)?,
    })
}

/// A number with its unit in the metric's base unit; a measured field's unit is that of its name's suffix.
fn in_base_units(part: Part<'_>, number: f64, unit: &str, metric: &Metric) -> Parsed<f64> {
    let wrong = |help: &str| {
        Err(part.wrong(
            "bad-unit",
            format!("`{}` does not fit the metric", part.text),
            help,
        ))
    };
    match (metric.unit(), unit) {
        (Unit::Time, unit) => match time_factor(unit) {
            Some(factor) => Ok(number * factor),
            None => wrong(&format!(
                "a time needs its unit: write `{number}ms` or `{number}s`"
            )),
        },
        (Unit::Ratio, "%") => Ok(number / 100.0),
        (Unit::Ratio | Unit::Score, "") if (0.0..=1.0).contains(&number) => Ok(number),
        (Unit::Ratio, _) => wrong("a ratio is written `1%`, or as a number from 0 to 1"),
        (Unit::Score, _) => wrong("apdex is a number from 0 to 1"),
        (Unit::PerSecond, "" | "/s")
        | (Unit::PerMinute, "" | "/min")
        | (Unit::Count | Unit::Plain, "") => Ok(number),
        (Unit::PerSecond, _) => wrong("write `50/s`"),
        (Unit::PerMinute, _) => wrong("write `30/min`"),
        (Unit::Plain, unit) => match (metric, field_factor(metric, unit)) {
            (_, Some(factor)) => Ok(number * factor),
            _ => wrong("the field's name ends in no unit of that kind; write the plain number"),
        },
        (Unit::Count | Unit::Bytes, _) => wrong("a count has no unit"),
    }
}

/// From a written unit to the unit that a field's name ends in: `50MB` for `memory_mb` is 50.
fn field_factor(metric: &Metric, unit: &str) -> Option<f64> {
    let Metric::Field(aggregate, name) = metric else {
        return None;
    };
    let unit = if *aggregate == Aggregate::Slope {
        unit.strip_suffix("/h").unwrap_or(unit)
    } else {
        unit
    };
    if unit.is_empty() {
        return Some(1.0);
    }
    let suffix = name.rsplit(['_', '.']).next()?;
    let of_time = match suffix {
        "ns" => Some(1e-6),
        "us" => Some(1e-3),
        "ms" => Some(1.0),
        "s" => Some(1e3),
        _ => None,
    };
    let of_bytes = match suffix {
        "b" | "bytes" => Some(1.0),
        "kb" => Some(1e3),
        "mb" => Some(1e6),
        "gb" => Some(1e9),
        "mib" => Some(1_048_576.0),
        _ => None,
    };
    match (time_factor(unit), byte_factor(unit)) {
        (Some(from), _) => of_time.map(|to| from / to),
        (_, Some(from)) => of_bytes.map(|to| from / to),
        _ => None,
    }
}

/// A floor for changes against a baseline, in the metric's base unit.
pub fn floor(text: &str, metric: &Metric) -> Parsed<f64> {
    match parse_limit(Part::new(text, 0), metric)? {
        Limit::Absolute(value) => Ok(value),
        Limit::Baseline { .. } => {
            Err(Part::new(text, 0).wrong("bad-value", "a floor is a number", "write `20ms`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> Limit {
        parse(text).expect(text).limit
    }

    #[test]
    fn limits_are_in_base_units() {
        assert_eq!(limit("p95 < 1.5s"), Limit::Absolute(1500.0));
        assert_eq!(limit("failure_ratio < 1%"), Limit::Absolute(0.01));
        assert_eq!(limit("ratio(status=5xx) < 0.005"), Limit::Absolute(0.005));
        assert_eq!(limit("rps > 50/s"), Limit::Absolute(50.0));
        assert_eq!(limit("max(memory_mb) < 2GB"), Limit::Absolute(2000.0));
        assert_eq!(limit("slope(memory_mb) < 50MB/h"), Limit::Absolute(50.0));
        assert_eq!(
            limit("p95 <= baseline + 20%"),
            Limit::Baseline {
                factor: 1.2,
                offset: 0.0
            }
        );
        assert_eq!(
            limit("p95 <= baseline + 50ms"),
            Limit::Baseline {
                factor: 1.0,
                offset: 50.0
            }
        );
    }

    #[test]
    fn metrics_and_windows() {
        assert_eq!(
            parse("p99.9 < 1s").expect("valid").metric,
            Metric::Quantile(0.999)
        );
        assert_eq!(
            parse("max(api_calls)<=2").expect("valid").metric,
            Metric::Field(Aggregate::Max, "api_calls".into())
        );
        assert_eq!(
            parse("requests >= 5 within 1min").expect("valid").within_s,
            Some(60.0)
        );
        assert!(matches!(
            parse("count(error~\"time < out\") < 3")
                .expect("valid")
                .metric,
            Metric::Count(Filter::Error(_))
        ));
    }

    #[test]
    fn mistakes_point_at_their_place() {
        let mistake = |text: &str| {
            let m = parse(text).expect_err(text);
            (m.code, text[m.start..m.start + m.len].to_owned())
        };
        assert_eq!(mistake("p95th < 500ms"), ("unknown-metric", "p95th".into()));
        assert_eq!(mistake("p95 < 500"), ("bad-unit", "500".into()));
        assert_eq!(mistake("p95 < fast"), ("bad-value", "fast".into()));
        assert_eq!(mistake("failure_ratio < 5"), ("bad-unit", "5".into()));
        assert_eq!(mistake("p95"), ("bad-expression", "p95".into()));
        assert_eq!(mistake("p95 = 3ms"), ("bad-expression", "=".into()));
        assert_eq!(
            mistake("ratio(state=1) < 1%"),
            ("bad-expression", "state=1".into())
        );
        assert_eq!(mistake("max(rows) < 3s"), ("bad-unit", "3s".into()));
        assert!(
            parse("p0 < 1s").is_err() && parse("p101 < 1s").is_err() && parse("p95 < nan").is_err()
        );
    }
}
