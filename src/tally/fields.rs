//! Measured fields: any number a request carries besides its response time.

use std::collections::BTreeMap;

/// The values of one measured field, counted, in the log's own unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldTally {
    /// Value (as ordered bits, see [`FieldTally::values`]) → how often.
    counts: BTreeMap<u64, u64>,
    /// Earliest and latest value with its time, epoch ms; the smaller value wins a tie in time.
    first: Option<(i64, f64)>,
    last: Option<(i64, f64)>,
    /// Values with a time.
    timed: u64,
    /// Per millisecond: values and their sum, for the slope and the series.
    points: BTreeMap<i64, (u64, f64)>,
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

impl FieldTally {
    /// Counts one value, measured at `at` (epoch ms).
    pub fn add(&mut self, v: f64, at: Option<i64>) {
        let v = if v == 0.0 { 0.0 } else { v };
        *self.counts.entry(ordered(v)).or_default() += 1;
        if let Some(at) = at {
            self.timed += 1;
            let point = self.points.entry(at).or_insert((0, 0.0));
            point.0 += 1;
            point.1 += v;
            self.see(at, v);
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
        for (key, count) in &other.counts {
            *self.counts.entry(*key).or_default() += count;
        }
        self.timed += other.timed;
        for (at, (n, sum)) in &other.points {
            let point = self.points.entry(*at).or_insert((0, 0.0));
            point.0 += n;
            point.1 += sum;
        }
        for (at, v) in [other.first, other.last].into_iter().flatten() {
            self.see(at, v);
        }
    }

    /// Values in ascending order, each with how often it was seen.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = (f64, u64)> + '_ {
        self.counts.iter().map(|(k, n)| (value(*k), *n))
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Sum of all values.
    pub fn sum(&self) -> f64 {
        self.values().map(|(v, n)| v * n as f64).sum()
    }

    /// The value measured first.
    pub fn first(&self) -> Option<f64> {
        self.first.map(|(_, v)| v)
    }

    /// The value measured last.
    pub fn last(&self) -> Option<f64> {
        self.last.map(|(_, v)| v)
    }

    /// Mean value per millisecond at which there was one: epoch ms → mean.
    pub fn series(&self) -> impl Iterator<Item = (i64, f64)> + '_ {
        self.points
            .iter()
            .map(|(at, (n, sum))| (*at, sum / *n as f64))
    }

    /// Least-squares slope in units per hour; `None` for fewer than two moments.
    pub fn slope_per_hour(&self) -> Option<f64> {
        let (&origin, _) = self.points.first_key_value()?;
        if self.points.len() < 2 {
            return None;
        }
        let n = self.timed as f64;
        let hours = |at: i64| (at - origin) as f64 / 3_600_000.0;
        let mean_t = self
            .points
            .iter()
            .map(|(at, (k, _))| hours(*at) * *k as f64)
            .sum::<f64>()
            / n;
        let mean_v = self.points.values().map(|(_, sum)| sum).sum::<f64>() / n;
        let (mut tt, mut tv) = (0.0, 0.0);
        for (at, (k, sum)) in &self.points {
            let t = hours(*at) - mean_t;
            tt += t * t * *k as f64;
            tv += t * (sum - mean_v * *k as f64);
        }
        Some(tv / tt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slope_is_per_hour() {
        // 100 → 110 over half an hour: 20 per hour.
        let mut field = FieldTally::default();
        field.add(100.0, Some(0));
        field.add(110.0, Some(1_800_000));
        assert!((field.slope_per_hour().expect("two points") - 20.0).abs() < 1e-9);
        assert_eq!((field.first(), field.last()), (Some(100.0), Some(110.0)));
    }

    #[test]
    fn values_sort_as_numbers() {
        let mut field = FieldTally::default();
        for v in [3.0, -2.0, 0.5, -0.0] {
            field.add(v, None);
        }
        assert_eq!(
            field.values().map(|(v, _)| v).collect::<Vec<_>>(),
            [-2.0, 0.0, 0.5, 3.0]
        );
        assert_eq!(field.slope_per_hour(), None);
    }
}
