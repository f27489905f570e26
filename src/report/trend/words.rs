//! What all reports of a trend say in the same words.

use crate::trend::{Change, Group, Kind, Part, SelfTest, Series, Word, name};
use crate::units::{Unit, moment, signed_percent};

/// What is shown for what is not known.
pub const NONE: &str = "–";

/// The runs of a group and what they share.
pub fn facts(group: &Group) -> String {
    let mut facts = vec![format!(
        "{} run{}",
        group.runs.len(),
        if group.runs.len() == 1 { "" } else { "s" }
    )];
    let starts = || group.runs.iter().filter_map(|run| run.started_ms);
    if let (Some(first), Some(last)) = (starts().min(), starts().max()) {
        let day = |ms: i64| moment(ms - ms.rem_euclid(60_000)).replace(":00Z", "Z");
        facts.push(if first == last {
            day(first)
        } else {
            format!("{} to {}", day(first), day(last))
        });
    }
    let key = &group.key;
    facts.extend(key.machine.clone());
    facts.extend(key.scenario.as_ref().map(|s| format!("scenario {s}")));
    facts.extend(key.labels.iter().map(|(k, v)| format!("{k} {v}")));
    facts.extend(key.users.map(|(low, high)| {
        if low == high {
            format!("{low} users")
        } else {
            format!("{low} to {high} users")
        }
    }));
    facts.join(" · ")
}

/// A run by number, name and commit: `run 9 (nightly-9, 4f2a91c)`.
pub fn run(group: &Group, index: usize) -> String {
    let Some(run) = group.runs.get(index) else {
        return format!("run {}", index + 1);
    };
    let commit = run.commit.as_deref().map(short_commit);
    let about: Vec<&str> = [Some(run.label.as_str()), commit]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .collect();
    if about.is_empty() {
        format!("run {}", index + 1)
    } else {
        format!("run {} ({})", index + 1, about.join(", "))
    }
}

/// The first ten characters of a commit: enough to find it.
fn short_commit(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

/// How a change counts: `regressed`, `improved`, `suspect` and so on.
pub fn standing(change: &Change) -> &'static str {
    if change.acknowledged.is_some() {
        "acknowledged"
    } else if change.follows.is_some() {
        "follows"
    } else if !change.significant {
        "suspect"
    } else if !change.worse {
        "improved"
    } else if change.current {
        "regressed"
    } else {
        "worse, since passed"
    }
}

/// The verdict whose symbol and colour a change has.
pub fn verdict(change: &Change) -> &'static str {
    if change.fails() && change.follows.is_none() {
        "fail"
    } else if change.worse && change.acknowledged.is_none() && change.current {
        "undecided"
    } else {
        "pass"
    }
}

/// Where and when: `GET /search since run 9 (nightly-9, 4f2a91c)`.
pub fn place(group: &Group, change: &Change) -> String {
    let endpoint = name(change.endpoint.as_ref());
    let run = run(group, change.run);
    match change.kind {
        Kind::Step => format!("{endpoint} since {run}"),
        Kind::Drift => format!("{endpoint} drifting up to {run}"),
        Kind::NewestRun if change.run + 1 == group.runs.len() => {
            format!("{endpoint} in {run} alone")
        }
        Kind::NewestRun => format!("{endpoint} in every run since {run}"),
    }
}

/// By how much: `mean +31.6 % (96.1 ms → 126.5 ms), p95 +30.9 % (…)`.
pub fn extent(change: &Change) -> String {
    let parts: Vec<String> = change.parts.iter().map(part).collect();
    let mut text = parts.join(", ");
    if let Some(leader) = &change.follows {
        text.push_str("; follows ");
        text.push_str(leader);
    }
    if change.advisory {
        text.push_str("; less than a hundredth of the requests");
    }
    text
}

fn part(part: &Part) -> String {
    let unit = part.metric.unit();
    format!(
        "{} {} ({} → {})",
        part.metric.name(),
        by(part),
        unit.human(part.before),
        unit.human(part.after)
    )
}

/// The change of one metric.
pub fn by(part: &Part) -> String {
    crate::trend::judge::difference(part.metric, part.before, part.after)
}

/// A value of a series, or a dash.
pub fn value(series: &Series, value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |v| series.metric.unit().human(v))
}

/// The newest run against the level it is judged by.
pub fn newest_change(series: &Series) -> String {
    match (series.newest.value, series.newest.prediction) {
        (Some(value), Some(prediction)) if series.metric.is_share() => {
            crate::trend::judge::difference(series.metric, prediction.expected, value)
        }
        (Some(value), Some(prediction)) => signed_percent(value / prediction.expected - 1.0),
        _ => NONE.to_owned(),
    }
}

/// The level the newest run is judged by: the prediction's, else the last one found.
pub fn level(series: &Series) -> Option<f64> {
    let predicted = series.newest.prediction.map(|p| p.expected);
    predicted.or_else(|| series.levels.last().map(|level| level.value))
}

/// The word on a series, or that it is shown only.
pub fn word(series: &Series) -> String {
    if series.advisory {
        format!("({})", series.newest.word.name())
    } else {
        series.newest.word.name().to_owned()
    }
}

/// What the self-test found, in sentences.
pub fn self_test(test: &SelfTest) -> Vec<String> {
    if let Some(why) = &test.because {
        return vec![format!("nothing could be tested: {why}")];
    }
    let percent = |share: Option<f64>| {
        share.map_or_else(|| NONE.to_owned(), |share| Unit::Ratio.human(share))
    };
    let between = |interval: Option<(f64, f64)>| {
        interval.map_or_else(String::new, |(low, high)| {
            format!(
                " (95 % interval {} to {})",
                Unit::Ratio.human(low),
                Unit::Ratio.human(high)
            )
        })
    };
    vec![
        format!(
            "of {} values in stable levels, each judged by the others of its level, {} would have been called worse: \
             {}{}",
            test.judged,
            test.alarms,
            percent(test.rate),
            between(test.interval)
        ),
        format!(
            "of {} whole runs, all series together, {} would have failed: {}{}",
            test.reports,
            test.false_reports,
            percent(test.report_rate),
            between(test.report_interval)
        ),
        format!(
            "of {} random halves of stable levels, {} would have been called worse than the other half: {}",
            test.splits,
            test.false_splits,
            percent(test.split_rate)
        ),
    ]
}

/// What cannot be told: the reason, and the series it holds for, in order.
pub fn undecided(group: &Group) -> Vec<(String, Vec<String>)> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for series in &group.series {
        if series.newest.word != Word::Undecided || series.advisory {
            continue;
        }
        let what = format!("{} {}", series.name(), series.metric.name());
        match reasons
            .iter_mut()
            .find(|(why, _)| *why == series.newest.because)
        {
            Some((_, series)) => series.push(what),
            None => reasons.push((series.newest.because.clone(), vec![what])),
        }
    }
    reasons
}
