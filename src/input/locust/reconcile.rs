//! Two accounts of one run, compared.

use std::cmp::Ordering;

use super::text::{plural, thousands};
use crate::tally::{EndpointTally, Evidence, Tally};

/// Most endpoints a note names.
const NAMED: usize = 3;

/// Compares one of Locust's results with the request log: a sentence where they differ, or `None`.
pub fn with_log(file: &str, locust: &Tally, log: &Tally, ours: &EndpointTally) -> Vec<String> {
    let theirs = locust.total();
    let mut notes = Vec::new();
    if (theirs.requests, theirs.failures) != (ours.requests, ours.failures) {
        let why = match theirs.requests.cmp(&ours.requests) {
            Ordering::Less => ": Locust does not write the last second of a run",
            Ordering::Greater => {
                ": the log lacks requests, as after a kill, or does not belong to this run"
            }
            Ordering::Equal => ": they count different requests as failed",
        };
        notes.push(format!(
            "{file} has {} of the log's {} ({}) and {} of {}{why}",
            thousands(theirs.requests),
            plural(ours.requests, "request"),
            gap(theirs.requests, ours.requests),
            thousands(theirs.failures),
            plural(ours.failures, "failure"),
        ));
    }
    let total_differs = !notes.is_empty();
    notes.extend(endpoints(file, locust, log, total_differs));
    notes.extend(percentiles(file, (locust, &theirs), (log, ours)));
    notes
}

fn gap(theirs: u64, ours: u64) -> String {
    let difference = theirs.abs_diff(ours);
    let percent = difference as f64 * 100.0 / ours.max(1) as f64;
    let word = if theirs < ours { "missing" } else { "more" };
    if difference == 0 {
        "none missing".to_owned()
    } else {
        format!("{} {word}, {percent:.2} %", thousands(difference))
    }
}

/// Endpoints whose counts differ: those only one side has, and, if the totals agree, any.
fn endpoints(file: &str, locust: &Tally, log: &Tally, total_differs: bool) -> Option<String> {
    let none = EndpointTally::default();
    let keys: std::collections::BTreeSet<_> = locust
        .endpoints
        .keys()
        .chain(log.endpoints.keys())
        .collect();
    if locust.endpoints.is_empty() {
        return None;
    }
    let mut differing = Vec::new();
    for key in keys {
        let (theirs, ours) = (locust.endpoints.get(key), log.endpoints.get(key));
        let one_side = theirs.is_none() != ours.is_none();
        let (theirs, ours) = (theirs.unwrap_or(&none), ours.unwrap_or(&none));
        let same = (theirs.requests, theirs.failures) == (ours.requests, ours.failures);
        if !same && (one_side || !total_differs) {
            differing.push(format!(
                "`{key}` {} to the log's {}",
                thousands(theirs.requests),
                thousands(ours.requests)
            ));
        }
    }
    let count = differing.len();
    differing.truncate(NAMED);
    let and = if count > NAMED { ", …" } else { "" };
    (count > 0).then(|| {
        format!(
            "{file} and the log differ unexpectedly in {}: {}{and}",
            plural(count as u64, "endpoint"),
            differing.join(", ")
        )
    })
}

/// Where the counts agree, Locust's own rounding of the log must give Locust's percentiles.
fn percentiles(
    file: &str,
    (locust, total): (&Tally, &EndpointTally),
    (log, log_total): (&Tally, &EndpointTally),
) -> Option<String> {
    let pairs = locust
        .endpoints
        .iter()
        .filter_map(|(key, row)| Some((key.to_string(), row, log.endpoints.get(key)?)));
    let mut example = None;
    let mut count = 0;
    for (name, theirs, ours) in
        pairs.chain(std::iter::once(("the total".to_owned(), total, log_total)))
    {
        let counted = ours.response_times.total();
        // A lone median follows another rule.
        let only_median = theirs.reported_quantiles.len() == 1;
        if theirs.evidence != Evidence::Reported
            || theirs.requests != ours.requests
            || counted != ours.requests
            || only_median
        {
            continue;
        }
        for (q, ms) in &theirs.reported_quantiles {
            let Some(us) = locust_rank(ours, f64::from(*q) / 1e6) else {
                continue;
            };
            // The log's microseconds may themselves be rounded.
            let (low, high) = (
                locust_round((us as f64 - 0.5) / 1e3),
                locust_round((us as f64 + 0.5) / 1e3),
            );
            if !(low..=high).contains(ms) {
                count += 1;
                let p = f64::from(*q) / 1e4;
                example.get_or_insert_with(|| {
                    format!("p{p} of {name} is {ms} ms, by the log {low} ms")
                });
            }
        }
    }
    example.map(|example| {
        format!(
            "{file}: {} outside Locust's own rounding of the log, such as {example}",
            plural(count, "percentile")
        )
    })
}

/// Locust's rank rule: the smallest time that no more than ⌊n·p⌋ requests are below, in microseconds.
fn locust_rank(tally: &EndpointTally, p: f64) -> Option<u64> {
    let n = tally.requests;
    let rank = ((n as f64 * p) as u64).min(n.checked_sub(1)?);
    let mut seen = 0;
    tally.response_times.iter().find_map(|(us, count)| {
        seen += count;
        (seen > rank).then_some(us as u64)
    })
}

/// Locust's rounding of a response time in ms: two significant digits, halves to even.
fn locust_round(ms: f64) -> f64 {
    let step = match ms {
        ms if ms < 100.0 => 1.0,
        ms if ms < 1000.0 => 10.0,
        ms if ms < 10_000.0 => 100.0,
        _ => 1000.0,
    };
    (ms / step).round_ties_even() * step
}

/// The statistics table and the JSON of one run.
pub fn table_and_json(table: (&str, &Tally), json: (&str, &Tally)) -> Option<String> {
    let (csv, full) = (table.1.total(), json.1.total());
    ((csv.requests, csv.failures) != (full.requests, full.failures)).then(|| {
        format!(
            "{} has {} of the {} in {} ({}) and {} of {}; the JSON was used, as Locust's tables miss the end of a run",
            table.0,
            thousands(csv.requests),
            plural(full.requests, "request"),
            json.0,
            gap(csv.requests, full.requests),
            thousands(csv.failures),
            plural(full.failures, "failure"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::{Endpoint, Request};

    fn log(times: &[u64]) -> Tally {
        let mut tally = Tally::default();
        for us in times {
            let request = Request {
                response_time_us: *us,
                ..Request::default()
            };
            tally.add(Endpoint::default(), &request);
        }
        tally
    }

    fn table(requests: u64, p50: f64) -> Tally {
        let mut total = EndpointTally {
            evidence: Evidence::Reported,
            requests,
            ..EndpointTally::default()
        };
        total.reported_quantiles = [(500_000, p50), (1_000_000, 1200.0)].into();
        Tally {
            reported_total: Some(total),
            ..Tally::default()
        }
    }

    #[test]
    fn halves_go_to_even() {
        let rounded: Vec<_> = [2.5, 3.5, 105.0, 115.0, 1250.0, 10_500.0]
            .map(locust_round)
            .into();
        assert_eq!(rounded, [2.0, 4.0, 100.0, 120.0, 1200.0, 10_000.0]);
    }

    fn with_log(file: &str, locust: &Tally, log: &Tally) -> Vec<String> {
        super::with_log(file, locust, log, &log.total())
    }

    #[test]
    fn missing_requests_are_told() {
        let notes = with_log("s.csv", &table(1, 1.0), &log(&[1000, 2000, 1_234_000]));
        assert!(
            notes[0].starts_with("s.csv has 1 of the log's 3 requests (2 missing, 66.67 %)"),
            "{notes:?}"
        );
    }

    #[test]
    fn percentiles_are_compared_by_locusts_rule() {
        assert!(with_log("s", &table(3, 2.0), &log(&[1000, 2000, 1_234_000])).is_empty());
        let notes = with_log("s", &table(3, 3.0), &log(&[1000, 2000, 1_234_000]));
        assert!(
            notes[0].contains("p50 of the total is 3 ms, by the log 2 ms"),
            "{notes:?}"
        );
    }
}
