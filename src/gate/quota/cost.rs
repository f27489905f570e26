//! What the requests of a quota cost, over time.

use super::{Bucket, Cost, Quota, Replay, bucket};
use crate::gate::judge::selection;
use crate::metric::{Aggregate, Metric};
use crate::summary::{EndpointSummary, Summary};
use crate::tally::windows::{self, Peak};
use crate::tally::{Counts, Evidence};

/// The endpoints of a quota and what they cost.
pub struct Spending<'s> {
    /// Whose requests count.
    pub endpoints: Vec<&'s EndpointSummary>,
    /// Their requests.
    pub requests: u64,
    /// Epoch ms → cost; `None` where starts are known only to the second.
    pub exact: Option<Counts>,
    /// Epoch ms → requests, where each has the same cost of more than one.
    callers: Option<Counts>,
    /// Factor of a fixed cost; 1 for a field.
    factor: u64,
    /// Why the cost may be higher than what was counted.
    pub gaps: Option<String>,
}

/// Finds and adds up what a quota counts; the error says why it cannot be.
pub fn spending<'s>(quota: &Quota, summary: &'s Summary) -> Result<Spending<'s>, String> {
    let selection = quota.on.as_ref().map(|on| selection(on, summary));
    let selected = |e: &&EndpointSummary| match (&selection, &e.endpoint) {
        (Some(selection), Some(endpoint)) => selection.matches(endpoint),
        (selection, _) => selection.is_none(),
    };
    let endpoints: Vec<_> = summary.endpoints.iter().filter(selected).collect();
    if endpoints.is_empty() {
        return Err(match &quota.on {
            Some(selector) => super::super::judge::no_match(selector, summary),
            None => "there are no requests".to_owned(),
        });
    }
    let rests_on = match &quota.cost {
        Cost::Fixed(_) => vec![Metric::Peak(1.0)],
        Cost::Field(name) => vec![
            Metric::Peak(1.0),
            Metric::Field(Aggregate::Sum, name.clone()),
        ],
    };
    let doubts = endpoints.iter().map(|e| &e.tally.doubts);
    let mut doubts = doubts.flat_map(|doubts| rests_on.iter().filter_map(|m| doubts.on(m)));
    if let Some(because) = doubts.next() {
        return Err(because.to_owned());
    }
    let requests = endpoints.iter().map(|e| e.requests).sum();
    let mut spending = Spending {
        endpoints,
        requests,
        exact: None,
        callers: None,
        factor: 1,
        gaps: None,
    };
    match &quota.cost {
        Cost::Fixed(factor) => {
            spending.factor = *factor;
            spending.fixed()?;
        }
        Cost::Field(name) => spending.field(name)?,
    }
    Ok(spending)
}

impl Spending<'_> {
    fn fixed(&mut self) -> Result<(), String> {
        let tallies = || self.endpoints.iter().map(|e| &e.tally);
        if tallies().any(|t| t.evidence != Evidence::Requests) {
            return Ok(());
        }
        let without: u64 = tallies().map(|t| t.without_start).sum();
        if without == self.requests {
            return Err(format!("none of {without} requests has a timestamp"));
        }
        if without > 0 {
            self.gaps = Some(format!(
                "{without} of {} requests have no timestamp",
                self.requests
            ));
        }
        let mut costs = Counts::default();
        for tally in tallies() {
            costs.merge(&tally.starts);
        }
        if self.factor > 1 {
            let callers = costs;
            costs = callers
                .iter()
                .map(|(at, n)| (at, n * self.factor))
                .collect();
            self.callers = Some(callers);
        }
        self.exact = Some(costs);
        Ok(())
    }

    fn field(&mut self, name: &str) -> Result<(), String> {
        let (mut costs, mut known) = (Counts::default(), 0);
        for endpoint in &self.endpoints {
            let Some(field) = crate::metric::field(&endpoint.tally, name) else {
                continue;
            };
            known += endpoint.requests - field.missing_of(endpoint.requests);
            costs.merge(&*field.whole().map_err(|n| {
                format!(
                    "{n} values of `{name}` at {} are no whole number from 0 on, or have no timestamp",
                    endpoint.name()
                )
            })?);
        }
        if known == 0 {
            return Err(format!(
                "none of {} requests has the field `{name}`",
                self.requests
            ));
        }
        let missing = self.requests - known.min(self.requests);
        if missing > 0 {
            self.gaps = Some(format!(
                "{missing} of {} requests lack `{name}`",
                self.requests
            ));
        }
        self.exact = Some(costs);
        Ok(())
    }

    /// The busiest window, as exactly as the source allows. A cost of nothing at all is a peak of 0.
    pub fn peak(&self, window_ms: i64, summary: &Summary) -> Result<Peak, String> {
        if let Some(costs) = &self.exact {
            return Ok(windows::peak(costs, window_ms).unwrap_or(Peak {
                count: 0,
                at_most: Some(0),
                window_ms,
                start_ms: summary.started_ms.unwrap_or_default(),
            }));
        }
        // The total's own seconds, when all count: Locust's history has them even without those of endpoints.
        if self.endpoints.len() == summary.endpoints.len() {
            return windows::of(&summary.total.tally, window_ms).map(|peak| self.scaled(peak));
        }
        let mut joined = crate::tally::EndpointTally::default();
        for endpoint in &self.endpoints {
            joined.merge(&endpoint.tally);
        }
        windows::of(&joined, window_ms).map(|peak| self.scaled(peak))
    }

    fn scaled(&self, peak: Peak) -> Peak {
        Peak {
            count: peak.count * self.factor,
            at_most: peak.at_most.map(|most| most * self.factor),
            ..peak
        }
    }

    /// What a token bucket would have done: with whole requests of a fixed cost, else with units of cost.
    pub fn replay(&self, bucket: &Bucket) -> Option<Replay> {
        let callers = self.callers.as_ref().or(self.exact.as_ref())?;
        Some(bucket::replay(bucket, callers, self.factor))
    }

    /// What each endpoint spent from `start_ms` to before `end_ms`, the most first.
    pub fn contributors(
        &self,
        quota: &Quota,
        start_ms: i64,
        end_ms: i64,
    ) -> Vec<(crate::tally::Endpoint, u64)> {
        let spent = |endpoint: &EndpointSummary| -> u64 {
            let tally = &endpoint.tally;
            match &quota.cost {
                Cost::Fixed(n) => n * windows::within(tally, start_ms, end_ms),
                Cost::Field(name) => crate::metric::field(tally, name)
                    .map_or(0, |field| field.whole_within(start_ms, end_ms)),
            }
        };
        let each = self.endpoints.iter().filter_map(|endpoint| {
            let spent = spent(endpoint);
            (spent > 0).then(|| Some((endpoint.endpoint.clone()?, spent)))?
        });
        let mut each: Vec<_> = each.collect();
        each.sort_by_key(|(_, spent)| std::cmp::Reverse(*spent)); // stable: equals stay in endpoint order
        each
    }
}
