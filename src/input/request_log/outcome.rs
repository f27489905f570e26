//! How a request ended, as far as its line says.

use serde_json::Value;

/// How a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// It did not fail.
    #[default]
    Success,
    /// It failed.
    Failure,
    /// The line does not say.
    Unknown,
    /// A status of 4xx beside an error that the log says there was not. In a log that writes an error for other such
    /// requests it is the load script's word that it wanted this answer; else it is not known what to believe.
    Disputed,
}

impl Outcome {
    /// Whether it counts as not known until the whole log has been seen.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Unknown | Self::Disputed)
    }
}

/// What a line says of an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorSays {
    /// It has no key for one.
    #[default]
    Nothing,
    /// There is a key, and nothing in it: `""`, `"-"`, `{}`, `0`.
    Empty,
    /// `null`, or Python's `None`: whoever wrote the line knew of no error.
    None,
    /// There was one.
    Error,
}

/// What of a line tells how the request ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// The log's own word.
    pub success: Option<bool>,
    /// The error.
    pub error: ErrorSays,
    /// HTTP status; 0 when there was no answer.
    pub status: Option<u16>,
    /// gRPC code.
    pub grpc: Option<u16>,
}

/// By the log's own word; else by an error; else by the status or gRPC code.
pub fn outcome(told: &Told) -> Outcome {
    let by_code = match (told.status, told.grpc, told.error) {
        (Some(0 | 500..), ..) | (_, Some(1..), _) => Outcome::Failure,
        (Some(400..), _, ErrorSays::None) => Outcome::Disputed,
        (Some(400..), ..) => Outcome::Failure,
        (Some(_), ..) | (None, Some(0), _) | (None, None, ErrorSays::Empty | ErrorSays::None) => {
            Outcome::Success
        }
        (None, None, _) => Outcome::Unknown,
    };
    match (told.success, told.error) {
        (Some(true), _) => Outcome::Success,
        (Some(false), _) | (None, ErrorSays::Error) => Outcome::Failure,
        (None, _) => by_code,
    }
}

/// A truth value in any common spelling.
pub fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Number(n) => match n.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Value::String(s) => word(s),
        _ => None,
    }
}

/// What a word says of success.
pub fn word(text: &str) -> Option<bool> {
    const GOOD: [&str; 13] = [
        "true",
        "t",
        "1",
        "yes",
        "y",
        "ok",
        "pass",
        "passed",
        "success",
        "successful",
        "succeeded",
        "up",
        "200 ok",
    ];
    const BAD: [&str; 16] = [
        "false",
        "f",
        "0",
        "no",
        "n",
        "ko",
        "nok",
        "fail",
        "failed",
        "failure",
        "error",
        "err",
        "timeout",
        "aborted",
        "unsuccessful",
        "not ok",
    ];
    let text = text.trim();
    let is_in = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_in(&GOOD) {
        Some(true)
    } else {
        is_in(&BAD).then_some(false)
    }
}

/// What the status of a span says: 2 is an error, 1 is fine, 0 is unset.
pub fn span(value: &Value) -> Option<bool> {
    match value.as_u64() {
        Some(1) => Some(true),
        Some(2) => Some(false),
        Some(_) => None,
        None => match value.as_str()? {
            "STATUS_CODE_OK" | "Ok" | "OK" => Some(true),
            "STATUS_CODE_ERROR" | "Error" | "ERROR" => Some(false),
            _ => None,
        },
    }
}

/// What a text in the place of an error says.
pub fn error_text(text: &str) -> ErrorSays {
    match text.trim() {
        "" | "-" | "--" | "{}" | "[]" | "0" | "\"\"" | "''" | "false" | "False" | "no error" => {
            ErrorSays::Empty
        }
        "null" | "None" | "nil" | "<nil>" | "undefined" => ErrorSays::None,
        _ => ErrorSays::Error,
    }
}

/// What a value in the place of an error says.
pub fn error_value(value: &Value) -> ErrorSays {
    match value {
        Value::Null => ErrorSays::None,
        Value::Bool(false) => ErrorSays::Empty,
        Value::Number(n) if n.as_f64() == Some(0.0) => ErrorSays::Empty,
        Value::String(s) => error_text(s),
        Value::Array(a) if a.is_empty() => ErrorSays::Empty,
        Value::Object(o) if o.is_empty() => ErrorSays::Empty,
        _ => ErrorSays::Error,
    }
}

/// What a value in the place of a status is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// An HTTP status, or 0 for no answer.
    Http(u16),
    /// A gRPC code.
    Grpc(u16),
    /// A word on success.
    Word(bool),
}

/// Reads a status: a number, a number with its phrase, the name of a gRPC code, or a word.
pub fn status(value: &Value, is_grpc: bool) -> Option<Status> {
    let of_number = |n: f64| match n {
        n if is_grpc && (0.0..=16.0).contains(&n) && n.fract() == 0.0 => {
            Some(Status::Grpc(n as u16))
        }
        0.0 => Some(Status::Http(0)),
        n if (100.0..1000.0).contains(&n) => Some(Status::Http(n as u16)),
        _ => None,
    };
    if let Some(n) = super::values::number(value) {
        return of_number(n);
    }
    let text = value.as_str()?.trim();
    // `200 OK`, `HTTP/1.1 503 Service Unavailable`.
    let line = text
        .strip_prefix("HTTP/")
        .map_or(text, |rest| rest.split_once(' ').map_or("", |(_, r)| r));
    let first = line.split([' ', ':', '-']).next().unwrap_or_default();
    if first.len() == 3
        && let Ok(code) = first.parse::<u16>()
    {
        return of_number(f64::from(code));
    }
    if let Some(ok) = word(text).filter(|_| !text.eq_ignore_ascii_case("ok") || !is_grpc) {
        return Some(Status::Word(ok));
    }
    grpc(value).map(Status::Grpc)
}

/// The names of the gRPC codes, in their order.
const GRPC: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// A gRPC code, as a number or by its name in any spelling (`NotFound`, `NOT_FOUND`, `StatusCode.NOT_FOUND`).
pub fn grpc(value: &Value) -> Option<u16> {
    if let Some(n) = super::values::number(value) {
        return ((0.0..=16.0).contains(&n) && n.fract() == 0.0).then_some(n as u16);
    }
    let text = value.as_str()?.trim();
    let name = text.rsplit('.').next().unwrap_or(text);
    let plain = |name: &str| name.replace(['_', ' ', '-'], "").to_lowercase();
    let name = plain(name).replace("canceled", "cancelled");
    let place = GRPC.iter().position(|code| plain(code) == name);
    place.map(|place| place as u16)
}

/// The error of a request of which only a gRPC code tells that it failed.
pub fn grpc_error(code: u16) -> Option<String> {
    let name = GRPC.get(usize::from(code)).filter(|_| code > 0)?;
    Some(format!("gRPC {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(
        success: Option<bool>,
        error: ErrorSays,
        status: Option<u16>,
        grpc: Option<u16>,
    ) -> Outcome {
        outcome(&Told {
            success,
            error,
            status,
            grpc,
        })
    }

    #[test]
    fn the_logs_word_then_the_error_then_the_code() {
        use ErrorSays::{Empty, Error, Nothing};
        use Outcome::{Disputed, Failure, Success, Unknown};
        assert_eq!(told(Some(true), Error, Some(500), None), Success);
        assert_eq!(told(Some(false), Nothing, Some(200), None), Failure);
        assert_eq!(told(None, Error, Some(200), None), Failure);
        assert_eq!(told(None, Nothing, Some(399), None), Success);
        assert_eq!(told(None, Empty, Some(404), None), Failure);
        assert_eq!(told(None, Nothing, Some(0), None), Failure);
        assert_eq!(told(None, ErrorSays::None, Some(0), None), Failure);
        assert_eq!(told(None, ErrorSays::None, Some(409), None), Disputed);
        assert_eq!(told(None, ErrorSays::None, Some(503), None), Failure);
        assert_eq!(told(None, Nothing, None, None), Unknown);
        assert_eq!(told(None, Empty, None, None), Success);
        assert_eq!(told(None, Nothing, None, Some(0)), Success);
        assert_eq!(told(None, Nothing, Some(200), Some(14)), Failure);
    }

    #[test]
    fn success_in_any_spelling_or_refused() {
        for (value, is) in [
            (json!(true), Some(true)),
            (json!(0), Some(false)),
            (json!(1.0), Some(true)),
            (json!("KO"), Some(false)),
            (json!("no"), Some(false)),
            (json!(" Passed "), Some(true)),
            (json!("maybe"), None),
            (json!(2), None),
            (json!([]), None),
        ] {
            assert_eq!(truth(&value), is, "{value}");
        }
    }

    #[test]
    fn a_status_in_any_form() {
        let of = |value: Value| status(&value, false);
        assert_eq!(of(json!(204)), Some(Status::Http(204)));
        assert_eq!(of(json!("200 OK")), Some(Status::Http(200)));
        assert_eq!(
            of(json!("HTTP/1.1 503 Service Unavailable")),
            Some(Status::Http(503))
        );
        assert_eq!(of(json!("ok")), Some(Status::Word(true)));
        assert_eq!(of(json!("error")), Some(Status::Word(false)));
        assert_eq!(of(json!("UNAVAILABLE")), Some(Status::Grpc(14)));
        assert_eq!(of(json!(14)), None);
        assert_eq!(status(&json!(14), true), Some(Status::Grpc(14)));
        assert_eq!(status(&json!(0), true), Some(Status::Grpc(0)));
        assert_eq!(of(json!("green")), None);
    }

    #[test]
    fn what_is_no_error() {
        for value in [
            json!("-"),
            json!("None"),
            json!({}),
            json!([]),
            json!(0),
            json!(null),
            json!(false),
        ] {
            assert_ne!(error_value(&value), ErrorSays::Error, "{value}");
        }
        for value in [json!("boom"), json!(true), json!(3), json!({"code": 1})] {
            assert_eq!(error_value(&value), ErrorSays::Error, "{value}");
        }
    }
}
