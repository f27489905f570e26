//! The criterion of `loadgate compare`: that nothing has regressed, of all figures that were compared.

use super::{Decision, Level, Verdict};
use crate::comparison::cause::{Cause, causes};
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

/// What was found, in a clause: `branch against main: regressed: GET /search slower (p50 +20 %, mean +18 %)`.
pub fn clause(comparison: &Comparison) -> String {
    let census = comparison.census;
    let mut text = format!(
        "{} against {}: ",
        runs(&comparison.current),
        runs(&comparison.baseline)
    );
    let mut clauses = Vec::new();
    for (what, word) in [("regressed", Word::Regressed), ("suspect", Word::Suspect)] {
        let names: Vec<String> = causes(comparison, word).iter().map(name).collect();
        if !names.is_empty() {
            clauses.push(format!("{what}: {}", listed(&names)));
        }
    }
    if clauses.is_empty() {
        clauses.push("no regression found".to_owned());
        clauses.extend(unseen(comparison));
    }
    let others = [
        (census.improved, "improved"),
        (census.unchanged, "unchanged"),
        (census.not_enough_data, "not enough data"),
    ];
    let counted: Vec<String> = others
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if !counted.is_empty() {
        let all = figures(comparison).len();
        clauses.push(format!("of {all} figures {}", counted.join(", ")));
    }
    text.push_str(&clauses.join("; "));
    text
}

/// How large a change can be missed where a figure could not be judged, among response times.
fn unseen(comparison: &Comparison) -> Option<String> {
    let rows = figures(comparison).into_iter().map(|(_, row)| row);
    let least: Vec<f64> = rows
        .filter(|row| row.judgement.word == Word::NotEnoughData && !is_share(&row.metric))
        .filter_map(|row| row.detectable)
        .collect();
    let low = least.iter().copied().reduce(f64::min)?;
    let high = least.iter().copied().reduce(f64::max)?;
    let (low, high) = (units::share(low), units::share(high));
    Some(if low == high {
        format!("a change of {low} would be seen 4 times in 5")
    } else {
        format!("changes of {low} to {high} would be seen 4 times in 5, depending on the figure")
    })
}

/// Whether any figure at all could be compared with its baseline.
fn is_anything_compared(comparison: &Comparison) -> bool {
    figures(comparison)
        .iter()
        .any(|(_, row)| row.baseline.is_ok() && row.current.is_ok())
}

/// Failed if anything has regressed; a warning if anything looks so, or if nothing could be judged; undecided if no figure is
/// on both sides.
pub fn judge(comparison: &Comparison) -> Verdict {
    let census = comparison.census;
    let told = census.improved + census.unchanged;
    let (decision, level) = match (census.regressed, census.suspect, told) {
        (1.., _, _) => (Decision::Fail, Level::Fail),
        (0, 1.., _) => (Decision::Undecided, Level::Warn),
        (0, 0, 1..) => (Decision::Pass, Level::Fail),
        (0, 0, 0) if is_anything_compared(comparison) => (Decision::Undecided, Level::Warn),
        (0, 0, 0) => (Decision::Undecided, Level::Fail),
    };
    let remedy = match (decision, level) {
        (Decision::Undecided, Level::Warn) if census.suspect > 0 => {
            "; rerun to confirm, or make 3 runs a side"
        }
        (Decision::Undecided, _) => "; make 3 runs a side, or longer ones",
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

/// `GET /search slower (p50 +20 %, mean +18 %)`.
fn name(cause: &Cause<'_>) -> String {
    let endpoint = cause.endpoint.name();
    format!(
        "{} {} ({})",
        visible::text(&endpoint),
        cause.what(),
        cause.figures()
    )
}
