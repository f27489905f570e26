//! What the run's timeline is made of: statuses, kinds of failure and measured fields, interval by interval.

use std::collections::BTreeMap;

use super::timeline::Frame;
use crate::tally::{Category, Counts, EndpointTally};

/// The most statuses that are told apart over time; the rarer ones are summed up.
const STATUSES: usize = 6;

/// Counts in the intervals of the run's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountSeries<K> {
    /// What was counted.
    pub of: K,
    /// Requests in the whole run.
    pub total: u64,
    /// Requests in each interval, in the timeline's order.
    pub rows: Vec<u64>,
}

/// A status, or all that are too rare for a line of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusLine {
    /// One status.
    One(u16),
    /// The sum of this many rarer ones.
    Rarer(usize),
}

/// The run by status, by kind of failure and by measured field, over time. Requests whose start is not known are left
/// out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OverTime {
    /// Requests by status, ascending; what is rarer than the six most frequent is summed up at the end.
    pub statuses: Vec<CountSeries<StatusLine>>,
    /// Failures by category, the most frequent first.
    pub failures: Vec<CountSeries<Category>>,
    /// Measured field → its smallest and largest value in each interval, where there is any.
    pub fields: BTreeMap<String, Vec<Option<(f64, f64)>>>,
}

impl OverTime {
    /// Lays the run's counts into the intervals.
    pub fn new(total: &EndpointTally, frame: &Frame) -> Self {
        let fields = total
            .fields
            .iter()
            .map(|(name, field)| (name.clone(), frame.extremes(field)))
            .filter(|(_, rows)| rows.iter().any(Option::is_some));
        Self {
            statuses: statuses(total, frame),
            failures: failures(total, frame),
            fields: fields.collect(),
        }
    }
}

fn series<K>(of: K, seconds: &Counts, frame: &Frame) -> CountSeries<K> {
    CountSeries {
        of,
        total: seconds.total(),
        rows: frame.counts(seconds),
    }
}

fn statuses(total: &EndpointTally, frame: &Frame) -> Vec<CountSeries<StatusLine>> {
    let mut by_count: Vec<(&u16, &Counts)> = total.status_seconds.iter().collect();
    by_count.sort_by_key(|(_, seconds)| std::cmp::Reverse(seconds.total())); // stable: equals by status
    let rarer = by_count.split_off(by_count.len().min(STATUSES));
    by_count.sort_by_key(|(status, _)| **status);
    let mut lines: Vec<_> = by_count
        .into_iter()
        .map(|(status, seconds)| series(StatusLine::One(*status), seconds, frame))
        .collect();
    if !rarer.is_empty() {
        let mut sum = Counts::default();
        for (_, seconds) in &rarer {
            sum.merge(seconds);
        }
        lines.push(series(StatusLine::Rarer(rarer.len()), &sum, frame));
    }
    lines
}

fn failures(total: &EndpointTally, frame: &Frame) -> Vec<CountSeries<Category>> {
    let mut by_category: BTreeMap<Category, Counts> = BTreeMap::new();
    for (key, error) in &total.errors {
        if !error.seconds.is_empty() {
            let seconds = by_category.entry(key.category).or_default();
            seconds.merge(&error.seconds);
        }
    }
    let mut lines: Vec<_> = by_category
        .iter()
        .map(|(category, seconds)| series(*category, seconds, frame))
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.total));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::{Endpoint, ErrorKey, Request, Tally};

    fn over_time(requests: &[(i64, u16)]) -> OverTime {
        let mut tally = Tally::default();
        for &(second, status) in requests {
            let failure = ErrorKey::new(Some(status), "no");
            let request = Request {
                start_ms: Some(second * 1000 + 999),
                status: Some(status),
                failure: (status >= 400).then_some(&failure),
                fields: &[("memory_mb", f64::from(status))],
                ..Request::default()
            };
            tally.add(Endpoint::default(), &request);
        }
        let total = tally.total();
        OverTime::new(&total, &Frame::new(&tally, &total))
    }

    #[test]
    fn statuses_failures_and_fields_fall_into_their_seconds() {
        // Seconds 10 to 12: 200 and 503, nothing, 200 and 429 and 503.
        let found = over_time(&[(10, 200), (10, 503), (12, 200), (12, 429), (12, 503)]);
        let lines = |of: u16, rows: [u64; 3]| CountSeries {
            of: StatusLine::One(of),
            total: rows.iter().sum(),
            rows: rows.to_vec(),
        };
        assert_eq!(
            found.statuses,
            [
                lines(200, [1, 0, 1]),
                lines(429, [0, 0, 1]),
                lines(503, [1, 0, 1])
            ]
        );
        let failures: Vec<_> = found.failures.iter().map(|l| (l.of, l.total)).collect();
        assert_eq!(
            failures,
            [(Category::ServerError, 2), (Category::RateLimited, 1)]
        );
        assert_eq!(
            found.fields["memory_mb"],
            [Some((200.0, 503.0)), None, Some((200.0, 503.0))]
        );
    }

    #[test]
    fn rare_statuses_are_summed_up() {
        let requests: Vec<(i64, u16)> = (200..208).flat_map(|s| [(0, s), (1, s)]).collect();
        let found = over_time(&requests[..15]);
        // 200 to 206 twice, 207 once: six lines, and 206 with 207 in the last.
        let last = found.statuses.last().expect("seven lines");
        assert_eq!(
            (found.statuses.len(), last.of, last.total),
            (7, StatusLine::Rarer(2), 3)
        );
    }

    #[test]
    fn an_empty_run_has_nothing_over_time() {
        assert_eq!(over_time(&[]), OverTime::default());
    }
}
