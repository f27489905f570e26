//! `loadgate init`: look at what is there, propose, write; never over what the user has.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Failure, say};
use crate::atomic;
use crate::cli::project::{Init, Pipeline};
use crate::config::file::DEFAULT;
use crate::diagnostic::{Diagnostic, Origin};
use crate::init::{self, NewFile, gate_file};
use crate::input::{self, Loaded, Options};
use crate::progress::Progress;
use crate::report::write_failed;
use crate::summary::{About, Summary};

/// Writes the files; the answer is the exit code.
pub fn run(args: &Init, stdout: &mut dyn Write) -> Result<u8, Failure> {
    let (gates, told) = gates(args)?;
    let mut files = vec![
        NewFile {
            path: PathBuf::from(DEFAULT),
            text: gates,
            about: "the gates; read it, and put your own limits",
        },
        NewFile {
            path: PathBuf::from("locust_request_log.py"),
            text: init::LOGGER.to_owned(),
            about: "writes Locust's request log: locust -f locust_request_log.py,locustfile.py",
        },
    ];
    let system = args.ci.or_else(|| pipeline_of(&args.dir));
    files.extend(system.map(init::pipeline));
    refuse_folders(args, &files)?;
    say(stdout, &format!("{told}\n"))?;
    let mut any_kept = false;
    for file in &files {
        let path = args.dir.join(&file.path);
        let path = path.strip_prefix(".").unwrap_or(&path);
        let word = write_new(path, &file.text, args.force)?;
        any_kept |= word == "kept";
        let line = format!("  {word:<9}  {}: {}\n", path.display(), file.about);
        say(stdout, &line)?;
    }
    if any_kept {
        say(
            stdout,
            "  kept is what was there already and differs; --force overwrites it\n",
        )?;
    }
    if system.is_none() {
        say(
            stdout,
            "  --ci github, gitlab, jenkins or azure adds a pipeline\n",
        )?;
    }
    Ok(0)
}

/// The gate file, and where it comes from.
fn gates(args: &Init) -> Result<(String, String), Failure> {
    if !args.runs.is_empty() {
        let loaded = load(&args.runs)?;
        return Ok(proposed(&args.runs, loaded));
    }
    let mut unreadable = None;
    for place in places(&args.dir) {
        let runs = vec![place.display().to_string()];
        match load(&runs) {
            Ok(loaded) if !loaded.tally.endpoints.is_empty() => return Ok(proposed(&runs, loaded)),
            Ok(_) => {}
            Err(problems) => {
                let problem = problems
                    .into_iter()
                    .find(|p| p.code != "nothing-recognised");
                unreadable = unreadable.or(problem);
            }
        }
    }
    let mut told = "no results here: these are usual limits, not measured ones".to_owned();
    if let Some(problem) = unreadable {
        told = format!("{told} ({})", problem.short());
    }
    Ok((
        format!("{}\n{}", init::DEFAULT_GATES, init::REGRESSION),
        told,
    ))
}

/// The folder and those in it, by name.
fn places(dir: &Path) -> Vec<PathBuf> {
    let mut below: Vec<PathBuf> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir() && !is_hidden(path))
        .map(|path| path.strip_prefix(".").map(Path::to_owned).unwrap_or(path))
        .collect();
    below.sort();
    below.insert(0, dir.to_owned());
    below
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn load(runs: &[String]) -> Result<Loaded, Vec<Diagnostic>> {
    let options = Options {
        progress: Progress::new(),
        ..Options::default()
    };
    input::load(runs, &options)
}

fn proposed(runs: &[String], loaded: Loaded) -> (String, String) {
    let about = About {
        sources: loaded.sources,
        ..About::default()
    };
    let summary = Summary::new(loaded.tally, about);
    let text = gate_file::propose(&summary, runs);
    (
        text,
        format!("limits proposed from the run in {}", runs.join(" ")),
    )
}

/// The CI system whose files are there already.
fn pipeline_of(dir: &Path) -> Option<Pipeline> {
    const SIGNS: [(&str, Pipeline); 4] = [
        (".github", Pipeline::Github),
        (".gitlab-ci.yml", Pipeline::Gitlab),
        ("Jenkinsfile", Pipeline::Jenkins),
        ("azure-pipelines.yml", Pipeline::Azure),
    ];
    SIGNS
        .into_iter()
        .find(|(sign, _)| dir.join(sign).exists())
        .map(|(_, system)| system)
}

/// A folder where a file should be, before anything is written.
fn refuse_folders(args: &Init, files: &[NewFile]) -> Result<(), Failure> {
    let in_the_way = files.iter().map(|file| args.dir.join(&file.path));
    let problems: Vec<Diagnostic> = in_the_way
        .filter(|path| path.is_dir())
        .map(|path| {
            Diagnostic::new("output-not-writable", "a folder is in the way")
                .at(Origin::file(path.display().to_string()))
                .help("name another place for `--dir`")
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.into())
    }
}

fn is_same(path: &Path, text: &str) -> bool {
    std::fs::read(path).is_ok_and(|there| there == text.as_bytes())
}

/// Writes a file, unless the user has one there.
fn write_new(path: &Path, text: &str, force: bool) -> Result<&'static str, Failure> {
    if is_same(path, text) {
        return Ok("unchanged");
    }
    // A dangling link is a file of the user's, too.
    if path.symlink_metadata().is_ok() && !force {
        return Ok("kept");
    }
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| write_failed(folder, &error))?;
    }
    atomic::write(path, text).map_err(|error| write_failed(path, &error))?;
    Ok("written")
}
