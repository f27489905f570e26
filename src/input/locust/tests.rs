//! The tables together.

use super::*;
use crate::tally::{Endpoint, Evidence, Request};

const STATS: &str = "Type,Name,Request Count,Failure Count,Average Response Time,50%,95%\r\n\
    GET,a,4,1,2,2,3\r\n,Aggregated,4,1,2,2,3\r\n";
const HISTORY: &str = "Timestamp,User Count,Type,Name,50%,100%,Total Request Count,Total Failure Count\r\n\
    10,2,,Aggregated,1,1,2,0\r\n11,2,,Aggregated,1,1,4,1\r\n";
const FAILURES: &str =
    "Method,Name,Error,Occurrences\r\nGET,a,HTTPError('500 Server Error: x'),1\r\nGET,gone,y,2\r\n";

fn read(files: &[&str]) -> Tables {
    let mut tables = Tables::default();
    for (i, text) in files.iter().enumerate() {
        let kind = Kind::detect(text.as_bytes()).unwrap();
        tables
            .read(&format!("f{i}"), kind, text.as_bytes(), &mut 0)
            .unwrap();
    }
    tables
}

#[test]
fn kinds_are_told_by_content() {
    assert_eq!(Kind::detect(STATS.as_bytes()), Some(Kind::Stats));
    assert_eq!(Kind::detect(HISTORY.as_bytes()), Some(Kind::History));
    assert_eq!(Kind::detect(FAILURES.as_bytes()), Some(Kind::Failures));
    assert_eq!(
        Kind::detect(b"\"Name\",\"# requests\",\"50%\"\n"),
        Some(Kind::Distribution)
    );
    assert_eq!(Kind::detect(b"[]\n[]\n"), Some(Kind::Json));
    assert_eq!(Kind::detect(b"[1]"), None);
    assert_eq!(Kind::detect(b"timeStamp,elapsed,label\n"), None);
    assert_eq!(Kind::detect(b""), None);
}

#[test]
fn stats_history_and_failures_make_one_run() {
    let (tally, notes) = read(&[STATS, HISTORY, FAILURES]).finish(None);
    let tally = tally.unwrap();
    let total = tally.total();
    assert_eq!(
        (total.requests, total.failures, total.evidence),
        (4, 1, Evidence::Reported)
    );
    assert_eq!(total.seconds.failures.get(11), 1);
    assert_eq!(tally.users[&10], 2);
    let errors = &tally.endpoints.values().next().unwrap().errors;
    assert_eq!(errors.len(), 1);
    assert_eq!(
        total.errors, *errors,
        "the total row takes the endpoints' messages over"
    );
    assert!(
        notes
            .iter()
            .any(|n| n.starts_with("2 failures are of endpoints without")),
        "{notes:?}"
    );
}

#[test]
fn history_alone_counts_with_a_note() {
    let (tally, notes) = read(&[HISTORY]).finish(None);
    assert_eq!(tally.unwrap().total().requests, 4);
    assert!(notes[0].starts_with("only the history"), "{notes:?}");
    assert_eq!(read(&[FAILURES]).finish(None).0, None);
}

#[test]
fn a_log_that_agrees_gets_one_note() {
    let failure = crate::tally::ErrorKey::new(None, "");
    let mut log = Tally::default();
    for (us, failed) in [(1000, false), (2000, true), (2000, false), (3000, false)] {
        let request = Request {
            response_time_us: us,
            failure: failed.then_some(&failure),
            ..Request::default()
        };
        let endpoint = Endpoint {
            name: "a".to_owned(),
            method: "GET".to_owned(),
        };
        log.add(endpoint, &request);
    }
    let (tally, notes) = read(&[STATS, HISTORY]).finish(Some(&log));
    assert_eq!(
        notes,
        ["request log and Locust's tables agree: 4 requests, 1 failure"]
    );
    assert_eq!(tally.unwrap().users.len(), 2);
}

#[test]
fn bad_rows_can_be_allowed() {
    let text = "Type,Name,Request Count,Failure Count\nGET,a,x,1\n,Aggregated,4,1\n";
    let mut tables = Tables::default();
    assert_eq!(
        tables
            .read("f", Kind::Stats, text.as_bytes(), &mut 0)
            .unwrap_err()
            .len(),
        1
    );
    let mut allowance = 2;
    let source = Tables::default()
        .read("f", Kind::Stats, text.as_bytes(), &mut allowance)
        .unwrap();
    assert_eq!((source.rejected, source.records, allowance), (1, 1, 1));
}
