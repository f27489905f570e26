//! What a file is, by its first bytes, and what is to be said of one that cannot be read.

use std::path::Path;

use super::foreign::{self, Foreign};
use super::locust::Kind;
use super::open::{Input, without_mark};
use super::{Format, names, request_log};
use crate::diagnostic::{Diagnostic, Origin};

/// What loadgate reads, for messages.
pub const READS: &str =
    "loadgate reads Locust CSV and JSON, and request logs (JSON Lines or a JSON array)";

/// Lines looked at for a result that begins below them.
const LINES: usize = 200;

/// What a file is.
#[derive(Clone, Debug, PartialEq)]
pub enum Recognised {
    /// A result that can be read.
    Result(Format),
    /// loadgate's own, or another tool's.
    Foreign(Foreign),
    /// No bytes at all.
    Empty,
    /// None of these; where a result begins further down, what it is and its line.
    Unknown(Option<(&'static str, usize)>),
}

/// Recognises a file by its first bytes. `map` is the user's: what its keys name is a request, too.
pub fn recognise(input: &Input, map: &[(String, String)], in_folder: bool) -> Recognised {
    let head = input.head();
    if head.is_empty() {
        return Recognised::Empty;
    }
    let foreign = foreign::detect(head);
    if let Some(own) = foreign.filter(|foreign| foreign.is_own) {
        return Recognised::Foreign(own);
    }
    if let Some(kind) = Kind::detect(head) {
        return Recognised::Result(Format::Locust(kind));
    }
    if let Some(foreign) = foreign {
        return Recognised::Foreign(foreign);
    }
    // In a folder a log is told by a record, or by its name: other JSON begins with a bracket, too.
    let is_log = request_log::looks_like_one(head)
        && (!in_folder
            || request_log::holds_a_record(head, map)
            || names::looks_like_result(&input.name));
    if is_log {
        return Recognised::Result(Format::RequestLog);
    }
    Recognised::Unknown(further_down(head, map))
}

/// A result below other lines: what it is, and its line.
fn further_down(head: &[u8], map: &[(String, String)]) -> Option<(&'static str, usize)> {
    let mut rest = without_mark(head);
    for number in 1..=LINES {
        let end = memchr::memchr(b'\n', rest)?;
        let line = rest[..end].trim_ascii();
        let is_request = line.starts_with(b"{") && request_log::holds_a_record(line, map);
        if is_request {
            return Some(("a request", number));
        }
        let is_row = line.iter().any(|b| matches!(b, b',' | b';' | b'\t'));
        if number > 1 && is_row && !line.starts_with(b"[") && Kind::detect(line).is_some() {
            return Some(("the header of a table of Locust's", number));
        }
        rest = &rest[end + 1..];
    }
    None
}

/// What is wrong with a file of another tool's, or of our own, that was taken for a run.
pub fn not_a_run(name: &str, foreign: Foreign) -> Diagnostic {
    let help = foreign.help.map_or_else(
        || format!("{READS}; name such a file of the same run"),
        str::to_owned,
    );
    let message = if foreign.is_own {
        format!("this is {}, not a run", foreign.what)
    } else {
        format!(
            "this looks like {}, and that is not read as a run",
            foreign.what
        )
    };
    Diagnostic::new("not-a-run", message)
        .at(Origin::file(name))
        .help(help)
}

/// What is wrong with a file of no known format.
pub fn unknown(input: &Input, further_down: Option<(&'static str, usize)>) -> Diagnostic {
    if let Some((what, line)) = further_down {
        let message = format!("unknown format at its beginning, but line {line} is {what}");
        return Diagnostic::new("unknown-format", message)
            .at(Origin::at(&input.name, 1, 1))
            .help("delete what stands above it; a log's first lines can also be left out by `--format request-log --allow-bad-lines N`");
    }
    let head = input.head();
    let start: String = String::from_utf8_lossy(&head[..head.len().min(60)])
        .chars()
        .map(visible)
        .collect();
    let packed = packed(head).map(|tool| format!(", packed by {tool}"));
    Diagnostic::new(
        "unknown-format",
        format!(
            "unknown format{}; it begins with `{start}`",
            packed.unwrap_or_default()
        ),
    )
    .at(Origin::at(&input.name, 1, 1))
    .help(format!(
        "{READS}, as they are or compressed by gzip or Zstandard; `--format` names it: {}",
        Format::names()
    ))
}

/// What a file is packed with that is not undone.
fn packed(head: &[u8]) -> Option<&'static str> {
    const PACKED: [(&[u8], &str); 5] = [
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
        (b"PK\x03\x04", "zip"),
        (b"\x04\x22\x4d\x18", "lz4"),
        (b"7z\xbc\xaf", "7-Zip"),
    ];
    let found = PACKED.iter().find(|(magic, _)| head.starts_with(magic));
    found.map(|(_, tool)| *tool)
}

fn visible(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// A file without bytes: a log to which nothing was written, or an error.
pub fn empty(name: &str) -> Result<Format, Diagnostic> {
    let extension = Path::new(name)
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    if ["jsonl", "ndjson", "log"].contains(&extension) {
        return Ok(Format::RequestLog);
    }
    Err(
        Diagnostic::new("empty-input", "the file is empty, it has not even a header")
            .at(Origin::file(name))
            .help("was the load test ended before it wrote anything?"),
    )
}
