//! A number that stands for what an endpoint counted, from which its draws are seeded.

use crate::tally::EndpointTally;

/// FNV-1a of the response times and of what happened when (Fowler, Noll and Vo; 64 bits).
pub fn of(tally: &EndpointTally) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut take = |number: u64| {
        for byte in number.to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for (us, n) in tally.response_times.iter() {
        take(us as u64);
        take(n);
    }
    let first = tally.seconds.span().map_or(0, |(first, _)| first);
    for (second, bucket, n) in tally.seconds.all_buckets() {
        take((second - first) as u64);
        take(u64::from(bucket));
        take(n);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Request;

    fn tally(times: &[(i64, u64)]) -> EndpointTally {
        let mut tally = EndpointTally::default();
        for (start_ms, us) in times {
            tally.add(&Request {
                start_ms: Some(*start_ms),
                response_time_us: *us,
                ..Request::default()
            });
        }
        tally
    }

    #[test]
    fn order_changes_nothing_and_a_microsecond_does() {
        let a = tally(&[(1000, 10_000), (2000, 20_000)]);
        assert_eq!(of(&a), of(&tally(&[(2000, 20_000), (1000, 10_000)])));
        assert_ne!(of(&a), of(&tally(&[(1000, 10_001), (2000, 20_000)])));
        // The same run at another time of day is the same run.
        assert_eq!(of(&a), of(&tally(&[(61_000, 10_000), (62_000, 20_000)])));
    }
}
