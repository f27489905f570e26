//! What a report keeps of an endpoint, so that a later run can be compared with it: bounded, whatever the run's length.

use std::collections::BTreeMap;

use super::{Spread, failures};
use crate::comparison::batch_means::{Batch, BatchMeans, batch_means};
use crate::input::report::tidy;
use crate::metric::Metric;
use crate::parallel;
use crate::statistics::shortfall::Shortfall;
use crate::summary::quantile;
use crate::tally::seconds::bucket;
use crate::tally::{Counts, EndpointTally, Evidence, WORTH_THREADS};

/// Seconds of the longest run whose rate is looked at second by second: a week.
const MOST_SECONDS: i64 = 7 * 24 * 3600;

/// Bins in each doubling of the response time: 2.2 % wide, at most 1,900 in all, a few hundred as a rule.
const PER_DOUBLING_BITS: u32 = 5;
/// The quantiles whose spread is kept, besides those of the mean and the rate.
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
            effective_of_failures: tidy(failures::effective(tally)),
        }
    }

    /// The middle of every bin in ms, with its requests.
    pub fn middles(times_us: &BTreeMap<u64, u64>) -> Vec<(f64, u64)> {
        let middle = |(least, n): (&u64, &u64)| {
            let half = (bin_width(*least) - 1) as f64 / 2.0;
            ((*least as f64 + half) / 1e3, *n)
        };
        times_us.iter().map(middle).collect()
    }

    /// How sure the run is of a metric: as it is kept, or of another percentile found anew.
    pub fn spread_of(&self, metric: &Metric, tally: &EndpointTally) -> Result<Spread, Shortfall> {
        let metric = as_sure_as(metric);
        let kept = self.spreads.iter().find(|(of, _)| of == metric);
        if let Some((_, spread)) = kept {
            return Ok(*spread);
        }
        match metric {
            Metric::Quantile(q) if *q > 0.0 && *q < 1.0 => {
                of_quantile(tally, *q).ok_or(Shortfall::NothingOverTime)
            }
            _ => Err(Shortfall::NothingOverTime),
        }
    }

    /// The same of several endpoints, on all cores.
    pub fn of_all(tallies: Vec<&EndpointTally>) -> Vec<Self> {
        let is_worth_it = tallies.iter().map(|t| t.requests).sum::<u64>() >= WORTH_THREADS;
        parallel::each(tallies, is_worth_it, Self::of)
    }
}

/// The metric under which it is kept how sure the run is of one: of its rate by the minute as of that by the second.
pub fn as_sure_as(metric: &Metric) -> &Metric {
    match metric {
        Metric::Rpm => &Metric::Rps,
        other => other,
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

/// How sure the run is of its figures, to a millionth, as reports and histories keep it: the same run is as sure of itself
/// whatever it is read from.
///
/// The mean's error is that of batch means, and the rate's that of its seconds. A quantile's is Woodruff's (1952): the error
/// of the share of requests up to it, by batch means, carried over to response times by the run's own distribution.
fn spreads(tally: &EndpointTally) -> Vec<(Metric, Spread)> {
    let rate = rate(tally).map(|rate| (Metric::Rps, rate));
    if !has_course(tally) {
        let mean = of_rows(tally).map(|mean| (Metric::Mean, mean));
        return mean.into_iter().chain(rate).map(tidied).collect();
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
    let all = mean.into_iter().chain(quantiles).chain(rate);
    all.map(tidied).collect()
}

/// Whether it is known when which response time was seen.
fn has_course(tally: &EndpointTally) -> bool {
    tally.evidence == Evidence::Requests && tally.without_start == 0
}

fn tidied((metric, spread): (Metric, Spread)) -> (Metric, Spread) {
    let spread = Spread {
        standard_error: tidy(spread.standard_error),
        effective: spread.effective.map(tidy),
    };
    (metric, spread)
}

/// Of a quantile that is not kept.
fn of_quantile(tally: &EndpointTally, q: f64) -> Option<Spread> {
    if !has_course(tally) {
        return None;
    }
    let [us] = quantile::quantiles(&tally.response_times, &[q])[..] else {
        return None;
    };
    let up_to = tally.seconds.up_to([bucket(us?.round() as u64)]);
    let batches = tally.seconds.requests.iter().zip(up_to);
    let batches = batches.map(|((_, requests), [up_to])| Batch {
        requests,
        sum_ms: up_to as f64,
    });
    let error = batch_means(&batches.collect::<Vec<_>>()).ok()?;
    let found = quantile_spreads(tally, &[(q, error.standard_error_ms)]).pop()?;
    Some(tidied(found).1)
}

/// The mean of a table whose history has running totals; nothing else is known of it over time.
fn of_rows(tally: &EndpointTally) -> Option<Spread> {
    let rows = tally.seconds.batches.values().map(|b| Batch {
        requests: b.requests,
        sum_ms: b.sum_us as f64 / 1e3,
    });
    let means = batch_means(&rows.collect::<Vec<_>>()).ok()?;
    Some(unweighed(means))
}

/// Requests per second, from the seconds between the first and the last: the mean of their counts.
fn rate(tally: &EndpointTally) -> Option<Spread> {
    let (first, last) = tally.seconds.span()?;
    if last - first >= MOST_SECONDS {
        return None;
    }
    let mut counts = vec![0; (last - first + 1) as usize];
    for (second, n) in tally.seconds.requests.iter() {
        counts[(second - first) as usize] += n;
    }
    let rows = counts.iter().map(|n| Batch {
        requests: 1,
        sum_ms: *n as f64,
    });
    let means = batch_means(&rows.collect::<Vec<_>>()).ok()?;
    Some(unweighed(means))
}

/// An error without a number of requests that it stands for.
fn unweighed(means: BatchMeans) -> Spread {
    Spread {
        standard_error: means.log_standard_error,
        effective: None,
    }
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
