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

impl Reader<'_> {
    /// Every `[[quota]]`.
    pub(super) fn quotas(&mut self, value: &Value<'_>) {
        for (table, span) in self.tables(value, "quota") {
            if let Some(quota) = self.quota(table, span) {
                self.config.quotas.push(quota);
            }
        }
    }

    fn quota(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Option<Quota> {
        self.only_known(table, KEYS);
        let (id, line) = self.id(table, "quota", span.clone())?;
        let Some(limit) = table.get("limit") else {
            self.problem(
                "missing-key",
                span,
                format!("quota `{id}` has no `limit`"),
                "write `limit = \"60 per 60s\"`",
            );
            return None;
        };
        let limit = self.rated(limit, "limit", rate::rate);
        let burst = self.optional(table, "burst", |me, v| me.rated(v, "burst", rate::rate));
        let bucket = self.optional(table, "bucket", |me, v| me.rated(v, "bucket", rate::bucket));
        let cost = self.optional(table, "cost", Self::cost);
        let on = self.optional(table, "on", Self::selector);
        let level = self.optional(table, "level", Self::level_of);
        let limit = limit?;
        let target = self.optional(table, "target", |me, value| {
            let number = integer(value).map(|n| n.to_string());
            match number {
                Some(text) => me.understood(value, rate::target(&text, &limit)),
                None => me.rated(value, "target", |text| rate::target(text, &limit)),
            }
        });
        Some(Quota {
            id,
            limit,
            target,
            cost: cost.unwrap_or(Cost::Fixed(1)),
            burst,
            bucket,
            on,
            level: level.unwrap_or(Level::Fail),
            origin: Origin::line(self.file, line),
        })
    }

    /// A key that may be left out.
    fn optional<'v, T>(
        &mut self,
        table: &'v DeTable<'v>,
        key: &str,
        read: impl FnOnce(&mut Self, &'v Value<'v>) -> Option<T>,
    ) -> Option<T> {
        table.get(key).and_then(|value| read(self, value))
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
