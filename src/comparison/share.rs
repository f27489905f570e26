//! Shares of requests (failure ratios): judged by their difference, never by a ratio from zero.

use super::errors::Share;
use super::rule::{
    Difference, Judgement, Noise, Reason, Replication, Survives, Test, Weight, Word,
    with_known_noise, with_unknown_noise,
};
use super::shortfall::Shortfall;

/// While the noise between runs is unknown a ratio must have doubled, or have risen by this much, to be suspect.
pub const UNKNOWN_NOISE_SHARE: f64 = 0.01;

/// All the rule looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Current − baseline with its bounds, turned so that more is worse.
    pub difference: Result<Difference, Shortfall>,
    /// The baseline's ratio of what is bad (0 to 1).
    pub baseline: f64,
    /// Least absolute change that matters: 0.001 is 0.1 percentage points.
    pub margin: f64,
    /// Noise between runs; its `wide_margin` is not used.
    pub noise: Noise,
    /// Replication.
    pub replication: Replication,
    /// Whether the difference holds among all figures of the comparison.
    pub survives: Survives,
}

/// One side's counts: one entry for each run, with the requests it is worth.
///
/// Several runs are added up. Where their ratios scatter more than their requests explain, the scatter counts:
/// p (1 − p) over the variance of their mean is then all that they are worth.
pub fn together(mut runs: Vec<Share>) -> Share {
    // The order of files must not show in the last bit of a sum.
    runs.sort_by(|a, b| {
        let counts = (a.requests, a.failures).cmp(&(b.requests, b.failures));
        counts.then(a.effective.total_cmp(&b.effective))
    });
    let failures = runs.iter().map(|r| r.failures).sum::<u64>();
    let requests = runs.iter().map(|r| r.requests).sum::<u64>();
    let mut effective: f64 = runs.iter().map(|r| r.effective).sum();
    let p = failures as f64 / requests.max(1) as f64;
    if runs.len() >= 2 && p > 0.0 && p < 1.0 {
        // The ratio form, as runs differ in requests (Cochran, Sampling, 2.11).
        let k = runs.len() as f64;
        let squares: f64 = runs
            .iter()
            .map(|r| (r.failures as f64 - p * r.requests as f64).powi(2))
            .sum();
        let variance = k / (k - 1.0) * squares / (requests as f64).powi(2);
        if variance > 0.0 {
            effective = effective.min(p * (1.0 - p) / variance);
        }
    }
    Share {
        failures,
        requests,
        effective: effective.clamp(1.0, requests.max(1) as f64),
    }
}

/// Judges a share: the rule of [`super::rule::judge`] with differences in place of logarithms.
pub fn judge(evidence: &Evidence) -> Judgement {
    let weight = |d: Difference| Weight {
        replication: evidence.replication,
        survives_multiplicity: evidence.survives.toward(d),
        // The margin is absolute already.
        reaches_floor: true,
    };
    let margin = evidence.margin;
    let (word, reason) = match evidence.difference {
        Err(why) => (Word::NotEnoughData, Reason::Missing(why)),
        Ok(d) => match evidence.noise {
            Noise::Known => with_known_noise(d, margin, weight(d)),
            Noise::Unknown { .. } => {
                with_unknown_noise(d, margin, wide_margin(evidence.baseline, margin), weight(d))
            }
        },
    };
    Judgement {
        word,
        reason,
        by: Test::Plain,
        margin: evidence.margin,
    }
}

/// What a change must exceed while the noise between runs is unknown: the baseline's own ratio (it doubled) or one
/// percentage point, whichever is less, and the margin at least.
pub fn wide_margin(baseline: f64, margin: f64) -> f64 {
    baseline.min(UNKNOWN_NOISE_SHARE).max(margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(lower: f64, estimate: f64, upper: f64) -> Evidence {
        Evidence {
            difference: Ok(Difference {
                estimate,
                lower,
                upper,
            }),
            baseline: 0.02,
            margin: 0.001,
            noise: Noise::Known,
            replication: Replication::BothSides,
            survives: Survives {
                worse: true,
                better: true,
            },
        }
    }

    fn judged(evidence: &Evidence) -> (Word, Reason) {
        let judgement = judge(evidence);
        (judgement.word, judgement.reason)
    }

    #[test]
    fn the_five_words() {
        let one = |e: Evidence| Evidence {
            replication: Replication::OneRun,
            ..e
        };
        assert_eq!(judged(&evidence(0.002, 0.01, 0.02)).0, Word::Regressed);
        assert_eq!(judged(&one(evidence(0.002, 0.01, 0.02))).0, Word::Suspect);
        assert_eq!(judged(&evidence(-0.02, -0.01, -0.002)).0, Word::Improved);
        assert_eq!(
            judged(&evidence(-0.0005, 0.0, 0.0005)),
            (Word::Unchanged, Reason::WithinMargin)
        );
        assert_eq!(
            judged(&evidence(0.0001, 0.0004, 0.0009)),
            (Word::Unchanged, Reason::ChangedWithinMargin)
        );
        assert_eq!(judged(&evidence(-0.01, 0.01, 0.03)).0, Word::NotEnoughData);
        let lost = Evidence {
            survives: Survives::default(),
            ..evidence(0.002, 0.01, 0.02)
        };
        assert_eq!(
            judged(&lost),
            (Word::NotEnoughData, Reason::LostToMultiplicity)
        );
    }

    #[test]
    fn with_unknown_noise_a_ratio_must_double_or_rise_by_a_point() {
        let with = |baseline, lower| Evidence {
            baseline,
            noise: Noise::Unknown { wide_margin: 0.0 },
            ..evidence(lower, 0.05, 0.09)
        };
        assert_eq!(judged(&with(0.002, 0.0021)).0, Word::Suspect);
        assert_eq!(judged(&with(0.002, 0.0019)).0, Word::NotEnoughData);
        assert_eq!(judged(&with(0.3, 0.011)).0, Word::Suspect);
        assert_eq!(judged(&with(0.0, 0.0011)).0, Word::Suspect);
        assert_eq!(judged(&with(0.0, 0.0009)).0, Word::NotEnoughData);
    }

    #[test]
    fn runs_that_scatter_are_worth_less() {
        // 0 and 20 of 100 each: p = 0.1, residuals −10 and 10, variance 2 · 200 / 200² = 0.01, worth 0.09 / 0.01 = 9.
        let share = together(vec![Share::of(0, 100), Share::of(20, 100)]);
        assert_eq!((share.failures, share.requests), (20, 200));
        assert!((share.effective - 9.0).abs() < 1e-9);
        // Equal ratios are worth every request.
        assert_eq!(
            together(vec![Share::of(10, 100), Share::of(10, 100)]).effective,
            200.0
        );
        assert_eq!(together(vec![Share::of(3, 100)]), Share::of(3, 100));
    }
}
