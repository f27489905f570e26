//! The gate file as TOML with spans, read key by key so that every mistake is found.

use std::ops::Range;

use toml::de::DeTable;

use super::mistakes::{Mistakes, Value, integer};
use super::{Config, expression};
use crate::diagnostic::{Diagnostic, Origin};
use crate::gate::regression::ID as REGRESSION;
use crate::gate::{Combine, Gate, Level, MOST_MISSING, Requirement, Selector};

mod quota;
mod regression;

const SECTIONS: &[&str] = &["run", "failures", "input", "gate", "quota", "regression"];
const RUN_KEYS: &[&str] = &["warmup", "from", "to", "phase", "on-undecided"];
/// What a text should have been, and what to write.
type Form = (&'static str, &'static str);
const DURATION: Form = ("a duration", "write `30s`, `500ms` or `2min`");
const MOMENT: Form = (
    "a moment",
    "write `2026-01-31T12:00:00Z`, or `30s` for that long after the first start",
);
const GATE_KEYS: &[&str] = &[
    "id",
    "require",
    "any",
    "on",
    "level",
    "min-samples",
    "max-missing",
    "floor",
    "significant",
];

/// `5%` as 0.05, up to the whole.
fn share(text: &str) -> Option<f64> {
    match expression::number_and_unit(text)? {
        (percent, "%") if (0.0..=100.0).contains(&percent) => Some(percent / 100.0),
        _ => None,
    }
}

/// Reads one gate file and gathers what is wrong with it.
pub struct Reader<'t> {
    text: &'t str,
    file: &'t str,
    mistakes: Mistakes<'t>,
    config: Config,
    /// Ids of gates and quotas so far.
    ids: Vec<String>,
}

impl<'t> Reader<'t> {
    /// A reader of this text.
    pub fn new(text: &'t str, file: &'t str) -> Self {
        Self {
            text,
            file,
            mistakes: Mistakes::new(text, file),
            config: Config::default(),
            ids: Vec::new(),
        }
    }

    /// Every gate, or every problem.
    pub fn read(mut self) -> Result<Config, Vec<Diagnostic>> {
        let table = self.mistakes.parse("gate files are TOML: https://toml.io");
        if let Some(table) = table {
            self.sections(table.get_ref());
        }
        self.mistakes.none_or_all().map(|()| self.config)
    }

    fn problem(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: String,
        help: impl Into<String>,
    ) {
        self.mistakes.add(code, span, message, help);
    }

    fn unknown_key(&mut self, key: &str, span: Range<usize>, known: &[&str]) {
        self.mistakes.unknown_key(key, span, known);
    }

    fn sections(&mut self, root: &DeTable<'_>) {
        for (key, value) in root {
            match key.get_ref().as_ref() {
                "run" => self.run(value),
                "failures" => self.failures(value),
                "input" => self.input(value),
                "gate" => self.gates(value),
                "quota" => self.quotas(value),
                "regression" => self.regression(value, key.span().start),
                name => self.unknown_key(name, key.span(), SECTIONS),
            }
        }
    }

    fn table<'v>(&mut self, value: &'v Value<'_>, what: &str) -> Option<&'v DeTable<'v>> {
        self.mistakes.table(value, what)
    }

    fn wrong_type(&mut self, value: &Value<'_>, what: &str, expected: &str) {
        self.mistakes.wrong_type(value, what, expected);
    }

    fn string<'v>(&mut self, value: &'v Value<'_>, what: &str) -> Option<&'v str> {
        self.mistakes.string(value, what)
    }

    fn run(&mut self, value: &Value<'_>) {
        let Some(table) = self.table(value, "run") else {
            return;
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "warmup" => {
                    self.config.span.warmup_ms =
                        self.parsed(value, "warmup", expression::duration_ms, DURATION);
                }
                "from" => self.config.span.from = self.parsed(value, "from", super::moment, MOMENT),
                "to" => self.config.span.to = self.parsed(value, "to", super::moment, MOMENT),
                "phase" => {
                    let steady = |text: &str| (text == "steady").then_some(());
                    let form = ("a phase", "write `phase = \"steady\"`, or leave it out");
                    self.config.span.steady = self.parsed(value, "phase", steady, form).is_some();
                }
                "on-undecided" => {
                    let Some(text) = self.string(value, "on-undecided") else {
                        continue;
                    };
                    if let Some(level) = self.level(text, value.span()) {
                        self.config.undecided_warns = level == Level::Warn;
                    }
                }
                name => self.unknown_key(name, key.span(), RUN_KEYS),
            }
        }
    }

    /// A text that means something.
    fn parsed<T>(
        &mut self,
        value: &Value<'_>,
        what: &str,
        parse: impl Fn(&str) -> Option<T>,
        form: Form,
    ) -> Option<T> {
        let text = self.string(value, what)?;
        let parsed = parse(text);
        if parsed.is_none() {
            self.problem(
                "bad-value",
                value.span(),
                format!("`{text}` is not {}", form.0),
                form.1,
            );
        }
        parsed
    }

    fn level_of(&mut self, value: &Value<'_>) -> Option<Level> {
        let text = self.string(value, "level")?;
        self.level(text, value.span())
    }

    fn level(&mut self, text: &str, span: Range<usize>) -> Option<Level> {
        match text {
            "fail" => Some(Level::Fail),
            "warn" => Some(Level::Warn),
            _ => {
                self.problem(
                    "bad-value",
                    span,
                    format!("`{text}` is not a level"),
                    "write `fail` or `warn`",
                );
                None
            }
        }
    }

    fn failures(&mut self, value: &Value<'_>) {
        let Some(table) = self.table(value, "failures") else {
            return;
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "expected" => {
                    let Some(list) = value.get_ref().as_array() else {
                        self.wrong_type(value, "expected", "a list of HTTP statuses");
                        continue;
                    };
                    for item in list {
                        match integer(item).filter(|s| (100..600).contains(s)) {
                            Some(status) => self.config.expected.push(status as u16),
                            None => self.problem(
                                "bad-value",
                                item.span(),
                                "an expected failure is an HTTP status".to_owned(),
                                "write numbers from 100 to 599, as `[403, 404, 409]`",
                            ),
                        }
                    }
                }
                name => self.unknown_key(name, key.span(), &["expected"]),
            }
        }
    }

    fn input(&mut self, value: &Value<'_>) {
        let Some(table) = self.table(value, "input") else {
            return;
        };
        for (key, value) in table {
            if key.get_ref() != "map" {
                self.unknown_key(key.get_ref(), key.span(), &["map"]);
                continue;
            }
            let Some(map) = self.table(value, "map") else {
                continue;
            };
            for (field, value) in map {
                if let Some(path) = self.string(value, field.get_ref()) {
                    self.config
                        .map
                        .push((field.get_ref().to_string(), path.to_owned()));
                }
            }
        }
    }

    fn gates(&mut self, value: &Value<'_>) {
        for (table, span) in self.tables(value, "gate") {
            self.gate(table, span);
        }
    }

    /// The tables of a `[[list]]`.
    fn tables<'v>(
        &mut self,
        value: &'v Value<'_>,
        what: &str,
    ) -> Vec<(&'v DeTable<'v>, Range<usize>)> {
        let Some(list) = value.get_ref().as_array() else {
            let expected = format!("a list of tables, each under `[[{what}]]`");
            self.wrong_type(value, what, &expected);
            return Vec::new();
        };
        list.iter()
            .filter_map(|item| Some((self.table(item, what)?, item.span())))
            .collect()
    }

    fn only_known(&mut self, table: &DeTable<'_>, known: &[&str]) {
        for (key, _) in table {
            if !known.contains(&key.get_ref().as_ref()) {
                self.unknown_key(key.get_ref(), key.span(), known);
            }
        }
    }

    fn gate(&mut self, table: &DeTable<'_>, span: Range<usize>) {
        self.only_known(table, GATE_KEYS);
        let Some((id, line)) = self.id(table, "gate", span.clone()) else {
            return;
        };
        let Some((combine, requirements)) = self.requirements(table, &id, span.clone()) else {
            return;
        };
        let on = table.get("on").and_then(|value| self.selector(value));
        let level = table.get("level").and_then(|value| self.level_of(value));
        let min_samples = table.get("min-samples").and_then(|value| {
            let samples = integer(value).filter(|n| *n >= 1);
            if samples.is_none() {
                let message = "`min-samples` is a whole number from 1".to_owned();
                self.problem(
                    "bad-value",
                    value.span(),
                    message,
                    "write `min-samples = 100`",
                );
            }
            samples.map(|n| n as u64)
        });
        let max_missing = table.get("max-missing").and_then(|value| {
            let form = ("a share", "write `max-missing = \"5%\"`");
            self.parsed(value, "max-missing", share, form)
        });
        let floor = table
            .get("floor")
            .and_then(|value| self.floor(value, &requirements));
        let significant = table
            .get("significant")
            .is_some_and(|value| self.significant(value, &requirements));
        self.config.gates.push(Gate {
            id,
            requirements,
            combine,
            on,
            level: level.unwrap_or(Level::Fail),
            min_samples,
            max_missing: max_missing.unwrap_or(MOST_MISSING),
            floor,
            significant,
            origin: Origin::line(self.file, line),
        });
    }

    fn line_of(&self, at: usize) -> u64 {
        self.text[..at.min(self.text.len())].matches('\n').count() as u64 + 1
    }

    /// The id of a gate or a quota, and the line it stands in.
    fn id(&mut self, table: &DeTable<'_>, what: &str, span: Range<usize>) -> Option<(String, u64)> {
        let Some((key, value)) = table.get_key_value("id") else {
            self.problem(
                "missing-key",
                span,
                format!("the {what} has no `id`"),
                "write `id = \"p95-total\"`",
            );
            return None;
        };
        let id = self.string(value, "id")?.to_owned();
        if id.trim().is_empty() {
            self.problem(
                "bad-value",
                value.span(),
                format!("the {what}'s `id` is empty"),
                "write `id = \"p95-total\"`",
            );
            return None;
        }
        if id == REGRESSION {
            self.problem(
                "duplicate-id",
                value.span(),
                format!("`{id}` is the id of the verdicts of `[regression]`"),
                "give the rule another id",
            );
            return None;
        }
        if self.ids.contains(&id) {
            self.problem(
                "duplicate-id",
                value.span(),
                format!("there are two rules `{id}`"),
                "every gate and every quota has an id of its own",
            );
            return None;
        }
        self.ids.push(id.clone());
        Some((id, self.line_of(key.span().start)))
    }

    fn requirements(
        &mut self,
        table: &DeTable<'_>,
        id: &str,
        span: Range<usize>,
    ) -> Option<(Combine, Vec<Requirement>)> {
        let (combine, value) = match (table.get("require"), table.get("any")) {
            (Some(value), None) => (Combine::All, value),
            (None, Some(value)) => (Combine::Any, value),
            (None, None) => {
                let message = format!("gate `{id}` requires nothing");
                self.problem(
                    "missing-key",
                    span,
                    message,
                    "write `require = \"p95 < 500ms\"`",
                );
                return None;
            }
            (Some(_), Some(any)) => {
                let message = format!("gate `{id}` has both `require` and `any`");
                self.problem("bad-value", any.span(), message, "make two gates of it");
                return None;
            }
        };
        let texts = self.texts(value, "require")?;
        let before = self.mistakes.len();
        let requirements: Vec<Requirement> = texts
            .into_iter()
            .filter_map(|(t, at)| self.requirement(t, at))
            .collect();
        (self.mistakes.len() == before).then_some((combine, requirements))
    }

    /// A text, or a list of at least one text.
    fn texts<'v>(
        &mut self,
        value: &'v Value<'_>,
        what: &str,
    ) -> Option<Vec<(&'v str, Range<usize>)>> {
        let Some(list) = value.get_ref().as_array() else {
            return self
                .string(value, what)
                .map(|text| vec![(text, value.span())]);
        };
        if list.is_empty() {
            self.problem(
                "bad-value",
                value.span(),
                format!("`{what}` is an empty list"),
                "name at least one",
            );
            return None;
        }
        list.iter()
            .map(|item| self.string(item, what).map(|text| (text, item.span())))
            .collect()
    }

    fn requirement(&mut self, text: &str, span: Range<usize>) -> Option<Requirement> {
        match expression::parse(text) {
            Ok(requirement) => Some(requirement),
            Err(mistake) => {
                let raw = self.text.get(span.clone()).unwrap_or_default();
                // Inside a plain one-line string the caret can stand under the very word.
                let plain = raw.len() == text.len() + 2 && raw[1..].starts_with(text);
                let marked = if plain {
                    let start = span.start + 1 + mistake.start;
                    start..start + mistake.len
                } else {
                    span
                };
                self.problem(mistake.code, marked, mistake.message, mistake.help);
                None
            }
        }
    }

    fn selector(&mut self, value: &Value<'_>) -> Option<Selector> {
        let texts = self.texts(value, "on")?;
        let patterns: Vec<&str> = texts.iter().map(|(text, _)| *text).collect();
        match Selector::new(&patterns) {
            Ok(selector) => Some(selector),
            Err((index, why)) => {
                self.problem(
                    "bad-selector",
                    texts[index].1.clone(),
                    why,
                    "write a glob, as `GET /users*`, or `/regex/`",
                );
                None
            }
        }
    }

    fn floor(&mut self, value: &Value<'_>, requirements: &[Requirement]) -> Option<f64> {
        let text = self.string(value, "floor")?;
        match expression::floor(text, &requirements.first()?.metric) {
            Ok(floor) => Some(floor),
            Err(mistake) => {
                self.problem(mistake.code, value.span(), mistake.message, mistake.help);
                None
            }
        }
    }
}
