//! The JSON Schema of `report.json`.

/// Draft 2020-12.
pub const SCHEMA: &str = include_str!("../../templates/report.schema.json");
