//! What a comparison comes to, in one line.

use std::fmt::Write as _;

use super::rule::Word;
use super::{Comparison, Row, sentence};

/// Regressions that are named; the others are counted.
const NAMED: usize = 3;

/// `2 of 33 figures regressed against base: p95 of GET /a +32 %, mean of GET /a +20 %; 1 suspect, 30 unchanged`. What is
/// not known is said, too: it is no assurance.
pub fn closing(comparison: &Comparison) -> String {
    let census = comparison.census;
    let counts = [
        (census.suspect, "suspect"),
        (census.improved, "improved"),
        (census.unchanged, "unchanged"),
        (census.not_enough_data, "without enough data"),
    ];
    let all = census.regressed + counts.iter().map(|(n, _)| n).sum::<u64>();
    let base = match &comparison.baseline[..] {
        [one] => one.label.clone(),
        several => format!("{} runs", several.len()),
    };
    let mut text = match census.regressed {
        0 if census.suspect + census.not_enough_data == 0 => {
            format!("nothing regressed in {all} figures against {base}")
        }
        0 => format!("nothing is known to have regressed in {all} figures against {base}"),
        n => format!("{n} of {all} figures regressed against {base}"),
    };
    let regressed: Vec<String> = regressed(comparison).collect();
    if !regressed.is_empty() {
        let _ = write!(
            text,
            ": {}",
            regressed[..regressed.len().min(NAMED)].join(", ")
        );
        if regressed.len() > NAMED {
            let _ = write!(text, " and {} more", regressed.len() - NAMED);
        }
    }
    let counts = counts.iter().filter(|(n, _)| *n > 0);
    let counts: Vec<String> = counts.map(|(n, what)| format!("{n} {what}")).collect();
    if !counts.is_empty() {
        let _ = write!(text, "; {}", counts.join(", "));
    }
    text
}

/// The figures that are surely worse, those of endpoints before those of the total, in which they show again.
fn regressed(comparison: &Comparison) -> impl Iterator<Item = String> + '_ {
    let (total, endpoints): (Vec<_>, Vec<_>) = comparison
        .endpoints
        .iter()
        .partition(|e| e.endpoint.is_none());
    endpoints.into_iter().chain(total).flat_map(|endpoint| {
        let rows = endpoint.rows.iter();
        let rows = rows.filter(|row| row.judgement.word == Word::Regressed);
        rows.map(|row| format!("{} of {}{}", row.metric, endpoint.name(), by(row)))
    })
}

fn by(row: &Row) -> String {
    sentence::size_of_change(row).map_or_else(String::new, |change| format!(" {change}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::fixture::runs;
    use crate::comparison::{Terms, compare};
    use crate::metric::Metric;

    fn closed(baseline: &[f64], current: &[f64]) -> String {
        let terms = Terms {
            metrics: vec![Metric::Mean],
            of_total: Vec::new(),
            ..Terms::default()
        };
        closing(&compare(&runs(baseline), &runs(current), &terms))
    }

    #[test]
    fn what_regressed_is_named_and_what_is_not_known_is_counted() {
        let stable = [99.0, 100.0, 101.0];
        let worse = closed(&stable, &[119.0, 120.0, 121.0]);
        assert!(
            worse.starts_with(
                "2 of 2 figures regressed against 3 runs: mean of GET /a +20 %, mean of Total +20 %"
            ),
            "{worse}"
        );
        let same = closed(&stable, &stable);
        assert_eq!(
            same,
            "nothing regressed in 2 figures against 3 runs; 2 unchanged"
        );
        let one = closed(&[100.0], &[101.0]);
        assert!(
            one.starts_with("nothing is known to have regressed in 2 figures against /a 100; ")
                && one.ends_with("2 without enough data"),
            "{one}"
        );
    }
}
