//! What kind of failure it was.

use std::sync::LazyLock;

use regex::RegexSet;

/// What kind of failure it was, from what says least to what says most: of two spellings of one failure the greater counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// None of these.
    #[default]
    Other,
    /// The load script raised an exception.
    Exception,
    /// The load script rejected the answer.
    Assertion,
    /// 4xx other than 429.
    ClientError,
    /// 5xx.
    ServerError,
    /// Status 429.
    RateLimited,
    /// The connection was refused, reset or never made.
    Connection,
    /// The TLS handshake or a certificate failed.
    Tls,
    /// No answer in time.
    Timeout,
}

/// What a message without an answer must hold to be of a category; the first that matches counts. Words are matched whole:
/// `lossless` is no TLS, and `refused by the bank` no connection.
const RULES: [(Category, &str); 8] = [
    (
        Category::Timeout,
        r"(?i:\btimed?[ -]?outs?\b)|Timeout|TimedOut|ETIMEDOUT",
    ),
    (
        Category::Tls,
        r"(?i:\b(?:ssl|tls)(?:v?[0-9.]+)?\b|\bcertificates?\b|\bx509\b)|\bSSL\w*Error\b|CERTIFICATE_",
    ),
    (
        Category::Connection,
        concat!(
            r"(?i:\bconnection (?:was |is |has been )?(?:forcibly )?(?:refused|reset|aborted|closed|broken|lost|error)\b",
            r"|\bremote end closed|\breset by peer\b|\bbroken pipe\b|\b(?:host|network) (?:is )?unreachable\b|\bno route to host\b",
            r"|\bname or service not known\b|\bnodename nor servname\b|\bname resolution\b|\bgetaddrinfo\b",
            r"|\bfailed to (?:resolve|establish)\b|\[(?:errno|winerror) -?[0-9]+\].*\b(?:refused|reset|aborted|closed)\b)",
            r"|\bConnection\w*Error\b|\bNewConnectionError\b|\bConnectError\b|\bRemoteDisconnected\b|\bBrokenPipeError\b",
            r"|\bgaierror\b|\bECONN(?:REFUSED|RESET|ABORTED)\b|\bENOTFOUND\b|\[WinError 100[56][0-9]\]",
        ),
    ),
    (
        Category::RateLimited,
        concat!(
            r#"^(?:\w+\(['"])?[^\w#]*429\b|\b429 Client Error\b|(?i:\b429\W{1,3}too many requests\b"#,
            r#"|(?:\b|_)(?:status|http|code|error|response|got|returned|received)\W{1,3}429\b)"#,
        ),
    ),
    (Category::ClientError, r"(?i:\bclient error\b)"),
    (Category::ServerError, r"(?i:\bserver error\b)"),
    (Category::Assertion, r"\bCatchResponseError\b|(?i:\bassert)"),
    (Category::Exception, r"\b[A-Z]\w*(?:Error|Exception)\b"),
];

static SET: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(RULES.map(|(_, rule)| rule)).expect("the rules are constant"));

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

    /// Whether it says that no answer came, so that there was no status.
    pub fn is_without_answer(self) -> bool {
        match self {
            Self::Timeout | Self::Connection | Self::Tls => true,
            Self::RateLimited
            | Self::ClientError
            | Self::ServerError
            | Self::Assertion
            | Self::Exception
            | Self::Other => false,
        }
    }

    /// By the status where there was an answer, else by the words. An answer below 400 that failed nevertheless was
    /// rejected by the load script, whatever words it used for it: a connection that was refused answers nothing.
    pub fn of(status: Option<u16>, message: &str) -> Self {
        match status {
            Some(429) => Self::RateLimited,
            Some(400..=499) => Self::ClientError,
            Some(500..=599) => Self::ServerError,
            Some(_) => Self::Assertion,
            None => SET
                .matches(message)
                .iter()
                .next()
                .map_or(Self::Other, |first| RULES[first].0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_by_its_status() {
        assert_eq!(Category::of(Some(429), "x"), Category::RateLimited);
        assert_eq!(Category::of(Some(404), "x"), Category::ClientError);
        assert_eq!(Category::of(Some(503), "timed out"), Category::ServerError);
        for message in [
            "Payment refused by bank",
            "password reset page",
            "lossless mode off",
            "order 142957 mismatch",
            "job timed out",
            "",
        ] {
            assert_eq!(
                Category::of(Some(200), message),
                Category::Assertion,
                "{message}"
            );
        }
    }

    #[test]
    fn without_an_answer_words_decide() {
        use Category::*;
        for (message, category) in [
            ("ReadTimeout: timed out", Timeout),
            ("ConnectTimeoutError('x')", Timeout),
            ("[Errno 110] Connection timed out", Timeout),
            ("sometimes routed", Other),
            ("SSLError('bad handshake')", Tls),
            ("certificate has expired", Tls),
            ("TLSv1.3 alert", Tls),
            ("lossless mode off", Other),
            ("Connection refused", Connection),
            ("ConnectionRefusedError(111, 'x')", Connection),
            ("[Errno 111] refused", Connection),
            ("read: reset by peer", Connection),
            (
                "RemoteDisconnected('Remote end closed connection')",
                Connection,
            ),
            ("Payment refused by bank", Other),
            ("password reset page", Other),
            ("connection pool page missing", Other),
            ("429", RateLimited),
            ("CatchResponseError('429: slow down')", RateLimited),
            ("got 429", RateLimited),
            ("status_code=429", RateLimited),
            ("order 142957 mismatch", Other),
            ("429957 orders", Other),
            ("404 Client Error: Not Found for url: x", ClientError),
            ("HTTPError('500 Server Error: x')", ServerError),
            ("CatchResponseError('no body')", Assertion),
            ("assert 1 == 2", Assertion),
            ("KeyError('token')", Exception),
            ("no body", Other),
        ] {
            assert_eq!(Category::of(None, message), category, "{message}");
        }
    }
}
