//! What follows from a trend, and its exit code.
//!
//! | exit | meaning |
//! |---|---|
//! | 0 | the newest run is within what the runs before it predict, or suspect: outside for the first time |
//! | 1 | a regression lasts: seen in two runs, and nobody acknowledged it |
//! | 2 | no verdict: usage, an unreadable history, I/O |
//! | 3 | no series could be judged, or one that was asked for by name could not |

use std::fmt::Write as _;

use super::collect::Selection;
use super::judge::difference;
use super::{Change, Group, Kind, Series, Word, name};
use crate::history::newest::MIN_RUNS;

/// The outcome for the group of the newest run.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Outcome {
    /// `pass`, `fail` or `undecided`.
    pub verdict: &'static str,
    /// The process's exit code.
    pub exit_code: u8,
    /// Changes for the worse at which the newest run stands and that nobody acknowledged.
    pub regressed: u64,
    /// Series of which nothing can be said.
    pub undecided: u64,
    /// Series outside their prediction, but not beyond what so many series show by chance.
    pub suspect: u64,
    /// Series judged.
    pub series: u64,
    /// All of it in a sentence.
    pub sentence: String,
}

impl Outcome {
    /// Sums up the group of the newest run, if there is a run at all.
    pub fn of(group: Option<&Group>, selection: &Selection) -> Self {
        let Some(group) = group else {
            return Self::nothing("the history holds no such run");
        };
        let judged: Vec<&Series> = group.series.iter().filter(|s| !s.advisory).collect();
        let count = |word: Word| judged.iter().filter(|s| s.newest.word == word).count() as u64;
        let failing: Vec<&Change> = group
            .changes
            .iter()
            .filter(|c| c.fails() && c.follows.is_none())
            .collect();
        let regressed = failing.len() as u64;
        let (undecided, suspect) = (count(Word::Undecided), count(Word::Suspect));
        let series = judged.len() as u64;
        if series == 0 {
            return Self::nothing("there is no series to judge");
        }
        // What was asked for by name must be judged; of the rest, something.
        let asked = selection.on.is_some() || !selection.metrics.is_empty();
        let blocks = if asked {
            undecided > 0
        } else {
            undecided == series
        };
        let (verdict, exit_code) = match (regressed, blocks) {
            (1.., _) => ("fail", 1),
            (0, true) if !selection.undecided_warns => ("undecided", 3),
            _ => ("pass", 0),
        };
        let missing = (MIN_RUNS + 1).saturating_sub(group.runs.len());
        let mut sentence = match verdict {
            "fail" => regressions(&failing, group),
            _ if undecided == series && missing > 0 => {
                let word = if verdict == "pass" {
                    "PASSED"
                } else {
                    "UNDECIDED"
                };
                let (runs, are) = if missing == 1 {
                    ("run", "is")
                } else {
                    ("runs", "are")
                };
                format!(
                    "{word}: {missing} more {runs} of the same conditions {are} needed before a run can be judged"
                )
            }
            "undecided" => format!("UNDECIDED: {undecided} of {series} series could not be judged"),
            _ => format!(
                "PASSED: {} of {series} series as their history predicts",
                series - undecided - suspect
            ),
        };
        if undecided > 0 && undecided < series && verdict != "undecided" {
            let _ = write!(sentence, ", {undecided} could not be judged");
        }
        if suspect > 0 {
            let _ = write!(sentence, ", {suspect} suspect: rerun to confirm");
        }
        Self {
            verdict,
            exit_code,
            regressed,
            undecided,
            suspect,
            series,
            sentence,
        }
    }

    fn nothing(why: &str) -> Self {
        Self {
            verdict: "undecided",
            exit_code: 3,
            regressed: 0,
            undecided: 0,
            suspect: 0,
            series: 0,
            sentence: format!("UNDECIDED: {why}"),
        }
    }
}

/// Names the first three endpoints that have regressed: since when, and by how much.
fn regressions(failing: &[&Change], group: &Group) -> String {
    const NAMED: usize = 3;
    let mut text = "FAILED: ".to_owned();
    for (i, change) in failing.iter().take(NAMED).enumerate() {
        let endpoint = name(change.endpoint.as_ref());
        let _ = match i {
            0 => write!(text, "{endpoint} has regressed"),
            _ => write!(text, ", {endpoint}"),
        };
        let commit = group
            .runs
            .get(change.run)
            .and_then(|run| run.commit.as_ref());
        let commit = commit.map_or_else(String::new, |commit| {
            format!(" ({})", commit.get(..10).unwrap_or(commit))
        });
        let _ = match change.kind {
            Kind::Drift => write!(text, " by a drift"),
            Kind::Step | Kind::NewestRun => write!(text, " since run {}{commit}", change.run + 1),
        };
        // The part that is clearest.
        if let Some(part) = change.parts.iter().min_by(|a, b| a.p.total_cmp(&b.p)) {
            let by = difference(part.metric, part.before, part.after);
            let _ = write!(text, ": {} {by}", part.metric.name());
        }
    }
    if failing.len() > NAMED {
        let _ = write!(text, " and {} more", failing.len() - NAMED);
    }
    text
}
