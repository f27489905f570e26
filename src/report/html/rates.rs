//! Rates and quotas, and measured fields, as tables.

use minijinja::{Value, context};

use super::names;
use crate::analysis::Analysis;
use crate::report::figures;

/// What `rates.html` shows.
pub fn view(analysis: &Analysis) -> Value {
    context! {
        columns => figures::RATE_COLUMNS,
        rows => figures::rates(analysis).iter().map(|row| texts(row)).collect::<Vec<_>>(),
        details => figures::quota_details(analysis).iter().map(|text| names::sentence(text)).collect::<Vec<_>>(),
        field_columns => figures::FIELD_COLUMNS,
        fields => figures::fields(&analysis.summary).iter().map(|row| texts(row)).collect::<Vec<_>>(),
    }
}

/// The first cell is a name, the others are figures.
fn texts(row: &[String]) -> Value {
    let (name, rest) = row
        .split_first()
        .map_or(("", row), |(first, rest)| (first.as_str(), rest));
    context! { name => names::text(name), cells => rest }
}
