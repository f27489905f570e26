//! Mutates real runs and looks for gates that turn green without a cause.
//!
//! `cargo run --release --example mutations -- FOLDER…` takes every run below the folders (Locust's tables and JSON,
//! request logs, and the reports and histories made of them), sets gates that fail on it as it is, mutates its files in
//! many ways, and checks each mutant in this program and within a time limit. It prints by operator how many were tried,
//! refused, still red, undecided and green. A green one is justified if a second, stricter reader finds that the files are
//! whole, agree with themselves, and say what the gate asks for (`oracle.rs`); all others are listed with what to type to
//! try them again, and the exit code is 1.
//!
//! | option | meaning |
//! |---|---|
//! | `--seeds N` | so many mutants of each run by each operator (2) |
//! | `--lines N` | logs are thinned to so many lines (2000) |
//! | `--only NAME` | only operators whose name has this in it |
//! | `--subject NAME` | only runs whose name has this in it |
//! | `--seed N` | only this seed |
//! | `--keep FOLDER` | leaves the files of the last mutant there |

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

#[path = "campaign.rs"]
mod campaign;

use campaign::judge::Scratch;
use campaign::{Campaign, Counts, Mutant, Outcome, Tried, operators, subject};

/// What was asked for.
#[derive(Clone, Debug)]
struct Options {
    folders: Vec<String>,
    seeds: std::ops::Range<u64>,
    lines: usize,
    only: Option<String>,
    subject: Option<String>,
    keep: Option<PathBuf>,
    /// Of a part of the mutants: which, of how many, and from which on.
    worker: Option<[usize; 3]>,
}

fn options() -> Result<Options> {
    let mut options = Options {
        folders: Vec::new(),
        seeds: 0..2,
        lines: 2000,
        only: None,
        subject: None,
        keep: None,
        worker: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--seeds" => options.seeds = 0..value()?.parse()?,
            "--seed" => {
                let seed = value()?.parse()?;
                options.seeds = seed..seed + 1;
            }
            "--lines" => options.lines = value()?.parse()?,
            "--only" => options.only = Some(value()?),
            "--subject" => options.subject = Some(value()?),
            "--keep" => options.keep = Some(value()?.into()),
            "--worker" => {
                let parts = value()?;
                let parts = parts
                    .split('/')
                    .map(str::parse)
                    .collect::<Result<Vec<usize>, _>>()?;
                options.worker = parts.try_into().ok();
            }
            _ if argument.starts_with('-') => bail!("{argument} is not an option"),
            _ => options.folders.push(argument),
        }
    }
    if options.folders.is_empty() {
        bail!("name folders with runs, as `testdata/locust`");
    }
    Ok(options)
}

fn main() -> Result<ExitCode> {
    let options = options()?;
    let temporary = tempfile::tempdir()?;
    let folder = options
        .keep
        .clone()
        .unwrap_or_else(|| temporary.path().to_owned());
    let name = options
        .worker
        .map_or_else(String::new, |[part, ..]| format!("worker-{part}"));
    let scratch = Scratch::below(&folder, &name)?;
    let mut subjects = subject::find(&options.folders, options.lines, &scratch)?;
    subjects.retain(|s| {
        options
            .subject
            .as_ref()
            .is_none_or(|part| s.name.contains(part))
    });
    let mut operators = operators::all();
    operators.retain(|o| {
        options
            .only
            .as_ref()
            .is_none_or(|part| o.name.contains(part))
    });
    let mutants = campaign::mutants(&subjects, &operators, options.seeds.clone());
    match options.worker {
        Some(part) => work(&mutants, part, &scratch),
        None => lead(&mutants, &subjects, &folder),
    }
}

/// Tries a part of the mutants and writes a line on each.
fn work(
    mutants: &[Mutant<'_>],
    [part, of, from]: [usize; 3],
    scratch: &Scratch,
) -> Result<ExitCode> {
    let mut stdout = std::io::stdout().lock();
    for (i, mutant) in mutants
        .iter()
        .enumerate()
        .skip(from)
        .filter(|(i, _)| i % of == part)
    {
        writeln!(stdout, "{}", serde_json::to_string(&Line::Begun(i))?)?;
        stdout.flush()?;
        let tried = mutant.try_it(scratch)?;
        writeln!(stdout, "{}", serde_json::to_string(&Line::Ended(i, tried))?)?;
        stdout.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a worker says.
#[derive(serde::Serialize, serde::Deserialize)]
enum Line {
    /// It begins with a mutant.
    Begun(usize),
    /// It has tried it; there may have been nothing to mutate.
    Ended(usize, Option<Tried>),
}

/// Mutants that a worker tried, by their places.
type Part = Vec<(usize, Option<Tried>)>;

/// Lets programs of their own do the work, so that not even an abort ends the campaign.
fn lead(mutants: &[Mutant<'_>], subjects: &[subject::Subject], folder: &Path) -> Result<ExitCode> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let found: Vec<Result<Part>> = std::thread::scope(|scope| {
        let each = |part| scope.spawn(move || follow(part, workers, folder));
        let threads: Vec<_> = (0..workers).map(each).collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(found) => found,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect()
    });
    let mut tried = Vec::new();
    for part in found {
        tried.extend(part?);
    }
    tried.sort_by_key(|(i, _)| *i);
    let mut campaign = Campaign::default();
    for (i, tried) in tried {
        if let (Some(tried), Some(mutant)) = (tried, mutants.get(i)) {
            campaign.count(mutant, &tried);
        }
    }
    show(&campaign, subjects)
}

/// Runs one worker to its end; where it dies, the mutant is told and the next worker goes on behind it.
fn follow(part: usize, of: usize, folder: &Path) -> Result<Part> {
    let mut found = Vec::new();
    let mut from = 0;
    loop {
        let mut child = Command::new(std::env::current_exe()?)
            .args(std::env::args().skip(1))
            .args(["--worker", &format!("{part}/{of}/{from}")])
            .arg("--keep")
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("a worker without an output")?;
        let mut begun = None;
        for line in std::io::BufReader::new(stdout).lines() {
            match serde_json::from_str(&line?)? {
                Line::Begun(i) => begun = Some(i),
                Line::Ended(i, tried) => {
                    begun = None;
                    found.push((i, tried));
                }
            }
        }
        let status = child.wait()?;
        match begun {
            Some(i) => {
                let outcome = Outcome::Broken(format!("it was aborted: {status}"));
                let said = "see the seed".to_owned();
                found.push((i, Some(Tried { said, outcome })));
                from = i + 1;
            }
            None if status.success() => return Ok(found),
            None => bail!("a worker failed before it began: {status}"),
        }
    }
}

fn show(campaign: &Campaign, subjects: &[subject::Subject]) -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for subject in subjects {
        writeln!(
            out,
            "{}: {} gates that fail",
            subject.name,
            subject.gates.len()
        )?;
    }
    let head = [
        "operator",
        "tried",
        "refused",
        "red",
        "undecided",
        "green",
        "justified",
        "silent",
        "broken",
    ];
    let row = |name: &str, cells: &[String]| {
        let cells = cells.iter().map(|cell| format!("{cell:>10}"));
        format!("{name:<34}{}", cells.collect::<Vec<_>>().concat())
    };
    let names: Vec<String> = head[1..].iter().map(|h| (*h).to_owned()).collect();
    writeln!(out, "\n{}", row(head[0], &names))?;
    let total = ("all".to_owned(), campaign.total());
    let rows = campaign.by_operator.clone().into_iter().chain([total]);
    for (
        name,
        Counts {
            tried,
            refused,
            red,
            undecided,
            green,
            silent,
            broken,
        },
    ) in rows
    {
        let figures = [
            tried,
            refused,
            red,
            undecided,
            green,
            green - silent,
            silent,
            broken,
        ];
        let cells = figures.map(|n| n.to_string());
        writeln!(out, "{}", row(&name, &cells))?;
    }
    writeln!(out, "\nwhy gates may pass:")?;
    for (because, n) in &campaign.justified {
        writeln!(out, "{n:>8}  {because}")?;
    }
    if campaign.faults.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        out,
        "\n{} mutants must not be as they are:\n",
        campaign.faults.len()
    )?;
    for fault in &campaign.faults {
        writeln!(out, "{fault}")?;
    }
    Ok(ExitCode::FAILURE)
}
