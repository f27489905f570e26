//! Judging gates on a summary. What could not be measured is undecided, with the reason, and never a pass.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::{
    Combine, Comparator, Decision, Gate, Level, Limit, Policy, Requirement, Selection, Selector,
    Verdict, relative, within,
};
use crate::comparison::Comparison;
use crate::exact::Fraction;
use crate::metric::measure::{interval, measure, minimum_samples};
use crate::metric::{Context, Measurement, Precision};
use crate::summary::{EndpointSummary, Summary};
use crate::units::Unit;

/// What judging needs besides gates and summary.
#[derive(Clone, Debug, Default)]
pub struct Terms<'c> {
    /// Statuses that are expected failures.
    pub expected: Vec<u16>,
    /// What differs from the baseline, if one was given.
    pub comparison: Option<&'c Comparison>,
    /// Why gates that need a baseline wait for one, and only warn.
    pub waiting: Option<String>,
    /// What follows when a change is not significant, nor ruled out.
    pub policy: Policy,
}

/// Judges every gate, in order; a gate with a selector gives one verdict for each endpoint it matches.
pub fn judge(summary: &Summary, gates: &[Gate], terms: &Terms) -> Vec<Verdict> {
    let context = Context {
        duration_s: summary.duration_s,
        users_max: summary.users_max,
        expected: terms.expected.clone(),
    };
    let mut verdicts = Vec::new();
    for gate in gates {
        let Some(selector) = &gate.on else {
            verdicts.push(judge_one(gate, &summary.total, &context, terms));
            continue;
        };
        let before = verdicts.len();
        let selection = selection(selector, summary);
        for target in &summary.endpoints {
            if target
                .endpoint
                .as_ref()
                .is_some_and(|key| selection.matches(key))
            {
                verdicts.push(judge_one(gate, target, &context, terms));
            }
        }
        match verdicts.get_mut(before) {
            None => verdicts.push(unmatched(gate, selector, summary)),
            Some(first) => remark(&mut first.because, &selection),
        }
    }
    verdicts
}

/// One requirement at one endpoint.
pub(super) struct Finding<'a> {
    pub(super) requirement: &'a Requirement,
    pub(super) decision: Decision,
    /// What a breach means, if not what the gate says.
    pub(super) level: Option<Level>,
    pub(super) limit: Option<Fraction>,
    pub(super) measured: Option<Measurement>,
    pub(super) because: String,
}

fn judge_one(gate: &Gate, target: &EndpointSummary, context: &Context, terms: &Terms) -> Verdict {
    let findings: Vec<Finding<'_>> = gate
        .requirements
        .iter()
        .map(|r| find(gate, r, target, context, terms))
        .collect();
    // What decides comes first: for `all` a failure, for `any` a pass; the undecided in the middle for both.
    let rank = |f: &&Finding<'_>| match (gate.combine, f.decision) {
        (Combine::All, Decision::Fail) | (Combine::Any, Decision::Pass) => 0,
        (_, Decision::Undecided) => 1,
        (Combine::All, Decision::Pass) | (Combine::Any, Decision::Fail) => 2,
    };
    let Some(deciding) = findings.iter().min_by_key(rank) else {
        return blank(
            gate,
            target,
            Decision::Undecided,
            "the gate requires nothing".to_owned(),
        );
    };
    let because = if findings.len() == 1 {
        deciding.because.clone()
    } else {
        let each = findings.iter().map(|f| {
            format!(
                "`{}`: {} ({})",
                f.requirement.text,
                f.decision.name(),
                f.because
            )
        });
        each.collect::<Vec<_>>().join("; ")
    };
    let mut verdict = blank(gate, target, deciding.decision, because);
    verdict.metric = deciding.requirement.metric.clone();
    verdict.unit = verdict.metric.unit();
    verdict.limit = deciding.limit.map(Fraction::to_f64);
    verdict.level = deciding.level.unwrap_or(verdict.level);
    if let Some(measured) = &deciding.measured {
        verdict.observed = Some(measured.value);
        verdict.samples = measured.samples;
        verdict.interval = measured.interval;
        let comparator = deciding.requirement.comparator;
        let margin = |limit| comparator.margin(measured.fraction(), limit);
        verdict.margin = deciding.limit.map(margin);
    }
    verdict
}

fn blank(gate: &Gate, target: &EndpointSummary, decision: Decision, because: String) -> Verdict {
    Verdict {
        id: gate.id.clone(),
        require: gate.text(),
        endpoint: target.endpoint.clone(),
        selector: gate.on.as_ref().map(|s| s.text.clone()),
        decision,
        level: gate.level,
        observed: None,
        limit: None,
        unit: Unit::Plain,
        margin: None,
        samples: target.requests,
        interval: None,
        because,
        origin: gate.origin.clone(),
        metric: crate::metric::Metric::Requests,
    }
}

/// Why a selector judges nothing, with what it could have matched.
pub(super) fn no_match(selector: &Selector, summary: &Summary) -> String {
    let mut names: Vec<String> = summary
        .endpoints
        .iter()
        .take(5)
        .map(|e| format!("`{}`", e.name()))
        .collect();
    if summary.endpoints.len() > names.len() {
        names.push(format!("{} more", summary.endpoints.len() - names.len()));
    }
    let there = if names.is_empty() {
        "the run has no endpoints".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    };
    let mut because = format!("no endpoint matches `{}`; {there}", selector.text);
    for path in selection(selector, summary).paths() {
        let _ = write!(
            because,
            "; `{path}` is a path, not a regular expression: `*{path}*` finds those below it"
        );
    }
    because
}

/// What a selector means among the endpoints of a run.
pub(super) fn selection<'s>(selector: &'s Selector, summary: &Summary) -> Selection<'s> {
    selector.among(summary.endpoints.iter().filter_map(|e| e.endpoint.as_ref()))
}

/// Adds what is to be said of how a selector was read.
pub(super) fn remark(because: &mut String, selection: &Selection<'_>) {
    for remark in selection.remarks() {
        let _ = write!(because, "; {remark}");
    }
}

fn unmatched(gate: &Gate, selector: &Selector, summary: &Summary) -> Verdict {
    let target = EndpointSummary::default();
    let because = no_match(selector, summary);
    let mut verdict = blank(gate, &target, Decision::Undecided, because);
    if let Some(first) = gate.requirements.first() {
        verdict.metric = first.metric.clone();
        verdict.unit = first.metric.unit();
        if let Limit::Absolute(limit) = first.limit {
            verdict.limit = Some(limit.to_f64());
        }
    }
    verdict
}

fn find<'a>(
    gate: &Gate,
    requirement: &'a Requirement,
    target: &EndpointSummary,
    context: &Context,
    terms: &Terms,
) -> Finding<'a> {
    let undecided = |because: String| Finding::undecided(requirement, because);
    let limit = match requirement.limit {
        Limit::Absolute(limit) => limit,
        Limit::Baseline { factor, offset } => {
            return relative::find(gate, requirement, target, terms, (factor, offset));
        }
    };
    // In a window a rate is a count: none is as much a figure as many.
    let is_counted = requirement.within_s.is_some() && within::counts(&requirement.metric);
    let needed = match gate.min_samples {
        _ if is_counted => 1,
        Some(needed) => needed,
        None => minimum_samples(&requirement.metric),
    };
    let measured = match requirement.within_s {
        Some(window_s) => within::worst(requirement, &target.tally, window_s, needed),
        None => measure(&requirement.metric, &target.tally, context),
    };
    let mut measured = match measured {
        Ok(measured) => measured,
        Err(reason) => return undecided(reason),
    };
    // Of the worst of many windows chance takes more than its interval tells.
    if requirement.within_s.is_none() {
        measured.interval = interval(&requirement.metric, &target.tally, &measured);
    }
    let needs = Needs {
        samples: needed,
        max_missing: gate.max_missing,
    };
    let (decision, because) = decide(requirement, &measured, limit, needs);
    Finding {
        requirement,
        decision,
        level: None,
        limit: Some(limit),
        measured: Some(measured),
        because,
    }
}

impl<'a> Finding<'a> {
    /// Undecided for as long as there is no baseline, which is a warning.
    pub(super) fn waiting(requirement: &'a Requirement, because: &str) -> Self {
        Self {
            level: Some(Level::Warn),
            ..Self::undecided(requirement, because.to_owned())
        }
    }

    pub(super) fn undecided(requirement: &'a Requirement, because: String) -> Self {
        Self {
            requirement,
            decision: Decision::Undecided,
            level: None,
            limit: match requirement.limit {
                Limit::Absolute(limit) => Some(limit),
                Limit::Baseline { .. } => None,
            },
            measured: None,
            because,
        }
    }
}

/// What a gate asks of the data before it passes.
#[derive(Clone, Copy)]
struct Needs {
    samples: u64,
    max_missing: f64,
}

fn decide(
    requirement: &Requirement,
    measured: &Measurement,
    limit: Fraction,
    needs: Needs,
) -> (Decision, String) {
    let unit = requirement.metric.unit();
    let max_missing = needs.max_missing;
    if measured.samples < needs.samples {
        let because = format!(
            "{} values, {} are needed for `{}`",
            measured.samples, needs.samples, requirement.text
        );
        return (Decision::Undecided, because);
    }
    let comparator = requirement.comparator;
    let holds = comparator.holds(measured.fraction(), limit);
    if let Some(precision) = &measured.precision
        && comparator.is_open(precision, limit)
    {
        return (Decision::Undecided, straddling(precision, unit));
    }
    if let Some(missing) = measured.missing.filter(|m| *m > max_missing)
        && holds
    {
        let (missing, most) = (Unit::Ratio.human(missing), Unit::Ratio.human(max_missing));
        let lacking = measured.remark.as_deref().unwrap_or_default();
        return (
            Decision::Undecided,
            format!(
                "{lacking}, which is {missing}, and a pass needs at most {most} (`max-missing`)"
            ),
        );
    }
    let decision = if holds {
        Decision::Pass
    } else {
        Decision::Fail
    };
    let written = unit.human_exactly(limit.to_f64());
    let mut because = comparator.stands(measured.fraction(), limit, unit, Some(written));
    if let Some((low, high)) = measured.interval {
        let _ = write!(
            because,
            " (95 % interval {} to {})",
            unit.human(low),
            unit.human(high)
        );
    }
    if let Some(remark) = &measured.remark {
        because.push_str("; ");
        because.push_str(remark);
    }
    (decision, because)
}

/// Why a limit between two bounds decides nothing.
fn straddling(precision: &Precision, unit: Unit) -> String {
    let Precision { low, high, because } = precision;
    let low = unit.human(*low);
    if high.is_infinite() {
        return format!("{because}: the value is at least {low}, and may be more");
    }
    let high = unit.human(*high);
    format!("{because}: the value lies between {low} and {high}, on either side of the limit")
}

impl Comparator {
    /// Whether `value CMP limit`.
    pub fn holds(self, value: Fraction, limit: Fraction) -> bool {
        match self {
            Self::Less => value < limit,
            Self::LessOrEqual => value <= limit,
            Self::Greater => value > limit,
            Self::GreaterOrEqual => value >= limit,
            Self::Equal => value == limit,
        }
    }

    /// Whether a figure of which only bounds are known may keep the limit, and may break it.
    pub(super) fn is_open(self, known: &Precision, limit: Fraction) -> bool {
        let (low, high) = (Fraction::of(known.low), Fraction::of(known.high));
        if self == Self::Equal {
            return low < high && (low..=high).contains(&limit);
        }
        self.holds(low, limit) != self.holds(high, limit)
    }

    /// Where a value stands: `90 ms is within the limit of 1 s`. `within` and `beyond` an upper limit; `above`, `at` or
    /// `below` any other. A limit that was `written` reads as it was.
    pub fn stands(
        self,
        value: Fraction,
        limit: Fraction,
        unit: Unit,
        written: Option<String>,
    ) -> String {
        let upper = matches!(self, Self::Less | Self::LessOrEqual);
        let (mut text, mut bound) = unit.human_apart(value.to_f64(), limit.to_f64());
        if let Some(written) = written.filter(|_| bound == unit.human(limit.to_f64())) {
            bound = written;
            if value == limit {
                text.clone_from(&bound);
            }
        }
        let side = match value.cmp(&limit) {
            Ordering::Equal if self == Self::Less => {
                return format!("{text} is at the limit of {bound}, and must be below it");
            }
            Ordering::Equal if self == Self::Greater => {
                return format!("{text} is at the limit of {bound}, and must be above it");
            }
            Ordering::Less | Ordering::Equal if upper => "within",
            Ordering::Greater if upper => "beyond",
            Ordering::Less => "below",
            Ordering::Equal => "at",
            Ordering::Greater => "above",
        };
        let mut sentence = format!("{text} is {side} the limit of {bound}");
        if text == bound && value != limit {
            sentence.push_str(" by less than these digits show");
        }
        sentence
    }

    /// Room left: positive within the limit, 0 at it.
    pub fn margin(self, value: Fraction, limit: Fraction) -> f64 {
        let (value, limit) = match self {
            Self::Less | Self::LessOrEqual => (value, limit),
            Self::Greater | Self::GreaterOrEqual => (limit, value),
            Self::Equal => (value.max(limit), value.min(limit)),
        };
        let exact = limit.minus(value).map(Fraction::to_f64);
        exact.unwrap_or_else(|| limit.to_f64() - value.to_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::summary::About;
    use crate::tally::{Endpoint, Request, Tally};

    fn run(requests: u64) -> Summary {
        let mut tally = Tally::default();
        for i in 0..requests {
            let endpoint = Endpoint {
                name: if i % 2 == 0 { "even" } else { "odd" }.to_owned(),
                method: "GET".to_owned(),
            };
            let request = Request {
                start_ms: Some(i as i64 * 100),
                response_time_us: (i + 1) * 1000,
                status: Some(200),
                ..Request::default()
            };
            tally.add(endpoint, &request);
        }
        Summary::new(tally, About::default())
    }

    fn decide_on(summary: &Summary, expression: &str) -> (Decision, String) {
        let gate = config::require(expression, 1).expect("valid expression");
        let verdicts = judge(summary, &[gate], &Terms::default());
        (verdicts[0].decision, verdicts[0].because.clone())
    }

    #[test]
    fn pass_fail_and_undecided() {
        let summary = run(100);
        assert_eq!(decide_on(&summary, "p95 < 200ms").0, Decision::Pass);
        assert_eq!(decide_on(&summary, "p95 < 50ms").0, Decision::Fail);
        assert_eq!(
            decide_on(&run(19), "p95 < 1s"),
            (
                Decision::Undecided,
                "19 values, 20 are needed for `p95 < 1s`".into()
            )
        );
        assert_eq!(
            decide_on(&run(0), "p95 < 1s"),
            (Decision::Undecided, "there are no requests".into())
        );
        assert_eq!(
            decide_on(&run(0), "failures < 5"),
            (Decision::Undecided, "there are no requests".into())
        );
        assert_eq!(
            decide_on(&summary, "max(rows) <= 900").0,
            Decision::Undecided
        );
        assert_eq!(
            decide_on(&summary, "p95 <= baseline + 20%").1,
            "no baseline given: name one by `--baseline`"
        );
    }

    #[test]
    fn a_selector_judges_each_endpoint_and_nothing_is_undecided() {
        let summary = run(100);
        let on = |pattern: &str| {
            let mut gate = config::require("p95 < 1s", 1).expect("valid");
            gate.on = Some(crate::gate::Selector::new(&[pattern]).expect("valid"));
            judge(&summary, &[gate], &Terms::default())
        };
        assert_eq!(on("*").len(), 2);
        let none = on("nowhere*");
        assert_eq!(none[0].decision, Decision::Undecided);
        assert!(
            none[0]
                .because
                .contains("no endpoint matches `nowhere*`; there are `GET even`, `GET odd`")
        );
    }

    #[test]
    fn every_window_must_hold() {
        // 10 requests a second for 10 s, response times rising from 1 to 100 ms: the last seconds are worst.
        let summary = run(100);
        assert_eq!(
            decide_on(&summary, "requests >= 50 within 5s").0,
            Decision::Pass
        );
        assert_eq!(
            decide_on(&summary, "p50 < 60ms within 5s").0,
            Decision::Fail
        );
        assert_eq!(
            decide_on(&summary, "p50 < 60ms within 60s").0,
            Decision::Undecided
        );
    }
}
