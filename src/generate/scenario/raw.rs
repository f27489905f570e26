//! The scenario file as TOML with spans, read key by key so that every mistake is found.

use std::ops::Range;

use toml::de::DeTable;

use super::{Length, Memory, Scenario, fields};
use crate::config::mistakes::{Mistakes, Value, integer};
use crate::config::quantity::duration_ms;
use crate::diagnostic::Diagnostic;

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
            bursts: Vec::new(),
        })
    }

    /// Notes every key of a table that means nothing.
    pub(super) fn keys(&mut self, table: &DeTable<'_>, known: &[&str]) {
        for (key, _) in table {
            if !known.contains(&key.get_ref().as_ref()) {
                self.mistakes.unknown_key(key.get_ref(), key.span(), known);
            }
        }
    }

    pub(super) fn missing<T>(
        &mut self,
        span: Range<usize>,
        message: &str,
        help: &str,
    ) -> Option<T> {
        self.mistakes
            .add("missing-key", span, message.to_owned(), help);
        None
    }

    pub(super) fn bad<T>(&mut self, span: Range<usize>, message: String, help: &str) -> Option<T> {
        self.mistakes.add("bad-value", span, message, help);
        None
    }

    /// A key that must be there.
    pub(super) fn needed<'v>(
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

    /// A duration in milliseconds.
    pub(super) fn time_ms(&mut self, value: &Value<'_>, what: &str) -> Option<f64> {
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
    pub(super) fn range(&mut self, value: &Value<'_>, what: &str) -> Option<(u64, u64)> {
        let Some(list) = value.get_ref().as_array() else {
            return self
                .whole(value, what, (0, fields::LARGEST))
                .map(|n| (n, n));
        };
        fields::range(self, list, value.span(), what)
    }
}

/// An integer or a float.
pub fn plain_number(value: &Value<'_>) -> Option<f64> {
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
