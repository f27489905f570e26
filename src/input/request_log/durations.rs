//! Durations written as text, with their unit: `12ms`, `1.42s`, `1m2.5s`, `PT0.73S`, `00:00:00.73`.

/// Microseconds in each unit of time, by its names. Longer names come before those they begin with.
pub const UNITS: &[(&str, f64)] = &[
    ("milliseconds", 1e3),
    ("millisecond", 1e3),
    ("millis", 1e3),
    ("msecs", 1e3),
    ("msec", 1e3),
    ("ms", 1e3),
    ("microseconds", 1.0),
    ("microsecond", 1.0),
    ("micros", 1.0),
    ("usecs", 1.0),
    ("usec", 1.0),
    ("us", 1.0),
    ("\u{b5}s", 1.0),
    ("\u{3bc}s", 1.0),
    ("nanoseconds", 1e-3),
    ("nanosecond", 1e-3),
    ("nanos", 1e-3),
    ("nsecs", 1e-3),
    ("nsec", 1e-3),
    ("ns", 1e-3),
    ("seconds", 1e6),
    ("second", 1e6),
    ("secs", 1e6),
    ("sec", 1e6),
    ("s", 1e6),
    ("minutes", 60e6),
    ("minute", 60e6),
    ("mins", 60e6),
    ("min", 60e6),
    ("m", 60e6),
    ("hours", 3600e6),
    ("hour", 3600e6),
    ("hrs", 3600e6),
    ("hr", 3600e6),
    ("h", 3600e6),
];

/// Microseconds of a unit by its name.
pub fn unit(name: &str) -> Option<f64> {
    let found = UNITS.iter().find(|(n, _)| *n == name);
    found.map(|(_, us)| *us)
}

/// Microseconds of a written duration that states its unit; `None` for anything else.
pub fn written_us(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.starts_with(['P', 'p']) {
        return iso(text);
    }
    if text.contains(':') {
        return clock(text);
    }
    let mut rest = text;
    let mut sum = 0.0;
    let mut smallest = f64::INFINITY;
    while !rest.is_empty() {
        let (n, after) = number(rest)?;
        let name_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let name = after[..name_end].trim().to_lowercase();
        let us = unit(&name)?;
        // Hours before minutes before seconds, each once.
        if us >= smallest {
            return None;
        }
        smallest = us;
        sum += n * us;
        rest = after[name_end..].trim_start();
    }
    smallest.is_finite().then_some(sum)
}

/// A number from the front of a text, and what follows it. A comma is a decimal one unless three digits follow it, which
/// may be thousands: then it is not known.
fn number(text: &str) -> Option<(f64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','))
        .unwrap_or(text.len());
    let (digits, after) = text.split_at(end);
    let plain = match digits.split_once(',') {
        Some((_, decimals)) if decimals.len() == 3 || decimals.contains(['.', ',']) => return None,
        Some((whole, decimals)) => format!("{whole}.{decimals}"),
        None => digits.to_owned(),
    };
    let is_number = plain.starts_with(|c: char| c.is_ascii_digit());
    Some((plain.parse().ok().filter(|_| is_number)?, after))
}

/// ISO 8601 as Java writes it: `PT1M2.5S`; days, but no months or years, which have no fixed length.
fn iso(text: &str) -> Option<f64> {
    let upper = text.to_ascii_uppercase();
    let (days, time) = upper.strip_prefix('P')?.split_once('T')?;
    let mut sum = match days.strip_suffix('D') {
        Some(n) => n.parse::<f64>().ok()? * 24.0 * 3600e6,
        None if days.is_empty() => 0.0,
        None => return None,
    };
    let mut rest = time;
    for (letter, us) in [('H', 3600e6), ('M', 60e6), ('S', 1e6)] {
        if let Some((n, after)) = rest.split_once(letter) {
            let (n, left) = number(n)?;
            if !left.is_empty() {
                return None;
            }
            sum += n * us;
            rest = after;
        }
    }
    (rest.is_empty() && !time.is_empty()).then_some(sum)
}

/// `00:00:00.73`, as .NET and databases write it; `days.hours:…` is not read.
fn clock(text: &str) -> Option<f64> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let is_short = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let (seconds, left) = number(seconds)?;
    if parts.next().is_some() || !is_short(hours) || !is_short(minutes) || !left.is_empty() {
        return None;
    }
    let (hours, minutes): (f64, f64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (minutes < 60.0 && seconds < 60.0).then_some(hours * 3600e6 + minutes * 60e6 + seconds * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_states_its_unit() {
        for (text, us) in [
            ("12ms", 12e3),
            ("1.42s", 1.42e6),
            (" 842.7\u{b5}s ", 842.7),
            ("1m2.5s", 62.5e6),
            ("1h0m1s", 3601e6),
            ("250 ms", 250e3),
            ("1,25 s", 1.25e6),
            ("3 seconds", 3e6),
            ("PT0.73S", 0.73e6),
            ("PT1M2.5S", 62.5e6),
            ("P1DT1S", 86_401e6),
            ("00:00:00.73", 0.73e6),
            ("01:02:03", 3723e6),
        ] {
            let found = written_us(text).expect(text);
            assert!((found - us).abs() < 1e-6, "{text}: {found}");
        }
    }

    #[test]
    fn what_is_no_duration() {
        for text in [
            "",
            "12",
            "ms",
            "1,250 ms",
            "1s2m",
            "1s 1s",
            "-1s",
            "PT",
            "P1M",
            "00:61:00",
            "0:0",
            "1.2.3s",
            "fast",
            "12 parsecs",
            "1e3s",
        ] {
            assert_eq!(written_us(text), None, "{text}");
        }
    }
}
