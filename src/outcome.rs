//! The outcome of a run and its exit code.
//!
//! | exit | meaning |
//! |---|---|
//! | 0 | every gate passed (or there were none) |
//! | 1 | at least one gate failed |
//! | 2 | no verdict: usage, configuration, unreadable input, I/O |
//! | 3 | no gate failed, but at least one is undecided |

use std::fmt::Write as _;

use crate::gate::{Decision, Level, Verdict};

/// Exit code for usage, configuration, input and I/O errors.
pub const EXIT_NO_VERDICT: u8 = 2;

/// Counts of verdicts, and what follows from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Outcome {
    /// `pass`, `fail` or `undecided`.
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
            _ => ("pass", 0),
        };
        outcome
    }

    /// The outcome in words: `FAILED: 2 of 9 gates failed, 1 undecided`.
    pub fn sentence(&self) -> String {
        let total = self.passed + self.failed + self.undecided + self.warned;
        if total == 0 {
            return "PASSED: no gates to judge".to_owned();
        }
        let mut text = match self.verdict {
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
