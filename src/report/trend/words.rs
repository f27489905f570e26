//! What all reports of a trend say in the same words.

use std::collections::BTreeMap;

use super::order::Cause;
use crate::trend::{Change, Group, Kind, Part, SelfTest, Series, Word, name};
use crate::units::{Unit, date_and_time, moment};
use crate::visible;

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

/// A run by number and date: `run 9 (2026-01-09)`.
pub fn run_on(group: &Group, index: usize) -> String {
    let started = group.runs.get(index).and_then(|run| run.started_ms);
    match started.map(date_and_time) {
        Some(text) => {
            let day = text.split(' ').next().unwrap_or_default();
            format!("run {} ({day})", index + 1)
        }
        None => format!("run {}", index + 1),
    }
}

/// A run by number, start, name and commit: what is read beside its value.
pub fn run_and_date(group: &Group, index: usize) -> String {
    let started = group.runs.get(index).and_then(|run| run.started_ms);
    let started = started.map_or_else(String::new, |ms| format!(", {}", date_and_time(ms)));
    format!("{}{started}", run(group, index))
}

/// What is said of one run of a series: a step, a spike, a run outside its level; of the newest one its word.
pub fn mark(group: &Group, series: &Series, run: usize) -> String {
    let mut marks = Vec::new();
    if series.steps.iter().any(|step| step.run == run) {
        marks.push("step");
    }
    if series
        .drift
        .as_ref()
        .is_some_and(|drift| drift.first == run)
    {
        marks.push("drift");
    }
    if series.spikes.contains(&run) {
        marks.push("spike");
    }
    if run + 1 == group.runs.len() {
        marks.push(series.newest.word.name());
    } else if outside(group, series).contains(&run) {
        marks.push("outside");
    }
    marks.join(" ")
}

/// The newest run and those right before it that are beyond what the level predicts; none if it is within.
fn outside(group: &Group, series: &Series) -> std::ops::Range<usize> {
    let end = group.runs.len();
    match series.newest.word {
        Word::Regressed | Word::Suspect => end.saturating_sub(1 + series.newest.repeats)..end,
        Word::Undecided | Word::Improved | Word::Within => end..end,
    }
}

/// The sign above a run's dot.
pub fn sign(group: &Group, series: &Series, run: usize) -> Option<&'static str> {
    if outside(group, series).contains(&run) {
        Some(if series.newest.word == Word::Regressed {
            "✗"
        } else {
            "?"
        })
    } else {
        series.spikes.contains(&run).then_some("◆")
    }
}

/// What a series' chart marks: sign and words, by kind.
pub fn legend(group: &Group, series: &Series) -> Vec<(&'static str, String)> {
    const NAMED: usize = 6;
    let unit = series.metric.unit();
    let from_to = |before, after| format!("{} → {}", unit.human(before), unit.human(after));
    let listed = |runs: &[usize]| {
        let named = runs.iter().take(NAMED).map(|run| run_on(group, *run));
        let more = match runs.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}{more}", named.collect::<Vec<_>>().join(", "))
    };
    let mut legend: Vec<(&'static str, String)> = Vec::new();
    if let Some(drift) = &series.drift {
        let (from, how) = (
            run_on(group, drift.first),
            from_to(drift.before, drift.after),
        );
        legend.push(("╱", format!("drift from {from} on: {how}")));
    }
    for step in &series.steps {
        let (at, how) = (run_on(group, step.run), from_to(step.before, step.after));
        legend.push(("┆", format!("step at {at}: {how}")));
    }
    let outside = outside(group, series);
    let spikes: Vec<usize> = series
        .spikes
        .iter()
        .copied()
        .filter(|run| !outside.contains(run))
        .collect();
    if !spikes.is_empty() {
        legend.push(("◆", format!("spike: {}", listed(&spikes))));
    }
    let runs: Vec<usize> = outside.collect();
    if let Some(sign) = runs.last().and_then(|run| sign(group, series, *run)) {
        legend.push((
            sign,
            format!("{}: {}", series.newest.word.name(), listed(&runs)),
        ));
    }
    legend
}

/// The first ten characters of a commit: enough to find it.
pub fn short_commit(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

/// An address that may become a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// All of it.
    pub url: &'a str,
    /// Whose it is: shown as the link's text, so that nobody follows it unseen.
    pub host: &'a str,
}

/// The address of a run's report, if the text is one: `http` or `https`, with a host, without a user's name, and of no
/// other characters than addresses have. Everything else stays text.
pub fn address(text: Option<&str>) -> Option<Address<'_>> {
    let url = text?;
    let (scheme, rest) = url.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let named = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    let plain = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
    let sound = web && !host.is_empty() && host.chars().all(named) && url.chars().all(plain);
    let harmless = visible::text(url) == url;
    (sound && harmless).then_some(Address { url, host })
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
pub fn extent(cause: &Cause<'_>) -> String {
    of_parts(cause.change, &cause.parts)
}

fn of_parts(change: &Change, parts: &[&Part]) -> String {
    let parts: Vec<String> = parts.iter().map(|p| part(p)).collect();
    let mut text = parts.join(", ");
    if change.advisory {
        text.push_str("; less than a hundredth of the requests");
    }
    text
}

/// What follows from a change, a line each, at most `most` of them: `Total follows: p50 +15.3 % (…)`.
pub fn followers(group: &Group, cause: &Cause<'_>, most: usize) -> Vec<String> {
    let one = |follower: &&Change| {
        let since = if follower.run == cause.change.run {
            String::new()
        } else {
            format!(" since {}", run(group, follower.run))
        };
        let name = name(follower.endpoint.as_ref());
        let parts: Vec<&Part> = follower.parts.iter().collect();
        format!("{name} follows{since}: {}", of_parts(follower, &parts))
    };
    let mut lines: Vec<String> = cause.followers.iter().take(most).map(one).collect();
    if cause.followers.len() > most {
        lines.push(format!("{} more follow", cause.followers.len() - most));
    }
    lines
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

/// What a row says of a series: the level before, what it is now, and the change that its word is about.
pub struct Row {
    /// The level that the word is measured against.
    pub before: Option<f64>,
    /// The level since the change; where there is none, the newest run.
    pub now: Option<f64>,
    /// The one against the other; a dash where either is not known.
    pub change: String,
}

/// The row of a series.
pub fn row(group: &Group, series: &Series) -> Row {
    if let Some(part) = about(group, series) {
        return Row {
            before: Some(part.before),
            now: Some(part.after),
            change: by(part),
        };
    }
    let predicted = series.newest.prediction.map(|p| p.expected);
    Row {
        before: predicted.or_else(|| series.levels.last().map(|level| level.value)),
        now: series.newest.value,
        change: match (series.newest.value, predicted) {
            (Some(value), Some(expected)) if series.metric.is_share() || expected > 0.0 => {
                crate::trend::judge::difference(series.metric, expected, value)
            }
            _ => NONE.to_owned(),
        },
    }
}

/// The change that the word on a series is about.
fn about<'g>(group: &'g Group, series: &Series) -> Option<&'g Part> {
    let worse = match series.newest.word {
        Word::Regressed => true,
        Word::Improved => false,
        Word::Undecided | Word::Suspect | Word::Within => return None,
    };
    let mut changes = group.changes.iter().filter(|change| {
        change.current
            && change.worse == worse
            && change.acknowledged.is_none()
            && change.endpoint == series.endpoint
    });
    changes.find_map(|change| change.parts.iter().find(|p| p.metric == series.metric))
}

/// A value of a series, or a dash.
pub fn value(series: &Series, value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |v| series.metric.unit().human(v))
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

/// Series whose newest run is suspect, each with why.
pub fn suspects(group: &Group) -> Vec<String> {
    let suspect = group
        .series
        .iter()
        .filter(|s| s.newest.word == Word::Suspect);
    suspect
        .map(|s| format!("{} {}: {}", s.name(), s.metric.name(), s.newest.because))
        .collect()
}

/// The first of many names, and how many more there are.
pub fn few(names: &[String], most: usize) -> String {
    let shown = names
        .iter()
        .take(most)
        .map(String::as_str)
        .collect::<Vec<_>>();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more series", shown.join(", ")),
    }
}

/// What could not be judged: the reason, and the series it holds for, in order.
pub fn undecided(group: &Group) -> Vec<(String, Vec<String>)> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for series in &group.series {
        if series.newest.word != Word::Undecided || series.advisory {
            continue;
        }
        let why = series.newest.because.as_str();
        let place = *places.entry(why).or_insert_with(|| {
            reasons.push((why.to_owned(), Vec::new()));
            reasons.len() - 1
        });
        let what = format!("{} {}", series.name(), series.metric.name());
        reasons[place].1.push(what);
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_become_links() {
        let host = |text| address(Some(text)).map(|address| address.host);
        assert_eq!(
            host("https://ci.example.org/runs/7#top"),
            Some("ci.example.org")
        );
        assert_eq!(host("HTTP://localhost:8080"), Some("localhost:8080"));
        assert_eq!(host("http://[::1]:9/?a=b%20c"), Some("[::1]:9"));
        for text in [
            "javascript:alert(1)",
            "javascript://x/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "//ci.example.org/7",
            "https://",
            "https:///7",
            "https://ci.example.org@evil.example/",
            "https://ci.example.org\\@evil.example/",
            "https://ci.example.org/ 7",
            " https://ci.example.org/7",
            "https://ci.example.org/\u{202e}7",
            "https://ci.example.org/\"onclick=x",
            "https://ci.example.org/>)",
            "https://ci.example.org/a|b",
            "https://ci.example.org/##vso[task.complete]",
            "reports/7.html",
            "",
        ] {
            assert_eq!(host(text), None, "{text}");
        }
        assert_eq!(address(None), None);
    }
}
