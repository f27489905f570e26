//! Locust's `--json` document, indented as Python's `json.dumps(…, indent=4)` does.

use std::io::{self, Write};

use super::Counted;
use super::entry::Entry;
use super::tables::{repr, seconds};

/// Writes one object per endpoint, in the order of their first responses.
pub fn write(counted: &Counted, mut out: impl Write) -> io::Result<()> {
    if counted.entries.is_empty() {
        return out.write_all(b"[]");
    }
    for (i, entry) in counted.entries.iter().enumerate() {
        out.write_all(if i == 0 { b"[\n" } else { b",\n" })?;
        object(entry, &mut out)?;
    }
    out.write_all(b"\n]")
}

fn object(entry: &Entry, out: &mut impl Write) -> io::Result<()> {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let float = |value: Option<f64>| value.map_or("null".to_owned(), repr);
    writeln!(out, "    {{")?;
    for (key, value) in [
        ("name", text(&entry.key.name)),
        ("method", text(&entry.key.method)),
        ("last_request_timestamp", float(entry.last_us.map(seconds))),
        ("start_time", repr(seconds(entry.start_us))),
        ("num_requests", entry.requests.to_string()),
        ("num_none_requests", "0".to_owned()),
        ("num_failures", entry.failures.to_string()),
        ("total_response_time", repr(entry.sum_ms)),
        ("max_response_time", repr(entry.max_ms)),
        ("min_response_time", float(entry.min_ms)),
        ("total_content_length", entry.bytes.to_string()),
    ] {
        writeln!(out, "        \"{key}\": {value},")?;
    }
    counts(out, "response_times", entry.times.in_order())?;
    out.write_all(b",\n")?;
    let seconds = entry.per_second.iter().map(|(at, n)| (*at, *n));
    counts(out, "num_reqs_per_sec", seconds)?;
    out.write_all(b",\n")?;
    let seconds = entry.failures_per_second.iter().map(|(at, n)| (*at, *n));
    counts(out, "num_fail_per_sec", seconds)?;
    out.write_all(b"\n    }")
}

fn counts<K: std::fmt::Display>(
    out: &mut impl Write,
    name: &str,
    counts: impl Iterator<Item = (K, u64)>,
) -> io::Result<()> {
    write!(out, "        \"{name}\": {{")?;
    let mut any = false;
    for (key, count) in counts {
        let comma = if any { "," } else { "" };
        write!(out, "{comma}\n            \"{key}\": {count}")?;
        any = true;
    }
    out.write_all(if any { b"\n        }" } else { b"}" })
}
