//! A request log by the letter of the manual: one whole object on every line, and nothing guessed.

use serde_json::{Map, Value};

use super::super::subject::{File, Gate};
use super::{Figures, Said, is_on, percentile, text};

/// Longest gap in a run's starts that is not the time between two runs, in seconds.
const LONGEST_GAP_S: f64 = 3600.0;

/// What the logs among the files say.
pub fn said(files: &[File], gate: &Gate) -> Said {
    match read(files, gate) {
        Ok(figures) => match figures.figure(&gate.figure) {
            Ok(value) => Said::Figure(
                value,
                "every line is a whole request, and what they say together keeps the gate",
            ),
            Err(why) => Said::Nothing(why),
        },
        Err(why) => Said::Nothing(why),
    }
}

fn read(files: &[File], gate: &Gate) -> Result<Figures, String> {
    let mut log = Vec::new();
    let mut seen: Vec<&[u8]> = Vec::new();
    for file in files.iter().filter(|f| !f.is_table()) {
        if seen.contains(&&file.bytes[..]) {
            continue;
        }
        seen.push(&file.bytes);
        let text = text(&file.bytes).ok_or_else(|| format!("{} is not whole", file.name))?;
        log.extend(requests(&text).map_err(|why| format!("{}: {why}", file.name))?);
    }
    let log: Vec<Map<String, Value>> = log;
    one_run(&log)?;
    let style = Style::of(&log);
    let mut figures = Figures {
        failures: Some(0.0),
        times: Some(Vec::new()),
        ..Figures::default()
    };
    let mut spans = Vec::new();
    let mut bare = Vec::new();
    for request in &log {
        let method = first(request, &["request_type", "method"]).and_then(Value::as_str);
        let name = first(request, &["name", "endpoint"]).and_then(Value::as_str);
        let name = name.ok_or("a line has no name")?;
        let time = time(request)?;
        bare.extend(time.ms.filter(|_| time.is_bare));
        spans.push(start(request).map(|s| (s, s + time.ms.unwrap_or(0.0) / 1e3)));
        if !is_on(gate.on.as_ref(), method.unwrap_or_default(), name) {
            continue;
        }
        figures.requests += 1.0;
        figures.failures = match (figures.failures, style.failed(request)?) {
            (Some(n), Some(failed)) => Some(n + f64::from(u8::from(failed))),
            _ => None,
        };
        match (&mut figures.times, time) {
            (_, Time { ms: None, .. }) => {}
            (
                Some(times),
                Time {
                    ms: Some(ms),
                    sure: true,
                    ..
                },
            ) => times.push(ms),
            (times, _) => *times = None,
        }
        for (field, value) in request {
            if let Some(value) = value.as_f64() {
                figures.fields.entry(field.clone()).or_default().push(value);
            }
        }
    }
    bare.sort_by(f64::total_cmp);
    if !bare.is_empty() && percentile(&bare, 0.5) < 1.0 {
        figures.times = None;
    }
    if let Some(times) = &mut figures.times {
        times.sort_by(f64::total_cmp);
    }
    // Of a line without a start it is not known whether it was the first.
    let spans: Option<Vec<(f64, f64)>> = spans.into_iter().collect();
    figures.span = spans.and_then(|spans| {
        let joined = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
        spans.into_iter().reduce(joined)
    });
    Ok(figures)
}

/// A whole object on every line, or one list of them; a key stands in it once.
fn requests(text: &str) -> Result<Vec<Map<String, Value>>, String> {
    let once = |value: Value, line: &str, n: usize| match value {
        Value::Object(map) if keys(line) == map.len() + inner(&map) => Ok(map),
        Value::Object(_) => Err(format!("line {n} has a key twice")),
        _ => Err(format!("line {n} is not an object")),
    };
    if text.trim_start().starts_with('[') {
        let all: Vec<Value> = serde_json::from_str(text).map_err(|e| format!("not a list: {e}"))?;
        let all = all.into_iter().enumerate();
        return all
            .map(|(i, value)| {
                let line = value.to_string();
                once(value, &line, i + 1)
            })
            .collect();
    }
    let ended = text.ends_with('\n');
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(line) {
            Ok(value) => found.push(once(value, line, i + 1)?),
            // A run that was killed leaves its last line cut.
            Err(_) if i + 1 == lines.len() && !ended => {}
            Err(error) => return Err(format!("line {} is not JSON: {error}", i + 1)),
        }
    }
    Ok(found)
}

/// Members that a JSON text has, counted by the colons behind its keys, whether or not a key is there twice.
fn keys(line: &str) -> usize {
    let mut count = 0;
    let (mut within, mut escaped) = (false, false);
    for c in line.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if within => escaped = true,
            '"' => within = !within,
            ':' if !within => count += 1,
            _ => {}
        }
    }
    count
}

/// Members of the objects in an object.
fn inner(map: &Map<String, Value>) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::Object(map) => map.len() + inner(map),
            Value::Array(all) => all.iter().map(of).sum(),
            _ => 0,
        }
    }
    map.values().map(of).sum()
}

/// The first of some keys that an object has, whatever separators and letters they are written with.
fn first<'r>(request: &'r Map<String, Value>, keys: &[&str]) -> Option<&'r Value> {
    let bare = |key: &str| -> String {
        let letters = key.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    keys.iter().find_map(|wanted| {
        let wanted = bare(wanted);
        request
            .iter()
            .find(|(key, _)| bare(key) == wanted)
            .map(|(_, v)| v)
    })
}

/// Runs lie apart; a gap of an hour between lines is such.
fn one_run(log: &[Map<String, Value>]) -> Result<(), String> {
    let mut starts: Vec<f64> = log.iter().filter_map(start).collect();
    starts.sort_by(f64::total_cmp);
    let gap = starts
        .windows(2)
        .map(|two| two[1] - two[0])
        .fold(0.0, f64::max);
    if gap > LONGEST_GAP_S {
        return Err(format!(
            "the starts have a gap of {gap} s, as between two runs"
        ));
    }
    Ok(())
}

/// Epoch seconds.
fn start(request: &Map<String, Value>) -> Option<f64> {
    let value = first(request, &["start_time", "ts", "timestamp"])?;
    if let Some(number) = value.as_f64() {
        return Some(if number > 1e11 { number / 1e3 } else { number });
    }
    let moment: jiff::Timestamp = value.as_str()?.parse().ok()?;
    Some(moment.as_millisecond() as f64 / 1e3)
}

/// A response time, and whether its unit is stated or has only one meaning.
#[derive(Clone, Copy)]
struct Time {
    ms: Option<f64>,
    sure: bool,
    /// Whether the name alone says that it is in milliseconds: seconds are written under it, too.
    is_bare: bool,
}

fn time(request: &Map<String, Value>) -> Result<Time, String> {
    let units = [
        ("response_time_ms", 1.0, true),
        ("response_time_s", 1e3, true),
        ("latency_s", 1e3, true),
        ("response_time", 1.0, true),
        ("latency", 1.0, false),
        ("duration", 1.0, false),
    ];
    let found = units
        .iter()
        .find_map(|(key, factor, sure)| Some((first(request, &[key])?, *factor, *sure, *key)));
    let Some((value, factor, sure, key)) = found else {
        return Err("a line has no response time".to_owned());
    };
    let (number, factor, sure) = match value {
        Value::Null => {
            return Ok(Time {
                ms: None,
                sure,
                is_bare: false,
            });
        }
        Value::Number(number) => (number.as_f64(), factor, sure),
        Value::String(text) => {
            let end = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
            let (number, unit) = text.split_at(end);
            let number = number.trim().parse().ok();
            match unit {
                "" => (number, factor, sure),
                "ms" => (number, 1.0, true),
                "s" => (number, 1e3, true),
                _ => (None, factor, false),
            }
        }
        _ => (None, factor, false),
    };
    let number = number.filter(|n: &f64| n.is_finite() && *n >= 0.0);
    let number = number.ok_or_else(|| format!("a line has {key} {value}"))?;
    Ok(Time {
        ms: Some(number * factor),
        sure,
        is_bare: key == "response_time" && value.is_number(),
    })
}

/// By what the lines of a log tell whether a request failed.
struct Style {
    /// Errors, of those lines that have one, and nothing else.
    errors_only: bool,
    /// Whether it writes an error beside some 4xx: then a 4xx without one is an answer that was wanted.
    errors_beside_4xx: bool,
}

impl Style {
    fn of(log: &[Map<String, Value>]) -> Self {
        let tells = |keys: &[&str]| {
            log.iter()
                .any(|r| first(r, keys).is_some_and(|v| !v.is_null()))
        };
        Self {
            errors_beside_4xx: log.iter().any(|r| is_4xx(r) && has_error(r)),
            errors_only: tells(ERRORS) && !tells(&["success"]) && !tells(STATUSES),
        }
    }

    /// `None` if it is not known.
    fn failed(&self, request: &Map<String, Value>) -> Result<Option<bool>, String> {
        if let Some(success) = first(request, &["success"]).filter(|v| !v.is_null()) {
            let word = success
                .as_str()
                .map_or_else(|| success.to_string(), str::to_lowercase);
            return match word.as_str() {
                "true" | "1" | "yes" | "ok" | "pass" | "passed" => Ok(Some(false)),
                "false" | "0" | "no" | "ko" | "fail" | "failed" => Ok(Some(true)),
                _ => Err(format!("a line has success {success}")),
            };
        }
        if has_error(request) {
            return Ok(Some(true));
        }
        if is_4xx(request) && first(request, ERRORS).is_some() {
            return Ok(self.errors_beside_4xx.then_some(false));
        }
        let status = first(request, STATUSES).filter(|v| !v.is_null());
        if let Some(status) = status {
            let number = status.as_u64().or_else(|| status.as_str()?.parse().ok());
            return match number {
                Some(0 | 400..=999) => Ok(Some(true)),
                Some(100..400) => Ok(Some(false)),
                _ => Err(format!("a line has status {status}")),
            };
        }
        Ok(self.errors_only.then_some(false))
    }
}

fn is_4xx(request: &Map<String, Value>) -> bool {
    let status = first(request, STATUSES).and_then(Value::as_u64);
    status.is_some_and(|status| (400..500).contains(&status))
}

/// Whether a request has an error that is one.
fn has_error(request: &Map<String, Value>) -> bool {
    let empty = ["", "-", "none", "null", "{}", "[]", "0", "\"\""];
    ERRORS.iter().any(|key| {
        let error = first(request, &[key]).filter(|v| !v.is_null());
        error.is_some_and(|error| {
            let text = error
                .as_str()
                .map_or_else(|| error.to_string(), str::to_owned);
            !empty.contains(&text.to_lowercase().as_str())
        })
    })
}

const ERRORS: &[&str] = &["error", "exception"];
const STATUSES: &[&str] = &["status", "status_code"];
