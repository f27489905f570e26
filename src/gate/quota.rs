//! Quotas: what a provider allows per time, judged on sliding windows, bursts and a replayed token bucket.
//!
//! Everything is counted in units of cost: requests, a fixed number for each, or what a measured field says.

use super::{Level, Selector};
use crate::diagnostic::Origin;
use crate::exact::Fraction;
use crate::tally::Endpoint;

pub mod bucket;
mod bursts;
mod cost;
mod judge;

#[cfg(test)]
mod tests;

pub use bucket::{Bucket, Replay};
pub use bursts::Burst;
pub use judge::judge;

/// One `[[quota]]` of the gate file.
#[derive(Clone, Debug)]
pub struct Quota {
    /// Its id, unique among gates and quotas.
    pub id: String,
    /// What the provider allows.
    pub limit: Rate,
    /// What this system allows itself, below the limit.
    pub target: Option<Target>,
    /// What a request costs.
    pub cost: Cost,
    /// More than this is a burst.
    pub burst: Option<Rate>,
    /// A token bucket that would have let requests pass or not.
    pub bucket: Option<Bucket>,
    /// Whose requests count; `None` for all.
    pub on: Option<Selector>,
    /// What a breach means.
    pub level: Level,
    /// Where it was written.
    pub origin: Origin,
}

/// So much in any half-open window of that length.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// As written.
    pub text: String,
    /// How much.
    pub count: u64,
    /// In how many milliseconds.
    pub window_ms: i64,
}

/// The rate to stay under.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// As written.
    pub text: String,
    /// In units of cost per window of the limit, exactly.
    pub value: Fraction,
}

/// What one request costs.
#[derive(Clone, Debug, PartialEq)]
pub enum Cost {
    /// This much.
    Fixed(u64),
    /// What its measured field says.
    Field(String),
}

impl Cost {
    /// What is counted, for people: `requests`, `api_calls`, `requests × 2`.
    pub fn name(&self) -> String {
        match self {
            Self::Fixed(1) => "requests".to_owned(),
            Self::Fixed(n) => format!("requests × {n}"),
            Self::Field(name) => name.clone(),
        }
    }
}

impl Quota {
    /// The rule in one line: `under 30 (50%) of 60 per 60s, bursts of 20 per 10s, bucket 1/s burst 20`.
    pub fn rule(&self) -> String {
        let limit = &self.limit.text;
        let mut rule = match &self.target {
            Some(target) if target.text.ends_with('%') => {
                format!("under {} of {limit}", target.text)
            }
            Some(target) => format!("under {} of {limit}", target.value.to_f64()),
            None => format!("at most {limit}"),
        };
        if let Some(burst) = &self.burst {
            rule.push_str(", burst ");
            rule.push_str(&burst.text);
        }
        if let Some(bucket) = &self.bucket {
            rule.push_str(", bucket ");
            rule.push_str(&bucket.text);
        }
        rule
    }
}

/// What a quota was measured to be. All amounts are in units of cost.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaReport {
    /// The quota's id.
    pub id: String,
    /// What is counted: `requests`, a field's name, `requests × 2`.
    pub cost: String,
    /// Whose requests count, as written; `None` for all.
    pub selector: Option<String>,
    /// The limit per window.
    pub limit: u64,
    /// Length of the window in milliseconds.
    pub window_ms: i64,
    /// What to stay under per window; `None` if only the limit counts.
    pub target: Option<f64>,
    /// What was measured; `None` if nothing could be.
    pub usage: Option<Usage>,
}

/// The measured use of a quota, in units of cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    /// Requests that count.
    pub requests: u64,
    /// Their cost; `None` if starts are known only to the second.
    pub total: Option<u64>,
    /// Cost in the busiest window.
    pub peak: u64,
    /// The most it can be; above `peak` only where starts are known to the second, and `None` where the source ends
    /// before the run.
    pub at_most: Option<u64>,
    /// Begin of the busiest window, epoch ms.
    pub start_ms: i64,
    /// Its end, not part of it.
    pub end_ms: i64,
    /// How far the window reaches beyond the run's last start, in ms: that part of it was not seen. 0 if it does not.
    pub unseen_ms: i64,
    /// Which endpoints the cost came from, the largest share first; empty where starts are known only to the second.
    pub contributors: Vec<(Endpoint, u64)>,
    /// Peak ÷ limit.
    pub utilization: f64,
    /// Peak ÷ target.
    pub target_utilization: Option<f64>,
    /// Limit − peak; below zero beyond it.
    pub headroom: i64,
    /// Every burst in order; `None` without a burst rule, or if starts are known only to the second.
    pub bursts: Option<Vec<Burst>>,
    /// The token bucket; `None` without one, or if starts are known only to the second.
    pub replay: Option<Replay>,
    /// Interval of the run's timeline, begin in epoch seconds → the most in any window that ends in it.
    pub series: Vec<(i64, u64)>,
}
