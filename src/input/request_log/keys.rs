//! Which key of a log line is which field.

use serde_json::{Map, Value};

use super::values::{boolean, kind, moment_ms, number};

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

/// Microseconds in each unit of time.
const UNITS: &[(&str, f64)] = &[("ms", 1e3), ("us", 1.0), ("ns", 1e-3), ("s", 1e6)];

/// Where each field is.
pub struct Keys {
    /// The user's own: field → key and microseconds per unit, if one was named.
    mapped: Vec<(String, String, Option<f64>)>,
    times: Vec<(String, f64)>,
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
}

/// A key and what is wrong with its value.
type Wrong = (String, String);

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

    fn find<'v>(
        &self,
        object: &'v Map<String, Value>,
        fields: &[&str],
        known: &[&str],
    ) -> Option<(String, &'v Value)> {
        let mapped = self
            .mapped
            .iter()
            .filter(|(f, ..)| fields.contains(&f.as_str()))
            .map(|(_, key, _)| key.as_str());
        let mut keys = mapped.chain(known.iter().copied());
        keys.find_map(|key| lookup(object, key).map(|value| (key.to_owned(), value)))
    }

    /// The request's start.
    pub fn start(&self, object: &Map<String, Value>) -> Result<Option<i64>, Wrong> {
        let Some((key, value)) = self.find(object, &["timestamp", "start_time", "start"], START)
        else {
            return Ok(None);
        };
        moment_ms(value)
            .map(Some)
            .ok_or_else(|| (key, format!("expected a timestamp, found {}", kind(value))))
    }

    fn response_time(&self, object: &Map<String, Value>) -> Result<Option<u64>, Wrong> {
        let mapped = self
            .mapped
            .iter()
            .filter(|(field, ..)| field.starts_with("response_time"));
        let mut keys = mapped
            .map(|(_, key, factor)| (key.as_str(), factor.unwrap_or(1e3)))
            .chain(
                self.times
                    .iter()
                    .map(|(key, factor)| (key.as_str(), *factor)),
            );
        let found =
            keys.find_map(|(key, factor)| lookup(object, key).map(|value| (key, value, factor)));
        let Some((key, value, factor)) = found else {
            return Ok(None);
        };
        let wrong = |message: String| Err((key.to_owned(), message));
        match number(value) {
            None => wrong(format!(
                "expected a response time in `{key}`, found {}",
                kind(value)
            )),
            Some(n) if n < 0.0 => wrong(format!("the response time `{n}` is negative")),
            // A century is no response time; it would not fit the counters either.
            Some(n) if n * factor > 3.2e15 => {
                wrong(format!("the response time `{n}` is longer than a century"))
            }
            Some(n) => Ok(Some((n * factor).round() as u64)),
        }
    }

    /// Understands one line.
    pub fn read(&self, object: &Map<String, Value>) -> Result<Line, Wrong> {
        let start_ms = self.start(object)?;
        let time = self.response_time(object)?;
        let name = self
            .find(object, &["name"], NAME)
            .and_then(|(_, value)| text(value));
        let fields = self.fields(object);
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
        let status = match self.find(object, &["status"], STATUS) {
            None => None,
            Some((key, value)) => match number(value) {
                Some(0.0) => None,
                Some(n) if (100.0..1000.0).contains(&n) => Some(n as u16),
                _ => {
                    return Err((
                        key,
                        format!("expected an HTTP status, found {}", kind(value)),
                    ));
                }
            },
        };
        let error = self
            .find(object, &["error"], ERROR)
            .and_then(|(_, value)| match value {
                Value::Bool(false) => None,
                value => text(value).filter(|t| !t.is_empty()),
            });
        // `"error": null` is the script's word that this 404 was what it wanted; a 5xx it cannot have wanted.
        let says_no_error = error.is_none()
            && ERROR
                .iter()
                .any(|key| object.get(*key).is_some_and(Value::is_null));
        let success = self
            .find(object, &["success"], SUCCESS)
            .and_then(|(_, value)| boolean(value));
        let count = |fields, known| {
            self.find(object, fields, known)
                .and_then(|(_, v)| number(v))
                .filter(|n| *n >= 0.0)
        };
        Ok(Line {
            start_ms,
            request,
            method: self
                .find(object, &["method"], METHOD)
                .and_then(|(_, v)| text(v))
                .unwrap_or_default(),
            status,
            failed: success.map_or_else(
                || {
                    error.is_some()
                        || status.is_some_and(|s| s >= if says_no_error { 500 } else { 400 })
                },
                |ok| !ok,
            ),
            error,
            users: count(&["users"], USERS).map(|n| n as u64),
            response_length: count(&["response_length"], LENGTH),
            fields,
        })
    }

    fn fields(&self, object: &Map<String, Value>) -> Vec<(String, f64)> {
        let mut fields = Vec::new();
        self.collect(object, "", &mut fields);
        fields
    }

    fn collect(&self, object: &Map<String, Value>, prefix: &str, fields: &mut Vec<(String, f64)>) {
        for (key, value) in object {
            let path = format!("{prefix}{key}");
            match value {
                Value::Object(inner) => self.collect(inner, &format!("{path}."), fields),
                Value::Number(n) if !self.is_known(&path) => {
                    let name = self
                        .mapped
                        .iter()
                        .find(|(_, mapped, _)| *mapped == path)
                        .map_or(path, |(f, ..)| f.clone());
                    fields.extend(n.as_f64().map(|n| (name, n)));
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
    let (outer, inner) = key.split_once('.')?;
    lookup(object.get(outer)?.as_object()?, inner)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Null => None,
        value => Some(value.to_string()),
    }
}
