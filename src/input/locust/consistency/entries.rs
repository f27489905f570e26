//! What an entry of the JSON says of itself: its counts, its histogram and its seconds are of the same requests.

use std::collections::BTreeMap;

use super::rows::{more_failures, order};
use super::{Alike, COUNTED, Findings, Place};
use crate::input::locust::figures::Figures;
use crate::input::locust::json::Counted;
use crate::metric::measure::locust_half_step;
use crate::tally::{Concern, Endpoint};
use crate::units::Unit;

/// Seconds in which no request may come.
const PAUSE_S: i64 = 60;

/// Something that no entry shows; the answer is what stands in one that does.
type Rule = fn(&Counted) -> Option<String>;

const RULES: [(&str, &[Concern], Rule); 8] = [
    (
        "more failures than requests",
        &[Concern::Requests, Concern::Failures],
        |counted| more_failures(&figures(counted)),
    ),
    ("a histogram of other requests", &COUNTED, histogram),
    ("seconds of other requests", &COUNTED, seconds),
    (
        "seconds of other failures",
        &[Concern::Failures, Concern::Course],
        seconds_of_failures,
    ),
    (
        "shortest, average and longest are not in order",
        &[Concern::Times],
        |counted| order(&figures(counted)),
    ),
    ("a histogram that ends elsewhere", &[Concern::Times], ends),
    (
        "an average that the histogram rules out",
        &[Concern::Times],
        average,
    ),
    (
        "a start or an end that its seconds rule out",
        &[Concern::Course],
        span,
    ),
];

/// Checks every entry, and that none stands there twice.
pub fn check(json: &[Counted], findings: &mut Findings) {
    let mut files: BTreeMap<&str, Vec<&Counted>> = BTreeMap::new();
    for counted in json {
        files.entry(&counted.file).or_default().push(counted);
    }
    for (file, entries) in &files {
        for (what, concerns, rule) in RULES {
            let mut alike = Alike::new(file, what);
            for counted in entries {
                if let Some(detail) = rule(counted) {
                    alike.add(Some(&counted.endpoint), detail);
                }
            }
            alike.tell(concerns, findings);
        }
    }
    twice(json, findings);
    apart(json, findings);
    start(json, findings);
}

/// Of several processes or machines no two count the very same.
fn twice(json: &[Counted], findings: &mut Findings) {
    let mut known: BTreeMap<&Endpoint, Vec<&Counted>> = BTreeMap::new();
    for counted in json.iter().filter(|counted| counted.entry.num_requests > 0) {
        let same = known.entry(&counted.endpoint).or_default();
        if same.iter().any(|other| other.entry == counted.entry) {
            let (file, key) = (&counted.file, &counted.endpoint);
            let because = format!(
                "{file} holds `{key}` with the very figures that stand before it: one run was read twice"
            );
            findings.doubt(Place::Run, &COUNTED, because);
            return;
        }
        same.push(counted);
    }
}

/// Entries of one run lie about one another: a pause that none of them spans, longer than any of theirs, parts two runs.
fn apart(json: &[Counted], findings: &mut Findings) {
    let mut spans = Vec::new();
    let mut quiet = PAUSE_S;
    for counted in json {
        let seconds = &counted.tally.seconds.requests;
        let (Some(first), Some(last)) = (seconds.first(), seconds.last()) else {
            continue;
        };
        spans.push((first, last, counted));
        let mut before = first;
        for (second, _) in seconds.iter() {
            quiet = quiet.max(2 * (second - before));
            before = second;
        }
    }
    spans.sort_by_key(|(first, _, _)| *first);
    let mut end = spans.first().map_or(0, |(_, last, _)| *last);
    for (first, last, counted) in spans {
        let pause_s = first - end;
        if pause_s > quiet {
            let (file, key) = (&counted.file, &counted.endpoint);
            let pause = Unit::Time.human(pause_s as f64 * 1e3);
            let because = format!(
                "{file}: `{key}` begins {pause} after all that stands there: these are several runs"
            );
            findings.doubt(Place::Run, &COUNTED, because);
            return;
        }
        end = end.max(last);
    }
}

/// Locust begins to count with the first requests.
fn start(json: &[Counted], findings: &mut Findings) {
    let starts = json
        .iter()
        .filter_map(|counted| Some((counted.entry.start_time?, counted)));
    let first = json
        .iter()
        .filter_map(|counted| counted.tally.seconds.requests.first())
        .min();
    let earliest = starts.min_by(|a, b| a.0.total_cmp(&b.0));
    if let (Some((start, counted)), Some(first)) = (earliest, first)
        && start < (first - PAUSE_S) as f64
    {
        let early = Unit::Time.human((first as f64 - start) * 1e3);
        let (file, key) = (&counted.file, &counted.endpoint);
        let because =
            format!("{file}: `{key}` has a start {early} before the first request of all");
        findings.doubt(Place::Run, &[Concern::Course], because);
    }
}

fn figures(counted: &Counted) -> Figures {
    let entry = &counted.entry;
    let timed = counted.tally.timed();
    let some = |ms: f64| Some(ms).filter(|_| timed > 0);
    Figures {
        // Those without a response time have no times to be in order.
        requests: entry.num_requests,
        failures: entry.num_failures,
        average: some(entry.total_response_time / timed.max(1) as f64),
        min: entry.min_response_time.and_then(some),
        max: some(entry.max_response_time),
        ..Figures::default()
    }
}

fn count(n: u64) -> String {
    Unit::Count.human(n as f64)
}

fn ms(ms: f64) -> String {
    Unit::Time.human(ms)
}

/// Each request with a response time is in the histogram.
fn histogram(counted: &Counted) -> Option<String> {
    let (entry, held) = (&counted.entry, counted.tally.response_times.total());
    let none = entry.num_none_requests;
    (held.checked_add(none) != Some(entry.num_requests)).then(|| {
        let without = if none > 0 {
            format!(", {} of them without a response time", count(none))
        } else {
            String::new()
        };
        format!("{} of {}{without}", count(held), count(entry.num_requests))
    })
}

fn seconds(counted: &Counted) -> Option<String> {
    let held = counted.tally.seconds.requests.total();
    let requests = counted.entry.num_requests;
    (held != requests).then(|| format!("{} of {}", count(held), count(requests)))
}

fn seconds_of_failures(counted: &Counted) -> Option<String> {
    let held = counted.tally.seconds.failures.total();
    let failures = counted.entry.num_failures;
    (held != failures).then(|| format!("{} of {}", count(held), count(failures)))
}

/// The histogram begins and ends with the shortest and the longest, rounded, in whole milliseconds.
fn ends(counted: &Counted) -> Option<String> {
    let tally = &counted.tally;
    if tally.timed() == 0 {
        return None;
    }
    let keys = (tally.response_times.first(), tally.response_times.last());
    let (Some(first), Some(last)) = keys else {
        return None;
    };
    if let Some((us, _)) = tally.response_times.iter().find(|(us, _)| us % 1000 != 0) {
        return Some(format!("{} is no whole number", ms(us as f64 / 1e3)));
    }
    let Some(min) = counted.entry.min_response_time else {
        return Some("it has no shortest".to_owned());
    };
    let bounds = [
        ("shortest", min, first),
        ("longest", counted.entry.max_response_time, last),
    ];
    bounds.into_iter().find_map(|(name, said, us)| {
        let key = us as f64 / 1e3;
        let slack = locust_half_step(said).max(locust_half_step(key)) + 1e-6;
        ((said - key).abs() > slack)
            .then(|| format!("the {name} is {}, in the histogram {}", ms(said), ms(key)))
    })
}

/// The sum of the times is that of the histogram, but for its rounding.
fn average(counted: &Counted) -> Option<String> {
    let timed = counted.tally.response_times.total();
    if timed == 0 {
        return None;
    }
    let (mut low, mut high) = (0.0, 0.0);
    for (us, n) in counted.tally.response_times.iter() {
        let key = us as f64 / 1e3;
        let half = locust_half_step(key);
        low += (key - half).max(0.0) * n as f64;
        high += (key + half) * n as f64;
    }
    let sum = counted.entry.total_response_time;
    let slack = 1e-6 * high;
    let mean = |sum: f64| ms(sum / timed as f64);
    (!(low - slack..=high + slack).contains(&sum))
        .then(|| format!("{}, to be from {} to {}", mean(sum), mean(low), mean(high)))
}

/// The last second is that of the last request, and the first does not lie before the start.
fn span(counted: &Counted) -> Option<String> {
    let seconds = &counted.tally.seconds.requests;
    let (Some(first), Some(last)) = (seconds.first(), seconds.last()) else {
        return None;
    };
    let Some(end) = counted.entry.last_request_timestamp else {
        return Some("it has no last request".to_owned());
    };
    let Some(start) = counted.entry.start_time else {
        return Some("it has no start".to_owned());
    };
    let moment = |s: f64| crate::units::moment((s * 1e3) as i64);
    if (end.floor() - last as f64).abs() > 1.0 {
        let (end, last) = (moment(end), moment(last as f64));
        return Some(format!(
            "the last request is of {end}, the last second {last}"
        ));
    }
    (start.floor() > first as f64 + 1.0 || start <= 0.0).then(|| {
        format!(
            "the start is {}, the first second {}",
            moment(start),
            moment(first as f64)
        )
    })
}
