//! One line of a history: its schema, and a run or an acknowledgement.

use serde::{Deserialize, Serialize};

use super::acknowledgement::Acknowledgement;
use super::entry::Entry;
use crate::diagnostic::{Diagnostic, Origin};

/// The name of the format, without its version.
const FORMAT: &str = "loadgate.history/";
/// The version that is written, and the newest that is read.
const VERSION: u32 = 1;

/// What a line holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    /// A run.
    Run(Box<Entry>),
    /// An accepted change.
    Acknowledgement(Box<Acknowledgement>),
}

#[derive(Serialize)]
struct Written<'a> {
    schema: String,
    #[serde(flatten)]
    line: &'a Line,
}

#[derive(Deserialize)]
struct Head {
    schema: String,
}

/// The text of a line, with its end.
pub fn write(line: &Line) -> serde_json::Result<String> {
    let written = Written {
        schema: format!("{FORMAT}{VERSION}"),
        line,
    };
    Ok(serde_json::to_string(&written)? + "\n")
}

/// Whether text begins like a line of a history, of whatever version.
pub fn is_history(text: &str) -> bool {
    serde_json::from_str::<Head>(text).is_ok_and(|head| head.schema.starts_with(FORMAT))
}

/// Whether bytes begin as [`write()`] begins a line: what a killed writer leaves is told by it.
pub fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(b"{\"schema\":\"loadgate.history/")
}

/// Reads a line; what is wrong with it is told with its place.
pub fn read(text: &str, file: &str, number: u64) -> Result<Line, Diagnostic> {
    let at = |error: &serde_json::Error| Origin::at(file, number, error.column().max(1) as u64);
    let bad = |error: &serde_json::Error, what: &str| {
        Diagnostic::new("bad-line", format!("{what}: {}", cause(error)))
            .at(at(error))
            .help(
                "restore the line from a copy of the history; `--allow-bad-lines 1` goes on without it",
            )
    };
    let head: Head =
        serde_json::from_str(text).map_err(|e| bad(&e, "this is no line of a history"))?;
    let version = head.schema.strip_prefix(FORMAT).map(str::parse::<u32>);
    match version {
        Some(Ok(1..=VERSION)) => {}
        Some(Ok(newer)) if newer > VERSION => {
            return Err(Diagnostic::new(
                "newer-history",
                format!("this line was written by a newer loadgate (`{FORMAT}{newer}`)"),
            )
            .at(Origin::line(file, number))
            .help(format!(
                "update loadgate; this one reads up to `{FORMAT}{VERSION}`"
            )));
        }
        _ => {
            return Err(Diagnostic::new(
                "bad-line",
                format!("`{}` is not a schema of a history", head.schema),
            )
            .at(Origin::line(file, number))
            .help("a history is what `loadgate check --record` writes"));
        }
    }
    let line = serde_json::from_str(text).map_err(|e| bad(&e, "this line cannot be read"))?;
    if let Line::Run(entry) = &line
        && let Some(problem) = entry.impossible(file, number, text)
    {
        return Err(problem);
    }
    Ok(line)
}

/// serde's message without its place, which is ours to tell.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::entry::tests::entry;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let line = Line::Run(Box::new(entry(50, "4f2a")));
        let text = write(&line).unwrap();
        assert!(text.starts_with(r#"{"schema":"loadgate.history/1","kind":"run","id":""#));
        assert_eq!(text.matches('\n').count(), 1);
        assert!(is_history(text.trim_end()));
        assert_eq!(read(text.trim_end(), "h", 1).unwrap(), line);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let of = |text: &str| read(text, "h.jsonl", 7).unwrap_err().short();
        let newer = of(r#"{"schema":"loadgate.history/2","kind":"run"}"#);
        assert!(newer.starts_with(
            "h.jsonl:7: error[newer-history]: this line was written by a newer loadgate (`loadgate.history/2`)"
        ));
        assert!(of("{").starts_with("h.jsonl:7:1: error[bad-line]: this is no line of a history"));
        assert!(of(r#"{"schema":"other/1"}"#).contains("`other/1` is not a schema of a history"));
        assert!(of(r#"{"schema":"loadgate.history/1","kind":"run"}"#).contains("missing field"));
    }
}
