//! The gate file as TOML with spans, read key by key so that every mistake is found.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::DeTable;

use super::mistakes::{Mistakes, Value, integer};
use super::quantity::duration;
use super::{Config, map, moment};
use crate::diagnostic::Diagnostic;
use crate::gate::regression::ID as REGRESSION;
use crate::gate::{Level, Selector};
use crate::input::Moment;

mod gate;
pub(super) use gate::is_of_run;
mod quota;
mod regression;

const SECTIONS: &[&str] = &["run", "failures", "input", "gate", "quota", "regression"];
const RUN_KEYS: &[&str] = &["warmup", "from", "to", "phase", "on-undecided"];
const FAILURE_KEYS: &[&str] = &["expected", "unstated"];
const DURATION: &str = "write `30s`, `500ms` or `2min`";
const MOMENT: &str = "write `2026-01-31T12:00:00Z`, or `30s` for that long after the first start";

/// Reads one gate file and gathers what is wrong with it.
pub struct Reader<'t> {
    text: &'t str,
    file: &'t str,
    mistakes: Mistakes<'t>,
    config: Config,
    /// Ids of gates and quotas so far.
    ids: BTreeSet<String>,
}

impl<'t> Reader<'t> {
    /// A reader of this text.
    pub fn new(text: &'t str, file: &'t str) -> Self {
        Self {
            text,
            file,
            mistakes: Mistakes::new(text, file),
            config: Config::default(),
            ids: BTreeSet::new(),
        }
    }

    /// Every gate, or every problem.
    pub fn read(mut self) -> Result<Config, Vec<Diagnostic>> {
        let table = self
            .mistakes
            .parse_what_can_be("gate files are TOML: https://toml.io");
        self.sections(table.get_ref());
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
                    self.config.span.warmup_ms = self.parsed(value, "warmup", duration, DURATION);
                }
                "from" => self.config.span.from = self.parsed(value, "from", moment, MOMENT),
                "to" => self.config.span.to = self.parsed(value, "to", moment, MOMENT),
                "phase" => {
                    let steady = |text: &str| match text {
                        "steady" => Ok(()),
                        _ => Err(format!("`{text}` is not a phase")),
                    };
                    let help = "write `phase = \"steady\"`, or leave it out";
                    self.config.span.steady = self.parsed(value, "phase", steady, help).is_some();
                }
                "on-undecided" => {
                    if let Some(level) = self.level_of(value, "on-undecided") {
                        self.config.undecided_warns = level == Level::Warn;
                    }
                }
                name => self.unknown_key(name, key.span(), RUN_KEYS),
            }
        }
        self.nothing_left(table);
    }

    /// A part of the run that ends before it begins.
    fn nothing_left(&mut self, table: &DeTable<'_>) {
        let span = &self.config.span;
        let begins = [
            ("from", span.from),
            ("warmup", span.warmup_ms.map(Moment::After)),
        ];
        let empty = begins.into_iter().find(|(_, begin)| {
            let both = begin.zip(span.to);
            both.is_some_and(|(begin, to)| begin.is_surely_after(to))
        });
        if let (Some((what, _)), Some(to)) = (empty, table.get("to")) {
            self.problem(
                "bad-value",
                to.span(),
                format!("`to` is not after `{what}`"),
                "nothing would count: leave one out",
            );
        }
    }

    /// A text that means something; `what` is its key.
    fn parsed<T>(
        &mut self,
        value: &Value<'_>,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
        help: &str,
    ) -> Option<T> {
        let Some(text) = value.get_ref().as_str() else {
            let found = value.get_ref().type_str();
            let message = format!("`{what}` is a text in quotes, not a value of type {found}");
            self.problem("bad-value", value.span(), message, help);
            return None;
        };
        parse(text)
            .map_err(|message| self.problem("bad-value", value.span(), message, help))
            .ok()
    }

    fn level_of(&mut self, value: &Value<'_>, what: &str) -> Option<Level> {
        let level = |text: &str| match text {
            "fail" => Ok(Level::Fail),
            "warn" => Ok(Level::Warn),
            _ => Err(format!("`{text}` is not a level")),
        };
        self.parsed(value, what, level, "write `fail` or `warn`")
    }

    fn failures(&mut self, value: &Value<'_>) {
        let Some(table) = self.table(value, "failures") else {
            return;
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "expected" => self.expected(value),
                "unstated" => {
                    let success = |text: &str| match text {
                        "success" => Ok(()),
                        _ => Err(format!("`{text}` is not what an unstated outcome may be")),
                    };
                    let help = "write `unstated = \"success\"`, or leave it out: then what no line says is not known";
                    let stated = self.parsed(value, "unstated", success, help);
                    self.config.unstated_success = stated.is_some();
                }
                name => self.unknown_key(name, key.span(), FAILURE_KEYS),
            }
        }
    }

    fn expected(&mut self, value: &Value<'_>) {
        let Some(list) = value.get_ref().as_array() else {
            self.wrong_type(value, "expected", "a list of HTTP statuses");
            return;
        };
        if list.is_empty() {
            let message = "`expected` is an empty list".to_owned();
            self.problem("no-effect", value.span(), message, "leave it out");
        }
        for item in list {
            let status = integer(item);
            let known = status.filter(|status| (400..600).contains(status));
            let Some(known) = known.map(|status| status as u16) else {
                let message = match status {
                    Some(status @ 100..400) => format!("{status} is no failure"),
                    _ => "an expected failure is an HTTP status".to_owned(),
                };
                let help = "write numbers from 400 to 599, as `[403, 404, 409]`";
                self.problem("bad-value", item.span(), message, help);
                continue;
            };
            if self.config.expected.contains(&known) {
                let message = format!("{known} stands here twice");
                self.problem("no-effect", item.span(), message, "leave one out");
                continue;
            }
            self.config.expected.push(known);
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
                let field = field.get_ref();
                let Some(path) = self.string(value, field) else {
                    continue;
                };
                if let Err((code, message, help)) = map::check(field, path) {
                    self.problem(code, value.span(), message, help);
                }
                self.config.map.push((field.to_string(), path.to_owned()));
            }
        }
    }

    /// The tables of a `[[list]]`. A single `[table]` in its place is a slip; it is read all the same, for what else is wrong.
    fn tables<'v>(
        &mut self,
        value: &'v Value<'_>,
        what: &str,
    ) -> Vec<(&'v DeTable<'v>, Range<usize>)> {
        if let Some(one) = value.get_ref().as_table() {
            let message = format!("each {what} stands under `[[{what}]]`, not under `[{what}]`");
            self.problem(
                "bad-value",
                value.span(),
                message,
                format!("write `[[{what}]]`"),
            );
            return vec![(one, value.span())];
        }
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

    fn line_of(&self, at: usize) -> u64 {
        self.mistakes.line_of(at).0
    }

    /// The id of a gate or a quota.
    fn id(&mut self, table: &DeTable<'_>, what: &str, span: Range<usize>) -> Option<String> {
        const HELP: &str = "write `id = \"p95-total\"`";
        let Some(value) = table.get("id") else {
            self.problem("missing-key", span, format!("the {what} has no `id`"), HELP);
            return None;
        };
        let given = |text: &str| match text.trim() {
            "" => Err(format!("the {what}'s `id` is empty")),
            _ => Ok(text.to_owned()),
        };
        let id = self.parsed(value, "id", given, HELP)?;
        let taken = if id == REGRESSION {
            format!("`{id}` is the id of the verdicts of `[regression]`")
        } else if self.ids.insert(id.clone()) {
            return Some(id);
        } else {
            format!("there are two rules `{id}`")
        };
        let help = "every gate and every quota has an id of its own";
        self.problem("duplicate-id", value.span(), taken, help);
        None
    }

    /// `gate` or `` gate `p95` ``, if it has an id that is a text.
    fn called(what: &str, table: &DeTable<'_>) -> String {
        let id = table.get("id").and_then(|id| id.get_ref().as_str());
        id.map_or_else(|| format!("the {what}"), |id| format!("{what} `{id}`"))
    }

    /// The line of a rule: that of its `id`, else of its beginning.
    fn line(&self, table: &DeTable<'_>, span: &Range<usize>) -> u64 {
        let id = table.get_key_value("id");
        self.line_of(id.map_or(span.start, |(key, _)| key.span().start))
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

    /// A text, or a list of at least one text, none of them twice: those that are texts, and mistakes for what else there
    /// is.
    fn texts<'v>(&mut self, value: &'v Value<'_>, what: &str) -> Vec<(&'v str, Range<usize>)> {
        if let Some(text) = value.get_ref().as_str() {
            return vec![(text, value.span())];
        }
        let Some(list) = value.get_ref().as_array() else {
            let found = value.get_ref().type_str();
            let message = format!(
                "`{what}` is a text in quotes, or a list of them, not a value of type {found}"
            );
            self.problem("bad-value", value.span(), message, "write it in quotes");
            return Vec::new();
        };
        if list.is_empty() {
            let message = format!("`{what}` is an empty list");
            self.problem("bad-value", value.span(), message, "name at least one");
        }
        let (mut texts, mut seen) = (Vec::new(), BTreeSet::new());
        for item in list {
            let Some(text) = self.string(item, what) else {
                continue;
            };
            if !seen.insert(text.trim()) {
                let message = format!("`{text}` stands here twice");
                self.problem("no-effect", item.span(), message, "leave one out");
            }
            texts.push((text, item.span()));
        }
        texts
    }

    /// The selector, if every pattern of it is one.
    fn selector(&mut self, value: &Value<'_>) -> Option<Selector> {
        let before = self.mistakes.len();
        let texts = self.texts(value, "on");
        for (text, span) in &texts {
            if let Err((_, why)) = Selector::new(&[text]) {
                let help = "write the name of an endpoint, a glob, as `GET /users*`, or `/regex/`";
                self.problem("bad-selector", span.clone(), why, help);
            }
        }
        let patterns: Vec<&str> = texts.iter().map(|(text, _)| *text).collect();
        let valid = self.mistakes.len() == before;
        Selector::new(&patterns).ok().filter(|_| valid)
    }

    /// The place of a part of a text: inside a plain one-line string the caret can stand under the very word.
    fn place(&self, text: &str, span: Range<usize>, start: usize, len: usize) -> Range<usize> {
        let raw = self.text.get(span.clone()).unwrap_or_default();
        let plain = raw.len() == text.len() + 2 && raw[1..].starts_with(text);
        if plain {
            let start = span.start + 1 + start;
            start..start + len
        } else {
            span
        }
    }
}
