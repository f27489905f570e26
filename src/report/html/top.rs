//! The head of the page: the verdict in words, and what ran.

use minijinja::{Value, context};

use super::names;
use crate::analysis::Analysis;
use crate::outcome::NOT_JUDGED;
use crate::summary::Summary;
use crate::units::{self, Unit};

/// What `top.html` shows.
pub fn view(analysis: &Analysis) -> Value {
    let summary = &analysis.summary;
    let sentence = analysis.outcome.sentence();
    let (_, rest) = sentence.split_once(": ").unwrap_or(("", &sentence));
    let (word, symbol) = match word(analysis.outcome.verdict) {
        ("Passed", _) if analysis.outcome.warned > 0 => ("Passed with warnings", "!"),
        ("Not judged", symbol) if analysis.outcome.is_comparison => ("Compared", symbol),
        word => word,
    };
    context! {
        // The page's colours are three.
        verdict => match analysis.outcome.verdict {
            NOT_JUDGED => "undecided",
            verdict => verdict,
        },
        word,
        symbol,
        rest,
        label => names::text(&summary.label),
        title => names::brief(&summary.label),
        started => summary.started_ms.map(units::date_and_time),
        facts => facts(summary),
        metadata => summary.metadata.iter().map(|(name, value)| context! { name => names::brief(name), value => names::text(value) }).collect::<Vec<_>>(),
    }
}

/// The verdict as a word and as a sign that needs no colour.
pub fn word(verdict: &str) -> (&'static str, &'static str) {
    match verdict {
        "pass" => ("Passed", "✓"),
        "fail" => ("Failed", "✗"),
        NOT_JUDGED => ("Not judged", "–"),
        _ => ("Undecided", "?"),
    }
}

fn facts(summary: &Summary) -> Vec<Value> {
    let fact = |name: &str, value: Option<String>| {
        let value = value.unwrap_or_else(|| "not known".to_owned());
        context! { name, value }
    };
    let total = &summary.total;
    let failed = total.failure_ratio.map(|ratio| {
        format!(
            "{} ({})",
            Unit::Count.human(total.failures as f64),
            Unit::Ratio.human(ratio)
        )
    });
    vec![
        fact("Requests", Some(Unit::Count.human(total.requests as f64))),
        fact("Failures", failed),
        fact(
            "Requests per second",
            total.rps.map(|r| Unit::PerSecond.human(r)),
        ),
        fact(
            "p95",
            total
                .response_time
                .quantiles
                .get(&950_000)
                .map(|ms| Unit::Time.human(*ms)),
        ),
        fact(
            "Users, at most",
            summary.users_max.map(|u| Unit::Count.human(u as f64)),
        ),
        fact(
            "Duration",
            summary.duration_s.map(|s| Unit::Time.human(s * 1e3)),
        ),
    ]
}
