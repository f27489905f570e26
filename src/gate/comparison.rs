//! The criterion of `loadgate compare`: that nothing has regressed, of all figures that were compared.

use std::fmt::Write as _;

use super::{Decision, Level, Verdict};
use crate::comparison::rule::Word;
use crate::comparison::terms::is_share;
use crate::comparison::{Comparison, EndpointComparison, Row, RunFacts};
use crate::diagnostic::Origin;
use crate::metric::Metric;
use crate::outcome::listed;
use crate::units::{self, Unit};
use crate::visible;

/// The id of its verdict.
pub const ID: &str = "comparison";

/// What was found, in a clause: `branch against main: 8 of 29 figures regressed; regressed: Total mean +22.6 %, … and 3 more`.
pub fn clause(comparison: &Comparison) -> String {
    let census = comparison.census;
    let all = figures(comparison);
    let names = |word| {
        let rows = all.iter().filter(|(_, row)| row.judgement.word == word);
        listed(
            &rows
                .map(|(endpoint, row)| name(endpoint, row))
                .collect::<Vec<_>>(),
        )
    };
    let mut text = format!(
        "{} against {}: {} of {} figures regressed",
        runs(&comparison.current),
        runs(&comparison.baseline),
        census.regressed,
        all.len()
    );
    for (count, what, word) in [
        (census.regressed, "regressed", Word::Regressed),
        (census.suspect, "suspect", Word::Suspect),
    ] {
        if count > 0 {
            let _ = write!(text, "; {what}: {}", names(word));
        }
    }
    let others = [
        (census.improved, "improved"),
        (census.unchanged, "unchanged"),
        (census.not_enough_data, "cannot be told"),
    ];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(text, "; {count} {what}");
    }
    text
}

/// Failed if anything has regressed; undecided, as a warning, if anything looks so; undecided if nothing at all could be told.
pub fn judge(comparison: &Comparison) -> Verdict {
    let census = comparison.census;
    let told = census.improved + census.unchanged;
    let (decision, level) = match (census.regressed, census.suspect, told) {
        (1.., _, _) => (Decision::Fail, Level::Fail),
        (0, 1.., _) => (Decision::Undecided, Level::Warn),
        (0, 0, 1..) => (Decision::Pass, Level::Fail),
        (0, 0, 0) => (Decision::Undecided, Level::Fail),
    };
    let remedy = match (decision, level) {
        (Decision::Undecided, Level::Warn) => "; rerun to confirm, or make 3 runs a side",
        (Decision::Undecided, Level::Fail) => "; make 3 runs a side, or longer ones",
        (Decision::Fail | Decision::Pass, _) => "",
    };
    let regressed = census.regressed as f64;
    Verdict {
        id: ID.to_owned(),
        require: "nothing regressed".to_owned(),
        endpoint: None,
        selector: None,
        decision,
        level,
        observed: Some(regressed),
        limit: Some(0.0),
        unit: Unit::Count,
        margin: Some(0.0 - regressed),
        samples: figures(comparison).len() as u64,
        interval: None,
        because: format!("{}{remedy}", clause(comparison)),
        origin: Origin::file("--baseline"),
        metric: Metric::Requests,
    }
}

fn figures(comparison: &Comparison) -> Vec<(&EndpointComparison, &Row)> {
    let endpoints = comparison.endpoints.iter();
    endpoints
        .flat_map(|e| e.rows.iter().map(move |row| (e, row)))
        .collect()
}

fn runs(side: &[RunFacts]) -> String {
    let labels: Vec<String> = side
        .iter()
        .map(|run| visible::text(&run.label).into_owned())
        .collect();
    listed(&labels)
}

/// `GET /search p95 +31 %`.
fn name(endpoint: &EndpointComparison, row: &Row) -> String {
    let by = if is_share(&row.metric) {
        row.change.map(units::points)
    } else {
        row.relative.map(units::change)
    };
    let parts = [
        Some(visible::text(&endpoint.name()).into_owned()),
        Some(row.metric.to_string()),
        by,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
