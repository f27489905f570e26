//! What the reader must know to trust the numbers: evidence, sources, what was not measured, and every method.

use minijinja::{Value, context};

use super::names;
use crate::input::NOT_READ;
use crate::metric;
use crate::summary::{Source, Summary};
use crate::tally::Evidence;
use crate::units::Unit;

/// What `notes.html` shows.
pub fn view(summary: &Summary) -> Value {
    let read = || {
        summary
            .sources
            .iter()
            .filter(|source| source.format != NOT_READ)
    };
    let not_read = || {
        summary
            .sources
            .iter()
            .filter(|source| source.format == NOT_READ)
    };
    let method = |(name, _, meaning): &(&str, Unit, &str)| {
        context! { name, meaning, id => metric::anchor(name) }
    };
    context! {
        evidence => (summary.total.requests > 0).then(|| evidence(summary.total.evidence)),
        notes => summary.notes.iter().map(|note| names::sentence(note)).collect::<Vec<_>>(),
        missing => missing(summary),
        sources => read().map(source).collect::<Vec<_>>(),
        not_read => not_read().map(|source| names::text(&source.path)).collect::<Vec<_>>(),
        methods => metric::ALL.iter().map(method).collect::<Vec<_>>(),
    }
}

fn source(source: &Source) -> Value {
    context! {
        path => names::text(&source.path),
        format => source.format,
        records => Unit::Count.human(source.records as f64),
        rejected => Unit::Count.human(source.rejected as f64),
    }
}

/// How exact the run's response times are.
fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Requests => {
            "Response times were counted request by request, exact to a microsecond. Percentiles over time come from logarithmic buckets, within 0.5 %."
        }
        Evidence::Histogram => {
            "Response times come from Locust’s histogram, rounded to two significant digits; counts, mean, shortest and longest are exact."
        }
        Evidence::Reported => {
            "Percentiles are as Locust printed them, rounded to two significant digits; nothing was interpolated from them. A limit inside that rounding is undecided."
        }
    }
}

/// What this run’s files do not tell, so that its absence is not taken for zero.
fn missing(summary: &Summary) -> Vec<&'static str> {
    let none = summary.total.requests == 0;
    let absent = [
        (none, "There are no requests: nothing could be measured."),
        (
            !none && summary.timeline.rows.is_empty(),
            "The sources have no times: there is no chart over time.",
        ),
        (
            !none
                && !summary.timeline.rows.is_empty()
                && summary.timeline.rows.iter().all(|row| row.p95.is_none()),
            "Response times over time were not measured: the sources hold them for the whole run only.",
        ),
        (
            !none && summary.over_time.statuses.is_empty(),
            "HTTP statuses over time were not measured.",
        ),
        (
            !none && summary.total.failures > 0 && summary.over_time.failures.is_empty(),
            "When the failures happened, by kind, was not measured.",
        ),
        (
            !none && summary.users_max.is_none(),
            "The number of users was not measured.",
        ),
        (
            !none && summary.distribution.bins.is_empty(),
            "Single response times are not in the sources: there is no distribution.",
        ),
        (
            !none && summary.peaks.is_empty(),
            "Starts of single requests are not in the sources: busiest windows were not measured.",
        ),
    ];
    absent
        .into_iter()
        .filter_map(|(holds, text)| holds.then_some(text))
        .collect()
}
