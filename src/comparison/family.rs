//! All figures of a comparison at once: with a chance of at most alpha is *any* of them called worse although nothing
//! changed.
//!
//! Three groups share the level: the figures that every run has, by a rotation test of the greatest t; the same figures,
//! adjusted by the run's other endpoints, by Holm's step-down; and all else (ratios, figures that some runs lack, one run
//! against one), by Holm's step-down, too. The last group's share is its share of the figures; of what is left the first has
//! three tenths and the second half. Each direction has its own alpha.
//!
//! The rest is not spent: the noise of real runs has longer tails than a normal one. Of 1,000 comparisons of unchanged code on
//! a noisy machine, 9 were called worse by a rotation test of level .005 (`examples/comparison_rates.rs`).

use super::draft::Draft;
use super::rule::Survives;
use crate::statistics::distribution::student_t_sf;
use crate::statistics::{holm, rotation};

/// The rotation test's share.
const PLAIN: f64 = 0.3;
/// The adjusted figures' share.
const ADJUSTED: f64 = 0.5;
/// The rotation test's share where nothing can be adjusted.
const ALONE: f64 = 0.6;

/// How the level is shared, for one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// Of the rotation test.
    pub plain: f64,
    /// Of the adjusted figures.
    pub adjusted: f64,
    /// Of all else.
    pub rest: f64,
}

/// What holds of one figure among all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// By the figure alone.
    pub plain: Survives,
    /// Adjusted by the run's other endpoints.
    pub adjusted: Survives,
    /// The chance that a difference of the figure alone must not exceed, were it the surest of all.
    pub plain_level: f64,
    /// The same when adjusted.
    pub adjusted_level: f64,
}

impl Levels {
    /// Shares `alpha` among the drafts; `current[i]` says on which side run i is.
    pub fn of(drafts: &[Vec<Draft>], current: &[bool], can_adjust: bool, alpha: f64) -> Self {
        let all = drafts.iter().flatten();
        let (mut complete, mut rest) = (0_u32, 0_u32);
        for draft in all.filter(|d| d.p_worse().is_some()) {
            if is_turned(draft, current) {
                complete += 1;
            } else {
                rest += 1;
            }
        }
        let of_rest = alpha * f64::from(rest) / f64::from((complete + rest).max(1));
        let left = alpha - of_rest;
        let (plain, adjusted) = if can_adjust {
            (PLAIN, ADJUSTED)
        } else {
            (ALONE, 0.0)
        };
        Self {
            plain: left * plain,
            adjusted: left * adjusted,
            rest: of_rest,
        }
    }
}

/// Whether a draft takes part in the rotation test: all runs have it, and there are enough of them.
fn is_turned(draft: &Draft, current: &[bool]) -> bool {
    current.len() >= 3 && draft.column().is_some() && draft.p_worse().is_some()
}

/// What holds of every draft, in their order.
pub fn judge(drafts: &[Vec<Draft>], current: &[bool], levels: Levels) -> Vec<Vec<Standing>> {
    let all: Vec<&Draft> = drafts.iter().flatten().collect();
    let mut standings = vec![Standing::default(); all.len()];
    let places = |wanted: &dyn Fn(&Draft) -> bool| -> Vec<usize> {
        (0..all.len()).filter(|&i| wanted(all[i])).collect()
    };
    let turned = places(&|d| is_turned(d, current));
    turn(&all, &turned, current, levels.plain, &mut standings);
    let rest = places(&|d| d.p_worse().is_some() && !is_turned(d, current));
    let tests: Vec<_> = rest
        .iter()
        .filter_map(|&i| all[i].p_worse().zip(all[i].p_better()))
        .collect();
    for (&i, (survives, level)) in rest.iter().zip(step_down(&tests, levels.rest)) {
        standings[i].plain = survives;
        standings[i].plain_level = level;
    }
    let adjusted = places(&|d| d.adjusted_p().is_some());
    let tests: Vec<_> = adjusted
        .iter()
        .filter_map(|&i| all[i].adjusted_p())
        .collect();
    for (&i, (survives, level)) in adjusted.iter().zip(step_down(&tests, levels.adjusted)) {
        standings[i].adjusted = survives;
        standings[i].adjusted_level = level;
    }
    let mut standings = standings.into_iter();
    drafts
        .iter()
        .map(|rows| standings.by_ref().take(rows.len()).collect())
        .collect()
}

/// Of pairs of p (worse, better): what Holm's step-down leaves, and the level of its first step.
pub fn step_down(tests: &[(f64, f64)], level: f64) -> Vec<(Survives, f64)> {
    let worse = holm::rejected(&tests.iter().map(|t| t.0).collect::<Vec<_>>(), level);
    let better = holm::rejected(&tests.iter().map(|t| t.1).collect::<Vec<_>>(), level);
    let first = level / tests.len().max(1) as f64;
    worse
        .into_iter()
        .zip(better)
        .map(|(worse, better)| (Survives { worse, better }, first))
        .collect()
}

/// The rotation test of the drafts at `places`.
fn turn(
    all: &[&Draft],
    places: &[usize],
    current: &[bool],
    level: f64,
    standings: &mut [Standing],
) {
    let degrees_of_freedom = current.len() as f64 - 2.0;
    let mut columns = Vec::with_capacity(places.len());
    let (mut t_worse, mut t_better) = (Vec::new(), Vec::new());
    for &i in places {
        let draft = all[i];
        let (Some(column), Some(worse), Some(better)) =
            (draft.column(), draft.p_worse(), draft.p_better())
        else {
            continue;
        };
        let sign = if draft.less_is_worse() { -1.0 } else { 1.0 };
        columns.push(column.iter().map(|v| sign * v).collect());
        t_worse.push(rotation::t_of(worse, degrees_of_freedom));
        t_better.push(rotation::t_of(better, degrees_of_freedom));
    }
    if columns.is_empty() {
        return;
    }
    let Ok(turned) = rotation::greatest_t(&columns, current, &t_worse, &t_better) else {
        return;
    };
    let first = student_t_sf(turned.critical_t(level), degrees_of_freedom);
    for (place, &i) in places.iter().enumerate() {
        standings[i].plain = Survives {
            worse: turned.p_more[place] <= level,
            better: turned.p_less[place] <= level,
        };
        standings[i].plain_level = first;
    }
}
