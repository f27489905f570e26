//! What a later run is compared with: `sample` of every endpoint of `report.json`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::tidy;
use crate::comparison::sample::kept::Kept;

/// How sure the run is of its figures, and its response times in bins.
#[derive(Serialize)]
pub struct SampleJson {
    relative_error: BTreeMap<String, Option<f64>>,
    effective_requests: BTreeMap<String, Option<f64>>,
    /// On one line, as it is for machines.
    times_us: Box<RawValue>,
}

impl SampleJson {
    /// Of what is kept.
    pub fn of(kept: &Kept) -> anyhow::Result<Self> {
        let spreads = kept.spreads.iter();
        let relative_error = spreads
            .clone()
            .map(|(metric, s)| (metric.to_string(), tidy(s.standard_error)))
            .collect();
        let mut effective_requests: BTreeMap<String, Option<f64>> = spreads
            .filter_map(|(metric, s)| Some((metric.to_string(), tidy(s.effective?))))
            .collect();
        effective_requests.insert("failure_ratio".to_owned(), tidy(kept.effective_of_failures));
        let bins: Vec<(u64, u64)> = kept.times_us.iter().map(|(us, n)| (*us, *n)).collect();
        Ok(Self {
            relative_error,
            effective_requests,
            times_us: RawValue::from_string(serde_json::to_string(&bins)?)?,
        })
    }
}
