//! Sliding windows over counts: the busiest one, and every one that begins at a count.

use super::counts::BIN;
use super::{Counts, EndpointTally, Evidence, WORTH_THREADS};
use crate::parallel;

/// The busiest half-open window of a given length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Requests in it, or their cost. Known to a second only, it is the least the busiest window can hold.
    pub count: u64,
    /// The most the busiest window can hold; equal to `count` where starts are known to the millisecond. `None` where
    /// the source ends before the run.
    pub at_most: Option<u64>,
    /// Its length in milliseconds.
    pub window_ms: i64,
    /// Its first request's start, epoch ms; the begin of its first second where only seconds are known.
    pub start_ms: i64,
}

/// The busiest window of an endpoint or of the run, as exactly as its source allows; else the reason why not.
pub fn of(tally: &EndpointTally, window_ms: i64) -> Result<Peak, String> {
    let unknown =
        || "the source does not say when each request happened; a request log does".to_owned();
    if tally.evidence == Evidence::Requests {
        if tally.without_start > 0 {
            return Err(format!(
                "{} of {} requests have no timestamp",
                tally.without_start, tally.requests
            ));
        }
        return peak(&tally.starts, window_ms).ok_or_else(unknown);
    }
    // Locust counts a request in the second in which it ends, and its history in that of the next row.
    let longest_us = tally.max_us.ok_or_else(unknown)?;
    let mut late_s = (longest_us / 1e6).ceil() as i64;
    if tally.evidence == Evidence::Reported {
        late_s = late_s.saturating_add(tally.row_gap_s.ok_or_else(unknown)?);
    }
    // Whatever a file says of its longest response time.
    let late_s = late_s.clamp(0, MOST_LATE_S);
    let seconds = &tally.seconds.requests;
    let mut peak = peak_by_second(seconds, window_ms, late_s).ok_or_else(unknown)?;
    peak.count = peak.count.max(average(tally, window_ms, late_s));
    // Requests of which no second is known may all have come in the busiest window.
    let elsewhere = tally.requests.saturating_sub(seconds.total());
    peak.at_most = peak
        .at_most
        .filter(|_| !tally.is_open)
        .map(|most| (most + elsewhere).max(peak.count));
    Ok(peak)
}

/// The busiest windows of several lengths; `None` where [`of`] knows none.
pub fn of_each(tally: &EndpointTally, windows_ms: &[i64]) -> Vec<Option<Peak>> {
    if tally.evidence != Evidence::Requests || tally.without_start > 0 {
        return windows_ms.iter().map(|ms| of(tally, *ms).ok()).collect();
    }
    let bins = tally.starts.in_bins();
    let is_large = tally.requests >= WORTH_THREADS;
    parallel::each(windows_ms.to_vec(), is_large, |window_ms| {
        Some(exact(busiest(&tally.starts, &bins, window_ms)?, window_ms))
    })
}

/// The busier of two windows; the first of equals.
fn busier(best: Option<(i64, u64)>, (start, held): (i64, u64)) -> Option<(i64, u64)> {
    match best {
        Some((_, most)) if held <= most => best,
        _ => Some((start, held)),
    }
}

/// The least that the busiest of the windows that cover the run must hold.
fn average(tally: &EndpointTally, window_ms: i64, late_s: i64) -> u64 {
    let (Some(first), Some(last)) = (tally.first_start_ms, tally.last_end_ms) else {
        return 0;
    };
    // The moments may be known to a second only, and the first requests may have been counted late.
    let covering = (last - first + (2 + late_s) * 1000).div_euclid(window_ms) + 1;
    tally.requests.div_ceil(covering.unsigned_abs().max(1))
}

/// Requests that started from `start_ms` to before `end_ms`; by whole seconds where only those are known.
pub fn within(tally: &EndpointTally, start_ms: i64, end_ms: i64) -> u64 {
    let sum = |counts: &Counts, first, last| counts.range(first, last).map(|(_, n)| n).sum();
    if tally.evidence == Evidence::Requests {
        return sum(&tally.starts, start_ms, end_ms - 1);
    }
    let (first, last) = (start_ms.div_euclid(1000), (end_ms - 1).div_euclid(1000));
    sum(&tally.seconds.requests, first, last)
}

/// Every half-open window `[t, t + window)` that begins at a counted key `t`, with what it holds. Any other window
/// holds no more than the one that begins at its first key.
pub fn windows(counts: &Counts, window: i64) -> impl Iterator<Item = (i64, u64)> + '_ {
    moving(counts.iter(), counts.iter(), 0, window)
}

/// Windows that begin at each of some keys, of which the first holds so much besides what is still to come.
fn moving(
    starts: impl Iterator<Item = (i64, u64)>,
    coming: impl Iterator<Item = (i64, u64)>,
    mut held: u64,
    window: i64,
) -> impl Iterator<Item = (i64, u64)> {
    let mut coming = coming.peekable();
    starts.map(move |(start, leaving)| {
        while let Some((_, n)) = coming.next_if(|(at, _)| *at < start.saturating_add(window)) {
            held += n;
        }
        let found = (start, held);
        held -= leaving;
        found
    })
}

/// The most that any half-open window `[t, t + window)` holds; the earliest of equals wins.
pub fn peak(starts: &Counts, window_ms: i64) -> Option<Peak> {
    Some(exact(
        busiest(starts, &starts.in_bins(), window_ms)?,
        window_ms,
    ))
}

/// A window of which the starts themselves are known.
fn exact((start_ms, count): (i64, u64), window_ms: i64) -> Peak {
    Peak {
        count,
        at_most: Some(count),
        window_ms,
        start_ms,
    }
}

/// The first key of the busiest window, and what it holds.
///
/// Not every window is looked at. Bins bound what the windows that begin in one of them can hold, and tell what one of them
/// holds at least: of a long run nearly all are out of the question. `bins` are those of `counts`.
fn busiest(counts: &Counts, bins: &[(i64, u64)], window: i64) -> Option<(i64, u64)> {
    let likely = candidates(bins, window).max_by_key(|c| c.at_least)?;
    let (_, known) = likely.busiest(counts, window)?;
    let mut best: Option<(i64, u64)> = None;
    for candidate in candidates(bins, window) {
        let needed = best.map_or(known, |(_, held)| known.max(held + 1));
        if candidate.at_most >= needed {
            let found = candidate.busiest(counts, window);
            best = found.map_or(best, |found| busier(best, found));
        }
    }
    best
}

/// The windows that begin in one bin.
struct Candidate {
    /// First key of the bin.
    begin: i64,
    /// What lies between `begin` and `after`, which is in all of the windows but for what comes before their first keys.
    at_least: u64,
    after: i64,
    /// What lies in all bins that any of the windows reaches.
    at_most: u64,
}

impl Candidate {
    /// The busiest of them.
    fn busiest(&self, counts: &Counts, window: i64) -> Option<(i64, u64)> {
        let last = self.begin + BIN - 1;
        let coming = counts.range(self.after, last.saturating_add(window));
        let starts = counts.range(self.begin, last);
        moving(starts, coming, self.at_least, window).fold(None, busier)
    }
}

/// All that a window might begin in.
fn candidates(bins: &[(i64, u64)], window: i64) -> impl Iterator<Item = Candidate> + '_ {
    /// Bins up to `next`, without those that were left behind.
    #[derive(Default)]
    struct Reach {
        next: usize,
        held: u64,
    }
    impl Reach {
        /// What lies in the bins from one on and before another.
        fn to(&mut self, bins: &[(i64, u64)], from: usize, before: i64) -> u64 {
            self.next = self.next.max(from);
            while let Some((_, n)) = bins.get(self.next).filter(|(bin, _)| *bin < before) {
                self.held += n;
                self.next += 1;
            }
            self.held
        }

        fn leave(&mut self, bins: &[(i64, u64)], at: usize) {
            self.held -= if self.next > at { bins[at].1 } else { 0 };
        }
    }
    let (mut whole, mut touched) = (Reach::default(), Reach::default());
    bins.iter().enumerate().map(move |(at, (bin, _))| {
        let begin = bin * BIN;
        let end = begin.saturating_add(window);
        let candidate = Candidate {
            begin,
            at_least: whole.to(bins, at, end.div_euclid(BIN)),
            after: end.div_euclid(BIN) * BIN,
            // The last of the windows ends behind the bin's last key.
            at_most: touched.to(bins, at, end.saturating_add(BIN - 2).div_euclid(BIN) + 1),
        };
        whole.leave(bins, at);
        touched.leave(bins, at);
        candidate
    })
}

/// Later by so many seconds is beyond every start, and sums of it do not overflow.
const MOST_LATE_S: i64 = 1 << 40;

/// The same from counts per epoch second, within the bounds that they allow: a window of w whole seconds holds at
/// most what w + 1 neighbouring seconds do, and the busiest at least what any w of them do. `late_s` is how many
/// seconds after its own a request may have been counted.
pub fn peak_by_second(seconds: &Counts, window_ms: i64, late_s: i64) -> Option<Peak> {
    let within = window_ms / 1000 - late_s;
    let touched = (window_ms + 999) / 1000 + 1 + late_s;
    let bins = seconds.in_bins();
    let (start, count) = if within > 0 {
        busiest(seconds, &bins, within)?
    } else {
        (seconds.first()?, 0)
    };
    let (_, at_most) = busiest(seconds, &bins, touched)?;
    Some(Peak {
        count,
        at_most: Some(at_most),
        window_ms,
        start_ms: start * 1000,
    })
}

/// What lies in `(t − window, t]`, for every counted key `t`: a rate as a watcher sees it at that moment.
pub fn trailing(counts: &Counts, window: i64) -> impl Iterator<Item = (i64, u64)> + '_ {
    let mut held = 0;
    let mut tail = counts.iter().peekable();
    counts.iter().map(move |(end, coming)| {
        while let Some((_, n)) = tail.next_if(|(at, _)| *at <= end.saturating_sub(window)) {
            held -= n;
        }
        held += coming;
        (end, held)
    })
}

/// What lies in `(t − window, t]` at each of these moments, which ascend.
pub fn held_at(counts: &Counts, moments: impl Iterator<Item = i64>, window: i64) -> Vec<u64> {
    let mut held = 0;
    let (mut coming, mut leaving) = (counts.iter().peekable(), counts.iter().peekable());
    let at = |moment: i64| {
        while let Some((_, n)) = coming.next_if(|(at, _)| *at <= moment) {
            held += n;
        }
        while let Some((_, n)) = leaving.next_if(|(at, _)| *at <= moment.saturating_sub(window)) {
            held -= n;
        }
        held
    };
    moments.map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn window_is_half_open() {
        // Starts at 0 and 1000: a window of 1 s holds one, of 1.001 s both.
        let starts = Counts::from_iter([(0, 1), (1000, 1)]);
        assert_eq!(peak(&starts, 1000).map(|p| p.count), Some(1));
        assert_eq!(
            peak(&starts, 1001).map(|p| (p.count, p.start_ms)),
            Some((2, 0))
        );
        assert_eq!(peak(&Counts::default(), 1000), None);
    }

    #[test]
    fn ties_at_one_millisecond_count() {
        let starts = Counts::from_iter([(5, 3), (900, 2), (1004, 4), (1005, 1)]);
        assert_eq!(
            peak(&starts, 1000),
            Some(Peak {
                count: 9,
                at_most: Some(9),
                window_ms: 1000,
                start_ms: 5
            })
        );
        let each: Vec<_> = windows(&starts, 1000).collect();
        assert_eq!(each, [(5, 9), (900, 7), (1004, 5), (1005, 1)]);
        let before: Vec<_> = trailing(&starts, 1000).collect();
        assert_eq!(before, [(5, 3), (900, 5), (1004, 9), (1005, 7)]);
        let moments = [0, 5, 500, 1005, 1899, 1900, 3000].into_iter();
        assert_eq!(held_at(&starts, moments, 1000), [0, 3, 3, 7, 7, 5, 0]);
    }

    proptest! {
        #[test]
        fn the_busiest_of_all_is_found(
            pairs in prop::collection::vec((-3000..3000_i64, 1..4_u64), 1..300),
            near in prop::collection::vec((900..1100_i64, 1..3_u64), 0..200),
        ) {
            let starts: Counts = pairs.into_iter().chain(near).collect();
            for window in [1, 2, 15, 16, 17, 100, 1000, 2500, 10_000] {
                let all = windows(&starts, window).fold(None, busier);
                prop_assert_eq!(busiest(&starts, &starts.in_bins(), window), all, "of {} ms", window);
            }
        }
    }

    #[test]
    fn seconds_bound_a_peak() {
        // 3, 4 and 2 requests in neighbouring seconds: two seconds hold 7; a window of 2 s can touch all three.
        let seconds = Counts::from_iter([(10, 3), (11, 4), (12, 2)]);
        let peak = peak_by_second(&seconds, 2000, 0).expect("requests");
        assert_eq!(
            (peak.count, peak.at_most, peak.start_ms),
            (7, Some(9), 10_000)
        );
        // A window of half a second may hold nothing for sure, and at most what two seconds do.
        let peak = peak_by_second(&seconds, 500, 0).expect("requests");
        assert_eq!((peak.count, peak.at_most), (0, Some(7)));
        // Counted up to a second late, only one second surely lies in a window of 2 s.
        let peak = peak_by_second(&seconds, 2000, 1).expect("requests");
        assert_eq!((peak.count, peak.at_most), (4, Some(9)));
    }

    #[test]
    fn an_absurd_response_time_leaves_no_window_sure() {
        let mut tally = EndpointTally {
            evidence: Evidence::Histogram,
            requests: 4,
            max_us: Some(1e300),
            ..EndpointTally::default()
        };
        tally.seconds.requests.add(10, 4);
        let peak = of(&tally, 4000).expect("seconds");
        assert_eq!((peak.count, peak.at_most), (0, Some(4)));
    }

    #[test]
    fn a_request_counted_when_it_ends_may_have_started_before() {
        // 4 requests end in second 10 and 4 in second 13; the longest took 2.5 s, so up to three seconds late.
        let mut tally = EndpointTally {
            evidence: Evidence::Histogram,
            requests: 9,
            max_us: Some(2_500_000.0),
            ..EndpointTally::default()
        };
        tally.seconds.requests.add(10, 4);
        tally.seconds.requests.add(13, 4);
        // Any window of 4 s surely holds one of the seconds, and may touch both; of the ninth no second is known.
        let peak = of(&tally, 4000).expect("seconds");
        assert_eq!((peak.count, peak.at_most), (4, Some(9)));
        // Of a history that ends before the run only the least is known.
        tally.is_open = true;
        let peak = of(&tally, 4000).expect("seconds");
        assert_eq!((peak.count, peak.at_most), (4, None));
        tally.max_us = None;
        assert!(of(&tally, 4000).is_err());
    }

    #[test]
    fn the_busiest_window_holds_at_least_the_average() {
        // 100 requests in 18 s, which may have begun 7 s before: of the 13 windows of 2 s that cover it one holds 8. The
        // seconds alone tell nothing, as a request may be counted 5 s late.
        let mut tally = EndpointTally {
            evidence: Evidence::Histogram,
            requests: 100,
            max_us: Some(5_000_000.0),
            first_start_ms: Some(0),
            last_end_ms: Some(18_000),
            ..EndpointTally::default()
        };
        (0..20).for_each(|second| tally.seconds.requests.add(second, 5));
        assert_eq!(of(&tally, 2000).map(|p| p.count), Ok(8));
    }
}
