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

    /// Prometheus' name of the unit that [`Self::to_prometheus`] gives.
    pub fn prometheus(self) -> &'static str {
        match self {
            Self::Count | Self::Plain => "",
            Self::Ratio => "ratio",
            Self::Time => "seconds",
            Self::PerSecond => "per_second",
            Self::PerMinute => "per_minute",
            Self::Bytes => "bytes",
            Self::Score => "score",
        }
    }

    /// A value in Prometheus' base unit: seconds for times, all else as it is.
    pub fn to_prometheus(self, value: f64) -> f64 {
        match self {
            Self::Time => seconds(value),
            Self::Count
            | Self::Plain
            | Self::Ratio
            | Self::PerSecond
            | Self::PerMinute
            | Self::Bytes
            | Self::Score => value,
        }
    }

    /// Two values for people; with more digits where rounding would make two of one.
    pub fn human_apart(self, a: f64, b: f64) -> (String, String) {
        let rounded = (self.human(a), self.human(b));
        #[expect(clippy::float_cmp, reason = "equal values read the same, and are")]
        if rounded.0 != rounded.1 || a == b {
            return rounded;
        }
        let (factor, symbol) = match self {
            Self::Ratio => (100.0, " %"),
            Self::Time => (1.0, " ms"),
            Self::PerSecond => (1.0, "/s"),
            Self::PerMinute => (1.0, "/min"),
            Self::Bytes => (1.0, " B"),
            Self::Count | Self::Score | Self::Plain => (1.0, ""),
        };
        let text = |value: f64, places| format!("{}{symbol}", trim(value * factor, places));
        let apart = (1..=12).find(|places| text(a, *places) != text(b, *places));
        apart.map_or(rounded, |places| (text(a, places), text(b, places)))
    }

    /// A limit for people: scaled, with all the decimals that were written.
    pub fn human_exactly(self, value: f64) -> String {
        /// More are the noise of a float.
        const PLACES: usize = 9;
        match self {
            Self::Ratio => format!("{} %", trim(value * 100.0, PLACES)),
            Self::Time if value.abs() >= 60_000.0 && value % 1000.0 == 0.0 => time(value),
            Self::Time if value.abs() >= 1000.0 => format!("{} s", trim(value / 1e3, PLACES)),
            Self::Time if value.abs() >= 1.0 || value == 0.0 => {
                format!("{} ms", trim(value, PLACES))
            }
            Self::Time => format!("{} µs", trim(value * 1e3, PLACES)),
            _ if value.abs() >= 1000.0 && value.fract() == 0.0 => self.human(value),
            Self::PerSecond => format!("{}/s", trim(value, PLACES)),
            Self::PerMinute => format!("{}/min", trim(value, PLACES)),
            Self::Bytes => format!("{} B", trim(value, PLACES)),
            Self::Count | Self::Score | Self::Plain => trim(value, PLACES),
        }
    }

    /// A value for people: scaled, rounded to what the eye can use, with its unit.
    pub fn human(self, value: f64) -> String {
        match self {
            Self::Count => count(value),
            Self::Ratio => format!("{} %", percent(value * 100.0)),
            Self::Time => time(value),
            Self::PerSecond => format!("{}/s", significant(value)),
            Self::PerMinute => format!("{}/min", significant(value)),
            Self::Bytes => bytes(value),
            Self::Score => trim(value, 3),
            Self::Plain => significant(value),
        }
    }
}

/// Two decimals, and more where they would make nothing of something; below a millionth it is noise.
fn percent(value: f64) -> String {
    let places = (2..=6).find(|places| value.abs() * 10_f64.powi(*places) >= 0.5);
    trim(value, places.map_or(2, |places| places as usize))
}

/// Milliseconds as seconds.
pub fn seconds(ms: f64) -> f64 {
    ms / 1e3
}

/// `1 request`, `1,234 requests`.
pub fn counted(n: u64, word: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {word}{plural}", Unit::Count.human(n as f64))
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
    let text = group_digits(&format!("{:.0}", value.abs()));
    if value < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

fn group_digits(digits: &str) -> String {
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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
        v => {
            // More where three decimals would make nothing of something; below that it is noise.
            let places = (3..=9).find(|places| v * 10_f64.powi(*places) >= 0.5);
            trim(value, places.map_or(3, |places| places as usize))
        }
    }
}

fn time(ms: f64) -> String {
    match ms.abs() {
        v if v >= 86_400_000.0 => format!(
            "{} d {} h",
            (ms / 86_400_000.0).trunc(),
            parts(ms, 3_600_000.0, 24.0)
        ),
        v if v >= 3_600_000.0 => format!(
            "{} h {} min",
            (ms / 3_600_000.0).trunc(),
            parts(ms, 60_000.0, 60.0)
        ),
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

/// How many whole units there are beyond the last full `of` of them.
fn parts(ms: f64, unit_ms: f64, of: f64) -> f64 {
    (ms.abs() / unit_ms).trunc() % of
}

fn bytes(value: f64) -> String {
    match value.abs() {
        v if v >= 1e9 => format!("{} GB", trim(value / 1e9, 2)),
        v if v >= 1e6 => format!("{} MB", trim(value / 1e6, 2)),
        v if v >= 1e3 => format!("{} kB", trim(value / 1e3, 2)),
        _ => format!("{} B", trim(value, 0)),
    }
}

/// One scale for a column or an axis: the unit is written once, and every number has as many decimals as the others, so
/// that points stand below points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The unit's symbol; empty for counts and measured fields.
    pub symbol: &'static str,
    /// What a value in base units is divided by.
    divisor: f64,
    decimals: usize,
}

impl Scale {
    /// The scale on which the smallest (other than 0) and the largest of the values can both be read.
    pub fn of(unit: Unit, values: impl IntoIterator<Item = f64>) -> Self {
        let (smallest, largest) = values
            .into_iter()
            .map(f64::abs)
            .filter(|v| *v > 0.0 && v.is_finite())
            .fold((f64::INFINITY, 0.0_f64), |(low, high), v| {
                (low.min(v), high.max(v))
            });
        let (symbol, divisor) = match unit {
            Unit::Count | Unit::Plain | Unit::Score => ("", 1.0),
            Unit::Ratio => ("%", 0.01),
            Unit::PerSecond => ("/s", 1.0),
            Unit::PerMinute => ("/min", 1.0),
            Unit::Time if largest > 0.0 && largest < 1.0 => ("µs", 1e-3),
            Unit::Time if largest >= 600_000.0 => ("min", 60_000.0),
            Unit::Time if largest >= 10_000.0 || smallest >= 1000.0 && smallest.is_finite() => {
                ("s", 1000.0)
            }
            Unit::Time => ("ms", 1.0),
            Unit::Bytes if largest >= 1e9 => ("GB", 1e9),
            Unit::Bytes if largest >= 1e6 => ("MB", 1e6),
            Unit::Bytes if largest >= 1e3 => ("kB", 1e3),
            Unit::Bytes => ("B", 1.0),
        };
        let decimals = match unit {
            Unit::Count => 0,
            _ => decimals(smallest / divisor, largest / divisor),
        };
        Self {
            symbol,
            divisor,
            decimals,
        }
    }

    /// The number alone.
    pub fn text(&self, value: f64) -> String {
        let scaled = value / self.divisor;
        let text = format!("{:.*}", self.decimals, scaled.abs());
        let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
        let whole = group_digits(whole);
        let zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
        let sign = if scaled < 0.0 && !zero { "-" } else { "" };
        let point = if rest.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{rest}")
    }

    /// The number with its unit.
    pub fn with_unit(&self, value: f64) -> String {
        match self.symbol {
            "" => self.text(value),
            symbol if symbol.starts_with('/') => format!("{}{symbol}", self.text(value)),
            symbol => format!("{} {symbol}", self.text(value)),
        }
    }
}

/// Labels of an axis: as few decimals as tell its ticks apart, and the unit once, at the largest.
pub fn axis(unit: Unit, ticks: &[f64]) -> Vec<String> {
    let mut scale = Scale::of(unit, ticks.iter().copied());
    let exact = |places: usize| {
        ticks.iter().all(|tick| {
            let scaled = tick / scale.divisor * 10_f64.powi(places as i32);
            (scaled - scaled.round()).abs() < 1e-6
        })
    };
    scale.decimals = (0..6).find(|places| exact(*places)).unwrap_or(6);
    let last = ticks.len().saturating_sub(1);
    let label = |(i, tick): (usize, &f64)| {
        if i == last {
            scale.with_unit(*tick)
        } else {
            scale.text(*tick)
        }
    };
    ticks.iter().enumerate().map(label).collect()
}

/// Decimals that show the smallest value with two digits, and the largest with no more than five.
fn decimals(smallest: f64, largest: f64) -> usize {
    let wanted = match smallest {
        v if v >= 100.0 || v.is_infinite() => 0,
        v if v >= 1.0 => 1,
        v if v >= 0.1 => 2,
        _ => 3,
    };
    let room = match largest {
        v if v >= 10_000.0 => 0,
        v if v >= 1000.0 => 1,
        v if v >= 100.0 => 2,
        _ => 3,
    };
    wanted.min(room)
}

/// Time since the run's start, for an axis: `0`, `45 s`, `2 min`, `2:30 min`, `1:05 h`.
pub fn elapsed(seconds: f64) -> String {
    let s = seconds.round() as i64;
    match s {
        0 => "0".to_owned(),
        ..120 => format!("{s} s"),
        120..7200 if s % 60 == 0 => format!("{} min", s / 60),
        120..7200 => format!("{}:{:02} min", s / 60, s % 60),
        _ if s % 3600 == 0 => format!("{} h", s / 3600),
        _ => format!("{}:{:02} h", s / 3600, s / 60 % 60),
    }
}

/// A moment for people, to the second: `2026-11-20 23:43:05 UTC`.
pub fn date_and_time(epoch_ms: i64) -> String {
    let second = moment(epoch_ms - epoch_ms.rem_euclid(1000));
    match second
        .strip_suffix('Z')
        .and_then(|text| text.split_once('T'))
    {
        Some((date, time)) => format!("{date} {time} UTC"),
        None => second,
    }
}

/// A moment for tables that say `UTC` in their head, to the minute: `2026-11-20 23:43`.
pub fn minute(epoch_ms: i64) -> String {
    let text = date_and_time(epoch_ms);
    text.get(..16).map_or_else(|| text.clone(), str::to_owned)
}

/// The time of day (UTC) of an epoch second: `23:43:05`.
pub fn time_of_day(epoch_s: i64) -> String {
    let s = epoch_s.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// Moments (epoch ms, UTC) as short as an axis needs them: times of one day (`23:43`), days of one year (`9 Jan`), else
/// dates (`2026-01-09`).
pub fn short_moments(epoch_ms: &[i64]) -> Vec<String> {
    let known = |ms: &i64| jiff::Timestamp::from_millisecond(*ms).unwrap_or_default();
    let times: Vec<_> = epoch_ms.iter().map(known).collect();
    let alike = |format: &str| {
        let mut texts = times.iter().map(|t| t.strftime(format).to_string());
        let first = texts.next();
        texts.all(|text| Some(text) == first)
    };
    let format = if alike("%F") {
        "%H:%M"
    } else if alike("%Y") {
        "%-d %b"
    } else {
        "%F"
    };
    times
        .iter()
        .map(|t| t.strftime(format).to_string())
        .collect()
}

/// A relative change with its sign: 0.301 → `+30.1 %`.
pub fn signed_percent(change: f64) -> String {
    let text = trim(change * 100.0, 1);
    let sign = if change > 0.0 && text != "0" { "+" } else { "" };
    format!("{sign}{text} %")
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

/// The same of any quantile: 0.9999999 → `p99.99999`.
pub fn percentile_name(q: f64) -> String {
    format!("p{}", trim(q * 100.0, 10))
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
    fn a_minute_has_no_seconds() {
        assert_eq!(minute(1_763_682_185_900), "2025-11-20 23:43");
    }

    #[test]
    fn moments_are_as_short_as_they_stay_apart() {
        let of = |texts: &[&str]| {
            let ms = |text: &&str| {
                text.parse::<jiff::Timestamp>()
                    .expect("a moment")
                    .as_millisecond()
            };
            short_moments(&texts.iter().map(ms).collect::<Vec<_>>())
        };
        assert_eq!(
            of(&["2026-01-09T00:05:00Z", "2026-01-09T23:43:10Z"]),
            ["00:05", "23:43"]
        );
        assert_eq!(
            of(&["2026-01-09T00:05:00Z", "2026-03-10T00:05:00Z"]),
            ["9 Jan", "10 Mar"]
        );
        assert_eq!(
            of(&["2025-12-31T00:05:00Z", "2026-01-01T00:05:00Z"]),
            ["2025-12-31", "2026-01-01"]
        );
        assert!(of(&[]).is_empty());
    }

    #[test]
    fn a_column_has_one_unit_and_one_number_of_decimals() {
        let text = |unit, values: &[f64]| {
            let scale = Scale::of(unit, values.iter().copied());
            let texts: Vec<String> = values.iter().map(|v| scale.text(*v)).collect();
            (scale.symbol, texts.join(" "))
        };
        assert_eq!(
            text(Unit::Time, &[12.34, 850.0]),
            ("ms", "12.3 850.0".to_owned())
        );
        assert_eq!(
            text(Unit::Time, &[1200.0, 65_000.0]),
            ("s", "1.2 65.0".to_owned())
        );
        assert_eq!(text(Unit::Time, &[0.25, 0.9]), ("µs", "250 900".to_owned()));
        assert_eq!(
            text(Unit::Ratio, &[0.0, 0.0275, 1.0]),
            ("%", "0.0 2.8 100.0".to_owned())
        );
        assert_eq!(
            text(Unit::Count, &[3.0, 8540.0]),
            ("", "3 8,540".to_owned())
        );
        assert_eq!(
            text(Unit::Time, &[-12.5, 0.0]),
            ("ms", "-12.5 0.0".to_owned())
        );
        assert_eq!(text(Unit::Time, &[]), ("ms", String::new()));
        assert_eq!(
            Scale::of(Unit::PerSecond, [107.46]).with_unit(107.46),
            "107/s"
        );
    }

    #[test]
    fn an_axis_has_its_unit_once() {
        assert_eq!(axis(Unit::Time, &[0.0, 50.0, 100.0]), ["0", "50", "100 ms"]);
        assert_eq!(
            axis(Unit::Time, &[0.0, 2500.0, 5000.0]),
            ["0.0", "2.5", "5.0 s"]
        );
        assert_eq!(axis(Unit::Count, &[0.0, 5000.0]), ["0", "5,000"]);
        assert!(axis(Unit::Count, &[]).is_empty());
    }

    #[test]
    fn moments_of_an_axis() {
        let texts = [0.0, 90.0, 120.0, 150.0, 7200.0, 9000.0].map(elapsed);
        assert_eq!(texts, ["0", "90 s", "2 min", "2:30 min", "2 h", "2:30 h"]);
        assert_eq!(time_of_day(-1), "23:59:59");
        assert_eq!(date_and_time(1999), "1970-01-01 00:00:01 UTC");
    }

    #[test]
    fn human_text_is_scaled() {
        assert_eq!(Unit::Time.human(1234.6), "1.235 s");
        assert_eq!(Unit::Time.human(159.8), "159.8 ms");
        assert_eq!(Unit::Time.human(0.25), "250 µs");
        assert_eq!(Unit::Time.human(85_000.0), "1 min 25 s");
        assert_eq!(Unit::Time.human(16_620_000.0), "4 h 37 min");
        assert_eq!(Unit::Time.human(90_000_000.0), "1 d 1 h");
        let apart = |unit: Unit, a, b| unit.human_apart(a, b);
        let texts = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            apart(Unit::Time, 1000.4, 1000.0),
            texts("1000.4 ms", "1000 ms")
        );
        assert_eq!(
            apart(Unit::Ratio, 0.010_000_4, 0.01),
            texts("1.00004 %", "1 %")
        );
        assert_eq!(apart(Unit::Time, 90.0, 1000.0), texts("90 ms", "1 s"));
        assert_eq!(Unit::Ratio.human(0.0275), "2.75 %");
        assert_eq!(Unit::Ratio.human(0.000_02), "0.002 %");
        assert_eq!(Unit::Ratio.human(1e-12), "0 %");
        assert_eq!(Unit::PerSecond.human(0.000_002), "0.000002/s");
        assert_eq!(Unit::Count.human(8540.0), "8,540");
        for (unit, limit, text) in [
            (Unit::Ratio, 0.00123, "0.123 %"),
            (Unit::Ratio, 0.000_000_1, "0.00001 %"),
            (Unit::Time, 5000.1, "5.0001 s"),
            (Unit::Time, 90_500.0, "90.5 s"),
            (Unit::Time, 90_000.0, "1 min 30 s"),
            (Unit::Time, 0.5, "500 µs"),
            (Unit::Time, 123.456, "123.456 ms"),
            (Unit::Time, 0.0, "0 ms"),
            (Unit::PerSecond, 123.456, "123.456/s"),
            (Unit::Count, 12_000.0, "12,000"),
            (Unit::Plain, 2.135_5, "2.1355"),
        ] {
            assert_eq!(unit.human_exactly(limit), text);
        }
        assert_eq!(Unit::PerSecond.human(107.46), "107.5/s");
        assert_eq!(signed_percent(0.301), "+30.1 %");
        assert_eq!(signed_percent(-0.05), "-5 %");
        assert_eq!(quantile_name(999_000), "p99.9");
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
    }
}
