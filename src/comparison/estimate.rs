//! The log difference of one metric between two sides, by whichever method their numbers of runs allow.

use super::distribution::{normal_sf, student_t_sf};
use super::hodges_lehmann::ratio_shift;
use super::interval::fewest_values;
use super::rounding::Rounded;
use super::rule::{Difference, Replication};
use super::run_pair::{BetweenRuns, pair_interval};
use super::sample::Spread;
use super::shortfall::Shortfall;
use super::{pooled, prediction};
use crate::metric::Metric;

/// Runs a side from which both sides count as replicated.
pub const REPLICATED: usize = 3;
/// Runs a side from which the Hodges–Lehmann bounds are asked as well: fewer cannot reach alpha 0.01.
const RANKS_REACH: usize = 5;
/// Error of each of those bounds.
const GUARD_ALPHA: f64 = 0.05;

/// One side's runs: their values, and how sure a single run is of its own.
#[derive(Clone, Debug)]
pub struct Side {
    /// One value for each run, ascending, so that the order of files changes nothing.
    pub values: Vec<Rounded>,
    /// The spread within the run, if there is just one.
    pub spread: Result<Spread, Shortfall>,
}

/// A log difference, not yet turned: more is more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Estimate and bounds, worst cases of rounding included.
    pub difference: Difference,
    /// One-sided p of at least so much more.
    pub p_more: f64,
    /// One-sided p of at least so much less.
    pub p_less: f64,
    /// The noise between runs, if both sides together show it.
    pub noise: Option<BetweenRuns>,
    /// Standard error of the difference.
    pub standard_error: f64,
    /// Degrees of freedom of the t that it goes by; infinite for the normal.
    pub degrees_of_freedom: f64,
    /// What a difference must exceed before it counts, up and down: rounding, and the wide margin of one run against one.
    pub hidden: (f64, f64),
}

impl Side {
    fn plain(&self) -> Vec<f64> {
        self.values.iter().map(|v| v.value).collect()
    }

    /// Mean of ln(value / lower) and of ln(upper / value): how far rounding alone can move the mean log.
    fn slack(&self) -> Option<(f64, f64)> {
        let n = self.values.len() as f64;
        let mut slack = (0.0, 0.0);
        for v in &self.values {
            if v.lower <= 0.0 {
                return None;
            }
            slack.0 += (v.value / v.lower).ln() / n;
            slack.1 += (v.upper / v.value).ln() / n;
        }
        Some(slack)
    }

    /// The least deviation of a log value that rounding allows.
    pub fn sd_floor(&self) -> f64 {
        self.values.iter().map(|v| v.sd_floor()).fold(0.0, f64::max)
    }
}

/// How both sides are replicated.
pub fn replication(baseline: &Side, current: &Side) -> Replication {
    if baseline.values.len().min(current.values.len()) >= REPLICATED {
        Replication::BothSides
    } else {
        Replication::OneRun
    }
}

/// How far rounding can move the difference down and up, in logs; `None` if a value may be zero.
pub fn rounding_slack(baseline: &Side, current: &Side) -> Option<(f64, f64)> {
    let (b, c) = (baseline.slack()?, current.slack()?);
    Some((c.0 + b.1, c.1 + b.0))
}

/// The difference; `wide` is the log margin that a difference must exceed while the noise between runs is unknown.
pub fn estimate(
    metric: &Metric,
    baseline: &Side,
    current: &Side,
    wide: f64,
    alpha: f64,
) -> Result<Estimate, Shortfall> {
    let positive = |side: &Side| {
        side.values
            .iter()
            .all(|v| v.value > 0.0 && v.value.is_finite())
    };
    if !positive(baseline) || !positive(current) {
        return Err(Shortfall::NotPositive);
    }
    let slack = rounding_slack(baseline, current).ok_or(Shortfall::NotPositive)?;
    match (baseline.values.len(), current.values.len()) {
        (0, _) | (_, 0) => Err(Shortfall::NoRequests),
        (1, 1) => pair(metric, baseline, current, wide, slack, alpha),
        (1, _) | (_, 1) => one_against_several(baseline, current, slack, alpha),
        _ => replicates(baseline, current, slack, alpha),
    }
}

/// One run against one: how sure each is of itself, and nothing on how runs differ.
fn pair(
    metric: &Metric,
    baseline: &Side,
    current: &Side,
    wide: f64,
    slack: (f64, f64),
    alpha: f64,
) -> Result<Estimate, Shortfall> {
    let (b, c) = (baseline.spread?, current.spread?);
    if let Metric::Quantile(q) = metric {
        let needed = fewest_values(*q, alpha);
        let effective = [b, c].into_iter().filter_map(|s| s.effective);
        let least = effective.fold(f64::INFINITY, f64::min);
        if least < needed as f64 {
            return Err(Shortfall::TooFewEffective {
                effective: least as u64,
                needed,
            });
        }
    }
    let d = (current.values[0].value / baseline.values[0].value).ln();
    let interval = pair_interval(d, b.standard_error, c.standard_error, None, alpha)?;
    let se = interval.standard_error;
    Ok(Estimate {
        difference: widened(d, interval.lower, interval.upper, slack),
        // Not "no change" but "no more than runs of the same code may differ" is what must be ruled out.
        p_more: normal_sf((d - slack.0 - wide) / se),
        p_less: normal_sf((-d - slack.1 - wide) / se),
        noise: None,
        standard_error: se,
        degrees_of_freedom: f64::INFINITY,
        hidden: (slack.0 + wide, slack.1 + wide),
    })
}

fn widened(d: f64, lower: f64, upper: f64, slack: (f64, f64)) -> Difference {
    Difference {
        estimate: d,
        lower: lower - slack.0,
        upper: upper + slack.1,
    }
}

/// One run against what several runs of the other side predict.
fn one_against_several(
    baseline: &Side,
    current: &Side,
    slack: (f64, f64),
    alpha: f64,
) -> Result<Estimate, Shortfall> {
    let (several, one, turned) = if current.values.len() == 1 {
        (baseline, current, 1.0)
    } else {
        (current, baseline, -1.0)
    };
    let floor = several.sd_floor().max(one.sd_floor());
    let predicted = prediction::of_log(&several.plain(), one.values[0].value, floor, alpha)?;
    let d = turned * predicted.difference;
    let reach = predicted.reach;
    let se = predicted.standard_error;
    let df = predicted.noise.degrees_of_freedom;
    Ok(Estimate {
        difference: widened(d, d - reach, d + reach, slack),
        p_more: student_t_sf((d - slack.0) / se, df),
        p_less: student_t_sf((-d - slack.1) / se, df),
        noise: Some(predicted.noise),
        standard_error: se,
        degrees_of_freedom: df,
        hidden: slack,
    })
}

/// Several runs against several: t on logs, and from five runs a side the Hodges–Lehmann bounds must agree.
fn replicates(
    baseline: &Side,
    current: &Side,
    slack: (f64, f64),
    alpha: f64,
) -> Result<Estimate, Shortfall> {
    let floor = baseline.sd_floor().max(current.sd_floor());
    let (b, c) = (baseline.plain(), current.plain());
    let t = pooled::of_logs(&b, &c, alpha, floor)?;
    let d = t.difference;
    let (mut lower, mut upper) = (d - t.reach, d + t.reach);
    if b.len().min(c.len()) >= RANKS_REACH
        && let Some((low, high)) = rank_bounds(&b, &c, alpha)
    {
        lower = lower.min(low);
        upper = upper.max(high);
    }
    Ok(Estimate {
        difference: widened(d, lower, upper, slack),
        p_more: t.p_of(d - slack.0),
        p_less: t.p_of(-d - slack.1),
        noise: Some(t.noise),
        standard_error: t.standard_error,
        degrees_of_freedom: t.degrees_of_freedom,
        hidden: slack,
    })
}

/// Hodges–Lehmann bounds, whatever the noise's shape. They guard t against a single wild run at an error of 5 % a side;
/// alpha is t's to keep.
fn rank_bounds(baseline: &[f64], current: &[f64], alpha: f64) -> Option<(f64, f64)> {
    let bounds = ratio_shift(baseline, current, alpha.max(GUARD_ALPHA)).ok()?;
    Some((bounds.lower, bounds.upper))
}
