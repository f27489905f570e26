//! Limits that say nothing: nothing can break them, or nothing can keep them.

use crate::exact::Fraction;
use crate::gate::{Comparator, Limit};
use crate::metric::{Aggregate, Metric};
use crate::units::Unit;

/// The least and the most that a metric can be, as far as there are bounds.
fn range(metric: &Metric) -> (Option<Fraction>, Option<Fraction>) {
    let from_zero = match metric {
        Metric::Field(Aggregate::Stddev | Aggregate::Increase, _) => true,
        Metric::Field(..) => false,
        _ => true,
    };
    let up_to_one = matches!(metric.unit(), Unit::Ratio | Unit::Score);
    (
        from_zero.then_some(Fraction::ZERO),
        up_to_one.then_some(Fraction::ONE),
    )
}

/// What is wrong with a limit that every run keeps, or none.
pub fn useless(metric: &Metric, comparator: Comparator, limit: Limit) -> Option<String> {
    match limit {
        Limit::Absolute(limit) => absolute(metric, comparator, limit),
        Limit::Baseline { factor, .. } if factor <= Fraction::ZERO => {
            Some("this leaves nothing of the baseline's value".to_owned())
        }
        Limit::Baseline { offset, .. } => relative(metric, comparator, offset),
    }
}

fn absolute(metric: &Metric, comparator: Comparator, limit: Fraction) -> Option<String> {
    let (least, most) = range(metric);
    let human = |bound: Fraction| metric.unit().human(bound.to_f64());
    let at_least = |what: &str| {
        let least = human(least.unwrap_or(Fraction::ZERO));
        Some(format!(
            "nothing can {what} this limit: `{metric}` is never below {least}"
        ))
    };
    let at_most = |what: &str| {
        let most = human(most.unwrap_or(Fraction::ONE));
        Some(format!(
            "nothing can {what} this limit: `{metric}` is never above {most}"
        ))
    };
    let is = |bound: Option<Fraction>, test: fn(&Fraction, &Fraction) -> bool| {
        bound.is_some_and(|bound| test(&limit, &bound))
    };
    match comparator {
        Comparator::Less if is(most, Fraction::gt) => at_most("break"),
        Comparator::LessOrEqual if is(most, Fraction::ge) => at_most("break"),
        Comparator::Greater if is(least, Fraction::lt) => at_least("break"),
        Comparator::GreaterOrEqual if is(least, Fraction::le) => at_least("break"),
        Comparator::Less if is(least, Fraction::le) => at_least("keep"),
        Comparator::LessOrEqual | Comparator::Equal if is(least, Fraction::lt) => at_least("keep"),
        Comparator::Greater if is(most, Fraction::ge) => at_most("keep"),
        Comparator::GreaterOrEqual | Comparator::Equal if is(most, Fraction::gt) => at_most("keep"),
        Comparator::Equal if metric.unit() == Unit::Count && !limit.is_whole() => Some(format!(
            "nothing can keep this limit: `{metric}` is a whole number"
        )),
        _ => None,
    }
}

/// An offset as large as the whole range: `failure_ratio <= baseline + 1`.
fn relative(metric: &Metric, comparator: Comparator, offset: Fraction) -> Option<String> {
    let (Some(least), Some(most)) = range(metric) else {
        return None;
    };
    let span = most.minus(least)?;
    if offset.abs() < span {
        return None;
    }
    let upper = matches!(comparator, Comparator::Less | Comparator::LessOrEqual);
    let what = if upper == (offset > Fraction::ZERO) && comparator != Comparator::Equal {
        "break"
    } else {
        "keep"
    };
    let (least, most) = (least.to_f64(), most.to_f64());
    Some(format!(
        "nothing can {what} this limit: `{metric}` lies between {} and {}",
        metric.unit().human(least),
        metric.unit().human(most)
    ))
}

#[cfg(test)]
mod tests {
    use crate::config::expression::parse;

    #[test]
    fn a_limit_that_every_run_keeps_or_none_is_a_mistake() {
        for text in [
            "failure_ratio < 150%",
            "failure_ratio <= 100%",
            "failure_ratio >= 0%",
            "failure_ratio > -1%",
            "failure_ratio > 100%",
            "failure_ratio < 0%",
            "failure_ratio == 101%",
            "success_ratio <= 100%",
            "success_ratio <= 1",
            "ratio(status=5xx) <= 100%",
            "unexpected_failure_ratio >= 0",
            "failures >= 0",
            "failures < 0",
            "failures == 2.5",
            "requests >= 0",
            "requests > -1",
            "count(status=429) <= -1",
            "peak_rps >= 0",
            "users >= 0",
            "p95 > -1s",
            "p95 >= 0ms",
            "p95 < 0ms",
            "mean == -1ms",
            "max < 9999999h",
            "duration >= 0s",
            "rps >= 0",
            "rpm < 0/min",
            "apdex(500ms) <= 1",
            "apdex(500ms) > 1",
            "stddev(rows) >= 0",
            "increase(memory_mb) < 0",
            "p95 <= baseline - 100%",
            "p95 >= baseline - 150%",
            "failure_ratio <= baseline + 1",
            "failure_ratio >= baseline - 1",
            "success_ratio >= baseline + 1",
            "requests >= 0 within 60s",
        ] {
            let mistake = parse(text).expect_err(text);
            assert_eq!(mistake.code, "useless-limit", "{text}: {}", mistake.message);
        }
    }

    #[test]
    fn a_limit_at_the_edge_of_what_can_be_is_none() {
        for text in [
            "failure_ratio < 100%",
            "failure_ratio <= 0%",
            "failure_ratio > 0%",
            "failure_ratio == 0%",
            "success_ratio == 100%",
            "success_ratio >= 100%",
            "failures == 0",
            "failures <= 0",
            "failures < 0.5",
            "failures > 0",
            "requests >= 1",
            "p95 > 0ms",
            "p95 <= 0ms",
            "apdex(500ms) >= 1",
            "apdex(500ms) < 1",
            "min(temperature) >= 0",
            "min(temperature) > -5",
            "slope(memory_mb) <= 0",
            "increase(memory_mb) <= 0",
            "p95 <= baseline + 500%",
            "p95 <= baseline - 99%",
            "failure_ratio <= baseline + 0.5",
            "p95 <= baseline - 50ms",
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
    }
}
