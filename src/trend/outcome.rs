//! What follows from a trend, and its exit code.
//!
//! | exit | meaning |
//! |---|---|
//! | 0 | the newest run is within what the runs before it predict |
//! | 1 | the newest run has regressed, and nobody acknowledged it |
//! | 2 | no verdict: usage, an unreadable history, I/O |
//! | 3 | it has not regressed as far as can be told, but something cannot be told |

use std::fmt::Write as _;

use super::{Change, Group, Kind, Series, Word, name};

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
    pub fn of(group: Option<&Group>, undecided_warns: bool) -> Self {
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
        let (verdict, exit_code) = match (regressed, undecided) {
            (1.., _) => ("fail", 1),
            (0, 1..) if !undecided_warns => ("undecided", 3),
            _ => ("pass", 0),
        };
        let mut sentence = match verdict {
            "fail" => regressions(&failing, group.runs.len()),
            "undecided" => format!("UNDECIDED: {undecided} of {series} series cannot be told"),
            _ => format!(
                "PASSED: {} of {series} series as their history predicts",
                series - undecided - suspect
            ),
        };
        if undecided > 0 && verdict != "undecided" {
            let _ = write!(sentence, ", {undecided} cannot be told");
        }
        if suspect > 0 {
            let _ = write!(sentence, ", {suspect} suspect");
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

/// Names the first three endpoints that have regressed.
fn regressions(failing: &[&Change], runs: usize) -> String {
    const NAMED: usize = 3;
    let one = |change: &&Change| {
        let since = match change.kind {
            Kind::Step => format!("since run {}", change.run + 1),
            Kind::Drift => "by a drift".to_owned(),
            Kind::NewestRun if change.run + 1 < runs => format!("since run {}", change.run + 1),
            Kind::NewestRun => "in the newest run".to_owned(),
        };
        (name(change.endpoint.as_ref()), since)
    };
    let mut text = "FAILED: ".to_owned();
    for (i, (endpoint, since)) in failing.iter().take(NAMED).map(one).enumerate() {
        let _ = match i {
            0 => write!(text, "{endpoint} has regressed {since}"),
            _ => write!(text, ", {endpoint} {since}"),
        };
    }
    if failing.len() > NAMED {
        let _ = write!(text, " and {} more", failing.len() - NAMED);
    }
    text
}
