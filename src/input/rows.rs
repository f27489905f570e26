//! Reading a table of Locust's whole, within limits: an open quote makes one row of all that follows, and a small archive
//! can hold a very large table.

use std::io::{self, Read as _};

use super::locust::Kind;
use super::open::{Input, beyond, unreadable, without_mark};
use crate::diagnostic::{Diagnostic, Origin};
use crate::limits;
use crate::progress::Progress;

/// Entries of Locust's JSON, of all processes together.
const ENTRIES: u64 = 100_000;
/// Bytes read at a time.
const STEP: u64 = 1 << 16;

/// The bytes of a file of Locust's, decompressed.
pub fn read(input: &Input, kind: Kind) -> Result<Vec<u8>, Diagnostic> {
    if kind == Kind::Json {
        return json(input);
    }
    let head = without_mark(input.head());
    let mut rows = Rows::new(head);
    // In UTF-16, as a spreadsheet may write it, the bytes of quotes say nothing.
    let is_wide = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    let failed = |error: io::Error| unreadable(&input.name, &error);
    let mut reader = input.reader(&Progress::default()).map_err(failed)?;
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let before = bytes.len();
        let read = reader.by_ref().take(STEP).read_to_end(&mut bytes);
        if read.map_err(failed)? == 0 {
            return Ok(bytes);
        }
        if bytes.len() as u64 > limits::WHOLE {
            let limit = limits::bytes(limits::WHOLE);
            return Err(failed(beyond(format!(
                "a table is read up to {limit}, and this one is longer"
            ))));
        }
        if is_wide {
            continue;
        }
        for byte in &bytes[before..] {
            rows.see(*byte);
        }
        rows.check(&input.name)?;
    }
}

fn json(input: &Input) -> Result<Vec<u8>, Diagnostic> {
    let bytes = input.whole("Locust's JSON")?;
    let entries = memchr::memmem::find_iter(&bytes, b"\"num_requests\"").count() as u64;
    if entries > ENTRIES {
        let message = format!("it has {entries} entries; up to {ENTRIES} are read");
        return Err(Diagnostic::new("beyond-limit", message)
            .at(Origin::file(&input.name))
            .help("names that hold ids make an endpoint of every request: group them in the load script by `name`"));
    }
    Ok(bytes)
}

/// Where the reading of a table stands, byte by byte, by the rules of the `csv` crate.
struct Rows {
    delimiter: u8,
    state: State,
    /// Line of the byte, from 1.
    line: u64,
    ended: u64,
    /// Line and bytes of the row.
    began: u64,
    len: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// At the begin of a cell.
    Begin,
    Plain,
    Quoted,
    /// Behind a quote within quotes: the end of the cell, or one of two quotes that stand for one.
    Closing,
}

impl Rows {
    fn new(head: &[u8]) -> Self {
        let line = head
            .split(|b| *b == b'\n')
            .find(|line| !line.trim_ascii().is_empty());
        let count = |c: u8| memchr::memchr_iter(c, line.unwrap_or_default()).count();
        let delimiter = if count(b';') > count(b',').max(count(b'\t')) {
            b';'
        } else if count(b'\t') > count(b',') {
            b'\t'
        } else {
            b','
        };
        Self {
            delimiter,
            state: State::Begin,
            line: 1,
            ended: 0,
            began: 1,
            len: 0,
        }
    }

    fn see(&mut self, byte: u8) {
        self.len += 1;
        self.line += u64::from(byte == b'\n');
        self.state = match (self.state, byte) {
            (State::Quoted, b'"') => State::Closing,
            (State::Closing | State::Begin, b'"') | (State::Quoted, _) => State::Quoted,
            (_, b'\n' | b'\r') => {
                self.ended += u64::from(byte == b'\n');
                self.began = self.line;
                self.len = 0;
                State::Begin
            }
            (_, byte) if byte == self.delimiter => State::Begin,
            _ => State::Plain,
        };
    }

    fn check(&self, name: &str) -> Result<(), Diagnostic> {
        if self.len > limits::TABLE_ROW {
            let limit = limits::bytes(limits::TABLE_ROW as u64);
            let message = format!("the row that begins here is longer than {limit}");
            let help = if self.state == State::Quoted {
                "a quote seems to be open: `\"` begins a text that never ends"
            } else {
                "the file looks damaged; copy it again after Locust has ended"
            };
            return Err(Diagnostic::new("beyond-limit", message)
                .at(Origin::line(name, self.began))
                .help(help));
        }
        if self.ended > limits::TABLE_ROWS {
            let message = format!("the table has more than {} rows", limits::TABLE_ROWS);
            return Err(Diagnostic::new("beyond-limit", message)
                .at(Origin::file(name))
                .help("run Locust without `--csv-full-history`, or check its `--json`, which is smaller"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Rows {
        let mut rows = Rows::new(text.as_bytes());
        text.bytes().for_each(|byte| rows.see(byte));
        rows
    }

    #[test]
    fn a_quote_opens_only_where_a_cell_begins() {
        assert_eq!(rows("a,b\n\"x\ny\",1\nz\"z,2\n").ended, 3);
        assert_eq!(rows("a,b\n\"x\"\"y\n\",1\n").ended, 2);
        assert_eq!(rows("a;b\n1,\"2;3\n4;5\n").ended, 3);
        let open = rows("a,b\nc,\"d\ne,f\ng\n");
        assert_eq!((open.ended, open.began), (1, 2));
    }

    #[test]
    fn a_row_without_end_is_told_with_its_line() {
        let text = format!("a,b\nc,\"d\n{}", "e,f\n".repeat(limits::TABLE_ROW / 4 + 1));
        let problem = rows(&text).check("t.csv").expect_err("too long").short();
        assert!(
            problem.starts_with("t.csv:2: error[beyond-limit]"),
            "{problem}"
        );
        assert!(problem.contains("quote"), "{problem}");
    }
}
