//! Sliding windows over counts: the busiest one, and every one that begins at a count.

use std::collections::VecDeque;

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
        late_s += tally.row_gap_s.ok_or_else(unknown)?;
    }
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

/// The busiest windows of several lengths, of at most some minutes: what lies in the longest is held in memory, and all are
/// found in one pass. `None` where [`of`] knows none.
pub fn of_each(tally: &EndpointTally, windows_ms: &[i64]) -> Vec<Option<Peak>> {
    let span = tally.starts.first().zip(tally.starts.last());
    let Some((first, last)) =
        span.filter(|_| tally.evidence == Evidence::Requests && tally.without_start == 0)
    else {
        return windows_ms.iter().map(|ms| of(tally, *ms).ok()).collect();
    };
    let is_large = tally.requests >= WORTH_THREADS;
    let parts = if is_large {
        parallel::threads() as i64
    } else {
        1
    };
    let length = (last - first) / parts + 1;
    let part = |i| {
        let from = first + i * length;
        busiest_of_each(&tally.starts, windows_ms, from, last.min(from + length - 1))
    };
    let parts = parallel::each((0..parts).collect(), is_large, part);
    let peak = |(i, window_ms): (usize, &i64)| {
        let found = parts.iter().filter_map(|part| part[i]);
        Some(exact(found.fold(None, busier)?, *window_ms))
    };
    windows_ms.iter().enumerate().map(peak).collect()
}

/// The busier of two windows; the first of equals.
fn busier(best: Option<(i64, u64)>, (start, held): (i64, u64)) -> Option<(i64, u64)> {
    match best {
        Some((_, most)) if held <= most => best,
        _ => Some((start, held)),
    }
}

/// A window that moves along: it ends with the last key seen.
struct Moving {
    window: i64,
    held: u64,
    /// Number of the first key in it.
    first: usize,
    best: Option<(i64, u64)>,
}

/// The busiest window of each length among those whose last key lies from `first` to `last`: the first key and what is
/// held. The busiest of all is among them, as it does not matter where it ends between two keys.
fn busiest_of_each(
    counts: &Counts,
    windows: &[i64],
    first: i64,
    last: i64,
) -> Vec<Option<(i64, u64)>> {
    let moving = windows.iter().map(|window| Moving {
        window: *window,
        held: 0,
        first: 0,
        best: None,
    });
    let mut moving: Vec<Moving> = moving.collect();
    let longest = windows.iter().copied().max().unwrap_or_default();
    // Keys of the longest window, and the number of the first of them.
    let (mut recent, mut passed) = (VecDeque::new(), 0);
    for (at, n) in counts.range(first.saturating_sub(longest), last) {
        recent.push_back((at, n));
        let mut needed = usize::MAX;
        for window in &mut moving {
            window.held += n;
            let mut start = at;
            while let Some((key, leaving)) = recent.get(window.first - passed) {
                start = *key;
                if start > at.saturating_sub(window.window) {
                    break;
                }
                window.held -= leaving;
                window.first += 1;
            }
            if at >= first {
                window.best = busier(window.best, (start, window.held));
            }
            needed = needed.min(window.first);
        }
        recent.drain(..needed - passed);
        passed = needed;
    }
    moving.into_iter().map(|window| window.best).collect()
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
    let mut held = 0;
    let mut coming = counts.iter().peekable();
    counts.iter().map(move |(start, leaving)| {
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
    Some(exact(busiest(starts, window_ms)?, window_ms))
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

fn busiest(counts: &Counts, window: i64) -> Option<(i64, u64)> {
    // `max_by_key` takes the last of equals.
    windows(counts, window).fold(None, busier)
}

/// The same from counts per epoch second, within the bounds that they allow: a window of w whole seconds holds at
/// most what w + 1 neighbouring seconds do, and the busiest at least what any w of them do. `late_s` is how many
/// seconds after its own a request may have been counted.
pub fn peak_by_second(seconds: &Counts, window_ms: i64, late_s: i64) -> Option<Peak> {
    let within = window_ms / 1000 - late_s;
    let touched = (window_ms + 999) / 1000 + 1 + late_s;
    let (start, count) = if within > 0 {
        busiest(seconds, within)?
    } else {
        (seconds.first()?, 0)
    };
    let (_, at_most) = busiest(seconds, touched)?;
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
        fn several_at_once_are_each_alone(pairs in prop::collection::vec((0..5000_i64, 1..4_u64), 1..300), first in 0..5000_i64) {
            let starts: Counts = pairs.into_iter().collect();
            let lengths = [1, 100, 1000];
            let alone = lengths.map(|window| busiest(&starts, window));
            let all = busiest_of_each(&starts, &lengths, 0, 5000);
            prop_assert_eq!(&all, &alone);
            let parts = [(0, first - 1), (first, 5000)].map(|(from, to)| busiest_of_each(&starts, &lengths, from, to));
            let joined = (0..3).map(|i| parts.iter().filter_map(|part| part[i]).fold(None, busier));
            prop_assert_eq!(joined.collect::<Vec<_>>(), alone);
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
