//! The `[[endpoint]]` tables of a scenario file.

use std::ops::Range;

use toml::de::DeTable;

use super::raw::{Reader, plain_number};
use super::{Endpoint, Failure, Values, default_error, fields};
use crate::config::mistakes::{Value, integer};
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

impl Reader<'_> {
    /// Every endpoint, of which at least one is ever chosen.
    pub(super) fn endpoints(&mut self, root: &DeTable<'_>) -> Option<Vec<Endpoint>> {
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

    fn fields(&mut self, value: &Value<'_>) -> Option<Vec<(String, Values)>> {
        let table = self.mistakes.table(value, "fields")?;
        let all: Vec<_> = table
            .iter()
            .map(|(key, value)| Some((key.get_ref().to_string(), fields::read(self, key, value)?)))
            .collect();
        all.into_iter().collect()
    }
}
