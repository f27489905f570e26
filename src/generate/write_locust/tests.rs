//! A real run of Locust 2.47, replayed from its request log: our tables must be Locust's own.

use std::io::Read as _;

use serde_json::Value;

use super::*;
use crate::tally::Endpoint;

const RUN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/locust/2.47.0/batch");

/// The run's own start, epoch microseconds: Locust's JSON tells it only to the second.
const START_US: i64 = 1_795_218_180_000_000;

fn read(name: &str) -> String {
    std::fs::read_to_string(format!("{RUN}/{name}")).expect("part of the repository")
}

/// To the last bit, which `serde_json` does not promise.
fn response_time_ms(line: &str) -> f64 {
    let (_, rest) = line.split_once("\"response_time\": ").expect("a time");
    let (number, _) = rest.split_once(',').expect("more after it");
    number.parse().expect("a number")
}

/// What was counted, and the history.
fn replayed() -> (Counted, String) {
    let file =
        std::fs::File::open(format!("{RUN}/requests.jsonl.gz")).expect("part of the repository");
    let mut log = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut log)
        .expect("text");
    let mut keys: Vec<Endpoint> = Vec::new();
    let mut statistics = Statistics::new(START_US, Some(Vec::new())).expect("memory is writable");
    for line in log.lines() {
        let exact = response_time_ms(line);
        let line: Value = serde_json::from_str(line).expect("JSON");
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let key = Endpoint {
            name: text("name"),
            method: text("request_type"),
        };
        let endpoint = keys.iter().position(|k| *k == key).unwrap_or_else(|| {
            keys.push(key.clone());
            keys.len() - 1
        });
        let end: jiff::Timestamp = text("timestamp").parse().expect("a timestamp");
        let logged = Logged {
            endpoint,
            key: &key,
            end_us: (end.as_microsecond() - START_US) as u64,
            response_time_ms: exact,
            response_length: line["response_length"].as_u64().unwrap_or(0),
            failure: (line["success"] == false).then_some(0),
        };
        statistics
            .response(&logged, |_| 40)
            .expect("memory is writable");
    }
    let end_us = statistics.last_us.expect("responses") - START_US;
    let (history, counted) = statistics
        .finish(end_us as u64, |_| 40)
        .expect("memory is writable");
    let history = String::from_utf8(history.expect("it was wanted")).expect("text");
    (counted, history)
}

/// Everything but the two rates, which need the run's start to the microsecond.
#[test]
fn the_statistics_table_of_a_real_run() {
    let ours = tables::stats(&replayed().0, Vec::new()).expect("memory is writable");
    let ours = String::from_utf8(ours).expect("text");
    let theirs = read("run_stats.csv");
    assert_eq!(ours.lines().next(), theirs.lines().next());
    assert_eq!(ours.lines().count(), theirs.lines().count());
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        let cells = |line: &str| -> Vec<String> {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            cells.drain(9..11);
            cells
        };
        assert_eq!(cells(ours), cells(theirs));
    }
    assert!(ours.ends_with("\r\n"));
}

#[test]
fn the_json_of_a_real_run() {
    let mut ours = Vec::new();
    json::write(&replayed().0, &mut ours).expect("memory is writable");
    let ours = String::from_utf8(ours).expect("text");
    let theirs = read("run.json");
    // Moments differ by what passes between Locust's clock and the logger's.
    let moment = |line: &str| {
        line.contains("_timestamp") || line.contains("start_time") || line.contains("\"17952")
    };
    let comparable = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !moment(line));
        lines
            .map(|line| line.trim_end_matches(',').to_owned())
            .collect()
    };
    for (ours, theirs) in comparable(&ours).iter().zip(comparable(&theirs)) {
        assert_eq!(*ours, theirs);
    }
    assert_eq!(comparable(&ours).len(), comparable(&theirs).len());
    assert_eq!(ours.ends_with('\n'), theirs.ends_with('\n'));
}

/// No response came from second 260 on but one, so the rows of the next two seconds do not depend on the moment at
/// which Locust's writer woke: rates, percentiles of the sliding window and totals of every endpoint.
#[test]
fn the_history_of_a_real_run() {
    let (ours, theirs) = (replayed().1, read("run_stats_history.csv"));
    assert_eq!(ours.lines().next(), theirs.lines().next());
    let rows = |text: &str| -> Vec<String> {
        let quiet =
            |line: &&str| line.starts_with("1795218261,") || line.starts_with("1795218262,");
        text.lines().filter(quiet).map(str::to_owned).collect()
    };
    assert_eq!(rows(&theirs).len(), 14);
    assert_eq!(rows(&ours), rows(&theirs));
}
