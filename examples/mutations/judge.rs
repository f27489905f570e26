//! Runs `loadgate check` on files, in this process and within a time limit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;
use loadgate::cli::Cli;
use loadgate::commands::{self, Failure};
use serde_json::Value;

use super::subject::{File, Kind, Subject};

/// Longest time that a check of a few thousand requests may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A folder in which runs are written to be checked.
pub struct Scratch(PathBuf);

impl Scratch {
    /// In a folder of its own below one that is there.
    pub fn below(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }

    /// Writes files into an emptied folder.
    fn write(&self, folder: &str, files: &[File]) -> Result<()> {
        let path = self.0.join(folder);
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path)?;
        for file in files {
            let path = path.join(&file.name);
            std::fs::write(&path, &file.bytes)
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        Ok(())
    }
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// With a report, and that exit code.
    Judged(Box<Value>, u8),
    /// Without a verdict, for these reasons.
    Refused(String),
    /// It panicked.
    Panicked(String),
    /// It did not end in time.
    Hung,
}

/// Checks a subject with other files in place of its own.
pub fn check(
    subject: &Subject,
    files: &[File],
    in_folder: bool,
    scratch: &Scratch,
) -> Result<Ended> {
    scratch.write("run", files)?;
    scratch.write("current", &subject.current)?;
    let gates = scratch.path("gates.toml");
    let mut arguments = vec!["check".to_owned()];
    match subject.kind {
        Kind::Report | Kind::History => {
            let kept = subject.files.first().map_or("", |f| f.name.as_str());
            let labels = ["--label", "machine=m", "--label", "scenario=s"];
            arguments.push(scratch.path("current"));
            arguments.extend(labels.map(str::to_owned));
            arguments.extend([
                "--baseline".to_owned(),
                scratch.path(&format!("run/{kept}")),
            ]);
        }
        _ if in_folder || files.is_empty() => arguments.push(scratch.path("run")),
        _ => arguments.extend(
            files
                .iter()
                .map(|f| scratch.path(&format!("run/{}", f.name))),
        ),
    }
    if !subject.gates.is_empty() {
        std::fs::write(&gates, subject.gate_file())?;
        arguments.extend(["--config".to_owned(), gates]);
    }
    run(&arguments)
}

/// The report on a subject as it is; `None` if it cannot be read.
pub fn report(subject: &Subject, scratch: &Scratch) -> Result<Option<Value>> {
    match check(subject, &subject.files, true, scratch)? {
        Ended::Judged(report, _) => Ok(Some(*report)),
        Ended::Refused(_) => Ok(None),
        Ended::Panicked(why) => bail!("{}: panicked: {why}", subject.name),
        Ended::Hung => bail!("{}: did not end in time", subject.name),
    }
}

/// The verdict of each gate: the worst, where there are several.
pub fn verdicts(report: &Value) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let rank = |verdict: &str| {
        ["pass", "undecided", "fail"]
            .iter()
            .position(|v| *v == verdict)
    };
    for gate in report["gates"].as_array().into_iter().flatten() {
        let (Some(id), Some(verdict)) = (gate["id"].as_str(), gate["verdict"].as_str()) else {
            continue;
        };
        let worst = found
            .entry(id.to_owned())
            .or_insert_with(|| verdict.to_owned());
        if rank(verdict) > rank(worst) {
            verdict.clone_into(worst);
        }
    }
    found
}

/// A log's report, and a history of three runs like it.
pub fn keep(log: &File, scratch: &Scratch) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    scratch.write("kept", &[])?;
    let (report, history) = (
        scratch.path("kept/report.json"),
        scratch.path("kept/history.jsonl"),
    );
    for day in 0..3 {
        scratch.write("run", &[later(log, day)?])?;
        let arguments = [
            "check",
            &scratch.path("run"),
            "--config",
            &scratch.path("gates.toml"),
            "--label",
            "machine=m",
            "--label",
            "scenario=s",
            "--record",
            &history,
        ];
        std::fs::write(
            scratch.path("gates.toml"),
            "[[gate]]\nid = \"G\"\nrequire = \"requests > 0\"\n",
        )?;
        let Ended::Judged(kept, _) = run(&arguments.map(str::to_owned))? else {
            return Ok(None);
        };
        std::fs::write(&report, serde_json::to_vec_pretty(&kept)?)?;
    }
    Ok(Some((std::fs::read(report)?, std::fs::read(history)?)))
}

/// The same log some days later.
fn later(log: &File, days: u64) -> Result<File> {
    let mut bytes = Vec::new();
    for line in log
        .bytes
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
    {
        let mut request: Value = serde_json::from_slice(line)?;
        if let Some(start) = request["start_time"].as_f64() {
            request["start_time"] = (start + days as f64 * 86_400.0).into();
            if let Some(request) = request.as_object_mut() {
                request.remove("timestamp");
            }
        }
        serde_json::to_writer(&mut bytes, &request)?;
        bytes.push(b'\n');
    }
    Ok(File {
        name: log.name.clone(),
        bytes,
    })
}

/// Runs the program's own command line on a thread that may take so long.
fn run(arguments: &[String]) -> Result<Ended> {
    let fixed = ["--json", "-", "--ci", "off", "--color", "never"];
    let all = std::iter::once("loadgate".to_owned())
        .chain(arguments.iter().cloned())
        .chain(fixed.map(str::to_owned));
    let cli = Cli::try_parse_from(all)?;
    let (sender, receiver) = mpsc::channel();
    let worker = std::thread::Builder::new()
        .name("check".to_owned())
        .spawn(move || {
            let mut out = Vec::new();
            let ended = commands::run(&cli, &mut out);
            // Nobody listens any more if it took too long.
            let _ = sender.send((ended, out));
        })?;
    match receiver.recv_timeout(LIMIT) {
        Ok((Ok(code), out)) => {
            let report = serde_json::from_slice(&out)
                .with_context(|| format!("exit {code} without a report: {arguments:?}"))?;
            Ok(Ended::Judged(Box::new(report), code))
        }
        Ok((Err(failure), _)) => Ok(Ended::Refused(reasons(&failure))),
        Err(mpsc::RecvTimeoutError::Timeout) => Ok(Ended::Hung),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let why = worker.join().err().map_or_else(String::new, |panic| {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()));
                text.unwrap_or_default()
            });
            Ok(Ended::Panicked(why))
        }
    }
}

fn reasons(failure: &Failure) -> String {
    match failure {
        Failure::Diagnostics(found) => {
            let short = found.iter().map(loadgate::diagnostic::Diagnostic::short);
            short.collect::<Vec<_>>().join("\n")
        }
        Failure::Other(error) => format!("{error:#}"),
    }
}
