//! Units: the only place that turns a number into text. Human text is scaled, machine text is in base units.

/// What a number measures. Base units: milliseconds, ratio 0 to 1, bytes, 1/s, 1/min.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A whole number of things.
    Count,
    /// 0 to 1.
    Ratio,
    /// Milliseconds.
    Time,
    /// Per second.
    PerSecond,
    /// Per minute.
    PerMinute,
    /// Bytes.
    Bytes,
    /// A score from 0 to 1.
    Score,
    /// The unit of a measured field, as its log has it.
    Plain,
}

impl Unit {
    /// The base unit's symbol, for machines; empty for counts and measured fields.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Count | Self::Plain => "",
            Self::Ratio => "ratio",
            Self::Time => "ms",
            Self::PerSecond => "1/s",
            Self::PerMinute => "1/min",
            Self::Bytes => "B",
            Self::Score => "score",
        }
    }

    /// A value for people: scaled, rounded to what the eye can use, with its unit.
    pub fn human(self, value: f64) -> String {
        match self {
            Self::Count => count(value),
            Self::Ratio => format!("{} %", trim(value * 100.0, 2)),
            Self::Time => time(value),
            Self::PerSecond => format!("{}/s", significant(value)),
            Self::PerMinute => format!("{}/min", significant(value)),
            Self::Bytes => bytes(value),
            Self::Score => trim(value, 3),
            Self::Plain => significant(value),
        }
    }
}

fn count(value: f64) -> String {
    if value.fract() == 0.0 {
        group(value)
    } else {
        significant(value)
    }
}

/// Thousands apart, by a comma.
fn group(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

/// At most `places` decimals, without trailing zeros.
fn trim(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// Four significant digits, whole numbers above.
fn significant(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => group(value.round()),
        v if v >= 100.0 => trim(value, 1),
        v if v >= 10.0 => trim(value, 2),
        _ => trim(value, 3),
    }
}

fn time(ms: f64) -> String {
    match ms.abs() {
        v if v >= 60_000.0 => {
            let seconds = (ms / 1e3).round();
            let (minutes, rest) = ((seconds / 60.0).trunc(), seconds % 60.0);
            if rest == 0.0 {
                format!("{} min", group(minutes))
            } else {
                format!("{} min {rest:.0} s", group(minutes))
            }
        }
        v if v >= 1000.0 => format!("{} s", trim(ms / 1e3, 3)),
        v if v >= 100.0 => format!("{} ms", trim(ms, 1)),
        v if v >= 1.0 || v == 0.0 => format!("{} ms", trim(ms, 2)),
        _ => format!("{} µs", trim(ms * 1e3, 0)),
    }
}

fn bytes(value: f64) -> String {
    match value.abs() {
        v if v >= 1e9 => format!("{} GB", trim(value / 1e9, 2)),
        v if v >= 1e6 => format!("{} MB", trim(value / 1e6, 2)),
        v if v >= 1e3 => format!("{} kB", trim(value / 1e3, 2)),
        _ => format!("{} B", trim(value, 0)),
    }
}

/// A relative change with its sign: 0.142 → `+14.2 %`; from a doubling on as a factor, `×2.5`.
pub fn change(relative: f64) -> String {
    if relative >= 1.0 {
        return format!("×{}", significant(relative + 1.0));
    }
    signed(relative * 100.0, "%")
}

/// A difference of ratios with its sign, in percentage points: 0.012 → `+1.2 pp`.
pub fn points(difference: f64) -> String {
    signed(difference * 100.0, "pp")
}

/// Bounds of a relative change: `-5.6 to +8.7 %`; a bound from a doubling on makes both stand alone.
pub fn changes_between(low: f64, high: f64) -> String {
    if high >= 1.0 {
        return format!("{} to {}", change(low), change(high));
    }
    format!("{:+.1} to {:+.1} %", low * 100.0, high * 100.0)
}

/// Bounds of a difference of ratios: `-0.26 to +1.05 pp`.
pub fn points_between(low: f64, high: f64) -> String {
    format!("{:+.2} to {:+.2} pp", low * 100.0, high * 100.0)
}

/// A share or a size of change without a sign: 0.142 → `14.2 %`.
pub fn share(ratio: f64) -> String {
    signed(ratio * 100.0, "%")
        .trim_start_matches('+')
        .to_owned()
}

fn signed(value: f64, unit: &str) -> String {
    let text = match value.abs() {
        v if v >= 10.0 => trim(value, 1),
        _ => trim(value, 2),
    };
    let sign = if text.starts_with('-') || text == "0" {
        ""
    } else {
        "+"
    };
    format!("{sign}{text} {unit}")
}

/// A quantile's name: 950000 → `p95`, 999000 → `p99.9`.
pub fn quantile_name(millionths: u32) -> String {
    format!("p{}", trim(f64::from(millionths) / 1e4, 4))
}

/// A moment for people and machines: `2026-11-20T23:43:00.123Z` (without milliseconds when they are zero).
pub fn moment(epoch_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(epoch_ms)
        .map_or_else(|_| format!("{epoch_ms} ms"), |t| t.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn human_text_is_scaled() {
        assert_eq!(Unit::Time.human(1234.6), "1.235 s");
        assert_eq!(Unit::Time.human(159.8), "159.8 ms");
        assert_eq!(Unit::Time.human(0.25), "250 µs");
        assert_eq!(Unit::Time.human(85_000.0), "1 min 25 s");
        assert_eq!(Unit::Ratio.human(0.0275), "2.75 %");
        assert_eq!(Unit::Count.human(8540.0), "8,540");
        assert_eq!(Unit::PerSecond.human(107.46), "107.5/s");
        assert_eq!(quantile_name(999_000), "p99.9");
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
    }
}
