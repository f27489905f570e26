//! What can be read only once, and what has no end.

use super::*;

/// More than is looked at to recognise it.
const LINES: i64 = 800;

/// Checks what somebody writes into a pipe.
fn through_a_pipe(bytes: Vec<u8>, more: &[&str]) -> Run {
    let dir = folder();
    let path = pipe(&dir, "pipe");
    let writer = std::thread::spawn(move || {
        // Whoever refuses a stream does not read it to its end.
        let _ = std::fs::write(path, bytes);
    });
    let mut args = vec!["check", "pipe", "--json", "-"];
    args.extend(more);
    let run = loadgate_in(dir.path(), &args, b"");
    writer.join().unwrap();
    run
}

#[test]
fn a_pipe_is_read_whole_and_once() {
    let text = log(BEGIN, LINES, 200).into_bytes();
    for bytes in [text.clone(), gzip(&text), zstd(&text)] {
        let (n, _) = requests(&through_a_pipe(bytes.clone(), &[]));
        assert_eq!(n, LINES as u64);
        let (n, _) = requests(&through_a_pipe(bytes, &["--warmup", "100s"]));
        assert_eq!(n, LINES as u64 - 100);
    }
}

#[test]
fn a_pipe_that_gives_byte_by_byte_is_recognised() {
    let text = gzip(log(BEGIN, 20, 200).as_bytes());
    let dir = folder();
    let path = pipe(&dir, "pipe");
    let writer = std::thread::spawn(move || {
        let mut pipe = std::fs::File::options().write(true).open(path).unwrap();
        for byte in text {
            pipe.write_all(&[byte]).unwrap();
        }
    });
    let run = loadgate_in(dir.path(), &["check", "pipe", "--json", "-"], b"");
    writer.join().unwrap();
    assert_eq!(requests(&run).0, 20);
}

#[test]
fn standard_input_has_many_names_but_comes_once() {
    let text = log(BEGIN, LINES, 200);
    for name in ["-", "/dev/stdin", "/dev/fd/0"] {
        let args = ["check", name, "--json", "-", "--require", "requests == 800"];
        let run = loadgate_in(Path::new("."), &args, text.as_bytes());
        assert_eq!(run.code, 0, "{name}: {}", run.stderr);
        assert_eq!(json(&run)["run"]["label"], "standard input");
    }
    let run = loadgate_in(
        Path::new("."),
        &["check", "-", "/dev/stdin"],
        text.as_bytes(),
    );
    refused(&run, &["input-used-twice"]);
    let run = loadgate_in(
        Path::new("."),
        &["check", "-", "--baseline", "-"],
        text.as_bytes(),
    );
    refused(&run, &["input-used-twice"]);
}

#[test]
fn what_is_compared_with_may_be_a_stream() {
    let dir = folder();
    let text = log(BEGIN, LINES, 200);
    file(&dir, "now.jsonl", log(BEGIN + DAY, LINES, 200).as_bytes());
    let made = [
        "check",
        "now.jsonl",
        "--json",
        "report.json",
        "--record",
        "history.jsonl",
    ];
    assert_eq!(loadgate_in(dir.path(), &made, b"").code, 0);
    let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    for stdin in [text.into_bytes(), read("report.json")] {
        let args = ["check", "now.jsonl", "--baseline", "-", "--json", "-"];
        let run = loadgate_in(dir.path(), &args, &stdin);
        assert_eq!(
            json(&run)["comparison"]["baseline"][0]["requests"],
            LINES,
            "{}",
            run.stderr
        );
    }
    // The history holds no other run than this one: it was recognised as one.
    let args = ["check", "now.jsonl", "--baseline", "-"];
    let run = loadgate_in(dir.path(), &args, &read("history.jsonl"));
    assert!(run.stdout.contains("0 of 3 runs"), "{}", run.stdout);
    let trend = loadgate_in(dir.path(), &["trend", "-"], &gzip(&read("history.jsonl")));
    assert!(
        trend.stdout.contains("1 run"),
        "{}{}",
        trend.stdout,
        trend.stderr
    );
}

#[test]
fn what_has_no_end_is_refused() {
    let dir = folder();
    file(&dir, "now.jsonl", log(BEGIN, 9, 200).as_bytes());
    for args in [
        &["check", "/dev/zero"][..],
        &["check", "/dev/urandom", "--format", "request-log"],
        &["check", "now.jsonl", "--baseline", "/dev/zero"],
        &["trend", "/dev/zero"],
        &["migrate", "k6", "/dev/zero"],
    ] {
        refused(&loadgate_in(dir.path(), args, b""), &["special-file"]);
    }
    let record = loadgate_in(
        dir.path(),
        &["check", "now.jsonl", "--record", "/dev/zero"],
        b"",
    );
    refused(&record, &["device"]);
    pipe(&dir, "pipe");
    let record = loadgate_in(dir.path(), &["check", "now.jsonl", "--record", "pipe"], b"");
    refused(&record, &["pipe"]);
}

#[test]
fn a_stream_without_a_line_end_is_given_up() {
    // 300 MB, and the pipe would give more.
    let endless = zstd(&vec![b'{'; 300_000_000]);
    let run = through_a_pipe(endless, &["--format", "request-log"]);
    refused(&run, &["beyond-limit", "256 MiB"]);
}
