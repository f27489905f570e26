//! A token bucket, replayed: how many calls would have been rejected, and when.
//!
//! The bucket starts full, refills steadily, and a caller takes its tokens or is rejected and takes none (RFC 2697's
//! committed bucket; what nginx, Stripe and AWS describe as rate and burst). All in whole numbers, so exact.

use crate::tally::Counts;

/// Tokens are counted in this fraction, so that `0.5/s` is exact.
const FRACTION: u64 = 1_000_000;

/// Rate and size of a token bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// As written.
    pub text: String,
    /// Millionths of a token that come in ...
    pub millionths: u64,
    /// ... so many milliseconds.
    pub per_ms: u64,
    /// Tokens it holds at most.
    pub capacity: u64,
}

/// What a token bucket would have done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Replay {
    /// Callers: requests of a fixed cost, or the units of cost that a measured field counts.
    pub asked: u64,
    /// Those that got no token.
    pub rejected: u64,
    /// When the first was rejected, epoch ms.
    pub first_ms: Option<i64>,
    /// The most rejections in a row.
    pub longest_run: u64,
    /// When they began, epoch ms.
    pub longest_run_ms: Option<i64>,
}

/// Lets every caller ask for its `each` tokens, in order of time; it gets all of them or none.
pub fn replay(bucket: &Bucket, callers: &Counts, each: u64) -> Replay {
    let token = u128::from(bucket.per_ms) * u128::from(FRACTION);
    let full = u128::from(bucket.capacity) * token;
    let token = token * u128::from(each);
    let mut level = full;
    let mut before: Option<i64> = None;
    let (mut run, mut run_ms) = (0, None);
    let mut replay = Replay::default();
    for (at, asking) in callers.iter() {
        let passed = before.map_or(0, |b| at.saturating_sub(b).unsigned_abs());
        before = Some(at);
        let refill = u128::from(passed).saturating_mul(u128::from(bucket.millionths));
        level = level.saturating_add(refill).min(full);
        let granted = u64::try_from(level / token).unwrap_or(u64::MAX).min(asking);
        level -= u128::from(granted) * token;
        let rejected = asking - granted;
        replay.asked += asking;
        if granted > 0 {
            run = 0;
        }
        if rejected == 0 {
            continue;
        }
        if run == 0 {
            run_ms = Some(at);
        }
        run += rejected;
        replay.rejected += rejected;
        replay.first_ms = replay.first_ms.or(Some(at));
        if run > replay.longest_run {
            (replay.longest_run, replay.longest_run_ms) = (run, run_ms);
        }
    }
    replay
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(millionths: u64, per_ms: u64, capacity: u64) -> Bucket {
        Bucket {
            text: String::new(),
            millionths,
            per_ms,
            capacity,
        }
    }

    #[test]
    fn a_full_bucket_takes_its_burst_and_then_its_rate() {
        // 1/s burst 2: two at once pass, the third is rejected; a second later one more passes.
        let costs = Counts::from_iter([(0, 3), (500, 1), (1000, 1), (1001, 2), (5000, 2)]);
        let found = replay(&bucket(FRACTION, 1000, 2), &costs, 1);
        // At 0: 2 of 3. At 500: half a token, rejected. At 1000: one, passes. At 1001: two rejected. At 5000: two pass.
        let expected = Replay {
            asked: 9,
            rejected: 4,
            first_ms: Some(0),
            longest_run: 2,
            longest_run_ms: Some(0),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_caller_gets_all_its_tokens_or_none() {
        // Two callers want 3 of 5 tokens each: the second is rejected, and its two tokens stay for a later one.
        let callers = Counts::from_iter([(0, 2), (1000, 1)]);
        let found = replay(&bucket(FRACTION, 1000, 5), &callers, 3);
        assert_eq!((found.asked, found.rejected, found.longest_run), (3, 1, 1));
        // More than the bucket ever holds: nobody gets through.
        assert_eq!(replay(&bucket(FRACTION, 1000, 5), &callers, 6).rejected, 3);
    }

    #[test]
    fn fractions_are_exact() {
        // 1 in 3 s, a bucket of one: a call every 3 s passes for ever, one every 2.999 s is rejected now and then.
        let every = |ms: i64| (0..1000).map(|i| (i * ms, 1)).collect::<Counts>();
        let bucket = bucket(FRACTION, 3000, 1);
        assert_eq!(replay(&bucket, &every(3000), 1).rejected, 0);
        assert_eq!(replay(&bucket, &every(2999), 1).rejected, 500);
        assert_eq!(replay(&bucket, &Counts::default(), 1), Replay::default());
    }
}
