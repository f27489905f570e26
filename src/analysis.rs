//! All that reports see.

use crate::gate::Verdict;
use crate::outcome::Outcome;
use crate::summary::Summary;

/// A run, measured and judged.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The run.
    pub summary: Summary,
    /// The verdicts, in the order of the gate file, then of the endpoints.
    pub verdicts: Vec<Verdict>,
    /// What follows.
    pub outcome: Outcome,
}
