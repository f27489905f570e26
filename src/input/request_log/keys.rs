//! Which key of a log line is which field.

use serde_json::{Map, Value};

use super::aliases::{Aliases, Role, Unit};
use super::durations::{self, written_us};
use super::layouts::{self, Layout};
use super::outcome::{self, ErrorSays, Outcome, Told};
use super::values::{epoch_us, kind, moment_ms, number};
use crate::limits;
use crate::tally::LONGEST_US;

/// Microseconds in a millisecond, the unit of most logs.
pub const MILLISECONDS: f64 = 1e3;

/// A field of the user's: what it is called here, its key in the log, and its unit if one was named.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The canonical field.
    pub field: String,
    /// The key.
    pub key: String,
    /// Microseconds in its unit.
    us: Option<f64>,
}

/// Where each field is.
#[derive(Clone)]
pub struct Keys {
    mapped: Vec<Mapping>,
    aliases: Aliases,
}

/// Which key of a record plays which part. It follows from the keys that are there and not null.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about a line"
)]
pub struct Roles {
    /// Start, or end if `stamp_is_end`.
    pub start: Option<String>,
    /// Whether `start` is the request's end.
    pub stamp_is_end: bool,
    /// End, where the response time is the time between the two.
    end: Option<String>,
    /// HTTP method or the like.
    pub method: Option<String>,
    /// The endpoint's name.
    pub name: Option<String>,
    /// Whether it is a target whose query does not belong to the name.
    pub name_is_target: bool,
    /// HTTP status.
    pub status: Option<String>,
    /// gRPC code.
    grpc: Option<String>,
    /// The log's own word on success.
    pub success: Option<String>,
    /// What that word is of.
    word: Word,
    /// The error's text, by all keys that may hold it.
    errors: Vec<String>,
    /// Concurrent users.
    pub users: Option<String>,
    /// Body bytes.
    pub response_length: Option<String>,
    /// Response time.
    pub time: Option<(String, Unit)>,
    /// Whether there is a key for the response time, and null in it.
    pub untimed: bool,
    /// Measured fields: key, and the name to report.
    pub fields: Vec<(String, String)>,
    /// Whether the record says `"error": null`, or the like.
    pub says_no_error: bool,
    /// Whose layout it is, if that is known.
    layout: Option<&'static Layout>,
}

/// What the log's own word is of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Word {
    #[default]
    Success,
    Failure,
    Span,
}

impl Roles {
    /// The first key for an error, if there is one.
    pub fn error(&self) -> Option<&String> {
        self.errors.first()
    }

    /// Whether a shape can read such lines: nothing has to be computed, and each part is played by one key.
    pub fn are_simple(&self) -> bool {
        self.errors.len() < 2
            && self.grpc.is_none()
            && self.end.is_none()
            && self.word == Word::Success
            && !self.untimed
    }

    /// Whether a key says more of the outcome than an error's does.
    pub fn state_outcome(&self) -> bool {
        self.status.is_some() || self.grpc.is_some() || self.success.is_some()
    }
}

/// One log line, understood.
#[derive(Default)]
pub struct Line {
    /// Start, epoch ms.
    pub start_ms: Option<i64>,
    /// Name and response time in µs, if it is known; `None` for a line that is only a sample.
    pub request: Option<(String, Option<u64>)>,
    /// HTTP method or the like.
    pub method: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the line says that no answer came.
    pub no_answer: bool,
    /// Whether more than an error tells the outcome.
    pub states_outcome: bool,
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
    /// The key of the response time, if it does not state its unit, nor its value does.
    pub unit_of: Option<(String, Unit)>,
    /// Whose layout it is, if that is known.
    pub layout: Option<&'static Layout>,
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

/// The start of a request that ended at this moment (epoch ms).
pub fn start_of(end_ms: i64, us: u64) -> i64 {
    end_ms
        .saturating_mul(1000)
        .saturating_sub_unsigned(us)
        .div_euclid(1000)
}

/// The path of a target, without its query and fragment.
pub fn path_of(target: &str) -> &str {
    let path = target.split(['?', '#']).next().unwrap_or(target);
    let Some((_, after)) = path.split_once("://") else {
        return path;
    };
    after.find('/').map_or("/", |at| &after[at..])
}

impl Mapping {
    fn new(field: &str, written: &str) -> Self {
        let (key, us) = match written.rsplit_once(':') {
            Some((key, unit)) if durations::unit(unit).is_some() => (key, durations::unit(unit)),
            _ => (written, None),
        };
        Self {
            field: field.to_owned(),
            key: key.to_owned(),
            us,
        }
    }

    /// What it stands for.
    fn role(&self, aliases: &Aliases) -> Option<Role> {
        let unit = || {
            self.us
                .map_or_else(|| aliases.unit_of(&self.key), Unit::Stated)
        };
        Some(match self.field.as_str() {
            "timestamp" | "start_time" | "start" => Role::Start,
            "end" | "end_time" => Role::End,
            "method" => Role::Method,
            "name" => Role::Name,
            "status" => Role::Status,
            "grpc_status" => Role::Grpc,
            "success" => Role::Success,
            "failed" => Role::Failed,
            "error" => Role::Error,
            "users" => Role::Users,
            "response_length" => Role::Length,
            field => match field.strip_prefix("response_time") {
                Some("") => Role::Time(unit()),
                // `response_time_ms=took`
                Some(suffix) => {
                    let stated = durations::unit(suffix.trim_start_matches('_'));
                    Role::Time(self.us.or(stated).map_or_else(unit, Unit::Stated))
                }
                None => return None,
            },
        })
    }
}

/// A key that may play a part. Of several for one part the lowest rank counts.
struct Candidate {
    part: Part,
    rank: usize,
    path: String,
    role: Role,
}

/// What roles stand for: only one key plays each, but for errors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Start,
    End,
    Method,
    Name,
    Status,
    Grpc,
    Success,
    Error,
    Length,
    Users,
    Time,
}

fn part(role: Role) -> Option<Part> {
    Some(match role {
        Role::Start => Part::Start,
        Role::End => Part::End,
        Role::Method => Part::Method,
        Role::Name => Part::Name,
        Role::Status => Part::Status,
        Role::Grpc => Part::Grpc,
        Role::Success | Role::Failed | Role::Span => Part::Success,
        Role::Error => Part::Error,
        Role::Length => Part::Length,
        Role::Users => Part::Users,
        Role::Time(_) => Part::Time,
        Role::Other => return None,
    })
}

/// Ranks of a layout's keys, and of all other known ones, behind the user's own.
const OF_LAYOUT: usize = 100;
const OF_ALIAS: usize = 10_000;

/// The keys of a record with their meanings.
struct Walk<'k> {
    keys: &'k Keys,
    layout: Option<&'static Layout>,
    candidates: Vec<Candidate>,
    fields: Vec<(String, String)>,
    has_null_time: bool,
    says_no_error: bool,
    buffer: String,
}

impl Walk<'_> {
    fn object(&mut self, object: &Map<String, Value>, prefix: &str) {
        for (key, value) in object {
            // A longer path is no name.
            if prefix.len() + key.len() > limits::KEY {
                continue;
            }
            let path = format!("{prefix}{key}");
            let meaning = self.meaning(&path);
            match (value, meaning) {
                // An error may be an object; of all others the parts are looked at.
                (Value::Object(inner), meaning)
                    if !matches!(meaning, Some((Role::Error, _))) || inner.is_empty() =>
                {
                    self.object(inner, &format!("{path}."));
                    if let Some((Role::Error, rank)) = meaning {
                        self.cast(Role::Error, rank, path, value);
                    }
                }
                (value, Some((role, rank))) => self.cast(role, rank, path, value),
                // A line with more is refused.
                (Value::Number(_), None) if self.fields.len() <= limits::FIELDS => {
                    let mut mapped = self.keys.mapped.iter();
                    let named = mapped.find(|mapping| mapping.key == path);
                    let name = named.map_or_else(|| path.clone(), |m| m.field.clone());
                    self.fields.push((path, name));
                }
                _ => {}
            }
        }
    }

    fn meaning(&mut self, path: &str) -> Option<(Role, usize)> {
        let mapped = self.keys.mapped.iter().enumerate();
        let mut mapped = mapped.filter(|(_, mapping)| mapping.key == path);
        if let Some(found) = mapped.find_map(|(i, m)| Some((m.role(&self.keys.aliases)?, i))) {
            return Some(found);
        }
        let known = self
            .layout
            .iter()
            .flat_map(|layout| layout.keys)
            .enumerate();
        let mut known = known.filter(|(_, (key, _))| *key == path);
        if let Some((i, (_, role))) = known.next() {
            return Some((*role, OF_LAYOUT + i));
        }
        let (role, rank) = self.keys.aliases.of(path, &mut self.buffer)?;
        Some((role, OF_ALIAS + rank))
    }

    fn cast(&mut self, role: Role, rank: usize, path: String, value: &Value) {
        let Some(part) = part(role) else { return };
        let is_null = value.is_null() || (part == Part::Time && is_no_time(value));
        if is_null {
            self.has_null_time |= part == Part::Time;
            self.says_no_error |= part == Part::Error;
            return;
        }
        self.candidates.push(Candidate {
            part,
            rank,
            path,
            role,
        });
    }

    /// Gives each part to the key of the lowest rank.
    fn roles(mut self) -> Roles {
        self.candidates.sort_by_key(|c| (c.part, c.rank));
        let mut roles = Roles {
            fields: self.fields,
            says_no_error: self.says_no_error,
            layout: self.layout,
            ..Roles::default()
        };
        let mut last = None;
        for candidate in self.candidates {
            let is_first = last.replace(candidate.part) != Some(candidate.part);
            if candidate.part == Part::Error {
                roles.errors.push(candidate.path);
                continue;
            }
            if !is_first {
                continue;
            }
            let is_of_layout = (OF_LAYOUT..OF_ALIAS).contains(&candidate.rank);
            let layout = self.layout.filter(|_| is_of_layout);
            let path = Some(candidate.path);
            match candidate.role {
                Role::Start => {
                    roles.start = path;
                    roles.stamp_is_end = layout.is_some_and(|l| l.stamp_is_end);
                }
                Role::End => roles.end = path,
                Role::Method => roles.method = path,
                Role::Name => {
                    roles.name = path;
                    roles.name_is_target = layout.is_some_and(|l| l.name_is_target);
                }
                Role::Status => roles.status = path,
                Role::Grpc => roles.grpc = path,
                Role::Success | Role::Failed | Role::Span => {
                    roles.success = path;
                    roles.word = match candidate.role {
                        Role::Failed => Word::Failure,
                        Role::Span => Word::Span,
                        _ => Word::Success,
                    };
                }
                Role::Length => roles.response_length = path,
                Role::Users => roles.users = path,
                Role::Time(unit) => roles.time = path.map(|path| (path, unit)),
                Role::Error | Role::Other => {}
            }
        }
        roles.untimed = self.has_null_time && roles.time.is_none();
        match (&roles.start, &roles.end) {
            // The only stamp is of the end.
            (None, Some(_)) => {
                roles.start = roles.end.take();
                roles.stamp_is_end = true;
            }
            // An end is needed only where nothing says how long the request took.
            (Some(_), Some(_)) if roles.time.is_some() || roles.untimed => roles.end = None,
            _ => {}
        }
        roles
    }
}

impl Keys {
    /// The known names, and the user's before them.
    pub fn new(map: &[(String, String)]) -> Self {
        let mapped = map.iter().map(|(field, key)| Mapping::new(field, key));
        Self {
            mapped: mapped.collect(),
            aliases: Aliases::new(),
        }
    }

    /// The user's own fields.
    pub fn mapped(&self) -> &[Mapping] {
        &self.mapped
    }

    /// Which key plays which part in this record.
    pub fn roles(&self, object: &Map<String, Value>) -> Roles {
        let mut walk = Walk {
            keys: self,
            layout: layouts::of(object),
            candidates: Vec::new(),
            fields: Vec::new(),
            has_null_time: false,
            says_no_error: false,
            buffer: String::new(),
        };
        walk.object(object, "");
        walk.roles()
    }

    /// Understands one line.
    pub fn read(&self, object: &Map<String, Value>) -> Result<Line, Wrong> {
        let object = &*layouts::flattened(object);
        let roles = self.roles(object);
        let value = |key: &Option<String>| key.as_deref().and_then(|key| lookup(object, key));
        let stamp_ms = match value(&roles.start) {
            None => None,
            Some(v) => {
                Some(moment_ms(v).ok_or_else(|| wrong(roles.start.as_ref(), "a timestamp", v))?)
            }
        };
        let (time, unit_of) = response_time(object, &roles)?;
        let start_ms = match (stamp_ms, time) {
            (Some(end), Some(us)) if roles.stamp_is_end => Some(start_of(end, us)),
            (stamp, _) => stamp,
        };
        let fields: Vec<(String, f64)> = roles
            .fields
            .iter()
            .filter_map(|(key, name)| Some((name.clone(), lookup(object, key)?.as_f64()?)))
            .collect();
        let name = value(&roles.name).and_then(text);
        let name = name.map(|name| {
            if roles.name_is_target {
                path_of(&name).to_owned()
            } else {
                name
            }
        });
        let request = match (name, time) {
            (Some(name), Some(us)) => Some((name, Some(us))),
            (Some(name), None) if roles.untimed => Some((name, None)),
            (None, None) if start_ms.is_some() && !fields.is_empty() => None,
            (None, _) => return Err((String::new(), "the request has no `name`".to_owned())),
            (_, None) => {
                return Err((
                    String::new(),
                    "the request has no `response_time_ms`".to_owned(),
                ));
            }
        };
        let method = value(&roles.method).and_then(text).unwrap_or_default();
        let (told, error) = told(object, &roles, &method)?;
        let count = |key| value(key).and_then(number).filter(|n| *n >= 0.0);
        Ok(Line {
            start_ms,
            method,
            status: told.status.filter(|status| *status > 0),
            outcome: outcome::outcome(&told),
            no_answer: told.status == Some(0),
            states_outcome: roles.state_outcome(),
            error,
            users: count(&roles.users).map(|n| n as u64),
            response_length: count(&roles.response_length),
            source: request.is_none().then(|| source(object)).flatten(),
            request,
            fields,
            unit_of,
            layout: roles.layout,
        })
    }
}

/// What a line tells of how the request ended, and the error's text.
fn told(
    object: &Map<String, Value>,
    roles: &Roles,
    method: &str,
) -> Result<(Told, Option<String>), Wrong> {
    let value = |key: &Option<String>| key.as_deref().and_then(|key| lookup(object, key));
    let mut told = Told::default();
    if let Some(v) = value(&roles.success) {
        // An outcome may be `unknown`, a span `unset`.
        let is_strict = !roles
            .success
            .as_ref()
            .is_some_and(|k| k.ends_with("outcome"));
        let said = match roles.word {
            Word::Success => outcome::truth(v),
            Word::Failure => outcome::truth(v).map(|failed| !failed),
            Word::Span => outcome::span(v),
        };
        match said {
            Some(ok) => told.success = Some(ok),
            None if is_strict && roles.word != Word::Span => {
                let expected = "true or false, 1 or 0, yes or no, ok or ko, pass or fail";
                return Err(wrong(roles.success.as_ref(), expected, v));
            }
            None => {}
        }
    }
    if let Some(v) = value(&roles.status) {
        match outcome::status(v, method.eq_ignore_ascii_case("grpc")) {
            Some(outcome::Status::Http(status)) => told.status = Some(status),
            Some(outcome::Status::Grpc(code)) => told.grpc = Some(code),
            Some(outcome::Status::Word(ok)) => told.success = told.success.or(Some(ok)),
            None => return Err(wrong(roles.status.as_ref(), "an HTTP status", v)),
        }
    }
    if let Some(v) = value(&roles.grpc) {
        let code = outcome::grpc(v).ok_or_else(|| wrong(roles.grpc.as_ref(), "a gRPC code", v))?;
        told.grpc = Some(code.max(told.grpc.unwrap_or(0)));
    }
    let mut error = None;
    if roles.says_no_error {
        told.error = ErrorSays::None;
    }
    for v in roles.errors.iter().filter_map(|key| lookup(object, key)) {
        match outcome::error_value(v) {
            ErrorSays::Error => {
                told.error = ErrorSays::Error;
                error = text(v);
                break;
            }
            ErrorSays::None => told.error = ErrorSays::None,
            ErrorSays::Empty if told.error == ErrorSays::Nothing => told.error = ErrorSays::Empty,
            ErrorSays::Empty | ErrorSays::Nothing => {}
        }
    }
    if error.is_none() && told.success.is_none() {
        error = told.grpc.and_then(outcome::grpc_error);
    }
    Ok((told, error))
}

/// Words in the place of a response time that say that there is none.
fn is_no_time(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| matches!(text.trim(), "" | "-" | "N/A" | "null" | "None" | "nil"))
}

type Timed = (Option<u64>, Option<(String, Unit)>);

/// The response time in µs, and the key that leaves its unit open.
fn response_time(object: &Map<String, Value>, roles: &Roles) -> Result<Timed, Wrong> {
    let Some((key, unit)) = &roles.time else {
        return Ok((between(object, roles)?, None));
    };
    let wrong = |message: String| (key.clone(), message);
    let value = lookup(object, key).unwrap_or(&Value::Null);
    if let Some(n) = number(value) {
        let us = microseconds(n, unit.factor()).map_err(wrong)?;
        let open = !matches!(unit, Unit::Stated(_));
        return Ok((Some(us), open.then(|| (key.clone(), *unit))));
    }
    let written = value.as_str().and_then(written_us);
    let us = written.ok_or_else(|| {
        wrong(format!(
            "expected a response time in `{key}`, found {}",
            kind(value)
        ))
    })?;
    Ok((Some(microseconds(us, 1.0).map_err(wrong)?), None))
}

/// The time between start and end.
fn between(object: &Map<String, Value>, roles: &Roles) -> Result<Option<u64>, Wrong> {
    let (Some(start), Some(end)) = (&roles.start, &roles.end) else {
        return Ok(None);
    };
    let at = |key: &String| {
        let value = lookup(object, key).unwrap_or(&Value::Null);
        epoch_us(value).ok_or_else(|| wrong(Some(key), "a timestamp", value))
    };
    let us = at(end)? - at(start)?;
    u64::try_from(us).map(Some).map_err(|_| {
        let message = format!("the request ends before it starts (`{start}`)");
        (end.clone(), message)
    })
}

/// A value by its key, or by its dotted path; null is absent.
pub fn lookup<'v>(object: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
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
    let message = format!("expected {expected} in `{key}`, found {}", kind(value));
    (key, message)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Null => None,
        value => Some(value.to_string()),
    }
}
