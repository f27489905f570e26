//! JSON and tables, and a request log beside either.

use super::*;
use crate::metric::Aggregate;
use crate::tally::{Endpoint, Request, Tally};

#[test]
fn json_with_itself_and_with_the_table() {
    let sound = json();
    let changed = |from: &str, to: &str| of(&[&sound.replacen(from, to, 1)]);
    for (from, to, concerned) in [
        ("\"40\":40", "\"40\":30", "rfmpd"),
        ("\"1000\":6", "\"1000\":5", "rfmpd"),
        ("\"num_failures\":6", "\"num_failures\":0", "fd"),
        ("\"num_failures\":6", "\"num_failures\":61", "rfd"),
        (
            "\"num_none_requests\":0",
            "\"num_none_requests\":10",
            "rfmpd",
        ),
        (
            "\"total_response_time\":3000",
            "\"total_response_time\":300",
            "mp",
        ),
        (
            "\"max_response_time\":400",
            "\"max_response_time\":100",
            "mp",
        ),
        (
            "\"min_response_time\":10",
            "\"min_response_time\":null",
            "mp",
        ),
        ("\"min_response_time\":10", "\"min_response_time\":30", "mp"),
        (
            "\"last_request_timestamp\":1009.9",
            "\"last_request_timestamp\":5009.9",
            "d",
        ),
        ("\"start_time\":1000.1", "\"start_time\":1005.1", "d"),
        ("\"start_time\":1000.1", "\"start_time\":null", "d"),
    ] {
        let found = changed(from, to);
        assert!(
            concerned.chars().all(|c| found.contains(c)),
            "{to}: {found}, not {concerned}"
        );
        let unconcerned: Vec<char> = "rfmp".chars().filter(|c| !concerned.contains(*c)).collect();
        assert!(
            unconcerned.iter().all(|c| !found.contains(*c)),
            "{to}: {found}, not {concerned}"
        );
    }
    // The very same entries twice, as two documents; those of another hour.
    assert_eq!(of(&[&format!("{sound}{sound}")]), "rfmpd");
    let hour = sound
        .replace("\"100", "\"500")
        .replace(":1009.9", ":5009.9")
        .replace(":1000.1", ":5000.1");
    assert_eq!(of(&[&hour]), "");
    assert_eq!(of(&[&format!("{sound}{hour}")]), "rfmpd");
    // A start long before the first request.
    assert_eq!(of(&[&sound.replace(":1000.1", ":100.1")]), "d");
    // The table of the same run lacks at most the last seconds.
    let table = |a: &str, total: &str| format!("{HEAD}{a}{B}{total}");
    let earlier = table(
        "GET,/a,54,0,40,50,10,400,100,6,0,40,120,400\n",
        ",Aggregated,94,0,40,46,10,400,100,10.4444444444,0,40,120,400\n",
    );
    let earlier = earlier.replace(",4,0,30", ",4.4444444444,0,30");
    assert_eq!(of(&[&sound, &earlier]), "");
    let much_earlier = table(
        "GET,/a,6,0,40,50,10,400,100,6,0,40,120,400\n",
        ",Aggregated,46,0,40,46,10,400,100,46,0,40,120,400\n",
    );
    let much_earlier = much_earlier.replace(",4,0,30", ",40,0,30");
    assert_eq!(of(&[&sound, &much_earlier]), "rfmpd");
    let more = table(
        "GET,/a,600,6,40,50,10,400,100,60,0.6,40,120,400\n",
        ",Aggregated,640,6,40,46,10,400,100,64,0.6,40,120,400\n",
    );
    assert_eq!(of(&[&sound, &more]), "rfmpd");
    assert_eq!(
        of(&[&sound, &table(&A.replace(",50,10,", ",70,10,"), TOTAL)]),
        "mp"
    );
    assert_eq!(
        of(&[&sound, &table(&A.replace(",120,400", ",90,400"), TOTAL)]),
        "mp"
    );
}

/// A log of so many requests of 46 ms, ten a second, of which so many failed.
fn log(requests: u64, failures: u64, ms: u64) -> Tally {
    let failed = crate::tally::ErrorKey::new(Some(500), "");
    let mut log = Tally::default();
    for i in 0..requests {
        let request = Request {
            start_ms: Some(1_000_000 + i as i64 * 100),
            response_time_us: if i == 0 { 400_000 } else { ms * 1000 },
            status: Some(200),
            failure: (i < failures).then_some(&failed),
            ..Request::default()
        };
        log.add(Endpoint::default(), &request);
    }
    log
}

#[test]
fn a_log_beside_the_tables() {
    let stats = format!("{HEAD}{A}{B}{TOTAL}");
    let doubtful = |log: &Tally, files: &[&str]| {
        let (tally, _) = tables(files).finish(Some(log));
        let doubts = tally.unwrap_or_default().doubts;
        let on = |metric: &Metric| doubts.on(metric).is_some();
        let all = [
            ("r", Metric::Requests),
            ("f", Metric::FailureRatio),
            ("m", Metric::Mean),
            ("d", Metric::Duration),
            ("u", Metric::Users),
            ("x", Metric::Field(Aggregate::Max, "rows".to_owned())),
        ];
        all.into_iter()
            .filter(|(_, metric)| on(metric))
            .map(|(letter, _)| letter)
            .collect::<String>()
    };
    for files in [vec![stats.as_str()], vec![&json()], vec![&history(10)]] {
        assert_eq!(doubtful(&log(100, 6, 42), &files), "", "{files:?}");
        // The last lines are gone with the process; the last seconds are not in the table.
        assert_eq!(doubtful(&log(96, 6, 42), &files), "", "{files:?}");
        assert_eq!(doubtful(&log(140, 6, 42), &files), "", "{files:?}");
        // A part of the run, more than the run, failures that are not told, seconds read as milliseconds.
        assert_eq!(doubtful(&log(50, 6, 42), &files), "rfmd", "{files:?}");
        assert_eq!(doubtful(&log(900, 6, 42), &files), "rfmd", "{files:?}");
        assert_eq!(doubtful(&log(100, 0, 42), &files), "f", "{files:?}");
        assert_eq!(doubtful(&log(96, 4, 42), &files), "f", "{files:?}");
        assert_eq!(doubtful(&log(100, 6, 0), &files), "m", "{files:?}");
    }
    // The tables' own contradictions are told, and not taken for the log's; but users come from them.
    let broken = stats.replace(",120,400", ",400,120");
    assert_eq!(doubtful(&log(100, 6, 42), &[&broken]), "");
    let (_, notes) = tables(&[&broken]).finish(Some(&log(100, 6, 42)));
    assert!(
        notes.iter().any(|n| n.contains("percentiles that fall")),
        "{notes:?}"
    );
    assert_eq!(doubtful(&log(100, 6, 42), &[&stats, &history(11)]), "u");
    // Of a part of a log only its size is known.
    let part = |records| tables(&[&stats]).finish_beside_part(records).0;
    assert_eq!(part(100), None);
    assert!(part(50).is_some_and(|tally| !tally.doubts.is_empty()));
    assert!(part(500).is_some_and(|tally| !tally.doubts.is_empty()));
}
