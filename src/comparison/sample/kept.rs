//! What a report keeps of an endpoint, so that a later run can be compared with it: bounded, whatever the run's length.

use std::collections::BTreeMap;

use super::{Spread, failures};
use crate::comparison::batch_means::{Batch, batch_means};
use crate::metric::Metric;
use crate::parallel;
use crate::summary::quantile;
use crate::tally::seconds::bucket;
use crate::tally::{Counts, EndpointTally, Evidence, WORTH_THREADS};

/// Bins in each doubling of the response time: 2.2 % wide, at most 1,900 in all, a few hundred as a rule.
const PER_DOUBLING_BITS: u32 = 5;
/// The quantiles whose spread is kept, besides that of the mean.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// Least response time of a bin in µs → requests in it. A bin reaches up to [`bin_width`].
    pub times_us: BTreeMap<u64, u64>,
    /// How sure the run is of its figures, as far as known.
    pub spreads: Vec<(Metric, Spread)>,
    /// How many independent requests the run is worth where failures are concerned.
    pub effective_of_failures: f64,
}

impl Kept {
    /// Of what an endpoint counted.
    pub fn of(tally: &EndpointTally) -> Self {
        Self {
            times_us: bins(&tally.response_times),
            spreads: spreads(tally),
            effective_of_failures: failures::effective(tally),
        }
    }

    /// The same of several endpoints, on all cores.
    pub fn of_all(tallies: Vec<&EndpointTally>) -> Vec<Self> {
        let is_worth_it = tallies.iter().map(|t| t.requests).sum::<u64>() >= WORTH_THREADS;
        parallel::each(tallies, is_worth_it, Self::of)
    }
}

/// Bins that hold something.
fn bins(times: &Counts) -> BTreeMap<u64, u64> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return BTreeMap::new();
    };
    let next = |bin: &u64| {
        bin.checked_add(bin_width(*bin))
            .filter(|next| *next <= last as u64)
    };
    let bins: Vec<u64> = std::iter::successors(Some(least(first as u64)), next).collect();
    let lasts: Vec<i64> = bins
        .iter()
        .map(|bin| (bin + (bin_width(*bin) - 1)).min(last as u64) as i64)
        .collect();
    let counts = times.in_parts(first, &lasts);
    bins.into_iter()
        .zip(counts)
        .filter(|(_, n)| *n > 0)
        .collect()
}

/// The least response time of the bin that one lies in.
pub fn least(us: u64) -> u64 {
    let shift = (us | 1).ilog2().saturating_sub(PER_DOUBLING_BITS);
    us >> shift << shift
}

/// How many whole microseconds a bin holds, by its least.
pub fn bin_width(least_us: u64) -> u64 {
    1 << (least_us | 1).ilog2().saturating_sub(PER_DOUBLING_BITS)
}

/// How sure the run is of its figures, without resampling: what a report says must not cost more than the run's reading.
///
/// The mean's error is that of batch means. A quantile's is Woodruff's (1952): the error of the share of requests up
/// to it, by batch means, carried over to response times by the run's own distribution.
fn spreads(tally: &EndpointTally) -> Vec<(Metric, Spread)> {
    let statistic = crate::comparison::bootstrap::Statistic::Mean;
    if tally.evidence != Evidence::Requests || tally.without_start > 0 {
        let mean = super::from_rows(statistic, tally).ok();
        return mean.map(|mean| (Metric::Mean, mean)).into_iter().collect();
    }
    let known = quantile::quantiles(&tally.response_times, &QUANTILES);
    let edges = std::array::from_fn(|i| known[i].map_or(0, |us| bucket(us.round() as u64)));
    let seconds = seconds(tally, edges);
    let mean = mean(
        tally,
        &batches(&seconds, |second| second.sum_us as f64 / 1e3),
    );
    let errors = (0..QUANTILES.len()).filter_map(|i| {
        known[i]?;
        let batches = batches(&seconds, |second| second.up_to[i] as f64);
        Some((QUANTILES[i], batch_means(&batches).ok()?.standard_error_ms))
    });
    let quantiles = quantile_spreads(tally, &errors.collect::<Vec<_>>());
    let mean = mean.map(|mean| (Metric::Mean, mean));
    mean.into_iter().chain(quantiles).collect()
}

/// Of quantiles and the error of the share of requests up to each.
fn quantile_spreads(tally: &EndpointTally, errors: &[(f64, f64)]) -> Vec<(Metric, Spread)> {
    let n = tally.requests as f64;
    let ends = errors.iter().flat_map(|(q, error)| [q - error, q + error]);
    let ends: Vec<f64> = ends.map(|end| end.clamp(0.0, 1.0)).collect();
    let values = quantile::quantiles(&tally.response_times, &ends);
    let spread = |((q, error), ends): (&(f64, f64), &[Option<f64>; 2])| {
        let (low, high) = (ends[0]?, ends[1]?);
        let effective = if *error > 0.0 {
            (q * (1.0 - q) / error.powi(2)).clamp(1.0, n)
        } else {
            n
        };
        let spread = Spread {
            standard_error: (high / low).ln() / 2.0,
            effective: Some(effective),
        };
        (low > 0.0).then_some((Metric::Quantile(*q), spread))
    };
    let ends = values.as_chunks().0;
    errors.iter().zip(ends).filter_map(spread).collect()
}

fn mean(tally: &EndpointTally, batches: &[Batch]) -> Option<Spread> {
    let means = batch_means(batches).ok()?;
    let n = tally.requests as f64;
    let deviation = quantile::stddev(tally)?;
    let effective = if means.standard_error_ms > 0.0 {
        (deviation / means.standard_error_ms).powi(2).clamp(1.0, n)
    } else {
        n
    };
    Some(Spread {
        standard_error: means.log_standard_error,
        effective: Some(effective),
    })
}

/// What happened in one second.
struct Second {
    requests: u64,
    sum_us: u64,
    /// Requests up to each quantile of the whole run.
    up_to: [u64; QUANTILES.len()],
}

/// Every second with a request, in order; `edges` are the buckets of the quantiles.
fn seconds(tally: &EndpointTally, edges: [u16; QUANTILES.len()]) -> Vec<Second> {
    // A second without a sum is one of requests that took no time.
    let counted = tally.seconds.requests.beside(&tally.seconds.sums_us);
    let second = |((_, requests, sum_us), up_to)| Second {
        requests,
        sum_us,
        up_to,
    };
    counted
        .zip(tally.seconds.up_to(edges))
        .map(second)
        .collect()
}

fn batches(seconds: &[Second], sum: impl Fn(&Second) -> f64) -> Vec<Batch> {
    let batch = |second: &Second| Batch {
        requests: second.requests,
        sum_ms: sum(second),
    };
    seconds.iter().map(batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Request;

    #[test]
    fn bins_are_told_by_their_least() {
        // 1,000,000 µs has 20 bits: bins of 2^14 = 16,384 µs; 61 × 16,384 = 999,424.
        assert_eq!((least(1_000_000), bin_width(999_424)), (999_424, 16_384));
        assert_eq!((least(31), bin_width(31)), (31, 1));
        assert_eq!((least(64), least(65), bin_width(64)), (64, 64, 2));
        assert_eq!(least(0), 0);
        for us in [1, 63, 64, 1_000, 123_456, u64::from(u32::MAX)] {
            let from = least(us);
            assert!(from <= us && us < from + bin_width(from), "{us}");
        }
    }

    #[test]
    fn bins_end_with_the_longest_that_there_is() {
        let found = bins(&Counts::from_iter([(7, 1), (i64::MAX, 2)]));
        assert_eq!(found, [(7, 1), (least(i64::MAX as u64), 2)].into());
    }

    /// Forty seconds; in second s all four requests take 10 ms, or 20 ms in every fourth second.
    fn run() -> EndpointTally {
        let mut tally = EndpointTally::default();
        for i in 0..160 {
            let us = if i / 4 % 4 == 0 { 20_000 } else { 10_000 };
            tally.add(&Request {
                start_ms: Some(i * 250),
                response_time_us: us,
                ..Request::default()
            });
        }
        tally
    }

    #[test]
    fn whole_seconds_alike_are_worth_a_request_each() {
        // Mean 12.5 ms, deviation √(0.1875) × 10 = 4.3301; 40 seconds as 40 values: error 4.3301 / √39 = 0.69338 ms,
        // 5.547 % of the mean; seconds are kept in bins of 0.8 %, hence 38.9 for 39.
        let kept = Kept::of(&run());
        let (_, mean) = &kept.spreads[0];
        let effective = mean.effective.expect("known");
        assert!((effective - 39.0).abs() < 0.2, "{effective}");
        assert!((mean.standard_error - 0.055_47).abs() < 1e-4, "{mean:?}");
        assert_eq!(kept.effective_of_failures, 160.0);
        assert_eq!(kept.times_us.values().sum::<u64>(), 160);
    }
}
