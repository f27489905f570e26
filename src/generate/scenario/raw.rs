//! The scenario file as TOML with spans, read key by key so that every mistake is found.

use std::ops::Range;

use toml::de::DeTable;

use super::{Burst, Endpoint, Failure, Length, Memory, Scenario, default_error, fields};
use crate::config::expression::duration_ms;
use crate::config::mistakes::{Mistakes, Value, integer};
use crate::diagnostic::Diagnostic;
use crate::tally;

const ENDPOINT_KEYS: &[&str] = &[
    "method",
    "name",
    "weight",
    "median",
    "p95",
    "status",
    "response-length",
    "failures",
    "fields",
];
const LOAD_KEYS: &[&str] = &["users", "spawn-rate", "duration", "requests", "wait"];
const MEMORY_KEYS: &[&str] = &["every", "baseline-mb", "growth-mb-per-h", "noise-mb"];

/// Most concurrent users: each takes memory.
pub const MOST_USERS: u32 = 1_000_000;
/// No time in a scenario is longer than 30 days.
const LONGEST_MS: f64 = 30.0 * 86_400e3;

/// Reads one scenario file and gathers what is wrong with it.
pub struct Reader<'t> {
    pub(super) mistakes: Mistakes<'t>,
}

/// What `[load]` says.
struct Load {
    users: u32,
    spawn_rate: f64,
    length: Length,
    wait_us: (u64, u64),
}

impl<'t> Reader<'t> {
    /// A reader of this text.
    pub fn new(text: &'t str, file: &'t str) -> Self {
        Self {
            mistakes: Mistakes::new(text, file),
        }
    }

    /// The scenario, or every mistake.
    pub fn read(mut self) -> Result<Scenario, Vec<Diagnostic>> {
        let table = self
            .mistakes
            .parse("scenario files are TOML: https://toml.io");
        let scenario = table.and_then(|table| self.sections(table.get_ref()));
        self.mistakes.none_or_all()?;
        // Whoever returned nothing noted a mistake.
        scenario.ok_or_else(Vec::new)
    }

    fn sections(&mut self, root: &DeTable<'_>) -> Option<Scenario> {
        self.keys(root, &["title", "load", "endpoint", "memory"]);
        let title = root
            .get("title")
            .and_then(|value| self.mistakes.string(value, "title"))
            .unwrap_or_default()
            .to_owned();
        let load = match root.get("load") {
            Some(value) => self.load(value),
            None => self.missing(0..0, "the scenario has no `[load]`", "write `[load]` with `users = 40`, `spawn-rate = 10`, `duration = \"5min\"` and `wait = [\"5s\", \"15s\"]`"),
        };
        let endpoints = self.endpoints(root);
        let memory = root.get("memory").map(|value| self.memory(value));
        let load = load?;
        Some(Scenario {
            title,
            users: load.users,
            spawn_rate: load.spawn_rate,
            length: load.length,
            wait_us: load.wait_us,
            endpoints: endpoints?,
            memory: match memory {
                Some(memory) => Some(memory?),
                None => None,
            },
            bursts: Vec::<Burst>::new(),
        })
    }

    /// Notes every key of a table that means nothing.
    fn keys(&mut self, table: &DeTable<'_>, known: &[&str]) {
        for (key, _) in table {
            if !known.contains(&key.get_ref().as_ref()) {
                self.mistakes.unknown_key(key.get_ref(), key.span(), known);
            }
        }
    }

    fn missing<T>(&mut self, span: Range<usize>, message: &str, help: &str) -> Option<T> {
        self.mistakes
            .add("missing-key", span, message.to_owned(), help);
        None
    }

    pub(super) fn bad<T>(&mut self, span: Range<usize>, message: String, help: &str) -> Option<T> {
        self.mistakes.add("bad-value", span, message, help);
        None
    }

    /// A key that must be there.
    fn needed<'v>(
        &mut self,
        table: &'v DeTable<'v>,
        key: &str,
        span: &Range<usize>,
        help: &str,
    ) -> Option<&'v Value<'v>> {
        let value = table.get(key);
        if value.is_none() {
            self.missing::<()>(span.clone(), &format!("`{key}` is missing"), help);
        }
        value
    }

    fn load(&mut self, value: &Value<'_>) -> Option<Load> {
        let table = self.mistakes.table(value, "load")?;
        self.keys(table, LOAD_KEYS);
        let span = value.span();
        let users = self
            .needed(table, "users", &span, "write `users = 40`")
            .and_then(|value| self.whole(value, "users", (1, u64::from(MOST_USERS))));
        let spawn_rate = self
            .needed(
                table,
                "spawn-rate",
                &span,
                "write `spawn-rate = 10`, users per second",
            )
            .and_then(|value| self.number(value, "spawn-rate", (1e-3, 1e6)));
        let length = self.length(table, &span);
        let wait = self
            .needed(table, "wait", &span, "write `wait = [\"5s\", \"15s\"]`")
            .and_then(|value| self.wait(value));
        Some(Load {
            users: users? as u32,
            spawn_rate: spawn_rate?,
            length: length?,
            wait_us: wait?,
        })
    }

    fn length(&mut self, table: &DeTable<'_>, span: &Range<usize>) -> Option<Length> {
        match (table.get("duration"), table.get("requests")) {
            (Some(value), None) => Some(Length::Duration(self.time_us(value, "duration")?)),
            (None, Some(value)) => Some(Length::Requests(self.whole(
                value,
                "requests",
                (1, 1 << 40),
            )?)),
            (None, None) => self.missing(
                span.clone(),
                "the run has no end",
                "write `duration = \"5min\"` or `requests = 10_000`",
            ),
            (Some(_), Some(requests)) => self.bad(
                requests.span(),
                "the run has both a `duration` and a number of `requests`".to_owned(),
                "keep one of them",
            ),
        }
    }

    fn wait(&mut self, value: &Value<'_>) -> Option<(u64, u64)> {
        const HELP: &str = "write the shortest and the longest, as `[\"5s\", \"15s\"]`";
        let list = value.get_ref().as_array().filter(|list| list.len() == 2);
        let Some(list) = list else {
            return self.bad(value.span(), "`wait` is two durations".to_owned(), HELP);
        };
        let bound = |reader: &mut Self, value: &Value<'_>| match value.get_ref().as_str() {
            Some("0" | "0s" | "0ms") => Some(0),
            _ => reader.time_us(value, "wait"),
        };
        let (min, max) = (bound(self, &list[0]), bound(self, &list[1]));
        let (min, max) = (min?, max?);
        if min > max {
            let message = "the shortest wait is longer than the longest".to_owned();
            return self.bad(value.span(), message, HELP);
        }
        Some((min, max))
    }

    fn endpoints(&mut self, root: &DeTable<'_>) -> Option<Vec<Endpoint>> {
        const HELP: &str =
            "write `[[endpoint]]` with `method`, `name`, `weight`, `median` and `p95`";
        let value = self.needed(root, "endpoint", &(0..0), HELP)?;
        let Some(list) = value.get_ref().as_array().filter(|list| !list.is_empty()) else {
            return self.bad(
                value.span(),
                "`endpoint` is a list of at least one table".to_owned(),
                HELP,
            );
        };
        let mut seen: Vec<tally::Endpoint> = Vec::new();
        let mut endpoints = Vec::new();
        let mut weights = Vec::new();
        for item in list {
            let Some(table) = self.mistakes.table(item, "endpoint") else {
                continue;
            };
            weights.extend(table.get("weight"));
            let key = self.key(table, &item.span());
            if let (Some(key), Some(name)) = (&key, table.get("name")) {
                if seen.contains(key) {
                    let message = format!("there are two endpoints `{key}`");
                    self.mistakes.add(
                        "duplicate-id",
                        name.span(),
                        message,
                        "every endpoint has a name of its own",
                    );
                }
                seen.push(key.clone());
            }
            endpoints.push(self.endpoint(table, &item.span(), key));
        }
        // Those without a weight have 1, so every one must say that it has none.
        if weights.len() == list.len()
            && weights.iter().all(|value| plain_number(value) == Some(0.0))
        {
            let span = weights.first().map_or(0..0, |value| value.span());
            return self.bad(
                span,
                "every `weight` is zero, so nothing would be requested".to_owned(),
                "give at least one endpoint a weight above 0",
            );
        }
        endpoints.into_iter().collect()
    }

    fn key(&mut self, table: &DeTable<'_>, span: &Range<usize>) -> Option<tally::Endpoint> {
        let name = self
            .needed(table, "name", span, "write `name = \"/claims\"`")
            .and_then(|value| {
                self.mistakes
                    .string(value, "name")
                    .map(|text| (text, value))
            });
        let method = table
            .get("method")
            .map(|value| self.mistakes.string(value, "method"));
        let (name, value) = name?;
        if name.is_empty() {
            return self.bad(
                value.span(),
                "the endpoint's `name` is empty".to_owned(),
                "write `name = \"/claims\"`",
            );
        }
        Some(tally::Endpoint {
            name: name.to_owned(),
            method: method.unwrap_or(Some("GET"))?.to_owned(),
        })
    }

    fn endpoint(
        &mut self,
        table: &DeTable<'_>,
        span: &Range<usize>,
        key: Option<tally::Endpoint>,
    ) -> Option<Endpoint> {
        self.keys(table, ENDPOINT_KEYS);
        let weight = table
            .get("weight")
            .map_or(Some(1.0), |value| self.number(value, "weight", (0.0, 1e9)));
        let times = self.times(table, span);
        let status = table
            .get("status")
            .map_or(Some(200), |value| self.whole(value, "status", (100, 599)));
        let response_length = table
            .get("response-length")
            .map_or(Some((0, 0)), |value| self.range(value, "response-length"));
        let name = key.as_ref().map_or("", |key| key.name.as_str());
        let failures = table
            .get("failures")
            .map_or(Some(Vec::new()), |value| self.failures(value, name));
        let fields = table
            .get("fields")
            .map_or(Some(Vec::new()), |value| self.fields(value));
        let (median_ms, p95_ms) = times?;
        Some(Endpoint {
            key: key?,
            weight: weight?,
            median_ms,
            p95_ms,
            failures: failures?,
            status: status? as u16,
            response_length: response_length?,
            fields: fields?,
        })
    }

    fn times(&mut self, table: &DeTable<'_>, span: &Range<usize>) -> Option<(f64, f64)> {
        let median = self
            .needed(table, "median", span, "write `median = \"120ms\"`")
            .and_then(|value| self.time_ms(value, "median"));
        let p95_value = self.needed(table, "p95", span, "write `p95 = \"300ms\"`");
        let p95 = p95_value.and_then(|value| self.time_ms(value, "p95"));
        let (median, p95) = (median?, p95?);
        if p95 < median {
            let at = p95_value.map_or(0..0, Value::span);
            return self.bad(
                at,
                "`p95` is below the `median`".to_owned(),
                "95 % of the response times are below the p95, half of them below the median",
            );
        }
        Some((median, p95))
    }

    fn failures(&mut self, value: &Value<'_>, name: &str) -> Option<Vec<Failure>> {
        let Some(list) = value.get_ref().as_array() else {
            self.mistakes.wrong_type(
                value,
                "failures",
                "a list, as `[{ status = 503, ratio = 0.01 }]`",
            );
            return None;
        };
        let failures: Vec<_> = list.iter().map(|item| self.failure(item, name)).collect();
        let failures: Vec<Failure> = failures.into_iter().collect::<Option<_>>()?;
        let sum: f64 = failures.iter().map(|f| f.ratio).sum();
        if sum > 1.0 {
            return self.bad(
                value.span(),
                format!("the failure ratios sum to {sum}, above 1"),
                "a ratio is a share of the endpoint's requests: 0.01 is 1 %",
            );
        }
        Some(failures)
    }

    fn failure(&mut self, item: &Value<'_>, name: &str) -> Option<Failure> {
        let table = self.mistakes.table(item, "failures")?;
        self.keys(table, &["status", "ratio", "error"]);
        let status = self
            .needed(
                table,
                "status",
                &item.span(),
                "write `status = 503`, or 0 if there is no response",
            )
            .and_then(|value| match integer(value) {
                Some(0) => Some(0),
                _ => self.whole(value, "status", (100, 599)),
            });
        let ratio = self
            .needed(table, "ratio", &item.span(), "write `ratio = 0.01` for 1 %")
            .and_then(|value| self.number(value, "ratio", (0.0, 1.0)));
        let error = table
            .get("error")
            .map(|value| self.mistakes.string(value, "error"));
        let status = status? as u16;
        let error = match error {
            Some(text) => text?.to_owned(),
            None => default_error(status, name),
        };
        Some(Failure {
            status,
            ratio: ratio?,
            error,
        })
    }

    fn memory(&mut self, value: &Value<'_>) -> Option<Memory> {
        let table = self.mistakes.table(value, "memory")?;
        self.keys(table, MEMORY_KEYS);
        let span = value.span();
        let every = self
            .needed(table, "every", &span, "write `every = \"5s\"`")
            .and_then(|value| self.time_us(value, "every"));
        let baseline = self
            .needed(table, "baseline-mb", &span, "write `baseline-mb = 180`")
            .and_then(|value| self.number(value, "baseline-mb", (0.0, 1e9)));
        let mut or_zero = |key: &str| {
            table
                .get(key)
                .map_or(Some(0.0), |value| self.number(value, key, (0.0, 1e9)))
        };
        let (growth, noise) = (or_zero("growth-mb-per-h"), or_zero("noise-mb"));
        Some(Memory {
            every_us: every?,
            baseline_mb: baseline?,
            growth_mb_per_h: growth?,
            noise_mb: noise?,
        })
    }

    fn fields(&mut self, value: &Value<'_>) -> Option<Vec<(String, super::Values)>> {
        let table = self.mistakes.table(value, "fields")?;
        let all: Vec<_> = table
            .iter()
            .map(|(key, value)| Some((key.get_ref().to_string(), fields::read(self, key, value)?)))
            .collect();
        all.into_iter().collect()
    }

    /// A duration in milliseconds.
    fn time_ms(&mut self, value: &Value<'_>, what: &str) -> Option<f64> {
        let text = self.mistakes.string(value, what)?;
        match duration_ms(text) {
            Some(ms) if (1e-3..=LONGEST_MS).contains(&ms) => Some(ms),
            Some(_) => self.bad(
                value.span(),
                format!("`{text}` is out of range"),
                "durations go from 1us to 30 days",
            ),
            None => self.bad(
                value.span(),
                format!("`{text}` is not a duration"),
                "write `500ms`, `30s` or `2min`",
            ),
        }
    }

    fn time_us(&mut self, value: &Value<'_>, what: &str) -> Option<u64> {
        self.time_ms(value, what)
            .map(|ms| (ms * 1e3).round() as u64)
    }

    /// A whole number from `low` to `high`.
    pub(super) fn whole(
        &mut self,
        value: &Value<'_>,
        what: &str,
        (low, high): (u64, u64),
    ) -> Option<u64> {
        let found = integer(value).and_then(|n| u64::try_from(n).ok());
        match found.filter(|n| (low..=high).contains(n)) {
            Some(n) => Some(n),
            None => self.bad(
                value.span(),
                format!("`{what}` is a whole number from {low} to {high}"),
                "write it without quotes and without a unit",
            ),
        }
    }

    /// A number from `low` to `high`.
    pub(super) fn number(
        &mut self,
        value: &Value<'_>,
        what: &str,
        (low, high): (f64, f64),
    ) -> Option<f64> {
        let found = plain_number(value);
        match found.filter(|n| (low..=high).contains(n)) {
            Some(n) => Some(n),
            None => self.bad(
                value.span(),
                format!("`{what}` is a number from {low} to {high}"),
                "write it without quotes and without a unit",
            ),
        }
    }

    /// A whole number, or the fewest and the most.
    fn range(&mut self, value: &Value<'_>, what: &str) -> Option<(u64, u64)> {
        let Some(list) = value.get_ref().as_array() else {
            return self
                .whole(value, what, (0, fields::LARGEST))
                .map(|n| (n, n));
        };
        fields::range(self, list, value.span(), what)
    }
}

/// An integer or a float.
fn plain_number(value: &Value<'_>) -> Option<f64> {
    let float = || {
        value
            .get_ref()
            .as_float()?
            .as_str()
            .replace('_', "")
            .parse()
            .ok()
    };
    integer(value).map(|n| n as f64).or_else(float)
}
