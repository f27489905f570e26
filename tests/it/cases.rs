//! Golden reports: `testdata/cases/NAME/` holds `args`, perhaps a `loadgate.toml`, and `expected/` with every report.
//! Where there is `generate`, its lines are the arguments of `loadgate generate`, which makes the run in `run/` first;
//! after an empty line follow those of the next run, `run-2/`.
//! `LOADGATE_UPDATE=1 cargo test cases` writes them anew; the difference is for the reviewer. Pages are kept without their
//! style and script, which are those of `templates/`.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::goldens::Goldens;
use crate::harness::{Run, loadgate_in, root};

const REPORTS: [&str; 6] = [
    "report.html",
    "report.json",
    "metrics.csv",
    "junit.xml",
    "report.md",
    "metrics.txt",
];

#[test]
fn every_case_gives_its_expected_reports() {
    let mut goldens = Goldens::new();
    let mut cases: Vec<_> = std::fs::read_dir(root("testdata/cases"))
        .unwrap()
        .map(|c| c.unwrap().path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let (out, run) = made(&case);
        let read = |name: &str| std::fs::read_to_string(out.path().join(name)).unwrap();
        let mut found: Vec<(&str, String)> =
            REPORTS.iter().map(|name| (*name, read(name))).collect();
        found.push(("stdout.txt", run.stdout));
        found.push(("exit", format!("{}\n", run.code)));
        for (name, text) in found {
            goldens.check(&case.join("expected").join(name), &text);
        }
    }
    goldens.finish();
}

/// The reports of a case, in a folder, and how the check ended.
pub fn made(case: &Path) -> (TempDir, Run) {
    let out = tempfile::tempdir().unwrap();
    let args = std::fs::read_to_string(case.join("args")).unwrap();
    let mut words: Vec<&str> = args.lines().filter(|l| !l.is_empty()).collect();
    words.extend(["--out", out.path().to_str().unwrap()]);
    let inputs = tempfile::tempdir().unwrap();
    let folder = match std::fs::read_to_string(case.join("generate")) {
        Ok(arguments) => generated(inputs.path(), &arguments),
        Err(_) => root(""),
    };
    let run = loadgate_in(&folder, &words, b"");
    (out, run)
}

/// Makes the runs of a case, beside a copy of the gate files so that their paths are the same as in the repository.
fn generated(folder: &Path, arguments: &str) -> PathBuf {
    for (i, arguments) in arguments.split("\n\n").enumerate() {
        let out = match i {
            0 => "run".to_owned(),
            i => format!("run-{}", i + 1),
        };
        let mut words: Vec<&str> = arguments.lines().filter(|l| !l.is_empty()).collect();
        words.splice(
            0..0,
            (words.first() != Some(&"generate")).then_some("generate"),
        );
        words.extend(["--out", &out]);
        let run = loadgate_in(folder, &words, b"");
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let gates = folder.join("testdata/gates");
    std::fs::create_dir_all(&gates).unwrap();
    for file in std::fs::read_dir(root("testdata/gates")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), gates.join(file.file_name())).unwrap();
    }
    folder.to_owned()
}
