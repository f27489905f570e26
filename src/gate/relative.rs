//! Gates with a baseline in their limit.
//!
//! `p95 <= baseline + 20%` passes when the figure is within the limit. It fails when the figure is beyond it *and* worse
//! than the baseline at all, by more than runs of unchanged code differ; else nothing can be said of it. With
//! `significant = false` the two numbers alone decide.

use super::judge::{Finding, Terms};
use super::{Comparator, Decision, Gate, Inconclusive, Level, Policy, Requirement};
use crate::comparison::far_out::is_far_out;
use crate::comparison::rule::Word;
use crate::comparison::{Comparison, EndpointComparison, Row};
use crate::exact::Fraction;
use crate::metric::Measurement;
use crate::metric::measure::minimum_samples;
use crate::summary::EndpointSummary;
use crate::units::{self, Unit};

/// Judges a requirement whose limit follows from the baseline's value.
pub(super) fn find<'a>(
    gate: &Gate,
    requirement: &'a Requirement,
    target: &EndpointSummary,
    terms: &Terms<'_>,
    change: (Fraction, Fraction),
) -> Finding<'a> {
    if let Some(because) = &terms.waiting {
        return Finding::waiting(requirement, because);
    }
    let (comparison, at, row) = match row(requirement, target, terms) {
        Ok(found) => found,
        Err(why) => return Finding::undecided(requirement, why),
    };
    let needed = gate
        .min_samples
        .unwrap_or_else(|| minimum_samples(&requirement.metric));
    let (from, to) = match values(row, needed) {
        Ok(values) => values,
        Err(why) => return Finding::undecided(requirement, why),
    };
    let unit = requirement.metric.unit();
    let limit = |from| limit(from, change, unit);
    let of_baseline = limit(from);
    let measured = Measurement {
        value: to,
        exact: Some(kept(to, unit)),
        samples: row.current_size.requests,
        interval: None,
        precision: None,
        missing: None,
        remark: None,
    };
    let (decision, because) = plain(gate, requirement.comparator, row, (from, to), &limit);
    let by_chance = gate.significant && requirement.leaves_room();
    let (decision, level, because) = if decision == Decision::Fail && by_chance {
        at_all(
            gate,
            requirement.comparator,
            row,
            (at, comparison),
            (from, to),
            terms,
        )
    } else {
        (decision, None, because)
    };
    Finding {
        requirement,
        decision,
        level,
        limit: Some(of_baseline),
        measured: Some(measured),
        because: format!(
            "{because}; the baseline has {}, so the limit is {}",
            unit.human(from),
            unit.human(of_baseline.to_f64())
        ),
    }
}

/// A figure as reports and histories keep it, to a millionth of its unit, so that the same run stays the same on either
/// side; of shares, which they keep as counts, and of very large figures what floats hold.
fn kept(value: f64, unit: Unit) -> Fraction {
    if matches!(unit, Unit::Ratio | Unit::Score) || value.abs() >= 1e9 {
        return Fraction::near(value);
    }
    Fraction::new((value * 1e6).round() as i128, 1_000_000).unwrap_or_else(|| Fraction::of(value))
}

/// The baseline's figure times a factor, plus an offset.
fn limit(from: f64, (factor, offset): (Fraction, Fraction), unit: Unit) -> Fraction {
    let exact = kept(from, unit).times(factor);
    let exact = exact.and_then(|changed| changed.plus(offset));
    exact.unwrap_or_else(|| Fraction::of(from * factor.to_f64() + offset.to_f64()))
}

fn row<'c>(
    requirement: &Requirement,
    target: &EndpointSummary,
    terms: &Terms<'c>,
) -> Result<(&'c Comparison, &'c EndpointComparison, &'c Row), String> {
    let comparison = terms
        .comparison
        .ok_or("no baseline given: name one by `--baseline`")?;
    if requirement.within_s.is_some() {
        return Err("windows are not compared with a baseline".to_owned());
    }
    let at = comparison
        .of(target.endpoint.as_ref())
        .ok_or("the baseline has no such endpoint")?;
    let row = at
        .row(&requirement.metric)
        .ok_or_else(|| format!("`{}` was not compared", requirement.metric))?;
    Ok((comparison, at, row))
}

/// Both sides' values, if they rest on enough.
fn values(row: &Row, needed: u64) -> Result<(f64, f64), String> {
    let sides = [
        ("baseline", &row.baseline, row.baseline_size.requests),
        ("current run", &row.current, row.current_size.requests),
    ];
    let [from, to] = sides.map(|(side, value, requests)| match value {
        Err(why) => Err(format!("the {side} has no value: {why}")),
        Ok(_) if requests < needed => Err(format!(
            "the {side} has {requests} values, {needed} are needed for `{}`",
            row.metric
        )),
        Ok(value) => Ok(*value),
    });
    Ok((from?, to?))
}

/// A comparison of two numbers; undecided where the source's rounding alone could turn it.
fn plain(
    gate: &Gate,
    comparator: Comparator,
    row: &Row,
    (from, to): (f64, f64),
    limit: &impl Fn(f64) -> Fraction,
) -> (Decision, String) {
    let unit = row.metric.unit();
    let holds = |to, from| comparator.holds(kept(to, unit), limit(from));
    let moved = kept(to, unit).minus(kept(from, unit)).map(Fraction::abs);
    let is_below = |floor: &f64| moved.is_some_and(|moved| moved < Fraction::of(*floor));
    let within_floor = gate
        .floor
        .filter(|floor| is_below(floor) && !holds(to, from));
    if let Some(floor) = within_floor {
        let (change, floor) = (unit.human((to - from).abs()), unit.human(floor));
        return (
            Decision::Pass,
            format!("the change of {change} is below the floor of {floor}"),
        );
    }
    let (low, high) = (row.current_range, row.baseline_range);
    let is_open = if comparator == Comparator::Equal {
        let apart = kept(low.1, unit) < limit(high.0) || limit(high.1) < kept(low.0, unit);
        (low.0 < low.1 || high.0 < high.1) && !apart
    } else {
        holds(low.0, high.1) != holds(low.1, high.0)
    };
    if is_open {
        let because =
            "the source rounds: in its worst case the value lies on the other side of the limit";
        return (Decision::Undecided, because.to_owned());
    }
    let decision = if holds(to, from) {
        Decision::Pass
    } else {
        Decision::Fail
    };
    let stands = comparator.stands(kept(to, unit), limit(from), unit, None);
    (decision, stands)
}

/// What follows when a figure is beyond its limit: whether it is worse than the baseline at all.
fn at_all(
    gate: &Gate,
    comparator: Comparator,
    row: &Row,
    (at, comparison): (&EndpointComparison, &Comparison),
    (from, to): (f64, f64),
    terms: &Terms<'_>,
) -> (Decision, Option<Level>, String) {
    let less_is_worse = matches!(comparator, Comparator::Greater | Comparator::GreaterOrEqual);
    let turned = less_is_worse != row.metric.less_is_worse();
    let words = difference(row, (from, to));
    let runs = row.baseline_size.runs.min(row.current_size.runs);
    if row.is_worse_at_all(turned) {
        let level = (runs < REPLICATED)
            .then_some(terms.policy.on_suspect)
            .flatten();
        let level = level.filter(|_| gate.level == Level::Fail);
        let because = format!(
            "{words}, more than runs of unchanged code differ ({})",
            row.because
        );
        return (Decision::Fail, level, because);
    }
    if runs < REPLICATED && is_far_out(comparison, at, row, turned) {
        let level = terms
            .policy
            .on_suspect
            .filter(|_| gate.level == Level::Fail);
        let because = format!("{words}, far more than runs of unchanged code differ");
        return (Decision::Fail, level, because);
    }
    let (decision, level) = match terms.policy.on_inconclusive {
        Some(Inconclusive::Fail) => (Decision::Fail, None),
        Some(Inconclusive::Warn) => (Decision::Undecided, Some(Level::Warn)),
        Some(Inconclusive::Undecided) | None => (Decision::Undecided, None),
    };
    let remedy = match (row.runs_needed, runs) {
        (_, ..REPLICATED) => format!("rerun, or make {REPLICATED} runs a side"),
        (Some(needed), _) if needed > runs => format!("make {needed} runs a side"),
        _ => "rerun, or make more runs a side".to_owned(),
    };
    let because = format!("{words}, but runs of unchanged code differ by as much; {remedy}");
    (decision, level, because)
}

/// Runs a side that bear a regression out.
const REPLICATED: u32 = 3;

/// `619 ms against 515 ms: 20 % slower`.
fn difference(row: &Row, (from, to): (f64, f64)) -> String {
    let unit = row.metric.unit();
    let (size, more, less) = match unit {
        Unit::Ratio => (units::points((to - from).abs()), "more", "less"),
        Unit::Time if from > 0.0 => (units::share((to / from - 1.0).abs()), "slower", "faster"),
        _ if from > 0.0 => (units::share((to / from - 1.0).abs()), "more", "less"),
        _ => (unit.human((to - from).abs()), "more", "less"),
    };
    let direction = if to >= from { more } else { less };
    format!(
        "{} against {}: {} {direction}",
        unit.human(to),
        unit.human(from),
        size.trim_start_matches('+')
    )
}

/// What a word means for `[regression]`; `otherwise`: what `not enough data` means if the policy does not say.
pub(super) fn decision(
    word: Word,
    level: Level,
    policy: Policy,
    otherwise: Inconclusive,
) -> (Decision, Level) {
    match word {
        Word::Regressed => (Decision::Fail, level),
        Word::Improved | Word::Unchanged => (Decision::Pass, level),
        // A rule that only warns does not fail by a suspicion.
        Word::Suspect if level == Level::Warn => (Decision::Fail, Level::Warn),
        Word::Suspect => (Decision::Fail, policy.on_suspect.unwrap_or(Level::Warn)),
        Word::NotEnoughData => match policy.on_inconclusive.unwrap_or(otherwise) {
            Inconclusive::Fail => (Decision::Fail, level),
            Inconclusive::Warn => (Decision::Undecided, Level::Warn),
            Inconclusive::Undecided => (Decision::Undecided, level),
        },
    }
}

#[cfg(test)]
mod tests;
