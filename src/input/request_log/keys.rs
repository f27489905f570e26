//! Which key of a log line is which field.

use serde_json::{Map, Value};

use super::values::{boolean, kind, moment_ms, number};
use crate::limits;
use crate::tally::LONGEST_US;

const START: &[&str] = &[
    "start_time",
    "start",
    "started_at",
    "ts",
    "time",
    "@timestamp",
    "timestamp",
    "request.start_time",
];
const METHOD: &[&str] = &["request_type", "method", "verb", "request.method", "type"];
const NAME: &[&str] = &[
    "name",
    "endpoint",
    "label",
    "operation",
    "request.name",
    "url",
    "path",
    "request.url",
    "request.path",
];
const STATUS: &[&str] = &[
    "status",
    "status_code",
    "code",
    "response_code",
    "response.status",
    "response.status_code",
];
const SUCCESS: &[&str] = &["success", "ok", "response.success"];
const ERROR: &[&str] = &[
    "error",
    "exception",
    "err",
    "error_message",
    "response.error",
];
const LENGTH: &[&str] = &[
    "response_length",
    "bytes",
    "content_length",
    "response.length",
    "response.bytes",
];
const USERS: &[&str] = &["users", "user_count", "active_users", "allThreads"];
/// Words that mean a response time, alone in ms or with a unit as suffix.
const TIMES: &[&str] = &[
    "response_time",
    "elapsed",
    "duration",
    "latency",
    "time_taken",
    "response.time",
    "response.duration",
];
/// Known keys that are no measured fields although they may be numbers.
const NOT_FIELDS: &[&str] = &[
    "user",
    "user_id",
    "thread",
    "pid",
    "level",
    "id",
    "request.id",
];

/// Microseconds in a millisecond, the unit of most logs.
pub const MILLISECONDS: f64 = 1e3;
/// Microseconds in each unit of time.
const UNITS: &[(&str, f64)] = &[("ms", MILLISECONDS), ("us", 1.0), ("ns", 1e-3), ("s", 1e6)];

/// Where each field is.
#[derive(Clone)]
pub struct Keys {
    /// The user's own: field → key and microseconds per unit, if one was named.
    mapped: Vec<(String, String, Option<f64>)>,
    times: Vec<(String, f64)>,
}

/// Which key of a record plays which part. It follows from the keys that are there and not null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roles {
    /// Start.
    pub start: Option<String>,
    /// HTTP method or the like.
    pub method: Option<String>,
    /// The endpoint's name.
    pub name: Option<String>,
    /// HTTP status.
    pub status: Option<String>,
    /// The log's own word on success.
    pub success: Option<String>,
    /// The error's text.
    pub error: Option<String>,
    /// Concurrent users.
    pub users: Option<String>,
    /// Body bytes.
    pub response_length: Option<String>,
    /// Response time, and microseconds per unit.
    pub time: Option<(String, f64)>,
    /// Measured fields: key, and the name to report.
    pub fields: Vec<(String, String)>,
    /// Whether the record says `"error": null`, or the like.
    pub says_no_error: bool,
}

/// One log line, understood.
#[derive(Default)]
pub struct Line {
    /// Start, epoch ms.
    pub start_ms: Option<i64>,
    /// Name and response time in µs; `None` for a line that is only a sample.
    pub request: Option<(String, u64)>,
    /// HTTP method or the like.
    pub method: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// Whether it failed.
    pub failed: bool,
    /// The error's text.
    pub error: Option<String>,
    /// Concurrent users.
    pub users: Option<u64>,
    /// Body bytes.
    pub response_length: Option<f64>,
    /// Everything else that is a number.
    pub fields: Vec<(String, f64)>,
    /// What a sample was taken from, as `pid 17`, if the log says so.
    pub source: Option<String>,
}

/// Keys that name what a sample was taken from.
const SOURCES: [&str; 8] = [
    "process",
    "pid",
    "worker",
    "host",
    "hostname",
    "instance",
    "pod",
    "container",
];

/// What a sample says it was taken from.
pub fn source(object: &Map<String, Value>) -> Option<String> {
    let named = SOURCES.iter().filter_map(|key| {
        let name = lookup(object, key).and_then(text)?;
        Some(format!("{key} {name}"))
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| named.join(", "))
}

/// A key and what is wrong with its value.
type Wrong = (String, String);

/// Whether a request failed: by the log's own word; else by an error; else by a status from 400 on.
///
/// `"error": null` is the script's word that this 404 was what it wanted; a 5xx it cannot have wanted.
pub fn failed(
    success: Option<bool>,
    has_error: bool,
    says_no_error: bool,
    status: Option<u16>,
) -> bool {
    let lowest = if says_no_error { 500 } else { 400 };
    success.map_or_else(
        || has_error || status.is_some_and(|s| s >= lowest),
        |ok| !ok,
    )
}

/// Microseconds of a response time in some unit, or what is wrong with it.
pub fn microseconds(n: f64, factor: f64) -> Result<u64, String> {
    match n {
        n if n < 0.0 => Err(format!("the response time `{n}` is negative")),
        n if n * factor > LONGEST_US => {
            Err(format!("the response time `{n}` is longer than a century"))
        }
        n => Ok((n * factor).round() as u64),
    }
}

impl Keys {
    /// The known names, and the user's before them.
    pub fn new(map: &[(String, String)]) -> Self {
        let mapped = map.iter().map(|(field, key)| match key.rsplit_once(':') {
            Some((key, unit)) => match UNITS.iter().find(|(name, _)| *name == unit) {
                Some((_, factor)) => (field.clone(), key.to_owned(), Some(*factor)),
                None => (field.clone(), format!("{key}:{unit}"), None),
            },
            None => (field.clone(), key.clone(), None),
        });
        let mut times = Vec::new();
        for word in TIMES {
            times.push(((*word).to_owned(), 1e3));
            times.extend(
                UNITS
                    .iter()
                    .map(|(unit, factor)| (format!("{word}_{unit}"), *factor)),
            );
        }
        Self {
            mapped: mapped.collect(),
            times,
        }
    }

    /// The first of the keys, the user's before the known ones, that the record has and that is not null.
    fn find(&self, object: &Map<String, Value>, fields: &[&str], known: &[&str]) -> Option<String> {
        let mapped = self
            .mapped
            .iter()
            .filter(|(f, ..)| fields.contains(&f.as_str()))
            .map(|(_, key, _)| key.as_str());
        let mut keys = mapped.chain(known.iter().copied());
        keys.find(|key| lookup(object, key).is_some())
            .map(str::to_owned)
    }

    fn time(&self, object: &Map<String, Value>) -> Option<(String, f64)> {
        let mapped = self
            .mapped
            .iter()
            .filter(|(field, ..)| field.starts_with("response_time"))
            .map(|(_, key, factor)| (key.as_str(), factor.unwrap_or(1e3)));
        let known = self
            .times
            .iter()
            .map(|(key, factor)| (key.as_str(), *factor));
        mapped
            .chain(known)
            .find(|(key, _)| lookup(object, key).is_some())
            .map(|(key, factor)| (key.to_owned(), factor))
    }

    /// Which key plays which part in this record.
    pub fn roles(&self, object: &Map<String, Value>) -> Roles {
        let mut fields = Vec::new();
        self.collect(object, "", &mut fields);
        let error = self.find(object, &["error"], ERROR);
        Roles {
            start: self.find(object, &["timestamp", "start_time", "start"], START),
            method: self.find(object, &["method"], METHOD),
            name: self.find(object, &["name"], NAME),
            status: self.find(object, &["status"], STATUS),
            success: self.find(object, &["success"], SUCCESS),
            users: self.find(object, &["users"], USERS),
            response_length: self.find(object, &["response_length"], LENGTH),
            time: self.time(object),
            fields,
            says_no_error: ERROR
                .iter()
                .any(|key| object.get(*key).is_some_and(Value::is_null)),
            error,
        }
    }

    /// Understands one line.
    pub fn read(&self, object: &Map<String, Value>) -> Result<Line, Wrong> {
        let roles = self.roles(object);
        let value = |key: &Option<String>| key.as_deref().and_then(|key| lookup(object, key));
        let start_ms = match value(&roles.start) {
            None => None,
            Some(v) => {
                Some(moment_ms(v).ok_or_else(|| wrong(roles.start.as_ref(), "a timestamp", v))?)
            }
        };
        let time = match &roles.time {
            None => None,
            Some((key, factor)) => Some(response_time(object, key, *factor)?),
        };
        let name = value(&roles.name).and_then(text);
        let fields: Vec<(String, f64)> = roles
            .fields
            .iter()
            .filter_map(|(key, name)| Some((name.clone(), lookup(object, key)?.as_f64()?)))
            .collect();
        let request = match (name, time) {
            (Some(name), Some(us)) => Some((name, us)),
            (None, None) if start_ms.is_some() && !fields.is_empty() => None,
            (None, _) => return Err((String::new(), "the request has no `name`".to_owned())),
            (_, None) => {
                return Err((
                    String::new(),
                    "the request has no `response_time_ms`".to_owned(),
                ));
            }
        };
        let status = match value(&roles.status) {
            None => None,
            Some(v) => match number(v) {
                Some(0.0) => None,
                Some(n) if (100.0..1000.0).contains(&n) => Some(n as u16),
                _ => return Err(wrong(roles.status.as_ref(), "an HTTP status", v)),
            },
        };
        let error = value(&roles.error).and_then(|v| match v {
            Value::Bool(false) => None,
            v => text(v).filter(|t| !t.is_empty()),
        });
        let says_no_error = error.is_none() && roles.says_no_error;
        let success = value(&roles.success).and_then(boolean);
        let count = |key| value(key).and_then(number).filter(|n| *n >= 0.0);
        Ok(Line {
            start_ms,
            method: value(&roles.method).and_then(text).unwrap_or_default(),
            status,
            failed: failed(success, error.is_some(), says_no_error, status),
            error,
            users: count(&roles.users).map(|n| n as u64),
            response_length: count(&roles.response_length),
            source: request.is_none().then(|| source(object)).flatten(),
            request,
            fields,
        })
    }

    /// Numbers that play no other part: key and name.
    fn collect(
        &self,
        object: &Map<String, Value>,
        prefix: &str,
        fields: &mut Vec<(String, String)>,
    ) {
        for (key, value) in object {
            // A line with more is refused, and a longer path is no name.
            if fields.len() > limits::FIELDS || prefix.len() + key.len() > limits::KEY {
                continue;
            }
            let path = format!("{prefix}{key}");
            match value {
                Value::Object(inner) => self.collect(inner, &format!("{path}."), fields),
                Value::Number(_) if !self.is_known(&path) => {
                    let named = self.mapped.iter().find(|(_, mapped, _)| *mapped == path);
                    let name = named.map_or_else(|| path.clone(), |(field, ..)| field.clone());
                    fields.push((path, name));
                }
                _ => {}
            }
        }
    }

    fn is_known(&self, path: &str) -> bool {
        const CANONICAL: &[&str] = &[
            "timestamp",
            "start_time",
            "start",
            "name",
            "method",
            "status",
            "users",
            "response_length",
        ];
        let lists = [
            START, METHOD, NAME, STATUS, SUCCESS, ERROR, LENGTH, USERS, NOT_FIELDS,
        ];
        lists.iter().any(|list| list.contains(&path))
            || self.times.iter().any(|(key, _)| key == path)
            || self.mapped.iter().any(|(field, key, _)| {
                key == path
                    && (field.starts_with("response_time") || CANONICAL.contains(&field.as_str()))
            })
    }
}

/// A value by its key, or by its dotted path; null is absent.
fn lookup<'v>(object: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    if let Some(value) = object.get(key) {
        return (!value.is_null()).then_some(value);
    }
    // A key may itself hold dots: every place where the path could be cut is tried.
    key.match_indices('.').find_map(|(at, _)| {
        let inner = object.get(&key[..at])?.as_object()?;
        lookup(inner, &key[at + 1..])
    })
}

fn wrong(key: Option<&String>, expected: &str, value: &Value) -> Wrong {
    let key = key.cloned().unwrap_or_default();
    (key, format!("expected {expected}, found {}", kind(value)))
}

fn response_time(object: &Map<String, Value>, key: &str, factor: f64) -> Result<u64, Wrong> {
    let wrong = |message: String| (key.to_owned(), message);
    let value = lookup(object, key).unwrap_or(&Value::Null);
    let n = number(value).ok_or_else(|| {
        wrong(format!(
            "expected a response time in `{key}`, found {}",
            kind(value)
        ))
    })?;
    microseconds(n, factor).map_err(wrong)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Null => None,
        value => Some(value.to_string()),
    }
}
