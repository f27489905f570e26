//! The outcome of a run and its exit code.
//!
//! | exit | meaning |
//! |---|---|
//! | 0 | every gate passed (or there were none) |
//! | 1 | at least one gate failed; of `compare`: or a figure regressed |
//! | 2 | no verdict: usage, configuration, unreadable input, I/O |
//! | 3 | no gate failed, but at least one is undecided; of `compare`: or no figure is on both sides |

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::gate::{Decision, Level, Verdict, comparison};
use crate::visible;

/// Exit code for usage, configuration, input and I/O errors.
pub const EXIT_NO_VERDICT: u8 = 2;

/// The verdict on a run without gates.
pub const NOT_JUDGED: &str = "not-judged";
/// Names of one kind that the last line gives one by one.
const MOST_NAMES: usize = 5;
/// Longest name in the last line.
const LONGEST_NAME: usize = 80;

/// Counts of verdicts, and what follows from them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// The same by criteria.
    pub criteria: Criteria,
    /// What `compare` found, in a clause; `None` if two runs were not compared for their own sake.
    pub compared: Option<String>,
}

/// The criteria by their names. All verdicts of one gate are one criterion: it is as bad as its worst verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Criteria {
    /// Every verdict passed.
    pub passed: Vec<String>,
    /// A verdict failed.
    pub failed: Vec<String>,
    /// None failed, but one could not be decided.
    pub undecided: Vec<String>,
    /// A verdict did not pass, and the run passes all the same.
    pub warned: Vec<String>,
}

impl Criteria {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.passed.len() + self.failed.len() + self.undecided.len() + self.warned.len()
    }
}

/// What a verdict means for the run; the better comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Passed,
    Warned,
    Undecided,
    Failed,
}

impl Weight {
    fn of(verdict: &Verdict, undecided_warns: bool) -> Self {
        match (verdict.decision, verdict.level) {
            (Decision::Pass, _) => Self::Passed,
            (Decision::Fail, Level::Fail) => Self::Failed,
            (Decision::Undecided, Level::Fail) if !undecided_warns => Self::Undecided,
            (Decision::Fail | Decision::Undecided, _) => Self::Warned,
        }
    }
}

impl Outcome {
    /// Sums up verdicts; `undecided_warns` is `on-undecided = "warn"`.
    pub fn new(verdicts: &[Verdict], undecided_warns: bool) -> Self {
        let mut outcome = Self::default();
        // In the order of the gate file, which is that of the verdicts.
        let mut order: Vec<(String, Weight)> = Vec::new();
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for verdict in verdicts {
            let weight = Weight::of(verdict, undecided_warns);
            *match weight {
                Weight::Passed => &mut outcome.passed,
                Weight::Warned => &mut outcome.warned,
                Weight::Undecided => &mut outcome.undecided,
                Weight::Failed => &mut outcome.failed,
            } += 1;
            let at = *known.entry(&verdict.id).or_insert(order.len());
            match order.get_mut(at) {
                Some((_, worst)) => *worst = weight.max(*worst),
                None => order.push((name(verdict), weight)),
            }
        }
        for (name, weight) in order {
            match weight {
                Weight::Passed => &mut outcome.criteria.passed,
                Weight::Warned => &mut outcome.criteria.warned,
                Weight::Undecided => &mut outcome.criteria.undecided,
                Weight::Failed => &mut outcome.criteria.failed,
            }
            .push(name);
        }
        (outcome.verdict, outcome.exit_code) = match outcome {
            Self { failed: 1.., .. } => ("fail", 1),
            Self { undecided: 1.., .. } => ("undecided", 3),
            _ if verdicts.is_empty() => (NOT_JUDGED, 0),
            _ => ("pass", 0),
        };
        outcome
    }

    /// The outcome in words, with the names of what did not pass: `FAILED: 4 of 5 criteria passed; failed: PERF-05`.
    pub fn sentence(&self) -> String {
        let criteria = &self.criteria;
        if criteria.count() == 0 {
            return nothing_judged();
        }
        // Two runs that were only compared have passed nothing.
        let only_compared = criteria.count() == 1 && self.compared.is_some();
        let names = [&criteria.passed, &criteria.warned];
        let is_judged = names
            .into_iter()
            .flatten()
            .any(|name| name != comparison::ID);
        let good = if only_compared && !is_judged {
            "COMPARED"
        } else {
            "PASSED"
        };
        let word = match (self.verdict, criteria.warned.len()) {
            ("fail", _) => "FAILED".to_owned(),
            ("undecided", _) => "UNDECIDED".to_owned(),
            (_, 0) => good.to_owned(),
            (_, 1) => format!("{good} with 1 warning"),
            (_, n) => format!("{good} with {n} warnings"),
        };
        let clauses: Vec<String> = (!only_compared)
            .then(|| self.by_criteria())
            .into_iter()
            .chain(self.compared.clone())
            .collect();
        format!("{word}: {}", clauses.join("; "))
    }

    fn by_criteria(&self) -> String {
        let criteria = &self.criteria;
        let mut text = format!(
            "{} of {} criteria passed",
            criteria.passed.len(),
            criteria.count()
        );
        for (what, names) in [
            ("failed", &criteria.failed),
            ("undecided", &criteria.undecided),
            ("warned", &criteria.warned),
        ] {
            if !names.is_empty() {
                let _ = write!(text, "; {what}: {}", listed(names));
            }
        }
        text
    }
}

/// Said of a run that nothing was asked of.
fn nothing_judged() -> String {
    "NOT JUDGED: no gates".to_owned()
}

/// What a criterion is called: its gate's id.
fn name(verdict: &Verdict) -> String {
    if verdict.id == comparison::ID {
        return verdict.id.clone();
    }
    let name = visible::text(&verdict.id);
    match name.char_indices().nth(LONGEST_NAME) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.into_owned(),
    }
}

/// `a, b, c, d, e and 7 more`.
pub fn listed(names: &[String]) -> String {
    // One more takes no more room than to say so.
    let most = if names.len() == MOST_NAMES + 1 {
        names.len()
    } else {
        MOST_NAMES
    };
    let shown = &names[..names.len().min(most)];
    let text = shown.join(", ");
    match names.len() - shown.len() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn of(verdicts: &[(&str, Decision, Level)], undecided_warns: bool) -> Outcome {
        let verdicts: Vec<Verdict> = verdicts
            .iter()
            .map(|(id, decision, level)| fixture::verdict(id, *decision, *level))
            .collect();
        Outcome::new(&verdicts, undecided_warns)
    }

    #[test]
    fn a_criterion_is_as_bad_as_its_worst_verdict() {
        use Decision::{Fail, Pass, Undecided};
        let outcome = of(
            &[
                ("a", Pass, Level::Fail),
                ("b", Undecided, Level::Fail),
                ("a", Fail, Level::Fail),
                ("b", Pass, Level::Fail),
                ("c", Fail, Level::Warn),
                ("d", Pass, Level::Fail),
                ("d", Pass, Level::Fail),
            ],
            false,
        );
        assert_eq!(
            outcome.sentence(),
            "FAILED: 1 of 4 criteria passed; failed: a; undecided: b; warned: c"
        );
        assert_eq!(outcome.exit_code, 1);
        let counts = (
            outcome.passed,
            outcome.failed,
            outcome.undecided,
            outcome.warned,
        );
        assert_eq!(counts, (4, 1, 1, 1));
    }

    #[test]
    fn the_last_line_names_what_did_not_pass() {
        use Decision::{Fail, Pass, Undecided};
        assert_eq!(
            of(&[("a", Pass, Level::Fail), ("b", Pass, Level::Fail)], false).sentence(),
            "PASSED: 2 of 2 criteria passed"
        );
        let undecided = [("a", Undecided, Level::Fail), ("b", Pass, Level::Fail)];
        let told = of(&undecided, false);
        assert_eq!(
            (told.sentence().as_str(), told.exit_code),
            ("UNDECIDED: 1 of 2 criteria passed; undecided: a", 3)
        );
        let told = of(&undecided, true);
        assert_eq!(
            (told.sentence().as_str(), told.exit_code),
            (
                "PASSED with 1 warning: 1 of 2 criteria passed; warned: a",
                0
            )
        );
        let ids: Vec<String> = (1..=12).map(|i| format!("g{i}")).collect();
        let many: Vec<_> = ids
            .iter()
            .map(|id| (id.as_str(), Fail, Level::Fail))
            .collect();
        assert_eq!(
            of(&many, false).sentence(),
            "FAILED: 0 of 12 criteria passed; failed: g1, g2, g3, g4, g5 and 7 more"
        );
    }
}
