//! What is shown first and what is folded: the same in every report for people. `trend.json` and `trend.csv` keep all.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::trend::{Change, Group, Part, Series, Word};

/// A change with those that follow from it.
pub struct Cause<'a> {
    /// The change.
    pub change: &'a Change,
    /// The metrics that changed, those of changes with the same id included: a step and the newest runs that led to it.
    pub parts: Vec<&'a Part>,
    /// What changed with it, and because of it.
    pub followers: Vec<&'a Change>,
}

/// What changed, worst first: what fails, what else is worse now, what is better now, then what was acknowledged or has
/// passed, newest first. What follows from a change stands with it.
pub fn causes(group: &Group) -> Vec<Cause<'_>> {
    let all = &group.changes;
    let leaders = all.iter().filter(|c| c.follows.is_none());
    let leaders: BTreeSet<&str> = leaders.map(|c| c.id.as_str()).collect();
    let mut followers: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    let mut causes: Vec<Cause<'_>> = Vec::new();
    for change in all {
        match change.follows.as_deref().filter(|id| leaders.contains(id)) {
            Some(leader) => followers.entry(leader).or_default().push(change),
            None => causes.push(Cause {
                change,
                parts: change.parts.iter().collect(),
                followers: Vec::new(),
            }),
        }
    }
    let mut causes = one_of_each(causes);
    for cause in &mut causes {
        cause.followers = followers
            .remove(cause.change.id.as_str())
            .unwrap_or_default();
    }
    // Stable: what is alike stays as it was, the newest first.
    causes.sort_by(|a, b| {
        let rank = (rank(a.change), rank(b.change));
        rank.0.cmp(&rank.1).then_with(|| {
            if rank.0 < SETTLED {
                size(&b.parts).total_cmp(&size(&a.parts))
            } else {
                Reverse(a.change.run).cmp(&Reverse(b.change.run))
            }
        })
    });
    causes
}

/// From this rank on nobody needs to look at a change.
const SETTLED: u8 = 3;

fn rank(change: &Change) -> u8 {
    match change {
        _ if change.fails() => 0,
        _ if change.acknowledged.is_some() || !change.current => SETTLED,
        _ if change.worse => 1,
        _ => 2,
    }
}

/// Changes with one id as one, which stands as the worst of them does; each metric once.
fn one_of_each(mut causes: Vec<Cause<'_>>) -> Vec<Cause<'_>> {
    causes.sort_by_key(|cause| rank(cause.change));
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut kept: Vec<Cause<'_>> = Vec::new();
    for cause in causes {
        let Some(place) = places.get(cause.change.id.as_str()) else {
            places.insert(&cause.change.id, kept.len());
            kept.push(cause);
            continue;
        };
        let parts = &mut kept[*place].parts;
        for part in cause.parts {
            if parts.iter().all(|known| known.metric != part.metric) {
                parts.push(part);
            }
        }
    }
    for cause in &mut kept {
        cause.parts.sort_by_key(|part| part.metric);
    }
    kept
}

/// How large a change is, by the metric that changed most.
fn size(parts: &[&Part]) -> f64 {
    parts.iter().map(|part| size_of(part)).fold(0.0, f64::max)
}

/// A ratio on the scale of logarithms; to a share a hundredth is added first, so that 0 to 1 % weighs as a doubling.
fn size_of(part: &Part) -> f64 {
    let room = if part.metric.is_share() { 0.01 } else { 1e-9 };
    ((part.after + room) / (part.before + room)).ln().abs()
}

/// Series by endpoint: first those in which something happened, worst first, then the others; the total by itself.
#[derive(Default)]
pub struct Sorted<'a> {
    /// Endpoints in which something changed or is suspect.
    pub eventful: Vec<&'a [Series]>,
    /// Endpoints in which nothing happened, or nothing could be judged.
    pub calm: Vec<&'a [Series]>,
    /// The whole run.
    pub total: &'a [Series],
}

/// Sorts the series of a group.
pub fn sorted(group: &Group) -> Sorted<'_> {
    let mut sorted = Sorted::default();
    for series in group.series.chunk_by(|a, b| a.endpoint == b.endpoint) {
        if series.iter().all(|s| s.endpoint.is_none()) {
            sorted.total = series;
        } else if series.iter().any(is_eventful) {
            sorted.eventful.push(series);
        } else {
            sorted.calm.push(series);
        }
    }
    let mut places = BTreeMap::new();
    for (at, cause) in causes(group).iter().enumerate() {
        places.entry(cause.change.endpoint.as_ref()).or_insert(at);
    }
    sorted.eventful.sort_by_key(|series| {
        let at = places.get(&series[0].endpoint.as_ref());
        (
            at.copied().unwrap_or(usize::MAX),
            worst(series).map(severity),
        )
    });
    sorted
}

/// Whether something happened in a series: a step, a drift, or a newest run that is not as predicted.
pub fn is_eventful(series: &Series) -> bool {
    let outside = matches!(
        series.newest.word,
        Word::Regressed | Word::Suspect | Word::Improved
    );
    outside || !series.steps.is_empty() || series.drift.is_some()
}

/// The series of an endpoint whose word is the worst.
pub fn worst(series: &[Series]) -> Option<&Series> {
    series.iter().min_by_key(|s| severity(s))
}

/// Those that are judged first, then by the word.
fn severity(series: &Series) -> (u8, bool) {
    let rank = match series.newest.word {
        Word::Regressed => 0,
        Word::Suspect => 1,
        Word::Undecided => 2,
        Word::Improved => 3,
        Word::Within => 4,
    };
    (rank, series.advisory)
}

/// `37 of 40 series within`.
pub fn within(group: &Group) -> String {
    let within = |s: &&Series| s.newest.word == Word::Within;
    format!(
        "{} of {} series within",
        group.series.iter().filter(within).count(),
        group.series.len()
    )
}

#[cfg(test)]
mod tests;
