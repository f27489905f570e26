//! Setting the samples of both sides against each other. Pure: same samples and terms, same comparison.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::family::{self, Levels};
use super::others;
use super::precondition;
use super::sample::{EndpointSample, Sample};
use super::shift::shift_function;
use super::terms::Terms;
use super::{Census, Comparison, Distributions, EndpointComparison, RunFacts};
use crate::summary::Distribution;
use crate::tally::Endpoint;

/// Compares the current runs with those of the baseline. The order of either side's runs changes nothing but the order
/// in which they are listed.
pub fn compare(baseline: &[Sample], current: &[Sample], terms: &Terms) -> Comparison {
    let mut drafts: Vec<Vec<Draft>> = Vec::new();
    let mut endpoints = Vec::new();
    let (before, now) = (endpoints_of(baseline), endpoints_of(current));
    let total = (
        baseline.iter().map(|s| &s.total).collect::<Vec<_>>(),
        current.iter().map(|s| &s.total).collect::<Vec<_>>(),
    );
    let both = before
        .iter()
        .filter_map(|(key, b)| Some((Some((*key).clone()), (b.clone(), now.get(key)?.clone()))));
    for (endpoint, (b, c)) in std::iter::once((None, total)).chain(both) {
        let metrics = terms.metrics_of(endpoint.is_none());
        drafts.push(
            metrics
                .map(|m| Draft::of(m, &b, &c, (baseline.len(), current.len()), terms))
                .collect(),
        );
        endpoints.push(frame(endpoint, &b, &c));
    }
    let sides: Vec<bool> = baseline
        .iter()
        .map(|_| false)
        .chain(current.iter().map(|_| true))
        .collect();
    let can_adjust = others::can_adjust(&drafts, &sides);
    let levels = Levels::of(&drafts, &sides, can_adjust, terms.alpha);
    others::adjust(&mut drafts, &sides, levels.adjusted);
    let standings = family::judge(&drafts, &sides, levels);
    let recorded = baseline.iter().all(|s| s.recorded);
    let mut census = Census::default();
    for ((endpoint, drafts), standings) in endpoints.iter_mut().zip(drafts).zip(standings) {
        for (draft, standing) in drafts.into_iter().zip(standings) {
            let row = draft.finish(standing, recorded, terms.alpha);
            census.count(row.judgement.word);
            endpoint.rows.push(row);
        }
    }
    let distributions = endpoints.first().and_then(distributions);
    Comparison {
        baseline: baseline.iter().map(facts).collect(),
        current: current.iter().map(facts).collect(),
        alpha: terms.alpha,
        endpoints,
        new: only_in(&now, &before),
        vanished: only_in(&before, &now),
        preconditions: precondition::check(baseline, current),
        census,
        distributions,
    }
}

fn distributions(total: &EndpointComparison) -> Option<Distributions> {
    let (before, now) = (&total.baseline_times, &total.current_times);
    if before.is_empty() || now.is_empty() {
        return None;
    }
    let (baseline, current) = Distribution::of_both(before, now);
    Some(Distributions { baseline, current })
}

type Runs<'a> = BTreeMap<&'a Endpoint, Vec<&'a EndpointSample>>;

fn endpoints_of(samples: &[Sample]) -> Runs<'_> {
    let mut endpoints = Runs::new();
    for sample in samples {
        for (key, endpoint) in &sample.endpoints {
            endpoints.entry(key).or_default().push(endpoint);
        }
    }
    endpoints
}

fn only_in(side: &Runs<'_>, other: &Runs<'_>) -> Vec<Endpoint> {
    let missing = side.keys().filter(|key| !other.contains_key(*key));
    missing.map(|key| (*key).clone()).collect()
}

fn facts(sample: &Sample) -> RunFacts {
    RunFacts {
        label: sample.label.clone(),
        requests: sample.total.requests,
        duration_s: sample.duration_s,
        users_max: sample.users_max,
    }
}

/// An endpoint without rows.
fn frame(
    endpoint: Option<Endpoint>,
    baseline: &[&EndpointSample],
    current: &[&EndpointSample],
) -> EndpointComparison {
    let (baseline_times, current_times) = (pooled_times(baseline), pooled_times(current));
    EndpointComparison {
        endpoint,
        rows: Vec::new(),
        shift: shift_function(
            &baseline_times.iter().copied(),
            &current_times.iter().copied(),
        ),
        baseline_times,
        current_times,
    }
}

/// The response times of all runs of a side; empty if one of them does not hold them.
fn pooled_times(runs: &[&EndpointSample]) -> Vec<(f64, u64)> {
    if runs.iter().any(|r| r.times.is_empty() && r.requests > 0) {
        return Vec::new();
    }
    let mut all: Vec<(f64, u64)> = runs.iter().flat_map(|r| r.times.iter().copied()).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.dedup_by(|next, kept| {
        let same = next.0.total_cmp(&kept.0).is_eq();
        if same {
            kept.1 += next.1;
        }
        same
    });
    all
}

#[cfg(test)]
mod tests;
