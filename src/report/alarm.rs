//! The verdicts that somebody has to look at, worst first: what annotations and messages show.

use crate::analysis::Analysis;
use crate::gate::{Decision, Level, Verdict};
use crate::outcome::NOT_JUDGED;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Failed, and the run with it.
    Failed,
    /// Undecided, so that the run is not passed.
    Undecided,
    /// Failed or undecided, and the run passes all the same.
    Warning,
}

/// A verdict that somebody has to look at.
#[derive(Clone, Copy, Debug)]
pub struct Alarm<'a> {
    /// How bad it is.
    pub severity: Severity,
    /// The verdict.
    pub verdict: &'a Verdict,
}

impl Alarm<'_> {
    /// `PERF-01 failed: POST /a`.
    pub fn title(&self) -> String {
        let word = match self.verdict.decision {
            Decision::Pass => "passed",
            Decision::Fail => "failed",
            Decision::Undecided => "undecided",
        };
        format!(
            "{} {word}: {}",
            self.verdict.id,
            self.verdict.endpoint_name()
        )
    }

    /// The rule as written, and why it is not kept.
    pub fn text(&self) -> String {
        format!("{}: {}", self.verdict.require, self.verdict.because)
    }
}

/// Every verdict that did not pass, worst first, else in the order of the verdicts.
pub fn alarms(analysis: &Analysis) -> Vec<Alarm<'_>> {
    // With `on-undecided = "warn"` there are undecided verdicts, and none of them is counted as such.
    let undecided_warns = analysis.outcome.undecided == 0;
    let severity = |verdict: &Verdict| match (verdict.decision, verdict.level) {
        (Decision::Pass, _) => None,
        (Decision::Fail, Level::Fail) => Some(Severity::Failed),
        (Decision::Undecided, Level::Fail) if !undecided_warns => Some(Severity::Undecided),
        (Decision::Fail | Decision::Undecided, _) => Some(Severity::Warning),
    };
    let mut all: Vec<Alarm<'_>> = analysis
        .verdicts
        .iter()
        .filter_map(|verdict| {
            Some(Alarm {
                severity: severity(verdict)?,
                verdict,
            })
        })
        .collect();
    all.sort_by_key(|alarm| alarm.severity);
    all
}

/// Title and text of the warning that nothing was judged, if so: an empty list of alarms would look like a pass.
pub fn unjudged(analysis: &Analysis) -> Option<(&'static str, &'static str)> {
    let outcome = &analysis.outcome;
    let is = outcome.verdict == NOT_JUDGED && !outcome.is_comparison;
    let text = "no gates, so nothing was judged: write a `loadgate.toml` (`loadgate init` proposes one), or `--require`";
    is.then_some(("not judged", text))
}

/// Text on one line, without control characters and marks that turn the reading direction, at most so many characters.
pub fn plain(text: &str, longest: usize) -> String {
    let cut = text.chars().count() > longest;
    let kept = if cut {
        longest.saturating_sub(1)
    } else {
        longest
    };
    let mut safe: String = text
        .chars()
        .take(kept)
        .map(|c| {
            if c.is_control() || super::markdown::is_direction_mark(c) {
                ' '
            } else {
                c
            }
        })
        .collect();
    if cut {
        safe.push('…');
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::report::fixture;

    #[test]
    fn there_are_as_many_as_the_outcome_says_and_the_worst_come_first() {
        let mut analysis = fixture::analysis(50);
        for undecided_warns in [false, true] {
            analysis.verdicts[1].level = if undecided_warns {
                Level::Warn
            } else {
                Level::Fail
            };
            analysis.outcome = Outcome::new(&analysis.verdicts, undecided_warns);
            let all = alarms(&analysis);
            let count = |severity| all.iter().filter(|a| a.severity == severity).count() as u64;
            let outcome = &analysis.outcome;
            assert_eq!(count(Severity::Failed), outcome.failed);
            assert_eq!(count(Severity::Undecided), outcome.undecided);
            assert_eq!(count(Severity::Warning), outcome.warned);
            assert!(all.is_sorted_by_key(|alarm| alarm.severity));
            assert!(outcome.failed > 0 && outcome.undecided + outcome.warned > 0);
        }
    }

    #[test]
    fn a_run_without_gates_is_told_to_be_unjudged() {
        let mut analysis = fixture::analysis(50);
        assert_eq!(unjudged(&analysis), None);
        analysis.verdicts.clear();
        analysis.outcome = Outcome::new(&[], false);
        assert!(unjudged(&analysis).is_some() && alarms(&analysis).is_empty());
    }

    #[test]
    fn plain_text_is_short_and_has_one_line() {
        assert_eq!(plain("a\nb\u{1b}[31m\u{202e}", 100), "a b [31m ");
        assert_eq!(plain("abcdef", 4), "abc…");
        assert_eq!(plain("abcd", 4), "abcd");
    }
}
