//! Reading histories: files of lines, reports, and folders of both.
//!
//! Runs come in the order in which they were made. One without a start keeps its place behind the line before it; runs of
//! the same moment are in the order of their ids. So neither the order of files nor of writers changes anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::acknowledgement::Acknowledgement;
use super::entry::Entry;
use super::line::{self, Line};
use crate::diagnostic::{Diagnostic, Origin};
use crate::input::foreign;
use crate::input::open::Input;
use crate::input::report;

/// A run and where it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedRun {
    /// The run.
    pub entry: Entry,
    /// File and line; of a report the file.
    pub origin: Origin,
}

/// An acknowledgement and where it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedAcknowledgement {
    /// What was accepted.
    pub acknowledgement: Acknowledgement,
    /// File and line.
    pub origin: Origin,
}

/// Everything that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The runs, oldest first, each once.
    pub runs: Vec<RecordedRun>,
    /// The acknowledgements.
    pub acknowledgements: Vec<RecordedAcknowledgement>,
    /// What the reader must know, in sentences.
    pub notes: Vec<String>,
}

/// The runs of one history, oldest first, each once.
pub fn read(path: &str) -> Result<Vec<Entry>, Vec<Diagnostic>> {
    let history = read_all(&[path.to_owned()], 0)?;
    Ok(history.runs.into_iter().map(|run| run.entry).collect())
}

/// Whether a file is a history, by its first lines; an empty one named so is not told from anything else.
pub fn is_history(path: &Path) -> bool {
    let input = Input::open(&path.display().to_string());
    input.is_ok_and(|input| foreign::is_history(input.head()))
}

/// Reads histories, reports and folders together; up to `allowed_bad` lines that cannot be read are left out and noted.
pub fn read_all(paths: &[String], allowed_bad: u64) -> Result<History, Vec<Diagnostic>> {
    let mut reading = Reading::default();
    for path in paths {
        reading.path(Path::new(path), true);
    }
    let bad = reading.problems.len() as u64;
    let lines = ["bad-line", "impossible-figure"];
    let lines_only = reading.problems.iter().all(|p| lines.contains(&p.code));
    if bad > 0 && !(lines_only && bad <= allowed_bad) {
        return Err(reading.problems);
    }
    let left_out = reading.problems.iter();
    reading
        .notes
        .extend(left_out.map(|problem| format!("left out: {}", problem.short())));
    Ok(reading.finish())
}

/// A run with what puts it in order.
struct Placed {
    run: RecordedRun,
    /// Start of the run, or of the last one before it in its file that has one.
    moment: i64,
    /// Runs without a start since then.
    behind: u64,
}

#[derive(Default)]
struct Reading {
    placed: Vec<Placed>,
    acknowledgements: Vec<RecordedAcknowledgement>,
    notes: Vec<String>,
    problems: Vec<Diagnostic>,
}

impl Reading {
    fn path(&mut self, path: &Path, named: bool) {
        if path.is_dir() {
            return self.folder(path, named);
        }
        let file = path.display().to_string();
        // Nobody may be writing into a pipe that was not named.
        if !named && !path.is_file() {
            return;
        }
        match Input::open(&file).and_then(|input| input.whole("a history")) {
            Ok(bytes) => self.file(&bytes, &file, named),
            Err(problem) => {
                let problem = if problem.code == "missing-input" {
                    problem.help("`loadgate check --record FILE` makes a history")
                } else {
                    problem
                };
                self.problems.push(problem);
            }
        }
    }

    fn folder(&mut self, path: &Path, named: bool) {
        let entries = std::fs::read_dir(path).map(|dir| {
            let mut paths: Vec<PathBuf> = dir.flatten().map(|entry| entry.path()).collect();
            paths.sort();
            paths
        });
        let file = path.display().to_string();
        match entries {
            Err(error) => self.problems.push(
                Diagnostic::new("missing-input", format!("cannot read the folder: {error}"))
                    .at(Origin::file(file)),
            ),
            Ok(paths) => {
                let before = (self.placed.len(), self.problems.len());
                for path in paths {
                    let json = path
                        .extension()
                        .is_some_and(|e| e == "json" || e == "jsonl");
                    if path.is_dir() || json {
                        self.path(&path, false);
                    }
                }
                if named && before == (self.placed.len(), self.problems.len()) {
                    self.problems.push(
                        Diagnostic::new(
                            "nothing-recognised",
                            "the folder holds no `report.json` and no history",
                        )
                        .at(Origin::file(file))
                        .help("`loadgate check --json` writes reports, `--record` a history"),
                    );
                }
            }
        }
    }

    fn file(&mut self, bytes: &[u8], file: &str, named: bool) {
        let text = String::from_utf8_lossy(bytes);
        if report::is_report(bytes) {
            match report::read(file, bytes) {
                Ok(report) => self.place(Entry::of_report(report), Origin::file(file), None),
                Err(problem) => self.problems.push(problem),
            }
        } else if named || text.lines().next().is_some_and(line::is_history) {
            self.lines(&text, file);
        }
    }

    fn lines(&mut self, text: &str, file: &str) {
        let mut before = None;
        let ended = text.is_empty() || text.ends_with('\n');
        let count = text.lines().count();
        for (i, content) in text.lines().enumerate() {
            let number = i as u64 + 1;
            if content.trim().is_empty() {
                continue;
            }
            let origin = Origin::line(file, number);
            match line::read(content, file, number) {
                Ok(Line::Run(entry)) => {
                    let after = before;
                    let moment = entry.started_ms;
                    self.place(*entry, origin, after);
                    before = match (moment, after) {
                        (Some(ms), _) => Some((ms, 0)),
                        (None, Some((ms, behind))) => Some((ms, behind + 1)),
                        (None, None) => Some((i64::MIN, 1)),
                    };
                }
                Ok(Line::Acknowledgement(acknowledgement)) => {
                    self.acknowledgements.push(RecordedAcknowledgement {
                        acknowledgement: *acknowledgement,
                        origin,
                    });
                }
                Err(_) if number as usize == count && !ended && may_be_cut(content, number) => {
                    self.notes.push(format!(
                        "{origin}: the last line is cut off, as a killed writer leaves it; it is not counted, and the \
                         next `--record` keeps it aside"
                    ));
                }
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    /// `after` is the moment of the line before, and the runs without a start since.
    fn place(&mut self, entry: Entry, origin: Origin, after: Option<(i64, u64)>) {
        let (moment, behind) = match (entry.started_ms, after) {
            (Some(ms), _) => (ms, 0),
            (None, Some((ms, behind))) => (ms, behind + 1),
            (None, None) => (i64::MIN, 1),
        };
        self.placed.push(Placed {
            run: RecordedRun { entry, origin },
            moment,
            behind,
        });
    }

    fn finish(mut self) -> History {
        self.placed.sort_by(|a, b| {
            let key = |p: &Placed| (p.moment, p.behind);
            key(a)
                .cmp(&key(b))
                .then_with(|| a.run.entry.id.cmp(&b.run.entry.id))
                .then_with(|| a.run.origin.cmp(&b.run.origin))
        });
        let mut seen: BTreeMap<String, Origin> = BTreeMap::new();
        let mut runs = Vec::new();
        let mut notes = self.notes;
        for Placed { run, .. } in self.placed {
            if let Some(first) = seen.get(&run.entry.id) {
                let origin = &run.origin;
                notes.push(format!("{origin}: the same run as {first}, counted once"));
            } else {
                seen.insert(run.entry.id.clone(), run.origin.clone());
                runs.push(run);
            }
        }
        self.acknowledgements
            .sort_by(|a, b| a.acknowledgement.change.cmp(&b.acknowledgement.change));
        notes.sort();
        History {
            runs,
            acknowledgements: self.acknowledgements,
            notes,
        }
    }
}

/// Whether a last line without an end may be one that a killed writer left: behind others, or one that begins as such.
fn may_be_cut(content: &str, number: u64) -> bool {
    number > 1 || line::begins(content.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::append::append;
    use crate::history::entry::tests::entry;

    fn recorded(dir: &Path, name: &str, runs: &[(Option<i64>, &str)]) -> String {
        let path = dir.join(name);
        for (started, commit) in runs {
            let mut entry = entry(5, commit);
            entry.started_ms = *started;
            entry.id = entry.identity();
            append(&path, &Line::Run(Box::new(entry))).unwrap();
        }
        path.to_str().unwrap().to_owned()
    }

    fn commits(history: &History) -> Vec<&str> {
        let commit = |run: &'_ RecordedRun| run.entry.commit.clone();
        let all: Vec<Option<String>> = history.runs.iter().map(commit).collect();
        assert!(all.iter().all(Option::is_some));
        history
            .runs
            .iter()
            .filter_map(|run| run.entry.commit.as_deref())
            .collect()
    }

    #[test]
    fn runs_are_in_order_whatever_the_order_of_files() {
        let dir = tempfile::tempdir().unwrap();
        let runs = [(Some(10), "a"), (None, "b"), (None, "c"), (Some(30), "d")];
        let first = recorded(dir.path(), "1.jsonl", &runs);
        let second = recorded(dir.path(), "2.jsonl", &[(Some(20), "e"), (Some(10), "f")]);
        let there = read_all(&[first.clone(), second.clone()], 0).unwrap();
        let back = read_all(&[second, first], 0).unwrap();
        assert_eq!(commits(&there), commits(&back));
        let all = commits(&there).concat();
        assert!(all == "afbced" || all == "fabced", "{all}");
        assert_eq!(there, back);
        let folder = read_all(&[dir.path().to_str().unwrap().to_owned()], 0).unwrap();
        assert_eq!(commits(&folder), commits(&there));
    }

    #[test]
    fn a_run_that_is_there_twice_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        let first = recorded(dir.path(), "1.jsonl", &[(Some(10), "a")]);
        let second = recorded(dir.path(), "2.jsonl", &[(Some(10), "a"), (Some(11), "b")]);
        let history = read_all(&[first, second], 0).unwrap();
        assert_eq!(commits(&history), ["a", "b"]);
        assert!(history.notes[0].contains("2.jsonl:1: the same run as"));
    }

    #[test]
    fn a_corrupt_line_is_told_and_can_be_allowed() {
        let dir = tempfile::tempdir().unwrap();
        let path = recorded(dir.path(), "h.jsonl", &[(Some(10), "a"), (Some(20), "b")]);
        let text = std::fs::read_to_string(&path).unwrap();
        let (first, second) = text.split_once('\n').unwrap();
        std::fs::write(&path, format!("{first}\n{{\"schema\":oops\n{second}")).unwrap();
        let problems = read_all(std::slice::from_ref(&path), 0).unwrap_err();
        assert!(
            problems[0]
                .short()
                .contains("h.jsonl:2:11: error[bad-line]")
        );
        let history = read_all(std::slice::from_ref(&path), 1).unwrap();
        assert_eq!(commits(&history), ["a", "b"]);
        assert!(history.notes[0].starts_with("left out: "));
    }

    #[test]
    fn a_cut_last_line_is_noted() {
        let dir = tempfile::tempdir().unwrap();
        let path = recorded(dir.path(), "h.jsonl", &[(Some(10), "a"), (Some(20), "b")]);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 40]).unwrap();
        let history = read_all(std::slice::from_ref(&path), 0).unwrap();
        assert_eq!(commits(&history), ["a"]);
        assert!(history.notes[0].contains("h.jsonl:2: the last line is cut off"));
    }

    #[test]
    fn an_empty_history_holds_no_runs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("h.jsonl");
        std::fs::write(&path, "").unwrap();
        assert_eq!(read(path.to_str().unwrap()).unwrap(), []);
        let missing = read(dir.path().join("none").to_str().unwrap()).unwrap_err();
        assert_eq!(missing[0].code, "missing-input");
    }
}
