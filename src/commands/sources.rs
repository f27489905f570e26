//! Whether an output is a file that is read, too: found out before anything is read, whatever names they go by.

use std::path::{Path, PathBuf};

use crate::cli::{Check, Trend};
use crate::diagnostic::Diagnostic;
use crate::history::store;
use crate::input::{self, Options};
use crate::place::FileId;
use crate::report::{is_stdout, same_file};

use crate::config::file::DEFAULT as DEFAULT_CONFIG;

/// Every path that `check` was given, as it was written.
pub fn named(args: &Check) -> Vec<&str> {
    let several = args
        .runs
        .iter()
        .chain(&args.baseline)
        .chain(&args.replicate);
    let paths = [&args.config, &args.record, &args.out]
        .into_iter()
        .flatten();
    several
        .map(String::as_str)
        .chain(paths.filter_map(|path| path.to_str()))
        .collect()
}

/// Outputs of `check` that are an input, the gate file or the history. `map` is what the gate file and the flags say of keys.
pub fn overwritten(args: &Check, map: &[(String, String)], outputs: &[PathBuf]) -> Vec<Diagnostic> {
    let options = options(args, map);
    let reports = outputs.iter().map(PathBuf::as_path);
    let mut problems: Vec<Diagnostic> = reports
        .chain([Path::new("-")])
        .filter_map(|output| report_over(args, &options, output))
        .collect();
    problems.extend(args.record.as_deref().and_then(|history| {
        let other = read_by_check(args, &options, &written(history)?, true)?;
        Some(same_file(history, &other))
    }));
    problems.dedup();
    problems
}

/// Whether a report of `check` would be written over what is read.
pub fn is_overwritten(args: &Check, output: &Path) -> bool {
    report_over(args, &options(args, &args.map), output).is_some()
}

fn options(args: &Check, map: &[(String, String)]) -> Options {
    Options {
        format: args.format.clone(),
        map: map.to_vec(),
        ..Options::default()
    }
}

fn report_over(args: &Check, options: &Options, output: &Path) -> Option<Diagnostic> {
    let file = written(output)?;
    let history = || {
        let is_history = args.record.as_deref().and_then(FileId::of).as_ref() == Some(&file);
        is_history.then(|| "the history of `--record`".to_owned())
    };
    let other = read_by_check(args, options, &file, false).or_else(history)?;
    Some(same_file(output, &other))
}

/// The file that an output goes to.
fn written(output: &Path) -> Option<FileId> {
    if is_stdout(output) {
        // Only a file: a terminal or a pipe is nothing that could be lost.
        let stdout = Path::new("/dev/stdout");
        return FileId::of(stdout).filter(|_| stdout.is_file());
    }
    FileId::of(output)
}

fn read_by_check(
    args: &Check,
    options: &Options,
    file: &FileId,
    is_history: bool,
) -> Option<String> {
    let config = args.config.as_deref().or_else(|| {
        let default = Path::new(DEFAULT_CONFIG);
        default.is_file().then_some(default)
    });
    if config.and_then(FileId::of).as_ref() == Some(file) {
        return Some("the gate file".to_owned());
    }
    let current = args.runs.iter().chain(&args.replicate);
    let found = current
        .clone()
        .find(|run| is_part_of(run, options, file))
        .map(|run| format!("the input `{run}`"));
    // A history is compared with and then appended to.
    let mut baselines = args.baseline.iter().filter(|_| !is_history);
    found.or_else(|| {
        baselines
            .find(|run| is_part_of(run, options, file) || is_kept_in(run, options, file))
            .map(|run| format!("the baseline `{run}`"))
    })
}

/// Whether a file is an input, or is read as a part of one.
fn is_part_of(run: &str, options: &Options, file: &FileId) -> bool {
    if run == "-" {
        return FileId::of_stdin().as_ref() == Some(file);
    }
    let path = Path::new(run);
    if path.is_dir() {
        return in_folder(path)
            .filter(|entry| FileId::of(entry).as_ref() == Some(file))
            .any(|entry| input::is_read_in_folder(&entry, options));
    }
    if path.exists() {
        return FileId::of(path).as_ref() == Some(file);
    }
    input::of_prefix(run).any(|part| FileId::of(Path::new(&part)).as_ref() == Some(file))
}

/// Whether a file is the `report.json` of a folder that holds no run: it stands for the run.
fn is_kept_in(run: &str, options: &Options, file: &FileId) -> bool {
    let folder = Path::new(run);
    let report = input::report::in_folder(run);
    report.is_some_and(|report| {
        FileId::of(&report).as_ref() == Some(file)
            && !in_folder(folder).any(|entry| input::is_read_in_folder(&entry, options))
    })
}

fn in_folder(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// Outputs of `trend` that are a history, or a report that is read as one.
pub fn overwritten_by_trend(args: &Trend, outputs: &[PathBuf]) -> Vec<Diagnostic> {
    let outputs = outputs.iter().map(PathBuf::as_path);
    let mut problems: Vec<Diagnostic> = outputs
        .chain([Path::new("-")])
        .filter_map(|output| trend_over(args, output))
        .collect();
    problems.dedup();
    problems
}

/// Whether a report of `trend` would be written over what is read.
pub fn trend_over(args: &Trend, output: &Path) -> Option<Diagnostic> {
    let file = written(output)?;
    let mut histories = args.histories.iter();
    let history = histories.find(|path| is_in_history(Path::new(path), &file))?;
    Some(same_file(output, &format!("the history `{history}`")))
}

fn is_in_history(path: &Path, file: &FileId) -> bool {
    if !path.is_dir() {
        return FileId::of(path).as_ref() == Some(file);
    }
    in_folder(path).any(|entry| {
        if entry.is_dir() {
            is_in_history(&entry, file)
        } else {
            FileId::of(&entry).as_ref() == Some(file) && store::is_read_in_folder(&entry)
        }
    })
}
