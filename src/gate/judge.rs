//! Judging.
use super::{Gate, Verdict};
use crate::summary::Summary;
/// Judges every gate.
pub fn judge(_summary: &Summary, _gates: &[Gate], _expected: &[u16]) -> Vec<Verdict> { Vec::new() }
