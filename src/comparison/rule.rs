//! The five verdicts on one metric of one endpoint, and the rule that picks one.
//!
//! Let d be ln(current / baseline) turned so that more is worse, \[lo, hi\] its interval, and the margin m the larger
//! of ln(1 + margin) and ln(1 + floor / baseline). A change counts if lo > 0, d ≥ m and the absolute change reaches
//! the floor; there is no change if lo > −m and hi < m; anything else is not enough data.

use super::shortfall::Shortfall;

/// Widening of the margin for a median or a mean while the noise between runs is unknown (ratio).
pub const UNKNOWN_NOISE_MARGIN: f64 = 0.10;
/// The same for p95 and beyond: tails wander more from run to run.
pub const UNKNOWN_NOISE_TAIL_MARGIN: f64 = 0.30;

/// The word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Worse beyond the margin, and runs on both sides bear it out.
    Regressed,
    /// Looks worse beyond the margin, but a single run cannot tell a regression from a bad run.
    Suspect,
    /// Better beyond the margin, and runs on both sides bear it out.
    Improved,
    /// No change larger than the margin.
    Unchanged,
    /// Cannot tell; never to be shown as "no regression".
    NotEnoughData,
}

/// Why that word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// The whole interval is on one side of 0 and the change is at least the margin.
    BeyondMargin,
    /// As before, but one side is a single run: rerun to confirm.
    OneRun,
    /// Beyond even the wider margin asked for while the noise between runs is unknown.
    BeyondWideMargin,
    /// The whole interval lies within the margin.
    WithinMargin,
    /// There is a change, all of it within the margin.
    ChangedWithinMargin,
    /// The interval reaches from within the margin to beyond it.
    IntervalTooWide,
    /// The change would count alone, but not among all judged hypotheses.
    LostToMultiplicity,
    /// A change, but how much runs of the same code differ is unknown, and it is not beyond the wider margin.
    NoiseUnknown,
    /// Better beyond the margin, but only in a single run or with unknown noise.
    UnconfirmedImprovement,
    /// The interval itself could not be had.
    Missing(Shortfall),
}

impl Reason {
    /// `beyond-margin`, `one-run`, `beyond-wide-margin`, `within-margin`, `changed-within-margin`, `interval-too-wide`,
    /// `lost-to-multiplicity`, `noise-unknown`, `unconfirmed-improvement` or `missing`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeyondMargin => "beyond-margin",
            Self::OneRun => "one-run",
            Self::BeyondWideMargin => "beyond-wide-margin",
            Self::WithinMargin => "within-margin",
            Self::ChangedWithinMargin => "changed-within-margin",
            Self::IntervalTooWide => "interval-too-wide",
            Self::LostToMultiplicity => "lost-to-multiplicity",
            Self::NoiseUnknown => "noise-unknown",
            Self::UnconfirmedImprovement => "unconfirmed-improvement",
            Self::Missing(_) => "missing",
        }
    }

    /// The same for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::BeyondMargin => "beyond the margin",
            Self::OneRun => "beyond the margin, but in fewer than 3 runs",
            Self::BeyondWideMargin => "far beyond the margin, but in one run",
            Self::WithinMargin => "within the margin",
            Self::ChangedWithinMargin => "a small change, within the margin",
            Self::IntervalTooWide => "the bounds reach from within the margin to beyond it",
            Self::LostToMultiplicity => "among so many comparisons this much happens by chance",
            Self::NoiseUnknown => "how much runs of the same code differ is not known",
            Self::UnconfirmedImprovement => "looks better, but too few runs bear it out",
            Self::Missing(_) => "a figure, or how sure it is, is missing",
        }
    }
}

/// Which of the two tests found the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// The figure against the baseline's, as it is.
    Plain,
    /// The figure against what the run's other endpoints would lead to expect.
    Others,
}

impl Test {
    /// `plain`, `other-endpoints`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Others => "other-endpoints",
        }
    }
}

/// A word and its reason.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// The word.
    pub word: Word,
    /// Why.
    pub reason: Reason,
    /// The test that the word is about.
    pub by: Test,
    /// The margin applied, as a log: the larger of margin and floor.
    pub margin: f64,
}

/// A difference with its bounds, as logs (of shares as it is, −1 to 1), turned so that more is worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Estimate d.
    pub estimate: f64,
    /// Lower bound lo (error alpha).
    pub lower: f64,
    /// Upper bound hi (error alpha).
    pub upper: f64,
}

impl Difference {
    /// A metric of which less is worse (requests per second): signs and bounds change places.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self {
            estimate: -self.estimate,
            lower: -self.upper,
            upper: -self.lower,
        }
    }

    /// Widened by what rounding can hide on either side (log).
    #[must_use]
    pub fn widened(self, by: f64) -> Self {
        Self {
            lower: self.lower - by,
            upper: self.upper + by,
            ..self
        }
    }
}

/// What is known of how runs of the same code differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Noise {
    /// The interval contains the noise between runs.
    Known,
    /// It does not; a change must exceed at least this ratio ([`UNKNOWN_NOISE_MARGIN`] or the tail's).
    Unknown {
        /// Ratio, 0.10 is 10 %.
        wide_margin: f64,
    },
}

/// How many runs stand behind either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication {
    /// At least 3 runs a side, or a history of at least 5 with a confirmed current run.
    BothSides,
    /// One side is a single run.
    OneRun,
}

/// All the rule looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The difference and its bounds, or why they could not be had.
    pub difference: Result<Difference, Shortfall>,
    /// The baseline's value, in the metric's unit.
    pub baseline: f64,
    /// The current value.
    pub current: f64,
    /// Least relative change that matters: 0.05 is 5 %.
    pub margin: f64,
    /// Least absolute change that matters, in the metric's unit; 0 for none.
    pub floor: f64,
    /// Noise between runs.
    pub noise: Noise,
    /// Replication.
    pub replication: Replication,
    /// Whether the difference holds among all figures of the comparison ([`super::family`]).
    pub survives: Survives,
    /// The difference at equal response times of the run's other endpoints; `None` if it cannot be had.
    pub adjusted: Option<Adjusted>,
}

/// The directions in which a difference is not by chance, all figures of the comparison considered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Survives {
    /// A worsening is not.
    pub worse: bool,
    /// An improvement is not.
    pub better: bool,
}

impl Survives {
    /// For a metric of which less is worse.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self {
            worse: self.better,
            better: self.worse,
        }
    }

    /// In the direction of the difference.
    pub fn toward(self, d: Difference) -> bool {
        if d.estimate >= 0.0 {
            self.worse
        } else {
            self.better
        }
    }
}

/// The difference that is left when runs are compared at equal response times of their other endpoints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adjusted {
    /// The side's coefficient and its bounds, turned so that more is worse.
    pub difference: Difference,
    /// Whether it holds among all figures.
    pub survives: Survives,
}

/// Judges one metric of one endpoint.
pub fn judge(evidence: &Evidence) -> Judgement {
    let margin = margin(evidence);
    let weight = |d: Difference| Weight {
        replication: evidence.replication,
        survives_multiplicity: evidence.survives.toward(d),
        reaches_floor: (evidence.current - evidence.baseline).abs() >= evidence.floor,
    };
    let (mut word, mut reason) = match evidence.difference {
        Err(why) => (Word::NotEnoughData, Reason::Missing(why)),
        Ok(d) if !is_number(evidence, d) => {
            let why = Reason::Missing(Shortfall::OutOfDomain);
            (Word::NotEnoughData, why)
        }
        Ok(d) => match evidence.noise {
            Noise::Known => with_known_noise(d, margin, weight(d)),
            Noise::Unknown { wide_margin } => {
                with_unknown_noise(d, margin, margin.max(wide_margin.ln_1p()), weight(d))
            }
        },
    };
    let mut by = Test::Plain;
    if let (Word::NotEnoughData | Word::Unchanged, Ok(plain)) = (word, evidence.difference)
        && let Some(found) = beyond_others(evidence, plain, margin)
    {
        (word, reason) = found;
        by = Test::Others;
    }
    Judgement {
        word,
        reason,
        by,
        margin,
    }
}

/// The word where the difference to the run's other endpoints shows a change that the figure alone does not.
///
/// Margin and floor are asked of that difference. The figure itself must have changed by the margin, too: where another
/// endpoint became faster, this one is slower than that would lead to expect, and yet nothing happened to it.
fn beyond_others(evidence: &Evidence, plain: Difference, margin: f64) -> Option<(Word, Reason)> {
    let adjusted = evidence.adjusted?;
    let d = adjusted.difference;
    let reaches_floor = evidence.baseline * d.estimate.exp_m1().abs() >= evidence.floor;
    if !reaches_floor || !adjusted.survives.toward(d) {
        return None;
    }
    let worse = d.lower > 0.0 && d.estimate.min(plain.estimate) >= margin;
    let better = d.upper < 0.0 && d.estimate.max(plain.estimate) <= -margin;
    match (worse, better, evidence.replication) {
        (true, _, Replication::BothSides) => Some((Word::Regressed, Reason::BeyondMargin)),
        (true, _, Replication::OneRun) => Some((Word::Suspect, Reason::OneRun)),
        (_, true, Replication::BothSides) => Some((Word::Improved, Reason::BeyondMargin)),
        (_, true, Replication::OneRun) => {
            Some((Word::NotEnoughData, Reason::UnconfirmedImprovement))
        }
        (false, false, _) => None,
    }
}

/// ln(1 + margin), or the floor's share of the baseline where that is more.
fn margin(evidence: &Evidence) -> f64 {
    let of_floor = if evidence.floor > 0.0 && evidence.baseline > 0.0 {
        (evidence.floor / evidence.baseline).ln_1p()
    } else {
        0.0
    };
    evidence.margin.ln_1p().max(of_floor)
}

fn is_number(evidence: &Evidence, d: Difference) -> bool {
    d.lower <= d.estimate
        && d.estimate <= d.upper
        && evidence.baseline > 0.0
        && evidence.current.is_finite()
        && evidence.margin >= 0.0
        && evidence.floor >= 0.0
}

/// What stands behind a difference, whatever its scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight {
    pub replication: Replication,
    pub survives_multiplicity: bool,
    /// Whether the values differ by the floor at least.
    pub reaches_floor: bool,
}

/// The word for a difference whose bounds contain the noise between runs.
pub(super) fn with_known_noise(d: Difference, margin: f64, weight: Weight) -> (Word, Reason) {
    let worse = d.lower > 0.0 && d.estimate >= margin;
    let better = d.upper < 0.0 && d.estimate <= -margin;
    if (worse || better) && weight.reaches_floor {
        return match (weight.survives_multiplicity, weight.replication, worse) {
            (false, _, _) => (Word::NotEnoughData, Reason::LostToMultiplicity),
            (true, Replication::BothSides, true) => (Word::Regressed, Reason::BeyondMargin),
            (true, Replication::BothSides, false) => (Word::Improved, Reason::BeyondMargin),
            (true, Replication::OneRun, true) => (Word::Suspect, Reason::OneRun),
            (true, Replication::OneRun, false) => {
                (Word::NotEnoughData, Reason::UnconfirmedImprovement)
            }
        };
    }
    if d.lower > -margin && d.upper < margin {
        let changed = d.lower > 0.0 || d.upper < 0.0;
        let reason = if changed {
            Reason::ChangedWithinMargin
        } else {
            Reason::WithinMargin
        };
        return (Word::Unchanged, reason);
    }
    (Word::NotEnoughData, Reason::IntervalTooWide)
}

/// An interval without the noise between runs is too narrow: it can raise a suspicion when even its nearer end is
/// far out, but it can neither prove a change nor that there is none.
pub(super) fn with_unknown_noise(
    d: Difference,
    margin: f64,
    wide: f64,
    weight: Weight,
) -> (Word, Reason) {
    if d.lower > wide && weight.reaches_floor {
        return if weight.survives_multiplicity {
            (Word::Suspect, Reason::BeyondWideMargin)
        } else {
            (Word::NotEnoughData, Reason::LostToMultiplicity)
        };
    }
    let reason = if d.upper < -wide && weight.reaches_floor {
        Reason::UnconfirmedImprovement
    } else if d.lower < -margin && d.upper > margin {
        Reason::IntervalTooWide
    } else {
        Reason::NoiseUnknown
    };
    (Word::NotEnoughData, reason)
}

#[cfg(test)]
mod tests;
