//! The grammar of a quota's rates.
//!
//! ```text
//! RATE   = NUMBER per DURATION | NUMBER per (second | minute | hour | day) | NUMBER/(s | min | h | d)
//! TARGET = NUMBER% | NUMBER
//! BUCKET = RATE burst NUMBER
//! ```

use super::quantity::{duration, number_and_unit};
use crate::exact::Fraction;
use crate::gate::quota::{Bucket, Rate, Target};

/// The longest window: a leap year.
const LONGEST_MS: f64 = 366.0 * 86_400_000.0;

/// What is wrong with a rate: the message, and what to write.
pub type Wrong = (String, &'static str);

const RATE_HELP: &str = "write `60 per 60s`, `60 per minute` or `60/min`";
const BUCKET_HELP: &str = "write `1/s burst 20`";
const TARGET_HELP: &str = "write `50%` of the limit, or a number";

/// `60 per 60s`: a whole number from 1 in a window from 1 ms.
pub fn rate(text: &str) -> Result<Rate, Wrong> {
    let (number, window_ms) = parts(text, "rate", RATE_HELP)?;
    let count = whole(number).ok_or_else(|| {
        let message = format!("`{text}` allows no whole number from 1");
        (message, RATE_HELP)
    })?;
    Ok(Rate {
        text: text.trim().to_owned(),
        count,
        window_ms,
    })
}

/// `50%` of the limit, or a number of its own.
pub fn target(text: &str, limit: &Rate) -> Result<Target, Wrong> {
    let wrong = || not_a(text, "target", TARGET_HELP);
    let count = Fraction::share(limit.count, 1).ok_or_else(wrong)?;
    let value = match number_and_unit(text).ok_or_else(wrong)? {
        (percent, "%") => percent
            .over(Fraction::whole(100))
            .and_then(|share| share.times(count)),
        (number, "") => Some(number),
        _ => return Err(wrong()),
    };
    let value = value.ok_or_else(wrong)?;
    if value <= Fraction::ZERO || value > count {
        let message = format!("a target of `{text}` is not above 0 and up to the limit");
        return Err((message, TARGET_HELP));
    }
    Ok(Target {
        text: text.trim().to_owned(),
        value,
    })
}

/// `1/s burst 20`: tokens that come in, and how many the bucket holds.
pub fn bucket(text: &str) -> Result<Bucket, Wrong> {
    const WHAT: &str = "token bucket";
    let wrong = || not_a(text, WHAT, BUCKET_HELP);
    let (rate, size) = text.split_once(" burst ").ok_or_else(wrong)?;
    let (number, per_ms) = parts(rate, WHAT, BUCKET_HELP)?;
    let capacity = Fraction::parse(size.trim())
        .and_then(whole)
        .ok_or_else(wrong)?;
    // Not exact in millionths, or none at all: the replay would not be what was asked for.
    let millionths = number.times(Fraction::whole(1_000_000)).and_then(whole);
    let millionths = millionths.ok_or_else(|| {
        let message = format!("`{text}` needs a rate in millionths of a token");
        (message, BUCKET_HELP)
    })?;
    Ok(Bucket {
        text: text.trim().to_owned(),
        millionths,
        per_ms: per_ms.unsigned_abs(),
        capacity,
    })
}

fn not_a(text: &str, what: &str, help: &'static str) -> Wrong {
    (format!("`{text}` is not a {what}"), help)
}

fn whole(number: Fraction) -> Option<u64> {
    const MOST: i64 = 1_000_000_000_000_000;
    let known = number.is_whole() && (Fraction::ONE..=Fraction::whole(MOST)).contains(&number);
    u64::try_from(number.floor()).ok().filter(|_| known)
}

/// The number, and the window in milliseconds.
fn parts(text: &str, what: &str, help: &'static str) -> Result<(Fraction, i64), Wrong> {
    let wrong = || not_a(text, what, help);
    let cut = text.split_once(" per ").or_else(|| text.split_once('/'));
    let (number, window) = cut.ok_or_else(wrong)?;
    let ms = window_ms(window.trim()).map_err(|why| (why, help))?;
    if !(1.0..=LONGEST_MS).contains(&ms) || ms.fract() != 0.0 {
        let window = window.trim();
        let why =
            format!("a window of `{window}` is not a number of whole milliseconds up to a year");
        return Err((why, help));
    }
    let (number, unit) = number_and_unit(number).ok_or_else(wrong)?;
    if !unit.is_empty() || number <= Fraction::ZERO {
        return Err(wrong());
    }
    Ok((number, ms as i64))
}

fn window_ms(text: &str) -> Result<f64, String> {
    Ok(match text {
        "s" | "sec" | "second" => 1e3,
        "m" | "min" | "minute" => 6e4,
        "h" | "hour" => 3.6e6,
        "d" | "day" => 8.64e7,
        text => return duration(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_in_every_spelling() {
        for text in ["60 per 60s", "60 per minute", "60/min", " 60 per 1min"] {
            let rate = rate(text).expect(text);
            assert_eq!((rate.count, rate.window_ms), (60, 60_000), "{text}");
        }
        for text in [
            "60",
            "60 per",
            "0 per 60s",
            "1.5/s",
            "x/s",
            "60 per 0s",
            "60 rows/s",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn targets_are_below_the_limit() {
        let limit = rate("60 per 60s").expect("a rate");
        assert_eq!(
            target("50%", &limit).map(|t| t.value),
            Ok(Fraction::whole(30))
        );
        assert_eq!(
            target("29", &limit).map(|t| t.value),
            Ok(Fraction::whole(29))
        );
        for text in ["0%", "101%", "61", "half", "30s"] {
            assert!(target(text, &limit).is_err(), "{text}");
        }
    }

    #[test]
    fn buckets_are_exact() {
        let bucket = bucket("0.5/s burst 20").expect("a bucket");
        assert_eq!(
            (bucket.millionths, bucket.per_ms, bucket.capacity),
            (500_000, 1000, 20)
        );
        for text in [
            "1/s",
            "1/s burst",
            "1/s burst 0",
            "1/s burst 1.5",
            "0.0000001/s burst 2",
        ] {
            assert!(super::bucket(text).is_err(), "{text}");
        }
    }
}
