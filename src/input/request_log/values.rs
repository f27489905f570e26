//! Values of a log line: numbers, also as text, timestamps, and their names for messages.

use serde_json::Value;

/// What a JSON value is, for messages.
pub fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => format!("`{b}`"),
        Value::Number(n) => format!("the number `{n}`"),
        Value::String(s) => format!("the text `{}`", s.chars().take(40).collect::<String>()),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// A JSON error's text without its position, which is told elsewhere.
pub fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// A finite number, also when it is written as text.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
    .filter(|n: &f64| n.is_finite())
}

/// A truth value, also when it is written as text.
pub fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::String(s) if s.eq_ignore_ascii_case("true") => Some(true),
        Value::String(s) if s.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Epoch milliseconds of RFC 3339 text (without zone: UTC), or of a number whose size tells its unit.
pub fn moment_ms(value: &Value) -> Option<i64> {
    if let Some(n) = number(value) {
        // Seconds until the year 5138, then ms, µs and ns of the same span.
        let ms = match n.abs() {
            v if v < 1e11 => n * 1e3,
            v if v < 1e14 => n,
            v if v < 1e17 => n / 1e3,
            _ => n / 1e6,
        };
        return Some(ms.floor() as i64);
    }
    let text = value.as_str()?.trim();
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_nanosecond().div_euclid(1_000_000) as i64);
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let moment = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(moment.as_nanosecond().div_euclid(1_000_000) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn moments_in_every_form() {
        for value in [
            json!("2026-01-01T00:00:01Z"),
            json!("2026-01-01T01:00:01+01:00"),
            json!("2026-01-01 00:00:01"),
            json!(1_767_225_601),
            json!(1_767_225_601_000_i64),
            json!(1_767_225_601_000_000_i64),
            json!(1_767_225_601_000_000_000_i64),
            json!("1767225601"),
        ] {
            assert_eq!(moment_ms(&value), Some(1_767_225_601_000), "{value}");
        }
        assert_eq!(moment_ms(&json!("soon")), None);
    }
}
