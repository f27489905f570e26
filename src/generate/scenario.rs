//! A scenario: who does what, how long it takes, and how often it fails.

use crate::diagnostic::Diagnostic;
use crate::tally;

mod endpoints;
mod fields;
mod raw;

/// The scenarios that ship: name and TOML.
pub const EMBEDDED: [(&str, &str); 4] = [
    (
        "worker-batches",
        include_str!("../../templates/scenarios/worker-batches.toml"),
    ),
    (
        "agent-studio",
        include_str!("../../templates/scenarios/agent-studio.toml"),
    ),
    (
        "claims-api",
        include_str!("../../templates/scenarios/claims-api.toml"),
    ),
    (
        "rag-queries",
        include_str!("../../templates/scenarios/rag-queries.toml"),
    ),
];

/// A valid scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// One sentence for `--list`.
    pub title: String,
    /// Concurrent users once all have spawned.
    pub users: u32,
    /// Users spawned per second.
    pub spawn_rate: f64,
    /// When the run ends.
    pub length: Length,
    /// Shortest and longest wait between a response and the next request, microseconds.
    pub wait_us: (u64, u64),
    /// What users do; never empty.
    pub endpoints: Vec<Endpoint>,
    /// Memory samples of the server, if it is watched.
    pub memory: Option<Memory>,
    /// Requests besides those of the users.
    pub bursts: Vec<Burst>,
}

/// When a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// After this many microseconds; requests still under way are not logged, as Locust kills their users.
    Duration(u64),
    /// After this many responses.
    Requests(u64),
}

/// One kind of request.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Method and name.
    pub key: tally::Endpoint,
    /// How often it is chosen, relative to the others.
    pub weight: f64,
    /// Median response time in milliseconds.
    pub median_ms: f64,
    /// 95th percentile of the response time in milliseconds, at least the median.
    pub p95_ms: f64,
    /// Ways to fail; their ratios sum to at most 1.
    pub failures: Vec<Failure>,
    /// HTTP status of a response that did not fail.
    pub status: u16,
    /// Fewest and most body bytes.
    pub response_length: (u64, u64),
    /// Measured fields of every request.
    pub fields: Vec<(String, Values)>,
}

/// One way to fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// HTTP status, 0 without a response.
    pub status: u16,
    /// Share of the endpoint's requests, 0 to 1.
    pub ratio: f64,
    /// The error as Locust prints it.
    pub error: String,
}

/// The values of a measured field.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Always this.
    Fixed(f64),
    /// Whole numbers from the first to the second, all as likely.
    Range(u64, u64),
    /// Values and how often each is chosen, relative to the others.
    Weighted(Vec<(f64, f64)>),
}

/// The server's memory, sampled into lines without an endpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// Time between samples, microseconds.
    pub every_us: u64,
    /// At the start, MB.
    pub baseline_mb: f64,
    /// Growth in MB per hour.
    pub growth_mb_per_h: f64,
    /// Standard deviation of one sample, MB.
    pub noise_mb: f64,
}

/// Requests that all start at one moment, each from a user of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Index of the endpoint.
    pub endpoint: usize,
    /// How many.
    pub requests: u32,
    /// When, microseconds after the start.
    pub at_us: u64,
}

/// Reads a scenario file's text, or tells every mistake in it. `file` is its path as the user gave it.
pub fn parse(text: &str, file: &str) -> Result<Scenario, Vec<Diagnostic>> {
    raw::Reader::new(text, file).read()
}

/// The text of an error as Locust's failure table has it for this status.
pub fn default_error(status: u16, name: &str) -> String {
    if status == 0 {
        return "RemoteDisconnected('Remote end closed connection without response')".to_owned();
    }
    if status < 400 {
        return format!("CatchResponseError('unexpected response from {name}')");
    }
    let side = if status < 500 { "Client" } else { "Server" };
    format!(
        "HTTPError('{status} {side} Error: {} for url: {name}')",
        reason(status)
    )
}

/// The reason phrase of RFC 9110, as web servers send it.
fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        423 => "Locked",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        // `requests` prints None where a server sends no phrase.
        _ => "None",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_scenario_is_valid() {
        for (name, text) in EMBEDDED {
            let found = parse(text, name).map_err(|problems| {
                problems
                    .iter()
                    .map(Diagnostic::long)
                    .collect::<Vec<_>>()
                    .join("\n")
            });
            let scenario = found.unwrap_or_else(|problems| panic!("{problems}"));
            assert!(!scenario.title.is_empty(), "{name}");
        }
    }

    #[test]
    fn errors_read_as_locust_writes_them() {
        assert_eq!(
            default_error(503, "/query"),
            "HTTPError('503 Server Error: Service Unavailable for url: /query')"
        );
        assert_eq!(
            default_error(409, "X"),
            "HTTPError('409 Client Error: Conflict for url: X')"
        );
        assert!(default_error(0, "X").starts_with("RemoteDisconnected("));
        assert!(default_error(200, "X").starts_with("CatchResponseError("));
    }
}
