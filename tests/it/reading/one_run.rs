//! Whether what is named is one run.

use super::*;

#[test]
fn logs_that_lie_apart_are_several_runs() {
    let dir = run_of(&[
        ("monday.jsonl", log(BEGIN, 60, 200).as_bytes()),
        ("tuesday.jsonl", log(BEGIN + DAY, 60, 500).as_bytes()),
    ]);
    let run = check(&dir, &["--require", "failure_ratio < 60%"]);
    refused(
        &run,
        &[
            "several-runs",
            "2 runs",
            "name `run/monday.jsonl`, or `run/tuesday.jsonl`",
        ],
    );
    // Also when both are named, and when one comes from a stream.
    let named = ["check", "run/monday.jsonl", "run/tuesday.jsonl"];
    refused(&loadgate_in(dir.path(), &named, b""), &["several-runs"]);
    let streamed = ["check", "run/monday.jsonl", "-"];
    let stdin = log(BEGIN + DAY, 60, 500);
    refused(
        &loadgate_in(dir.path(), &streamed, stdin.as_bytes()),
        &["several-runs"],
    );
    // A warm-up does not hide the first.
    refused(&check(&dir, &["--warmup", "2min"]), &["several-runs"]);
    // One that is picked by its time is one.
    let until = [
        "check",
        "run",
        "--to",
        "2026-09-22T00:00:00Z",
        "--json",
        "-",
    ];
    let (n, _) = requests(&loadgate_in(dir.path(), &until, b""));
    assert_eq!(n, 60);
}

#[test]
fn workers_that_overlap_are_one_run() {
    let dir = run_of(&[
        ("w1.jsonl", log(BEGIN, 60, 200).as_bytes()),
        ("w2.jsonl", log(BEGIN + 50, 60, 200).as_bytes()),
        ("w3.jsonl", log(BEGIN + 100, 60, 200).as_bytes()),
        (
            "memory.jsonl",
            format!("{{\"timestamp\":{},\"memory_mb\":100}}\n", BEGIN - 30).as_bytes(),
        ),
    ]);
    let (n, notes) = requests(&check(&dir, &["--json", "-"]));
    assert_eq!(n, 180);
    assert!(notes.contains("were read as one run"), "{notes}");
}

#[test]
fn two_prefixes_are_two_runs() {
    for apart in [0, DAY] {
        let dir = folder();
        tables(&dir, "smoke", BEGIN, 20);
        tables(&dir, "load", BEGIN + apart, 100);
        let run = loadgate_in(dir.path(), &["check", "."], b"");
        refused(&run, &["several-runs", "load_stats.csv", "smoke_stats.csv"]);
        let both = loadgate_in(dir.path(), &["check", "smoke", "load"], b"");
        refused(&both, &["several-runs"]);
        let one = loadgate_in(dir.path(), &["check", "load", "--json", "-"], b"");
        assert_eq!(requests(&one).0, 1000);
    }
}

#[test]
fn tables_of_one_prefix_at_two_times_are_not_added() {
    let dir = folder();
    tables(&dir, "run", BEGIN, 20);
    tables(&dir, "later", BEGIN, 30);
    std::fs::rename(
        dir.path().join("later_stats.csv"),
        dir.path().join("run_stats (1).csv"),
    )
    .unwrap();
    std::fs::remove_file(dir.path().join("later_stats_history.csv")).unwrap();
    let run = loadgate_in(dir.path(), &["check", "."], b"");
    refused(&run, &["several-runs", "run_stats (1).csv"]);
}

#[test]
fn json_of_several_processes_is_added_if_it_is_named_and_overlaps() {
    let dir = folder();
    let json = |name: &str, from_s: i64| {
        let text = format!(
            "[{{\"name\":\"/a\",\"method\":\"GET\",\"start_time\":{from_s}.0,\"last_request_timestamp\":{}.5,\
             \"num_requests\":3,\"num_none_requests\":0,\"num_failures\":0,\"total_response_time\":33.5,\
             \"max_response_time\":12.5,\"min_response_time\":9.5,\"total_content_length\":6,\
             \"response_times\":{{\"10\":2,\"12\":1}},\"num_reqs_per_sec\":{{\"{from_s}\":3}},\"num_fail_per_sec\":{{}}}}]",
            from_s + 30
        );
        file(&dir, name, text.as_bytes());
    };
    json("a.json", BEGIN);
    json("b.json", BEGIN + 10);
    let named =
        |args: &[&str]| loadgate_in(dir.path(), &[&["check", "--json", "-"], args].concat(), b"");
    assert_eq!(requests(&named(&["a.json", "b.json"])).0, 6);
    refused(&named(&["."]), &["several-runs", "locust-json"]);
    json("b.json", BEGIN + 40);
    refused(
        &named(&["a.json", "b.json"]),
        &["several-runs", "name `a.json`, or `b.json`"],
    );
}

#[test]
fn a_log_of_another_day_does_not_belong_to_the_tables() {
    let dir = folder();
    tables(&dir, "run", BEGIN, 60);
    file(&dir, "requests.jsonl", log(BEGIN + DAY, 60, 200).as_bytes());
    let run = loadgate_in(dir.path(), &["check", "."], b"");
    refused(
        &run,
        &["several-runs", "requests.jsonl", "run_stats_history.csv"],
    );
}

#[test]
fn a_run_a_folder_below_is_told() {
    let dir = folder();
    for name in ["one", "two"] {
        std::fs::create_dir(dir.path().join(name)).unwrap();
        std::fs::write(
            dir.path().join(name).join("requests.jsonl"),
            log(BEGIN, 9, 200),
        )
        .unwrap();
    }
    let run = loadgate_in(dir.path(), &["check", "."], b"");
    refused(&run, &["nothing-recognised", "`./one`, `./two`"]);
    file(&dir, "requests.jsonl", log(BEGIN, 9, 200).as_bytes());
    let (n, notes) = requests(&loadgate_in(
        dir.path(),
        &["check", ".", "--json", "-"],
        b"",
    ));
    assert_eq!(n, 9);
    assert!(
        notes.contains("results seem to lie in `./one`, `./two`"),
        "{notes}"
    );
}

#[test]
fn two_runs_in_one_log_have_no_rate() {
    let text = log(BEGIN, 60, 200) + &log(BEGIN + DAY, 60, 200);
    let dir = run_of(&[("requests.jsonl", text.as_bytes())]);
    let rules = [
        "--require",
        "rpm < 10",
        "--require",
        "failure_ratio < 1%",
        "--json",
        "-",
    ];
    let run = check(&dir, &rules);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let json = json(&run);
    assert_eq!(json["gates"][1]["verdict"], "pass");
    assert!(
        json["gates"][0]["because"]
            .as_str()
            .unwrap()
            .contains("23 h 59 min")
    );
}
