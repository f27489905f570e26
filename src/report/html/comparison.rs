//! What differs from the baseline.

use minijinja::{Value, context};

use super::names;
use crate::analysis::Analysis;
use crate::comparison::Comparison;
use crate::comparison::rule::Word;
use crate::report::compared;
use crate::tally::Endpoint;
use crate::units;

/// The most rows of the table; what needs attention comes first.
const MOST: usize = 600;

/// What `comparison.html` shows; `None` without a baseline.
pub fn view(analysis: &Analysis) -> Value {
    let Some(comparison) = &analysis.comparison else {
        return Value::from(());
    };
    let rows = compared::rows(comparison);
    let row = |cells: &[String; 8]| {
        let [endpoint, rest @ .., word] = cells;
        context! { endpoint => names::text(endpoint), cells => rest, word, sign => sign_of(word) }
    };
    context! {
        lines => compared::lines(comparison).iter().map(|line| names::sentence(line)).collect::<Vec<_>>(),
        columns => compared::COLUMNS,
        rows => rows.iter().take(MOST).map(row).collect::<Vec<_>>(),
        left => rows.len().saturating_sub(MOST),
    }
}

fn sign_of(word: &str) -> &'static str {
    let words = [
        Word::Regressed,
        Word::Suspect,
        Word::Improved,
        Word::Unchanged,
        Word::NotEnoughData,
    ];
    words
        .into_iter()
        .find(|known| known.name() == word)
        .map_or(if word == compared::FOLLOWS { "↳" } else { "" }, |known| {
            signs(known).0
        })
}

/// A sign that needs no colour, and the class of a word.
fn signs(word: Word) -> (&'static str, &'static str) {
    match word {
        Word::Regressed => ("▲", "fail"),
        Word::Suspect => ("△", "undecided"),
        Word::Improved => ("▼", "pass"),
        Word::Unchanged => ("=", "same"),
        Word::NotEnoughData => ("?", "same"),
    }
}

/// The cell of an endpoint's p95: its change, the word for it, a sign and a class.
pub fn cell(comparison: &Comparison, endpoint: Option<&Endpoint>) -> Value {
    match compared::p95(comparison, endpoint) {
        Some((relative, word)) => {
            let (sign, class) = signs(word);
            context! {
                value => relative.map_or(String::new(), |change| change.to_string()),
                change => relative.map_or_else(|| super::NONE.to_owned(), units::change),
                word => word.name(),
                sign,
                class,
                shown => if class == "same" { "unseen" } else { "word" },
            }
        }
        None => {
            context! { value => "", change => super::NONE, word => "not compared", sign => "", class => "same", shown => "unseen" }
        }
    }
}
