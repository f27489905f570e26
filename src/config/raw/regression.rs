//! `[regression]` of the gate file.

use toml::de::DeTable;

use super::{Reader, Value};
use crate::comparison::terms::is_share;
use crate::config::{expression, quantity};
use crate::diagnostic::Origin;
use crate::exact::Fraction;
use crate::gate::regression::Regression;
use crate::gate::{Inconclusive, Level};
use crate::metric::Metric;
use crate::units::Unit;

const KEYS: &[&str] = &[
    "margin",
    "tolerance",
    "alpha",
    "on",
    "metrics",
    "floor",
    "level",
    "on-suspect",
    "on-inconclusive",
];

impl Reader<'_> {
    /// The section; `at` is where its name stands.
    pub(super) fn regression(&mut self, value: &Value<'_>, at: usize) {
        let Some(table) = self.table(value, "regression") else {
            return;
        };
        let mut rule = Regression::new(Origin::line(self.file, self.line_of(at)));
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "margin" => rule.margin = self.percentage(value, "margin"),
                "tolerance" => rule.tolerance = self.percentage(value, "tolerance"),
                "alpha" => rule.alpha = self.alpha(value).unwrap_or(rule.alpha),
                "on" => rule.on = self.selector(value),
                "metrics" => rule.metrics = self.metrics(value).unwrap_or(rule.metrics),
                "floor" => rule.floor_ms = self.time_floor(value),
                "level" => rule.level = self.level_of(value, "level").unwrap_or(rule.level),
                "on-suspect" => {
                    rule.policy.on_suspect = self.level_of(value, "on-suspect");
                }
                "on-inconclusive" => {
                    rule.policy.on_inconclusive = self.inconclusive(value);
                }
                name => self.unknown_key(name, key.span(), KEYS),
            }
        }
        self.idle_keys(table, &rule);
        self.config.regression = Some(rule);
    }

    fn percentage(&mut self, value: &Value<'_>, what: &str) -> Option<f64> {
        let parse = |text: &str| match quantity::number_and_unit(text) {
            Some((percent, "%")) if percent > Fraction::ZERO => percent
                .over(Fraction::whole(100))
                .map(Fraction::to_f64)
                .ok_or_else(|| format!("`{text}` has too many digits")),
            _ => Err(format!("`{text}` is not a share above 0 %")),
        };
        self.parsed(value, what, parse, "write `5%`")
    }

    fn alpha(&mut self, value: &Value<'_>) -> Option<f64> {
        let written = value.get_ref().as_float().map(toml::de::DeFloat::as_str);
        let alpha = written
            .and_then(|text| text.parse().ok())
            .filter(|a| (0.0001..=0.2).contains(a));
        if alpha.is_none() {
            self.problem(
                "bad-value",
                value.span(),
                "`alpha` is a number from 0.0001 to 0.2: the error allowed on each side".to_owned(),
                "write `alpha = 0.01`",
            );
        }
        alpha
    }

    fn metrics(&mut self, value: &Value<'_>) -> Option<Vec<Metric>> {
        let before = self.mistakes.len();
        let texts = self.texts(value, "metrics");
        let mut metrics = Vec::new();
        for (text, span) in texts {
            match expression::metric_named(text) {
                Ok(metric) => metrics.push(metric),
                Err(mistake) => self.problem(mistake.code, span, mistake.message, mistake.help),
            }
        }
        (self.mistakes.len() == before).then_some(metrics)
    }

    fn time_floor(&mut self, value: &Value<'_>) -> Option<f64> {
        let parse = |text: &str| match quantity::number_and_unit(text) {
            Some((zero, unit))
                if zero == Fraction::ZERO && quantity::time_factor(unit).is_some() =>
            {
                Ok(0.0)
            }
            _ => quantity::duration(text),
        };
        self.parsed(value, "floor", parse, "write `5ms`; 0ms for none")
    }

    fn inconclusive(&mut self, value: &Value<'_>) -> Option<Inconclusive> {
        let parse = |text: &str| match text {
            "fail" => Ok(Inconclusive::Fail),
            "warn" => Ok(Inconclusive::Warn),
            "undecided" => Ok(Inconclusive::Undecided),
            _ => Err(format!("`{text}` is not known here")),
        };
        let help = "write `fail`, `warn` or `undecided`";
        self.parsed(value, "on-inconclusive", parse, help)
    }

    /// Keys that change nothing beside the others.
    fn idle_keys(&mut self, table: &DeTable<'_>, rule: &Regression) {
        let is_time = |metric: &Metric| metric.unit() == Unit::Time;
        let checks = [
            (
                "floor",
                !rule.metrics.iter().any(is_time),
                "it is the least change of a time, and `metrics` has none",
            ),
            (
                "tolerance",
                rule.metrics.iter().all(is_share),
                "it is of times and rates, and `metrics` has none",
            ),
            (
                "on-suspect",
                rule.level == Level::Warn && rule.policy.on_suspect == Some(Level::Fail),
                "with `level = \"warn\"` not even a regression fails",
            ),
        ];
        for (key, idle, why) in checks {
            if let Some(value) = table.get(key).filter(|_| idle) {
                let message = format!("`{key}` changes nothing here: {why}");
                self.problem("no-effect", value.span(), message, "leave it out");
            }
        }
    }
}
