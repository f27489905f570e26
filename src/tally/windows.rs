//! The busiest sliding window.

use super::Counts;

/// The busiest half-open window of a given length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Requests in it.
    pub count: u64,
    /// Its length in milliseconds.
    pub window_ms: i64,
    /// Its first request's start, epoch ms.
    pub start_ms: i64,
}

/// The most requests whose start lies in any half-open window `[t, t + window)`. Some busiest window begins at a
/// start, so only those are tried; the earliest of equals wins.
pub fn peak(starts: &Counts, window_ms: i64) -> Option<Peak> {
    let mut best: Option<Peak> = None;
    let mut count = 0;
    let mut head = starts.iter().peekable();
    for (start, leaving) in starts.iter() {
        while let Some((_, n)) = head.next_if(|(at, _)| *at < start + window_ms) {
            count += n;
        }
        if best.is_none_or(|b| count > b.count) {
            best = Some(Peak {
                count,
                window_ms,
                start_ms: start,
            });
        }
        count -= leaving;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

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
                window_ms: 1000,
                start_ms: 5
            })
        );
    }
}
