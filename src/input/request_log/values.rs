//! Values of a log line: numbers, also as text, timestamps, and their names for messages.

use serde_json::Value;

use super::shape::{after, plain_text};

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

/// Epoch microseconds, as [`moment_ms`]; of whole numbers without loss.
pub fn epoch_us(value: &Value) -> Option<i64> {
    let whole = match value {
        Value::Number(n) => n.as_i64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    };
    match (whole, number(value)) {
        (Some(ns), _) if ns.unsigned_abs() >= 100_000_000_000_000_000 => Some(ns.div_euclid(1000)),
        (Some(us), _) if us.unsigned_abs() >= 100_000_000_000_000 => Some(us),
        (_, Some(n)) if n.abs() < 1e11 => {
            epoch_ms(n)?;
            Some((n * 1e6).floor() as i64)
        }
        (_, Some(n)) => Some(epoch_ms(n)? * 1000),
        (_, None) => {
            let ns = written_moment(value.as_str()?.trim())?.as_nanosecond();
            Some(ns.div_euclid(1000) as i64)
        }
    }
}

fn written_moment_ms(text: &str) -> Option<i64> {
    Some(written_moment(text)?.as_nanosecond().div_euclid(1_000_000) as i64)
}

/// Ways to write a moment besides RFC 3339, each with its zone: the common log format, RFC 1123, Go's own.
const WITH_ZONE: [&str; 3] = [
    "%d/%b/%Y:%H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S%.f %z",
];
/// The same without: UTC.
const WITHOUT_ZONE: [&str; 4] = [
    "%d/%b/%Y:%H:%M:%S",
    "%a, %d %b %Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S,%f",
];

fn written_moment(text: &str) -> Option<jiff::Timestamp> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment);
    }
    let utc = |civil: jiff::civil::DateTime| civil.to_zoned(jiff::tz::TimeZone::UTC).ok();
    if let Ok(civil) = text.parse::<jiff::civil::DateTime>() {
        return utc(civil).map(|zoned| zoned.timestamp());
    }
    let text = text.trim_matches(['[', ']']);
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let text = text.strip_suffix(" GMT").unwrap_or(text);
    let zoned = WITH_ZONE
        .iter()
        .find_map(|form| jiff::Timestamp::strptime(form, text).ok());
    zoned.or_else(|| {
        let mut forms = WITHOUT_ZONE.iter();
        let civil = forms.find_map(|form| jiff::civil::DateTime::strptime(form, text).ok())?;
        utc(civil).map(|zoned| zoned.timestamp())
    })
}

/// Powers of ten; a float holds them exactly.
const TENS: [f64; 20] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19,
];

/// A JSON number as it is written, if it is short enough to be exact.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// So many of 10 to the power of minus the scale; below 2^53, and the scale below [`TENS`]' length.
    Short {
        /// Whether it begins with a minus.
        is_negative: bool,
        /// The digits without the point.
        digits: u64,
        /// Digits after the point.
        scale: usize,
    },
    /// Any other finite number.
    Long(f64),
}

impl Number {
    /// The nearest float, as the library's.
    #[inline]
    pub fn value(self) -> f64 {
        match self {
            // Both are exact, so that one division rounds to the nearest float (Clinger 1990).
            Self::Short {
                is_negative,
                digits,
                scale,
            } => {
                // Signed, because that is one instruction.
                let n = digits as i64 as f64 / TENS[scale];
                if is_negative { -n } else { n }
            }
            Self::Long(n) => n,
        }
    }

    /// The number times a thousand, if that is whole, not negative, and the same as by way of floats.
    #[inline]
    pub fn whole_thousandths(self) -> Option<u64> {
        match self {
            Self::Short {
                is_negative: false,
                digits,
                scale: scale @ 0..=3,
            } if digits < 1 << 40 => Some(digits * [1000, 100, 10, 1][scale]),
            _ => None,
        }
    }
}

/// Takes a JSON number from the front of a line; `None` if there is none, or if it is not finite.
#[inline]
pub fn take_number(rest: &mut &[u8]) -> Option<Number> {
    let Some((digits, len, scale)) = rest.first_chunk().and_then(|eight| number_of_eight(*eight))
    else {
        return any_number(rest);
    };
    *rest = &rest[len..];
    Some(Number::Short {
        is_negative: false,
        digits,
        scale,
    })
}

/// A number with neither sign nor exponent that ends before the last of eight bytes: its digits without the point, its
/// length, and its digits after the point. In one step, because one for the digits before the point and one for those
/// after it would have to wait for each other.
#[inline]
fn number_of_eight(eight: [u8; 8]) -> Option<(u64, usize, usize)> {
    let (digits, other) = digits_and_others(eight);
    let whole = other.trailing_zeros() as usize / 8;
    let after_whole = other & other.wrapping_sub(1);
    let end = after_whole.trailing_zeros() as usize / 8;
    if whole == 0 || whole == 8 || whole > 1 && eight[0] == b'0' {
        return None;
    }
    let (digits, len, scale) = match eight[whole] {
        b'.' if end < 8 && end > whole + 1 => {
            let before = u64::MAX >> (64 - 8 * whole);
            let joined = digits & before | digits >> 8 & !before;
            (joined << (64 - 8 * (end - 1)), end, end - 1 - whole)
        }
        b'.' => return None,
        _ => (digits << (64 - 8 * whole), whole, 0),
    };
    (!matches!(eight[len], b'e' | b'E')).then(|| (joined_digits(digits), len, scale))
}

/// Takes any number from the front of a line.
#[inline(never)]
fn any_number(rest: &mut &[u8]) -> Option<Number> {
    let line = *rest;
    let is_negative = line.first() == Some(&b'-');
    let whole = &line[usize::from(is_negative)..];
    let (mut digits, mut count) = leading_digits(whole);
    if count == 0 || (count > 1 && whole[0] == b'0') {
        return None;
    }
    let (mut after, mut scale) = (&whole[count..], 0);
    if let Some(fraction) = after.strip_prefix(b".") {
        let (low, places) = leading_digits(fraction);
        if places == 0 {
            return None;
        }
        digits = digits.wrapping_mul(power_of_ten(places)).wrapping_add(low);
        (after, scale) = (&fraction[places..], places);
        count += places;
    }
    let has_exponent = matches!(after.first(), Some(b'e' | b'E'));
    if has_exponent || count > 19 || digits >= 1 << 53 {
        return long_number(rest, line.len() - after.len());
    }
    *rest = after;
    Some(Number::Short {
        is_negative,
        digits,
        scale,
    })
}

/// A number with an exponent, or with many digits; its digits and point end at `end`.
#[cold]
fn long_number(rest: &mut &[u8], end: usize) -> Option<Number> {
    let mut at = end;
    if matches!(rest.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
        let exponent = leading_digits(&rest[at..]).1;
        if exponent == 0 {
            return None;
        }
        at += exponent;
    }
    let n: f64 = std::str::from_utf8(&rest[..at]).ok()?.parse().ok()?;
    *rest = &rest[at..];
    n.is_finite().then_some(Number::Long(n))
}

/// 10 to the power of `n`, modulo 2^64.
#[inline]
fn power_of_ten(n: usize) -> u64 {
    let by_steps = || (0..n).fold(1, |power: u64, _| power.wrapping_mul(10));
    TENS_OF_EIGHT.get(n).copied().unwrap_or_else(by_steps)
}

/// Takes a whole number of at most seven digits from the front of a line. `None`, and nothing taken, for any other.
#[inline]
pub fn take_whole(rest: &mut &[u8]) -> Option<u64> {
    let (digits, n) = digits_of_eight(*rest.first_chunk()?);
    let after = rest.get(n..)?;
    let is_whole = (n == 1 || (2..8).contains(&n) && rest[0] != b'0')
        && !matches!(after.first(), Some(b'.' | b'e' | b'E'));
    is_whole.then(|| {
        *rest = after;
        digits
    })
}

/// The number that the digits at the front of a text spell (modulo 2^64), and how many they are. Eight at a time.
#[inline]
pub fn leading_digits(text: &[u8]) -> (u64, usize) {
    if let Some(eight) = text.first_chunk() {
        let (number, n) = digits_of_eight(*eight);
        if n < 8 {
            return (number, n);
        }
    }
    many_digits(text)
}

#[cold]
fn many_digits(text: &[u8]) -> (u64, usize) {
    let digits = text.iter().map(|b| b.wrapping_sub(b'0'));
    digits
        .take_while(|digit| *digit < 10)
        .fold((0, 0), |(number, count), digit| {
            let number: u64 = number;
            (
                number.wrapping_mul(10).wrapping_add(u64::from(digit)),
                count + 1,
            )
        })
}

/// The number that the leading digits of eight bytes spell, and how many they are, without a loop.
#[inline]
fn digits_of_eight(eight: [u8; 8]) -> (u64, usize) {
    let (digits, other) = digits_and_others(eight);
    let n = other.trailing_zeros() as usize / 8;
    if n == 0 {
        return (0, 0);
    }
    (joined_digits(digits << (64 - 8 * n)), n)
}

/// Bytes of which digits became 0 to 9, and the highest bit of each byte that is none: for sure up to the first that is
/// beyond ASCII.
#[inline]
fn digits_and_others(eight: [u8; 8]) -> (u64, u64) {
    const EACH: u64 = u64::MAX / 255;
    let digits = u64::from_le_bytes(eight) ^ (EACH * 0x30);
    let other = (digits.wrapping_add(EACH * 0x76) | digits) & (EACH * 0x80);
    (digits, other)
}

/// The number of eight digits, the first in the lowest byte (Lemire 2018, "Quickly parsing eight digits"). Neighbours are
/// joined: to pairs, to fours, to eight.
#[inline]
fn joined_digits(ones: u64) -> u64 {
    let pairs = ones.wrapping_mul(10).wrapping_add(ones >> 8);
    let (even, odd) = (
        pairs & 0x0000_00ff_0000_00ff,
        pairs >> 16 & 0x0000_00ff_0000_00ff,
    );
    let high = even.wrapping_mul(100 + (1_000_000 << 32));
    let low = odd.wrapping_mul(1 + (10_000 << 32));
    high.wrapping_add(low) >> 32
}

/// 10 to the power of 0 to 8.
const TENS_OF_EIGHT: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

/// Reads timestamps of one form, of which only seconds and their fraction differ.
#[derive(Debug, Default)]
pub struct Clock {
    /// `2026-01-01T10:00:`
    minute: [u8; TO_SECONDS],
    /// What follows the seconds, with the quote after it: `Z"`, `+00:00"`, `"`.
    zone: Vec<u8>,
    /// Epoch ms of the minute's begin.
    minute_ms: i64,
}

/// Bytes up to the seconds.
const TO_SECONDS: usize = "2026-01-01T10:00:".len();

impl Clock {
    /// Takes a written moment and the quote after it from the front of a line; epoch ms, as [`moment_ms`] gives them.
    #[inline]
    pub fn take(&mut self, rest: &mut &[u8]) -> Option<i64> {
        if let Some(minute) = rest.first_chunk::<TO_SECONDS>()
            && *minute == self.minute
            && let Some((ms, zone)) = seconds(&rest[TO_SECONDS..])
            && let Some(end) = after(zone, &self.zone)
        {
            *rest = end;
            return Some(self.minute_ms + ms);
        }
        self.learn(plain_text(rest)?)
    }

    #[cold]
    fn learn(&mut self, text: &[u8]) -> Option<i64> {
        let moment = moment_ms(&Value::String(std::str::from_utf8(text).ok()?.to_owned()))?;
        let Some((minute, rest)) = text.split_first_chunk::<TO_SECONDS>() else {
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
            self.minute = *minute;
            self.zone = [zone, b"\""].concat();
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
    let (number, digits) = leading_digits(fraction);
    let ms = match digits {
        1..=3 => number * TENS_OF_EIGHT[3 - digits],
        // Most clocks write microseconds; a division by what is not known beforehand takes longer than all the rest.
        6 => number / 1000,
        4..=9 => number / TENS_OF_EIGHT[digits - 3],
        _ => return None,
    };
    Some((whole + ms as i64, &fraction[digits..]))
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
            json!("01/Jan/2026:01:00:01 +0100"),
            json!("[01/Jan/2026:00:00:01 +0000]"),
            json!("Thu, 01 Jan 2026 00:00:01 GMT"),
            json!("2026-01-01 00:00:01.000 +0000 UTC"),
            json!("2026/01/01 00:00:01"),
            json!("2026-01-01 00:00:01,000"),
        ] {
            assert_eq!(moment_ms(&value), Some(1_767_225_601_000), "{value}");
            assert_eq!(epoch_us(&value), Some(1_767_225_601_000_000), "{value}");
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
            let ours = take_number(&mut text.as_bytes()).map(|n| n.value().to_bits());
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
            let line = format!("{text}\",");
            let mut rest = line.as_bytes();
            assert_eq!(clock.take(&mut rest), moment_ms(&json!(text)), "{text}");
            assert_eq!(rest, b",", "{text}");
        }
        for text in [
            "2026-01-01T00:00:61Z",
            "2026-13-01T00:00:01Z",
            "soon",
            "2026-01-01T00:00:01X",
        ] {
            assert_eq!(
                clock.take(&mut format!("{text}\"").as_bytes()),
                None,
                "{text}"
            );
        }
    }
}
