//! What a report keeps of an endpoint, so that a later run can be compared with it: bounded, whatever the run's length.

use std::collections::BTreeMap;

use super::{Spread, failures};
use crate::comparison::batch_means::{Batch, batch_means};
use crate::metric::Metric;
use crate::summary::quantile;
use crate::tally::seconds::{bucket, bucket_value_ms};
use crate::tally::{EndpointTally, Evidence};

/// Bins in each doubling of the response time: 2.2 % wide, at most 1,900 in all, a few hundred as a rule.
const PER_DOUBLING_BITS: u32 = 5;
/// The metrics whose spread is kept.
const METRICS: [Metric; 5] = [
    Metric::Mean,
    Metric::Quantile(0.5),
    Metric::Quantile(0.9),
    Metric::Quantile(0.95),
    Metric::Quantile(0.99),
];

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
        let mut times_us = BTreeMap::new();
        for (us, n) in tally.response_times.iter() {
            *times_us.entry(least(us.max(0) as u64)).or_default() += n;
        }
        let spreads = METRICS
            .into_iter()
            .filter_map(|metric| Some((metric.clone(), spread(&metric, tally)?)))
            .collect();
        Self {
            times_us,
            spreads,
            effective_of_failures: failures::effective(tally),
        }
    }
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

/// How sure the run is of a figure, without resampling: what a report says must not cost more than the run's reading.
///
/// The mean's error is that of batch means. A quantile's is Woodruff's (1952): the error of the share of requests up
/// to it, by batch means, carried over to response times by the run's own distribution.
fn spread(metric: &Metric, tally: &EndpointTally) -> Option<Spread> {
    let Metric::Quantile(q) = metric else {
        return mean(tally);
    };
    if tally.evidence != Evidence::Requests || tally.without_start > 0 {
        return None;
    }
    let at_us = quantile::response_time(tally, *q)? * 1e3;
    let edge = bucket(at_us.round() as u64);
    let batches = seconds(tally, |b| f64::from(u8::from(b <= edge)));
    let error = batch_means(&batches).ok()?.standard_error_ms;
    let n = tally.requests as f64;
    let ends = [(q - error).max(0.0), (q + error).min(1.0)];
    let values = quantile::quantiles(&tally.response_times, &ends);
    let (low, high) = (values[0]?, values[1]?);
    let effective = if error > 0.0 {
        (q * (1.0 - q) / error.powi(2)).clamp(1.0, n)
    } else {
        n
    };
    (low > 0.0).then(|| Spread {
        standard_error: (high / low).ln() / 2.0,
        effective: Some(effective),
    })
}

fn mean(tally: &EndpointTally) -> Option<Spread> {
    if tally.evidence != Evidence::Requests || tally.without_start > 0 {
        return super::from_rows(crate::comparison::bootstrap::Statistic::Mean, tally).ok();
    }
    let means = batch_means(&seconds(tally, bucket_value_ms)).ok()?;
    let n = tally.requests as f64;
    let deviation = quantile::response_times(tally).stddev?;
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

/// Requests of every second, and the sum of what each of them counts for.
fn seconds(tally: &EndpointTally, of_bucket: impl Fn(u16) -> f64) -> Vec<Batch> {
    let mut rows: BTreeMap<i64, Batch> = BTreeMap::new();
    for (second, bucket, n) in tally.seconds.all_buckets() {
        let row = rows.entry(second).or_insert(Batch {
            requests: 0,
            sum_ms: 0.0,
        });
        row.requests += n;
        row.sum_ms += of_bucket(bucket) * n as f64;
    }
    rows.into_values().collect()
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
