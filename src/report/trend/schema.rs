//! The JSON Schema of `trend.json`.

/// Draft 2020-12.
pub const SCHEMA: &str = include_str!("../../../templates/trend.schema.json");
