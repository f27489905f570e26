//! The one definition of a percentile, a mean, a deviation and a rate.

use std::collections::BTreeMap;

use super::{ResponseTimeSummary, SHOWN_QUANTILES};
use crate::exact::Fraction;
use crate::tally::{Counts, EndpointTally, Evidence};

/// The `q` quantile (0 to 1) of counted values in ascending order: Hyndman and Fan's type 7, numpy's `linear`.
///
/// With n values, position h = (n − 1)·q lies between the values of rank ⌊h⌋ and ⌊h⌋ + 1, and the answer is
/// interpolated between them the way numpy does (from the nearer end, so that it is monotone).
pub fn quantile(values: impl Iterator<Item = (f64, u64)>, n: u64, q: f64) -> Option<f64> {
    if n == 0 {
        return None;
    }
    let position = (n - 1) as f64 * q;
    let lower_rank = position.floor();
    let weight = position - lower_rank;
    let lower_rank = lower_rank as u64;
    let mut seen = 0;
    let mut lower = None;
    for (value, count) in values {
        seen += count;
        if lower.is_none() && seen > lower_rank {
            lower = Some(value);
        }
        if let Some(low) = lower
            && (seen > lower_rank + 1 || (seen > lower_rank && lower_rank + 1 >= n))
        {
            let step = value - low;
            return Some(if weight < 0.5 {
                low + step * weight
            } else {
                value - step * (1.0 - weight)
            });
        }
    }
    lower
}

/// The same without the noise of floats: of the decimals that the values and `q` were written as. `None` if it needs more
/// digits than there is room for.
pub fn exact_quantile(
    values: impl Iterator<Item = (f64, u64)>,
    n: u64,
    q: f64,
) -> Option<Fraction> {
    let (lower_rank, weight) = position(n, q)?;
    let (mut seen, mut lower) = (0, None);
    for (value, count) in values {
        seen += count;
        if lower.is_none() && seen > lower_rank {
            lower = Some(Fraction::of(value));
        }
        if let Some(low) = lower
            && (seen > lower_rank + 1 || lower_rank + 1 >= n)
        {
            return low.plus(Fraction::of(value).minus(low)?.times(weight)?);
        }
    }
    lower
}

/// The rank (from 0) below a quantile of `n` values, and how far the quantile lies from it towards the next.
fn position(n: u64, q: f64) -> Option<(u64, Fraction)> {
    let last = Fraction::share(n.checked_sub(1)?, 1)?;
    let position = last.times(Fraction::of(q))?;
    let rank = u64::try_from(position.floor()).ok()?;
    Some((rank, position.minus(Fraction::share(rank, 1)?)?))
}

/// The same of many counted whole values, for several quantiles in any order, in one pass.
pub fn quantiles(counts: &Counts, qs: &[f64]) -> Vec<Option<f64>> {
    quantiles_by_rank(counts.total(), qs, |ranks| {
        let keys = counts.at_ranks(ranks).into_iter();
        keys.map(|key| key as f64).collect()
    })
}

/// The same of `n` values that `at_ranks` knows by their ranks, which ascend from 0.
pub fn quantiles_by_rank(
    n: u64,
    qs: &[f64],
    at_ranks: impl FnOnce(&[u64]) -> Vec<f64>,
) -> Vec<Option<f64>> {
    let Some(last) = n.checked_sub(1) else {
        return vec![None; qs.len()];
    };
    let positions: Vec<f64> = qs.iter().map(|q| last as f64 * q).collect();
    let ranks = positions.iter().flat_map(|h| {
        let lower = h.floor() as u64;
        [lower.min(last), (lower + 1).min(last)]
    });
    let mut ranks: Vec<u64> = ranks.collect();
    ranks.sort_unstable();
    ranks.dedup();
    let values = at_ranks(&ranks);
    let at = |rank: u64| {
        let found = ranks.binary_search(&rank.min(last)).ok();
        found.and_then(|i| values.get(i)).copied()
    };
    positions
        .iter()
        .map(|h| {
            let lower = h.floor() as u64;
            let pair = [at(lower)?, at(lower + 1)?];
            quantile(pair.into_iter().map(|v| (v, 1)), 2, h - h.floor())
        })
        .collect()
}

/// A quantile of an endpoint's response times in milliseconds, from whatever the source holds.
pub fn response_time(tally: &EndpointTally, q: f64) -> Option<f64> {
    match tally.evidence {
        Evidence::Reported => {
            let key = millionths(q);
            // A quantile that lies between millionths is not in a table whose columns are whole ones.
            let is_whole = Fraction::new(i128::from(key), 1_000_000) == Some(Fraction::of(q));
            let reported = tally.reported_quantiles.get(&key).filter(|_| is_whole);
            reported.copied()
        }
        Evidence::Requests | Evidence::Histogram => {
            quantiles(&tally.response_times, &[q])[0].map(|us| us / 1e3)
        }
    }
}

/// The same without the noise of floats; `None` where it is as it stands in the source.
pub fn exact_response_time(tally: &EndpointTally, q: f64) -> Option<Fraction> {
    let n = tally.response_times.total();
    let (rank, weight) = position(n, q).filter(|_| tally.evidence != Evidence::Reported)?;
    let ranks = [rank, (rank + 1).min(n - 1)];
    let found = tally.response_times.at_ranks(&ranks);
    let (low, high) = (*found.first()?, *found.last()?);
    let between = Fraction::whole(high - low).times(weight)?;
    Fraction::whole(low)
        .plus(between)?
        .over(Fraction::whole(1000))
}

/// [`SHOWN_QUANTILES`] of an endpoint's response times in milliseconds, as far as known.
fn shown(tally: &EndpointTally) -> BTreeMap<u32, f64> {
    if tally.evidence == Evidence::Reported {
        let reported = |q: &u32| Some((*q, *tally.reported_quantiles.get(q)?));
        return SHOWN_QUANTILES.iter().filter_map(reported).collect();
    }
    let values = quantiles(
        &tally.response_times,
        &SHOWN_QUANTILES.map(|q| f64::from(q) / 1e6),
    );
    let pairs = SHOWN_QUANTILES.iter().zip(values);
    pairs.filter_map(|(q, us)| Some((*q, us? / 1e3))).collect()
}

/// A quantile as a key: 0.95 → 950000.
pub fn millionths(q: f64) -> u32 {
    (q * 1e6).round() as u32
}

/// Minimum, mean, maximum, standard deviation and the shown quantiles.
pub fn response_times(tally: &EndpointTally) -> ResponseTimeSummary {
    if tally.timed() == 0 {
        return ResponseTimeSummary::default();
    }
    ResponseTimeSummary {
        min: tally.min_us.map(|us| us / 1e3),
        mean: tally.sum_us().map(|us| us / tally.timed() as f64 / 1e3),
        max: tally.max_us.map(|us| us / 1e3),
        stddev: stddev(tally),
        quantiles: shown(tally),
    }
}

/// Population standard deviation in milliseconds; only from single requests, as rounding would distort it.
pub fn stddev(tally: &EndpointTally) -> Option<f64> {
    Some((spread(tally)? as f64).sqrt() / tally.timed() as f64 / 1e3)
}

/// n² times the variance of the response times in whole microseconds, exactly: n Σx² − (Σx)².
pub fn spread(tally: &EndpointTally) -> Option<u128> {
    if tally.evidence != Evidence::Requests {
        return None;
    }
    let (n, sum) = (u128::from(tally.timed()), u128::from(tally.exact_sum_us?));
    n.checked_mul(tally.sum_squares_us)?
        .checked_sub(sum.checked_mul(sum)?)
}

/// Requests per second; `None` when no time passed.
pub fn rate(requests: u64, duration_s: Option<f64>) -> Option<f64> {
    duration_s.filter(|d| *d > 0.0).map(|d| requests as f64 / d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64], q: f64) -> Option<f64> {
        quantile(values.iter().map(|v| (*v, 1)), values.len() as u64, q)
    }

    #[test]
    fn quantile_of_ten_values() {
        // numpy.percentile([1..10], 95) = 9.55; 50 → 5.5; 90 → 9.1.
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert!((of(&ten, 0.95).expect("ten values") - 9.55).abs() < 1e-12);
        assert!((of(&ten, 0.5).expect("ten values") - 5.5).abs() < 1e-12);
        assert!((of(&ten, 0.9).expect("ten values") - 9.1).abs() < 1e-12);
        assert_eq!(of(&ten, 0.0), Some(1.0));
        assert_eq!(of(&ten, 1.0), Some(10.0));
    }

    #[test]
    fn quantile_of_one_value() {
        assert_eq!(of(&[7.0], 0.99), Some(7.0));
    }

    #[test]
    fn quantile_of_nothing() {
        assert_eq!(of(&[], 0.5), None);
    }

    #[test]
    fn repeated_values_are_counted_not_kept() {
        // [1, 1, 1, 5]: h = 3 × 0.75 = 2.25 → 1 + 0.25 × (5 − 1) = 2.
        assert_eq!(
            quantile([(1.0, 3), (5.0, 1)].into_iter(), 4, 0.75),
            Some(2.0)
        );
    }

    #[test]
    fn rate_of_a_single_request_needs_time() {
        assert_eq!(rate(1, Some(0.0)), None);
        assert_eq!(rate(10, Some(4.0)), Some(2.5));
    }
}
