//! What is read, what is not, and how much at most: one run, whole, once, within limits.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Run, file, loadgate, loadgate_in};

mod copies;
mod folders;
#[cfg(target_os = "linux")]
mod memory;
mod one_run;
#[cfg(unix)]
mod streams;

/// Request lines of one second each from an epoch second on.
fn log(from_s: i64, lines: i64, status: u16) -> String {
    let line = |i: i64| {
        let ms = 20 + i * 7 % 13;
        format!(
            "{{\"timestamp\":{},\"method\":\"GET\",\"name\":\"/a\",\"response_time_ms\":{ms},\"status\":{status}}}\n",
            from_s + i
        )
    };
    (0..lines).map(line).collect()
}

const BEGIN: i64 = 1_790_000_000;
const DAY: i64 = 86_400;

/// Locust's tables of a run of so many seconds, 10 requests each.
fn tables(dir: &TempDir, prefix: &str, from_s: i64, seconds: i64) {
    let n = seconds * 10;
    let figures = "40,50,10,400,100,10.0,0.0";
    file(
        dir,
        &format!("{prefix}_stats.csv"),
        format!(
            "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,Max Response \
             Time,Average Content Size,Requests/s,Failures/s,50%,95%,100%\nGET,/a,{n},0,{figures},40,120,400\n\
             ,Aggregated,{n},0,{figures},40,120,400\n"
        )
        .as_bytes(),
    );
    let mut history = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,95%,100%,Total Request Count,Total Failure \
                       Count,Total Median Response Time,Total Average Response Time,Total Min Response Time,Total Max \
                       Response Time,Total Average Content Size\n"
        .to_owned();
    history += &each(seconds as usize, |s| {
        format!(
            "{},5,,Aggregated,10.0,0.0,40,120,400,{},0,40,50,10,400,100\n",
            from_s + s as i64,
            (s + 1) * 10
        )
    });
    file(
        dir,
        &format!("{prefix}_stats_history.csv"),
        history.as_bytes(),
    );
}

/// So many texts in a row.
fn each(n: usize, text: impl Fn(usize) -> String) -> String {
    (0..n).map(text).collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Checks a folder.
fn check(dir: &TempDir, more: &[&str]) -> Run {
    let mut args = vec!["check", "run", "--quiet"];
    args.extend(more);
    loadgate_in(dir.path(), &args, b"")
}

/// A folder `run` in a new one, with these files.
fn run_of(files: &[(&str, &[u8])]) -> TempDir {
    let dir = folder();
    std::fs::create_dir(dir.path().join("run")).unwrap();
    for (name, bytes) in files {
        std::fs::write(dir.path().join("run").join(name), bytes).unwrap();
    }
    dir
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}\n{}", run.code, run.stderr))
}

/// Requests that were read, and the notes, as text.
fn requests(run: &Run) -> (u64, String) {
    let json = json(run);
    (
        json["total"]["requests"].as_u64().unwrap(),
        json["notes"].to_string(),
    )
}

fn refused(run: &Run, words: &[&str]) {
    assert_eq!(run.code, 2, "{}\n{}", run.stdout, run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "no `{word}` in\n{}", run.stderr);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

#[cfg(unix)]
fn pipe(dir: &TempDir, name: &str) -> std::path::PathBuf {
    let path = dir.path().join(name);
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    path
}

#[test]
fn a_log_of_bad_lines_alone_is_none() {
    let dir = folder();
    tables(&dir, "run", BEGIN, 20);
    file(&dir, "requests.jsonl", b"{\"x\":1}\n{\"x\":2}\n");
    let run = loadgate_in(dir.path(), &["check", ".", "--allow-bad-lines", "100"], b"");
    refused(&run, &["requests.jsonl", "none of its 2 lines"]);
}

#[test]
fn other_tools_results_are_named() {
    let dir = folder();
    for (name, text, what) in [
        (
            "w.txt",
            "Running 10s test @ http://localhost/\n  2 threads\n",
            "wrk",
        ),
        ("h.txt", "\nSummary:\n  Total:\t10.0 secs\n", "hey"),
        (
            "j.jtl",
            "timeStamp,elapsed,label,responseCode\n1,2,a,200\n",
            "JMeter",
        ),
        ("s.log", "RUN\tcomputerdatabase\tx\t1\t \t3.9\n", "Gatling"),
        (
            "v.json",
            "{\"latencies\":{\"mean\":1},\"status_codes\":{\"200\":1}}",
            "vegeta",
        ),
        (
            "a.json",
            "{\"aggregate\":{\"counters\":{}},\"intermediate\":[]}",
            "Artillery",
        ),
        (
            "p.json",
            "{\"name\":\"x\",\"duration\":10,\"times\":{\"p50\":1,\"p95\":2}}",
            "percentiles",
        ),
    ] {
        let path = file(&dir, name, text.as_bytes());
        refused(
            &loadgate(&["check", &path]),
            &["not-a-run", what, "loadgate reads"],
        );
    }
}
