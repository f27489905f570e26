//! `trend.html`: one self-contained page. Every value is text before it meets the template, which escapes all it is given.
//!
//! It stays below a megabyte however many endpoints there are: charts are drawn, and changes shown, as far as there is room,
//! the worst first; the table has a row for every endpoint, and `trend.json` and `trend.csv` have everything.

use std::collections::BTreeMap;

use minijinja::{Value, context};

use super::order::{self, Cause};
use super::{chart, words};
use crate::report::chart::Figure;
use crate::report::html::figures::readings_of;
use crate::report::html::names::{brief, visible};
use crate::report::html::{self, policy};
use crate::tally::Endpoint;
use crate::trend::{Group, Run, Series, Trend, Word};
use crate::units::{Unit, minute};

mod table;

const PAGE: &str = include_str!("../../../templates/trend.html");
/// What the page has besides the report's style.
const STYLE: &str = include_str!("../../../templates/trend.css");
/// What charts may take, in bytes.
const ROOM_FOR_CHARTS: usize = 300_000;
/// Changes that have a card.
const CARDS: usize = 60;
/// Changes that are named below the one they follow from.
const FOLLOWERS: usize = 5;
/// Series named, and reasons given, for what could not be judged.
const NAMED: usize = 12;
/// Runs that are listed at once, and at all.
const RUNS: usize = 20;
const MOST_RUNS: usize = 500;

/// Renders the whole page.
pub fn render(trend: &Trend) -> anyhow::Result<String> {
    let mut environment = html::strict();
    environment.add_template("trend.html", PAGE)?;
    let style = format!("{}{STYLE}", html::STYLE);
    let mut drawn = Drawn {
        room: ROOM_FOR_CHARTS,
        figures: Vec::new(),
    };
    let mut groups = Vec::new();
    for (nth, group) in trend.groups.iter().enumerate() {
        groups.push(view(nth, group, &mut drawn)?);
    }
    // The script sorts and filters the table of endpoints; without runs there is none.
    let script = (!groups.is_empty()).then_some(html::SCRIPT);
    let page = environment.get_template("trend.html")?.render(context! {
        policy => policy::policy(&style, script),
        icon => policy::icon(trend.outcome.verdict),
        style => Value::from_safe_string(style),
        script => script.map(|script| Value::from_safe_string(script.to_owned())),
        readings => Value::from_safe_string(readings_of(drawn.figures.iter())?),
        verdict => trend.outcome.verdict,
        symbol => symbol(trend.outcome.verdict),
        outcome => visible(&trend.outcome.sentence),
        groups,
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

/// The charts so far, and the room that is left.
struct Drawn {
    room: usize,
    figures: Vec<Figure>,
}

fn view(nth: usize, group: &Group, drawn: &mut Drawn) -> anyhow::Result<Value> {
    let sorted = order::sorted(group);
    // The total first, as it is always shown; then by what happened.
    let mut charts = Charts::new(nth, group, drawn);
    let total = charts.endpoint(sorted.total)?;
    let eventful = charts.endpoints(&sorted.eventful)?;
    let calm = charts.endpoints(&sorted.calm)?;
    let anchors = charts.anchors;
    let causes = order::causes(group);
    let shown = causes.iter().take(CARDS);
    let reasons = words::undecided(group);
    let undecided = reasons
        .iter()
        .take(NAMED)
        .map(|(why, series)| context! { why, series => visible(&words::few(series, NAMED)) });
    let suspects = words::suspects(group);
    let runs = runs(group, &causes);
    Ok(context! {
        newest => group.newest,
        facts => visible(&words::facts(group)),
        changes => shown.map(|cause| change(group, cause, &anchors)).collect::<Vec<_>>(),
        more_changes => causes.len().saturating_sub(CARDS),
        suspects => suspects.iter().take(NAMED).map(|s| visible(s)).collect::<Vec<_>>(),
        more_suspects => suspects.len().saturating_sub(NAMED),
        undecided => undecided.collect::<Vec<_>>(),
        more_undecided => reasons.len().saturating_sub(NAMED),
        total,
        eventful,
        calm,
        all_calm => sorted.calm.len(),
        within => order::within(group),
        table => group.newest.then(|| table::view(group, &sorted, &anchors)),
        count => group.runs.len(),
        runs => runs[..runs.len().min(RUNS)].to_vec(),
        older => runs[runs.len().min(RUNS)..].to_vec(),
        oldest => group.runs.len().saturating_sub(MOST_RUNS),
    })
}

/// Draws the charts of a group.
struct Charts<'a> {
    nth: usize,
    group: &'a Group,
    drawn: &'a mut Drawn,
    next: usize,
    /// Endpoints that have charts, and where.
    anchors: BTreeMap<Option<Endpoint>, String>,
}

impl<'a> Charts<'a> {
    fn new(nth: usize, group: &'a Group, drawn: &'a mut Drawn) -> Self {
        Self {
            nth,
            group,
            drawn,
            next: 0,
            anchors: BTreeMap::new(),
        }
    }

    /// The endpoints for which there is room.
    fn endpoints(&mut self, endpoints: &[&[Series]]) -> anyhow::Result<Vec<Value>> {
        let mut shown = Vec::new();
        for series in endpoints {
            if let Some(endpoint) = self.endpoint(series)? {
                shown.push(endpoint);
            }
        }
        Ok(shown)
    }

    /// The charts of an endpoint, or of the total.
    fn endpoint(&mut self, series: &[Series]) -> anyhow::Result<Option<Value>> {
        let Some(first) = series.first().filter(|_| self.drawn.room > 0) else {
            return Ok(None);
        };
        let id = format!("series-{}-{}", self.nth, self.next);
        self.next += 1;
        self.anchors.insert(first.endpoint.clone(), id.clone());
        let mut rows = Vec::new();
        for (nth, series) in series.iter().enumerate() {
            rows.push(self.one(series, &format!("{id}-{nth}"))?);
        }
        Ok(Some(context! {
            id,
            name => brief(&first.name()),
            open => series.iter().any(order::is_eventful),
            words => series.iter().map(words::word).collect::<std::collections::BTreeSet<_>>(),
            series => rows,
        }))
    }

    fn one(&mut self, series: &Series, id: &str) -> anyhow::Result<Value> {
        let figure = chart::figure(self.group, series, id)?;
        let svg = figure.as_ref().map(|figure| figure.svg.clone());
        if let Some(figure) = figure {
            let texts = figure.reading.series.iter().flat_map(|(_, texts)| texts);
            let bytes = figure.svg.len() + texts.map(|text| text.len() + 3).sum::<usize>();
            self.drawn.room = self.drawn.room.saturating_sub(bytes);
            self.drawn.figures.push(figure);
        }
        let row = words::row(self.group, series);
        let legend = words::legend(self.group, series).into_iter();
        Ok(context! {
            id,
            metric => series.metric.name(),
            verdict => class(series),
            word => words::word(series),
            because => visible(&series.newest.because),
            before => words::value(series, row.before),
            now => words::value(series, row.now),
            change => row.change,
            svg => svg.map(Value::from_safe_string),
            legend => legend.map(|(sign, text)| context! { sign, text => visible(&text) }).collect::<Vec<_>>(),
        })
    }
}

/// The class of the page's style that a series' word has.
fn class(series: &Series) -> &'static str {
    match series.newest.word {
        Word::Regressed => "fail",
        Word::Undecided | Word::Suspect => "undecided",
        Word::Improved | Word::Within => "pass",
    }
}

fn change(group: &Group, cause: &Cause<'_>, anchors: &BTreeMap<Option<Endpoint>, String>) -> Value {
    let change = cause.change;
    let verdict = words::verdict(change);
    let followers = words::followers(group, cause, FOLLOWERS);
    context! {
        id => change.id,
        verdict,
        symbol => symbol(verdict),
        standing => words::standing(change),
        place => visible(&words::place(group, change)),
        extent => words::extent(cause),
        followers => followers.iter().map(|line| visible(line)).collect::<Vec<_>>(),
        acknowledged => change.acknowledged.as_deref().map(visible),
        open => change.fails(),
        charts => anchors.get(&change.endpoint),
    }
}

/// The newest runs, newest first, each with what changed in it.
fn runs(group: &Group, causes: &[Cause<'_>]) -> Vec<Value> {
    const CHANGES: usize = 2;
    let mut changed: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for Cause { change, .. } in causes {
        let standing = words::standing(change);
        let name = crate::trend::name(change.endpoint.as_ref());
        let of_run = changed.entry(change.run).or_default();
        of_run.push(format!("{standing}: {}", brief(&name)));
    }
    let newest = group.runs.iter().enumerate().rev().take(MOST_RUNS);
    let view = |(i, run): (usize, &Run)| {
        let mut events = changed.remove(&i).unwrap_or_default();
        let more = events.len().saturating_sub(CHANGES);
        events.truncate(CHANGES);
        let address = words::address(run.report.as_deref());
        context! {
            number => i + 1,
            label => brief(&run.label),
            started => run.started_ms.map_or_else(|| words::NONE.to_owned(), minute),
            commit => run.commit.as_deref().map(|commit| brief(words::short_commit(commit))),
            branch => run.branch.as_deref().map(brief),
            requests => Unit::Count.human(run.requests as f64),
            verdict => brief(&run.verdict),
            events,
            more,
            address => address.map(|address| address.url),
            host => address.map(|address| address.host),
            report => run.report.as_deref().map(brief),
        }
    };
    newest.map(view).collect()
}
