//! Measured fields: any number a request, or a sample beside the requests, carries besides its response time.

use std::collections::BTreeMap;

use super::Counts;

/// Values up to this size that are whole thousandths are counted in pages.
const LARGEST_PAGED: f64 = 1e12;
/// Sums hold values to a millionth, so that they are exact and the order of the input does not matter.
const FRACTION: f64 = 1e6;
/// Largest value that enters the sums for slope and cost: a thousand million of them fit.
const LARGEST_SUMMED: f64 = 1e11;

/// The values of one measured field, counted, in the log's own unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldTally {
    /// Thousandths → how often.
    paged: Counts,
    /// All other values, as ordered bits → how often.
    other: BTreeMap<u64, u64>,
    /// Earliest and latest value with its time, epoch ms; the smaller (then the larger) value wins a tie in time.
    first: Option<(i64, f64)>,
    last: Option<(i64, f64)>,
    /// Sums for the slope; `None` once a value was too large for them.
    moments: Moments,
    /// Per epoch second.
    seconds: BTreeMap<i64, FieldSecond>,
    /// Start, epoch ms → sum of the values, as far as they are whole numbers from 0 on.
    whole: Counts,
    /// Values that are not, or that have no time.
    not_whole: u64,
    /// Values that came from samples beside the requests.
    sampled: u64,
}

/// The values of one second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FieldSecond {
    /// How many.
    pub count: u64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

/// A least-squares line through the values over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// Units of the field per hour.
    pub per_hour: f64,
    /// Its standard error; `None` for fewer than three values.
    pub standard_error: Option<f64>,
    /// Values with a time.
    pub samples: u64,
}

/// Exact sums of times (ms) and values (millionths).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Moments {
    n: i128,
    t: i128,
    tt: i128,
    v: i128,
    tv: i128,
    vv: i128,
    /// Values that were too large.
    beyond: u64,
}

impl Moments {
    fn add(&mut self, t: i64, v: f64) {
        if v.abs() > LARGEST_SUMMED {
            self.beyond += 1;
            return;
        }
        let (t, v) = (i128::from(t), (v * FRACTION).round() as i128);
        self.n += 1;
        self.t += t;
        self.tt += t * t;
        self.v += v;
        self.tv += t * v;
        // Up to 10^36 for one value: a hundred of them fit, and beyond that the error of the slope is lost, not the slope.
        self.vv = self.vv.saturating_add(v * v);
    }

    fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.t += other.t;
        self.tt += other.tt;
        self.v += other.v;
        self.tv += other.tv;
        self.vv = self.vv.saturating_add(other.vv);
        self.beyond += other.beyond;
    }

    /// Ordinary least squares; standard error from the residuals with n − 2 degrees of freedom.
    fn slope(&self) -> Option<Slope> {
        if self.n < 2 || self.beyond > 0 {
            return None;
        }
        // Moved to a moment inside the run, so that nothing is lost when the sums become floats.
        let origin = self.t / self.n;
        let n = self.n as f64;
        let t = (self.t - self.n * origin) as f64;
        let tt = (self.tt - 2 * origin * self.t + self.n * origin * origin) as f64;
        let tv = (self.tv - origin * self.v) as f64 / FRACTION;
        let middle = self.v / self.n;
        let v = (self.v - self.n * middle) as f64 / FRACTION;
        let around = self
            .vv
            .checked_sub(2 * middle * self.v)?
            .checked_add(self.n * middle * middle);
        let tv = tv - t * (middle as f64 / FRACTION);
        let (stt, stv) = (tt - t * t / n, tv - t * v / n);
        if stt <= 0.0 {
            return None;
        }
        let slope = stv / stt;
        let residual = around
            .filter(|_| self.n > 2 && self.vv < i128::MAX)
            .map(|vv| (vv as f64 / FRACTION / FRACTION - v * v / n - slope * stv).max(0.0));
        let hour = 3_600_000.0;
        Some(Slope {
            per_hour: slope * hour,
            standard_error: residual.map(|r| (r / (n - 2.0) / stt).sqrt() * hour),
            samples: self.n as u64,
        })
    }
}

/// Maps a float to bits that sort as the float does.
fn ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 0 {
        bits ^ (1 << 63)
    } else {
        !bits
    }
}

fn value(ordered: u64) -> f64 {
    f64::from_bits(if ordered >> 63 == 1 {
        ordered ^ (1 << 63)
    } else {
        !ordered
    })
}

/// The value in thousandths, if it is a whole number of them.
fn thousandths(v: f64) -> Option<i64> {
    let scaled = (v * 1e3).round();
    #[expect(
        clippy::float_cmp,
        reason = "only a value that comes back exactly may be kept as thousandths"
    )]
    let exact = scaled / 1e3 == v;
    (exact && v.abs() <= LARGEST_PAGED).then_some(scaled as i64)
}

impl FieldTally {
    /// Counts one value, measured at `at` (epoch ms).
    pub fn add(&mut self, v: f64, at: Option<i64>) {
        let v = if v == 0.0 { 0.0 } else { v };
        match thousandths(v) {
            Some(key) => self.paged.add(key, 1),
            None => *self.other.entry(ordered(v)).or_default() += 1,
        }
        let Some(at) = at else {
            self.not_whole += 1;
            return;
        };
        if v >= 0.0 && v.fract() == 0.0 && v <= LARGEST_SUMMED {
            self.whole.add(at, v as u64);
        } else {
            self.not_whole += 1;
        }
        self.moments.add(at, v);
        self.see(at, v);
        let one = FieldSecond {
            count: 1,
            min: v,
            max: v,
        };
        self.seconds
            .entry(at.div_euclid(1000))
            .and_modify(|s| s.merge(one))
            .or_insert(one);
    }

    /// Counts one value of a sample beside the requests.
    pub fn add_sample(&mut self, v: f64, at: Option<i64>) {
        self.sampled += 1;
        self.add(v, at);
    }

    /// How many of so many requests lack the field; none, when only samples have it.
    pub fn missing_of(&self, requests: u64) -> u64 {
        match self.count() - self.sampled {
            0 => 0,
            found => requests.saturating_sub(found),
        }
    }

    fn see(&mut self, at: i64, v: f64) {
        if self.first.is_none_or(|(t, w)| (at, v) < (t, w)) {
            self.first = Some((at, v));
        }
        if self.last.is_none_or(|(t, w)| (at, v) > (t, w)) {
            self.last = Some((at, v));
        }
    }

    /// Adds another count of the same field.
    pub fn merge(&mut self, other: &Self) {
        self.paged.merge(&other.paged);
        for (key, count) in &other.other {
            *self.other.entry(*key).or_default() += count;
        }
        self.moments.merge(&other.moments);
        for (at, second) in &other.seconds {
            self.seconds
                .entry(*at)
                .and_modify(|s| s.merge(*second))
                .or_insert(*second);
        }
        self.whole.merge(&other.whole);
        self.not_whole += other.not_whole;
        self.sampled += other.sampled;
        for (at, v) in [other.first, other.last].into_iter().flatten() {
            self.see(at, v);
        }
    }

    /// Values in ascending order, each with how often it was seen.
    pub fn values(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let mut paged = self
            .paged
            .iter()
            .map(|(key, n)| (key as f64 / 1e3, n))
            .peekable();
        let mut other = self
            .other
            .iter()
            .map(|(key, n)| (value(*key), *n))
            .peekable();
        std::iter::from_fn(move || match (paged.peek(), other.peek()) {
            (Some((a, _)), Some((b, _))) if b < a => other.next(),
            (Some(_), _) => paged.next(),
            (None, _) => other.next(),
        })
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.paged.total() + self.other.values().sum::<u64>()
    }

    /// Smallest value.
    pub fn min(&self) -> Option<f64> {
        self.values().next().map(|(v, _)| v)
    }

    /// Largest value.
    pub fn max(&self) -> Option<f64> {
        let paged = self.paged.last().map(|key| key as f64 / 1e3);
        let other = self.other.last_key_value().map(|(key, _)| value(*key));
        [paged, other].into_iter().flatten().reduce(f64::max)
    }

    /// Sum of all values.
    pub fn sum(&self) -> f64 {
        self.values().map(|(v, n)| v * n as f64).sum()
    }

    /// Population standard deviation; `None` without values.
    pub fn stddev(&self) -> Option<f64> {
        let n = self.count() as f64;
        let mean = self.sum() / n;
        let squares: f64 = self
            .values()
            .map(|(v, k)| (v - mean).powi(2) * k as f64)
            .sum();
        (n > 0.0).then(|| (squares / n).sqrt())
    }

    /// The value measured first.
    pub fn first(&self) -> Option<f64> {
        self.first.map(|(_, v)| v)
    }

    /// The value measured last.
    pub fn last(&self) -> Option<f64> {
        self.last.map(|(_, v)| v)
    }

    /// Smallest and largest value in each epoch second that has any.
    pub fn seconds(&self) -> &BTreeMap<i64, FieldSecond> {
        &self.seconds
    }

    /// Start, epoch ms → sum of the values there; an error with the number of values that are not whole, are negative, or
    /// have no time.
    pub fn whole(&self) -> Result<&Counts, u64> {
        if self.not_whole == 0 {
            Ok(&self.whole)
        } else {
            Err(self.not_whole)
        }
    }

    /// Least-squares slope over time; `None` for fewer than two moments.
    pub fn slope(&self) -> Option<Slope> {
        self.moments.slope()
    }
}

impl FieldSecond {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slope_is_per_hour() {
        // 100 → 110 over half an hour: 20 per hour.
        let mut field = FieldTally::default();
        field.add(100.0, Some(1_767_225_600_000));
        field.add(110.0, Some(1_767_225_600_000 + 1_800_000));
        let slope = field.slope().expect("two points");
        assert!((slope.per_hour - 20.0).abs() < 1e-9);
        assert_eq!((slope.samples, slope.standard_error), (2, None));
        assert_eq!((field.first(), field.last()), (Some(100.0), Some(110.0)));
    }

    #[test]
    fn error_of_a_slope() {
        // Hours 0 to 3, values 1, 3, 2, 4: Sxx = 5, Sxy = 4, slope 0.8; Syy = 5, residual 5 − 3.2 = 1.8,
        // standard error √(1.8 / 2 / 5) = √0.18.
        let mut field = FieldTally::default();
        for (hour, v) in [1.0, 3.0, 2.0, 4.0].into_iter().enumerate() {
            field.add(v, Some(1_767_225_600_000 + hour as i64 * 3_600_000));
        }
        let slope = field.slope().expect("four points");
        assert!((slope.per_hour - 0.8).abs() < 1e-9, "{slope:?}");
        assert!(
            (slope.standard_error.expect("four points") - 0.18_f64.sqrt()).abs() < 1e-9,
            "{slope:?}"
        );
    }

    #[test]
    fn values_sort_as_numbers() {
        let mut field = FieldTally::default();
        for v in [3.0, -2.0, 0.5, -0.0, 1.0 / 3.0, 1e15] {
            field.add(v, None);
        }
        let values: Vec<f64> = field.values().map(|(v, _)| v).collect();
        assert_eq!(values, [-2.0, 0.0, 1.0 / 3.0, 0.5, 3.0, 1e15]);
        assert_eq!(
            (field.min(), field.max(), field.count()),
            (Some(-2.0), Some(1e15), 6)
        );
        assert_eq!(field.slope(), None);
    }

    #[test]
    fn costs_are_whole_numbers_with_a_time() {
        let mut field = FieldTally::default();
        field.add(2.0, Some(5));
        field.add(3.0, Some(5));
        assert_eq!(field.whole().map(|c| c.get(5)), Ok(5));
        field.add(0.5, Some(6));
        assert_eq!(field.whole(), Err(1));
    }
}
