//! Request logs: JSON Lines or one JSON array, one object for each request.

use std::io::{BufRead, Read};

use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Origin};
use crate::summary::Source;
use crate::tally::{Request, Tally};

mod keys;
mod values;

use keys::Keys;

/// Longest line that is read.
const LONGEST_LINE: u64 = 1 << 20;
/// Bad lines shown one by one; the rest is counted.
const SHOWN: usize = 5;

/// Whether the first bytes of a file are those of a request log.
pub fn looks_like_one(head: &[u8]) -> bool {
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    text.starts_with(b"{")
        || text
            .strip_prefix(b"[")
            .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{"))
}

/// Whether the first bytes of a file hold at least one whole record of a request log. A folder may also hold other JSON
/// (a report, notes on the run), which begins like a log and is none.
pub fn holds_a_record(head: &[u8], map: &[(String, String)]) -> bool {
    let keys = Keys::new(map);
    let is_record = |text: &[u8]| {
        let object: Option<Map<String, Value>> = serde_json::from_slice(text).ok();
        object.is_some_and(|object| keys.read(&object).is_ok())
    };
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    if let Some(elements) = text.strip_prefix(b"[") {
        let first = serde_json::Deserializer::from_slice(elements)
            .into_iter::<Map<String, Value>>()
            .next();
        return first
            .and_then(Result::ok)
            .is_some_and(|object| keys.read(&object).is_ok());
    }
    text.split(|b| *b == b'\n').any(is_record)
}

/// Reads the request logs of one run.
pub struct Reader {
    keys: Keys,
    tally: Tally,
    notes: Vec<String>,
    first_start_ms: Option<i64>,
    not_before_ms: Option<i64>,
    left_out: u64,
    without_start: u64,
}

/// What is wrong with a record: the message, the key or text it is about, what to do.
struct Bad {
    message: String,
    /// Column from 1, in characters.
    column: usize,
    help: &'static str,
}

const HELP: &str = "one JSON object for each request, with a name and a response time; `--map FIELD=KEY` names other keys, \
                    `--allow-bad-lines N` goes on without bad lines";

impl Reader {
    /// A reader that knows where the user's fields are.
    pub fn new(map: &[(String, String)]) -> Self {
        Self {
            keys: Keys::new(map),
            tally: Tally::default(),
            notes: Vec::new(),
            first_start_ms: None,
            not_before_ms: None,
            left_out: 0,
            without_start: 0,
        }
    }

    /// Looks for the earliest start; bad lines are left to the reading itself.
    pub fn find_first_start(&mut self, bytes: &mut dyn BufRead) {
        let mut first = self.first_start_ms;
        let keys = &self.keys;
        let _ = each_record(bytes, &mut |_, record| {
            if let Ok(object) = record
                && let Some(start) = keys.start(&object).ok().flatten()
            {
                first = Some(first.map_or(start, |f| f.min(start)));
            }
        });
        self.first_start_ms = first;
    }

    /// Leaves out what starts within this many ms of the first start found.
    pub fn leave_out(&mut self, warmup_ms: f64) {
        self.not_before_ms = self
            .first_start_ms
            .map(|first| first + warmup_ms.round() as i64);
    }

    /// Counts one log.
    pub fn read(
        &mut self,
        file: &str,
        bytes: &mut dyn BufRead,
        allowance: &mut u64,
    ) -> Result<Source, Vec<Diagnostic>> {
        let (mut records, mut bad, mut bad_count) = (0, Vec::new(), 0_u64);
        let end = each_record(bytes, &mut |line, record| {
            let answer = record.and_then(|object| self.count(&object.map, &object.text));
            match answer {
                Ok(()) => records += 1,
                Err(wrong) => {
                    bad_count += 1;
                    if bad.len() < SHOWN {
                        let origin = Origin::at(file, line, wrong.column as u64);
                        bad.push(
                            Diagnostic::new("bad-line", wrong.message)
                                .at(origin)
                                .help(wrong.help),
                        );
                    }
                }
            }
        });
        match end {
            Ok(None) => {}
            Ok(Some(line)) => self.notes.push(format!(
                "{file}: the last line ({line}) is cut off and was left out"
            )),
            Err(error) => {
                bad.push(
                    Diagnostic::new(
                        "corrupt-archive",
                        format!("cannot read it to its end: {error}"),
                    )
                    .at(Origin::file(file))
                    .help("was the file written, or copied, to its end?"),
                );
                return Err(bad);
            }
        }
        if bad_count > *allowance {
            if bad_count > SHOWN as u64 {
                let more = bad_count - SHOWN as u64;
                bad.push(
                    Diagnostic::new("bad-line", format!("… and {more} more bad lines"))
                        .at(Origin::file(file)),
                );
            }
            return Err(bad);
        }
        *allowance -= bad_count;
        Ok(Source {
            path: file.to_owned(),
            format: "request-log",
            records,
            rejected: bad_count,
        })
    }

    fn count(&mut self, object: &Map<String, Value>, text: &str) -> Result<(), Bad> {
        let bad = |(key, message): (String, String)| Bad {
            message,
            column: column_of(text, &key),
            help: HELP,
        };
        let record = self.keys.read(object).map_err(bad)?;
        let before = |at: Option<i64>| matches!((at, self.not_before_ms), (Some(at), Some(bound)) if at < bound);
        if before(record.start_ms) {
            self.left_out += 1;
            return Ok(());
        }
        let Some((name, response_time_us)) = record.request else {
            for (name, value) in &record.fields {
                self.tally.add_sample(name, *value, record.start_ms);
            }
            return Ok(());
        };
        let fields: Vec<(&str, f64)> = record
            .fields
            .iter()
            .map(|(n, v)| (n.as_str(), *v))
            .collect();
        self.without_start += u64::from(record.start_ms.is_none());
        self.tally.add(&Request {
            start_ms: record.start_ms,
            method: &record.method,
            name: &name,
            response_time_us,
            status: record.status,
            failed: record.failed,
            error: record.error.as_deref(),
            users: record.users,
            response_length: record.response_length,
            fields: &fields,
        });
        Ok(())
    }

    /// The counts, and what the reader of a report must know of them.
    pub fn finish(mut self) -> (Tally, Vec<String>) {
        if self.left_out > 0 {
            self.notes.push(format!(
                "{} records of the warm-up were left out",
                self.left_out
            ));
        }
        if self.without_start > 0 {
            let note = format!(
                "{} requests have no timestamp: they count, but not over time",
                self.without_start
            );
            self.notes.push(note);
        }
        (self.tally, self.notes)
    }
}

/// One parsed record and the text it came from.
struct Record {
    map: Map<String, Value>,
    text: String,
}

impl std::ops::Deref for Record {
    type Target = Map<String, Value>;
    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

fn column_of(text: &str, key: &str) -> usize {
    let last = key.rsplit('.').next().unwrap_or(key);
    let at = text.find(&format!("\"{last}\"")).unwrap_or(0);
    text[..at].chars().count() + 1
}

type Visit<'v> = dyn FnMut(u64, Result<Record, Bad>) + 'v;

/// Calls `visit` for every record with its line; answers the number of a last line that is cut off.
fn each_record(bytes: &mut dyn BufRead, visit: &mut Visit<'_>) -> std::io::Result<Option<u64>> {
    let head = bytes.fill_buf()?;
    if head.starts_with(b"\xef\xbb\xbf") {
        bytes.consume(3);
    }
    if bytes.fill_buf()?.trim_ascii_start().starts_with(b"[{")
        || bytes
            .fill_buf()?
            .trim_ascii_start()
            .strip_prefix(b"[")
            .is_some_and(|r| r.trim_ascii_start().starts_with(b"{"))
    {
        return array(bytes, visit).map(|()| None);
    }
    let (mut number, mut line) = (0_u64, Vec::new());
    loop {
        line.clear();
        if (&mut *bytes)
            .take(LONGEST_LINE + 1)
            .read_until(b'\n', &mut line)?
            == 0
        {
            return Ok(None);
        }
        number += 1;
        let ended = line.last() == Some(&b'\n');
        if !ended && line.len() as u64 > LONGEST_LINE {
            skip_line(bytes)?;
            let message = "the line is longer than 1 MiB".to_owned();
            visit(
                number,
                Err(Bad {
                    message,
                    column: 1,
                    help: HELP,
                }),
            );
            continue;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match parse(&line) {
            Err(_) if !ended && is_cut(&line) => return Ok(Some(number)),
            record => visit(number, record),
        }
    }
}

/// A last line without its end that begins like a record: the writer was stopped.
fn is_cut(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"{")
        && serde_json::from_slice::<Value>(line).is_err_and(|error| error.is_eof())
}

fn skip_line(bytes: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let buffer = bytes.fill_buf()?;
        let end = buffer.iter().position(|b| *b == b'\n');
        let used = end.map_or(buffer.len(), |i| i + 1);
        let done = end.is_some() || buffer.is_empty();
        bytes.consume(used);
        if done {
            return Ok(());
        }
    }
}

fn parse(line: &[u8]) -> Result<Record, Bad> {
    let text = std::str::from_utf8(line).map_err(|error| Bad {
        message: format!("byte {} is not UTF-8", error.valid_up_to() + 1),
        column: String::from_utf8_lossy(&line[..error.valid_up_to()])
            .chars()
            .count()
            + 1,
        help: HELP,
    })?;
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(Record {
            map,
            text: text.to_owned(),
        }),
        Ok(other) => Err(Bad {
            message: format!("expected an object, found {}", values::kind(&other)),
            column: 1,
            help: HELP,
        }),
        Err(error) => Err(Bad {
            message: format!("not JSON: {}", values::without_position(&error)),
            column: error.column().max(1),
            help: HELP,
        }),
    }
}

fn array(bytes: &mut dyn BufRead, visit: &mut Visit<'_>) -> std::io::Result<()> {
    let mut all = Vec::new();
    bytes.read_to_end(&mut all)?;
    let values: Vec<&serde_json::value::RawValue> = match serde_json::from_slice(&all) {
        Ok(values) => values,
        Err(error) => {
            let message = format!("not a JSON array: {}", values::without_position(&error));
            visit(
                error.line() as u64,
                Err(Bad {
                    message,
                    column: error.column().max(1),
                    help: HELP,
                }),
            );
            return Ok(());
        }
    };
    let (mut line, mut counted) = (1, 0);
    for value in values {
        // Lines are counted from one element to the next, so that each is looked at once.
        let at = value.get().as_ptr() as usize - all.as_ptr() as usize;
        line += all[counted..at].split(|b| *b == b'\n').count() as u64 - 1;
        counted = at;
        visit(line, parse(value.get().as_bytes()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        text: &str,
        map: &[(&str, &str)],
    ) -> (Result<Source, Vec<Diagnostic>>, Tally, Vec<String>) {
        let map: Vec<(String, String)> = map
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        let mut reader = Reader::new(&map);
        let source = reader.read("log", &mut text.as_bytes(), &mut 0);
        let (tally, notes) = reader.finish();
        (source, tally, notes)
    }

    /// Response time in µs, failures, status, start of the only request.
    fn one(text: &str, map: &[(&str, &str)]) -> (u64, u64, Option<u16>, Option<i64>) {
        let (source, tally, _) = read(text, map);
        assert_eq!(source.expect("good").records, 1);
        let total = tally.total();
        let us = total.response_times.first().expect("one") as u64;
        (
            us,
            total.failures,
            total.statuses.keys().next().copied(),
            total.first_start_ms,
        )
    }

    #[test]
    fn three_styles_are_one() {
        let flat = r#"{"timestamp":"2026-01-01T00:00:01.1+00:00","start_time":1767225601.0,"request_type":"GET","name":"a","response_time":100.5,"status_code":200,"success":true,"exception":null}"#;
        let epoch = r#"{"ts":1767225601000,"method":"GET","endpoint":"a","latency_s":0.1005,"status":200,"error":null}"#;
        let nested = r#"{"time":"2026-01-01T00:00:01Z","request":{"method":"GET","name":"a"},"response":{"status":200,"time_ms":100.5},"error":null}"#;
        for line in [flat, epoch, nested] {
            assert_eq!(
                one(line, &[]),
                (100_500, 0, Some(200), Some(1_767_225_601_000)),
                "{line}"
            );
        }
    }

    #[test]
    fn failure_is_what_the_log_says_then_error_then_status() {
        let failures = |rest: &str| {
            one(
                &format!(r#"{{"name":"a","response_time_ms":1,{rest}}}"#),
                &[],
            )
            .1
        };
        assert_eq!(failures(r#""success":true,"status":500"#), 0);
        assert_eq!(failures(r#""error":"boom","status":200"#), 1);
        assert_eq!(failures(r#""status":404"#), 1);
        assert_eq!(failures(r#""status":399,"error":"""#), 0);
    }

    #[test]
    fn a_map_names_other_keys_with_their_unit() {
        let line = r#"{"who":{"op":"a"},"took":2500,"time":0}"#;
        assert_eq!(
            one(line, &[("name", "who.op"), ("response_time", "took:us")]).0,
            2500
        );
    }

    #[test]
    fn numbers_beside_the_request_are_fields_and_the_last_of_two_keys_wins() {
        let line = r#"{"name":"a","response_time_ms":1,"api_calls":1,"api_calls":2,"db":{"ms":3.5},"ok_flag":true,"user":"x"}"#;
        let (_, tally, _) = read(line, &[]);
        let fields = tally.total().fields;
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["api_calls", "db.ms"]);
        assert_eq!(fields["api_calls"].sum(), 2.0);
    }

    #[test]
    fn lines_without_a_request_are_samples() {
        let (source, tally, _) = read("{\"timestamp\":1767225601,\"memory_mb\":100}\n", &[]);
        assert!(source.is_ok() && tally.endpoints.is_empty());
        assert_eq!(tally.samples["memory_mb"].count(), 1);
    }

    #[test]
    fn an_array_is_a_log() {
        let (source, tally, _) = read(
            "[\n{\"name\":\"a\",\"response_time_ms\":1},\n{\"name\":\"a\",\"response_time_ms\":2}]",
            &[],
        );
        assert_eq!(
            (source.expect("good").records, tally.total().requests),
            (2, 2)
        );
        let (source, ..) = read(
            "[\n{\"name\":\"a\",\"response_time_ms\":1},\n{\"name\":\"a\"}]",
            &[],
        );
        assert_eq!(
            source.expect_err("bad")[0]
                .origin
                .as_ref()
                .and_then(|o| o.line),
            Some(3)
        );
    }

    #[test]
    fn five_bad_lines_are_shown_and_the_rest_is_counted() {
        let (source, ..) = read(&"nonsense\n".repeat(8), &[]);
        let problems = source.expect_err("bad");
        assert_eq!(problems.len(), 6);
        assert!(problems[5].message.contains("3 more"));
    }
}
