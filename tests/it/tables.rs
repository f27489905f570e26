//! What Locust left behind, in contradiction with itself: shown, told in a note, and not judged.

use serde_json::Value;

use crate::harness::{loadgate, report, root};

const HEAD: &str = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,\
    Max Response Time,Average Content Size,Requests/s,Failures/s,50%,95%,99%,100%\n";

/// A row of a run of 100 s.
fn row(start: &str, requests: u64, failures: u64) -> String {
    let (rps, fps) = (requests as f64 / 100.0, failures as f64 / 100.0);
    format!("{start},{requests},{failures},40,50,10,400,100,{rps},{fps},40,120,300,400\n")
}

/// Files in a fresh folder, and what is said of them with these gates: the exit code and the report.
fn check(files: &[(&str, &str)], gates: &[&str]) -> (i32, Value) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let mut args = vec![dir.path().to_str().unwrap()];
    for gate in gates {
        args.extend(["--require", gate]);
    }
    let (json, code) = report(&args);
    (code, json)
}

fn notes(json: &Value) -> String {
    json["notes"].to_string()
}

fn real(path: &str) -> String {
    String::from_utf8(std::fs::read(root("testdata/locust").join(path)).unwrap()).unwrap()
}

#[test]
fn real_tables_have_no_doubt() {
    for run in [
        "0.14.6/batch",
        "1.6.0/batch",
        "2.20.1/batch",
        "2.32.10/no_full_history",
        "2.47.0/batch",
        "2.47.0/killed",
        "2.47.0/shape_ramp",
        "2.47.0/style_b",
        "2.47.0/weird_names",
    ] {
        let folder = root("testdata/locust").join(run);
        let files = ["stats", "stats_history", "failures"];
        let tables = files.map(|f| {
            folder
                .join(format!("run_{f}.csv"))
                .to_str()
                .unwrap()
                .to_owned()
        });
        let mut inputs: Vec<&str> = tables.iter().map(String::as_str).collect();
        let gates = [
            "requests > 1",
            "failure_ratio < 50%",
            "p95 < 9s",
            "mean < 9s",
            "rps > 1",
        ];
        for gate in gates {
            inputs.extend(["--require", gate]);
        }
        let (json, code) = report(&inputs);
        assert_eq!(code, 0, "{run}: {}", json["gates"]);
        let said = json["notes"].as_array().unwrap();
        assert_eq!(said.len(), 1, "{run}: {said:?}");
        assert!(
            said[0].to_string().contains("lack the last second"),
            "{run}: {said:?}"
        );
    }
}

#[test]
fn a_table_that_contradicts_itself_passes_no_gate() {
    let (a, b) = (row("GET,/a", 300, 30), row("GET,/b", 100, 0));
    let total = row(",Aggregated", 400, 30);
    let sound = format!("{HEAD}{a}{b}{total}");
    let gates = ["failure_ratio < 50%", "p95 < 1s", "requests > 1", "rps > 1"];
    let (code, json) = check(&[("run_stats.csv", &sound)], &gates);
    assert_eq!(code, 0, "{json}");
    let broken = [
        (
            "rows of another run",
            format!("{HEAD}{a}{}{total}", row("GET,/b", 5000, 3000)),
            "add up to 5,300 requests and 3,030 failures",
        ),
        (
            "a row is gone",
            format!("{HEAD}{a}{total}"),
            "add up to 300 requests",
        ),
        ("no total row", format!("{HEAD}{a}{b}"), "no total row"),
        (
            "two total rows",
            format!("{sound}{}", row(",Aggregated", 400, 0)),
            "2 total rows, on lines 4 and 5",
        ),
        (
            "a total of no failures",
            format!("{HEAD}{a}{b}{}", row(",Aggregated", 400, 0)),
            "its total row says 400 and 0",
        ),
        (
            "more failures than requests",
            format!(
                "{HEAD}{}{}",
                row("GET,/a", 100, 150),
                row(",Aggregated", 100, 150)
            ),
            "more failures than requests in 2 rows",
        ),
    ];
    for (what, text, note) in broken {
        let (code, json) = check(&[("run_stats.csv", &text)], &gates[..1]);
        assert_eq!(code, 3, "{what}: {}", json["gates"]);
        assert!(notes(&json).contains(note), "{what}: {}", notes(&json));
        // The gate says why, and nothing of where on the machine the files lie.
        assert!(
            json["gates"][0]["because"]
                .to_string()
                .contains("run_stats.csv"),
            "{what}"
        );
        let folder = std::env::temp_dir().display().to_string();
        assert!(!json.to_string().contains(&folder), "{what}: {json}");
    }
}

#[test]
fn two_tables_in_one_file_and_cells_without_a_column_are_refused() {
    let rows = [row("GET,/a", 300, 30), row(",Aggregated", 300, 30)].concat();
    let refused = [
        (
            format!("{HEAD}{rows}{rows}"),
            "is in the table twice: on line 2 and on line 4",
        ),
        (
            format!("{HEAD}{rows}{HEAD}{rows}"),
            ":4:1: error[bad-line]: the header stands here again",
        ),
        (
            format!("{HEAD}{}", rows.replacen("GET,/a", "GET,/a,b", 1)),
            "the row has 16 cells, the header 15 columns",
        ),
        (
            format!("{}{rows}", HEAD.replace("99%", "95.0%")),
            "error[bad-header]: the table has the column `95.0%` twice",
        ),
        (
            format!("{HEAD}{}", rows.replace(",50,10,", ",50,-10,")),
            "`-10` is not a number of 0 or more",
        ),
    ];
    for (text, message) in refused {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("run_stats.csv"), text).unwrap();
        let run = loadgate(&["check", dir.path().to_str().unwrap(), "--quiet"]);
        assert_eq!(run.code, 2, "{message}: {}", run.stdout);
        assert!(run.stderr.contains(message), "{message}: {}", run.stderr);
    }
}

#[test]
fn what_a_spreadsheet_adds_changes_nothing() {
    let sound = format!(
        "{HEAD}{}{}",
        row("GET,/a", 300, 3),
        row(",Aggregated", 300, 3)
    );
    let mut saved = String::from(",,,,\r\n");
    for line in sound.lines() {
        saved.push_str(&format!("{line},,\r\n,,,,,,\r\n"));
    }
    let gates = ["failure_ratio < 2%", "p95 < 1s"];
    let (plain, with_empty) = (
        check(&[("run_stats.csv", &sound)], &gates),
        check(&[("run_stats.csv", &saved)], &gates),
    );
    assert_eq!(plain.0, 0);
    assert_eq!(with_empty.1["total"], plain.1["total"]);
    assert_eq!(with_empty.0, 0);
    // A spreadsheet turns epoch seconds into dates.
    let history = real("2.47.0/style_b/run_stats_history.csv");
    let dates: Vec<String> = history
        .lines()
        .map(|line| match line.split_once(',') {
            Some((second, rest)) if second.parse::<i64>().is_ok() => {
                let at = jiff::Timestamp::from_second(second.parse().unwrap()).unwrap();
                format!("{},{rest}", at.strftime("%Y-%m-%d %H:%M:%S"))
            }
            _ => line.to_owned(),
        })
        .collect();
    let stats = real("2.47.0/style_b/run_stats.csv");
    let of = |history: &str| {
        check(
            &[
                ("run_stats.csv", &stats),
                ("run_stats_history.csv", history),
            ],
            &["users > 1"],
        )
    };
    let (with_seconds, with_dates) = (of(&history), of(&dates.join("\n")));
    assert_eq!(with_dates.0, 0);
    assert_eq!(with_dates.1["timeline"], with_seconds.1["timeline"]);
}

#[test]
fn files_of_two_runs_are_not_one() {
    let ours = |name: &str| real(&format!("2.47.0/style_b/{name}"));
    let other = |name: &str| real(&format!("2.47.0/killed/{name}"));
    let gates = ["failure_ratio < 50%", "p95 < 9s", "rps > 1", "users > 1"];
    let undecided = |json: &Value| {
        let gates = json["gates"].as_array().unwrap();
        gates
            .iter()
            .filter(|gate| gate["verdict"] == "undecided")
            .count()
    };
    let stats = ours("run_stats.csv");
    let (code, json) = check(
        &[
            ("run_stats.csv", &stats),
            ("run_stats_history.csv", &other("run_stats_history.csv")),
        ],
        &gates,
    );
    assert_eq!((code, undecided(&json)), (3, 4), "{}", json["gates"]);
    assert!(
        notes(&json).contains("other counts than in"),
        "{}",
        notes(&json)
    );
    let (code, json) = check(
        &[
            ("run_stats.csv", &stats),
            ("run_failures.csv", &other("run_failures.csv")),
        ],
        &gates[..3],
    );
    assert_eq!((code, undecided(&json)), (3, 3), "{}", json["gates"]);
    let (code, json) = check(
        &[
            ("run_stats.csv", &other("run_stats.csv")),
            ("run.json", &ours("run.json")),
        ],
        &gates[..3],
    );
    assert_eq!((code, undecided(&json)), (3, 3), "{}", json["gates"]);
    assert!(
        notes(&json).contains("count different requests"),
        "{}",
        notes(&json)
    );
}

#[test]
fn a_failures_table_of_other_failures_decides_nothing() {
    let stats = format!(
        "{HEAD}{}{}",
        row("GET,/a", 1000, 0),
        row(",Aggregated", 1000, 0)
    );
    let failures =
        "Method,Name,Error,Occurrences,First Seen,Last Seen\nGET,/a,HTTPError('500'),5000,,\n";
    let (code, json) = check(
        &[("run_stats.csv", &stats), ("run_failures.csv", failures)],
        &["failure_ratio < 1%"],
    );
    assert_eq!(code, 3, "{}", json["gates"]);
    assert!(
        notes(&json).contains("lists 5,000 failures"),
        "{}",
        notes(&json)
    );
}

#[test]
fn a_history_before_the_first_user_tells_no_users() {
    let stats = format!(
        "{HEAD}{}{}",
        row("GET,/a", 40, 0),
        row(",Aggregated", 40, 0)
    )
    .replace(",0.4,", ",10,");
    let history = real("2.47.0/style_b/run_stats_history.csv");
    let begin: Vec<&str> = history.lines().take(2).collect();
    assert!(begin[1].contains(",0,,Aggregated,"), "{begin:?}");
    let (code, json) = check(
        &[
            ("run_stats.csv", &stats),
            ("run_stats_history.csv", &begin.join("\n")),
        ],
        &["users >= 5", "users < 5"],
    );
    assert_eq!(code, 3, "{}", json["gates"]);
    assert!(json["run"]["users_max"].is_null());
    assert!(
        json["gates"][0]["because"]
            .to_string()
            .contains("number of users")
    );
}

/// JSON of one endpoint: a hundred requests of 1 to 1.9 s, and `none` without a response time.
fn json(none: u64) -> String {
    let n = 100 + none;
    format!(
        "[{{\"name\":\"/a\",\"method\":\"GET\",\"last_request_timestamp\":1790000099.5,\"start_time\":1790000000.0,\
         \"num_requests\":{n},\"num_none_requests\":{none},\"num_failures\":0,\"total_response_time\":145000,\
         \"max_response_time\":1900,\"min_response_time\":1000,\"total_content_length\":0,\
         \"response_times\":{{\"1000\":10,\"1400\":40,\"1500\":40,\"1900\":10}},\
         \"num_reqs_per_sec\":{{\"1790000000\":100,\"1790000099\":{none}}},\"num_fail_per_sec\":{{}}}}]"
    )
}

#[test]
fn requests_without_a_response_time_are_in_no_mean() {
    let (code, report) = check(
        &[("run.json", &json(900))],
        &[
            "mean < 1s",
            "p50 > 1s",
            "requests == 1000",
            "failure_ratio < 1%",
        ],
    );
    assert_eq!(code, 1);
    assert_eq!(report["total"]["response_time_ms"]["mean"], 1450.0);
    let verdicts: Vec<&str> = report["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(
        verdicts,
        ["fail", "pass", "pass", "pass"],
        "{}",
        report["gates"]
    );
    assert!(
        notes(&report).contains("900 of 1,000 requests have no response time"),
        "{}",
        notes(&report)
    );
}

#[test]
fn json_without_a_key_is_refused_and_with_a_wrong_one_undecided() {
    let sound = json(0)
        .replace(",\"1790000099\":0", "")
        .replace("1790000099.5", "1790000000.9");
    let (code, report) = check(&[("run.json", &sound)], &["failure_ratio < 1%", "p95 < 2s"]);
    assert_eq!(code, 0, "{report}");
    for key in [
        "num_failures",
        "num_none_requests",
        "total_response_time",
        "num_fail_per_sec",
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("run.json"),
            sound.replace(&format!("\"{key}\""), "\"other\""),
        )
        .unwrap();
        let run = loadgate(&[
            "check",
            dir.path().to_str().unwrap(),
            "--require",
            "failure_ratio < 1%",
            "--quiet",
        ]);
        assert_eq!(run.code, 2, "{key}: {}", run.stdout);
        assert!(
            run.stderr.contains(&format!("missing field `{key}`")),
            "{}",
            run.stderr
        );
    }
    for (from, to, note) in [
        ("\"1900\":10", "\"1900\":1", "a histogram of other requests"),
        (
            "\"num_failures\":0",
            "\"num_failures\":5",
            "seconds of other failures",
        ),
        (
            "\"max_response_time\":1900",
            "\"max_response_time\":190000",
            "a histogram that ends elsewhere",
        ),
        ("145000", "14500", "an average that the histogram rules out"),
    ] {
        let (code, report) = check(
            &[("run.json", &sound.replace(from, to))],
            &["failure_ratio < 10%", "p95 < 2s", "mean < 2s"],
        );
        assert_eq!(code, 3, "{to}: {}", report["gates"]);
        assert!(notes(&report).contains(note), "{to}: {}", notes(&report));
    }
}

#[test]
fn a_log_that_holds_a_part_of_the_run_decides_nothing() {
    let log: String = crate::harness::ten_lines().replace(":200}", ":200,\"success\":true}");
    let stats = |requests: u64| {
        format!(
            "{HEAD}{}{}",
            row("GET,/a", requests, 0),
            row(",Aggregated", requests, 0)
        )
    };
    let gates = ["requests > 5", "failure_ratio < 1%", "max < 2s"];
    for (requests, note) in [
        (100_000, "only a part of the run"),
        (1, "more than this run"),
    ] {
        let files = [
            ("requests.jsonl", log.as_str()),
            ("run_stats.csv", &stats(requests)),
        ];
        let (code, report) = check(&files, &gates);
        assert_eq!(code, 3, "{requests}: {}", report["gates"]);
        assert!(
            notes(&report).contains(note),
            "{requests}: {}",
            notes(&report)
        );
    }
    // The same of a part of the log.
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("requests.jsonl"), &log).unwrap();
    std::fs::write(dir.path().join("run_stats.csv"), stats(100_000)).unwrap();
    let (report, code) = report(&[
        dir.path().to_str().unwrap(),
        "--warmup",
        "2s",
        "--require",
        "requests > 5",
    ]);
    assert_eq!(code, 3, "{}", report["gates"]);
}

#[test]
fn a_history_of_two_tests_is_cut_to_the_last() {
    let history = real("2.47.0/style_b/run_stats_history.csv");
    let mut lines = history.lines();
    let head = lines.next().unwrap();
    let rows: Vec<&str> = lines.collect();
    // The first of the two: an hour before, with twice the users.
    let earlier = rows.iter().map(|line| {
        let (second, rest) = line.split_once(',').unwrap();
        let (users, rest) = rest.split_once(',').unwrap();
        let (second, users): (i64, u64) = (second.parse().unwrap(), users.parse().unwrap());
        format!("{},{},{rest}", second - 3600, users * 2)
    });
    let all: Vec<String> = std::iter::once(head.to_owned())
        .chain(earlier)
        .chain(rows.iter().map(|&l| l.to_owned()))
        .collect();
    let stats = real("2.47.0/style_b/run_stats.csv");
    let of = |history: &str| {
        check(
            &[
                ("run_stats.csv", &stats),
                ("run_stats_history.csv", history),
            ],
            &["users < 25"],
        )
    };
    let (one, both) = (of(&history), of(&all.join("\n")));
    assert_eq!((one.0, both.0), (0, 0), "{}", both.1["gates"]);
    assert_eq!(both.1["run"]["users_max"], one.1["run"]["users_max"]);
    assert!(
        notes(&both.1).contains("holds 2 tests"),
        "{}",
        notes(&both.1)
    );
}
