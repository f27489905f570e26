//! What is not to be read as a run: loadgate's own files, and other tools' results.
//!
//! A summary of another tool is JSON, too, and has numbers that look like a request's. It is told by its keys.

use std::collections::BTreeSet;

use super::open::without_mark;

/// Keys deeper than this are not looked at.
const DEPTH: usize = 3;
/// Keys looked at.
const MOST_KEYS: usize = 2000;

/// A file that is no run of loadgate's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What it is, with its article.
    pub what: &'static str,
    /// Whether loadgate wrote it.
    pub is_own: bool,
    /// What to do, if there is more to say than what loadgate reads.
    pub help: Option<&'static str>,
}

/// What the first bytes of a file say that it is.
pub fn detect(head: &[u8]) -> Option<Foreign> {
    let text = without_mark(head).trim_ascii_start();
    if let Some(own) = own(text) {
        return Some(own);
    }
    let what = if text.starts_with(b"{") || text.starts_with(b"[") {
        let keys = outline(text);
        by_keys(&keys).or_else(|| is_statistics(&keys).then_some(STATISTICS))
    } else {
        by_text(text)
    }?;
    Some(Foreign {
        what,
        is_own: false,
        help: None,
    })
}

const STATISTICS: &str = "a summary of statistics (it has percentiles), not a log of requests";

/// loadgate's own files, by their schema.
fn own(text: &[u8]) -> Option<Foreign> {
    if text.starts_with(b"run,started_at,method,name,metric,value,unit,status") {
        return Some(Foreign {
            what: "a `metrics.csv` of loadgate",
            is_own: true,
            help: Some("name the results that it was computed from"),
        });
    }
    let schema = schema(text)?;
    let (what, help) = match schema.split('/').next() {
        Some("history") => (
            "a loadgate history",
            "`--baseline` compares with it, `loadgate trend` follows it",
        ),
        Some("report") => (
            "a loadgate report",
            "`--baseline` compares with it; to judge its run again, name the results it was made from",
        ),
        _ => ("a file of loadgate's own", "name the results of a run"),
    };
    Some(Foreign {
        what,
        is_own: true,
        help: Some(help),
    })
}

/// Whether the first bytes of a file are those of a history.
pub fn is_history(head: &[u8]) -> bool {
    let text = without_mark(head).trim_ascii_start();
    schema(text).is_some_and(|schema| schema.starts_with("history/"))
}

const KEY: &[u8] = b"\"schema\"";

/// What follows `loadgate.` in the value of a key `schema`, wherever one stands in the text.
fn schema(text: &[u8]) -> Option<String> {
    if !text.starts_with(b"{") && memchr::memmem::find(text, b"\n{").is_none() {
        return None;
    }
    memchr::memmem::find_iter(text, KEY).find_map(|at| {
        let rest = text[at + KEY.len()..].trim_ascii_start();
        let rest = rest.strip_prefix(b":")?.trim_ascii_start();
        let value = rest.strip_prefix(b"\"loadgate.")?;
        let end = memchr::memchr(b'"', value)?;
        String::from_utf8(value[..end].to_vec()).ok()
    })
}

/// Tools whose JSON has all of these keys.
const BY_KEYS: &[(&str, &[&str])] = &[
    ("k6's summary", &["metrics", "root_group"]),
    ("k6's summary", &["metrics", "state"]),
    ("k6's summary", &["metrics.http_reqs"]),
    ("k6's summary", &["metrics.iterations"]),
    ("k6's summary", &["metrics.vus"]),
    ("k6's summary", &["config.execution", "config.script"]),
    ("k6's summary", &["results.metrics", "results.checks"]),
    (
        "k6's data points (`--out json`)",
        &["type", "metric", "data"],
    ),
    ("vegeta's report", &["latencies", "status_codes"]),
    ("vegeta's report", &["latencies", "bytes_in", "requests"]),
    ("oha's summary", &["summary.requestsPerSec"]),
    ("oha's summary", &["responseTimeHistogram"]),
    (
        "autocannon's summary",
        &["latency.average", "requests.average"],
    ),
    ("autocannon's summary", &["latency", "throughput", "non2xx"]),
    ("Artillery's report", &["aggregate", "intermediate"]),
    ("Artillery's report", &["aggregate.counters"]),
    ("Artillery's report", &["aggregate.latency"]),
    ("JMeter's `statistics.json`", &["Total.sampleCount"]),
    ("JMeter's `statistics.json`", &["Total.meanResTime"]),
    (
        "Gatling's statistics",
        &["numberOfRequests", "meanResponseTime"],
    ),
    (
        "Gatling's statistics",
        &["type", "name", "stats.numberOfRequests"],
    ),
    (
        "siege's summary",
        &["transactions", "availability", "transaction_rate"],
    ),
    ("bombardier's summary", &["spec", "result.latency"]),
    ("bombardier's summary", &["result.req2xx"]),
    ("fortio's result", &["DurationHistogram", "ActualQPS"]),
    ("ghz's summary", &["latencyDistribution"]),
    ("NBomber's statistics", &["ScenarioStats"]),
    ("hyperfine's results", &["results.command", "results.mean"]),
    (
        "the statistics of Locust's web page",
        &["stats", "total_rps"],
    ),
    (
        "the statistics of Locust's web page",
        &["stats", "user_count"],
    ),
    (
        "Locust's table as JSON",
        &["avg_response_time", "num_requests"],
    ),
    ("an HTTP archive (HAR)", &["log.entries", "log.creator"]),
];

fn by_keys(keys: &BTreeSet<String>) -> Option<&'static str> {
    BY_KEYS
        .iter()
        .find(|(_, all)| all.iter().all(|key| keys.contains(*key)))
        .map(|(what, _)| *what)
}

/// Tools whose text begins so.
const BY_START: &[(&str, &str)] = &[
    ("hey's summary", "\nSummary:\n  Total:"),
    ("hey's CSV", "response-time,DNS+dialup"),
    ("oha's summary", "Summary:\n  Success rate:"),
    ("oha's CSV", "request-start,DNS"),
    ("ApacheBench's output", "This is ApacheBench"),
    ("ApacheBench's percentiles", "Percentage served,Time in ms"),
    ("ApacheBench's gnuplot data", "starttime\tseconds\tctime"),
    ("h2load's output", "starting benchmark..."),
    ("wrk's output", "Running "),
    ("siege's output", "** SIEGE "),
    ("siege's output", "\nTransactions:\t"),
    ("vegeta's report", "Requests      [total"),
    ("k6's CSV", "metric_name,timestamp,metric_value"),
    ("a JMeter log (JTL) in XML", "<testResults"),
    ("Taurus' statistics", "label,avg_ct,avg_lt,avg_rt"),
    ("an HdrHistogram", "       Value     Percentile TotalCount"),
    ("an HdrHistogram", "Value(ms)   Percentile  TotalCount"),
    (
        "vegeta's histogram",
        "Bucket           #    %       Histogram",
    ),
    ("an HdrHistogram log", "#[Histogram log format version"),
    ("Gatling's `simulation.log`", "RUN\t"),
    ("Gatling's `simulation.log`", "ASSERTION\t"),
    ("Parquet", "PAR1"),
];

fn by_text(head: &[u8]) -> Option<&'static str> {
    // A Gatling log from 3.13 on: a record 0, and the length of a version such as `3.14.3`.
    if head.starts_with(&[0, 0, 0, 0])
        && matches!(head.get(4..7), Some([4..=12, b'2'..=b'9', b'.']))
    {
        return Some("Gatling's `simulation.log`");
    }
    let holds = |word: &[u8]| memchr::memmem::find(&head[..head.len().min(512)], word).is_some();
    if holds(b"Attack") && holds(b"Latency") && holds(b"BytesOut") {
        return Some("vegeta's binary results");
    }
    let text = String::from_utf8_lossy(&head[..head.len().min(4096)]);
    let text = text.replace("\r\n", "\n");
    let begins = |start: &str| {
        text.trim_start().starts_with(start.trim_start())
            && (start != "Running " || text.lines().next().is_some_and(|l| l.contains("test @")))
    };
    let known = BY_START.iter().find(|(_, start)| begins(start));
    known.map(|(what, _)| *what).or_else(|| {
        let first = text.lines().next().unwrap_or_default().to_lowercase();
        let cells: Vec<&str> = first
            .split([',', ';', '\t'])
            .map(|cell| cell.trim().trim_matches('"'))
            .collect();
        let has = |cell: &str| cells.contains(&cell);
        let is_number = |at: usize, len: std::ops::RangeInclusive<usize>| {
            let cell = cells.get(at).copied().unwrap_or_default();
            len.contains(&cell.len()) && cell.bytes().all(|b| b.is_ascii_digit())
        };
        // Without a header: a moment in ns, a status, a response time in ns.
        if cells.len() >= 9 && is_number(0, 19..=19) && is_number(1, 1..=3) && is_number(2, 1..=15)
        {
            return Some("vegeta's results as CSV");
        }
        if cells.len() == 3 && is_number(0, 16..=16) && is_number(1, 1..=3) && is_number(2, 1..=12)
        {
            return Some("h2load's log");
        }
        if has("timestamp") && has("elapsed") && has("label") {
            return Some("a JMeter log (JTL)");
        }
        let any = |words: &[&str]| words.iter().any(|word| has(word));
        let times = [
            "response_time",
            "response_time_ms",
            "responsetime",
            "elapsed",
            "elapsed_ms",
            "latency",
            "latency_ms",
            "duration",
            "duration_ms",
        ];
        let names = ["name", "endpoint", "label", "url", "path", "operation"];
        let ends = [
            "status",
            "status_code",
            "success",
            "timestamp",
            "time",
            "ts",
        ];
        if any(&times) && any(&names) && any(&ends) {
            return Some("a table of requests (CSV)");
        }
        if text.contains("<testResults version=") {
            return Some("a JMeter log (JTL) in XML");
        }
        text.contains("          /\\      |‾‾|")
            .then_some("k6's output")
    })
}

/// Whether keys are those of finished statistics: at least two different percentiles.
fn is_statistics(keys: &BTreeSet<String>) -> bool {
    let leaves = keys.iter().map(|key| key.rsplit('.').next().unwrap_or(key));
    let percents: BTreeSet<&str> = leaves.filter(|leaf| is_percentile(leaf)).collect();
    percents.len() >= 2
}

/// Whether a key is that of an upper percentile: `p95`, `p(99)`, `p99_9`, `95th`, `95%`.
fn is_percentile(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    let named = ["percentile", "perc_", "pct", "p"]
        .iter()
        .find_map(|word| lower.strip_prefix(word));
    let bare = lower.strip_suffix("th").or_else(|| lower.strip_suffix('%'));
    let Some(digits) = named.or(bare) else {
        return false;
    };
    let digits = digits.trim_matches(['(', ')', '_', ' ']);
    let whole = digits.split(['.', '_']).next().unwrap_or_default();
    digits
        .bytes()
        .all(|b| b.is_ascii_digit() || b == b'.' || b == b'_')
        && whole.len() <= 3
        && whole
            .parse::<u32>()
            .is_ok_and(|n| (50..=100).contains(&n) || n == 999)
}

/// The keys of the first object of a text, as dotted paths; of lists those of their objects. The text may be cut.
fn outline(text: &[u8]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    // The path so far, and for each open bracket whether it is an object, and how many parts of the path are its own.
    let (mut path, mut open): (Vec<String>, Vec<(bool, usize)>) = (Vec::new(), Vec::new());
    let (mut at, mut key) = (0, None);
    let mut seen_object = false;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                let end = string_end(text, at + 1);
                let is_key = open.last().is_some_and(|(is_object, _)| *is_object)
                    && text[end..]
                        .iter()
                        .skip(1)
                        .find(|b| !b.is_ascii_whitespace())
                        == Some(&b':');
                if is_key {
                    let name = String::from_utf8_lossy(&text[at + 1..end]).into_owned();
                    if path.len() < DEPTH && keys.len() < MOST_KEYS {
                        let mut full = path.clone();
                        full.push(name.clone());
                        keys.insert(full.join("."));
                    }
                    key = Some(name);
                }
                at = end;
            }
            b'{' | b'[' => {
                let own = key.take().map_or(0, |name| {
                    path.push(name);
                    1
                });
                open.push((*byte == b'{', own));
                seen_object |= *byte == b'{';
            }
            b'}' | b']' => {
                let Some((_, own)) = open.pop() else { break };
                path.truncate(path.len() - own);
                let done = open.iter().all(|(is_object, own)| !is_object && *own == 0);
                if done && seen_object {
                    break;
                }
            }
            b',' => key = None,
            _ => {}
        }
        at += 1;
    }
    keys
}

/// Where the text that begins here ends: at its quote, or at the end of what there is.
fn string_end(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' => return at,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(text: &str) -> Option<&'static str> {
        detect(text.as_bytes()).map(|foreign| foreign.what)
    }

    #[test]
    fn an_outline_is_that_of_the_first_object() {
        let keys =
            outline(br#"[{"a":{"b":[{"c":{"d":1}},2],"e":"x: \"y\": {"},"f":null},{"g":1}]"#);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        assert_eq!(keys, ["a", "a.b", "a.b.c", "a.e", "f"]);
        assert_eq!(outline(b"{\"a\":{\"b").len(), 1);
        assert!(outline(b"}}\"").is_empty());
    }

    #[test]
    fn summaries_are_told_by_their_keys() {
        let k6 = r#"{"metrics":{"http_reqs":{"count":10,"rate":1.0}}}"#;
        assert_eq!(what(k6), Some("k6's summary"));
        let vegeta = r#"{"latencies":{"total":1,"mean":2},"status_codes":{"200":1}}"#;
        assert_eq!(what(vegeta), Some("vegeta's report"));
        let unknown = r#"{"name":"x","duration":10,"latency":{"p50":1,"p99":2}}"#;
        assert_eq!(what(unknown), Some(STATISTICS));
        let jmeter = r#"{"login":{"sampleCount":1},"Total":{"sampleCount":2}}"#;
        assert_eq!(what(jmeter), Some("JMeter's `statistics.json`"));
        assert_eq!(what("Running 10s test @ http://x/\n"), Some("wrk's output"));
        assert_eq!(
            what("timeStamp,elapsed,label\n"),
            Some("a JMeter log (JTL)")
        );
    }

    #[test]
    fn our_own_files_are_told_by_their_schema() {
        let history = detect(b"{\"schema\" : \"loadgate.history/1\",\"kind\":\"run\"}");
        assert!(history.is_some_and(|h| h.is_own && h.what.contains("history")));
        let behind = detect(b"{\"cut\n{\"schema\":\"loadgate.history/1\"}");
        assert!(behind.is_some_and(|h| h.is_own));
        assert!(detect(b"{\n  \"schema\": \"loadgate.report/1\"").is_some_and(|h| h.is_own));
    }

    #[test]
    fn requests_are_no_summaries() {
        for line in [
            r#"{"timestamp":1,"name":"/a","response_time_ms":1,"status":200}"#,
            r#"{"attack":"x","seq":0,"code":200,"timestamp":"2026-01-01T00:00:00Z","latency":1,"method":"GET","url":"u"}"#,
            r#"{"name":"/p95","response_time_ms":1,"schema":"mine/1","p1":1,"p2":2}"#,
            r#"{"request":{"method":"GET"},"latency":3,"requests":7,"duration":1}"#,
        ] {
            assert_eq!(what(line), None, "{line}");
        }
    }

    #[test]
    fn percentiles_are_keys_with_a_number() {
        for key in [
            "p50",
            "p(95)",
            "p99_9",
            "P99",
            "95th",
            "99.9%",
            "perc_95.0",
            "p999",
        ] {
            assert!(is_percentile(key), "{key}");
        }
        for key in ["p1", "path", "p", "5th", "pct1restime", "port8080", "month"] {
            assert!(!is_percentile(key), "{key}");
        }
    }
}
