//! Limits, with so much memory at most.

use super::*;

const LIMIT_KB: u64 = 1_200_000;

fn check_within(dir: &TempDir, args: &[&str]) -> Run {
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {LIMIT_KB}; exec \"$0\" check \"$@\""))
        .arg(env!("CARGO_BIN_EXE_loadgate"))
        .args(args)
        .current_dir(dir.path())
        .env_remove("CI")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    Run {
        code: output.status.code().expect("no abort"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn an_open_quote_is_told_at_once() {
    let dir = folder();
    let header = "Type,Name,Request Count,Failure Count,50%\n";
    let mut text = format!("{header}GET,\"/a,1,0,5\n");
    text.push_str(&"GET,/b,1,0,5\n".repeat(20_000_000));
    file(&dir, "run_stats.csv.zst", &zstd(text.as_bytes()));
    let run = check_within(&dir, &["run_stats.csv.zst"]);
    refused(&run, &["beyond-limit", "run_stats.csv.zst:2", "quote"]);
}

#[test]
fn small_archives_of_large_files_are_refused() {
    let dir = folder();
    let spaces = " ".repeat(270_000_000);
    for (name, begin) in [
        ("array.json", "[{\"name\":"),
        ("locust.json", "[{\"num_requests\":1,\"response_times\":{}"),
    ] {
        file(&dir, name, &zstd(format!("{begin}{spaces}").as_bytes()));
        refused(&check_within(&dir, &[name]), &["beyond-limit", "256 MiB"]);
    }
    file(&dir, "now.jsonl", log(BEGIN, 9, 200).as_bytes());
    for schema in ["loadgate.report/1", "loadgate.history/1"] {
        let begin = format!("{{\"schema\":\"{schema}\",\"x\":{spaces}");
        file(&dir, "kept", &zstd(begin.as_bytes()));
        refused(
            &check_within(&dir, &["now.jsonl", "--baseline", "kept"]),
            &["beyond-limit"],
        );
    }
}

#[test]
fn endpoints_beyond_the_limit_are_refused() {
    let dir = folder();
    let line =
        |name: String| format!("{{\"name\":\"{name}\",\"response_time_ms\":1,\"status\":200}}\n");
    let many = |n: usize| (0..n).map(|i| line(format!("/{i}"))).collect::<String>();
    file(&dir, "many.jsonl", many(20_000).as_bytes());
    refused(
        &check_within(&dir, &["many.jsonl"]),
        &["beyond-limit", "10000 endpoints"],
    );
    // Also when no log alone goes beyond it, when they are in an array, or in Locust's tables.
    file(&dir, "a.jsonl", many(6000).as_bytes());
    file(
        &dir,
        "b.jsonl",
        &many(12_000).as_bytes()[many(5000).len()..],
    );
    refused(
        &check_within(&dir, &["a.jsonl", "b.jsonl"]),
        &["beyond-limit"],
    );
    let array = format!("[{}]", many(12_000).trim_end().replace('\n', ","));
    file(&dir, "array.json", array.as_bytes());
    refused(&check_within(&dir, &["array.json"]), &["beyond-limit"]);
    let row = |i: usize| format!("GET,/{i},1,0,5\n");
    let rows: String = (0..12_000).map(row).collect();
    let table = format!("Type,Name,Request Count,Failure Count,50%\n{rows}");
    file(&dir, "run_stats.csv", table.as_bytes());
    refused(&check_within(&dir, &["run_stats.csv"]), &["beyond-limit"]);
    // Names may not be long without end either.
    let long = |i: usize| line(format!("/{i}{}", "x".repeat(500_000)));
    file(
        &dir,
        "long.jsonl",
        (0..140).map(long).collect::<String>().as_bytes(),
    );
    refused(
        &check_within(&dir, &["long.jsonl"]),
        &["beyond-limit", "names of the endpoints"],
    );
}

#[test]
fn endpoints_that_are_left_out_do_not_count() {
    let dir = folder();
    let line = |s: i64, name: String| {
        format!(
            "{{\"timestamp\":{},\"name\":\"{name}\",\"response_time_ms\":1,\"status\":200}}\n",
            BEGIN + s
        )
    };
    let early: String = (0..30_000).map(|i| line(0, format!("/{i}"))).collect();
    let late: String = (0..9).map(|i| line(60, format!("/late{i}"))).collect();
    file(&dir, "log.jsonl", format!("{early}{late}").as_bytes());
    let run = check_within(&dir, &["log.jsonl", "--warmup", "30s", "--json", "-"]);
    assert_eq!(requests(&run).0, 9);
}

#[test]
fn fields_beyond_the_limit_are_refused() {
    let dir = folder();
    let line =
        |rest: String| format!("{{\"name\":\"/a\",\"response_time_ms\":1,\"status\":200{rest}}}\n");
    let fields = |n: usize| each(n, |i| format!(",\"f{i}\":{i}"));
    let many: String = (0..30_000).map(|i| line(format!(",\"f{i}\":1"))).collect();
    file(&dir, "many.jsonl", many.as_bytes());
    refused(
        &check_within(&dir, &["many.jsonl"]),
        &["beyond-limit", "1000 measured fields"],
    );
    file(
        &dir,
        "line.jsonl",
        line(fields(50_000)).repeat(2).as_bytes(),
    );
    refused(
        &check_within(&dir, &["line.jsonl"]),
        &["bad-line", "line.jsonl:1", "1000 measured fields"],
    );
    // Texts without number, and a long path before many keys.
    let texts = each(50_000, |i| format!(",\"t{i}\":\"\""));
    let below = (0..50_000)
        .map(|i| format!("\"t{i}\":1"))
        .collect::<Vec<_>>()
        .join(",");
    let path = format!(",\"{}\":{{{below}}}", "p".repeat(400_000));
    file(
        &dir,
        "texts.jsonl",
        (line(texts) + &line(path)).repeat(2).as_bytes(),
    );
    let run = check_within(&dir, &["texts.jsonl", "--json", "-"]);
    assert_eq!(requests(&run).0, 4);
    file(&dir, "fine.jsonl", line(fields(1000)).repeat(20).as_bytes());
    let run = check_within(
        &dir,
        &["fine.jsonl", "--require", "max(f999) == 999", "--quiet"],
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn messages_beyond_the_limit_are_pooled() {
    let dir = folder();
    let letters = |mut n: usize| {
        let mut text = String::new();
        while n > 0 {
            text.push(char::from(b'a' + (n % 26) as u8));
            n /= 26;
        }
        text
    };
    let line = |i: usize| {
        format!(
            "{{\"name\":\"/a\",\"response_time_ms\":1,\"status\":500,\"error\":\"no {}\"}}\n",
            letters(i)
        )
    };
    file(
        &dir,
        "log.jsonl",
        (0..30_000).map(line).collect::<String>().as_bytes(),
    );
    let rules = [
        "log.jsonl",
        "--require",
        "failure_ratio < 1%",
        "--require",
        "count(error~\"yes\") < 1",
        "--json",
        "-",
    ];
    let run = check_within(&dir, &rules);
    let json = json(&run);
    assert_eq!(json["gates"][0]["verdict"], "fail");
    assert_eq!(json["gates"][1]["verdict"], "undecided");
    assert_eq!(json["errors"].as_array().unwrap().len(), 1);
    assert_eq!(json["errors"][0]["count"], 30_000);
}

#[test]
fn deep_nesting_is_a_bad_line() {
    let dir = folder();
    let deep = format!("{}1{}\n", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    file(&dir, "log.jsonl", (log(BEGIN, 9, 200) + &deep).as_bytes());
    refused(
        &check_within(&dir, &["log.jsonl"]),
        &["log.jsonl:10", "recursion"],
    );
    file(
        &dir,
        "deep.json",
        format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).as_bytes(),
    );
    assert_eq!(check_within(&dir, &["deep.json"]).code, 2);
}
