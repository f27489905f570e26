//! Reports: formats, destinations, atomic writes. Reports show; they never compute.

pub mod csv;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod terminal;
