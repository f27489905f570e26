//! One endpoint's response times, second by second, counted in bins fine enough to resample.

use std::collections::BTreeMap;
use std::ops::Range;

use super::shortfall::Shortfall;

/// Leading bits of a response time that its bin keeps: below 128 µs every value, above at most 1/128 = 0.8 % wide.
const KEPT_BITS: u32 = 7;
/// A week: longer runs are not resampled second by second.
const MOST_SECONDS: u64 = 7 * 24 * 3600;

/// Counted response times of one endpoint in every second from its first request to its last.
///
/// Bins are found from the bits of whole microseconds, not by logarithms, so they are the same on every machine.
#[derive(Clone, Debug)]
pub struct Seconds {
    /// Lowest bin that is counted.
    first_bin: usize,
    /// Bins from the lowest to the highest.
    bins: usize,
    /// Of all seconds: (bin above the lowest, requests in it).
    counts: Vec<(u32, u32)>,
    /// Where each second's counts lie in `counts`.
    ranges: Vec<Range<usize>>,
    totals: Vec<Totals>,
}

/// One second's exact sums.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Requests.
    pub requests: u64,
    /// Sum of response times in µs.
    pub sum_us: u64,
    /// Sum of squared response times in µs².
    pub squares: u128,
}

impl Totals {
    fn add(&mut self, us: u64, requests: u64) {
        // Saturating, as absurd response times must not stop the program; real ones stay far below.
        self.requests = self.requests.saturating_add(requests);
        self.sum_us = self.sum_us.saturating_add(us.saturating_mul(requests));
        let square = (u128::from(us) * u128::from(us)).saturating_mul(u128::from(requests));
        self.squares = self.squares.saturating_add(square);
    }
}

impl Seconds {
    /// Counts (second, response time in µs, requests) in any order; the seconds may start anywhere.
    pub fn collect(times: impl IntoIterator<Item = (u64, u64, u64)>) -> Result<Self, Shortfall> {
        let mut by_second: BTreeMap<u64, (Totals, BTreeMap<usize, u32>)> = BTreeMap::new();
        for (second, us, requests) in times {
            if requests == 0 {
                continue;
            }
            let (totals, counts) = by_second.entry(second).or_default();
            totals.add(us, requests);
            let count = counts.entry(bin_of(us)).or_default();
            *count = count.saturating_add(u32::try_from(requests).unwrap_or(u32::MAX));
        }
        let (Some((&first, _)), Some((&last, _))) =
            (by_second.first_key_value(), by_second.last_key_value())
        else {
            return Err(Shortfall::NoRequests);
        };
        if last - first >= MOST_SECONDS {
            return Err(Shortfall::TooLong {
                seconds: last - first,
            });
        }
        Ok(Self::laid_out(first, last, &by_second))
    }

    fn laid_out(
        first: u64,
        last: u64,
        by_second: &BTreeMap<u64, (Totals, BTreeMap<usize, u32>)>,
    ) -> Self {
        let used = || by_second.values().flat_map(|(_, counts)| counts.keys());
        let first_bin = used().min().copied().unwrap_or_default();
        let last_bin = used().max().copied().unwrap_or_default();
        let length = (last - first + 1) as usize;
        let mut seconds = Self {
            first_bin,
            bins: last_bin - first_bin + 1,
            counts: Vec::new(),
            ranges: vec![0..0; length],
            totals: vec![Totals::default(); length],
        };
        for (second, (totals, counts)) in by_second {
            let at = (second - first) as usize;
            let start = seconds.counts.len();
            let shifted = counts.iter().map(|(bin, n)| ((bin - first_bin) as u32, *n));
            seconds.counts.extend(shifted);
            seconds.ranges[at] = start..seconds.counts.len();
            seconds.totals[at] = *totals;
        }
        seconds
    }

    /// Seconds from the first request to the last, both included.
    pub fn len(&self) -> usize {
        self.totals.len()
    }

    /// Never: there is at least one request.
    pub fn is_empty(&self) -> bool {
        self.totals.is_empty()
    }

    /// Seconds with at least one request.
    pub fn busy(&self) -> usize {
        self.totals.iter().filter(|t| t.requests > 0).count()
    }

    /// Every second's sums.
    pub fn totals(&self) -> &[Totals] {
        &self.totals
    }

    /// A histogram that can hold any of these seconds, empty.
    pub fn empty_histogram(&self) -> Histogram {
        Histogram {
            first_bin: self.first_bin,
            counts: vec![0; self.bins],
            requests: 0,
        }
    }

    /// Adds a second `times` times over.
    pub fn add_to(&self, histogram: &mut Histogram, second: usize, times: u32) {
        for (bin, n) in &self.counts[self.ranges[second].clone()] {
            histogram.counts[*bin as usize] += u64::from(*n) * u64::from(times);
        }
        histogram.requests += self.totals[second].requests * u64::from(times);
    }

    /// Median response time in µs of each whole block of `steps` seconds; `None` where nothing was requested.
    pub fn block_medians(&self, steps: usize) -> Vec<Option<f64>> {
        let mut histogram = self.empty_histogram();
        (0..self.len() / steps)
            .map(|block| {
                histogram.clear();
                for second in block * steps..(block + 1) * steps {
                    self.add_to(&mut histogram, second, 1);
                }
                histogram.quantile(0.5).map(|at| at.us)
            })
            .collect()
    }
}

/// Merged counts of some seconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    first_bin: usize,
    counts: Vec<u64>,
    requests: u64,
}

/// A quantile of a histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Response time in µs.
    pub us: f64,
    /// Its bin, counted from the lowest.
    pub bin: usize,
}

impl Histogram {
    /// Forgets all counts.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.requests = 0;
    }

    /// Requests counted.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Share of the requests in bins up to and including `bin` (0 to 1).
    pub fn share_up_to(&self, bin: usize) -> f64 {
        self.counts[..=bin].iter().sum::<u64>() as f64 / self.requests as f64
    }

    /// The `q` quantile: the value below which a share q of the requests lies, interpolated within its bin between
    /// the least and the greatest whole µs the bin holds. At most half a bin (0.4 %) from the exact one.
    pub fn quantile(&self, q: f64) -> Option<Position> {
        let target = q * self.requests as f64;
        let mut below = 0;
        let mut found = None;
        for (bin, &count) in self.counts.iter().enumerate() {
            if count == 0 {
                continue;
            }
            let (least, width) = edges_of(self.first_bin + bin);
            let within = ((target - below as f64) / count as f64).min(1.0);
            below += count;
            let us = least as f64 + within.max(0.0) * (width - 1) as f64;
            found = Some(Position { us, bin });
            if below as f64 >= target {
                break;
            }
        }
        found
    }
}

/// The bin of a response time in µs: its exponent and seven leading bits.
fn bin_of(us: u64) -> usize {
    let shift = (u64::BITS - us.leading_zeros()).saturating_sub(KEPT_BITS + 1);
    ((shift << KEPT_BITS) as usize) + (us >> shift) as usize
}

/// The least value of a bin and how many whole µs it holds.
fn edges_of(bin: usize) -> (u64, u64) {
    let shift = (bin >> KEPT_BITS).saturating_sub(1);
    let leading = bin - (shift << KEPT_BITS);
    ((leading as u64) << shift, 1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_response_time_lies_in_its_bin() {
        let large = (0..64).map(|bit| 1_u64 << bit).chain([u64::MAX]);
        let mut previous = 0;
        for us in (0..100_000).chain(large.filter(|v| *v > 100_000)) {
            let (least, width) = edges_of(bin_of(us));
            assert!(least <= us && us - least < width, "{us}: {least} + {width}");
            assert!(width == 1 || width as f64 / least as f64 <= 1.0 / 128.0);
            assert!(bin_of(us) >= previous);
            previous = bin_of(us);
        }
    }

    #[test]
    fn quantile_of_one_value() {
        let seconds = Seconds::collect([(0, 100, 1)]).expect("a request");
        let mut histogram = seconds.empty_histogram();
        seconds.add_to(&mut histogram, 0, 3);
        assert_eq!(histogram.requests(), 3);
        assert_eq!(histogram.quantile(0.99).map(|p| p.us), Some(100.0));
    }

    #[test]
    fn quantile_of_small_values_is_exact() {
        // 1..=100 µs, one each: half of the requests lie up to 50.
        let seconds = Seconds::collect((1..=100).map(|us| (0, us, 1))).expect("requests");
        let mut histogram = seconds.empty_histogram();
        seconds.add_to(&mut histogram, 0, 1);
        assert_eq!(histogram.quantile(0.5).map(|p| p.us), Some(50.0));
        assert_eq!(histogram.quantile(0.95).map(|p| p.us), Some(95.0));
        assert_eq!(histogram.share_up_to(49), 0.5);
    }

    #[test]
    fn an_empty_second_has_no_median() {
        let seconds = Seconds::collect([(10, 5, 1), (12, 7, 2)]).expect("requests");
        assert_eq!(seconds.block_medians(1), [Some(5.0), None, Some(7.0)]);
        assert_eq!((seconds.len(), seconds.busy()), (3, 2));
        assert_eq!(seconds.totals()[2].sum_us, 14);
    }

    #[test]
    fn empty_has_no_requests() {
        assert_eq!(Seconds::collect([]).err(), Some(Shortfall::NoRequests));
        assert_eq!(
            Seconds::collect([(0, 5, 0)]).err(),
            Some(Shortfall::NoRequests)
        );
    }

    #[test]
    fn absurd_response_times_do_not_overflow() {
        let seconds = Seconds::collect([(0, u64::MAX, 9), (1, u64::MAX, 1)]).expect("requests");
        assert_eq!(seconds.totals()[0].squares, u128::MAX);
        assert_eq!(seconds.block_medians(1).len(), 2);
    }

    #[test]
    fn stray_timestamps_are_refused() {
        let why = Seconds::collect([(0, 5, 1), (1_700_000_000, 5, 1)]).err();
        assert_eq!(
            why,
            Some(Shortfall::TooLong {
                seconds: 1_700_000_000
            })
        );
    }
}
