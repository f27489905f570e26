//! The values of a measured field, in a scenario file and on the command line.

use std::ops::Range;

use toml::Spanned;

use super::Values;
use super::raw::Reader;
use crate::config::mistakes::Value;

/// Whole numbers up to here are exact as floats, which is how every reader of JSON may hold them.
pub const LARGEST: u64 = 1 << 53;

/// Keys of a log line that a measured field would hide.
const TAKEN: &[&str] = &[
    "timestamp",
    "method",
    "name",
    "response_time_ms",
    "status",
    "success",
    "error",
    "response_length",
    "user",
    "users",
];

/// Reads `2`, `[1, 900]`, or `{ values = [0, 1], weights = [93, 7] }`.
pub fn read(
    reader: &mut Reader<'_>,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Value<'_>,
) -> Option<Values> {
    let name = key.get_ref().as_ref();
    if TAKEN.contains(&name) {
        return reader.bad(
            key.span(),
            format!("a measured field cannot be called `{name}`: every line has that key already"),
            "choose another name",
        );
    }
    if let Some(list) = value.get_ref().as_array() {
        let (low, high) = range(reader, list, value.span(), name)?;
        return Some(Values::Range(low, high));
    }
    let Some(table) = value.get_ref().as_table() else {
        return reader.number(value, name, (-1e15, 1e15)).map(Values::Fixed);
    };
    let mut list = |key: &str| {
        let Some(items) = table.get(key).and_then(|value| value.get_ref().as_array()) else {
            return reader.bad(
                value.span(),
                format!("`{name}` lacks a list `{key}`"),
                "write `{ values = [0, 1], weights = [93, 7] }`",
            );
        };
        let bounds = if key == "weights" {
            (0.0, 1e9)
        } else {
            (-1e15, 1e15)
        };
        let numbers: Vec<_> = items
            .iter()
            .map(|item| reader.number(item, key, bounds))
            .collect();
        numbers.into_iter().collect::<Option<Vec<f64>>>()
    };
    let (values, weights) = (list("values"), list("weights"));
    let (values, weights) = (values?, weights?);
    if values.len() != weights.len() || weights.iter().sum::<f64>() <= 0.0 {
        return reader.bad(
            value.span(),
            format!("`{name}` needs as many weights as values, and one of them above 0"),
            "write `{ values = [0, 1], weights = [93, 7] }`",
        );
    }
    Some(Values::Weighted(values.into_iter().zip(weights).collect()))
}

/// The fewest and the most, both whole.
pub fn range(
    reader: &mut Reader<'_>,
    list: &[Value<'_>],
    span: Range<usize>,
    what: &str,
) -> Option<(u64, u64)> {
    const HELP: &str = "write the fewest and the most, as `[1, 900]`";
    let [low, high] = list else {
        return reader.bad(span, format!("`{what}` is two whole numbers"), HELP);
    };
    let low = reader.whole(low, what, (0, LARGEST));
    let high = reader.whole(high, what, (0, LARGEST));
    let (low, high) = (low?, high?);
    if low > high {
        return reader.bad(span, format!("`{what}` begins above its end"), HELP);
    }
    Some((low, high))
}
