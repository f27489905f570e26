//! What should be the same on both sides, or a difference says nothing about the code.

use std::collections::{BTreeMap, BTreeSet};

use super::errors::{Share, risk_difference};
use super::sample::Sample;
use crate::tally::{Endpoint, Evidence};
use crate::units::Unit;

/// Total variation distance of the request mixes from which they differ.
const MIX: f64 = 0.05;
/// Relative difference of the most users.
const LOAD: f64 = 0.05;
/// Relative difference of the durations.
const DURATION: f64 = 0.20;
/// Difference of the failure ratios, if it is none of chance either.
const FAILURES: f64 = 0.01;
/// Labels that name the conditions of a run.
const CONDITIONS: [&str; 2] = ["machine", "scenario"];

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The share of requests each endpoint gets.
    Mix,
    /// The most concurrent users.
    Load,
    /// How long the runs took.
    Duration,
    /// The failure ratio.
    Failures,
    /// The label `machine` or `scenario`.
    Conditions,
    /// How exact the response times are.
    Source,
    /// When the runs of either side were made.
    Order,
}

impl Subject {
    /// `mix`, `load`, `duration`, `failures`, `conditions`, `source`, `order`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mix => "mix",
            Self::Load => "load",
            Self::Duration => "duration",
            Self::Failures => "failures",
            Self::Conditions => "conditions",
            Self::Source => "source",
            Self::Order => "order",
        }
    }
}

/// A reason to doubt the comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Precondition {
    /// What differs.
    pub subject: Subject,
    /// How, and what follows, in one sentence.
    pub message: String,
}

/// Every reason to doubt.
pub fn check(baseline: &[Sample], current: &[Sample]) -> Vec<Precondition> {
    if baseline.is_empty() || current.is_empty() {
        return Vec::new();
    }
    let found = [
        (Subject::Mix, mix(baseline, current)),
        (Subject::Load, load(baseline, current)),
        (Subject::Duration, duration(baseline, current)),
        (Subject::Failures, failures(baseline, current)),
        (Subject::Conditions, conditions(baseline, current)),
        (Subject::Source, source(baseline, current)),
        (Subject::Order, order(baseline, current)),
    ];
    found
        .into_iter()
        .filter_map(|(subject, message)| {
            Some(Precondition {
                subject,
                message: message?,
            })
        })
        .collect()
}

fn shares(samples: &[Sample]) -> BTreeMap<&Endpoint, f64> {
    let mut requests: BTreeMap<&Endpoint, u64> = BTreeMap::new();
    for (key, endpoint) in samples.iter().flat_map(|s| &s.endpoints) {
        *requests.entry(key).or_default() += endpoint.requests;
    }
    let all = requests.values().sum::<u64>().max(1) as f64;
    requests
        .into_iter()
        .map(|(key, n)| (key, n as f64 / all))
        .collect()
}

fn mix(baseline: &[Sample], current: &[Sample]) -> Option<String> {
    let (before, now) = (shares(baseline), shares(current));
    let keys: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let apart: f64 = keys
        .into_iter()
        .map(|key| {
            let share = |side: &BTreeMap<&Endpoint, f64>| side.get(*key).copied().unwrap_or(0.0);
            (share(&before) - share(&now)).abs() / 2.0
        })
        .sum();
    (apart > MIX).then(|| {
        format!(
            "{} of the requests went to other endpoints than in the baseline: the totals compare different work",
            Unit::Ratio.human(apart)
        )
    })
}

/// Several runs a side, all of one side before all of the other: then what the machine did meanwhile looks like a change.
fn order(baseline: &[Sample], current: &[Sample]) -> Option<String> {
    let runs = baseline.len().min(current.len());
    if runs < 2 || baseline.iter().chain(current).any(|s| s.recorded) {
        return None;
    }
    let span = |side: &[Sample]| {
        let starts: Option<Vec<i64>> = side.iter().map(|s| s.started_ms).collect();
        let starts = starts?;
        Some((*starts.iter().min()?, *starts.iter().max()?))
    };
    let (before, now) = (span(baseline)?, span(current)?);
    let (first, then) = if before.1 < now.0 {
        ("the baseline", "the current ones")
    } else if now.1 < before.0 {
        ("the current side", "those of the baseline")
    } else {
        return None;
    };
    Some(format!(
        "all runs of {first} were made before {then}, and what the machine did meanwhile looks like a change: make them in \
         turn, {} (A the baseline, B the current code)",
        in_turn(runs)
    ))
}

/// `A B B A A B …`: each side as often first as last, so that a drift of the machine cancels out.
fn in_turn(runs: usize) -> String {
    let pairs = (0..runs).map(|pair| if pair % 2 == 0 { "A B" } else { "B A" });
    pairs.collect::<Vec<_>>().join(" ")
}

/// The mean of what is known of every run, in any order of the runs.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect::<Option<_>>()?;
    values.sort_by(f64::total_cmp);
    Some(values.iter().sum::<f64>() / values.len() as f64).filter(|m| m.is_finite())
}

fn load(baseline: &[Sample], current: &[Sample]) -> Option<String> {
    let users = |side: &[Sample]| mean(side.iter().map(|s| s.users_max.map(|u| u as f64)));
    let (before, now) = (users(baseline)?, users(current)?);
    ((now - before).abs() > LOAD * before).then(|| {
        let (before, now) = (Unit::Count.human(before), Unit::Count.human(now));
        format!("the load differs: {before} users in the baseline, {now} now")
    })
}

fn duration(baseline: &[Sample], current: &[Sample]) -> Option<String> {
    let seconds = |side: &[Sample]| mean(side.iter().map(|s| s.duration_s));
    let (before, now) = (seconds(baseline)?, seconds(current)?);
    ((now - before).abs() > DURATION * before).then(|| {
        let (before, now) = (Unit::Time.human(before * 1e3), Unit::Time.human(now * 1e3));
        format!(
            "the duration differs: {before} in the baseline, {now} now; ramp-up weighs differently"
        )
    })
}

fn failures(baseline: &[Sample], current: &[Sample]) -> Option<String> {
    let share = |side: &[Sample]| {
        let failures: u64 = side.iter().map(|s| s.total.failures).sum();
        let requests: u64 = side.iter().map(|s| s.total.requests).sum();
        Share::of(failures.min(requests), requests)
    };
    let (before, now) = (share(baseline), share(current));
    let difference = risk_difference(before, now, 0.01).ok()?;
    (difference.p_two_sided < 0.01 && difference.difference.abs() > FAILURES).then(|| {
        let ratio = |s: Share| Unit::Ratio.human(s.failures as f64 / s.requests as f64);
        format!(
            "the failures differ: {} in the baseline, {} now; a failure is often faster or slower than a success, so that \
             response times compare different work",
            ratio(before),
            ratio(now)
        )
    })
}

fn conditions(baseline: &[Sample], current: &[Sample]) -> Option<String> {
    let values = |side: &[Sample], key: &str| -> BTreeSet<String> {
        side.iter()
            .filter_map(|s| s.metadata.get(key).cloned())
            .collect()
    };
    let differing: Vec<String> = CONDITIONS
        .iter()
        .filter_map(|key| {
            let (before, now) = (values(baseline, key), values(current, key));
            let list = |set: BTreeSet<String>| set.into_iter().collect::<Vec<_>>().join(", ");
            (!before.is_empty() && !now.is_empty() && before != now)
                .then(|| format!("{key} was `{}`, now `{}`", list(before), list(now)))
        })
        .collect();
    (!differing.is_empty()).then(|| differing.join("; "))
}

fn source(baseline: &[Sample], current: &[Sample]) -> Option<String> {
    let worst = |side: &[Sample]| side.iter().map(|s| s.total.evidence).max();
    let (before, now) = (worst(baseline)?, worst(current)?);
    let exact = Evidence::Requests;
    let whose = match (before == exact, now == exact) {
        (true, true) => return None,
        (false, false) => "both sides have",
        (false, true) => "the baseline has",
        (true, false) => "the current run has",
    };
    Some(format!(
        "{whose} only response times rounded by Locust to two digits: percentiles are compared in the worst case of the \
         rounding, the mean is exact; a request log has them all"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::EndpointSample;

    fn run(requests: [u64; 2], failures: u64, users: u64, seconds: f64) -> Sample {
        let mut sample = Sample {
            users_max: Some(users),
            duration_s: Some(seconds),
            ..Sample::default()
        };
        for (name, n) in ["/a", "/b"].into_iter().zip(requests) {
            let key = Endpoint {
                name: name.to_owned(),
                method: "GET".to_owned(),
            };
            let endpoint = EndpointSample {
                requests: n,
                ..EndpointSample::default()
            };
            sample.endpoints.insert(key, endpoint);
        }
        sample.total.requests = requests.iter().sum();
        sample.total.failures = failures;
        sample
    }

    fn subjects(baseline: Sample, current: Sample) -> Vec<Subject> {
        check(&[baseline], &[current])
            .iter()
            .map(|p| p.subject)
            .collect()
    }

    #[test]
    fn sides_one_after_the_other_are_doubted() {
        let at = |starts: &[i64]| -> Vec<Sample> {
            let run = |start: &i64| Sample {
                started_ms: Some(*start),
                ..Sample::default()
            };
            starts.iter().map(run).collect()
        };
        let apart = order(&at(&[1, 2, 3]), &at(&[4, 5, 6])).expect("apart");
        assert!(apart.contains("A B B A A B (A the baseline"), "{apart}");
        assert!(order(&at(&[4, 5]), &at(&[1, 2])).is_some_and(|m| m.contains("the current side")));
        assert_eq!(order(&at(&[1, 4, 5]), &at(&[2, 3, 6])), None);
        // One run against several has no order to speak of, and without times nothing is known.
        assert_eq!(order(&at(&[1, 2]), &at(&[3])), None);
        let unknown = vec![Sample::default(), Sample::default()];
        assert_eq!(order(&at(&[1, 2]), &unknown), None);
    }

    #[test]
    fn what_differs_is_named() {
        let same = || run([500, 500], 10, 20, 60.0);
        assert_eq!(subjects(same(), same()), []);
        // 500 to 560 of 1,000: 6 % went elsewhere.
        assert_eq!(
            subjects(same(), run([560, 440], 10, 20, 60.0)),
            [Subject::Mix]
        );
        assert_eq!(subjects(same(), run([540, 460], 10, 20, 60.0)), []);
        assert_eq!(
            subjects(same(), run([500, 500], 10, 22, 60.0)),
            [Subject::Load]
        );
        assert_eq!(
            subjects(same(), run([500, 500], 10, 20, 75.0)),
            [Subject::Duration]
        );
        assert_eq!(
            subjects(same(), run([500, 500], 40, 20, 60.0)),
            [Subject::Failures]
        );
    }

    #[test]
    fn another_machine_is_named() {
        let mut other = run([500, 500], 0, 20, 60.0);
        other.metadata.insert("machine".to_owned(), "b".to_owned());
        let mut this = run([500, 500], 0, 20, 60.0);
        assert_eq!(subjects(this.clone(), other.clone()), []);
        this.metadata.insert("machine".to_owned(), "a".to_owned());
        assert_eq!(subjects(this, other), [Subject::Conditions]);
    }
}
