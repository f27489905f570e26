//! How often this history's own unchanged runs would have been called worse.
//!
//! Every run of a stable level is judged by the other runs of its level, as if it were the newest. Levels were chosen for
//! being stable, so the rate is a little flattering; it is still the user's own, where a simulation would be someone
//! else's. Halves of a level at random, compared by Welch's t, show the same of comparisons of several runs.

use super::judge::is_worse_value;
use super::series_metric::Margin;
use super::{Group, Series, Settings};
use crate::comparison::errors::wilson;
use crate::comparison::multiplicity::rejected;
use crate::comparison::random::Draws;
use crate::comparison::welch;
use crate::history::counts::Failures;
use crate::history::entry::fnv1a;
use crate::history::newest::{self, failures};

/// Random halves of each stable level.
const SPLITS: u64 = 20;
/// Fewest runs of a level that is tested: one to judge and five to judge it by.
const LEAST: usize = newest::MIN_RUNS + 1;

/// What the test found.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct SelfTest {
    /// Runs of stable levels, each judged by the others.
    pub judged: u64,
    /// How many of them were called worse.
    pub alarms: u64,
    /// Their share.
    pub rate: Option<f64>,
    /// 95 % interval of the share (Wilson).
    pub interval: Option<(f64, f64)>,
    /// Runs for which all series together were judged as one report.
    pub reports: u64,
    /// How many of them had an alarm that survived among all series.
    pub false_reports: u64,
    /// Their share.
    pub report_rate: Option<f64>,
    /// 95 % interval of that share.
    pub report_interval: Option<(f64, f64)>,
    /// Random halves of stable levels that were compared.
    pub splits: u64,
    /// How many of them were called worse.
    pub false_splits: u64,
    /// Their share.
    pub split_rate: Option<f64>,
    /// Why nothing could be tested.
    pub because: Option<String>,
}

/// Tests the rules on a group's own stable levels.
pub fn test(group: &Group, settings: &Settings) -> SelfTest {
    let mut found = SelfTest::default();
    let judged: Vec<&Series> = group.series.iter().filter(|s| !s.advisory).collect();
    // For each run the p of every series that has it in a stable level, and whether the change matters.
    let mut by_run: Vec<Vec<(f64, bool)>> = vec![Vec::new(); group.runs.len()];
    for series in &judged {
        for (run, p, matters) in left_out(series, settings) {
            found.judged += 1;
            found.alarms += u64::from(p <= settings.alpha && matters);
            by_run[run].push((p, matters));
        }
        let (splits, alarms) = halves(series, settings);
        found.splits += splits;
        found.false_splits += alarms;
    }
    for run in by_run.iter().filter(|of_run| !of_run.is_empty()) {
        let p: Vec<f64> = run.iter().map(|(p, _)| *p).collect();
        let survived = rejected(&p, settings.false_discovery);
        let alarm = run
            .iter()
            .zip(survived)
            .any(|((p, matters), survived)| survived && *matters && *p <= settings.alpha);
        found.reports += 1;
        found.false_reports += u64::from(alarm);
    }
    (found.rate, found.interval) = share(found.alarms, found.judged);
    (found.report_rate, found.report_interval) = share(found.false_reports, found.reports);
    found.split_rate = share(found.false_splits, found.splits).0;
    if found.judged == 0 {
        found.because = Some(format!("no series has a level of {LEAST} runs to test on"));
    }
    found
}

fn share(count: u64, of: u64) -> (Option<f64>, Option<(f64, f64)>) {
    if of == 0 {
        return (None, None);
    }
    let rate = count as f64 / of as f64;
    (Some(rate), Some(wilson(rate, of as f64, 0.025)))
}

/// The runs of a level with their values.
fn levels<T: Copy>(series: &Series, values: &[Option<T>]) -> Vec<(Vec<usize>, Vec<T>)> {
    let drifting = series.drift.as_ref().map(|drift| drift.first);
    let level = |level: &super::Level| {
        let known = |run: usize| Some((run, values.get(run).copied().flatten()?));
        (level.first..=level.last).filter_map(known).unzip()
    };
    series
        .levels
        .iter()
        .filter(|l| l.runs >= LEAST && drifting.is_none_or(|first| l.first < first))
        .map(level)
        .collect()
}

/// Run, one-sided p of being worse, and whether the change matters, of each run judged by the others of its level.
fn left_out(series: &Series, settings: &Settings) -> Vec<(usize, f64, bool)> {
    let mut all = Vec::new();
    if series.metric.is_share() {
        for (runs, values) in levels::<Failures>(series, &series.failures) {
            for (i, run) in runs.iter().enumerate() {
                let mut others = values.clone();
                let newest = others.remove(i);
                let options = failures::Options {
                    alpha: settings.alpha,
                    ..failures::Options::default()
                };
                if let Ok(found) = failures::predict(&[&others], newest, &options) {
                    all.push((*run, found.p_above, found.beyond_margin));
                }
            }
        }
        return all;
    }
    for (runs, values) in levels(series, &series.values) {
        for (i, run) in runs.iter().enumerate() {
            let mut others = values.clone();
            let newest = others.remove(i);
            let options = options(series, &others, settings);
            if let Ok(found) = newest::predict(&others, newest, &options) {
                let more = series.metric.more_is_worse();
                let p = if more {
                    found.p_above
                } else {
                    1.0 - found.p_above
                };
                let worse = is_worse_value(series, found.expected, newest);
                all.push((*run, p, found.beyond_margin && worse));
            }
        }
    }
    all
}

fn options(series: &Series, level: &[f64], settings: &Settings) -> newest::Options {
    let typical = crate::history::segment::median_of(level);
    let (Margin::Relative(margin) | Margin::Points(margin)) =
        settings.margin_of(series.metric, typical);
    newest::Options {
        alpha: settings.alpha,
        margin,
    }
}

/// Random halves of each level compared by Welch's t on logs; how many, and how many were called worse.
fn halves(series: &Series, settings: &Settings) -> (u64, u64) {
    if series.metric.is_share() {
        return (0, 0);
    }
    let (mut splits, mut alarms) = (0, 0);
    let name = format!("{} {}", series.name(), series.metric.name());
    let mut draws = Draws::new(fnv1a(name.as_bytes()));
    for (_, values) in levels(series, &series.values) {
        let margin = options(series, &values, settings).margin;
        for _ in 0..SPLITS {
            let mut order = values.clone();
            for last in (1..order.len()).rev() {
                order.swap(last, draws.below(last as u64 + 1) as usize);
            }
            let (one, other) = order.split_at(order.len() / 2);
            let Ok(found) = welch::of_logs(one, other, settings.alpha, 0.0) else {
                continue;
            };
            let (low, d) = if series.metric.more_is_worse() {
                (found.lower, found.difference)
            } else {
                (-found.upper, -found.difference)
            };
            splits += 1;
            alarms += u64::from(low > 0.0 && d >= margin.ln_1p());
        }
    }
    (splits, alarms)
}
