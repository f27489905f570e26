//! What happened in each second: requests, failures, and response times in logarithmic buckets.

use std::collections::BTreeMap;

use super::Counts;

/// Buckets in each doubling of the response time; the middle of a bucket is off by at most 1 ÷ 256, or 0.4 %.
const PER_DOUBLING_BITS: u32 = 7;
/// Room for the buckets of one second: response times up to a century need 5,900.
const BUCKETS: i64 = 1 << 13;

/// Counts per epoch second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seconds {
    /// Requests that started (or, in Locust's tables, finished) in each second.
    pub requests: Counts,
    /// Failures among them.
    pub failures: Counts,
    /// Requests among them of which the source does not say whether they failed.
    pub unknown: Counts,
    /// Sum of the response times in µs; empty when the source has no such detail, as the next.
    pub sums_us: Counts,
    /// Second × 8192 + bucket → requests.
    times: Counts,
    /// Second at which a row of running totals was written → what came since the row before. Only from such rows, as
    /// those of Locust's history.
    pub batches: BTreeMap<i64, Batch>,
}

/// Requests that follow one another and started in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Which, epoch seconds.
    pub second: i64,
    /// How many.
    pub requests: u64,
    /// Sum of their response times in µs.
    pub sum_us: u64,
}

/// Requests between two rows of running totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// How many.
    pub requests: u64,
    /// Sum of their response times, in whole microseconds, so that merging is exact in any order.
    pub sum_us: u64,
}

/// The logarithmic bucket of a response time in µs: exact below 256, then 128 for each doubling.
#[inline]
pub fn bucket(us: u64) -> u16 {
    let shift = (us | 1).ilog2().saturating_sub(PER_DOUBLING_BITS);
    ((u64::from(shift) << PER_DOUBLING_BITS) + (us >> shift)) as u16
}

/// The middle of a bucket, in halves of a microsecond.
fn bucket_value_half_us(bucket: u16) -> u64 {
    let doublings = (u32::from(bucket) >> PER_DOUBLING_BITS).saturating_sub(1);
    let lowest = (u64::from(bucket) - (u64::from(doublings) << PER_DOUBLING_BITS)) << doublings;
    2 * lowest + (1 << doublings) - 1
}

/// The middle of a bucket, in milliseconds.
pub fn bucket_value_ms(bucket: u16) -> f64 {
    bucket_value_half_us(bucket) as f64 / 2e3
}

impl Seconds {
    /// Counts requests by their starts (epoch ms) and response times in µs, all of them failed or none. Returns how they
    /// follow one another.
    pub fn add(&mut self, starts_ms: &[i64], times_us: &[u64], failed: bool) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut keys = Vec::with_capacity(starts_ms.len());
        // Requests come nearly in order: most have the second of the one before, which takes no division to tell.
        let mut begin_ms = i64::MIN;
        for (start, us) in starts_ms.iter().zip(times_us) {
            if !(0..1000).contains(&start.wrapping_sub(begin_ms)) || runs.is_empty() {
                let second = start.div_euclid(1000);
                begin_ms = second * 1000;
                runs.push(Run {
                    second,
                    ..Run::default()
                });
            }
            if let Some(run) = runs.last_mut() {
                run.requests += 1;
                run.sum_us = run.sum_us.saturating_add(*us);
                keys.push(run.second * BUCKETS + i64::from(bucket(*us)));
            }
        }
        for run in &runs {
            self.requests.add(run.second, run.requests);
            self.failures
                .add(run.second, if failed { run.requests } else { 0 });
            self.sums_us.add(run.second, run.sum_us);
        }
        self.times.add_each(keys.into_iter());
        runs
    }

    /// Counts requests by their starts alone: their response times are not known.
    pub fn add_untimed(&mut self, starts_ms: &[i64], failed: bool) -> Vec<Run> {
        let each = starts_ms.iter().map(|start| Run {
            second: start.div_euclid(1000),
            requests: 1,
            sum_us: 0,
        });
        let runs: Vec<Run> = each.collect();
        for run in &runs {
            self.requests.add(run.second, run.requests);
            self.failures.add(run.second, u64::from(failed));
        }
        runs
    }

    /// Adds everything another count holds.
    pub fn merge(&mut self, other: &Self) {
        self.requests.merge(&other.requests);
        self.failures.merge(&other.failures);
        self.unknown.merge(&other.unknown);
        self.sums_us.merge(&other.sums_us);
        self.times.merge(&other.times);
        for (second, batch) in &other.batches {
            self.add_batch(*second, *batch);
        }
    }

    /// See [`Counts::put_in_order`].
    pub fn put_in_order(&mut self) {
        self.times.put_in_order();
    }

    /// Counts what came between two rows of running totals.
    pub fn add_batch(&mut self, second: i64, batch: Batch) {
        let known = self.batches.entry(second).or_default();
        known.requests += batch.requests;
        known.sum_us = known.sum_us.saturating_add(batch.sum_us);
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.failures.is_empty()
    }

    /// First and last second with a request or a failure.
    pub fn span(&self) -> Option<(i64, i64)> {
        let first = [self.requests.first(), self.failures.first()]
            .into_iter()
            .flatten()
            .min()?;
        let last = self.requests.last().max(self.failures.last())?;
        Some((first, last))
    }

    /// Bucket and requests of one second, in ascending order.
    pub fn buckets(&self, second: i64) -> impl Iterator<Item = (u16, u64)> + '_ {
        let first = second * BUCKETS;
        let within = self.times.range(first, first + BUCKETS - 1).map(of_key);
        within.map(|(_, bucket, n)| (bucket, n))
    }

    /// How many requests of each second that has any took up to each of these buckets, which ascend.
    pub fn up_to<const N: usize>(&self, buckets: [u16; N]) -> Vec<[u64; N]> {
        let Some(first) = self.requests.first() else {
            return Vec::new();
        };
        // All in one pass: what lies before each second is taken off.
        let bounds = self.requests.iter().flat_map(|(second, _)| {
            let begin = second * BUCKETS;
            let bounds = buckets.map(|bucket| begin + i64::from(bucket));
            std::iter::once(begin - 1).chain(bounds)
        });
        let sums = self
            .times
            .up_to(first * BUCKETS, &bounds.collect::<Vec<_>>());
        let of_second = sums.chunks_exact(N + 1).map(|sums| {
            let (before, sums) = (sums[0], &sums[1..]);
            std::array::from_fn(|i| sums[i] - before)
        });
        of_second.collect()
    }

    /// Buckets and requests of all seconds from one on and before another.
    pub fn joined(&self, first: i64, end: i64) -> Counts {
        let (first, end) = (first * BUCKETS, end * BUCKETS);
        self.times.folded(first, end - 1, BUCKETS)
    }

    /// Second, bucket and requests, in ascending order.
    pub fn all_buckets(&self) -> impl Iterator<Item = (i64, u16, u64)> + '_ {
        self.times.iter().map(of_key)
    }
}

fn of_key((key, n): (i64, u64)) -> (i64, u16, u64) {
    (key.div_euclid(BUCKETS), key.rem_euclid(BUCKETS) as u16, n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_within_half_a_percent_and_rise() {
        let mut last = 0;
        for us in [
            0,
            1,
            7,
            127,
            128,
            255,
            256,
            257,
            999,
            1_000,
            123_456,
            60_000_000,
            3_200_000_000_000_000,
        ] {
            let shown = bucket_value_ms(bucket(us)) * 1e3;
            let off = (shown - us as f64).abs();
            assert!(off <= us as f64 * 0.004, "{us} shown as {shown}");
            assert!(bucket(us) >= last && i64::from(bucket(us)) < BUCKETS);
            last = bucket(us);
        }
    }

    #[test]
    fn every_bucket_has_its_own_value() {
        // 300 µs: shift 1, bucket 128 + 150 = 278; it holds 300 and 301, so its middle is 300.5 µs.
        assert_eq!(bucket(300), 278);
        assert_eq!(bucket(301), 278);
        assert!((bucket_value_ms(278) - 0.3005).abs() < 1e-12);
        assert_eq!(bucket_value_ms(bucket(200)), 0.2);
    }
}
