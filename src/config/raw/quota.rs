//! `[[quota]]` of the gate file.

use std::ops::Range;

use toml::de::DeTable;

use super::{Reader, Value, integer};
use crate::config::rate::{self, Wrong};
use crate::diagnostic::Origin;
use crate::gate::Level;
use crate::gate::quota::{Cost, Quota};

const KEYS: &[&str] = &[
    "id", "limit", "target", "cost", "burst", "bucket", "on", "level",
];

/// A limit that no target is above.
const WHOLE: &str = "1000000000000000 per 1s";

impl Reader<'_> {
    /// Every `[[quota]]`.
    pub(super) fn quotas(&mut self, value: &Value<'_>) {
        for (table, span) in self.tables(value, "quota") {
            if let Some(quota) = self.quota(table, span) {
                self.config.quotas.push(quota);
            }
        }
    }

    /// Reads every key before it gives up, so that all that is wrong is told.
    fn quota(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Option<Quota> {
        self.only_known(table, KEYS);
        let line = self.line(table, &span);
        let id = self.id(table, "quota", span.clone());
        if table.get("limit").is_none() {
            let message = format!("{} has no `limit`", Self::called("quota", table));
            self.problem(
                "missing-key",
                span,
                message,
                "write `limit = \"60 per 60s\"`",
            );
        }
        let limit = self.optional(table, "limit", |me, v| me.rated(v, "limit", rate::rate));
        let burst = self.optional(table, "burst", |me, v| me.rated(v, "burst", rate::rate));
        let bucket = self.optional(table, "bucket", |me, v| me.rated(v, "bucket", rate::bucket));
        let cost = self.optional(table, "cost", Self::cost);
        let on = self.optional(table, "on", Self::selector);
        let level = self.optional(table, "level", |me, v| me.level_of(v, "level"));
        let target = self.optional(table, "target", |me, value| {
            let number = integer(value).map(|n| n.to_string());
            // Without a limit that can be read a target is still a number or a share.
            let whole = || rate::rate(WHOLE).ok();
            let of = limit.clone().or_else(whole)?;
            match number {
                Some(text) => me.understood(value, rate::target(&text, &of)),
                None => me.rated(value, "target", |text| rate::target(text, &of)),
            }
        });
        let quota = Quota {
            id: id?,
            limit: limit?,
            target,
            cost: cost.unwrap_or(Cost::Fixed(1)),
            burst,
            bucket,
            on,
            level: level.unwrap_or(Level::Fail),
            origin: Origin::line(self.file, line),
        };
        self.says_something(table, &quota);
        Some(quota)
    }

    /// A quota that a single request breaks, and rules that can never be broken before another is.
    fn says_something(&mut self, table: &DeTable<'_>, quota: &Quota) {
        for (key, code, message) in vain(quota) {
            if let Some(value) = table.get(key) {
                let help = match code {
                    "no-effect" => "leave it out, or make it stricter",
                    _ => "write a limit that some runs keep and others break",
                };
                self.problem(code, value.span(), message, help);
            }
        }
    }

    fn rated<T>(
        &mut self,
        value: &Value<'_>,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let text = self.string(value, what)?;
        let parsed = parse(text);
        self.understood(value, parsed)
    }

    fn understood<T>(&mut self, value: &Value<'_>, parsed: Result<T, Wrong>) -> Option<T> {
        parsed
            .map_err(|(message, help)| self.problem("bad-value", value.span(), message, help))
            .ok()
    }

    /// A measured field's name, or a whole number.
    fn cost(&mut self, value: &Value<'_>) -> Option<Cost> {
        if let Some(number) = integer(value) {
            if (1..=1_000_000).contains(&number) {
                return Some(Cost::Fixed(number as u64));
            }
        } else if let Some(name) = value.get_ref().as_str().filter(|n| !n.trim().is_empty()) {
            return Some(Cost::Field(name.trim().to_owned()));
        }
        self.problem(
            "bad-value",
            value.span(),
            "a cost is a measured field, or a whole number from 1".to_owned(),
            "write `cost = \"api_calls\"` or `cost = 2`",
        );
        None
    }
}

/// Key, code and message of what says nothing in a quota.
fn vain(quota: &Quota) -> Vec<(&'static str, &'static str, String)> {
    let mut found = Vec::new();
    // The most that a window of the limit can hold while target and limit are kept.
    let limit = i128::from(quota.limit.count);
    let most = quota
        .target
        .as_ref()
        .map_or(limit, |target| target.value.ceil() - 1);
    let each = match quota.cost {
        Cost::Fixed(each) => i128::from(each),
        Cost::Field(_) => 0,
    };
    let mut breaks = |key, kept: i128, what: &str| {
        if kept < each {
            let message = format!("one request, which costs {each}, is more than {what} allows");
            found.push((key, "useless-limit", message));
        }
    };
    if limit < each {
        breaks("limit", limit, "the limit");
    } else {
        breaks("target", most, "the target");
    }
    if let Some(burst) = &quota.burst {
        breaks("burst", i128::from(burst.count), "a burst");
    }
    if let Some(bucket) = &quota.bucket {
        breaks("bucket", i128::from(bucket.capacity), "the bucket");
    }
    // So many windows of the limit cover one of a burst: it holds no more than all of them.
    let window = i128::from(quota.limit.window_ms);
    if let Some(burst) = &quota.burst {
        let covering = (i128::from(burst.window_ms) + window - 1) / window;
        if i128::from(burst.count) >= most * covering {
            let message = format!(
                "there is no burst beyond {} that would not break the {} first",
                burst.text,
                stricter(quota)
            );
            found.push(("burst", "no-effect", message));
        }
    }
    // What comes in in t is up to most × (t / window + 1): a bucket that holds as much and fills as fast rejects nothing.
    if let Some(bucket) = &quota.bucket {
        let fills = i128::from(bucket.millionths) * window;
        let needed = most * 1_000_000 * i128::from(bucket.per_ms);
        if i128::from(bucket.capacity) >= most && fills >= needed {
            let message = format!(
                "a token bucket of {} rejects nothing that does not break the {} first",
                bucket.text,
                stricter(quota)
            );
            found.push(("bucket", "no-effect", message));
        }
    }
    found
}

fn stricter(quota: &Quota) -> &'static str {
    match quota.target {
        Some(_) => "target",
        None => "limit",
    }
}
