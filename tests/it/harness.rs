//! Runs the program the way a user does.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `loadgate` in the repository's root.
pub fn loadgate(args: &[&str]) -> Run {
    loadgate_in(Path::new(env!("CARGO_MANIFEST_DIR")), args, b"")
}

/// Runs `loadgate` in a folder with bytes on standard input.
pub fn loadgate_in(dir: &Path, args: &[&str], stdin: &[u8]) -> Run {
    use std::io::Write as _;
    let mut child = Command::new(env!("CARGO_BIN_EXE_loadgate"))
        .args(args)
        .current_dir(dir)
        .env_remove("CI")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITLAB_CI")
        .env_remove("TF_BUILD")
        .env_remove("TEAMCITY_VERSION")
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that stops before it reads its input closes the pipe; that is its right.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().expect("ended by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The JSON report of a run.
pub fn report(args: &[&str]) -> (Value, i32) {
    let mut all = vec!["check"];
    all.extend(args);
    all.extend(["--json", "-"]);
    let run = loadgate(&all);
    let json = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|e| panic!("{args:?}: no JSON ({e}), exit {}\n{}", run.code, run.stderr));
    (json, run.code)
}

/// A file in a fresh folder.
pub fn file(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A path in the repository.
pub fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Ten good request lines, 100 to 1000 ms, one a second.
pub fn ten_lines() -> String {
    let line = |i| {
        format!(
            "{{\"timestamp\":\"2026-01-01T00:00:{i:02}Z\",\"method\":\"GET\",\"name\":\"/a\",\"response_time_ms\":{i}00,\"status\":200}}\n"
        )
    };
    (1..=10).map(line).collect()
}

/// A fresh folder with ten good request lines in `run.jsonl`.
pub fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "run.jsonl", &ten_lines());
    dir
}

/// Writes a file below a folder.
pub fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Reads a file below a folder.
pub fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Names of what is in a folder, in order.
pub fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs a shell's command with `loadgate` in its path.
pub fn shell(dir: &Path, command: &str) -> Run {
    let bin = Path::new(env!("CARGO_BIN_EXE_loadgate")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut bash = Command::new("bash");
    for name in [
        "CI",
        "GITHUB_ACTIONS",
        "GITLAB_CI",
        "TF_BUILD",
        "TEAMCITY_VERSION",
    ] {
        bash.env_remove(name);
    }
    let output = bash
        .args(["-c", command])
        .current_dir(dir)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
