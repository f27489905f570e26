//! A long silence within one input: a log that two runs were written to, a line whose clock was wrong, a machine that slept.
//!
//! Pauses are part of many load tests, so that this is no error. But rates over the whole time say nothing then.

use crate::tally::{Concern, Counts, Tally};
use crate::units::{Unit, moment};

/// A shorter silence is a pause.
const LEAST_S: i64 = 3600;
/// A silence is longer than so many times the seconds in which something happened …
const ACTIVE: i64 = 10;
/// … and than so many times the usual time between them.
const USUAL: i64 = 100;

/// Doubts the rates of a run that a silence makes much longer than it was; reports show every doubt. Returns why.
pub fn doubt(tally: &mut Tally) -> Option<String> {
    let (from_s, length_s) = longest(tally)?;
    let longest_us = tally.endpoints.values().filter_map(|e| e.max_us);
    let waited = longest_us.fold(0.0, f64::max) / 1e6 > length_s as f64 / 2.0;
    if waited {
        return None;
    }
    let why = format!(
        "nothing happened for {} from {} on: two runs in one log, or a wrong clock, make rates and the duration meaningless; \
         `--from` and `--to` pick what counts",
        Unit::Time.human(length_s as f64 * 1e3),
        moment(from_s.saturating_mul(1000))
    );
    tally.doubts.add(&[Concern::Length], &why);
    Some(why)
}

/// Begin and length, in seconds, of the longest silence, if it is one.
fn longest(tally: &Tally) -> Option<(i64, i64)> {
    let starts = tally
        .endpoints
        .values()
        .filter_map(|e| e.first_start_ms)
        .min()?;
    let ends = tally
        .endpoints
        .values()
        .filter_map(|e| e.last_end_ms)
        .max()?;
    if ends.saturating_sub(starts) < LEAST_S * 1000 {
        return None;
    }
    let mut busy = Counts::default();
    for endpoint in tally.endpoints.values() {
        busy.merge(&endpoint.seconds.requests);
    }
    let seconds: Vec<i64> = busy
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(s, _)| s)
        .collect();
    let gaps = seconds
        .windows(2)
        .map(|pair| (pair[1] - pair[0], pair[0] + 1));
    let (length, from) = gaps.clone().max()?;
    let mut lengths: Vec<i64> = gaps.map(|(length, _)| length).collect();
    let middle = lengths.len() / 2;
    let (_, usual, _) = lengths.select_nth_unstable(middle);
    // Two runs of one second each have no usual time between requests.
    let usual = if seconds.len() < 4 { 1 } else { *usual };
    let is_one =
        length >= LEAST_S && length / ACTIVE >= seconds.len() as i64 && length / USUAL >= usual;
    is_one.then_some((from, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::tally::{Endpoint, Request};

    fn run(seconds: impl Iterator<Item = i64>) -> Tally {
        let mut tally = Tally::default();
        for second in seconds {
            let request = Request {
                start_ms: Some(second * 1000),
                response_time_us: 1000,
                ..Request::default()
            };
            tally.add(Endpoint::default(), &request);
        }
        tally
    }

    #[test]
    fn two_runs_in_one_log_have_no_rate() {
        let day = 86_400;
        let mut tally = run((0..600).chain(day..day + 600));
        let said = doubt(&mut tally).expect("a day of silence");
        assert!(said.contains("23 h 50 min"), "{said}");
        assert!(tally.doubts.on(&Metric::Rps).is_some());
        assert!(tally.doubts.on(&Metric::Peak(1.0)).is_none());
        assert!(tally.doubts.on(&Metric::FailureRatio).is_none());
    }

    #[test]
    fn one_line_with_a_wrong_clock_has_no_rate() {
        let mut tally = run(std::iter::once(0).chain(1_790_000_000..1_790_000_060));
        assert!(doubt(&mut tally).is_some());
    }

    #[test]
    fn pauses_and_slow_logs_are_no_silence() {
        // Ten minutes of load, half an hour of rest, twice; a request every two hours; a request an hour before an hour's run.
        assert_eq!(doubt(&mut run((0..600).chain(2400..3000))), None);
        assert_eq!(doubt(&mut run((0..40).map(|n| n * 7200))), None);
        assert_eq!(doubt(&mut run(std::iter::once(0).chain(3600..7200))), None);
    }
}
