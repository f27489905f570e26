//! Numbers with units, exactly as they are written: `1.5s`, `0.9%`, `50MB`.

use crate::exact::Fraction;

/// Most digits of a number: more are a slip, and no figure has so many.
const MOST_DIGITS: usize = 15;
/// The longest duration, in milliseconds: ten years, of which no load test makes use.
const LONGEST_MS: i64 = 3_653 * 86_400_000;

/// The number and the unit of `10MB`, whatever they are. `1_000` is 1000.
pub fn number_and_unit(text: &str) -> Option<(Fraction, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | '_')))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let digits: Vec<&str> = number.split('_').collect();
    // Between digits only: `1_000`, not `_1` or `1_.5`.
    let apart = digits.windows(2).all(|two| {
        two[0].ends_with(|c: char| c.is_ascii_digit())
            && two[1].starts_with(|c: char| c.is_ascii_digit())
    });
    let number = digits.concat();
    // Those between zeros at either end.
    let significant = number
        .trim_start_matches(['-', '+', '0', '.'])
        .trim_end_matches(['0', '.']);
    let count = significant.bytes().filter(u8::is_ascii_digit).count();
    let known = apart && count <= MOST_DIGITS && number.len() <= 2 * MOST_DIGITS;
    Some((Fraction::parse(&number).filter(|_| known)?, unit.trim()))
}

/// Milliseconds in a unit of time.
pub fn time_factor(unit: &str) -> Option<Fraction> {
    match unit {
        "us" | "µs" => Fraction::new(1, 1000),
        "ms" => Some(Fraction::ONE),
        "s" => Some(Fraction::whole(1000)),
        "m" | "min" => Some(Fraction::whole(60_000)),
        "h" => Some(Fraction::whole(3_600_000)),
        _ => None,
    }
}

/// Bytes in a unit.
pub fn byte_factor(unit: &str) -> Option<i64> {
    Some(match unit {
        "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1024,
        "MiB" => 1_048_576,
        "GiB" => 1_073_741_824,
        _ => return None,
    })
}

/// Whether a time in milliseconds is longer than any that makes sense.
pub fn is_absurd(ms: Fraction) -> bool {
    ms.abs() > Fraction::whole(LONGEST_MS)
}

/// Milliseconds of `30s`, `500ms`, `2min`, `1h`, `100us`; the error says what is wrong with any other text, and with what
/// is not above zero or longer than ten years.
pub fn duration(text: &str) -> Result<f64, String> {
    let ms = number_and_unit(text).and_then(|(number, unit)| number.times(time_factor(unit)?));
    match ms {
        None => Err(format!("`{text}` is not a duration")),
        Some(ms) if ms <= Fraction::ZERO => Err(format!("`{text}` is not above zero")),
        Some(ms) if is_absurd(ms) => Err(format!("`{text}` is longer than 10 years")),
        Some(ms) => Ok(ms.to_f64()),
    }
}

/// The same, or nothing.
pub fn duration_ms(text: &str) -> Option<f64> {
    duration(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_written() {
        let read = |text| number_and_unit(text).map(|(n, unit)| (n.to_f64(), unit));
        assert_eq!(read(" 1_000.5 MB "), Some((1000.5, "MB")));
        assert_eq!(read("-3"), Some((-3.0, "")));
        assert_eq!(read("100000000000000000000"), Some((1e20, "")));
        assert_eq!(read("0.000000000000001%"), Some((1e-15, "%")));
        assert_eq!(
            read("123456789012345ms"),
            Some((123_456_789_012_345.0, "ms"))
        );
        for text in [
            "",
            "ms",
            "1-2",
            "_1",
            "1_",
            "1__0",
            "1_.5",
            "1.5.5",
            "1234567890123456",
            "nan",
            "inf",
            "0.0000000000000000000000000000000000001",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        // An exponent is no part of a number: it would be taken for a unit, and there is none of that name.
        assert_eq!(read("1e300ms"), Some((1.0, "e300ms")));
    }

    #[test]
    fn durations_are_sensible() {
        let is = |text: &str, ms: f64| assert_eq!(duration(text), Ok(ms), "{text}");
        is("1.001s", 1001.0);
        is("0.1ms", 0.1);
        is("7us", 0.007);
        is("2min", 120_000.0);
    }

    #[test]
    fn durations_that_are_none_say_why() {
        for (text, why) in [
            ("fast", "is not a duration"),
            ("1e300ms", "is not a duration"),
            ("30", "is not a duration"),
            ("0s", "is not above zero"),
            ("-5s", "is not above zero"),
            ("9999999999999h", "is longer than 10 years"),
            ("87673h", "is longer than 10 years"),
        ] {
            let found = duration(text).expect_err(text);
            assert!(found.ends_with(why), "{found}");
        }
        assert_eq!(duration("87672h").map(|ms| ms / 3_600_000.0), Ok(87_672.0));
        assert_eq!(duration_ms("30s"), Some(30_000.0));
    }
}
