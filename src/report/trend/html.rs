//! `trend.html`: one self-contained page without a script. Every value is text before it meets the template, which
//! escapes all it is given.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use super::{chart, words};
use crate::trend::{Change, Group, Series, Trend, Word};
use crate::units::moment;

const PAGE: &str = include_str!("../../../templates/trend.html");
const STYLE: &str = include_str!("../../../templates/trend.css");

/// Renders the whole page.
pub fn render(trend: &Trend) -> anyhow::Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("trend.html", PAGE)?;
    let groups: anyhow::Result<Vec<Value>> = trend.groups.iter().map(group).collect();
    let page = environment.get_template("trend.html")?.render(context! {
        style => Value::from_safe_string(STYLE.to_owned()),
        verdict => trend.outcome.verdict,
        symbol => symbol(trend.outcome.verdict),
        outcome => trend.outcome.sentence,
        groups => groups?,
        self_test => trend.self_test.as_ref().map(words::self_test).unwrap_or_default(),
        notes => trend.notes,
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

fn group(group: &Group) -> anyhow::Result<Value> {
    let mut endpoints: Vec<Value> = Vec::new();
    let by_endpoint = group.series.chunk_by(|a, b| a.endpoint == b.endpoint);
    for series in by_endpoint {
        endpoints.push(endpoint(series)?);
    }
    let undecided = words::undecided(group)
        .into_iter()
        .map(|(why, series)| context! { why, series => series.join(", ") });
    Ok(context! {
        newest => group.newest,
        facts => words::facts(group),
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
        place => words::place(group, change),
        extent => words::extent(change),
        acknowledged => change.acknowledged,
        open => change.fails() && change.follows.is_none(),
    }
}

fn endpoint(series: &[Series]) -> anyhow::Result<Value> {
    let rows: anyhow::Result<Vec<Value>> = series.iter().map(one).collect();
    let eventful = |s: &Series| {
        !s.steps.is_empty()
            || s.drift.is_some()
            || matches!(s.newest.word, Word::Regressed | Word::Suspect)
    };
    Ok(context! {
        name => series.first().map(Series::name),
        open => series.iter().any(eventful),
        words => series.iter().map(words::word).collect::<std::collections::BTreeSet<_>>(),
        series => rows?,
    })
}

fn one(series: &Series) -> anyhow::Result<Value> {
    let drawn = series.values.iter().flatten().count() > 1;
    let svg = if drawn {
        chart::draw(series)?
    } else {
        String::new()
    };
    Ok(context! {
        metric => series.metric.name(),
        verdict => match series.newest.word {
            Word::Regressed => "fail",
            Word::Undecided | Word::Suspect => "undecided",
            Word::Improved | Word::Within => "pass",
        },
        word => words::word(series),
        because => series.newest.because,
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
            label => run.label,
            started => run.started_ms.map_or_else(|| words::NONE.to_owned(), moment),
            commit => run.commit,
            branch => run.branch,
            requests => crate::units::Unit::Count.human(run.requests as f64),
            origin => run.origin.to_string(),
        }
    };
    group.runs.iter().enumerate().map(run).collect()
}
