//! What is wrong with the user's files and flags, with the place and the remedy.

use std::fmt::Write as _;

/// A place in a file the user gave us. Lines and columns count from 1; a column is in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Origin {
    /// The file as the user named it, `-` for standard input, `--require` for the flag.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column, in characters, from 1.
    pub column: Option<u64>,
}

impl Origin {
    /// A whole file.
    pub fn file(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: None,
            column: None,
        }
    }
    /// A line of a file.
    pub fn line(file: impl Into<String>, line: u64) -> Self {
        Self {
            file: file.into(),
            line: Some(line),
            column: None,
        }
    }
    /// A line and column of a file.
    pub fn at(file: impl Into<String>, line: u64, column: u64) -> Self {
        Self {
            file: file.into(),
            line: Some(line),
            column: Some(column),
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        Ok(())
    }
}

/// The source line a diagnostic points into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The whole line, without its end.
    pub text: String,
    /// First marked character, from 0.
    pub start: usize,
    /// Number of marked characters, at least 1.
    pub len: usize,
    /// What is said beside the carets; may be empty.
    pub label: String,
}

/// Characters of a line that are shown on either side of where the mark begins, of a line that is longer than both.
const ASIDE: usize = 100;

impl Snippet {
    /// A line with `len` characters marked from `start` on; of a long one the part around the mark.
    pub fn of(line: &str, start: usize, len: usize) -> Self {
        let line = line.trim_end();
        let characters = line.chars().count();
        if characters <= 2 * ASIDE {
            return Self {
                text: line.to_owned(),
                start,
                len,
                label: String::new(),
            };
        }
        let from = start.saturating_sub(ASIDE);
        let mut text = String::new();
        text.extend((from > 0).then_some('…'));
        text.extend(line.chars().skip(from).take(2 * ASIDE));
        text.extend((from + 2 * ASIDE < characters).then_some('…'));
        Self {
            text,
            start: start - from + usize::from(from > 0),
            len: len.min(ASIDE),
            label: String::new(),
        }
    }
}

/// One problem with the user's input: a stable code, the message, the place, the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable kebab-case code, one of [`CODES`].
    pub code: &'static str,
    /// Lower case, no full stop, literals in backticks.
    pub message: String,
    /// Where.
    pub origin: Option<Origin>,
    /// The line itself, if there is one worth showing.
    pub snippet: Option<Snippet>,
    /// What to do.
    pub help: Option<String>,
}

/// Every code with one sentence on what it means.
pub const CODES: &[(&str, &str)] = &[
    (
        "missing-input",
        "a file or directory that was named does not exist or cannot be read",
    ),
    (
        "nothing-recognised",
        "a directory or prefix holds no file that loadgate can read",
    ),
    ("unknown-format", "a file's content is of no known format"),
    (
        "empty-input",
        "a file has no bytes, so it cannot be told what it was meant to be",
    ),
    (
        "not-a-run",
        "a file is loadgate's own, or another tool's result, and no run that can be judged",
    ),
    (
        "several-runs",
        "what was named holds more than one run, and a check judges one",
    ),
    (
        "changed-copy",
        "two logs begin alike and then differ, so that requests could be counted twice",
    ),
    (
        "input-used-twice",
        "standard input or a pipe is named twice, and its bytes come only once",
    ),
    (
        "special-file",
        "a device or a socket is named where a file is needed",
    ),
    (
        "beyond-limit",
        "an input is larger, or has more parts, than loadgate keeps in memory",
    ),
    (
        "bad-line",
        "a line or row of an input file does not say what it should",
    ),
    (
        "unmapped-key",
        "a key that `--map` or `[input.map]` names is in no line of the log",
    ),
    (
        "impossible-time",
        "a response time is longer than its log many times over, so that its unit cannot be right",
    ),
    ("bad-header", "a table lacks a column it must have"),
    (
        "corrupt-archive",
        "a compressed file cannot be decompressed",
    ),
    (
        "config-syntax",
        "the gate file or scenario file is not valid TOML",
    ),
    (
        "config-too-large",
        "a gate file has more than 1 MiB, or no end at all",
    ),
    (
        "unknown-key",
        "the gate file or scenario file has a key that means nothing",
    ),
    (
        "missing-key",
        "the gate file or scenario file lacks a key that is needed",
    ),
    (
        "bad-value",
        "a value in a gate file, a scenario file or a flag is of the wrong kind or out of range",
    ),
    (
        "duplicate-id",
        "two gates have the same id, or two endpoints of a scenario the same method and name",
    ),
    (
        "unknown-scenario",
        "`generate` is asked for a scenario that neither ships nor is a file",
    ),
    (
        "unknown-endpoint",
        "a flag of `generate` names an endpoint or field that the scenario does not have",
    ),
    (
        "bad-expression",
        "a gate's requirement does not follow the grammar",
    ),
    (
        "unknown-metric",
        "a requirement names a metric that does not exist",
    ),
    ("bad-unit", "a limit's unit does not fit its metric"),
    (
        "useless-limit",
        "a limit that nothing can break, or that nothing can keep",
    ),
    (
        "no-effect",
        "a key of the gate file changes nothing where it stands",
    ),
    (
        "no-gates",
        "a gate file holds no gate, no quota and no `[regression]`",
    ),
    (
        "bad-selector",
        "a selector is not a valid glob or regular expression",
    ),
    (
        "no-thresholds",
        "`migrate` found no thresholds in the file it was given",
    ),
    (
        "unknown-topic",
        "`explain` was asked for what is no gate, no metric and no error code",
    ),
    (
        "unknown-change",
        "`trend --ack` names a change that the history does not have",
    ),
    (
        "no-comparable-run",
        "a history given as the baseline has no run made under the conditions of the current one",
    ),
    (
        "newer-history",
        "a history or a report was written by a newer loadgate",
    ),
    (
        "impossible-figure",
        "a kept report or a line of a history has a figure that no run can have, or that contradicts its others",
    ),
    (
        "bad-history",
        "the file that `--record` names is not a history, or cannot be read or added to",
    ),
    (
        "output-not-writable",
        "a report or a generated file cannot be written where it should go",
    ),
];

impl Diagnostic {
    /// A diagnostic without a place.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        debug_assert!(
            CODES.iter().any(|(known, _)| *known == code),
            "undocumented code {code}"
        );
        Self {
            code,
            message: message.into(),
            origin: None,
            snippet: None,
            help: None,
        }
    }
    /// Adds the place.
    #[must_use]
    pub fn at(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }
    /// Adds the source line and the part of it that is meant.
    #[must_use]
    pub fn snippet(mut self, snippet: Snippet) -> Self {
        self.snippet = Some(snippet);
        self
    }
    /// Adds the remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// `file:line:col: error[code]: message; help: …` on one line.
    pub fn short(&self) -> String {
        let mut text = String::new();
        if let Some(origin) = &self.origin {
            let _ = write!(text, "{origin}: ");
        }
        let _ = write!(text, "error[{}]: {}", self.code, self.message);
        if let Some(help) = &self.help {
            let _ = write!(text, "; help: {help}");
        }
        text
    }

    /// The way `rustc` shows it, with the line and carets.
    pub fn long(&self) -> String {
        let mut text = format!("error[{}]: {}", self.code, self.message);
        let number = self
            .origin
            .as_ref()
            .and_then(|o| o.line)
            .map_or(String::new(), |l| l.to_string());
        let pad = " ".repeat(number.len().max(1));
        if let Some(origin) = &self.origin {
            let _ = write!(text, "\n{pad}--> {origin}");
        }
        if let Some(snippet) = &self.snippet {
            let before: String = snippet
                .text
                .chars()
                .take(snippet.start)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            let _ = write!(
                text,
                "\n{pad} |\n{number} | {}\n{pad} | {before}{} {}",
                snippet.text,
                "^".repeat(snippet.len.max(1)),
                snippet.label
            );
            text.truncate(text.trim_end().len());
        }
        if let Some(help) = &self.help {
            let _ = write!(text, "\n{pad} = help: {help}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_line_the_part_around_the_mark_is_shown() {
        let line = format!("{}é!{}", "a".repeat(500), "b".repeat(500));
        let shown = Snippet::of(&line, 500, 300);
        let marked: String = shown.text.chars().skip(shown.start).take(2).collect();
        assert_eq!((marked.as_str(), shown.len), ("é!", 100));
        assert_eq!(shown.text.chars().count(), 202);
        let shown = Snippet::of(&line, 0, 1);
        assert!(shown.start == 0 && shown.text.ends_with("a…"), "{shown:?}");
        assert_eq!(Snippet::of("short \r", 3, 1).text, "short");
    }

    #[test]
    fn long_form_has_carets_under_the_marked_text() {
        let shown = Diagnostic::new("unknown-metric", "unknown metric `p95th`")
            .at(Origin::at("loadgate.toml", 7, 12))
            .snippet(Snippet {
                text: "require = \"p95th < 500ms\"".into(),
                start: 11,
                len: 5,
                label: "not a metric".into(),
            })
            .help("percentiles are written `p95`");
        assert_eq!(
            shown.long(),
            "error[unknown-metric]: unknown metric `p95th`\n --> loadgate.toml:7:12\n  |\n7 | require = \"p95th < 500ms\"\n  |            ^^^^^ not a metric\n  = help: percentiles are written `p95`"
        );
        assert_eq!(
            shown.short(),
            "loadgate.toml:7:12: error[unknown-metric]: unknown metric `p95th`; help: percentiles are written `p95`"
        );
    }
}
