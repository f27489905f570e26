//! How small a change k against k runs can see, and how many runs a wished one takes.

use super::distribution::{normal_sf, normal_upper, student_t_sf, student_t_upper};
use super::errors::Share;
use super::estimate::Estimate;
use super::family::Standing;
use super::shortfall::Shortfall;
use crate::statistics::covariance::Effect;

/// The chance of seeing the smallest change quoted, unless the caller says otherwise.
pub const POWER: f64 = 0.8;
/// What is asked of the adjusted test in its place. It is quoted where it is the surer of two, and is then, as often as not,
/// surer than it should be by chance: on a noisy machine .8 is seen in .71 of cases.
const POWER_OF_THE_SURER: f64 = 0.86;
/// Runs a side beyond which `runs_needed` gives up: nobody makes so many.
pub const MOST_RUNS: u32 = 1000;

/// Smallest detectable log difference of `baseline` against `current` runs whose log values scatter by `sigma`.
///
/// (t(1 − alpha; df) + t(power; df)) · sigma · √(1/n₁ + 1/n₂), df = n₁ + n₂ − 2: the difference whose one-sided test
/// at `alpha` succeeds with chance `power`, within a percent or two of the noncentral t. One run on one side is
/// allowed: with n₁ = n and n₂ = 1 it is a prediction from n earlier runs. `exp(x) − 1` is the relative change.
///
/// `sigma`: standard deviation between runs of ln(value); for a coefficient of variation below 30 % that very number.
pub fn minimum_detectable_effect(
    sigma: f64,
    baseline: u32,
    current: u32,
    alpha: f64,
    power: f64,
) -> Result<f64, Shortfall> {
    let in_unit = |p: f64| p > 0.0 && p < 1.0;
    if !(sigma >= 0.0 && sigma.is_finite() && in_unit(alpha) && in_unit(power)) {
        return Err(Shortfall::OutOfDomain);
    }
    let smaller = baseline.min(current);
    if smaller == 0 || baseline.max(current) < 2 {
        return Err(Shortfall::TooFewRuns {
            runs: smaller as usize,
            needed: 2,
        });
    }
    let (n1, n2) = (f64::from(baseline), f64::from(current));
    let df = n1 + n2 - 2.0;
    let reach = student_t_upper(alpha, df) + student_t_upper(1.0 - power, df);
    Ok(reach.max(0.0) * sigma * (1.0 / n1 + 1.0 / n2).sqrt())
}

/// The fewest runs a side (from 2, at most 1,000) that see a log difference of `effect`; `None` if none do.
pub fn runs_needed(effect: f64, sigma: f64, alpha: f64, power: f64) -> Option<u32> {
    let enough = |k: u32| {
        minimum_detectable_effect(sigma, k, k, alpha, power).is_ok_and(|seen| seen <= effect)
    };
    if !enough(MOST_RUNS) {
        return None;
    }
    // The normal's answer is close, and a little low: walk from there, as every step costs two quantiles.
    let reach = normal_upper(alpha) + normal_upper(1.0 - power);
    let near = 2.0 * (reach.max(0.0) * sigma / effect).powi(2);
    let mut runs = (near.ceil() as u32).clamp(2, MOST_RUNS);
    while runs > 2 && enough(runs - 1) {
        runs -= 1;
    }
    while !enough(runs) {
        runs += 1;
    }
    Some(runs)
}

/// The log worsening that these runs would show with a chance of [`POWER`], at the levels that the whole comparison leaves
/// the figure; `None` if none would do.
///
/// The verdict asks two things, that the difference is not by chance and that it is at least the margin, of the figure
/// alone or of the figure adjusted by the run's other endpoints; the better of both chances counts.
pub fn detectable(
    estimate: &Estimate,
    effect: Option<&Effect>,
    standing: &Standing,
    margin: f64,
) -> Option<f64> {
    let (se, df) = (estimate.standard_error, estimate.degrees_of_freedom);
    let reaches_margin = |d: f64| tail((margin - d) / se, df);
    let plain = upper(standing.plain_level, df).map(|critical| {
        move |d: f64| {
            tail(
                (critical + (estimate.hidden.0 - d) / se).max((margin - d) / se),
                df,
            )
        }
    });
    let adjusted = effect.and_then(|e| {
        let (se, df) = (e.standard_error, e.degrees_of_freedom);
        let critical = upper(standing.adjusted_level, df)?;
        let beyond = move |d: f64| {
            tail(
                (critical + (estimate.hidden.0 - d) / se).max((margin - d) / se),
                df,
            )
        };
        Some(move |d: f64| beyond(d) * reaches_margin(d))
    });
    let chance = |d: f64| {
        let plain = plain.as_ref().map_or(0.0, |of| of(d));
        let adjusted = adjusted.as_ref().map_or(0.0, |of| of(d));
        plain.max(adjusted * POWER / POWER_OF_THE_SURER)
    };
    least(chance)
}

/// The rise of a share that would be seen so, by the normal approximation; half a failure is added, so that a ratio of zero
/// does not seem certain.
pub fn detectable_share(baseline: Share, current: Share, level: f64, margin: f64) -> Option<f64> {
    if baseline.requests == 0 || current.requests == 0 || level <= 0.0 {
        return None;
    }
    let variance = |n: f64| {
        let all = baseline.requests + current.requests;
        let failures = baseline.failures + current.failures;
        let p = (failures as f64 + 0.5) / (all as f64 + 1.0);
        p * (1.0 - p) / n
    };
    let se = (variance(baseline.effective) + variance(current.effective)).sqrt();
    let at_least = normal_upper(level).max(margin / se);
    Some((at_least + normal_upper(1.0 - POWER)) * se)
}

/// P(T > t), of the normal where the degrees of freedom are without end.
fn tail(t: f64, df: f64) -> f64 {
    if df.is_finite() {
        student_t_sf(t, df)
    } else {
        normal_sf(t)
    }
}

/// The t beyond which `level` lies; `None` without a level.
fn upper(level: f64, df: f64) -> Option<f64> {
    (level > 0.0 && level < 1.0).then(|| {
        if df.is_finite() {
            student_t_upper(level, df)
        } else {
            normal_upper(level)
        }
    })
}

/// The least log difference with a chance of [`POWER`], to a ten-thousandth.
fn least(chance: impl Fn(f64) -> f64) -> Option<f64> {
    // Beyond a factor of a million nobody asks.
    let (mut low, mut high) = (0.0, 14.0);
    if chance(high) < POWER {
        return None;
    }
    while high - low > 1e-4 {
        let middle = f64::midpoint(low, high);
        if chance(middle) < POWER {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(sigma: f64, baseline: u32, current: u32) -> f64 {
        let seen = minimum_detectable_effect(sigma, baseline, current, 0.01, POWER);
        seen.expect("runs").exp_m1() * 100.0
    }

    #[test]
    fn three_against_three_by_hand() {
        // df 4: (3.746947 + 0.940965) × 0.05 × √(2/3) = 0.191383.
        let seen = minimum_detectable_effect(0.05, 3, 3, 0.01, POWER).expect("runs");
        assert!((seen - 0.191_383).abs() < 1e-6, "{seen}");
    }

    #[test]
    fn known_table_of_five_percent_noise() {
        // Simulated with a noncentral t: 21, 12.5 and 7.9 %; one new run after 5, 10, 20: 29, 21 and 19 %.
        for (k, expected) in [(3, 21.0), (5, 12.5), (10, 7.9)] {
            assert!((percent(0.05, k, k) - expected).abs() < 0.3);
        }
        for (n, expected) in [(5, 29.0), (10, 21.0), (20, 19.0)] {
            assert!((percent(0.05, n, 1) - expected).abs() < 0.5);
        }
    }

    #[test]
    fn runs_needed_is_the_first_that_suffices() {
        let effect = 1.15_f64.ln();
        let k = runs_needed(effect, 0.08, 0.01, POWER).expect("some");
        let of = |k| minimum_detectable_effect(0.08, k, k, 0.01, POWER).expect("runs");
        assert!(of(k) <= effect && of(k - 1) > effect, "{k}");
    }

    #[test]
    fn no_noise_needs_two_runs() {
        assert_eq!(runs_needed(0.01, 0.0, 0.01, POWER), Some(2));
    }

    #[test]
    fn a_hopeless_wish_has_no_answer() {
        assert_eq!(runs_needed(1e-6, 0.5, 0.01, POWER), None);
        assert_eq!(runs_needed(0.0, 0.5, 0.01, POWER), None);
    }

    #[test]
    fn one_value_a_side_is_too_few_runs() {
        let why = minimum_detectable_effect(0.05, 1, 1, 0.01, POWER);
        assert_eq!(why, Err(Shortfall::TooFewRuns { runs: 1, needed: 2 }));
    }

    #[test]
    fn a_negative_deviation_is_out_of_domain() {
        let why = minimum_detectable_effect(-0.1, 3, 3, 0.01, POWER);
        assert_eq!(why, Err(Shortfall::OutOfDomain));
    }
}
