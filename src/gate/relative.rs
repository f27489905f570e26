//! Gates with a baseline in their limit.
//!
//! A plain one (`p95 <= baseline + 20%`) says what it says, a comparison of two numbers, and its reason adds how far
//! that can be trusted. With `significant = true` the statistics decide: only `regressed` fails.

use super::judge::{Finding, Terms};
use super::{Comparator, Decision, Gate, Inconclusive, Level, Policy, Requirement};
use crate::comparison::rule::Word;
use crate::comparison::{Evidence, Row, Survivor, rule, share};
use crate::exact::Fraction;
use crate::metric::Measurement;
use crate::metric::measure::minimum_samples;
use crate::summary::EndpointSummary;
use crate::units::Unit;

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
    let row = match row(requirement, target, terms) {
        Ok(row) => row,
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
    let (decision, level, because) = if gate.significant {
        let word = significance(gate, requirement.comparator, row, of_baseline.to_f64());
        let (decision, level) = decision(word, gate.level, terms.policy);
        (decision, Some(level), significant(word, row))
    } else {
        let (decision, because) = plain(gate, requirement.comparator, row, (from, to), &limit);
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
) -> Result<&'c Row, String> {
    let comparison = terms
        .comparison
        .ok_or("no baseline given: name one by `--baseline`")?;
    if requirement.within_s.is_some() {
        return Err("windows are not compared with a baseline".to_owned());
    }
    comparison
        .of(target.endpoint.as_ref())
        .ok_or("the baseline has no such endpoint")?
        .row(&requirement.metric)
        .ok_or_else(|| format!("`{}` was not compared", requirement.metric))
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
    let because = format!("{stands} (how sure: {})", row.because);
    (decision, because)
}

/// The verdict of the statistics with the gate's own margin, floor and direction.
fn significance(gate: &Gate, comparator: Comparator, row: &Row, limit: f64) -> Word {
    let less_is_worse = matches!(comparator, Comparator::Greater | Comparator::GreaterOrEqual);
    let turned = less_is_worse != row.metric.less_is_worse();
    let judged = match row.evidence {
        Evidence::Missing => None,
        Evidence::Log(s) => {
            let evidence = rule::Evidence {
                difference: s
                    .evidence
                    .difference
                    .map(|d| if turned { d.reversed() } else { d }),
                margin: (limit / s.evidence.baseline)
                    .ln()
                    .abs()
                    .max(half_steps(row))
                    .exp_m1(),
                floor: gate.floor.unwrap_or(0.0),
                ..s.evidence
            };
            Evidence::Log(turned_survivor(&s, evidence, turned)).judge()
        }
        Evidence::Share(s) => {
            let baseline = row.baseline.as_ref().copied().unwrap_or_default();
            let evidence = share::Evidence {
                difference: s
                    .evidence
                    .difference
                    .map(|d| if turned { d.reversed() } else { d }),
                margin: (limit - baseline).abs().max(gate.floor.unwrap_or(0.0)),
                ..s.evidence
            };
            Evidence::Share(turned_survivor(&s, evidence, turned)).judge()
        }
    };
    judged.map_or(Word::NotEnoughData, |j| j.word)
}

/// How far rounding alone can move the log difference.
fn half_steps(row: &Row) -> f64 {
    let reach = |(low, high): (f64, f64)| if low > 0.0 { (high / low).ln() } else { 0.0 };
    f64::midpoint(reach(row.baseline_range), reach(row.current_range))
}

fn turned_survivor<E>(of: &Survivor<E>, evidence: E, turned: bool) -> Survivor<E> {
    let (worse, better) = if turned {
        (of.better, of.worse)
    } else {
        (of.worse, of.better)
    };
    Survivor {
        evidence,
        worse,
        better,
    }
}

/// The row's sentence; its word may be another with the gate's own margin.
fn significant(word: Word, row: &Row) -> String {
    if word == row.judgement.word {
        row.because.clone()
    } else {
        format!("{} by the gate's own margin; {}", word.name(), row.because)
    }
}

/// What a word means for a rule that asks for significance.
pub(super) fn decision(word: Word, level: Level, policy: Policy) -> (Decision, Level) {
    match word {
        Word::Regressed => (Decision::Fail, level),
        Word::Improved | Word::Unchanged => (Decision::Pass, level),
        // A rule that only warns does not fail by a suspicion.
        Word::Suspect if level == Level::Warn => (Decision::Fail, Level::Warn),
        Word::Suspect => (Decision::Fail, policy.on_suspect),
        Word::NotEnoughData => match policy.on_inconclusive {
            Inconclusive::Fail => (Decision::Fail, level),
            Inconclusive::Warn => (Decision::Undecided, Level::Warn),
            Inconclusive::Undecided => (Decision::Undecided, level),
        },
    }
}

#[cfg(test)]
mod tests;
