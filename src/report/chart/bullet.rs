//! A verdict at a glance: what was observed, on a line with the limit.

use std::fmt::Write as _;

use super::axis::Axis;
use crate::gate::{Decision, Verdict};

/// The observed value, its interval and the limit on one line; `None` if either was not measured.
pub fn bullet(verdict: &Verdict) -> Option<String> {
    let (observed, limit) = (verdict.observed?, verdict.limit?);
    let (low, high) = verdict.interval.unwrap_or((observed, observed));
    let values = [observed, limit, low, high, 0.0];
    if values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let lowest = values.iter().copied().fold(0.0, f64::min);
    let highest = values.iter().copied().fold(0.0, f64::max);
    // 8 % of air, so that neither mark stands on the edge.
    let axis = Axis::named(
        lowest * 1.08,
        (highest * 1.08).max(f64::MIN_POSITIVE),
        Vec::new(),
    );
    let at = |value: f64| format!("{:.1}%", axis.place(value) * 100.0);
    let mark = match verdict.decision {
        Decision::Pass => "pass",
        Decision::Fail => "fail",
        Decision::Undecided => "undecided",
    };
    let mut svg = String::from(
        "<svg class=\"bullet\" width=\"100%\" height=\"18\" aria-hidden=\"true\"><line class=\"track\" x1=\"0\" x2=\"100%\" y1=\"9\" y2=\"9\"/>",
    );
    let _ = write!(
        svg,
        "<line class=\"reach {mark}\" x1=\"{}\" x2=\"{}\" y1=\"9\" y2=\"9\"/>",
        at(0.0),
        at(observed)
    );
    if verdict.interval.is_some() {
        let _ = write!(
            svg,
            "<line class=\"interval\" x1=\"{}\" x2=\"{}\" y1=\"9\" y2=\"9\"/>",
            at(low),
            at(high)
        );
    }
    let _ = write!(
        svg,
        "<line class=\"bound\" x1=\"{0}\" x2=\"{0}\" y1=\"1\" y2=\"17\"/><circle class=\"seen {mark}\" cx=\"{1}\" cy=\"9\" r=\"4.5\"/></svg>",
        at(limit),
        at(observed)
    );
    Some(svg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn only_what_was_measured_is_drawn() {
        let mut verdicts = fixture::analysis(100).verdicts;
        let observed = verdicts[0].observed.expect("measured");
        verdicts[0].interval = Some((observed * 0.9, observed * 1.1));
        // `p95 < 10s` passes, `max(rows) < 5` has no field.
        let drawn = bullet(&verdicts[0]).expect("measured");
        assert!(drawn.contains("class=\"seen pass\"") && drawn.contains("class=\"interval\""));
        assert_eq!(bullet(&verdicts[2]), None);
    }
}
