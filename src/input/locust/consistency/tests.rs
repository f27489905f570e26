//! Tables that contradict themselves or each other, and tables of real habits that do not.

use super::super::{Kind, Tables};
use crate::metric::measure::measure;
use crate::metric::{Context, Metric};
use crate::summary::{About, Summary};

mod across;

const HEAD: &str = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,\
    Max Response Time,Average Content Size,Requests/s,Failures/s,50%,95%,100%\n";
const A: &str = "GET,/a,60,6,40,50,10,400,100,6,0.6,40,120,400\n";
const B: &str = "GET,/b,40,0,30,40,20,90,100,4,0,30,80,90\n";
const TOTAL: &str = ",Aggregated,100,6,40,46,10,400,100,10,0.6,40,120,400\n";
const HISTORY: &str = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,95%,100%,Total Request Count,\
    Total Failure Count,Total Median Response Time,Total Average Response Time,Total Min Response Time,\
    Total Max Response Time,Total Average Content Size\n";

/// One row of the history a second, ten requests each: to `last`.
fn history(last: u64) -> String {
    let row = |i: u64| {
        let (n, f) = (i * 10, i * 6 / 10);
        let (average, longest) = if i == 10 { (46, 400) } else { (44, 390) };
        format!(
            "{},5,,Aggregated,10,0.6,40,100,400,{n},{f},40,{average},10,{longest},100\n",
            1000 + i
        )
    };
    let begin = "1000,0,,Aggregated,0,0,N/A,N/A,N/A,0,0,0,0,0,0,0\n";
    format!(
        "{HISTORY}{begin}{}",
        (1..=last).map(row).collect::<String>()
    )
}

fn failures(a: u64) -> String {
    format!("Method,Name,Error,Occurrences\nGET,/a,HTTPError('500'),{a}\n")
}

/// JSON of the same run: ten requests in each of ten seconds; 40 ms, and four of 190 ms, and 90 ms and 400 ms.
fn json() -> String {
    let entry = |name: &str, n: u64, failed: u64, sum: u64, max: u64, min: u64, times: &str| {
        let seconds: Vec<String> = (1000..1010)
            .map(|s| format!("\"{s}\":{}", n / 10))
            .collect();
        format!(
            "{{\"name\":\"{name}\",\"method\":\"GET\",\"last_request_timestamp\":1009.9,\"start_time\":1000.1,\
             \"num_requests\":{n},\"num_none_requests\":0,\"num_failures\":{failed},\"total_response_time\":{sum},\
             \"max_response_time\":{max},\"min_response_time\":{min},\"total_content_length\":0,\
             \"response_times\":{{{times}}},\"num_reqs_per_sec\":{{{}}},\"num_fail_per_sec\":{{\"1009\":{failed}}}}}",
            seconds.join(",")
        )
    };
    format!(
        "[{},{}]",
        entry(
            "/a",
            60,
            6,
            3000,
            400,
            10,
            "\"10\":10,\"40\":40,\"90\":5,\"120\":4,\"400\":1"
        ),
        entry(
            "/b",
            40,
            0,
            1600,
            90,
            20,
            "\"20\":10,\"30\":17,\"60\":8,\"80\":4,\"90\":1"
        )
    )
}

fn tables(files: &[&str]) -> Tables {
    let mut tables = Tables::default();
    for (i, text) in files.iter().enumerate() {
        let kind = Kind::detect(text.as_bytes()).unwrap();
        let read = tables.read(&format!("f{i}"), kind, text.as_bytes(), &mut 0);
        read.unwrap_or_else(|e| {
            panic!(
                "{:?}",
                e.iter()
                    .map(crate::diagnostic::Diagnostic::short)
                    .collect::<Vec<_>>()
            )
        });
    }
    tables
}

fn summary(files: &[&str]) -> Summary {
    let (tally, notes) = tables(files).finish(None);
    let about = About {
        notes,
        ..About::default()
    };
    Summary::new(tally.unwrap(), about)
}

/// Which figures are undecided, of the run or of an endpoint: by letter, of requests, failures, mean, p95, duration and
/// users.
fn undecided(summary: &Summary, endpoint: Option<&str>) -> String {
    let all = [
        ("r", Metric::Requests),
        ("f", Metric::FailureRatio),
        ("m", Metric::Mean),
        ("p", Metric::Quantile(0.95)),
        ("d", Metric::Rps),
        ("u", Metric::Users),
    ];
    let context = Context {
        duration_s: summary.duration_s,
        users_max: summary.users_max.or(Some(1)),
        expected: Vec::new(),
    };
    let found = summary
        .endpoints
        .iter()
        .find(|e| e.endpoint.as_ref().map(|key| key.name.as_str()) == endpoint);
    let tally = &found.unwrap_or(&summary.total).tally;
    let broken = all
        .into_iter()
        .filter(|(_, metric)| measure(metric, tally, &context).is_err());
    broken.map(|(letter, _)| letter).collect()
}

fn of(files: &[&str]) -> String {
    undecided(&summary(files), None)
}

#[test]
fn a_sound_run_has_no_doubt() {
    let stats = format!("{HEAD}{A}{B}{TOTAL}");
    let json = json();
    let whole = history(10);
    for files in [
        vec![stats.as_str()],
        vec![&stats, &whole],
        vec![&stats, &whole, &failures(6)],
        vec![&stats, &json, &whole],
        vec![&json],
        vec![&whole],
        // A history that Locust had not written to its end.
        vec![&stats, &history(4)],
        vec![&stats, &history(0)],
    ] {
        let summary = summary(&files);
        assert_eq!(undecided(&summary, None), "", "{:?}", summary.notes);
        let lacks = summary
            .notes
            .iter()
            .any(|n| n.contains("lack the last second"));
        assert_eq!(
            lacks,
            files[0] == stats && !files.contains(&json.as_str()),
            "{:?}",
            summary.notes
        );
    }
}

#[test]
fn rows_and_their_total() {
    let table = |rows: &str| format!("{HEAD}{rows}");
    // A row is gone; the total row is gone, and then nobody knows which others.
    assert_eq!(of(&[&table(&format!("{A}{TOTAL}"))]), "rfmpd");
    assert_eq!(of(&[&table(&format!("{A}{B}"))]), "rfmpd");
    assert!(!of(&[&table(&format!("{A}{B}")), &history(10)]).contains('r'));
    // Two totals, in any order.
    assert_eq!(of(&[&table(&format!("{A}{B}{TOTAL}{TOTAL}"))]), "rfmpd");
    // The total first, as a spreadsheet may sort it, is sound.
    assert_eq!(of(&[&table(&format!("{TOTAL}{A}{B}"))]), "");
    // Failures that add up to another number; the others stand.
    assert_eq!(
        of(&[&table(&format!(
            "{A}{B}{}",
            TOTAL.replace(",100,6,", ",100,0,").replace(",0.6,", ",0,")
        ))]),
        "f"
    );
    // Times of the total that are not among those of the rows.
    assert_eq!(
        of(&[&table(&format!(
            "{A}{B}{}",
            TOTAL
                .replace(",400,100,", ",300,100,")
                .replace("120,400", "120,300")
        ))]),
        "mp"
    );
    assert_eq!(
        of(&[&table(&format!(
            "{A}{B}{}",
            TOTAL.replace("40,120,400", "40,70,400")
        ))]),
        "mp"
    );
}

#[test]
fn one_row_with_itself() {
    let with = |a: &str| summary(&[&format!("{HEAD}{a}{B}{TOTAL}")]);
    let more = summary(&[&format!(
        "{HEAD}{}{B}{}",
        A.replace("60,6,", "60,61,").replace("0.6", "6.1"),
        TOTAL.replace("100,6,", "100,61,").replace("0.6", "6.1")
    )]);
    assert_eq!(undecided(&more, Some("/a")), "rfd");
    assert_eq!(undecided(&more, Some("/b")), "");
    let swapped = with(&A.replace(",120,400", ",400,120"));
    assert_eq!(undecided(&swapped, Some("/a")), "mp");
    assert_eq!(
        undecided(&swapped, None),
        "mp",
        "the total rests on its rows"
    );
    assert_eq!(
        undecided(&with(&A.replace(",6,0.6,", ",60,0.6,")), Some("/a")),
        "d"
    );
    assert_eq!(
        undecided(&with(&A.replace(",6,0.6,", ",6,0.1,")), Some("/a")),
        "f"
    );
    // All times 0: none was measured.
    let zeros = with("GET,/a,60,6,0,0,0,0,100,6,0.6,0,0,0\n");
    assert_eq!(undecided(&zeros, Some("/a")), "mp");
    let told = |summary: &Summary, what: &str| {
        let notes = &summary.notes;
        assert!(notes.iter().any(|n| n.contains(what)), "{notes:?}");
    };
    told(
        &swapped,
        "f0: percentiles that fall in `GET /a`: p95 is 400 ms, p100 120 ms",
    );
    told(
        &more,
        "f0: more failures than requests in `GET /a`: 61 of 60",
    );
    // Percentiles among requests that have no time.
    let shifted = with(&A.replace("40,120,400", "12,90,400"));
    assert_eq!(undecided(&shifted, Some("/a")), "p");
    told(&shifted, "without a response time");
}

#[test]
fn failures_by_row() {
    let stats = format!("{HEAD}{A}{B}{TOTAL}");
    // Other failures than any row has: of another run, or rows are gone.
    assert_eq!(of(&[&stats, &failures(5)]), "rfmpd");
    assert_eq!(of(&[&stats, &failures(5000)]), "rfmpd");
    assert_eq!(of(&[&stats, &failures(6).replace("/a", "/c")]), "rfmpd");
    // A table that was cut short.
    let two = stats
        .replace("GET,/b,40,0,", "GET,/b,40,4,")
        .replace(",4,0,", ",4,0.4,");
    let two = two
        .replace("Aggregated,100,6,", "Aggregated,100,10,")
        .replace(",10,0.6,", ",10,1,");
    assert_eq!(of(&[&two, &format!("{}GET,/b,x,4\n", failures(6))]), "");
    assert_eq!(of(&[&two, &failures(6)]), "f");
    assert_eq!(of(&[&stats, "Method,Name,Error,Occurrences\n"]), "f");
    // The JSON may know later ones.
    let json = json();
    assert_eq!(of(&[&json, &failures(5)]), "");
    assert_eq!(of(&[&json, &failures(7)]), "rfmpd");
    assert_eq!(of(&[&history(10), &failures(600)]).replace('d', ""), "f");
}

#[test]
fn the_end_of_the_history() {
    let stats = format!("{HEAD}{A}{B}{TOTAL}");
    // Of a larger run, of a smaller one, with other failures, with other times.
    assert_eq!(of(&[&stats, &history(11)]), "rfmpdu");
    let small = history(10).replace("Aggregated,10,0.6", "Aggregated,1,0.1");
    let less = |line: &str| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        if let Ok(count) = cells[9].parse::<u64>() {
            cells[9] = (count / 10).to_string();
            "0".clone_into(&mut cells[10]);
        }
        cells.join(",")
    };
    let small: Vec<String> = small.lines().map(less).collect();
    let small = format!("{}\n", small.join("\n"));
    assert_eq!(of(&[&stats, &small]), "rfmpdu");
    assert_eq!(
        of(&[&stats, &history(10).replace(",100,6,", ",100,5,")]),
        "rfmpdu"
    );
    assert_eq!(
        of(&[&stats, &history(10).replace(",46,10,400,", ",46,10,900,")]),
        "mp"
    );
    // The statistics took an hour, by their rates.
    let slow = stats
        .replace(",6,0.6,", ",0.016,0.0016,")
        .replace(",4,0,", ",0.011,0,")
        .replace(",10,0.6,", ",0.028,0.0016,");
    assert!(of(&[&slow, &history(10)]).contains('d'));
    // Rows out of order, and users that differ within a second.
    let text = history(10);
    let mut rows: Vec<&str> = text.lines().collect();
    rows.swap(3, 5);
    assert_eq!(of(&[&stats, &format!("{}\n", rows.join("\n"))]), "du");
    let doubled = text.replace(
        "1004,5,,Aggregated",
        "1004,500,GET,/a,5,0,0,0,0,0,0,0,0,0,0,0\n1004,5,,Aggregated",
    );
    assert!(of(&[&stats, &doubled]).contains('u'));
}

#[test]
fn moments_of_another_hour() {
    let stats = format!("{HEAD}{A}{B}{TOTAL}");
    let failures = |at: &str| {
        format!(
            "Method,Name,Error,Occurrences,First Seen,Last Seen\nGET,/a,x,6,1970-01-01T00:{at}Z,1970-01-01T00:16:49Z\n"
        )
    };
    let whole = history(10);
    assert_eq!(of(&[&stats, &whole, &failures("16:41")]), "");
    assert_eq!(of(&[&stats, &whole, &failures("02:00")]), "rfmpdu");
    let json = json();
    assert_eq!(of(&[&json, &whole]), "");
    let hour = whole.replace("\n10", "\n50");
    assert_eq!(of(&[&json, &hour]), "rfmpdu");
}

#[test]
fn a_history_of_two_tests_and_one_that_was_reset() {
    let stats = format!("{HEAD}{A}{B}{TOTAL}");
    let second = history(10);
    let first: Vec<String> = second
        .lines()
        .skip(1)
        .map(|l| l.replacen('1', "0", 1).replace(",5,,", ",9,,"))
        .collect();
    let first = format!("{}\n", first.join("\n"));
    let both = second.replacen('\n', &format!("\n{first}"), 1);
    let summary = summary(&[&stats, &both]);
    assert_eq!(
        (undecided(&summary, None), summary.users_max),
        (String::new(), Some(5))
    );
    assert!(
        summary.notes.iter().any(|n| n.contains("holds 2 tests")),
        "{:?}",
        summary.notes
    );
    // Reset at full users: one test, and its totals are those of the end.
    let reset = second.replacen(
        "1001,5",
        "999,5,,Aggregated,1,0,4,5,6,12,1,40,44,10,390,100\n1001,5",
        1,
    );
    let reset = reset.replace("1000,0,,Aggregated,0,0,N/A,N/A,N/A,0,0,0,0,0,0,0\n", "");
    let summary = self::summary(&[&stats, &reset]);
    assert_eq!(undecided(&summary, None), "", "{:?}", summary.notes);
    assert!(
        summary.notes.iter().any(|n| n.contains("falls once")),
        "{:?}",
        summary.notes
    );
}

#[test]
fn no_user_is_no_number_of_users() {
    let stats = format!("{HEAD}{A}{B}{TOTAL}");
    assert_eq!(summary(&[&stats, &history(10)]).users_max, Some(5));
    assert_eq!(summary(&[&stats, &history(0)]).users_max, None);
    assert_eq!(
        summary(&[&stats, &history(10).replace(",5,,", ",0,,")]).users_max,
        None
    );
    assert_eq!(
        summary(&[&stats, &history(10).replace(",5,,", ",N/A,,")]).users_max,
        None
    );
}
