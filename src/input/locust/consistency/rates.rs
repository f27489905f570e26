//! Rates: every row of a statistics table divides its counts by one duration, that of the whole run.

use super::{Alike, Findings};
use crate::input::locust::stats::Stats;
use crate::tally::Concern;
use crate::units::Unit;

/// Old versions print two digits behind the point, in a row and in the total, from which the duration is.
const ROUNDING: f64 = 0.011;
/// Spreadsheets keep fewer digits than Locust writes.
const RELATIVE: f64 = 1e-3;
/// Requests that have a rate in every table: so many in 300 s would be a rate that is not rounded to 0.
const ENOUGH: u64 = 10;

/// Seconds by which the rates were made: those that most rows agree on.
pub fn duration_s(stats: &Stats) -> Option<f64> {
    let rows = stats.each().filter_map(|(_, row)| {
        let rate = row.requests_per_s.filter(|rate| *rate > 0.0)?;
        Some((row.requests as f64 / rate, row.requests))
    });
    let mut rows: Vec<(f64, u64)> = rows.collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    // The more requests, the less its rate was rounded.
    let middle = rows.get(rows.len() / 2)?.0;
    let near = rows
        .iter()
        .filter(|(seconds, _)| (seconds / middle - 1.0).abs() < 0.5);
    near.max_by_key(|(_, requests)| *requests)
        .map(|(seconds, _)| *seconds)
}

/// Checks every row of a table.
pub fn check(stats: &Stats, findings: &mut Findings) {
    let file = &stats.file;
    let mut requests = Alike::new(file, "a rate that is not that of the requests");
    let mut failures = Alike::new(file, "a failure rate that is not that of the failures");
    let duration_s = duration_s(stats);
    let (mut rows, mut failing) = (0, 0);
    for (key, row) in stats.each() {
        rows += usize::from(row.requests > 0);
        failing += usize::from(row.failures > 0);
        if let Some(detail) = off(row.requests, row.requests_per_s, duration_s) {
            requests.add(key, detail);
        }
        if let Some(detail) = off(row.failures, row.failures_per_s, duration_s) {
            failures.add(key, detail);
        }
    }
    // Where most rows are off, a column of counts or of rates is of another run, and nobody knows which.
    let concerns = |off: usize, of: usize, one: Concern| {
        let of_all = [Concern::Requests, Concern::Failures, Concern::Course];
        if off * 2 > of {
            of_all.to_vec()
        } else {
            vec![one]
        }
    };
    let of_requests = concerns(requests.rows.len(), rows, Concern::Course);
    let of_failures = concerns(failures.rows.len(), failing.max(1), Concern::Failures);
    requests.tell(&of_requests, findings);
    failures.tell(&of_failures, findings);
}

/// What is wrong with a rate, if so.
fn off(count: u64, rate: Option<f64>, duration_s: Option<f64>) -> Option<String> {
    let rate = rate?;
    let is_off = match duration_s {
        Some(seconds) => {
            let wanted = count as f64 / seconds;
            (rate - wanted).abs() > ROUNDING + RELATIVE * rate.max(wanted)
        }
        None => rate == 0.0 && count >= ENOUGH,
    };
    is_off.then(|| {
        let count = Unit::Count.human(count as f64);
        let over = duration_s.map_or_else(String::new, |s| {
            format!(" in {}", Unit::Time.human(s * 1e3))
        });
        format!("{count}{over} to {}", Unit::PerSecond.human(rate))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_duration_is_what_most_rows_say() {
        let row = |requests, rate| crate::input::locust::figures::Figures {
            requests,
            requests_per_s: Some(rate),
            ..Default::default()
        };
        let mut stats = Stats::default();
        for (name, requests, rate) in [("a", 100, 10.0), ("b", 3, 0.3), ("c", 50, 2.0)] {
            let key = crate::tally::Endpoint {
                name: name.to_owned(),
                method: String::new(),
            };
            stats.rows.insert(key, row(requests, rate));
        }
        assert_eq!(duration_s(&stats), Some(10.0));
        let mut findings = Findings::default();
        check(&stats, &mut findings);
        assert_eq!(findings.found.len(), 1);
        assert_eq!(findings.found[0].concerns, [Concern::Course]);
    }

    #[test]
    fn rates_are_counts_by_one_duration() {
        assert_eq!(off(3573, Some(77.67), Some(46.0)), None);
        assert_eq!(off(1, Some(0.0), Some(240.0)), None);
        assert!(off(3573, Some(60.0), Some(46.0)).is_some());
        assert!(off(0, Some(2.5), Some(46.0)).is_some());
        // A column of zeros tells no duration.
        assert!(off(100, Some(0.0), None).is_some());
        assert_eq!(off(0, Some(0.0), None), None);
        assert_eq!(off(100, None, Some(46.0)), None);
    }
}
