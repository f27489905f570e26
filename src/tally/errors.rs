//! Failures by status, category and folded message.

use std::sync::LazyLock;

use regex::Regex;

use super::Counts;

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// No answer in time.
    Timeout,
    /// The connection was refused, reset or never made.
    Connection,
    /// The TLS handshake or a certificate failed.
    Tls,
    /// Status 429.
    RateLimited,
    /// Any other 4xx.
    ClientError,
    /// 5xx.
    ServerError,
    /// The load script rejected the answer.
    Assertion,
    /// The load script raised an exception.
    Exception,
    /// None of these.
    Other,
}

impl Category {
    /// The word used in every report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::RateLimited => "rate-limited",
            Self::ClientError => "client-error",
            Self::ServerError => "server-error",
            Self::Assertion => "assertion",
            Self::Exception => "exception",
            Self::Other => "other",
        }
    }

    fn of(status: Option<u16>, message: &str) -> Self {
        match status {
            Some(429) => return Self::RateLimited,
            Some(400..=499) => return Self::ClientError,
            Some(500..=599) => return Self::ServerError,
            _ => {}
        }
        let text = message.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
        if has(&["timeout", "timed out", "time-out"]) {
            Self::Timeout
        } else if has(&["ssl", "tls", "certificate"]) {
            Self::Tls
        } else if has(&[
            "connection",
            "remotedisconnected",
            "refused",
            "reset",
            "winerror",
            "unreachable",
        ]) {
            Self::Connection
        } else if has(&["429"]) {
            Self::RateLimited
        } else if has(&["client error"]) {
            Self::ClientError
        } else if has(&["server error"]) {
            Self::ServerError
        } else if status.is_some() || has(&["catchresponseerror", "assert"]) {
            Self::Assertion
        } else if EXCEPTION.is_match(message) {
            Self::Exception
        } else {
            Self::Other
        }
    }
}

/// What makes two failures the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErrorKey {
    /// HTTP status, if there was one.
    pub status: Option<u16>,
    /// What kind of failure.
    pub category: Category,
    /// The message with ids, addresses and numbers folded.
    pub message: String,
}

impl ErrorKey {
    /// Sorts a failure into its category and folds its message.
    pub fn new(status: Option<u16>, message: &str) -> Self {
        let mut folded = fold(message);
        if folded.is_empty() {
            folded = status.map_or_else(|| "no message".to_owned(), |s| format!("status {s}"));
        }
        Self {
            status,
            category: Category::of(status, message),
            message: folded,
        }
    }
}

/// How often and when a failure was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ErrorTally {
    /// How many requests.
    pub count: u64,
    /// First seen, epoch ms.
    pub first_ms: Option<i64>,
    /// Last seen, epoch ms.
    pub last_ms: Option<i64>,
    /// Epoch second → requests that started in it; only as far as their start is known.
    pub seconds: Counts,
}

impl ErrorTally {
    /// Counts `count` more, seen between `first` and `last`.
    pub fn add(&mut self, count: u64, first: Option<i64>, last: Option<i64>) {
        self.count += count;
        self.first_ms = match (self.first_ms, first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last_ms = self.last_ms.max(last);
    }
    /// Adds another count of the same failure.
    pub fn merge(&mut self, other: &Self) {
        self.add(other.count, other.first_ms, other.last_ms);
        self.seconds.merge(&other.seconds);
    }
}

/// Python's `repr` of an exception: `Name('text')`.
static REPR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?s)^\w+\(\s*(?:'(.*)'|"(.*)")\s*,?\)$"#).expect("the pattern is constant")
});
/// The name of an exception: `KeyError`, `java.lang.IllegalStateException`.
static EXCEPTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b[A-Z]\w*(?:Error|Exception)\b").expect("the pattern is constant")
});
/// Addresses, uuids, hexadecimal words with a digit, and numbers.
static IDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}",
        r"|\b[0-9a-fA-F]*[0-9][0-9a-fA-F]{7,}\b|\b\d+(?:[.:]\d+)*|\d{4,}"
    ))
    .expect("the pattern is constant")
});
/// A word that is an HTTP status says what happened and stays.
static STATUS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[1-5]\d\d$").expect("the pattern is constant"));

/// Folds ids, addresses and numbers (but HTTP statuses) to `#`, and Locust's `repr` form to the plain text, so that the same
/// failure has the same text in every Locust version.
pub fn fold(message: &str) -> String {
    let text = message.trim();
    let inner = REPR
        .captures(text)
        .and_then(|c| c.get(1).or(c.get(2)))
        .map_or(text, |m| m.as_str());
    let inner = inner.replace("\\n", " ").replace(['\n', '\r'], " ");
    let fold = |found: &regex::Captures<'_>| {
        let word = &found[0];
        if STATUS.is_match(word) {
            word.to_owned()
        } else {
            "#".to_owned()
        }
    };
    IDS.replace_all(inner.trim(), fold).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repr_and_plain_text_fold_to_one() {
        assert_eq!(
            fold("CatchResponseError('Conflict: order 123456 gone')"),
            "Conflict: order # gone"
        );
        assert_eq!(
            fold("Conflict: order 99887766 gone"),
            "Conflict: order # gone"
        );
        assert_eq!(fold("<Response at 0x7f3a22>"), "<Response at #>");
        assert_eq!(
            fold("503 from 10.0.0.7:8080 after 30.01s"),
            "503 from # after #s"
        );
        assert_eq!(fold("row 7 of 12 in arm_50"), "row # of # in arm_50");
    }

    #[test]
    fn categories_go_by_status_then_by_words() {
        assert_eq!(
            ErrorKey::new(Some(429), "x").category,
            Category::RateLimited
        );
        assert_eq!(
            ErrorKey::new(Some(503), "timed out").category,
            Category::ServerError
        );
        assert_eq!(
            ErrorKey::new(None, "ReadTimeout: timed out").category,
            Category::Timeout
        );
        assert_eq!(
            ErrorKey::new(None, "Connection refused").category,
            Category::Connection
        );
        assert_eq!(
            ErrorKey::new(Some(200), "bad body").category,
            Category::Assertion
        );
        assert_eq!(
            ErrorKey::new(None, "KeyError('token')").category,
            Category::Exception
        );
        assert_eq!(ErrorKey::new(Some(500), "").message, "status 500");
    }
}
