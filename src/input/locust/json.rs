//! Locust's `--json`: one array per process.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{plural, thousands};
use crate::diagnostic::{Diagnostic, Origin, Snippet};
use crate::tally::{Endpoint, EndpointTally, Evidence, LONGEST_US, Tally, whole_bytes};

/// One entry of the array, as it stands there. Every Locust that writes JSON writes all of these keys.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
pub struct Entry {
    name: String,
    #[serde(default)]
    method: Option<String>,
    /// Last response, epoch seconds; `None` if there was none.
    #[serde(deserialize_with = "nullable")]
    pub last_request_timestamp: Option<f64>,
    /// When Locust began to count, epoch seconds.
    #[serde(deserialize_with = "nullable")]
    pub start_time: Option<f64>,
    /// Requests.
    pub num_requests: u64,
    /// Those without a response time.
    pub num_none_requests: u64,
    /// Failures.
    pub num_failures: u64,
    /// Sum of the response times in ms.
    pub total_response_time: f64,
    /// Longest, 0 if there is none.
    pub max_response_time: f64,
    /// Shortest, `None` if there is none.
    #[serde(deserialize_with = "nullable")]
    pub min_response_time: Option<f64>,
    #[serde(default)]
    total_content_length: Option<f64>,
    response_times: BTreeMap<String, u64>,
    num_reqs_per_sec: BTreeMap<String, u64>,
    num_fail_per_sec: BTreeMap<String, u64>,
}

/// A key that has to be there, but may say that there is nothing.
fn nullable<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<f64>, D::Error> {
    serde::Deserialize::deserialize(value)
}

/// An entry and its counts.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The file.
    pub file: String,
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// As it stands there.
    pub entry: Entry,
    /// What it counts.
    pub tally: EndpointTally,
}

/// Reads every array in the text.
pub fn read(file: &str, text: &str) -> Result<Vec<Counted>, Diagnostic> {
    let mut all = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Vec<Entry>>() {
        let mut seen = BTreeSet::new();
        for entry in document.map_err(|error| malformed(file, text, &error))? {
            let endpoint = Endpoint {
                name: entry.name.clone(),
                method: entry.method.clone().unwrap_or_default(),
            };
            let wrong = |message: String, help: &str| {
                Diagnostic::new("bad-line", message)
                    .at(Origin::file(file))
                    .help(help)
            };
            if !seen.insert(endpoint.clone()) {
                return Err(wrong(
                    format!("`{endpoint}` is in the array twice"),
                    "Locust writes one entry per method and name; give each run a file of its own",
                ));
            }
            let tally = count(&entry).map_err(|what| {
                wrong(
                    format!("`{endpoint}` has {what}"),
                    "the keys of `response_times` are milliseconds, those of `num_reqs_per_sec` epoch seconds; times \
                     are numbers of 0 or more",
                )
            })?;
            all.push(Counted {
                file: file.to_owned(),
                endpoint,
                entry,
                tally,
            });
        }
    }
    Ok(all)
}

/// The run; with several processes or machines the sum of what each counted.
pub fn tally(all: &[Counted]) -> Tally {
    let mut tally = Tally::default();
    for counted in all {
        let known = tally.endpoints.entry(counted.endpoint.clone());
        let known = known.or_insert_with(|| EndpointTally {
            evidence: Evidence::Histogram,
            ..EndpointTally::default()
        });
        known.merge(&counted.tally);
    }
    tally
}

/// How many requests have no response time.
pub fn untimed_note(tally: &Tally) -> Option<String> {
    let endpoints = || tally.endpoints.values();
    let untimed: u64 = endpoints().map(|e| e.untimed).sum();
    let requests: u64 = endpoints().map(|e| e.requests).sum();
    (untimed > 0).then(|| {
        format!(
            "{} of {} have no response time (Locust's `None`): they count as requests and as failures, and are in no \
             percentile or mean",
            thousands(untimed),
            plural(requests, "request")
        )
    })
}

fn malformed(file: &str, text: &str, error: &serde_json::Error) -> Diagnostic {
    let (line, column) = (error.line().max(1), error.column().max(1));
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    let help = if error.is_eof() {
        "the file looks cut off; copy it again after Locust has ended"
    } else {
        "the file must hold only what `--json` prints; keep log lines (standard error) out of it"
    };
    let column = shown
        .get(..column)
        .map_or(column, |before| before.chars().count());
    let diagnostic = Diagnostic::new("bad-line", format!("not Locust's JSON: {error}"))
        .at(Origin::at(file, line as u64, column as u64))
        .help(help);
    if shown.chars().count() > 200 {
        return diagnostic;
    }
    diagnostic.snippet(Snippet {
        text: shown.to_owned(),
        start: column.saturating_sub(1),
        len: 1,
        label: String::new(),
    })
}

/// What an entry counts, or what it has that cannot be.
fn count(entry: &Entry) -> Result<EndpointTally, &'static str> {
    let times = [
        Some(entry.total_response_time),
        Some(entry.max_response_time),
        entry.min_response_time,
    ];
    if times.iter().flatten().any(|ms| *ms < 0.0) {
        return Err("a negative response time");
    }
    let untimed = entry.num_none_requests.min(entry.num_requests);
    let some = entry.num_requests > untimed;
    let us = |ms: Option<f64>| ms.filter(|_| some).map(|ms| ms * 1e3);
    let epoch_ms = |s: Option<f64>| s.filter(|s| *s > 0.0).map(|s| (s * 1e3).round() as i64);
    let mut tally = EndpointTally {
        evidence: Evidence::Histogram,
        requests: entry.num_requests,
        failures: entry.num_failures,
        untimed,
        reported_sum_us: us(Some(entry.total_response_time)),
        min_us: us(entry.min_response_time),
        max_us: us(Some(entry.max_response_time)),
        without_start: entry.num_requests,
        without_status: entry.num_requests,
        first_start_ms: epoch_ms(entry.start_time),
        last_end_ms: epoch_ms(entry.last_request_timestamp),
        bytes: whole_bytes(entry.total_content_length),
        ..EndpointTally::default()
    };
    for (ms, n) in &entry.response_times {
        let us = ms.parse().map(|ms: f64| ms * 1e3).ok();
        let us = us.filter(|us| (0.0..=LONGEST_US).contains(us));
        let us = us.ok_or("a response time that is not a number from 0 to a century")?;
        tally.response_times.add(us.round() as i64, *n);
    }
    let seconds = [
        (&entry.num_reqs_per_sec, &mut tally.seconds.requests),
        (&entry.num_fail_per_sec, &mut tally.seconds.failures),
    ];
    for (from, to) in seconds {
        for (at, n) in from {
            let second = at.parse().ok().filter(|s: &f64| (0.0..1e11).contains(s));
            let second = second.ok_or("a second that is not one since 1970")?;
            to.add(second.floor() as i64, *n);
        }
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"[{"name":"a","method":"GET","last_request_timestamp":12.5,"start_time":10.0,
        "num_requests":3,"num_none_requests":0,"num_failures":1,"total_response_time":33.5,"max_response_time":12.5,
        "min_response_time":9.5,"total_content_length":6,"response_times":{"10":2,"12":1},
        "num_reqs_per_sec":{"11":3},"num_fail_per_sec":{"11":1}}]"#;

    #[test]
    fn documents_of_several_processes_are_merged() {
        let all = read("j", &format!("[]\n[]\n{ENTRY}\n{ENTRY}\n")).unwrap();
        let total = tally(&all).total();
        assert_eq!((all.len(), total.requests, total.failures), (2, 6, 2));
        assert_eq!(
            total.response_times.iter().collect::<Vec<_>>(),
            [(10_000, 4), (12_000, 2)]
        );
        assert_eq!(
            (total.first_start_ms, total.last_end_ms),
            (Some(10_000), Some(12_500))
        );
        assert_eq!(total.seconds.failures.get(11), 2);
        assert_eq!(total.evidence, Evidence::Histogram);
    }

    #[test]
    fn cut_json_is_an_error_with_its_place() {
        let error = read("j", &ENTRY[..90]).err().unwrap();
        assert!(error.short().starts_with("j:2:"), "{}", error.short());
        assert!(error.short().contains("cut off"));
    }

    #[test]
    fn requests_without_a_time_are_in_no_mean() {
        let text = ENTRY.replace("\"num_none_requests\":0", "\"num_none_requests\":2");
        let text = text.replace("{\"10\":2,\"12\":1}", "{\"12\":1}");
        let total = tally(&read("j", &text).unwrap());
        assert!(
            untimed_note(&total)
                .unwrap()
                .starts_with("2 of 3 requests have no response time")
        );
        let total = total.total();
        // 33.5 ms of the one that has a time.
        assert_eq!(
            (total.requests, total.timed(), total.sum_us()),
            (3, 1, Some(33_500.0))
        );
    }

    #[test]
    fn what_is_not_there_is_not_zero() {
        for key in [
            "name",
            "num_requests",
            "num_none_requests",
            "num_failures",
            "total_response_time",
            "max_response_time",
            "min_response_time",
            "response_times",
            "num_reqs_per_sec",
            "num_fail_per_sec",
            "start_time",
            "last_request_timestamp",
        ] {
            let error = read("j", &ENTRY.replace(&format!("\"{key}\""), "\"other\"")).unwrap_err();
            assert!(
                error.short().contains(&format!("missing field `{key}`")),
                "{}",
                error.short()
            );
        }
        for (from, to) in [
            ("\"num_failures\":1", "\"num_failures\":null"),
            ("\"num_failures\":1", "\"num_failures\":-1"),
            ("\"num_failures\":1", "\"num_failures\":0.5"),
            ("\"num_requests\":3", "\"num_requests\":\"3\""),
            ("\"min_response_time\":9.5", "\"min_response_time\":-9.5"),
            ("{\"11\":1}", "{\"x\":1}"),
        ] {
            let error = read("j", &ENTRY.replace(from, to)).unwrap_err();
            assert_eq!(error.code, "bad-line", "{to}");
        }
    }

    #[test]
    fn an_endpoint_stands_in_an_array_once() {
        let twice = format!(
            "[{},{}]",
            &ENTRY[1..ENTRY.len() - 1],
            &ENTRY[1..ENTRY.len() - 1]
        );
        let error = read("j", &twice).unwrap_err();
        assert!(
            error.short().contains("`GET a` is in the array twice"),
            "{}",
            error.short()
        );
    }
}
