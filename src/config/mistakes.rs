//! What is wrong with a TOML file of the user's, gathered with line, column and caret, so that all is told at once.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Origin, Snippet};

/// A TOML value that knows where it stands.
pub type Value<'t> = Spanned<DeValue<'t>>;

/// The mistakes of one file.
pub struct Mistakes<'t> {
    text: &'t str,
    file: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
    found: Vec<Diagnostic>,
    /// How many there are, shown or not.
    count: usize,
}

/// Mistakes that are shown: more are of a file that is something else.
const MOST: usize = 1000;

impl<'t> Mistakes<'t> {
    /// None yet in this text. `file` is its path as the user gave it.
    pub fn new(text: &'t str, file: &'t str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            file,
            lines: std::iter::once(0).chain(ends).collect(),
            found: Vec::new(),
            count: 0,
        }
    }

    /// The number of the line, from 1, in which a byte stands, and where that line begins.
    pub fn line_of(&self, at: usize) -> (u64, usize) {
        let number = self.lines.partition_point(|begin| *begin <= at);
        let begin = number.checked_sub(1).and_then(|i| self.lines.get(i));
        (number as u64, begin.copied().unwrap_or_default())
    }

    /// The whole file, unless it is not TOML; `help` says what it should be.
    pub fn parse(&mut self, help: &str) -> Option<Spanned<DeTable<'t>>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            self.add("config-syntax", span, error.message().to_owned(), help);
        }
        errors.is_empty().then_some(table)
    }

    /// As much of the file as is TOML: what is wrong elsewhere in it is to be told at once, too.
    pub fn parse_what_can_be(&mut self, help: &str) -> Spanned<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            self.add("config-syntax", span, error.message().to_owned(), help);
        }
        table
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// All of them in the order of the file, if there are any.
    pub fn none_or_all(mut self) -> Result<(), Vec<Diagnostic>> {
        self.leave_out_consequences();
        self.found.sort_by_key(|p| p.origin.clone());
        let more = self.count.saturating_sub(MOST);
        if more > 0 {
            let message = format!("{more} more mistakes are not shown");
            let help = "is this the file that was meant?";
            let problem = Diagnostic::new("bad-value", message).at(Origin::file(self.file));
            self.found.push(problem.help(help));
        }
        if self.found.is_empty() {
            Ok(())
        } else {
            Err(self.found)
        }
    }

    /// What follows from a line that is not TOML is no mistake of its own: the rest of that line, and keys that are missing,
    /// perhaps because they stand in it.
    fn leave_out_consequences(&mut self) {
        let line = |problem: &Diagnostic| problem.origin.as_ref().and_then(|at| at.line);
        let is_syntax = |problem: &Diagnostic| problem.code == "config-syntax";
        let broken: BTreeSet<_> = self
            .found
            .iter()
            .filter(|p| is_syntax(p))
            .map(line)
            .collect();
        if !broken.is_empty() {
            self.found.retain(|problem| {
                is_syntax(problem)
                    || (problem.code != "missing-key" && !broken.contains(&line(problem)))
            });
        }
    }

    /// Notes a mistake; `span` is in bytes, and the part of it on its first line is marked.
    pub fn add(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: String,
        help: impl Into<String>,
    ) {
        self.count += 1;
        if self.found.len() >= MOST {
            return;
        }
        let start = span.start.min(self.text.len());
        let (line, line_start) = self.line_of(start);
        let line_end = self.text[start..]
            .find('\n')
            .map_or(self.text.len(), |i| start + i);
        let column = self.text[line_start..start].chars().count();
        let marked = self.text[start..span.end.clamp(start, line_end)]
            .chars()
            .count()
            .max(1);
        self.found.push(
            Diagnostic::new(code, message)
                .at(Origin::at(self.file, line, column as u64 + 1))
                .snippet(Snippet::of(
                    &self.text[line_start..line_end],
                    column,
                    marked,
                ))
                .help(help),
        );
    }

    /// A key that means nothing, with the nearest that does.
    pub fn unknown_key(&mut self, key: &str, span: Range<usize>, known: &[&str]) {
        let help = match nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        self.add("unknown-key", span, format!("unknown key `{key}`"), help);
    }

    /// A value of another type than `expected`, as `a table`.
    pub fn wrong_type(&mut self, value: &Value<'_>, what: &str, expected: &str) {
        let found = value.get_ref().type_str();
        self.add(
            "bad-value",
            value.span(),
            format!("`{what}` is {expected}, not a value of type {found}"),
            format!("write {expected}"),
        );
    }

    /// A table, or a mistake.
    pub fn table<'v>(&mut self, value: &'v Value<'_>, what: &str) -> Option<&'v DeTable<'v>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(value, what, "a table");
        }
        table
    }

    /// A text, or a mistake.
    pub fn string<'v>(&mut self, value: &'v Value<'_>, what: &str) -> Option<&'v str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(value, what, "a text in quotes");
        }
        text
    }
}

/// A whole number, in any of TOML's bases.
pub fn integer(value: &Value<'_>) -> Option<i64> {
    let number = value.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// The known word nearest to a mistyped one, if it is near.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, found) = known.map(|k| (edits(word, k), k)).min_by_key(|(d, _)| *d)?;
    (distance <= 1 + word.chars().count() / 4).then_some(found)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replace = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
