//! What one series says of one or two runs, judged by the runs of its level.

use super::figures::{Figures, sign};
use crate::history::counts::Failures;
use crate::history::effect::rounding_deviation;
use crate::history::newest::{MIN_RUNS, failures};
use crate::statistics::covariance;
use crate::statistics::distribution::student_t_sf;
use crate::trend::series_metric::Margin;

/// Fewest runs of a level from which the slope on the other endpoints is taken.
const LEAST_ADJUSTED: usize = 7;

/// The runs by which others are judged.
#[derive(Clone, Copy)]
pub struct Basis<'a> {
    /// Runs of the levels before, which lend their noise to a young level.
    pub earlier: &'a [Vec<usize>],
    /// Runs of the level.
    pub level: &'a [usize],
}

/// How far runs lie from their level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// In logs, larger is worse; of shares a difference.
    pub effect: f64,
    /// One-sided p of being no worse.
    pub p_worse: f64,
    /// One-sided p of being no better.
    pub p_better: f64,
    /// Whether the change is at least the margin.
    pub matters: bool,
}

impl Evidence {
    fn of(effect: f64, margin: f64, p_worse: f64) -> Self {
        Self {
            effect,
            p_worse,
            p_better: 1.0 - p_worse,
            matters: effect.abs() >= margin - 1e-12,
        }
    }

    /// p in the direction asked for; 1 of a change that does not matter.
    pub fn p(&self, worse: bool) -> f64 {
        match (self.matters, worse == (self.effect > 0.0), worse) {
            (true, true, true) => self.p_worse,
            (true, true, false) => self.p_better,
            _ => 1.0,
        }
    }
}

/// The runs that have a figure of the series.
fn known(figures: &Figures, series: usize, runs: &[usize]) -> Vec<f64> {
    runs.iter()
        .filter_map(|run| figures.log(series, *run))
        .collect()
}

/// The plain test: the runs `tested` against what the level predicts of them, on logs and Student's t.
pub fn plain(figures: &Figures, series: usize, basis: Basis, tested: &[usize]) -> Option<Evidence> {
    if figures.series[series].metric.is_share() {
        return share(figures, series, basis, tested);
    }
    let level = known(figures, series, basis.level);
    let values = known(figures, series, tested);
    if level.is_empty() || values.len() < tested.len() || values.is_empty() {
        return None;
    }
    let (mean, mut squares) = moments(&level);
    let mut degrees = level.len() - 1;
    if level.len() < MIN_RUNS {
        for runs in basis.earlier {
            let runs = known(figures, series, runs);
            if runs.len() > 1 {
                squares += moments(&runs).1;
                degrees += runs.len() - 1;
            }
        }
    }
    if degrees + 1 < MIN_RUNS {
        return None;
    }
    let noise = (squares / degrees as f64).sqrt().max(rounding(
        &level,
        &values,
        sign(&figures.series[series]),
    ));
    if noise <= 0.0 {
        return None;
    }
    let effect = moments(&values).0 - mean;
    let scale = noise * (1.0 / level.len() as f64 + 1.0 / values.len() as f64).sqrt();
    let margin = figures.margin(series, mean);
    let p = student_t_sf(effect / scale, degrees as f64);
    Some(Evidence::of(effect, margin, p))
}

/// The adjusted test: the same at equal values of the run's other endpoints.
pub fn adjusted(
    figures: &Figures,
    series: usize,
    basis: Basis,
    tested: &[usize],
    left_out: &[bool],
) -> Option<Evidence> {
    let fit = Adjusted::fit(figures, series, basis, tested, left_out)?;
    let margin = figures.margin(series, fit.mean);
    let effect = fit.effect;
    let found = Evidence::of(effect.effect, margin, effect.p_of(effect.effect));
    if fit.endpoints > 1 {
        return Some(found);
    }
    // Of two endpoints either may be the one that changed: it is the one that moved by itself, too.
    let alone = plain(figures, series, basis, tested)?;
    Some(Evidence {
        matters: found.matters && alone.effect * found.effect > 0.0,
        ..found
    })
}

/// An analysis of covariance of some runs against their level.
pub struct Adjusted {
    /// Its coefficients.
    pub effect: covariance::Effect,
    /// Mean of the level, a logarithm turned to worse.
    pub mean: f64,
    /// How many other endpoints.
    pub endpoints: u32,
}

impl Adjusted {
    /// Fits it, where the level has enough runs and the run another endpoint.
    pub fn fit(
        figures: &Figures,
        series: usize,
        basis: Basis,
        tested: &[usize],
        left_out: &[bool],
    ) -> Option<Self> {
        let is_time = figures.series[series].metric.unit() == crate::units::Unit::Time;
        if !is_time || tested.iter().any(|run| figures.log(series, *run).is_none()) {
            return None;
        }
        let level = basis.level.iter().copied();
        let level: Vec<usize> = level
            .filter(|run| figures.log(series, *run).is_some())
            .collect();
        if level.len() < LEAST_ADJUSTED {
            return None;
        }
        let runs = [&level[..], tested].concat();
        let others = figures.others(series, &runs, left_out)?;
        let y = known(figures, series, &runs);
        let current: Vec<bool> = (0..runs.len()).map(|i| i >= level.len()).collect();
        let (before, after) = y.split_at(level.len());
        let floor = rounding(before, after, sign(&figures.series[series]));
        let effect = covariance::adjusted(&y, &current, &others.means, floor).ok()?;
        Some(Self {
            effect,
            mean: moments(before).0,
            endpoints: others.endpoints,
        })
    }
}

/// The least noise that rounding allows, of logarithms turned by `sign`.
fn rounding(level: &[f64], values: &[f64], sign: f64) -> f64 {
    // Only equal figures point to rounding; most series have none.
    let mut all = [level, values].concat();
    all.sort_by(f64::total_cmp);
    let has_ties = all
        .windows(2)
        .any(|pair| pair[0].to_bits() == pair[1].to_bits());
    if !has_ties {
        return 0.0;
    }
    rounding_deviation(&all.iter().map(|log| (sign * log).exp()).collect::<Vec<_>>())
}

fn share(figures: &Figures, series: usize, basis: Basis, tested: &[usize]) -> Option<Evidence> {
    let series = &figures.series[series];
    let of = |runs: &[usize]| -> Vec<Failures> {
        let run = |run: &usize| series.failures.get(*run).copied().flatten();
        runs.iter().filter_map(run).collect()
    };
    let values = of(tested);
    if values.is_empty() || values.len() < tested.len() {
        return None;
    }
    let newest = Failures {
        failures: values.iter().map(|run| run.failures).sum(),
        requests: values.iter().map(|run| run.requests).sum(),
    };
    let level = of(basis.level);
    let Margin::Points(margin) = series.metric.margin(0.0) else {
        return None;
    };
    if newest.failures == 0 && level.iter().all(|run| run.failures == 0) {
        let enough = level.len() >= MIN_RUNS;
        return enough.then(|| Evidence::of(0.0, margin, 1.0));
    }
    let mut segments: Vec<Vec<Failures>> = Vec::new();
    if level.len() < MIN_RUNS {
        segments.extend(basis.earlier.iter().map(|runs| of(runs)));
    }
    segments.push(level);
    let slices: Vec<&[Failures]> = segments.iter().map(Vec::as_slice).collect();
    let options = failures::Options {
        margin,
        ..failures::Options::default()
    };
    let found = failures::predict(&slices, newest, &options).ok()?;
    Some(Evidence {
        p_better: found.p_below,
        ..Evidence::of(found.value - found.expected, margin, found.p_above)
    })
}

/// How far a run lies from the level, and the deviation of that; logs, or angles of shares, which zero has too.
pub fn distance(figures: &Figures, series: usize, basis: Basis, run: usize) -> Option<(f64, f64)> {
    let is_share = figures.series[series].metric.is_share();
    let value = |run: usize| -> Option<f64> {
        if !is_share {
            return figures.log(series, run);
        }
        let run = figures.series[series]
            .failures
            .get(run)
            .copied()
            .flatten()?;
        Some(2.0 * run.ratio().clamp(0.0, 1.0).sqrt().asin())
    };
    let level: Vec<f64> = basis.level.iter().filter_map(|run| value(*run)).collect();
    if level.len() < 2 {
        return None;
    }
    let (mean, squares) = moments(&level);
    let mut least = 0.0;
    if is_share {
        let requests = figures.series[series]
            .failures
            .get(run)
            .copied()
            .flatten()?
            .requests;
        least = 1.0 / requests as f64;
    }
    let variance = (squares / (level.len() - 1) as f64).max(least);
    let scale = (variance * (1.0 + 1.0 / level.len() as f64)).sqrt();
    Some((value(run)? - mean, scale.max(1e-9)))
}

/// How far the mean of some runs lies from that of others: in logs, turned so that larger is worse; of shares a difference.
pub fn shift(figures: &Figures, series: usize, before: &[usize], after: &[usize]) -> Option<f64> {
    let of = |runs: &[usize]| -> Option<f64> {
        if figures.series[series].metric.is_share() {
            let known = |run: &usize| figures.series[series].failures.get(*run).copied().flatten();
            let runs: Vec<Failures> = runs.iter().filter_map(known).collect();
            let requests: u64 = runs.iter().map(|run| run.requests).sum();
            let failures: u64 = runs.iter().map(|run| run.failures).sum();
            return (requests > 0).then(|| failures as f64 / requests as f64);
        }
        let values = known(figures, series, runs);
        (!values.is_empty()).then(|| moments(&values).0)
    };
    Some(of(after)? - of(before)?)
}

/// Mean, and sum of the squares about it.
pub fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum())
}
