//! How response times are distributed: a histogram with logarithmic bins, and the percentile curve.

use super::quantile::{millionths, quantiles};
use crate::tally::{Counts, EndpointTally, Evidence};

/// The most bins a histogram has.
const MOST_BINS: i32 = 64;
/// Finest division: bins for each doubling.
const FINEST: i32 = 32;
/// Points of the percentile curve in each tenth of what is left: p0 to p90, p90 to p99, …
const POINTS_PER_NINE: i32 = 12;
/// Most nines of the curve: up to p99.9999.
const NINES: i32 = 6;

/// The distribution of an endpoint's response times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// Bins from the shortest to the longest response time, empty ones included; none when the source has no counts.
    pub bins: Vec<Bin>,
    /// Quantile (0 to 1, ascending) and response time in ms. The curve of n requests ends at 1 − 1/n: nothing is known
    /// of rarer ones.
    pub curve: Vec<(f64, f64)>,
}

/// Requests with a response time from `from_ms` up to, but not including, `to_ms`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Lower edge in ms.
    pub from_ms: f64,
    /// Upper edge in ms.
    pub to_ms: f64,
    /// Requests in it.
    pub requests: u64,
    /// Their share of all requests, 0 to 1.
    pub share: f64,
}

impl Distribution {
    /// Of an endpoint, or of the run; for a finished table only the percentiles that it states.
    pub fn new(tally: &EndpointTally) -> Self {
        if tally.evidence == Evidence::Reported {
            let reported = tally.reported_quantiles.iter();
            return Self {
                bins: Vec::new(),
                curve: reported.map(|(q, ms)| (f64::from(*q) / 1e6, *ms)).collect(),
            };
        }
        let counts = &tally.response_times;
        Self {
            bins: divided(counts, fineness(&[counts])),
            curve: curve(counts),
        }
    }

    /// Of two sides' response times (ms → requests), with bins of one width so that their shares can be compared.
    pub fn of_both(baseline: &[(f64, u64)], current: &[(f64, u64)]) -> (Self, Self) {
        let sides = [baseline, current].map(|times| {
            let mut counts = Counts::default();
            for (ms, n) in times {
                counts.add((ms * 1e3).round() as i64, *n);
            }
            counts
        });
        let fineness = fineness(&[&sides[0], &sides[1]]);
        let [baseline, current] = sides.map(|counts| Self {
            bins: divided(&counts, fineness),
            curve: curve(&counts),
        });
        (baseline, current)
    }
}

/// The number of a response time's bin, with `fineness` bins for each doubling. Below a microsecond nothing is told apart.
fn place(us: i64, fineness: i32) -> i32 {
    (libm::log2(us.max(1) as f64) * f64::from(fineness)).floor() as i32
}

/// The last whole microsecond of a bin, as [`place`] tells it: where the edge itself is rounded, the two may differ.
fn last_of(bin: i32, fineness: i32) -> i64 {
    let edge = libm::exp2(f64::from(bin + 1) / f64::from(fineness)).ceil();
    let mut last = edge as i64;
    while place(last, fineness) > bin {
        last -= 1;
    }
    while last < i64::MAX && place(last + 1, fineness) <= bin {
        last += 1;
    }
    last
}

/// The most bins for each doubling with which all that was counted needs at most 64.
fn fineness(sides: &[&Counts]) -> i32 {
    let first = sides.iter().filter_map(|counts| counts.first()).min();
    let last = sides.iter().filter_map(|counts| counts.last()).max();
    let (Some(first), Some(last)) = (first, last) else {
        return 1;
    };
    let fits = |k: &i32| place(last, *k) - place(first, *k) < MOST_BINS;
    let halves = std::iter::successors(Some(FINEST), |k| (*k > 1).then_some(k / 2));
    halves.into_iter().find(fits).unwrap_or(1)
}

/// Edges are powers of 2^(1/fineness) microseconds.
fn divided(counts: &Counts, fineness: i32) -> Vec<Bin> {
    let (Some(first), Some(last)) = (counts.first(), counts.last()) else {
        return Vec::new();
    };
    let lowest = place(first, fineness);
    let edge_ms = |bin: i32| libm::exp2(f64::from(bin) / f64::from(fineness)) / 1e3;
    let mut bins: Vec<Bin> = (lowest..=place(last, fineness))
        .map(|bin| Bin {
            from_ms: edge_ms(bin),
            to_ms: edge_ms(bin + 1),
            requests: 0,
            share: 0.0,
        })
        .collect();
    // A logarithm for each bin, not for each response time.
    let lasts = (lowest..)
        .take(bins.len())
        .map(|bin| last_of(bin, fineness));
    let lasts: Vec<i64> = lasts.collect();
    for (bin, requests) in bins.iter_mut().zip(counts.in_parts(first, &lasts)) {
        bin.requests = requests;
    }
    let total = counts.total() as f64;
    for bin in &mut bins {
        bin.share = bin.requests as f64 / total;
    }
    bins
}

fn curve(counts: &Counts) -> Vec<(f64, f64)> {
    let n = counts.total();
    if n == 0 {
        return Vec::new();
    }
    let most = 1.0 - 1.0 / n as f64;
    let steps = (0..NINES * POINTS_PER_NINE)
        .map(|step| 1.0 - libm::exp10(-f64::from(step) / f64::from(POINTS_PER_NINE)));
    let named = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, most];
    let mut qs: Vec<f64> = steps.chain(named).filter(|q| *q <= most).collect();
    qs.sort_by(f64::total_cmp);
    qs.dedup_by_key(|q| millionths(*q));
    let values = quantiles(counts, &qs);
    let curve = qs
        .iter()
        .zip(values)
        .filter_map(|(q, us)| Some((*q, us? / 1e3)));
    curve.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Request;

    fn tally(times_us: &[u64]) -> EndpointTally {
        let mut tally = EndpointTally::default();
        for us in times_us {
            tally.add(&Request {
                response_time_us: *us,
                ..Request::default()
            });
        }
        tally
    }

    #[test]
    fn bins_hold_every_request_between_their_edges() {
        // 1 ms to 1024 ms is ten doublings: 4 bins each are 41, 8 each would be 81.
        let found = Distribution::new(&tally(&[1_000, 2_000, 2_000, 1_024_000])).bins;
        assert_eq!(found.len(), 41);
        assert_eq!(found.iter().map(|b| b.requests).sum::<u64>(), 4);
        let twos = found
            .iter()
            .find(|b| b.from_ms <= 2.0 && 2.0 < b.to_ms)
            .expect("within");
        assert_eq!((twos.requests, twos.share), (2, 0.5));
        assert!(found.windows(2).all(|w| w[0].to_ms == w[1].from_ms));
    }

    #[test]
    fn a_bin_ends_where_the_next_place_begins() {
        // Also at the edges themselves, 2^(bin ÷ fineness), and for bins that hold no whole microsecond.
        let edges = (0..40 * 8).map(|bin| libm::exp2(f64::from(bin) / 8.0) as i64);
        let near = edges.flat_map(|us| [us - 1, us, us + 1]);
        let counts: Counts = near.map(|us| (us.max(0), 1)).collect();
        for fineness in [1, 2, 4, 8, 16, 32] {
            let bins = divided(&counts, fineness);
            let mut placed = vec![0; bins.len()];
            for (us, n) in counts.iter() {
                placed[(place(us, fineness) - place(0, fineness)) as usize] += n;
            }
            let bins: Vec<u64> = bins.iter().map(|bin| bin.requests).collect();
            assert_eq!(bins, placed);
        }
    }

    #[test]
    fn bins_hold_the_longest_that_there_is() {
        let counts = Counts::from_iter([(3, 1), (i64::MAX, 2)]);
        let bins = divided(&counts, fineness(&[&counts]));
        assert_eq!(bins.iter().map(|b| b.requests).sum::<u64>(), 3);
        assert_eq!(bins.last().map(|b| b.requests), Some(2));
    }

    #[test]
    fn the_curve_rises_and_ends_before_the_longest() {
        // 1 to 100 ms: p50 is 50.5, p90 is 90.1, and 1 − 1/100 is p99 = 99.01.
        let times: Vec<u64> = (1..=100).map(|ms| ms * 1000).collect();
        let curve = Distribution::new(&tally(&times)).curve;
        assert_eq!(curve[0], (0.0, 1.0));
        let at = |q: f64| {
            curve
                .iter()
                .find(|(p, _)| (p - q).abs() < 1e-9)
                .map(|p| p.1)
        };
        assert!((at(0.5).expect("p50") - 50.5).abs() < 1e-9);
        assert!((at(0.9).expect("p90") - 90.1).abs() < 1e-9);
        let (q, ms) = *curve.last().expect("points");
        assert!((q - 0.99).abs() < 1e-12 && (ms - 99.01).abs() < 1e-9);
        assert!(
            curve
                .windows(2)
                .all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1)
        );
    }

    #[test]
    fn one_request_and_none() {
        let one = Distribution::new(&tally(&[0]));
        assert_eq!(
            (one.bins.len(), one.curve.as_slice()),
            (1, &[(0.0, 0.0)][..])
        );
        assert_eq!(Distribution::new(&tally(&[])), Distribution::default());
    }

    #[test]
    fn both_sides_have_bins_of_one_width() {
        // The baseline alone would have 32 bins a doubling; with 1 to 1000 ms on the other side there are 4.
        let current: Vec<(f64, u64)> = [(1.0, 1), (2.0, 2), (1000.0, 1)].into();
        let (before, now) = Distribution::of_both(&[(2.0, 3), (2.5, 1)], &current);
        assert_eq!(now.bins.iter().map(|b| b.requests).sum::<u64>(), 4);
        let same = |b: &Bin| {
            now.bins
                .iter()
                .any(|n| n.from_ms == b.from_ms && n.to_ms == b.to_ms)
        };
        assert!(before.bins.iter().all(same) && before.bins.len() == 3);
        assert_eq!(before.bins[0].share, 0.75);
        let (nothing, _) = Distribution::of_both(&[], &current);
        assert_eq!(nothing, Distribution::default());
    }

    #[test]
    fn a_table_has_its_own_percentiles_only() {
        let tally = EndpointTally {
            evidence: Evidence::Reported,
            reported_quantiles: [(500_000, 12.0), (950_000, 40.0)].into(),
            ..EndpointTally::default()
        };
        let found = Distribution::new(&tally);
        assert!(found.bins.is_empty());
        assert_eq!(found.curve, [(0.5, 12.0), (0.95, 40.0)]);
    }
}
