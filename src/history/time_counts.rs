//! Response times of one run as counts that can be merged, small enough for a line of a history.
//!
//! Up to [`MOST_EXACT`] different response times are kept exactly, in µs. More are put into logarithmic buckets, 128 for
//! each doubling, whose middle is off by at most 0.4 % ([`crate::tally::seconds::bucket`]): a run with response times
//! from 1 ms to a minute has at most 2,100 of them, one line of JSON a few kilobytes per endpoint.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::summary::quantile::quantile;
use crate::tally::Counts;
use crate::tally::seconds::{bucket, bucket_value_ms};

/// With more different values they are counted in buckets.
pub const MOST_EXACT: usize = 128;

/// How many requests took how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeCounts {
    /// Microseconds → requests.
    Exact(BTreeMap<u64, u64>),
    /// Logarithmic bucket → requests.
    Buckets(BTreeMap<u16, u64>),
}

impl Default for TimeCounts {
    fn default() -> Self {
        Self::Exact(BTreeMap::new())
    }
}

impl TimeCounts {
    /// The counts of a tally (µs → requests).
    pub fn of(counts: &Counts) -> Self {
        let pairs = || counts.iter().map(|(us, n)| (us.unsigned_abs(), n));
        if pairs().take(MOST_EXACT + 1).count() <= MOST_EXACT {
            return Self::Exact(pairs().collect());
        }
        let mut buckets = BTreeMap::new();
        for (us, n) in pairs() {
            *buckets.entry(bucket(us)).or_default() += n;
        }
        Self::Buckets(buckets)
    }

    /// Adds another run's counts. Associative and commutative: exact if both are and stay few, else in buckets.
    pub fn merge(&mut self, other: &Self) {
        if let (Self::Exact(into), Self::Exact(from)) = (&mut *self, other) {
            for (us, n) in from {
                *into.entry(*us).or_default() += n;
            }
            if into.len() <= MOST_EXACT {
                return;
            }
            *self = Self::Buckets(self.buckets());
            return;
        }
        let mut merged = self.buckets();
        for (bucket, n) in other.buckets() {
            *merged.entry(bucket).or_default() += n;
        }
        *self = Self::Buckets(merged);
    }

    fn buckets(&self) -> BTreeMap<u16, u64> {
        match self {
            Self::Buckets(buckets) => buckets.clone(),
            Self::Exact(exact) => {
                let mut buckets = BTreeMap::new();
                for (us, n) in exact {
                    *buckets.entry(bucket(*us)).or_default() += n;
                }
                buckets
            }
        }
    }

    /// Milliseconds and requests, ascending; a bucket stands for its middle.
    pub fn values(&self) -> Box<dyn Iterator<Item = (f64, u64)> + '_> {
        match self {
            Self::Exact(exact) => Box::new(exact.iter().map(|(us, n)| (*us as f64 / 1e3, *n))),
            Self::Buckets(buckets) => {
                Box::new(buckets.iter().map(|(b, n)| (bucket_value_ms(*b), *n)))
            }
        }
    }

    /// The same with the least response time in µs that a count stands for.
    pub fn least_us(&self) -> Vec<(u64, u64)> {
        match self {
            Self::Exact(exact) => exact.iter().map(|(us, n)| (*us, *n)).collect(),
            Self::Buckets(buckets) => buckets.iter().map(|(b, n)| (least_us(*b), *n)).collect(),
        }
    }

    /// Requests counted.
    pub fn total(&self) -> u64 {
        match self {
            Self::Exact(exact) => exact.values().sum(),
            Self::Buckets(buckets) => buckets.values().sum(),
        }
    }

    /// Quantile (0 to 1) in milliseconds; off by at most 0.4 % when in buckets. `None` of nothing.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        quantile(self.values(), self.total(), q)
    }
}

/// The least response time in a bucket: its upper seven bits and a leading one, shifted back.
fn least_us(bucket: u16) -> u64 {
    let doublings = (u32::from(bucket) >> 7).saturating_sub(1);
    (u64::from(bucket) - (u64::from(doublings) << 7)) << doublings
}

/// As written: each key as its distance from the one before, then its count, all in one list.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    ExactUs(Vec<u64>),
    Buckets(Vec<u64>),
}

fn sparse(pairs: impl Iterator<Item = (u64, u64)>) -> Vec<u64> {
    let mut before = 0;
    let mut list = Vec::new();
    for (key, n) in pairs {
        list.extend([key - before, n]);
        before = key;
    }
    list
}

/// The pairs of such a list, keys rising; the error says what is wrong with it.
fn pairs(list: &[u64]) -> Result<Vec<(u64, u64)>, &'static str> {
    let (both, rest) = list.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("response-time counts come in pairs of distance and count");
    }
    let (mut key, mut total) = (0_u64, 0_u64);
    let mut found = Vec::with_capacity(both.len());
    for (i, [distance, n]) in both.iter().enumerate() {
        if i > 0 && *distance == 0 {
            return Err("response-time counts must rise");
        }
        key = key
            .checked_add(*distance)
            .ok_or("response-time counts overflow")?;
        total = total
            .checked_add(*n)
            .ok_or("response-time counts overflow")?;
        found.push((key, *n));
    }
    Ok(found)
}

impl Serialize for TimeCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Exact(exact) => Written::ExactUs(sparse(exact.iter().map(|(us, n)| (*us, *n))))
                .serialize(serializer),
            Self::Buckets(buckets) => {
                Written::Buckets(sparse(buckets.iter().map(|(b, n)| (u64::from(*b), *n))))
                    .serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for TimeCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::ExactUs(list) => {
                let pairs = pairs(&list).map_err(D::Error::custom)?;
                Ok(Self::Exact(pairs.into_iter().collect()))
            }
            Written::Buckets(list) => {
                let bucket = |(key, n)| {
                    u16::try_from(key)
                        .map(|key| (key, n))
                        .map_err(|_| D::Error::custom(format!("there is no bucket {key}")))
                };
                let pairs = pairs(&list).map_err(D::Error::custom)?;
                let buckets = pairs.into_iter().map(bucket).collect::<Result<_, _>>()?;
                Ok(Self::Buckets(buckets))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl Iterator<Item = u64>) -> TimeCounts {
        let mut counts = Counts::default();
        for us in values {
            counts.add(us as i64, 1);
        }
        TimeCounts::of(&counts)
    }

    #[test]
    fn few_values_are_exact_and_sparse() {
        let counts = of([1000, 1500, 1500, 90_000].into_iter());
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(text, r#"{"exact_us":[1000,1,500,2,88500,1]}"#);
        assert_eq!(serde_json::from_str::<TimeCounts>(&text).unwrap(), counts);
        assert_eq!(counts.quantile(0.5), Some(1.5));
        assert_eq!(counts.quantile(1.0), Some(90.0));
    }

    #[test]
    fn many_values_are_off_by_at_most_half_a_percent() {
        let counts = of((0..5000).map(|i| 1000 + i * 37));
        assert!(matches!(counts, TimeCounts::Buckets(_)));
        // The median of an even grid from 1 to 185.963 ms is its middle, 93.4815 ms.
        let median = counts.quantile(0.5).unwrap();
        assert!((median / 93.4815 - 1.0).abs() < 0.005, "{median}");
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(serde_json::from_str::<TimeCounts>(&text).unwrap(), counts);
    }

    #[test]
    fn the_least_of_a_bucket_is_in_it() {
        for us in [0, 1, 255, 256, 257, 1000, 65_537, 3_600_000_000] {
            let least = least_us(bucket(us));
            assert!(least <= us && bucket(least) == bucket(us), "{us}: {least}");
            assert!(
                least == 0 || bucket(least - 1) < bucket(us),
                "{us}: {least}"
            );
        }
    }

    #[test]
    fn merging_in_any_order_is_the_same() {
        let parts = [
            of((0..100).map(|i| 1000 + i)),
            of((0..90).map(|i| 5000 + 7 * i)),
            of((0..900).map(|i| 400 + 11 * i)),
        ];
        let merged = |order: [usize; 3]| {
            let mut all = parts[order[0]].clone();
            all.merge(&parts[order[1]]);
            all.merge(&parts[order[2]]);
            all
        };
        assert_eq!(merged([0, 1, 2]), merged([2, 1, 0]));
        assert_eq!(merged([0, 1, 2]), merged([1, 2, 0]));
        assert_eq!(merged([0, 1, 2]).total(), 1090);
        let mut later = parts[1].clone();
        later.merge(&parts[2]);
        let mut first = parts[0].clone();
        first.merge(&later);
        assert_eq!(first, merged([0, 1, 2]));
    }

    #[test]
    fn damaged_counts_are_refused() {
        for text in [
            r#"{"exact_us":[1]}"#,
            r#"{"exact_us":[1,1,0,1]}"#,
            r#"{"buckets":[70000,1]}"#,
            r#"{"other":[1,1]}"#,
        ] {
            assert!(serde_json::from_str::<TimeCounts>(text).is_err(), "{text}");
        }
    }
}
