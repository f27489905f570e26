//! Each endpoint adjusted by the run's other endpoints.
//!
//! What a machine does to a run it does to all endpoints of the run. So the difference to the other endpoints is far less
//! noisy than the figure itself: on a noisy machine the deviation of a median falls from 13 to 2 %. The covariate is the
//! mean of the logarithms of the other endpoints' medians in the same run. How much an endpoint answers to it is estimated,
//! not taken as 1, as endpoints answer to a machine differently ([`covariance`]).

use super::draft::Draft;
use super::family;
use crate::metric::Metric;
use crate::statistics::covariance;
use crate::units::Unit;

/// Runs a side from which endpoints are adjusted.
const RUNS: usize = 3;
/// Runs of one side from which a single run of the other can be adjusted.
const RUNS_AGAINST_ONE: usize = 5;
/// How many endpoints may turn out to have changed, and be left out of the others' covariate, one after the other.
const MOST_CHANGED: usize = 50;

/// Whether the runs and endpoints allow it.
pub fn can_adjust(drafts: &[Vec<Draft>], current: &[bool]) -> bool {
    let now = current.iter().filter(|c| **c).count();
    let before = current.len() - now;
    let enough = now.min(before) >= RUNS
        || (now == 1 && before >= RUNS_AGAINST_ONE)
        || (before == 1 && now >= RUNS_AGAINST_ONE);
    enough && medians(drafts).iter().flatten().count() >= 2
}

/// Adjusts every time of every endpoint; the first drafts are the total's, a mixture, and stay as they are.
///
/// An endpoint that has changed is no measure of the machine: the surest change is found first, its endpoint left out of
/// the others' covariate, and all others adjusted anew, until none is left that holds at `level`.
pub fn adjust(drafts: &mut [Vec<Draft>], current: &[bool], level: f64) {
    if !can_adjust(drafts, current) {
        return;
    }
    let medians = medians(drafts);
    let mut measures: Vec<bool> = medians.iter().map(Option::is_some).collect();
    for _ in 0..=MOST_CHANGED {
        fit(drafts, current, &medians, &measures);
        let left = measures.iter().filter(|m| **m).count();
        match surest_change(drafts, &measures, level).filter(|_| left > 2) {
            Some(changed) => measures[changed] = false,
            None => break,
        }
    }
}

/// The logarithm of each endpoint's median in every run; `None` for the total, and where a run lacks it.
fn medians(drafts: &[Vec<Draft>]) -> Vec<Option<Vec<f64>>> {
    let median = |rows: &Vec<Draft>| {
        let draft = rows.iter().find(|d| d.metric() == &Metric::Quantile(0.5))?;
        draft.column().map(<[f64]>::to_vec)
    };
    let total = std::iter::once(None);
    total.chain(drafts.iter().skip(1).map(median)).collect()
}

fn fit(
    drafts: &mut [Vec<Draft>],
    current: &[bool],
    medians: &[Option<Vec<f64>>],
    measures: &[bool],
) {
    let of = |e: usize| medians[e].as_deref().filter(|_| measures[e]);
    let mut sums = vec![0.0; current.len()];
    for median in (0..medians.len()).filter_map(of) {
        for (sum, value) in sums.iter_mut().zip(median) {
            *sum += value;
        }
    }
    let all = measures.iter().filter(|m| **m).count();
    for (e, rows) in drafts.iter_mut().enumerate().skip(1) {
        let own = of(e);
        let others = all - usize::from(own.is_some());
        let covariate: Vec<f64> = match own {
            _ if others == 0 => continue,
            Some(own) => sums
                .iter()
                .zip(own)
                .map(|(s, o)| (s - o) / others as f64)
                .collect(),
            None => sums.iter().map(|s| s / others as f64).collect(),
        };
        for draft in rows.iter_mut().filter(|d| d.metric().unit() == Unit::Time) {
            let effect = draft.column().and_then(|column| {
                covariance::adjusted(column, current, &covariate, draft.sd_floor()).ok()
            });
            draft.set_adjusted(effect);
        }
    }
}

/// The endpoint with the surest change among those that still measure the machine, if it holds among all figures.
fn surest_change(drafts: &[Vec<Draft>], measures: &[bool], level: f64) -> Option<usize> {
    let tests: Vec<(usize, (f64, f64))> = drafts
        .iter()
        .enumerate()
        .flat_map(|(e, rows)| rows.iter().filter_map(move |d| Some((e, d.adjusted_p()?))))
        .collect();
    let pairs: Vec<_> = tests.iter().map(|(_, p)| *p).collect();
    let standing = family::step_down(&pairs, level);
    tests
        .iter()
        .zip(standing)
        .filter(|((e, _), (survives, _))| measures[*e] && (survives.worse || survives.better))
        .min_by(|((_, a), _), ((_, b), _)| a.0.min(a.1).total_cmp(&b.0.min(b.1)))
        .map(|((e, _), _)| *e)
}
