//! A change that someone has accepted: the new level is meant, and no longer a regression.

use serde::{Deserialize, Serialize};

/// Written into the history itself, so that it goes where the history goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The change's id, as `loadgate trend` shows it.
    pub change: String,
    /// Why it is accepted.
    pub reason: String,
    /// Machine key of the series.
    pub machine: Option<String>,
    /// Scenario key of the series.
    pub scenario: Option<String>,
    /// Method of the endpoint; empty for the total.
    pub method: String,
    /// Name of the endpoint; `None` is the total.
    pub name: Option<String>,
    /// Id of the first run of the new level.
    pub run: String,
    /// Whether the change was for the worse.
    pub worse: bool,
    /// The metrics that had changed, by name.
    pub metrics: Vec<String>,
    /// Metrics of the total that had changed with it.
    #[serde(default)]
    pub total: Vec<String>,
}
