//! What stands behind the comparison: a number with a unit, or a change from the baseline.

use super::{Mistake, Parsed, Part, SHAPE, USELESS};
use crate::config::quantity::{byte_factor, is_absurd, number_and_unit, time_factor};
use crate::exact::Fraction;
use crate::gate::Limit;
use crate::metric::{Aggregate, Metric};
use crate::units::Unit;

pub(super) fn limit(part: Part<'_>, metric: &Metric) -> Parsed<Limit> {
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
    Ok(Limit::Absolute(in_base_units(part, number, unit, metric)?))
}

fn baseline(part: Part<'_>, rest: &str, metric: &Metric) -> Parsed<Limit> {
    let unchanged = Limit::Baseline {
        factor: Fraction::ONE,
        offset: Fraction::ZERO,
    };
    if rest.is_empty() {
        return Ok(unchanged);
    }
    let help = "write `baseline + 20%` or `baseline + 50ms`";
    let is_less = match rest.as_bytes()[0] {
        b'+' => false,
        b'-' => true,
        _ => {
            return Err(part.wrong(
                "bad-expression",
                format!("`{rest}` does not follow `baseline`"),
                help,
            ));
        }
    };
    let change = number_and_unit(&rest[1..]).filter(|(number, _)| *number >= Fraction::ZERO);
    let Some((number, unit)) = change else {
        return Err(part.wrong("bad-value", format!("`{rest}` is not a change"), help));
    };
    let signed = |change: Fraction| if is_less { change.negated() } else { change };
    let too_long = || too_many_digits(part);
    if unit == "%" {
        let factor = hundredth(signed(number)).and_then(|share| share.plus(Fraction::ONE));
        return Ok(Limit::Baseline {
            factor: factor.ok_or_else(too_long)?,
            offset: Fraction::ZERO,
        });
    }
    Ok(Limit::Baseline {
        factor: Fraction::ONE,
        offset: signed(in_base_units(part, number, unit, metric)?),
    })
}

fn hundredth(percent: Fraction) -> Option<Fraction> {
    percent.over(Fraction::whole(100))
}

fn too_many_digits(part: Part<'_>) -> Mistake {
    let why = format!("`{}` has too many digits", part.text);
    part.wrong("bad-value", why, "a number has at most 15 digits")
}

/// A number with its unit in the metric's base unit; a measured field's unit is that of its name's suffix.
fn in_base_units(
    part: Part<'_>,
    number: Fraction,
    unit: &str,
    metric: &Metric,
) -> Parsed<Fraction> {
    let wrong = |help: &str| {
        Err(part.wrong(
            "bad-unit",
            format!("`{}` does not fit the metric", part.text),
            help,
        ))
    };
    let is_share = || (Fraction::ZERO..=Fraction::ONE).contains(&number.abs());
    let converted = match (metric.unit(), unit) {
        (Unit::Time, unit) => {
            let Some(factor) = time_factor(unit) else {
                let number = number.to_f64();
                return wrong(&format!(
                    "a time needs its unit: write `{number}ms` or `{number}s`"
                ));
            };
            number.times(factor)
        }
        (Unit::Ratio, "%") => hundredth(number),
        (Unit::Ratio | Unit::Score, "") if is_share() => Some(number),
        (Unit::Ratio, _) => return wrong("a ratio is written `1%`, or as a number from 0 to 1"),
        (Unit::Score, _) => return wrong("apdex is a number from 0 to 1"),
        (Unit::PerSecond, "" | "/s")
        | (Unit::PerMinute, "" | "/min")
        | (Unit::Count | Unit::Plain, "") => Some(number),
        (Unit::PerSecond, _) => return wrong("write `50/s`"),
        (Unit::PerMinute, _) => return wrong("write `30/min`"),
        (Unit::Plain, unit) => match field_factor(metric, unit) {
            Some(factor) => number.times(factor),
            None => {
                return wrong(
                    "the field's name ends in no unit of that kind; write the plain number",
                );
            }
        },
        (Unit::Count | Unit::Bytes, _) => return wrong("a count has no unit"),
    };
    let converted = converted.ok_or_else(|| too_many_digits(part))?;
    if metric.unit() == Unit::Time && is_absurd(converted) {
        let why = format!(
            "`{}` is longer than 10 years: nothing takes so long",
            part.text
        );
        return Err(part.wrong("useless-limit", why, USELESS));
    }
    Ok(converted)
}

/// From a written unit to the unit that a field's name ends in: `50MB` for `memory_mb` is 50.
fn field_factor(metric: &Metric, unit: &str) -> Option<Fraction> {
    let Metric::Field(aggregate, name) = metric else {
        return None;
    };
    let unit = if *aggregate == Aggregate::Slope {
        unit.strip_suffix("/h").unwrap_or(unit)
    } else {
        unit
    };
    if unit.is_empty() {
        return Some(Fraction::ONE);
    }
    let suffix = name.rsplit(['_', '.']).next()?;
    let of_time = || match suffix {
        "ns" => Fraction::new(1, 1_000_000),
        suffix @ ("us" | "ms" | "s") => time_factor(suffix),
        _ => None,
    };
    let of_bytes = || match suffix {
        "b" | "bytes" => Some(1),
        "kb" => Some(1000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "mib" => Some(1_048_576),
        _ => None,
    };
    match (time_factor(unit), byte_factor(unit)) {
        (Some(from), _) => from.over(of_time()?),
        (_, Some(from)) => Fraction::new(i128::from(from), of_bytes()?),
        _ => None,
    }
}

/// A floor for changes against a baseline, in the metric's base unit.
pub fn floor(text: &str, metric: &Metric) -> Parsed<f64> {
    let part = Part::new(text, 0);
    match limit(part, metric)? {
        Limit::Absolute(floor) if floor > Fraction::ZERO => Ok(floor.to_f64()),
        Limit::Absolute(_) => Err(part.wrong(
            "bad-value",
            "a floor is above zero",
            "write `20ms`, or leave `floor` out",
        )),
        Limit::Baseline { .. } => {
            Err(part.wrong("bad-value", "a floor is a number", "write `20ms`"))
        }
    }
}
