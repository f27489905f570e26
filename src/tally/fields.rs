//! Measured fields: any number a request, or a sample beside the requests, carries besides its response time.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Counts;
use crate::exact::Fraction;

mod costs;

use costs::Costs;

/// Values up to this size that are whole thousandths are counted in pages.
const LARGEST_PAGED: f64 = 1e12;
/// Sums hold values to a millionth, so that they are exact and the order of the input does not matter.
const FRACTION: f64 = 1e6;
/// Largest value that enters the sums for slope and cost: a thousand million of them fit.
const LARGEST_SUMMED: f64 = 1e11;

/// In an exact sum values of up to twelve decimals are counted as whole numbers.
const TRILLIONTHS: i128 = 1_000_000_000_000;
/// Values of more decimals in an exact sum.
const MOST_LONGER: usize = 10_000;

/// The values of one measured field, counted, in the log's own unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldTally {
    /// Thousandths → how often.
    paged: Counts,
    /// All other values, as ordered bits → how often.
    other: BTreeMap<u64, u64>,
    /// How the values went over time; without those of [`Self::sources`].
    course: Course,
    /// The same for samples that name what they were taken from (a process, say).
    sources: BTreeMap<String, Course>,
    /// First and last moment of the samples in each log, of those that name no source.
    spans: Vec<(i64, i64)>,
    /// Requests of the endpoints that have the field; `None` if that is all there are.
    requests: Option<u64>,
    /// Per epoch second.
    seconds: BTreeMap<i64, FieldSecond>,
    /// Start, epoch ms → sum of the values, as far as they are whole numbers from 0 on.
    whole: Costs,
    /// Values that are not, or that have no time.
    not_whole: u64,
    /// Values that came from samples beside the requests.
    sampled: u64,
}

/// How the values of one thing went over time.
#[derive(Clone, Debug, Default, PartialEq)]
struct Course {
    /// Earliest and latest value with its time, epoch ms; the smaller (then the larger) value wins a tie in time.
    first: Option<(i64, f64)>,
    last: Option<(i64, f64)>,
    /// Largest value, with or without a time.
    largest: Option<f64>,
    /// Sums for the slope.
    moments: Moments,
}

impl Course {
    fn add(&mut self, at: i64, v: f64) {
        self.moments.add(at, v);
        self.see(at, v);
    }

    fn see(&mut self, at: i64, v: f64) {
        if self.first.is_none_or(|(t, w)| (at, v) < (t, w)) {
            self.first = Some((at, v));
        }
        if self.last.is_none_or(|(t, w)| (at, v) > (t, w)) {
            self.last = Some((at, v));
        }
        self.largest = Some(self.largest.map_or(v, |w| w.max(v)));
    }

    fn merge(&mut self, other: &Self) {
        self.moments.merge(&other.moments);
        for (at, v) in [other.first, other.last].into_iter().flatten() {
            self.see(at, v);
        }
        self.largest = [self.largest, other.largest]
            .into_iter()
            .flatten()
            .reduce(f64::max);
    }

    fn increase(&self) -> Option<f64> {
        Some(self.largest? - self.first?.1)
    }
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

impl FieldSecond {
    fn of(v: f64) -> Self {
        Self {
            count: 1,
            min: v,
            max: v,
        }
    }
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

/// The value in trillionths, if it is the decimal of so many digits that was written.
fn trillionths(v: f64) -> Option<i128> {
    [1e3, 1e6, 1e9, 1e12].into_iter().find_map(|scale| {
        let scaled = (v * scale).round();
        #[expect(
            clippy::float_cmp,
            reason = "only a value that comes back exactly is that decimal"
        )]
        let is = scaled / scale == v && scaled.abs() < 9e15;
        is.then(|| scaled as i128 * (TRILLIONTHS / scale as i128))
    })
}

impl FieldTally {
    /// Counts one value, measured at `at` (epoch ms).
    pub fn add(&mut self, v: f64, at: Option<i64>) {
        self.add_from(v, at, None);
    }

    fn add_from(&mut self, v: f64, at: Option<i64>, source: Option<&str>) {
        let v = if v == 0.0 { 0.0 } else { v };
        if let Some(key) = self.key(v) {
            self.paged.add(key, 1);
        }
        let Some(at) = at else {
            self.course.largest = Some(self.course.largest.map_or(v, |w| w.max(v)));
            self.not_whole += 1;
            return;
        };
        self.add_whole(at, v);
        match source {
            None => self.course.add(at, v),
            Some(source) => self
                .sources
                .entry(source.to_owned())
                .or_default()
                .add(at, v),
        }
        self.add_second(at.div_euclid(1000), FieldSecond::of(v));
    }

    /// Counts values that requests carry, by the requests' starts (epoch ms). Many at once cost less.
    pub fn add_each(&mut self, starts_ms: &[i64], values: &[f64]) {
        let mut keys = Vec::with_capacity(values.len());
        let mut run: Option<(i64, FieldSecond)> = None;
        for (at, v) in starts_ms.iter().zip(values) {
            let (second, v) = (at.div_euclid(1000), if *v == 0.0 { 0.0 } else { *v });
            keys.extend(self.key(v));
            self.add_whole(*at, v);
            self.course.add(*at, v);
            match &mut run {
                Some((of, sum)) if *of == second => sum.merge(FieldSecond::of(v)),
                _ => {
                    if let Some((of, sum)) = run.replace((second, FieldSecond::of(v))) {
                        self.add_second(of, sum);
                    }
                }
            }
        }
        if let Some((of, sum)) = run {
            self.add_second(of, sum);
        }
        self.paged.add_each(keys.into_iter());
    }

    /// The key under which a value is to be counted; one that has none is counted here.
    fn key(&mut self, v: f64) -> Option<i64> {
        let key = thousandths(v);
        if key.is_none() {
            *self.other.entry(ordered(v)).or_default() += 1;
        }
        key
    }

    fn add_whole(&mut self, at: i64, v: f64) {
        if v >= 0.0 && v.fract() == 0.0 && v <= LARGEST_SUMMED {
            self.whole.add(at, v as u64);
        } else {
            self.not_whole += 1;
        }
    }

    fn add_second(&mut self, second: i64, values: FieldSecond) {
        self.seconds
            .entry(second)
            .and_modify(|s| s.merge(values))
            .or_insert(values);
    }

    /// Counts one value of a sample beside the requests; `source` names what it was taken from, if the log does.
    pub fn add_sample(&mut self, v: f64, at: Option<i64>, source: Option<&str>) {
        self.sampled += 1;
        self.add_from(v, at, source);
    }

    /// Notes that all samples so far are of one log.
    pub fn end_of_log(&mut self) {
        if self.sampled > 0
            && let (Some((first, _)), Some((last, _))) = (self.course.first, self.course.last)
        {
            self.spans = vec![(first, last)];
        }
    }

    /// Requests that carry the field.
    pub fn carried(&self) -> u64 {
        self.count() - self.sampled
    }

    /// Notes of how many requests those endpoints that have the field were asked.
    pub fn expect_of(&mut self, requests: u64) {
        self.requests = Some(requests);
    }

    /// How many of so many requests should have the field: those of the endpoints that ever have it.
    pub fn expected_of(&self, requests: u64) -> u64 {
        match self.carried() {
            0 => 0,
            _ => self.requests.unwrap_or(requests),
        }
    }

    /// How many of them lack it; none, when only samples have it.
    pub fn missing_of(&self, requests: u64) -> u64 {
        self.expected_of(requests).saturating_sub(self.carried())
    }

    /// Whether samples of several logs, taken at the same time, name no source: they may be of several processes, and
    /// then no first value, increase or slope is that of any.
    pub fn is_mixed(&self) -> bool {
        let mut spans = self.spans.clone();
        spans.sort_unstable();
        spans.windows(2).any(|two| two[1].0 < two[0].1)
    }

    /// Every course: of one process, or of the requests.
    fn courses(&self) -> impl Iterator<Item = &Course> {
        let own = self.course.first.is_some().then_some(&self.course);
        let all = (!self.is_mixed()).then(|| own.into_iter().chain(self.sources.values()));
        all.into_iter().flatten()
    }

    /// How many things were measured over time: more than one where samples name several sources.
    pub fn sources(&self) -> usize {
        self.courses().count()
    }

    /// Adds another count of the same field.
    pub fn merge(&mut self, other: &Self) {
        self.paged.merge(&other.paged);
        for (key, count) in &other.other {
            *self.other.entry(*key).or_default() += count;
        }
        self.course.merge(&other.course);
        for (source, course) in &other.sources {
            self.sources
                .entry(source.clone())
                .or_default()
                .merge(course);
        }
        self.spans.extend(&other.spans);
        self.spans.sort_unstable();
        for (at, second) in &other.seconds {
            self.add_second(*at, *second);
        }
        self.whole.merge(&other.whole);
        self.not_whole += other.not_whole;
        self.sampled += other.sampled;
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

    /// The values of these ranks, which ascend from 0 and are below the count.
    pub fn at_ranks(&self, ranks: &[u64]) -> Vec<f64> {
        let mut values = self.values();
        let (mut value, mut seen) = (f64::NAN, 0);
        let of = |rank: &u64| {
            while seen <= *rank {
                let Some((next, n)) = values.next() else {
                    break;
                };
                (value, seen) = (next, seen + n);
            }
            value
        };
        ranks.iter().map(of).collect()
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

    /// The same of the decimals that the log holds, not of their nearest floats; `None` if that needs too many digits.
    pub fn exact_sum(&self) -> Option<Fraction> {
        let thousandths = self.paged.iter().try_fold(0_i128, |sum, (key, n)| {
            sum.checked_add(i128::from(key).checked_mul(i128::from(n))?)
        });
        let (mut sum, mut longer) = (thousandths?.checked_mul(TRILLIONTHS / 1000)?, 0);
        let mut rest = Fraction::ZERO;
        for (key, n) in &self.other {
            let value = value(*key);
            if let Some(trillionths) = trillionths(value) {
                sum = sum.checked_add(trillionths.checked_mul(i128::from(*n))?)?;
                continue;
            }
            // Digits that only arithmetic leaves behind: of many such values the float sum is as good.
            longer += 1;
            if longer > MOST_LONGER {
                return None;
            }
            rest = rest.plus(Fraction::of(value).times(Fraction::share(*n, 1)?)?)?;
        }
        Fraction::new(sum, TRILLIONTHS)?.plus(rest)
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

    /// The value measured first; `None` if several things were measured.
    pub fn first(&self) -> Option<f64> {
        let mut courses = self.courses();
        let one = courses.next()?;
        (courses.next().is_none()).then(|| one.first.map(|(_, v)| v))?
    }

    /// The value measured last; `None` if several things were measured.
    pub fn last(&self) -> Option<f64> {
        let mut courses = self.courses();
        let one = courses.next()?;
        (courses.next().is_none()).then(|| one.last.map(|(_, v)| v))?
    }

    /// Largest minus first value, of the thing for which it is largest.
    pub fn increase(&self) -> Option<f64> {
        self.courses().filter_map(Course::increase).reduce(f64::max)
    }

    /// The same of the decimals that the log holds.
    pub fn exact_increase(&self) -> Option<Fraction> {
        let each = self.courses().filter_map(|course| {
            let (largest, (_, first)) = (course.largest?, course.first?);
            Fraction::of(largest).minus(Fraction::of(first))
        });
        each.max()
    }

    /// Smallest and largest value in each epoch second that has any.
    pub fn seconds(&self) -> &BTreeMap<i64, FieldSecond> {
        &self.seconds
    }

    /// Start, epoch ms → sum of the values there; an error with the number of values that are not whole, are negative, or
    /// have no time.
    pub fn whole(&self) -> Result<Cow<'_, Counts>, u64> {
        match self.not_whole {
            0 => Ok(self.whole.counts()),
            n => Err(n),
        }
    }

    /// Sum of the whole values from one start on and before another (epoch ms).
    pub fn whole_within(&self, start_ms: i64, end_ms: i64) -> u64 {
        self.whole.within(start_ms, end_ms)
    }

    /// Least-squares slope over time, of the thing for which it is steepest; `None` for fewer than two moments.
    pub fn slope(&self) -> Option<Slope> {
        let slopes = self.courses().filter_map(|course| course.moments.slope());
        slopes.reduce(|a, b| if b.per_hour > a.per_hour { b } else { a })
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
    fn a_sum_is_that_of_the_decimals() {
        let sum = |values: &[f64]| {
            let mut field = FieldTally::default();
            for v in values {
                field.add(*v, None);
            }
            field.exact_sum()
        };
        let fraction = |numerator, denominator| Fraction::new(numerator, denominator);
        assert_eq!(sum(&[0.1, 0.1, 0.1]), fraction(3, 10));
        assert_eq!(
            sum(&[0.000_000_1, 123_456.7, -0.5]),
            fraction(1_234_562_000_001, 10_000_000)
        );
        assert_eq!(
            sum(&[1e14 + 0.5, 0.1 + 0.2]),
            fraction(100_000_000_000_000, 1)
                .and_then(|whole| { whole.plus(fraction(1, 2)?)?.plus(Fraction::of(0.1 + 0.2)) })
        );
        assert_eq!(sum(&[]), Some(Fraction::ZERO));
    }

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
    fn processes_keep_their_own_course() {
        // One stays at 500, the other rises from 100 to 395: together they seem not to rise.
        let mut field = FieldTally::default();
        for (at, a, b) in [
            (0, 500.0, 100.0),
            (1000, 500.0, 250.0),
            (2000, 500.0, 395.0),
        ] {
            field.add_sample(a, Some(at), Some("pid 1"));
            field.add_sample(b, Some(at), Some("pid 2"));
        }
        assert_eq!(
            (field.sources(), field.first(), field.last()),
            (2, None, None)
        );
        assert_eq!((field.increase(), field.max()), (Some(295.0), Some(500.0)));
        // 147.5 per second.
        let slope = field.slope().expect("three moments");
        assert!((slope.per_hour - 147.5 * 3600.0).abs() < 1e-6, "{slope:?}");
    }

    #[test]
    fn logs_without_names_are_mixed_when_they_overlap() {
        let log = |from: i64| {
            let mut field = FieldTally::default();
            field.add_sample(1.0, Some(from), None);
            field.add_sample(2.0, Some(from + 1000), None);
            field.end_of_log();
            field
        };
        let mut turned = log(0);
        turned.merge(&log(1000));
        assert_eq!((turned.is_mixed(), turned.increase()), (false, Some(1.0)));
        let mut mixed = log(0);
        mixed.merge(&log(500));
        assert_eq!(
            (mixed.is_mixed(), mixed.increase(), mixed.first()),
            (true, None, None)
        );
        assert_eq!(mixed.max(), Some(2.0));
    }

    #[test]
    fn only_endpoints_that_have_a_field_can_lack_it() {
        let mut field = FieldTally::default();
        field.add(1.0, Some(5));
        assert_eq!((field.missing_of(10), field.expected_of(10)), (9, 10));
        field.expect_of(3);
        assert_eq!((field.missing_of(10), field.expected_of(10)), (2, 3));
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
