//! What happened, each thing once: an endpoint that is slower in p50, mean and p95 is one cause, and a total that follows
//! an endpoint is none.

use super::rule::{Test, Word};
use super::terms::is_share;
use super::{Comparison, EndpointComparison, Row, sentence};

/// All figures of one endpoint that tell of the same thing with the same word.
#[derive(Clone, Debug)]
pub struct Cause<'a> {
    /// Where.
    pub endpoint: &'a EndpointComparison,
    /// The figures, in the order of the comparison.
    pub rows: Vec<&'a Row>,
    /// Whether the total says so, too.
    pub total_follows: bool,
}

/// Failures are one thing, speed is another.
fn is_same_thing(a: &Row, b: &Row) -> bool {
    is_share(&a.metric) == is_share(&b.metric)
}

/// Whether a row of the total says again what an endpoint's row with the same word says.
pub fn follows(comparison: &Comparison, at: &EndpointComparison, row: &Row) -> bool {
    let word = row.judgement.word;
    matches!(word, Word::Regressed | Word::Suspect | Word::Improved)
        && at.endpoint.is_none()
        && comparison.endpoints.iter().any(|e| {
            e.endpoint.is_some()
                && e.rows
                    .iter()
                    .any(|r| r.judgement.word == word && is_same_thing(r, row))
        })
}

/// The causes of all rows with this word, in the order of the comparison.
pub fn causes(comparison: &Comparison, word: Word) -> Vec<Cause<'_>> {
    let mut causes: Vec<Cause<'_>> = Vec::new();
    let mut followers: Vec<&Row> = Vec::new();
    for endpoint in &comparison.endpoints {
        for row in endpoint.rows.iter().filter(|r| r.judgement.word == word) {
            if follows(comparison, endpoint, row) {
                followers.push(row);
                continue;
            }
            let known = causes.iter_mut().find(|cause| {
                std::ptr::eq(cause.endpoint, endpoint) && is_same_thing(cause.rows[0], row)
            });
            match known {
                Some(cause) => cause.rows.push(row),
                None => causes.push(Cause {
                    endpoint,
                    rows: vec![row],
                    total_follows: false,
                }),
            }
        }
    }
    for cause in &mut causes {
        cause.total_follows = followers
            .iter()
            .any(|row| is_same_thing(row, cause.rows[0]));
    }
    causes
}

impl<'a> Cause<'a> {
    /// What it is: `slower`, `faster`, `more failures`, `fewer failures`.
    pub fn what(&self) -> &'static str {
        let row = self.rows[0];
        let is_better = row.judgement.word == Word::Improved;
        match (is_share(&row.metric), is_better) {
            (false, false) => "slower",
            (false, true) => "faster",
            (true, false) => "more failures",
            (true, true) => "fewer failures",
        }
    }

    /// The figure that is the least by chance.
    pub fn surest(&self) -> &'a Row {
        let chance = |row: &Row| {
            let (worse, better) = match (row.judgement.by, row.adjusted) {
                (Test::Others, Some(adjusted)) => (Some(adjusted.p_worse), Some(adjusted.p_better)),
                _ => (row.p_worse, row.p_better),
            };
            let p = if row.judgement.word == Word::Improved {
                better
            } else {
                worse
            };
            p.unwrap_or(1.0)
        };
        let rows = self.rows.iter().copied();
        rows.min_by(|a, b| chance(a).total_cmp(&chance(b)))
            .unwrap_or(self.rows[0])
    }

    /// The figures with their changes: `p50 +20 %, mean +18 %`.
    pub fn figures(&self) -> String {
        let figures: Vec<String> = self
            .rows
            .iter()
            .map(|row| match sentence::size_of_change(row) {
                Some(size) if row.judgement.by == Test::Others => {
                    format!("{} {size} against the other endpoints", row.metric)
                }
                Some(size) => format!("{} {size}", row.metric),
                None => row.metric.to_string(),
            })
            .collect();
        figures.join(", ")
    }
}
