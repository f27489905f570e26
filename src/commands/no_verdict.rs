//! Exit code 2: what CI collects tells why there is no verdict, and no report of an earlier run is taken for this one's.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use super::{Failure, check, sources, trend};
use crate::ci::Ci;
use crate::cli::announce::CiChoice;
use crate::cli::{Check, Cli, Command, Trend};
use crate::diagnostic::Diagnostic;
use crate::place::FileId;
use crate::report::no_verdict::{NoVerdict, without_folders};
use crate::report::{Destinations, trend as trend_report};
use crate::visible;

/// Where a command was asked to report.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    of_check: Option<Destinations>,
    of_trend: Option<trend_report::Destinations>,
    ci: Option<Ci>,
    /// Every path that was named to it.
    named: Vec<String>,
    /// Files that are read, or may be: nothing is written there.
    spared: BTreeSet<FileId>,
}

impl Asked {
    /// By the arguments of `check` or `compare`.
    pub fn by_check(args: &Check) -> Self {
        let of_check = check::destinations(args);
        let named: Vec<String> = sources::named(args).into_iter().map(Into::into).collect();
        let paths = of_check.paths();
        let spared = paths
            .iter()
            .filter(|path| sources::is_overwritten(args, path));
        Self {
            spared: spared.filter_map(|path| FileId::of(path)).collect(),
            of_check: Some(of_check),
            of_trend: None,
            ci: Ci::from_environment(args.announce.ci),
            named,
        }
    }

    /// By the arguments of `trend`.
    pub fn by_trend(args: &Trend) -> Self {
        let of_trend = trend::destinations(args);
        let paths = of_trend.paths();
        let spared = paths
            .iter()
            .filter(|path| sources::trend_over(args, path).is_some());
        Self {
            spared: spared.filter_map(|path| FileId::of(path)).collect(),
            of_trend: Some(of_trend),
            named: args.histories.clone(),
            ..Self::default()
        }
    }

    /// By any command: what is wrong is shown in CI, too.
    pub fn by(cli: &Cli) -> Self {
        match &cli.command {
            Command::Check(args) => Self::by_check(args),
            Command::Compare(args) => Self::by_check(&args.check),
            _ => Self {
                ci: Ci::from_environment(CiChoice::Auto),
                ..Self::default()
            },
        }
    }

    /// By words that are no right command line, as far as they can be told. What is no output may be an input.
    pub fn by_words(words: &[OsString]) -> Self {
        let words: Vec<String> = words
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let Some(command) = words.iter().position(|word| !word.starts_with('-')) else {
            return Self::default();
        };
        let (flags, others) = flags(&words[command + 1..]);
        let path = |name: &str| {
            let mut named = flags.iter().filter(|(flag, _)| flag == name);
            named.next_back().map(|(_, value)| PathBuf::from(value))
        };
        let mut asked = Self {
            spared: others
                .iter()
                .filter_map(|w| FileId::of(Path::new(w)))
                .collect(),
            named: others,
            ..Self::default()
        };
        match words[command].as_str() {
            "check" | "compare" => {
                asked.of_check = Some(Destinations {
                    out: path("out"),
                    html: path("html"),
                    json: path("json"),
                    csv: path("csv"),
                    junit: path("junit"),
                    markdown: path("markdown"),
                    openmetrics: path("openmetrics"),
                    slack: path("slack"),
                    teams: path("teams"),
                });
                let choice = path("ci").and_then(|value| {
                    CiChoice::from_str(value.to_str().unwrap_or_default(), false).ok()
                });
                asked.ci = Ci::from_environment(choice.unwrap_or_default());
            }
            "trend" => {
                asked.of_trend = Some(trend_report::Destinations {
                    out: path("out"),
                    html: path("html"),
                    json: path("json"),
                    csv: path("csv"),
                    markdown: path("markdown"),
                });
            }
            _ => {}
        }
        asked
    }

    /// The problems in the CI system's language, to be shown where they stand.
    pub fn complaint(&self, problems: &[Diagnostic]) -> String {
        let quoted = without_folders(problems, self.named.iter().map(String::as_str));
        let ci = self.ci.as_ref();
        ci.map(|ci| ci.complain(&quoted)).unwrap_or_default()
    }

    /// Tells why there is no verdict wherever a verdict was asked for. What goes wrong in doing so joins the problems.
    pub fn tell(&self, failure: &Failure, stdout: &mut dyn Write) -> Failure {
        let mut problems = failure.problems();
        let why = NoVerdict::new(&problems, self.named.iter().map(String::as_str));
        let (mut notes, mut found) = (Vec::new(), Vec::new());
        let out = self.of_check.as_ref().and_then(|of| of.out.clone());
        let folders = [
            out.clone(),
            self.of_trend.as_ref().and_then(|of| of.out.clone()),
        ];
        for folder in folders.iter().flatten() {
            // What cannot be made is told by the files that cannot be written into it.
            let _ = std::fs::create_dir_all(folder);
        }
        if let Some(destinations) = &self.of_check {
            let (told, wrong) = destinations.tell(&why, &self.spared, stdout);
            notes.extend(told);
            found.extend(wrong);
        }
        if let Some(destinations) = &self.of_trend {
            let (told, wrong) = destinations.tell(&why, &self.spared, stdout);
            notes.extend(told);
            found.extend(wrong);
        }
        if let Some(ci) = &self.ci {
            let quoted = without_folders(&problems, self.named.iter().map(String::as_str));
            match ci.announce_none(&why, &quoted, out.as_deref()) {
                // On standard error: there may be half a report on the other.
                Ok(log) => {
                    let _ = std::io::stderr().lock().write_all(log.as_bytes());
                }
                Err(problem) => found.push(problem),
            }
        }
        for words in notes {
            note(&words);
        }
        // The place that could not be written was told of already, or the folder that it would lie in.
        let place = |problem: &Diagnostic| {
            problem
                .origin
                .as_ref()
                .map(|origin| PathBuf::from(&origin.file))
        };
        let known: Vec<PathBuf> = problems.iter().filter_map(place).collect();
        found.retain(|new| {
            place(new).is_none_or(|new| !known.iter().any(|old| new.starts_with(old)))
        });
        problems.extend(found);
        Failure::Diagnostics(problems)
    }
}

/// Flags that name outputs, with their values, and every other word.
fn flags(words: &[String]) -> (Vec<(String, String)>, Vec<String>) {
    const OUTPUTS: [&str; 10] = [
        "out",
        "html",
        "json",
        "csv",
        "junit",
        "markdown",
        "openmetrics",
        "slack",
        "teams",
        "ci",
    ];
    let (mut found, mut others) = (Vec::new(), Vec::new());
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let flag = word.strip_prefix("--").filter(|flag| !flag.is_empty());
        let (name, value) = match flag.map(|flag| flag.split_once('=').unwrap_or((flag, ""))) {
            Some((name, value)) => (name, value),
            None if word == "--" => {
                others.extend(words.by_ref().cloned());
                break;
            }
            None => {
                others.push(word.clone());
                continue;
            }
        };
        if !OUTPUTS.contains(&name) {
            others.push(value.to_owned());
            continue;
        }
        let next =
            words.next_if(|next| value.is_empty() && (*next == "-" || !next.starts_with('-')));
        let value = next.map_or(value, String::as_str);
        if !value.is_empty() {
            found.push((name.to_owned(), value.to_owned()));
        }
    }
    (found, others)
}

/// Something that whoever reads the log should know.
pub fn note(words: &str) {
    let line = visible::lines(&format!("note: {words}\n")).into_owned();
    // There is nowhere left to tell that standard error is closed.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_found_in_a_wrong_command_line() {
        let words =
            "run.jsonl --jnuit x --out=a --json - --require p95 --html --quiet --csv b -- --out c";
        let words: Vec<String> = words.split(' ').map(Into::into).collect();
        let (found, others) = flags(&words);
        let expected = [("out", "a"), ("json", "-"), ("csv", "b")];
        assert_eq!(
            found,
            expected.map(|(flag, value)| (flag.to_owned(), value.to_owned()))
        );
        for input in ["run.jsonl", "x", "p95", "c"] {
            assert!(others.iter().any(|word| word == input), "{others:?}");
        }
    }
}
