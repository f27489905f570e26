//! What is kept of a measured field.

use serde::{Deserialize, Serialize};

use crate::metric::Aggregate;
use crate::summary::FieldSummary;
use crate::units::percentile_name;

/// The aggregates of a measured field, in the log's unit; absent is what is not known, or what older versions did not
/// keep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Requests (or samples) that have it.
    pub count: u64,
    /// Requests that lack it.
    #[serde(default)]
    pub missing: u64,
    /// Smallest value.
    #[serde(default)]
    pub min: Option<f64>,
    /// Arithmetic mean.
    #[serde(default)]
    pub mean: Option<f64>,
    /// Population standard deviation.
    #[serde(default)]
    pub stddev: Option<f64>,
    /// Median.
    #[serde(default)]
    pub p50: Option<f64>,
    /// 90th percentile.
    #[serde(default)]
    pub p90: Option<f64>,
    /// 95th percentile.
    #[serde(default)]
    pub p95: Option<f64>,
    /// 99th percentile.
    #[serde(default)]
    pub p99: Option<f64>,
    /// Largest value.
    #[serde(default)]
    pub max: Option<f64>,
    /// Sum.
    #[serde(default)]
    pub sum: Option<f64>,
    /// The value measured first.
    #[serde(default)]
    pub first: Option<f64>,
    /// The value measured last.
    #[serde(default)]
    pub last: Option<f64>,
    /// Largest minus first.
    #[serde(default)]
    pub increase: Option<f64>,
    /// Least-squares slope per hour.
    #[serde(default)]
    pub slope_per_hour: Option<f64>,
}

impl Field {
    /// What is kept of a field; a sum too large for a float is not.
    pub fn of(summary: &FieldSummary) -> Self {
        let known = |v: f64| Some(v).filter(|v| v.is_finite());
        Self {
            count: summary.count,
            missing: summary.missing,
            min: known(summary.min),
            mean: known(summary.mean),
            stddev: known(summary.stddev),
            p50: known(summary.p50),
            p90: known(summary.p90),
            p95: known(summary.p95),
            p99: known(summary.p99),
            max: known(summary.max),
            sum: known(summary.sum),
            first: summary.first.and_then(known),
            last: summary.last.and_then(known),
            increase: summary.increase.and_then(known),
            slope_per_hour: summary.slope_per_hour.and_then(known),
        }
    }

    /// Whether a quantile (0 to 1) is one of those that are kept.
    pub fn keeps(q: f64) -> bool {
        ["p50", "p90", "p95", "p99"].contains(&percentile_name(q).as_str())
    }

    /// An aggregate, if it was kept.
    pub fn figure(&self, aggregate: Aggregate) -> Option<f64> {
        match aggregate {
            Aggregate::Min => self.min,
            Aggregate::Mean => self.mean,
            Aggregate::Max => self.max,
            Aggregate::Sum => self.sum,
            Aggregate::Stddev => self.stddev,
            Aggregate::Quantile(q) => match percentile_name(q).as_str() {
                "p0" => self.min,
                "p50" => self.p50,
                "p90" => self.p90,
                "p95" => self.p95,
                "p99" => self.p99,
                "p100" => self.max,
                _ => None,
            },
            Aggregate::First => self.first,
            Aggregate::Last => self.last,
            Aggregate::Increase => self.increase,
            Aggregate::Slope => self.slope_per_hour,
        }
    }
}
