//! Bursts: more than a rate allows, in any window of its length.

use super::Rate;
use crate::tally::Counts;
use crate::tally::windows::windows;

/// One burst: windows beyond the rate that overlap or touch are one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// Begin of its first window, epoch ms.
    pub start_ms: i64,
    /// End of its last window, not part of it.
    pub end_ms: i64,
    /// The most in one of its windows.
    pub worst: u64,
}

/// Every burst, in order of time.
pub fn bursts(costs: &Counts, rate: &Rate) -> Vec<Burst> {
    let mut found: Vec<Burst> = Vec::new();
    for (start_ms, held) in windows(costs, rate.window_ms) {
        if held <= rate.count {
            continue;
        }
        let end_ms = start_ms + rate.window_ms;
        match found.last_mut() {
            Some(last) if start_ms <= last.end_ms => {
                last.end_ms = end_ms;
                last.worst = last.worst.max(held);
            }
            _ => found.push(Burst {
                start_ms,
                end_ms,
                worst: held,
            }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_overlap_are_one_burst() {
        // More than 2 per second. From 0: 0, 400, 800 are three; from 400 as well (400, 800, 1300); then three at 9000.
        let starts = Counts::from_iter([(0, 1), (400, 1), (800, 1), (1300, 1), (9000, 3)]);
        let rate = Rate {
            text: "2/s".to_owned(),
            count: 2,
            window_ms: 1000,
        };
        let burst = |start_ms, end_ms| Burst {
            start_ms,
            end_ms,
            worst: 3,
        };
        assert_eq!(
            bursts(&starts, &rate),
            [burst(0, 1400), burst(9000, 10_000)]
        );
        let more = Rate { count: 3, ..rate };
        assert_eq!(bursts(&starts, &more), []);
    }
}
