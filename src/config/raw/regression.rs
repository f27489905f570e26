//! `[regression]` of the gate file.

use super::{Reader, Value};
use crate::config::expression;
use crate::diagnostic::Origin;
use crate::gate::regression::Regression;
use crate::gate::{Inconclusive, Level};
use crate::metric::Metric;

const KEYS: &[&str] = &[
    "margin",
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
                "alpha" => rule.alpha = self.alpha(value).unwrap_or(rule.alpha),
                "on" => rule.on = self.selector(value),
                "metrics" => rule.metrics = self.metrics(value).unwrap_or(rule.metrics),
                "floor" => rule.floor_ms = self.time_floor(value),
                "level" => rule.level = self.level_of(value).unwrap_or(rule.level),
                "on-suspect" => {
                    let level = self.level_of(value);
                    rule.policy.on_suspect = level.unwrap_or(Level::Warn);
                }
                "on-inconclusive" => {
                    let meaning = self.inconclusive(value);
                    rule.policy.on_inconclusive = meaning.unwrap_or(Inconclusive::Undecided);
                }
                name => self.unknown_key(name, key.span(), KEYS),
            }
        }
        self.config.regression = Some(rule);
    }

    fn percentage(&mut self, value: &Value<'_>, what: &str) -> Option<f64> {
        let form = ("a share above 0 %", "write `5%`");
        let parse = |text: &str| {
            let number: f64 = text.trim().strip_suffix('%')?.trim().parse().ok()?;
            (number > 0.0 && number.is_finite()).then_some(number / 100.0)
        };
        self.parsed(value, what, parse, form)
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
        let texts = self.texts(value, "metrics")?;
        let mut metrics = Vec::new();
        for (text, span) in texts {
            match expression::metric_named(text) {
                Ok(metric) => metrics.push(metric),
                Err(mistake) => self.problem(mistake.code, span, mistake.message, mistake.help),
            }
        }
        Some(metrics)
    }

    fn time_floor(&mut self, value: &Value<'_>) -> Option<f64> {
        let form = ("a time", "write `5ms`; 0ms for none");
        self.parsed(value, "floor", expression::duration_ms, form)
    }

    fn inconclusive(&mut self, value: &Value<'_>) -> Option<Inconclusive> {
        let form = ("known here", "write `fail`, `warn` or `undecided`");
        let parse = |text: &str| match text {
            "fail" => Some(Inconclusive::Fail),
            "warn" => Some(Inconclusive::Warn),
            "undecided" => Some(Inconclusive::Undecided),
            _ => None,
        };
        self.parsed(value, "on-inconclusive", parse, form)
    }

    /// `significant = true`: only for a limit that lets the value be a little worse than the baseline's.
    pub(super) fn significant(
        &mut self,
        value: &Value<'_>,
        requirements: &[crate::gate::Requirement],
    ) -> bool {
        let Some(significant) = value.get_ref().as_bool() else {
            self.wrong_type(value, "significant", "`true` or `false`");
            return false;
        };
        if significant && !requirements.iter().all(leaves_room) {
            self.problem(
                "bad-value",
                value.span(),
                "`significant` is for limits like `<= baseline + 10%` or `>= baseline - 10%`".to_owned(),
                "a limit that is no baseline, or stricter than it, is judged as it stands: leave `significant` out",
            );
        }
        significant
    }
}

fn leaves_room(requirement: &crate::gate::Requirement) -> bool {
    use crate::gate::{Comparator, Limit};
    let Limit::Baseline { factor, offset } = requirement.limit else {
        return false;
    };
    match requirement.comparator {
        Comparator::Less | Comparator::LessOrEqual => factor >= 1.0 && offset >= 0.0,
        Comparator::Greater | Comparator::GreaterOrEqual => factor <= 1.0 && offset <= 0.0,
        Comparator::Equal => false,
    }
}
