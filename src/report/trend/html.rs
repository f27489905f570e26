//! `trend.html`: one self-contained page without a script. Every value is text before it meets the template, which
//! escapes all it is given.

use minijinja::{Value, context};

use super::{chart, words};
use crate::report::html::names::{brief, visible};
use crate::report::html::{self, policy};
use crate::trend::{Change, Group, Series, Trend, Word};
use crate::units::moment;

const PAGE: &str = include_str!("../../../templates/trend.html");
/// What the page has besides the report's style.
const STYLE: &str = include_str!("../../../templates/trend.css");

/// Renders the whole page.
pub fn render(trend: &Trend) -> anyhow::Result<String> {
    let mut environment = html::strict();
    environment.add_template("trend.html", PAGE)?;
    let style = format!("{}{STYLE}", html::STYLE);
    let groups: anyhow::Result<Vec<Value>> = trend.groups.iter().enumerate().map(group).collect();
    let page = environment.get_template("trend.html")?.render(context! {
        policy => policy::policy(&style, None),
        icon => policy::icon(trend.outcome.verdict),
        style => Value::from_safe_string(style),
        verdict => trend.outcome.verdict,
        symbol => symbol(trend.outcome.verdict),
        outcome => visible(&trend.outcome.sentence),
        groups => groups?,
        self_test => trend.self_test.as_ref().map(words::self_test).unwrap_or_default(),
        notes => trend.notes.iter().map(|note| visible(note)).collect::<Vec<_>>(),
    })?;
    Ok(page)
}

fn symbol(verdict: &str) -> &'static str {
    match verdict {
        "pass" => "✓",
        "fail" => "✗",
        _ => "?",
    }
}

fn group((nth, group): (usize, &Group)) -> anyhow::Result<Value> {
    let mut endpoints: Vec<Value> = Vec::new();
    let by_endpoint = group.series.chunk_by(|a, b| a.endpoint == b.endpoint);
    for (place, series) in by_endpoint.enumerate() {
        endpoints.push(endpoint(series, &format!("series-{nth}-{place}"))?);
    }
    let undecided = words::undecided(group)
        .into_iter()
        .map(|(why, series)| context! { why, series => visible(&series.join(", ")) });
    Ok(context! {
        newest => group.newest,
        facts => visible(&words::facts(group)),
        changes => group.changes.iter().map(|c| change(group, c)).collect::<Vec<_>>(),
        undecided => undecided.collect::<Vec<_>>(),
        endpoints,
        runs => runs(group),
    })
}

fn change(group: &Group, change: &Change) -> Value {
    let verdict = words::verdict(change);
    context! {
        id => change.id,
        verdict,
        symbol => symbol(verdict),
        standing => words::standing(change),
        place => visible(&words::place(group, change)),
        extent => words::extent(change),
        acknowledged => change.acknowledged.as_deref().map(visible),
        open => change.fails() && change.follows.is_none(),
    }
}

fn endpoint(series: &[Series], id: &str) -> anyhow::Result<Value> {
    let numbered = series.iter().enumerate();
    let rows: anyhow::Result<Vec<Value>> = numbered
        .map(|(nth, series)| one(series, &format!("{id}-{nth}")))
        .collect();
    let eventful = |s: &Series| {
        !s.steps.is_empty()
            || s.drift.is_some()
            || matches!(s.newest.word, Word::Regressed | Word::Suspect)
    };
    Ok(context! {
        name => series.first().map(|s| brief(&s.name())),
        open => series.iter().any(eventful),
        words => series.iter().map(words::word).collect::<std::collections::BTreeSet<_>>(),
        series => rows?,
    })
}

fn one(series: &Series, id: &str) -> anyhow::Result<Value> {
    let drawn = series.values.iter().flatten().count() > 1;
    let svg = if drawn {
        chart::draw(series, id)?
    } else {
        String::new()
    };
    Ok(context! {
        id,
        metric => series.metric.name(),
        verdict => match series.newest.word {
            Word::Regressed => "fail",
            Word::Undecided | Word::Suspect => "undecided",
            Word::Improved | Word::Within => "pass",
        },
        word => words::word(series),
        because => visible(&series.newest.because),
        level => words::value(series, words::level(series)),
        newest => words::value(series, series.newest.value),
        change => words::newest_change(series),
        svg => Value::from_safe_string(svg),
    })
}

fn runs(group: &Group) -> Vec<Value> {
    let run = |(i, run): (usize, &crate::trend::Run)| {
        context! {
            number => i + 1,
            label => brief(&run.label),
            started => run.started_ms.map_or_else(|| words::NONE.to_owned(), moment),
            commit => run.commit.as_deref().map(brief),
            branch => run.branch.as_deref().map(brief),
            requests => crate::units::Unit::Count.human(run.requests as f64),
            origin => visible(&run.origin.to_string()),
        }
    };
    group.runs.iter().enumerate().map(run).collect()
}
