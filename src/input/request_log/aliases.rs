//! The names that keys of a request log go by.
//!
//! Names are compared without separators and in small letters, so that `status_code`, `statusCode` and `Status-Code` are one.

use std::collections::HashMap;

/// What a key may mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// When the request started.
    Start,
    /// When it ended.
    End,
    /// HTTP method or the like.
    Method,
    /// The endpoint's name.
    Name,
    /// HTTP status, or a word for it.
    Status,
    /// gRPC code.
    Grpc,
    /// The log's own word on success.
    Success,
    /// The same the other way round: true is a failure.
    Failed,
    /// The status of a span: 2 is a failure, 1 a success, 0 says nothing.
    Span,
    /// The error's text.
    Error,
    /// Body bytes.
    Length,
    /// Concurrent users.
    Users,
    /// Response time, in a unit.
    Time(Unit),
    /// Known, and no measured field although it may be a number.
    Other,
}

/// The unit of a response time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// So many microseconds, as the key says or its layout does.
    Stated(f64),
    /// Milliseconds, because the name has no other meaning in load tests.
    Conventional,
    /// Nothing says it.
    Unstated,
}

impl Unit {
    /// Microseconds in it; milliseconds where nothing else is known.
    pub fn factor(self) -> f64 {
        match self {
            Self::Stated(us) => us,
            Self::Conventional | Self::Unstated => super::keys::MILLISECONDS,
        }
    }
}

/// Of several keys that mean the same, the first of these counts.
const ROLES: &[(Role, &[&str])] = &[
    (
        Role::Start,
        &[
            "start_time",
            "start",
            "started_at",
            "start_ts",
            "start_timestamp",
            "request_start",
            "started",
            "begin",
            "ts",
            "time",
            "@timestamp",
            "timestamp",
            "@t",
            "datetime",
            "date_time",
            "request.start_time",
            "event.start",
        ],
    ),
    (
        Role::End,
        &[
            "end_time",
            "end",
            "ended_at",
            "ended",
            "finished_at",
            "finished",
            "finish_time",
            "completed_at",
            "end_timestamp",
            "end_ts",
            "event.end",
        ],
    ),
    (
        Role::Method,
        &[
            "request_type",
            "method",
            "verb",
            "request.method",
            "http_method",
            "http.request.method",
            "request_method",
            "type",
        ],
    ),
    (
        Role::Name,
        &[
            "name",
            "endpoint",
            "label",
            "operation",
            "request.name",
            "http.route",
            "route",
            "url",
            "path",
            "uri",
            "request.url",
            "request.path",
            "request.uri",
            "request_path",
            "request_uri",
            "request_url",
            "url.path",
            "http.target",
            "http.url",
            "url.full",
        ],
    ),
    (
        Role::Status,
        &[
            "status",
            "status_code",
            "code",
            "response_code",
            "http_status",
            "http_status_code",
            "http_code",
            "response.status",
            "response.status_code",
            "response_status",
            "response_status_code",
            "http.status",
            "http.status_code",
            "http.response.status_code",
            "http.response.status",
        ],
    ),
    (
        Role::Grpc,
        &[
            "grpc_code",
            "grpc_status",
            "grpc_status_code",
            "grpc.code",
            "grpc.status_code",
            "rpc.grpc.status_code",
            "rpc.response.status_code",
        ],
    ),
    (
        Role::Success,
        &[
            "success",
            "ok",
            "is_success",
            "is_successful",
            "successful",
            "succeeded",
            "passed",
            "is_ok",
            "response.success",
            "response.ok",
            "event.outcome",
            "outcome",
        ],
    ),
    (
        Role::Failed,
        &[
            "failed",
            "is_failed",
            "has_failed",
            "is_failure",
            "is_error",
            "has_error",
            "errored",
        ],
    ),
    (
        Role::Error,
        &[
            "error",
            "exception",
            "err",
            "error_message",
            "error_msg",
            "err_msg",
            "error_text",
            "errors",
            "exc",
            "exception_message",
            "failure",
            "failure_message",
            "failure_reason",
            "response.error",
            "error.type",
            "error.message",
            "exception.type",
            "exception.message",
            "error_type",
            "exception_type",
        ],
    ),
    (
        Role::Length,
        &[
            "response_length",
            "bytes",
            "content_length",
            "response.length",
            "response.bytes",
            "response_size",
            "body_bytes_sent",
            "bytes_sent",
            "http.response.body.size",
        ],
    ),
    (
        Role::Users,
        &["users", "user_count", "active_users", "all_threads", "vus"],
    ),
    (
        Role::Other,
        &[
            "user",
            "user_id",
            "thread",
            "pid",
            "level",
            "id",
            "request.id",
            "error_code",
        ],
    ),
];

/// Words that mean a response time. Milliseconds if they stand alone and have no other meaning; with a unit behind them, that.
const TIMES: &[(&str, bool)] = &[
    ("response_time", true),
    ("elapsed", true),
    ("response.time", true),
    ("duration", false),
    ("latency", false),
    ("time_taken", false),
    ("took", false),
    ("elapsed_time", false),
    ("total_time", false),
    ("request_duration", false),
    ("response.duration", false),
    ("response_duration", false),
    ("request.duration", false),
    ("process_time", false),
    ("processing_time", false),
    ("request_latency", false),
    ("response_latency", false),
    ("dur", false),
];

/// Endings of a key that state its unit, as they are without separators and in small letters.
const SUFFIXES: &[(&str, f64)] = &[
    ("ms", 1e3),
    ("msec", 1e3),
    ("msecs", 1e3),
    ("millis", 1e3),
    ("milliseconds", 1e3),
    ("us", 1.0),
    ("usec", 1.0),
    ("micros", 1.0),
    ("microseconds", 1.0),
    ("ns", 1e-3),
    ("nsec", 1e-3),
    ("nanos", 1e-3),
    ("nanoseconds", 1e-3),
    ("s", 1e6),
    ("sec", 1e6),
    ("secs", 1e6),
    ("seconds", 1e6),
];

/// Keys that state their unit by what they are, not by an ending.
const STATED: &[(&str, f64)] = &[
    // nginx's variable; seconds, of which it writes three decimals.
    ("request_time", 1e6),
    // OpenTelemetry's semantic conventions.
    ("http.server.request.duration", 1e6),
    ("http.client.request.duration", 1e6),
    // The Elastic Common Schema.
    ("event.duration", 1e-3),
];

/// Unstated names stand behind stated ones.
const BEHIND: usize = 1000;

/// All names, ready to be looked up.
#[derive(Clone, Debug)]
pub struct Aliases(HashMap<String, (Role, usize)>);

impl Aliases {
    /// The names above.
    pub fn new() -> Self {
        let mut all = HashMap::new();
        let mut put = |name: &str, role: Role, rank: usize| {
            all.entry(plain(name)).or_insert((role, rank));
        };
        for (rank, (word, is_conventional)) in TIMES.iter().enumerate() {
            let rank = rank * 2;
            let (unit, behind) = if *is_conventional {
                (Unit::Conventional, 1)
            } else {
                (Unit::Unstated, BEHIND)
            };
            put(word, Role::Time(unit), rank + behind);
            for (suffix, us) in SUFFIXES {
                let stated = Role::Time(Unit::Stated(*us));
                put(&format!("{word}_{suffix}"), stated, rank);
                put(&format!("{word}_in_{suffix}"), stated, rank);
            }
        }
        for (rank, (name, us)) in STATED.iter().enumerate() {
            let rank = TIMES.len() * 2 + rank;
            put(name, Role::Time(Unit::Stated(*us)), rank);
        }
        for (role, names) in ROLES {
            for (rank, name) in names.iter().enumerate() {
                put(name, *role, rank);
            }
        }
        Self(all)
    }

    /// What a key means, and its rank among keys that mean the same; lower counts first.
    pub fn of(&self, path: &str, buffer: &mut String) -> Option<(Role, usize)> {
        plain_into(path, buffer);
        self.0.get(buffer.as_str()).copied()
    }

    /// The unit that a key of the user's states by its ending or its name.
    pub fn unit_of(&self, path: &str) -> Unit {
        let plain = plain(path);
        if let Some((Role::Time(unit), _)) = self.0.get(&plain) {
            return *unit;
        }
        // Only behind a separator or a small letter: `class` ends in `s` and states nothing.
        let last = path.rsplit(['_', '-', '.']).next().unwrap_or(path);
        let camel = path.rfind(|c: char| c.is_ascii_uppercase());
        let ends = [
            (last.len() < path.len()).then_some(last),
            camel.filter(|at| *at > 0).map(|at| &path[at..]),
        ];
        let stated = ends.into_iter().flatten().find_map(|end| {
            let end = end.to_lowercase();
            let found = SUFFIXES.iter().find(|(name, _)| *name == end);
            found.map(|(_, us)| Unit::Stated(*us))
        });
        stated.unwrap_or(Unit::Unstated)
    }
}

fn plain(name: &str) -> String {
    let mut plain = String::new();
    plain_into(name, &mut plain);
    plain
}

fn plain_into(name: &str, plain: &mut String) {
    plain.clear();
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | '.' | ' '));
    plain.extend(letters.map(|c| c.to_ascii_lowercase()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_spelling() {
        let aliases = Aliases::new();
        let role = |key: &str| aliases.of(key, &mut String::new()).map(|(role, _)| role);
        for key in [
            "status_code",
            "statusCode",
            "StatusCode",
            "http.response.status_code",
        ] {
            assert_eq!(role(key), Some(Role::Status), "{key}");
        }
        for (key, unit) in [
            ("duration_ms", Unit::Stated(1e3)),
            ("durationMs", Unit::Stated(1e3)),
            ("latencySeconds", Unit::Stated(1e6)),
            ("elapsed_ns", Unit::Stated(1e-3)),
            ("response.time_ms", Unit::Stated(1e3)),
            ("request_time", Unit::Stated(1e6)),
            ("responseTime", Unit::Conventional),
            ("elapsed", Unit::Conventional),
            ("latency", Unit::Unstated),
            ("took", Unit::Unstated),
        ] {
            assert_eq!(role(key), Some(Role::Time(unit)), "{key}");
        }
        assert_eq!(role("api_calls"), None);
    }

    #[test]
    fn a_key_of_the_users_states_its_unit_by_its_ending() {
        let aliases = Aliases::new();
        for (key, unit) in [
            ("db.took_us", Unit::Stated(1.0)),
            ("tookMs", Unit::Stated(1e3)),
            ("class", Unit::Unstated),
            ("rt", Unit::Unstated),
            ("latency", Unit::Unstated),
        ] {
            assert_eq!(aliases.unit_of(key), unit, "{key}");
        }
    }
}
