//! Where outputs go: never over an input, into devices and pipes, through links, whole or not at all.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{folder, loadgate_in, names, read, shell, ten_lines, write};

#[cfg(unix)]
#[test]
fn an_output_that_is_an_input_is_refused() {
    use std::os::unix::fs::symlink;
    let dir = folder();
    let path = dir.path();
    write(
        path,
        "loadgate.toml",
        "[[gate]]\nid = \"g\"\nrequire = \"max < 10s\"\n",
    );
    write(path, "results/requests.jsonl", &ten_lines());
    write(path, "other.jsonl", &ten_lines());
    assert_eq!(
        shell(
            path,
            "loadgate check run.jsonl --record history.jsonl --out kept"
        )
        .code,
        0
    );
    assert_eq!(
        shell(
            path,
            "loadgate generate --scenario claims-api --out p --write locust-csv"
        )
        .code,
        0
    );
    symlink("run.jsonl", path.join("link")).unwrap();
    symlink("link", path.join("link-of-link")).unwrap();
    std::fs::hard_link(path.join("run.jsonl"), path.join("hard")).unwrap();
    symlink("..", path.join("kept/up")).unwrap();
    symlink("new.html", path.join("dangling")).unwrap();
    let before: Vec<(String, String)> = names(path)
        .into_iter()
        .filter(|name| path.join(name).is_file())
        .map(|name| (name.clone(), read(path, &name)))
        .collect();
    let inner = |name: &str| read(path, name);
    let kept = [
        inner("results/requests.jsonl"),
        inner("kept/report.json"),
        inner("p/run_stats.csv"),
    ];
    for command in [
        "check run.jsonl --json run.jsonl",
        "check run.jsonl --html ./run.jsonl",
        "check run.jsonl --csv kept/up/run.jsonl",
        "check run.jsonl --junit link",
        "check run.jsonl --markdown link-of-link",
        "check run.jsonl --openmetrics hard",
        "check link --slack hard",
        "check hard --teams link",
        "check run.jsonl --html loadgate.toml",
        "check run.jsonl --config kept/../loadgate.toml --html loadgate.toml",
        "check results --json results/requests.jsonl",
        "check p/run --csv p/run_stats.csv",
        "check run.jsonl --baseline other.jsonl --json other.jsonl",
        "check run.jsonl --baseline kept --out kept",
        "check run.jsonl --baseline kept/report.json --json kept/report.json",
        "check run.jsonl --replicate other.jsonl --csv other.jsonl",
        "check run.jsonl --record history.jsonl --json history.jsonl",
        "check run.jsonl --baseline history.jsonl --json history.jsonl",
        "check run.jsonl --record run.jsonl",
        "check run.jsonl --record link",
        "check run.jsonl --record loadgate.toml",
        "check run.jsonl --html a.html --json a.html",
        "check run.jsonl --html a.html --json ./kept/up/a.html",
        "check run.jsonl --html dangling --json new.html",
        "check run.jsonl --out o --html o/report.html",
        "check run.jsonl --record new.jsonl --json new.jsonl",
        "check - --json run.jsonl < run.jsonl",
        "check run.jsonl >> run.jsonl",
        "check run.jsonl --json - >> hard",
        "check run.jsonl --html log.txt > log.txt",
        "compare run.jsonl other.jsonl --json run.jsonl",
        "compare run.jsonl other.jsonl --html other.jsonl",
        "trend history.jsonl --json history.jsonl",
        "trend kept --csv kept/report.json",
        "trend history.jsonl --html a --csv ./a",
    ] {
        let run = shell(path, &format!("loadgate {command}"));
        assert_eq!(run.code, 2, "{command}: {}{}", run.stdout, run.stderr);
        assert!(
            run.stderr.contains("output-is-input"),
            "{command}: {}",
            run.stderr
        );
        for (name, text) in &before {
            assert!(read(path, name) == *text, "{command} changed {name}");
        }
        let now = [
            inner("results/requests.jsonl"),
            inner("kept/report.json"),
            inner("p/run_stats.csv"),
        ];
        assert!(now == kept, "{command}");
        std::fs::remove_file(path.join("log.txt")).ok();
        std::fs::remove_file(path.join("a.html")).ok();
        std::fs::remove_file(path.join("new.html")).ok();
    }
}

/// What only lies beside an input is no input: reports may go into the folder of results, again and again.
#[test]
fn reports_may_lie_beside_results() {
    let dir = folder();
    write(dir.path(), "results/requests.jsonl", &ten_lines());
    for _ in 0..2 {
        let run = shell(
            dir.path(),
            "loadgate check results --out results --record results/history.jsonl",
        );
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let run = shell(
        dir.path(),
        "loadgate check results --baseline results/history.jsonl --record results/history.jsonl --label machine=x",
    );
    assert!(!run.stderr.contains("output-is-input"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_written_into() {
    use std::os::unix::fs::FileTypeExt as _;
    let dir = folder();
    let path = dir.path();
    let json = |text: &str| -> Value {
        serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
    };
    for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let run = shell(path, &format!("loadgate check run.jsonl --json {name}"));
        assert_eq!(run.code, 0, "{name}: {}", run.stderr);
        assert_eq!(json(&run.stdout)["total"]["requests"], 10, "{name}");
        let run = shell(
            path,
            &format!("loadgate check run.jsonl --json {name} > out.json; cat out.json"),
        );
        assert_eq!(json(&run.stdout)["total"]["requests"], 10, "{name}");
    }
    let run = shell(
        path,
        "loadgate check run.jsonl --json /dev/stderr --quiet 2>&1 >/dev/null",
    );
    assert_eq!(json(&run.stdout)["total"]["requests"], 10);
    let run = shell(
        path,
        "loadgate check run.jsonl --html /dev/null --json /dev/null --quiet",
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        std::fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
    let run = shell(
        path,
        "mkfifo pipe; cat pipe > copy & loadgate check run.jsonl --json pipe --quiet; code=$?; wait; test -p pipe && exit $code",
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(json(&read(path, "copy"))["total"]["requests"], 10);
    let run = shell(
        path,
        "loadgate check run.jsonl --json >(cat > copy2) --quiet; code=$?; for i in 1 2 3 4 5 6 7 8 9 10; do test -s copy2 && break; sleep 0.2; done; exit $code",
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(json(&read(path, "copy2"))["total"]["requests"], 10);
    let run = shell(
        path,
        "exec 3> third; loadgate check run.jsonl --json /dev/fd/3 --quiet",
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(json(&read(path, "third"))["total"]["requests"], 10);
    // A reader that has seen enough is no error, whatever the verdict.
    for (require, code) in [("max < 10s", 0), ("max < 1ms", 1)] {
        for more in ["", "--json -", "--html /dev/stdout", "--quiet"] {
            let command = format!(
                "set -o pipefail; loadgate check run.jsonl --require '{require}' {more} | true"
            );
            let run = shell(path, &command);
            assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{command}");
        }
    }
    for command in [
        "metrics",
        "schema",
        "man",
        "completions bash",
        "--help",
        "explain codes",
    ] {
        let run = shell(path, &format!("set -o pipefail; loadgate {command} | true"));
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{command}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_stay() {
    let dir = folder();
    let path = dir.path();
    let run = shell(
        path,
        "mkdir web; echo old > web/there.html; ln -s web/there.html a.html; ln -s web/new.html b.html; ln -s web out
         loadgate check run.jsonl --html a.html --json b.html --quiet && loadgate check run.jsonl --out out --quiet",
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    for link in ["a.html", "b.html", "out"] {
        assert!(
            path.join(link).symlink_metadata().unwrap().is_symlink(),
            "{link}"
        );
    }
    assert!(read(path, "web/there.html").starts_with("<!doctype html>"));
    assert!(read(path, "web/new.html").contains("loadgate.report/1"));
    let run = shell(
        path,
        "ln -s circle circle; loadgate check run.jsonl --html circle",
    );
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("error[output-not-writable]") && run.stderr.contains("circle"));
    // Nothing half written is left.
    assert!(
        names(path)
            .iter()
            .chain(&names(&path.join("web")))
            .all(|name| !name.starts_with('.'))
    );
}

/// A command, the code of its error, where it is and a part of its cause.
#[cfg(unix)]
const IO_ERRORS: &[(&str, &str, &str, &str)] = &[
    (
        "check run.jsonl --html /dev/full",
        "write-failed",
        "/dev/full",
        "No space left",
    ),
    (
        "check run.jsonl --out o --json /dev/full",
        "write-failed",
        "/dev/full",
        "No space left",
    ),
    (
        "check run.jsonl > /dev/full",
        "write-failed",
        "standard output",
        "No space left",
    ),
    (
        "check run.jsonl --quiet > /dev/full",
        "write-failed",
        "standard output",
        "No space left",
    ),
    (
        "check run.jsonl --json - > /dev/full",
        "write-failed",
        "standard output",
        "No space left",
    ),
    (
        "metrics > /dev/full",
        "write-failed",
        "standard output",
        "No space left",
    ),
    (
        "schema > /dev/full",
        "write-failed",
        "standard output",
        "No space left",
    ),
    (
        "check run.jsonl --html no/such/folder/report.html",
        "output-not-writable",
        "no/such/folder/report.html",
        "does not exist",
    ),
    (
        "check run.jsonl --html /proc/report.html",
        "output-not-writable",
        "/proc/report.html",
        "cannot write into the folder",
    ),
    (
        "check run.jsonl --out file/x",
        "output-not-writable",
        "file/x",
        "cannot create the folder",
    ),
    (
        "check run.jsonl --html file/x",
        "output-not-writable",
        "file/x",
        "",
    ),
    (
        "check run.jsonl --html .",
        "output-not-writable",
        ".",
        "a folder is in the way",
    ),
    (
        "check run.jsonl --record no/such/history.jsonl",
        "bad-history",
        "no/such/history.jsonl",
        "its folder does not exist",
    ),
    (
        "check run.jsonl --record notes.txt",
        "bad-history",
        "notes.txt",
        "history",
    ),
    (
        "check run.jsonl --record .",
        "bad-history",
        ".",
        "it is a folder",
    ),
    (
        "generate --scenario claims-api --out file/x",
        "output-not-writable",
        "file/x",
        "cannot create the folder",
    ),
    (
        "generate --scenario claims-api --out /proc/x",
        "output-not-writable",
        "/proc/x",
        "cannot create the folder",
    ),
    ("init --dir file/x", "write-failed", "file/x", ""),
    (
        "migrate k6 thresholds.json --out no/such/loadgate.toml",
        "write-failed",
        "no/such/loadgate.toml",
        "No such file",
    ),
    (
        "trend no-history.jsonl",
        "missing-input",
        "no-history.jsonl",
        "cannot read",
    ),
    (
        "explain p95 --config no.toml",
        "missing-input",
        "no.toml",
        "cannot read",
    ),
];

/// Every error of reading and writing has a code, the path, the cause and what to do.
#[cfg(unix)]
#[test]
fn every_io_error_is_told_in_full() {
    let dir = folder();
    let path = dir.path();
    write(path, "file", "x");
    write(path, "notes.txt", "notes\nof mine\n");
    for (command, code, place, cause) in IO_ERRORS.iter().copied() {
        write(
            path,
            "thresholds.json",
            "{\"options\":{\"thresholds\":{\"http_req_duration\":[\"p(95)<500\"]}}}",
        );
        let run = shell(path, &format!("loadgate {command}"));
        assert_eq!(run.code, 2, "{command}: {}{}", run.stdout, run.stderr);
        let told = &run.stderr;
        assert!(
            told.contains(&format!("error[{code}]")),
            "{command}: {told}"
        );
        let is_short = command.contains("--quiet");
        let (at, help) = if is_short {
            (format!("{place}: error["), "; help: ")
        } else {
            (format!("--> {place}"), "= help: ")
        };
        assert!(told.contains(&at), "{command}: {told}");
        assert!(
            told.contains(cause) && told.contains(help),
            "{command}: {told}"
        );
        assert_eq!(told.matches("error[").count(), 1, "{command}: {told}");
    }
    let run = shell(
        path,
        "GITHUB_STEP_SUMMARY=/dev/full GITHUB_OUTPUT=outputs loadgate check run.jsonl --ci github",
    );
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("error[write-failed]") && run.stderr.contains("/dev/full"));
}

/// Killed, `generate` leaves its drafts; the next run takes them away, and nothing was ever taken for a whole run.
#[cfg(unix)]
#[test]
fn what_a_killed_run_leaves_the_next_one_clears() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let mut child = Command::new(env!("CARGO_BIN_EXE_loadgate"))
        .args([
            "generate",
            "--scenario",
            "agent-studio",
            "--requests",
            "20000000",
            "--out",
            "out",
        ])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begin = std::time::Instant::now();
    while !out.is_dir() || names(&out).len() < 2 {
        assert!(begin.elapsed().as_secs() < 60, "it never began");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // While it lives, another run leaves its drafts alone.
    let other = "loadgate generate --scenario claims-api --out out --write locust-json";
    assert_eq!(shell(dir.path(), other).code, 0);
    let drafts = |names: &[String]| names.iter().filter(|n| n.starts_with(".loadgate-")).count();
    assert_eq!(drafts(&names(&out)), 2, "{:?}", names(&out));
    child.kill().unwrap();
    child.wait().unwrap();
    let left = names(&out);
    assert_eq!(drafts(&left), 2, "{left:?}");
    assert_eq!(left.len(), 3, "no file has a final name: {left:?}");
    let run = shell(
        dir.path(),
        "loadgate generate --scenario claims-api --out out --write log",
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(names(&out), ["requests.jsonl", "run.json"]);
    // The same of reports.
    write(&out, ".loadgate-report.html-a1b2c3", "half");
    assert_eq!(
        shell(dir.path(), "loadgate check out/requests.jsonl --out out").code,
        0
    );
    assert!(
        names(&out).iter().all(|name| !name.starts_with('.')),
        "{:?}",
        names(&out)
    );
}

/// Closed standard streams stop nothing.
#[cfg(unix)]
#[test]
fn closed_streams_are_no_crash() {
    let dir = folder();
    for redirect in [">&-", "2>&-", ">&- 2>&-"] {
        let run = shell(
            dir.path(),
            &format!("loadgate check run.jsonl --require 'max < 1ms' {redirect}"),
        );
        assert_eq!(run.code, 1, "{redirect}: {}", run.stderr);
    }
    let run = loadgate_in(dir.path(), &["check", "nowhere"], b"");
    assert_eq!(run.code, 2);
}
