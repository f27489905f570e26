//! What a folder holds beside a run.

use super::*;

/// A sound log beside another file.
fn beside(name: &str, bytes: &[u8]) -> Run {
    let dir = run_of(&[("good.jsonl", log(BEGIN, 9, 200).as_bytes()), (name, bytes)]);
    check(&dir, &["--json", "-"])
}

#[test]
fn what_looks_like_a_result_is_not_passed_over() {
    let request = log(BEGIN, 1, 500);
    let behind_garbage = format!("Starting...\n{request}");
    let header = "Type,Name,Request Count,Failure Count\n";
    let below = format!("[12:00] done, all fine\n{header}");
    let wide: Vec<u8> = format!("\u{feff}{request}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, bytes, word) in [
        (
            "requests.jsonl",
            behind_garbage.as_bytes(),
            "line 2 is a request",
        ),
        (
            "output.txt",
            behind_garbage.as_bytes(),
            "line 2 is a request",
        ),
        ("table.txt", below.as_bytes(), "line 2 is the header"),
        ("events.jsonl", &wide[..], "unknown format"),
        ("events.ndjson", b"{\"level\":\"info\"}\n", "bad-line"),
        ("run_stats.csv", b"", "empty"),
        (
            "run_failures.csv",
            b"<html>not found</html>\n",
            "unknown-format",
        ),
        ("requests-2.log", b"\0\0\0\0", "unknown-format"),
        ("requests.jsonl.gz", b"\x1f\x8b\x08\0cut", "corrupt-archive"),
        ("requests.jsonl.bz2", b"BZh91AY", "packed by bzip2"),
        ("kpi.jtl", b"x", "unknown-format"),
        (
            "all.csv",
            b"timestamp,name,elapsed_ms,status\n1,/a,2,200\n",
            "table of requests",
        ),
        (
            "k6.json",
            b"{\"metrics\":{\"http_reqs\":{}},\"root_group\":{}}",
            "k6's summary",
        ),
    ] {
        let run = beside(name, bytes);
        refused(
            &run,
            &[&format!("run/{name}"), word, "not passed over"]
                [..if name == "events.ndjson" { 2 } else { 3 }],
        );
    }
}

#[test]
fn a_broken_json_beside_its_tables_is_a_result() {
    let dir = folder();
    tables(&dir, "run", BEGIN, 20);
    file(&dir, "run.json", b"Traceback (most recent call last):\n");
    refused(
        &loadgate_in(dir.path(), &["check", "."], b""),
        &["./run.json", "unknown-format"],
    );
    file(&dir, "run.json", b"");
    refused(
        &loadgate_in(dir.path(), &["check", "."], b""),
        &["./run.json", "empty-input"],
    );
}

#[test]
fn other_files_are_listed() {
    for (name, bytes) in [
        (
            "notes.md",
            format!("A line is\n{}", log(BEGIN, 1, 200)).as_bytes(),
        ),
        ("console.txt", &b"Starting\n"[..]),
        ("meta.json", b"{\n \"locust\": \"2.47.0\"\n}\n"),
        ("users.csv", b"user,password\na,b\n"),
        ("empty.txt", b""),
        ("locust.log", b""),
    ] {
        let run = beside(name, bytes);
        assert_eq!(requests(&run), (9, "[]".to_owned()), "{name}");
        let sources = json(&run)["run"]["sources"].clone();
        let listed = serde_json::json!({"path": format!("run/{name}"), "format": "not-read", "records": 0, "rejected": 0});
        assert_eq!(sources[1], listed, "{sources}");
    }
}

#[test]
fn our_own_files_are_neither_read_nor_listed() {
    let dir = folder();
    file(&dir, "requests.jsonl", log(BEGIN, 30, 200).as_bytes());
    let again = [
        "check",
        ".",
        "--out",
        ".",
        "--record",
        "history.jsonl",
        "--json",
        "-",
    ];
    let first = loadgate_in(dir.path(), &again, b"");
    let second = loadgate_in(dir.path(), &again, b"");
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(json(&first)["run"], json(&second)["run"]);
    for (name, word) in [
        ("history.jsonl", "--baseline"),
        ("report.json", "--baseline"),
        ("metrics.csv", "metrics.csv"),
    ] {
        let named = loadgate_in(dir.path(), &["check", name, "--format", "request-log"], b"");
        refused(&named, &["not-a-run", word]);
    }
}

#[test]
fn the_page_tells_what_was_not_read() {
    let dir = run_of(&[
        ("good.jsonl", log(BEGIN, 9, 200).as_bytes()),
        ("console.txt", b"Starting\n"),
    ]);
    check(&dir, &["--html", "page.html"]);
    let page = std::fs::read_to_string(dir.path().join("page.html")).unwrap();
    let folded = page.find("1 file was not read").unwrap();
    assert!(page[folded..].contains("console.txt"));
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_or_in_a_circle() {
    use std::os::unix::fs::symlink;
    let dir = folder();
    file(&dir, "good.jsonl", log(BEGIN, 9, 200).as_bytes());
    symlink(".", dir.path().join("loop")).unwrap();
    symlink("gone", dir.path().join("latest")).unwrap();
    let run = loadgate_in(dir.path(), &["check", ".", "--json", "-"], b"");
    assert_eq!(requests(&run), (9, "[]".to_owned()));
    symlink("b.jsonl", dir.path().join("a.jsonl")).unwrap();
    symlink("a.jsonl", dir.path().join("b.jsonl")).unwrap();
    let run = loadgate_in(dir.path(), &["check", "."], b"");
    refused(&run, &["./a.jsonl", "./b.jsonl"]);
    refused(
        &loadgate_in(dir.path(), &["check", "a.jsonl"], b""),
        &["a.jsonl", "cannot read it"],
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_not_waited_for() {
    let dir = folder();
    file(&dir, "good.jsonl", log(BEGIN, 9, 200).as_bytes());
    pipe(&dir, "requests.jsonl");
    refused(
        &loadgate_in(dir.path(), &["check", "."], b""),
        &["special-file", "requests.jsonl"],
    );
}
