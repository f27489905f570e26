//! What changed together, under one id, and what of it was acknowledged.

use std::collections::BTreeMap;

use super::judge::{Beyond, difference, is_worse};
use super::{Change, Group, Kind, Part, SeriesMetric, Word, name};
use crate::history::acknowledgement::Acknowledgement;
use crate::history::conditions;
use crate::history::entry::fnv1a;
use crate::history::store::RecordedAcknowledgement;
use crate::tally::Endpoint;

/// Changes of different metrics of an endpoint belong together up to so many runs apart.
const TOGETHER: usize = 1;
/// A change is the acknowledged one up to so many runs apart: its place settles while runs are added.
const SETTLING: usize = 2;

/// Where acknowledged levels begin.
#[derive(Clone, Debug, Default)]
pub struct Accepted(BTreeMap<usize, usize>);

impl Accepted {
    /// First run of the newest acknowledged level of a series, by its index.
    pub fn begin_of(&self, series: usize) -> Option<usize> {
        self.0.get(&series).copied()
    }
}

fn run_of(group: &Group, acknowledgement: &Acknowledgement) -> Option<usize> {
    let machine = conditions::key(acknowledgement.machine.as_deref());
    let same = machine == group.key.machine && acknowledgement.scenario == group.key.scenario;
    let run = |run: &super::Run| run.id == acknowledgement.run;
    same.then(|| group.runs.iter().position(run)).flatten()
}

fn is_of(acknowledgement: &Acknowledgement, endpoint: Option<&Endpoint>) -> bool {
    match endpoint {
        None => acknowledgement.name.is_none(),
        Some(endpoint) => {
            acknowledgement.name.as_ref() == Some(&endpoint.name)
                && acknowledgement.method == endpoint.method
        }
    }
}

/// The levels that acknowledgements begin in a group.
pub fn accepted(group: &Group, all: &[RecordedAcknowledgement]) -> Accepted {
    let mut begins = BTreeMap::new();
    for RecordedAcknowledgement {
        acknowledgement, ..
    } in all
    {
        let Some(run) = run_of(group, acknowledgement) else {
            continue;
        };
        for (i, series) in group.series.iter().enumerate() {
            let metrics = if is_of(acknowledgement, series.endpoint.as_ref()) {
                &acknowledgement.metrics
            } else if series.endpoint.is_none() {
                &acknowledgement.total
            } else {
                continue;
            };
            if metrics.contains(&series.metric.name()) {
                let begin = begins.entry(i).or_insert(run);
                *begin = run.max(*begin);
            }
        }
    }
    Accepted(begins)
}

/// One finding in one series.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, as of a change"
)]
struct Finding {
    kind: Kind,
    run: usize,
    worse: bool,
    part: Part,
    current: bool,
    significant: bool,
    advisory: bool,
}

/// Gathers the changes of a group, the newest first.
pub fn gather(
    group: &Group,
    accepted: &Accepted,
    beyond: &Beyond,
    all: &[RecordedAcknowledgement],
) -> Vec<Change> {
    let mut findings: BTreeMap<(Option<Endpoint>, Kind, bool), Vec<Finding>> = BTreeMap::new();
    for i in 0..group.series.len() {
        for finding in of_series(group, accepted.begin_of(i), beyond, i) {
            let endpoint = group.series[i].endpoint.clone();
            findings
                .entry((endpoint, finding.kind, finding.worse))
                .or_default()
                .push(finding);
        }
    }
    let mut changes = Vec::new();
    for ((endpoint, kind, worse), mut found) in findings {
        found.sort_by_key(|finding| finding.run);
        while !found.is_empty() {
            let apart = found
                .windows(2)
                .position(|pair| pair[1].run - pair[0].run > TOGETHER);
            let later = apart.map_or_else(Vec::new, |at| found.split_off(at + 1));
            changes.push(together(group, endpoint.as_ref(), kind, worse, &found));
            found = later;
        }
    }
    for change in &mut changes {
        change.acknowledged = reason(group, change, all);
    }
    follow(&mut changes);
    changes.sort_by(|a, b| {
        let key = |c: &Change| (std::cmp::Reverse(c.run), c.endpoint.is_none());
        key(a)
            .cmp(&key(b))
            .then_with(|| (&a.endpoint, a.kind, a.worse).cmp(&(&b.endpoint, b.kind, b.worse)))
    });
    changes
}

/// What is found in a series; its level was last acknowledged from the run `begin` on.
fn of_series(group: &Group, begin: Option<usize>, beyond: &Beyond, i: usize) -> Vec<Finding> {
    let series = &group.series[i];
    let finding = |kind, run, worse, (before, after, p), current, significant| Finding {
        kind,
        run,
        worse,
        part: Part {
            metric: series.metric,
            before,
            after,
            p,
        },
        current,
        significant,
        advisory: series.advisory,
    };
    let mut found = Vec::new();
    for (n, step) in series.steps.iter().enumerate() {
        let superseded = series.drift.is_some() || begin.is_some_and(|run| run > step.run);
        let current = n + 1 == series.steps.len() && !superseded;
        let values = (step.before, step.after, step.p);
        let worse = is_worse(series, step.direction);
        let significant = !current || beyond.current[i];
        found.push(finding(
            Kind::Step,
            step.run,
            worse,
            values,
            current,
            significant,
        ));
    }
    let last = group.runs.len().saturating_sub(1);
    if let Some(drift) = &series.drift {
        let values = (drift.before, drift.after, drift.p);
        let worse = is_worse(series, drift.direction);
        found.push(finding(
            Kind::Drift,
            last,
            worse,
            values,
            true,
            beyond.current[i],
        ));
    }
    if let (Word::Regressed, Some(prediction), Some(value)) = (
        series.newest.word,
        series.newest.prediction,
        series.newest.value,
    ) {
        let values = (prediction.expected, value, prediction.p_worse);
        found.push(finding(
            Kind::NewestRun,
            last - series.newest.repeats.min(last),
            true,
            values,
            true,
            beyond.newest[i],
        ));
    }
    found
}

/// One change of findings at neighbouring runs: at the run most metrics name, of equals the earliest.
fn together(
    group: &Group,
    endpoint: Option<&Endpoint>,
    kind: Kind,
    worse: bool,
    found: &[Finding],
) -> Change {
    let votes = |run: usize| found.iter().filter(|f| f.run == run).count();
    let run = found
        .iter()
        .map(|f| f.run)
        .min_by_key(|run| (std::cmp::Reverse(votes(*run)), *run))
        .unwrap_or_default();
    Change {
        id: id(group, endpoint, kind, worse, run),
        kind,
        run,
        endpoint: endpoint.cloned(),
        worse,
        parts: found.iter().map(|f| f.part.clone()).collect(),
        current: found.iter().any(|f| f.current),
        significant: found.iter().any(|f| f.significant),
        advisory: found.iter().all(|f| f.advisory),
        follows: None,
        acknowledged: None,
    }
}

fn id(group: &Group, endpoint: Option<&Endpoint>, kind: Kind, worse: bool, run: usize) -> String {
    // A step's id is that of the newest run's change it grew from; a drift has its own.
    let kind = if kind == Kind::Drift {
        "drift"
    } else {
        "level"
    };
    let text = format!(
        "{:?}\n{:?}\n{:?}\n{kind}\n{worse}\n{}",
        group.key.machine, group.key.scenario, endpoint, group.runs[run].id
    );
    format!("{:08x}", fnv1a(text.as_bytes()) >> 32)
}

fn reason(group: &Group, change: &Change, all: &[RecordedAcknowledgement]) -> Option<String> {
    let matching = |recorded: &&RecordedAcknowledgement| {
        let acknowledgement = &recorded.acknowledgement;
        let near = run_of(group, acknowledgement).is_some_and(|run| {
            let reach = if change.kind == Kind::Step {
                SETTLING
            } else {
                0
            };
            run.abs_diff(change.run) <= reach
        });
        near && acknowledgement.worse == change.worse
            && is_of(acknowledgement, change.endpoint.as_ref())
            && change
                .parts
                .iter()
                .all(|part| same_kind(acknowledgement, part.metric))
    };
    all.iter()
        .find(matching)
        .map(|recorded| recorded.acknowledgement.reason.clone())
}

/// A change of response times is acknowledged with any of them, one of failures or requests only by itself.
fn same_kind(acknowledgement: &Acknowledgement, metric: SeriesMetric) -> bool {
    acknowledgement.metrics.iter().any(|known| {
        *known == metric.name()
            || SeriesMetric::parse(known).is_some_and(|known| known.unit() == metric.unit())
    })
}

/// The total follows an endpoint that changed with it; it needs no acknowledgement of its own.
fn follow(changes: &mut [Change]) {
    let leaders: Vec<Change> = changes
        .iter()
        .filter(|c| c.endpoint.is_some() && c.significant && !c.advisory)
        .cloned()
        .collect();
    for change in changes.iter_mut().filter(|c| c.endpoint.is_none()) {
        let near = |leader: &&Change| {
            leader.worse == change.worse
                && leader.run.abs_diff(change.run) <= TOGETHER
                && change.parts.iter().all(|part| {
                    part.metric == SeriesMetric::Rps
                        || leader
                            .parts
                            .iter()
                            .any(|p| p.metric.unit() == part.metric.unit())
                })
        };
        let weakest = |change: &Change| change.parts.iter().map(|p| p.p).fold(1.0, f64::min);
        let leader = leaders.iter().filter(near).min_by(|a, b| {
            weakest(a)
                .total_cmp(&weakest(b))
                .then_with(|| a.id.cmp(&b.id))
        });
        if let Some(leader) = leader {
            change.follows = Some(leader.id.clone());
            change.acknowledged.clone_from(&leader.acknowledged);
        }
    }
}

/// Lets what changed and what was acknowledged decide the word on each series.
pub fn settle_words(group: &mut Group) {
    for series in &mut group.series {
        let of_series: Vec<&Change> = group
            .changes
            .iter()
            .filter(|c| c.endpoint == series.endpoint && c.current)
            .filter(|c| c.parts.iter().any(|part| part.metric == series.metric))
            .collect();
        let newest = of_series.iter().find(|c| c.kind == Kind::NewestRun);
        if let (Word::Regressed, Some(change)) = (series.newest.word, newest) {
            if let Some(reason) = &change.acknowledged {
                series.newest.word = Word::Within;
                series.newest.because = format!("acknowledged: {reason}");
            } else if !change.significant {
                series.newest.word = Word::Suspect;
                series
                    .newest
                    .because
                    .push_str(", as so many series are judged");
            }
        }
        if series.newest.value.is_none() {
            continue;
        }
        let began = of_series
            .iter()
            .find(|c| c.kind != Kind::NewestRun && c.significant);
        let Some(change) = began else { continue };
        let Some(part) = change.parts.iter().find(|p| p.metric == series.metric) else {
            continue;
        };
        let since = match change.kind {
            Kind::Drift => "drifting".to_owned(),
            Kind::Step | Kind::NewestRun => format!("since run {}", change.run + 1),
        };
        let how = difference(part.metric, part.before, part.after);
        if change.worse && change.acknowledged.is_none() {
            series.newest.word = Word::Regressed;
            series.newest.because = format!("{how} {since}; change {}", change.id);
        } else if !change.worse && series.newest.word == Word::Within {
            series.newest.word = Word::Improved;
            series.newest.because = format!("{how} {since}");
        }
    }
}

/// The record that acknowledges a change, found by its id or by the begin of it (four digits at least).
pub fn acknowledge(
    groups: &[Group],
    id: &str,
    reason: &str,
) -> Result<Acknowledgement, Vec<String>> {
    let all = || {
        groups
            .iter()
            .flat_map(|g| g.changes.iter().map(move |c| (g, c)))
    };
    let matching: Vec<(&Group, &Change)> = all()
        .filter(|(_, change)| id.len() >= 4 && change.id.starts_with(id))
        .collect();
    let [(group, change)] = matching[..] else {
        return Err(all()
            .filter(|(_, c)| c.acknowledged.is_none() && c.follows.is_none())
            .map(|(_, c)| format!("{} ({})", c.id, name(c.endpoint.as_ref())))
            .collect());
    };
    let metrics = |change: &Change| change.parts.iter().map(|p| p.metric.name()).collect();
    let followers = group
        .changes
        .iter()
        .filter(|c| c.follows.as_ref() == Some(&change.id));
    Ok(Acknowledgement {
        change: change.id.clone(),
        reason: reason.to_owned(),
        machine: group.key.machine.clone(),
        scenario: group.key.scenario.clone(),
        method: change
            .endpoint
            .as_ref()
            .map_or_else(String::new, |e| e.method.clone()),
        name: change.endpoint.as_ref().map(|e| e.name.clone()),
        run: group.runs[change.run].id.clone(),
        worse: change.worse,
        metrics: metrics(change),
        total: followers.flat_map(metrics).collect(),
    })
}
