//! Rates: every row of a statistics table divides its counts by one duration, that of the whole run.

use super::{Alike, Findings};
use crate::input::locust::figures::Figures;
use crate::input::locust::stats::Stats;
use crate::tally::Concern;
use crate::units::Unit;

/// Old versions print two digits behind the point, in a row and in the total, from which the duration is.
const ROUNDING: f64 = 0.011;
/// Spreadsheets keep fewer digits than Locust writes.
const RELATIVE: f64 = 1e-3;
/// Requests that have a rate in every table: so many in 300 s would be a rate that is not rounded to 0.
const ENOUGH: u64 = 10;

/// Seconds by which the rates were made, from the row with the most requests.
pub fn duration_s(stats: &Stats) -> Option<f64> {
    let rate = |row: &Figures| {
        let rate = row.requests_per_s.filter(|rate| *rate > 0.0)?;
        Some((row.requests, row.requests as f64 / rate))
    };
    let total = stats.total().and_then(rate);
    let busiest = || {
        stats
            .each()
            .filter_map(|(_, row)| rate(row))
            .max_by_key(|(n, _)| *n)
    };
    total.or_else(busiest).map(|(_, seconds)| seconds)
}

/// Checks every row of a table.
pub fn check(stats: &Stats, findings: &mut Findings) {
    let file = &stats.file;
    let mut requests = Alike::new(file, "a rate that is not that of the requests");
    let mut failures = Alike::new(file, "a failure rate that is not that of the failures");
    let duration_s = duration_s(stats);
    for (key, row) in stats.each() {
        if let Some(detail) = off(row.requests, row.requests_per_s, duration_s) {
            requests.add(key, detail);
        }
        if let Some(detail) = off(row.failures, row.failures_per_s, duration_s) {
            failures.add(key, detail);
        }
    }
    requests.tell(&[Concern::Course], findings);
    failures.tell(&[Concern::Failures], findings);
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
