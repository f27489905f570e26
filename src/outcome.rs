//! The outcome of a run and its exit code.
//!
//! | exit | meaning |
//! |---|---|
//! | 0 | every gate passed (or there were none) |
//! | 1 | at least one gate failed; of `compare`: or a figure regressed |
//! | 2 | no verdict: usage, configuration, unreadable input, I/O |
//! | 3 | no gate failed, but at least one is undecided |

use std::fmt::Write as _;

use crate::comparison::{Comparison, closing};
use crate::gate::{Decision, Level, Verdict};
use crate::report::alarm::plain;

/// Exit code for usage, configuration, input and I/O errors.
pub const EXIT_NO_VERDICT: u8 = 2;

/// The verdict on a run without gates.
pub const NOT_JUDGED: &str = "not-judged";
/// Longest sentence on a comparison.
const LONGEST: usize = 400;

/// Counts of verdicts, and what follows from them.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Outcome {
    /// `pass`, `fail`, `undecided`, or `not-judged` without gates.
    pub verdict: &'static str,
    /// The process's exit code.
    pub exit_code: u8,
    /// Passed verdicts.
    pub passed: u64,
    /// Failed verdicts at level `fail`.
    pub failed: u64,
    /// Undecided verdicts at level `fail`.
    pub undecided: u64,
    /// Failed or undecided verdicts at level `warn`, and undecided ones when the gate file says they only warn.
    pub warned: u64,
    /// What differs from the baseline, in one line, if there is one.
    #[serde(skip)]
    pub compared: Option<String>,
    /// Whether the comparison was what was asked for, and gates beside it.
    #[serde(skip)]
    pub is_comparison: bool,
}

impl Outcome {
    /// Sums up verdicts; `undecided_warns` is `on-undecided = "warn"`.
    pub fn new(verdicts: &[Verdict], undecided_warns: bool) -> Self {
        let mut outcome = Self::default();
        for verdict in verdicts {
            let count = match (verdict.decision, verdict.level) {
                (Decision::Pass, _) => &mut outcome.passed,
                (Decision::Fail, Level::Fail) => &mut outcome.failed,
                (Decision::Undecided, Level::Fail) if !undecided_warns => &mut outcome.undecided,
                (Decision::Fail | Decision::Undecided, _) => &mut outcome.warned,
            };
            *count += 1;
        }
        (outcome.verdict, outcome.exit_code) = match outcome {
            Self { failed: 1.., .. } => ("fail", 1),
            Self { undecided: 1.., .. } => ("undecided", 3),
            _ if verdicts.is_empty() => (NOT_JUDGED, 0),
            _ => ("pass", 0),
        };
        outcome
    }

    /// The same of a run that was compared. Where the comparison was `asked` for, a regression fails the run, unless gates
    /// say what is to follow from one (`is_gated`).
    #[must_use]
    pub fn compared(
        mut self,
        comparison: Option<&Comparison>,
        asked: bool,
        is_gated: bool,
    ) -> Self {
        let Some(comparison) = comparison else {
            return self;
        };
        self.compared = Some(plain(&closing(comparison), LONGEST));
        self.is_comparison = asked;
        let census = comparison.census;
        if asked && !is_gated && census.regressed > 0 {
            (self.verdict, self.exit_code) = ("fail", 1);
        } else if asked
            && self.verdict == NOT_JUDGED
            && census.suspect + census.not_enough_data == 0
        {
            // Every figure was told, and none is worse.
            self.verdict = "pass";
        }
        self
    }

    /// The outcome in words: `FAILED: 2 of 9 gates failed, 1 undecided`.
    pub fn sentence(&self) -> String {
        let total = self.passed + self.failed + self.undecided + self.warned;
        if total == 0 {
            return match &self.compared {
                None => "NOT JUDGED: no gates".to_owned(),
                Some(compared) if !self.is_comparison => {
                    format!("NOT JUDGED: no gates; {compared}")
                }
                Some(compared) if self.verdict == "fail" => format!("REGRESSED: {compared}"),
                Some(compared) => format!("COMPARED: {compared}"),
            };
        }
        let mut text = self.of_gates(total);
        if let Some(compared) = self.compared.as_ref().filter(|_| self.is_comparison) {
            let _ = write!(text, "; {compared}");
        }
        text
    }

    fn of_gates(&self, total: u64) -> String {
        let mut text = match self.verdict {
            "fail" if self.failed == 0 => {
                format!("REGRESSED: {} of {total} verdicts passed", self.passed)
            }
            "fail" => format!("FAILED: {} of {total} verdicts failed", self.failed),
            "undecided" => format!(
                "UNDECIDED: {} of {total} verdicts could not be decided",
                self.undecided
            ),
            _ if self.warned > 0 => {
                let plural = if self.warned == 1 { "" } else { "s" };
                return format!(
                    "PASSED with {} warning{plural}: {} of {total} verdicts passed",
                    self.warned, self.passed
                );
            }
            _ => format!("PASSED: {} of {total} verdicts passed", self.passed),
        };
        if self.verdict == "fail" && self.undecided > 0 {
            let _ = write!(text, ", {} undecided", self.undecided);
        }
        if self.warned > 0 {
            let _ = write!(text, ", {} warned", self.warned);
        }
        text
    }
}
