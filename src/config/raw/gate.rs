//! `[[gate]]` of the gate file.

use std::ops::Range;

use toml::de::DeTable;

use super::{Reader, Value, integer};
use crate::config::{expression, quantity};
use crate::diagnostic::Origin;
use crate::exact::Fraction;
use crate::gate::{Combine, Gate, Level, Limit, MOST_MISSING, Requirement, within};
use crate::metric::Metric;
use crate::units::Unit;

const KEYS: &[&str] = &[
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

/// What a gate requires, and how it is joined.
type Rules = (Combine, Vec<Requirement>);

impl Reader<'_> {
    /// Every `[[gate]]`.
    pub(super) fn gates(&mut self, value: &Value<'_>) {
        for (table, span) in self.tables(value, "gate") {
            self.gate(table, span);
        }
    }

    /// Reads every key before it gives up, so that all that is wrong is told.
    fn gate(&mut self, table: &DeTable<'_>, span: Range<usize>) {
        self.only_known(table, KEYS);
        let line = self.line(table, &span);
        let id = self.id(table, "gate", span.clone());
        let rules = self.requirements(table, span);
        let on = self.optional(table, "on", Self::selector);
        let level = self.optional(table, "level", |me, v| me.level_of(v, "level"));
        let min_samples = self.optional(table, "min-samples", Self::min_samples);
        let max_missing = self.optional(table, "max-missing", |me, value| {
            me.parsed(value, "max-missing", share, "write `max-missing = \"5%\"`")
        });
        let significant = self.optional(table, "significant", Self::truth);
        let Some((combine, requirements)) = rules else {
            return;
        };
        let floor = self.optional(table, "floor", |me, v| me.floor(v, &requirements));
        self.significant(table, significant, &requirements);
        self.without_effect(table, &requirements);
        let Some(id) = id else { return };
        self.config.gates.push(Gate {
            id,
            requirements,
            combine,
            on,
            level: level.unwrap_or(Level::Fail),
            min_samples,
            max_missing: max_missing.unwrap_or(MOST_MISSING),
            floor,
            significant: significant.unwrap_or(true),
            origin: Origin::line(self.file, line),
        });
    }

    fn requirements(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Option<Rules> {
        let all = table
            .get("require")
            .map(|value| (Combine::All, "require", value));
        let any = table.get("any").map(|value| (Combine::Any, "any", value));
        let given: Vec<_> = all.into_iter().chain(any).collect();
        if given.is_empty() {
            let help = "write `require = \"p95 < 500ms\"`";
            self.problem(
                "missing-key",
                span,
                format!("{} requires nothing", Self::called("gate", table)),
                help,
            );
        }
        if let [_, (_, _, any)] = given[..] {
            let message = format!(
                "{} has both `require` and `any`",
                Self::called("gate", table)
            );
            self.problem("bad-value", any.span(), message, "make two gates of it");
        }
        let mut rules = None;
        for (combine, what, value) in given {
            let before = self.mistakes.len();
            let texts = self.texts(value, what);
            let each = texts
                .into_iter()
                .map(|(text, at)| self.requirement(text, at));
            let each: Vec<Option<Requirement>> = each.collect();
            if self.mistakes.len() == before {
                rules = Some((combine, each.into_iter().flatten().collect()));
            }
        }
        rules
    }

    fn requirement(&mut self, text: &str, span: Range<usize>) -> Option<Requirement> {
        let mistake = match expression::parse(text) {
            Ok(requirement) => return Some(requirement),
            Err(mistake) => mistake,
        };
        let marked = self.place(text, span, mistake.start, mistake.len);
        let help = match expression::split_selector(text) {
            (_, Some(_)) => {
                "endpoints stand in a key of their own, as `on = \"GET /users*\"`".to_owned()
            }
            (_, None) => mistake.help,
        };
        self.problem(mistake.code, marked, mistake.message, help);
        None
    }

    fn min_samples(&mut self, value: &Value<'_>) -> Option<u64> {
        let samples = integer(value).and_then(|n| u64::try_from(n).ok());
        let samples = samples.filter(|n| *n >= 1);
        if samples.is_none() {
            let message = "`min-samples` is a whole number from 1".to_owned();
            let help = "write `min-samples = 100`";
            self.problem("bad-value", value.span(), message, help);
        }
        samples
    }

    fn truth(&mut self, value: &Value<'_>) -> Option<bool> {
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.wrong_type(value, "significant", "`true` or `false`");
        }
        truth
    }

    /// A change against the baseline that does not count, in the unit of all limits that have one.
    fn floor(&mut self, value: &Value<'_>, requirements: &[Requirement]) -> Option<f64> {
        let relative: Vec<&Requirement> = requirements.iter().filter(|r| is_relative(r)).collect();
        let Some(first) = relative.first() else {
            let message = "`floor` is for limits with a baseline, and there is none here";
            let help = "leave it out, or write `p95 <= baseline + 20%`";
            self.problem("no-effect", value.span(), message.to_owned(), help);
            return None;
        };
        if relative
            .iter()
            .any(|r| r.metric.unit() != first.metric.unit())
        {
            let message = "one `floor` cannot be of limits in several units".to_owned();
            self.problem("bad-value", value.span(), message, "make two gates of it");
            return None;
        }
        let text = self.string(value, "floor")?;
        expression::floor(text, &first.metric)
            .map_err(|m| self.problem(m.code, value.span(), m.message, m.help))
            .ok()
    }

    /// `significant` is for a limit that follows from a baseline; as `true` only for one that lets the value be a little
    /// worse than the baseline's.
    fn significant(
        &mut self,
        table: &DeTable<'_>,
        significant: Option<bool>,
        requirements: &[Requirement],
    ) {
        let (Some(significant), Some(value)) = (significant, table.get("significant")) else {
            return;
        };
        if !requirements.iter().any(is_relative) {
            let message = "`significant` is for limits with a baseline, and there is none here";
            let help = "leave it out, or write `p95 <= baseline + 20%`";
            self.problem("no-effect", value.span(), message.to_owned(), help);
        } else if significant && !requirements.iter().all(Requirement::leaves_room) {
            let message =
                "`significant` is for limits like `<= baseline + 10%` or `>= baseline - 10%`";
            let help = "a limit that is no baseline, or stricter than it, is judged as it stands: leave `significant` out";
            self.problem("bad-value", value.span(), message.to_owned(), help);
        }
    }

    /// Keys that change nothing for these metrics.
    fn without_effect(&mut self, table: &DeTable<'_>, requirements: &[Requirement]) {
        let of_run = requirements.iter().find(|r| is_of_run(&r.metric));
        let named = of_run.map(|r| r.metric.to_string());
        let checks = [
            (
                "min-samples",
                requirements.iter().all(is_counted),
                "a count is what it is, however many there are",
                "leave it out; `min-samples` is for percentiles, means, ratios and rates",
            ),
            (
                "max-missing",
                !requirements
                    .iter()
                    .any(|r| matches!(r.metric, Metric::Field(..))),
                "only a measured field can be missing",
                "leave it out; `max-missing` is for metrics like `max(api_calls)`",
            ),
        ];
        for (key, idle, why, help) in checks {
            if let Some(value) = table.get(key).filter(|_| idle) {
                let message = format!("`{key}` changes nothing here: {why}");
                self.problem("no-effect", value.span(), message, help);
            }
        }
        if let (Some(metric), Some(value)) = (named, table.get("on")) {
            let message = format!("`{metric}` is of the whole run, whatever `on` selects");
            let help = "leave `on` out; in a list with other metrics make a gate of its own of it";
            self.problem("no-effect", value.span(), message, help);
        }
    }
}

/// `5%` as 0.05, up to the whole.
fn share(text: &str) -> Result<f64, String> {
    let whole = Fraction::ZERO..=Fraction::whole(100);
    match quantity::number_and_unit(text) {
        Some((percent, "%")) if whole.contains(&percent) => percent
            .over(Fraction::whole(100))
            .map(Fraction::to_f64)
            .ok_or_else(|| format!("`{text}` is not a share")),
        _ => Err(format!("`{text}` is not a share")),
    }
}

fn is_relative(requirement: &Requirement) -> bool {
    matches!(requirement.limit, Limit::Baseline { .. })
}

/// Whether the figure is what it is, however few requests there are; in a window a rate is, too.
fn is_counted(requirement: &Requirement) -> bool {
    let metric = &requirement.metric;
    metric.unit() == Unit::Count
        || *metric == Metric::Duration
        || requirement.within_s.is_some() && within::counts(metric)
}

/// Whether every endpoint has the same figure.
pub(in crate::config) fn is_of_run(metric: &Metric) -> bool {
    matches!(metric, Metric::Users | Metric::Duration)
}
