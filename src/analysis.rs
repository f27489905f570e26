//! All that reports see.

use crate::comparison::Comparison;
use crate::gate::{QuotaReport, Verdict};
use crate::outcome::Outcome;
use crate::summary::Summary;
use crate::trend::Group;

/// A run, measured and judged.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The run.
    pub summary: Summary,
    /// What differs from the baseline, if one was given.
    pub comparison: Option<Comparison>,
    /// The verdicts, in the order of the gate file, then of the endpoints; quotas after gates, then regressions.
    pub verdicts: Vec<Verdict>,
    /// What the quotas were measured to be, in the order of the gate file.
    pub quotas: Vec<QuotaReport>,
    /// What follows.
    pub outcome: Outcome,
    /// The runs before this one in the history that it is recorded in, and this one as the newest.
    pub trend: Option<Group>,
}
