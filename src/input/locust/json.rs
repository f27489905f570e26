//! Locust's `--json`: one array per process.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Origin, Snippet};
use crate::tally::{Endpoint, EndpointTally, Evidence, LONGEST_US, Tally, whole_bytes};

#[derive(serde::Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    last_request_timestamp: Option<f64>,
    #[serde(default)]
    start_time: Option<f64>,
    num_requests: u64,
    #[serde(default)]
    num_failures: u64,
    #[serde(default)]
    total_response_time: Option<f64>,
    #[serde(default)]
    max_response_time: Option<f64>,
    #[serde(default)]
    min_response_time: Option<f64>,
    #[serde(default)]
    total_content_length: Option<f64>,
    response_times: BTreeMap<String, u64>,
    #[serde(default)]
    num_reqs_per_sec: BTreeMap<String, u64>,
    #[serde(default)]
    num_fail_per_sec: BTreeMap<String, u64>,
}

/// Reads every array in the text; the number is that of the entries.
pub fn read(file: &str, text: &str) -> Result<(Tally, u64), Diagnostic> {
    let mut tally = Tally::default();
    let mut records = 0;
    for document in serde_json::Deserializer::from_str(text).into_iter::<Vec<Entry>>() {
        for entry in document.map_err(|error| malformed(file, text, &error))? {
            records += 1;
            let key = Endpoint {
                name: entry.name.clone(),
                method: entry.method.clone().unwrap_or_default(),
            };
            let counts = count(&entry).ok_or_else(|| {
                Diagnostic::new("bad-line", format!("`{key}` has a response time or second that is not a number, or a response time beyond a century"))
                    .at(Origin::file(file))
                    .help("the keys of `response_times` are milliseconds, those of `num_reqs_per_sec` epoch seconds")
            })?;
            tally
                .endpoints
                .entry(key)
                .or_insert_with(|| EndpointTally {
                    evidence: Evidence::Histogram,
                    ..EndpointTally::default()
                })
                .merge(&counts);
        }
    }
    Ok((tally, records))
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

fn count(entry: &Entry) -> Option<EndpointTally> {
    let us = |ms: Option<f64>| ms.filter(|_| entry.num_requests > 0).map(|ms| ms * 1e3);
    let epoch_ms = |s: Option<f64>| s.filter(|s| *s > 0.0).map(|s| (s * 1e3).round() as i64);
    let mut tally = EndpointTally {
        evidence: Evidence::Histogram,
        requests: entry.num_requests,
        failures: entry.num_failures,
        reported_sum_us: us(entry.total_response_time),
        min_us: us(entry.min_response_time),
        max_us: us(entry.max_response_time),
        without_start: entry.num_requests,
        without_status: entry.num_requests,
        first_start_ms: epoch_ms(entry.start_time),
        last_end_ms: epoch_ms(entry.last_request_timestamp),
        bytes: whole_bytes(entry.total_content_length),
        ..EndpointTally::default()
    };
    for (ms, n) in &entry.response_times {
        let ms: f64 = ms
            .parse()
            .ok()
            .filter(|ms: &f64| (0.0..=LONGEST_US).contains(&(ms * 1e3)))?;
        tally.response_times.add((ms * 1e3).round() as i64, *n);
    }
    let second = |at: &str| at.parse().ok().map(|s: f64| s.floor() as i64);
    for (at, n) in &entry.num_reqs_per_sec {
        tally.seconds.requests.add(second(at)?, *n);
    }
    for (at, n) in &entry.num_fail_per_sec {
        tally.seconds.failures.add(second(at)?, *n);
    }
    Some(tally)
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
        let (tally, records) = read("j", &format!("[]\n[]\n{ENTRY}\n{ENTRY}\n")).unwrap();
        let total = tally.total();
        assert_eq!((records, total.requests, total.failures), (2, 6, 2));
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
}
