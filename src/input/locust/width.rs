//! A table of more endpoints than are kept is refused before they are.

use std::collections::BTreeSet;

use super::text::Table;
use crate::diagnostic::{Diagnostic, Origin};
use crate::input::width::Width;
use crate::limits;

/// What is wrong with a table that names too many endpoints.
pub fn beyond(table: &Table) -> Option<Diagnostic> {
    if table.rows.len() <= limits::ENDPOINTS {
        return None;
    }
    let name = table.column(&["name"])?;
    let kind = table.column(&["type", "method"]);
    let mut seen = BTreeSet::new();
    for row in &table.rows {
        let method = kind
            .and_then(|kind| row.cells.get(kind))
            .unwrap_or_default();
        seen.insert((method, row.cells.get(name).unwrap_or_default()));
        // One row is that of the total.
        let width = Width {
            endpoints: seen.len() - 1,
            ..Width::default()
        };
        if let Some(problem) = width.beyond() {
            return Some(problem.at(Origin::file(&table.file)));
        }
    }
    None
}
