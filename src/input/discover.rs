//! From what was named to what is to be read: files, folders, Locust prefixes and streams, opened and recognised.
//!
//! What was named must be readable. In a folder, what looks like a result must be; other files are listed as not read.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::open::{self, Input, unreadable};
use super::recognise::{self, READS, Recognised, recognise};
use super::{Format, Options, names};
use crate::diagnostic::{Diagnostic, Origin};
use crate::limits;

/// Bytes of the beginning that are kept of each file in a folder.
pub const BEGINNING: usize = 1 << 10;
/// Other files that are listed by name; of further ones the number is told.
const LISTED: usize = 100;
/// Folders looked into for results that were not read, and how deep.
const FOLDERS: usize = 1000;
const DEPTH: usize = 3;
/// Folders that are named in a note.
const SHOWN: usize = 5;

/// A result that can be read.
pub struct Found {
    /// The file or stream.
    pub input: Input,
    /// What it is.
    pub format: Format,
    /// Whether it was found in a folder, not named.
    pub in_folder: bool,
}

/// Everything that was found.
#[derive(Default)]
pub struct Discovery {
    /// What is to be read, in the order of what was named.
    pub found: Vec<Found>,
    /// Other files in the folders.
    pub not_read: Vec<String>,
    /// Sentences for every report.
    pub notes: Vec<String>,
    /// What cannot be read.
    pub problems: Vec<Diagnostic>,
    /// Folders below those that were named that seem to hold results.
    below: Vec<String>,
    /// Folders that were looked into for them.
    looked_into: usize,
}

/// Looks at everything that was named.
pub fn discover(runs: &[String], forced: Option<Format>, options: &Options) -> Discovery {
    let mut discovery = Discovery::default();
    for run in runs {
        discovery.run(run, forced, options);
    }
    discovery.finish(runs);
    discovery
}

impl Discovery {
    fn run(&mut self, run: &str, forced: Option<Format>, options: &Options) {
        if open::is_stdin(run) {
            return self.named(run, forced, options);
        }
        match std::fs::metadata(run) {
            Ok(about) if about.is_dir() => self.folder(Path::new(run), forced, options),
            Ok(_) => self.named(run, forced, options),
            // A link that leads nowhere, or in a circle, is there all the same.
            Err(error) if Path::new(run).symlink_metadata().is_ok() => {
                self.problems.push(unreadable(run, &error));
            }
            Err(_) => self.prefix(run, forced, options),
        }
    }

    fn prefix(&mut self, prefix: &str, forced: Option<Format>, options: &Options) {
        let endings = names::TABLES.iter().chain(&[".json"]);
        let stored = endings.flat_map(|ending| {
            ["", ".gz", ".zst"].map(|packed| format!("{prefix}{ending}{packed}"))
        });
        let all: Vec<String> = stored.filter(|path| Path::new(path).is_file()).collect();
        if all.is_empty() {
            self.problems.push(
                Diagnostic::new(
                    "missing-input",
                    format!("there is no file, folder or Locust prefix `{prefix}`"),
                )
                .at(Origin::file(prefix))
                .help("a prefix is what was given to Locust as `--csv`, as `results/run`"),
            );
        }
        for name in all {
            self.named(&name, forced, options);
        }
    }

    /// A file or stream that has to be readable.
    fn named(&mut self, name: &str, forced: Option<Format>, options: &Options) {
        let input = match Input::open(name) {
            Ok(input) => input,
            Err(problem) => return self.problems.push(problem),
        };
        let format = match (recognise(&input, &options.map, false), forced) {
            (Recognised::Foreign(own), _) if own.is_own => {
                Err(recognise::not_a_run(&input.name, own))
            }
            (_, Some(format)) | (Recognised::Result(format), None) => Ok(format),
            (Recognised::Foreign(foreign), None) => Err(recognise::not_a_run(&input.name, foreign)),
            (Recognised::Empty, None) => recognise::empty(&input.name),
            (Recognised::Unknown(further_down), None) => {
                Err(recognise::unknown(&input, further_down))
            }
        };
        match format {
            Ok(format) => self.found.push(Found {
                input,
                format,
                in_folder: false,
            }),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn folder(&mut self, folder: &Path, forced: Option<Format>, options: &Options) {
        let paths = match listed(folder, limits::FILES) {
            Ok(paths) => paths,
            Err(problem) => return self.problems.push(problem),
        };
        let known = Known {
            prefixes: paths
                .iter()
                .filter_map(|path| names::prefix(&path.display().to_string()))
                .collect(),
        };
        for path in paths {
            let name = path.display().to_string();
            match std::fs::metadata(&path) {
                Ok(about) if about.is_dir() => self.below(&path, folder),
                Ok(about) => self.in_folder(&name, &about, &known, forced, options),
                Err(error) if known.looks_like_result(&name) => {
                    self.problems.push(of_folder(unreadable(&name, &error)));
                }
                // A link that leads nowhere.
                Err(_) => {}
            }
        }
    }

    /// A file of a folder: read, refused, or listed as not read.
    fn in_folder(
        &mut self,
        name: &str,
        about: &Metadata,
        known: &Known,
        forced: Option<Format>,
        options: &Options,
    ) {
        let must_be_read = known.looks_like_result(name);
        if let Some(what) = open::what_special(about) {
            // Nobody may be writing into a pipe that was not named: opening it could wait for ever.
            if must_be_read {
                let message = format!("it is {what}, not a file");
                let problem = Diagnostic::new("special-file", message).at(Origin::file(name));
                self.problems.push(problem.help("name it to have it read"));
            }
            return;
        }
        let mut input = match Input::open(name) {
            Ok(input) => input,
            Err(problem) => return self.problems.push(of_folder(problem)),
        };
        let format = match recognise(&input, &options.map, true) {
            Recognised::Result(format) => Ok(format),
            Recognised::Foreign(own) if own.is_own => return,
            Recognised::Foreign(foreign) => Err(recognise::not_a_run(name, foreign)),
            Recognised::Empty if must_be_read => recognise::empty(name),
            Recognised::Unknown(_) if must_be_read && forced.is_some() => {
                Ok(forced.unwrap_or(Format::RequestLog))
            }
            Recognised::Unknown(further_down)
                if must_be_read || further_down.is_some() && !names::is_about(name) =>
            {
                Err(recognise::unknown(&input, further_down))
            }
            Recognised::Empty | Recognised::Unknown(_) => {
                if !names::is_own(name) {
                    self.not_read.push(name.to_owned());
                }
                return;
            }
        };
        match format {
            Ok(format) => {
                input.shorten_head(BEGINNING);
                self.found.push(Found {
                    input,
                    format,
                    in_folder: true,
                });
            }
            Err(problem) => self.problems.push(of_folder(problem)),
        }
    }

    /// Notes a folder below one that was named, if it seems to hold results.
    fn below(&mut self, path: &Path, folder: &Path) {
        let leads_back = || {
            let canonical = |path: &Path| std::fs::canonicalize(path).ok();
            let (there, here) = (canonical(path), canonical(folder));
            there
                .zip(here)
                .is_none_or(|(there, here)| here.starts_with(there))
        };
        let mut left = FOLDERS.saturating_sub(self.looked_into);
        if holds_results(path, DEPTH, &mut left) && !leads_back() {
            self.below.push(path.display().to_string());
        }
        self.looked_into = FOLDERS - left;
    }

    fn finish(&mut self, runs: &[String]) {
        let below = shown(&self.below);
        if self.problems.is_empty() && self.found.is_empty() {
            let help = if self.below.is_empty() {
                READS.to_owned()
            } else {
                format!("results of runs seem to lie in {below}: name one of these folders")
            };
            self.problems.push(
                Diagnostic::new(
                    "nothing-recognised",
                    format!("found no load-test result in `{}`", runs.join("`, `")),
                )
                .help(help),
            );
        } else if !self.below.is_empty() {
            self.notes.push(format!(
                "results seem to lie in {below}, below what was named, and were not read"
            ));
        }
        let more = self.not_read.len().saturating_sub(LISTED);
        if more > 0 {
            self.not_read.truncate(LISTED);
            self.notes.push(format!(
                "{more} more files are no results and are not listed among the sources"
            ));
        }
    }
}

/// What the names in a folder tell of one another.
struct Known {
    /// Locust prefixes of which there are tables.
    prefixes: std::collections::BTreeSet<String>,
}

impl Known {
    /// Whether a name is that of a result; Locust's JSON has the prefix of the tables it stands beside.
    fn looks_like_result(&self, name: &str) -> bool {
        names::looks_like_result(name)
            || names::json_prefix(name).is_some_and(|prefix| self.prefixes.contains(&prefix))
    }
}

/// How to go on where a file in a folder cannot be read.
fn of_folder(problem: Diagnostic) -> Diagnostic {
    let help = problem.help.clone().unwrap_or_default();
    problem.help(format!(
        "{help}; a file that looks like a result is not passed over: name the files of the run, or move it elsewhere"
    ))
}

/// What is in a folder, by name. A hidden file is no result: a report half written by a process that was killed, say.
fn listed(folder: &Path, most: usize) -> Result<Vec<PathBuf>, Diagnostic> {
    let name = folder.display().to_string();
    let failed = |error: std::io::Error| unreadable(&name, &error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if is_hidden(&path) {
            continue;
        }
        if paths.len() == most {
            let message = format!("the folder holds more than {most} files");
            return Err(Diagnostic::new("beyond-limit", message)
                .at(Origin::file(name))
                .help("name the files of the run, or its Locust prefix"));
        }
        paths.push(path);
    }
    paths.sort();
    Ok(paths)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Whether a folder holds files that look like results by their names. What cannot be looked into holds none.
fn holds_results(folder: &Path, depth: usize, left: &mut usize) -> bool {
    if depth == 0 || *left == 0 {
        return false;
    }
    *left -= 1;
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    let paths: Vec<PathBuf> = entries
        .take(limits::FILES)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| !is_hidden(path))
        .collect();
    let is_result =
        |path: &PathBuf| names::looks_like_result(&path.display().to_string()) && path.is_file();
    paths.iter().any(is_result)
        || paths
            .iter()
            .any(|path| path.is_dir() && holds_results(path, depth - 1, left))
}

/// The first few of many, quoted.
fn shown(all: &[String]) -> String {
    let named: Vec<String> = all
        .iter()
        .take(SHOWN)
        .map(|one| format!("`{one}`"))
        .collect();
    let more = all.len().saturating_sub(SHOWN);
    match more {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_too_many_files_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b", "a", ".hidden"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let paths = listed(dir.path(), 2).unwrap();
        assert_eq!(paths, [dir.path().join("a"), dir.path().join("b")]);
        let problem = listed(dir.path(), 1).unwrap_err();
        assert_eq!(problem.code, "beyond-limit");
        assert!(problem.message.contains("more than 1 files"));
    }

    #[test]
    fn results_are_looked_for_only_so_deep() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(below.join("run_stats.csv"), "").unwrap();
        assert!(holds_results(dir.path(), 3, &mut 10));
        assert!(!holds_results(dir.path(), 2, &mut 10));
        assert!(!holds_results(dir.path(), 3, &mut 2));
    }
}
