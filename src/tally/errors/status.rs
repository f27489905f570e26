//! Numbers that are HTTP statuses, told from other numbers by what stands beside them.

/// Statuses in use, with their reason phrase: IANA's registry, and nginx's 499.
const REASONS: &[(u16, &str)] = &[
    (100, "Continue"),
    (101, "Switching Protocols"),
    (102, "Processing"),
    (103, "Early Hints"),
    (200, "OK"),
    (201, "Created"),
    (202, "Accepted"),
    (203, "Non-Authoritative Information"),
    (204, "No Content"),
    (205, "Reset Content"),
    (206, "Partial Content"),
    (207, "Multi-Status"),
    (208, "Already Reported"),
    (226, "IM Used"),
    (300, "Multiple Choices"),
    (301, "Moved Permanently"),
    (302, "Found"),
    (303, "See Other"),
    (304, "Not Modified"),
    (305, "Use Proxy"),
    (307, "Temporary Redirect"),
    (308, "Permanent Redirect"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (402, "Payment Required"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (406, "Not Acceptable"),
    (407, "Proxy Authentication Required"),
    (408, "Request Timeout"),
    (409, "Conflict"),
    (410, "Gone"),
    (411, "Length Required"),
    (412, "Precondition Failed"),
    (413, "Payload Too Large"),
    (414, "URI Too Long"),
    (415, "Unsupported Media Type"),
    (416, "Range Not Satisfiable"),
    (417, "Expectation Failed"),
    (418, "I'm a teapot"),
    (421, "Misdirected Request"),
    (422, "Unprocessable Entity"),
    (423, "Locked"),
    (424, "Failed Dependency"),
    (425, "Too Early"),
    (426, "Upgrade Required"),
    (428, "Precondition Required"),
    (429, "Too Many Requests"),
    (431, "Request Header Fields Too Large"),
    (451, "Unavailable For Legal Reasons"),
    (499, "Client Closed Request"),
    (500, "Internal Server Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
    (505, "HTTP Version Not Supported"),
    (506, "Variant Also Negotiates"),
    (507, "Insufficient Storage"),
    (508, "Loop Detected"),
    (510, "Not Extended"),
    (511, "Network Authentication Required"),
];

/// Words after which any number from 100 to 599 is a status.
const SURE: [&str; 4] = ["status", "statuscode", "http", "code"];
/// Words after which a number is a status if it is one in use: `expected 200 got 503`, but `expected 250 rows`.
const LIKELY: [&str; 7] = [
    "error", "response", "expected", "got", "returned", "received", "assert",
];

/// Whether the three digits from `start` are an HTTP status. What it looks at is never folded, or accepted folded
/// (`HTTP/# 503`), so that a message folded once stays as it is.
pub fn is_status(text: &str, start: usize) -> bool {
    let (before, after) = (&text[..start], &text[start + 3..]);
    let Ok(number @ 100..=599) = text[start..start + 3].parse::<u16>() else {
        return false;
    };
    let reason = REASONS.iter().find(|(status, _)| *status == number);
    let in_use = reason.is_some();
    if reason.is_some_and(|(_, phrase)| begins(after, phrase))
        || begins(after, "Client Error")
        || begins(after, "Server Error")
        || is_after(before, &SURE)
        || is_after_version(before)
    {
        return true;
    }
    let is_first = !before.contains(|c: char| c.is_alphanumeric() || c == '#');
    let operator = before.trim_end();
    let is_compared = operator.ends_with("==") || operator.ends_with("!=");
    in_use && (is_first || is_compared || is_after(before, &LIKELY))
}

/// Whether the words follow, after a space or a colon, in small or capital letters.
fn begins(after: &str, words: &str) -> bool {
    let rest = after.trim_start_matches([' ', ':', '-', ',', ')', '(', '\'', '"']);
    rest.len() < after.len()
        && rest
            .get(..words.len())
            .is_some_and(|r| r.eq_ignore_ascii_case(words))
        && !rest[words.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Whether one of the words stands before; of `status_code` the last part.
fn is_after(before: &str, words: &[&str]) -> bool {
    let before = before.trim_end_matches([' ', ':', '=', '(', '[', '\'', '"', '!', '<', '>']);
    let word = before
        .rsplit(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    words.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// `HTTP/1.1 503`.
fn is_after_version(before: &str) -> bool {
    before
        .trim_end()
        .trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '#'))
        .strip_suffix('/')
        .is_some_and(|rest| is_after(rest, &["http"]))
}
