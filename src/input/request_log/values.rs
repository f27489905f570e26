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
    match number(value) {
        Some(n) => epoch_ms(n),
        None => written_moment_ms(value.as_str()?.trim()),
    }
}

/// Epoch milliseconds of a number whose size tells its unit: seconds until the year 5138, then ms, µs and ns. `None` for
/// what no calendar holds.
pub fn epoch_ms(n: f64) -> Option<i64> {
    /// The end of the year 9999.
    const LAST_MS: f64 = 253_402_300_799_999.0;
    let ms = match n.abs() {
        v if v < 1e11 => n * 1e3,
        v if v < 1e14 => n,
        v if v < 1e17 => n / 1e3,
        _ => n / 1e6,
    };
    (ms.abs() <= LAST_MS).then_some(ms.floor() as i64)
}

fn written_moment_ms(text: &str) -> Option<i64> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_nanosecond().div_euclid(1_000_000) as i64);
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let moment = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(moment.as_nanosecond().div_euclid(1_000_000) as i64)
}

/// Powers of ten that a float holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Takes a JSON number from the front of a line; `None` if there is none, or if it is not finite. The nearest float,
/// as the library's.
#[inline]
pub fn take_number(rest: &mut &[u8]) -> Option<f64> {
    let line = *rest;
    let negative = line.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let whole = at;
    let mut mantissa = 0_u64;
    let digits = |at: &mut usize, mantissa: &mut u64| {
        let from = *at;
        while let Some(digit) = line
            .get(*at)
            .map(|b| b.wrapping_sub(b'0'))
            .filter(|d| *d < 10)
        {
            *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            *at += 1;
        }
        *at - from
    };
    let mut count = digits(&mut at, &mut mantissa);
    if count == 0 || (count > 1 && line[whole] == b'0') {
        return None;
    }
    let mut scale = 0;
    if line.get(at) == Some(&b'.') {
        at += 1;
        scale = digits(&mut at, &mut mantissa);
        count += scale;
        if scale == 0 {
            return None;
        }
    }
    let has_exponent = matches!(line.get(at), Some(b'e' | b'E'));
    // Both are exact, so that one division rounds to the nearest float (Clinger 1990).
    if !has_exponent && count <= 19 && mantissa < 1 << 53 && scale < TENS.len() {
        *rest = &line[at..];
        let n = mantissa as f64 / TENS[scale];
        return Some(if negative { -n } else { n });
    }
    if has_exponent {
        at += 1 + usize::from(matches!(line.get(at + 1), Some(b'+' | b'-')));
        if digits(&mut at, &mut mantissa) == 0 {
            return None;
        }
    }
    let n: f64 = std::str::from_utf8(&line[..at]).ok()?.parse().ok()?;
    *rest = &line[at..];
    n.is_finite().then_some(n)
}

/// Reads timestamps of one form, of which only seconds and their fraction differ.
#[derive(Debug, Default)]
pub struct Clock {
    /// `2026-01-01T10:00:`
    minute: Vec<u8>,
    /// What follows the seconds: `Z`, `+00:00`, nothing.
    zone: Vec<u8>,
    /// Epoch ms of the minute's begin.
    minute_ms: i64,
}

/// Bytes up to the seconds.
const TO_SECONDS: usize = "2026-01-01T10:00:".len();

impl Clock {
    /// Epoch milliseconds of a written moment; what [`moment_ms`] gives for the same text.
    #[inline]
    pub fn read(&mut self, text: &[u8]) -> Option<i64> {
        if let Some(rest) = text.strip_prefix(self.minute.as_slice())
            && let Some((ms, zone)) = seconds(rest)
            && zone == self.zone
            && !self.minute.is_empty()
        {
            return Some(self.minute_ms + ms);
        }
        self.learn(text)
    }

    #[cold]
    fn learn(&mut self, text: &[u8]) -> Option<i64> {
        let moment = moment_ms(&Value::String(std::str::from_utf8(text).ok()?.to_owned()))?;
        let Some((minute, rest)) = text.split_at_checked(TO_SECONDS) else {
            return Some(moment);
        };
        let is_written = minute
            .iter()
            .zip(b"0000-00-00T00:00:")
            .all(|(b, form)| match form {
                b'0' => b.is_ascii_digit(),
                b'T' => matches!(b, b'T' | b't' | b' '),
                form => b == form,
            });
        if let Some((ms, zone)) = seconds(rest).filter(|_| is_written) {
            self.minute = minute.to_vec();
            self.zone = zone.to_vec();
            self.minute_ms = moment - ms;
        }
        Some(moment)
    }
}

/// `07.125498Z` → 7125 and `Z`; at most nine digits of a fraction.
#[inline]
fn seconds(rest: &[u8]) -> Option<(i64, &[u8])> {
    let [a @ b'0'..=b'5', b @ b'0'..=b'9', after @ ..] = rest else {
        return None;
    };
    let whole = i64::from(a - b'0') * 10_000 + i64::from(b - b'0') * 1000;
    let Some(fraction) = after.strip_prefix(b".") else {
        return Some((whole, after));
    };
    let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
    let digit = |i: usize| {
        if i < digits {
            i64::from(fraction[i] - b'0')
        } else {
            0
        }
    };
    let ms = digit(0) * 100 + digit(1) * 10 + digit(2);
    (1..=9)
        .contains(&digits)
        .then(|| (whole + ms, &fraction[digits..]))
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

    #[test]
    fn numbers_are_the_librarys() {
        for text in [
            "0",
            "-0",
            "1",
            "12.5",
            "1.903",
            "1770026400.0002983",
            "9007199254740993",
            "1e3",
            "1.5E-7",
            "123456789012345678901",
            "0.1",
            "-3.25e+2",
            "5e-324",
            "18446744073709551616",
        ] {
            let ours = take_number(&mut text.as_bytes()).map(f64::to_bits);
            let theirs: Value = serde_json::from_str(text).expect("a number");
            assert_eq!(ours, theirs.as_f64().map(f64::to_bits), "{text}");
        }
        for text in ["01", "1.", "-", "", ".5", "1e", "1e999", "+1", "x"] {
            let mut rest = text.as_bytes();
            assert!(
                take_number(&mut rest).is_none() || !rest.is_empty(),
                "{text}"
            );
        }
    }

    #[test]
    fn the_clock_reads_what_the_library_reads() {
        let mut clock = Clock::default();
        for text in [
            "2026-01-01T00:00:01Z",
            "2026-01-01T00:00:59.999999Z",
            "2026-01-01T00:01:00.1+00:00",
            "2026-01-01T00:01:02.123456789+05:30",
            "2026-01-01T00:01:03.5+05:30",
            "2026-01-01 00:01:03.5",
            "2026-01-01T00:01:60Z",
            "1969-12-31T23:59:59.5Z",
            "1767225601",
        ] {
            assert_eq!(
                clock.read(text.as_bytes()),
                moment_ms(&json!(text)),
                "{text}"
            );
        }
        for text in [
            "2026-01-01T00:00:61Z",
            "2026-13-01T00:00:01Z",
            "soon",
            "2026-01-01T00:00:01X",
        ] {
            assert_eq!(clock.read(text.as_bytes()), None, "{text}");
        }
    }
}
