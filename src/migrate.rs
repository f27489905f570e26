//! Other tools' thresholds as gates. What cannot be carried over is said, with its line and the reason: a limit that got
//! lost on the way would be one that nobody watches any more.

use std::collections::BTreeSet;

use crate::config::expression;
use crate::diagnostic::{Diagnostic, Origin};
use crate::gate::Selector;

pub mod artillery;
pub mod gate_file;
pub mod javascript;
pub mod k6;
pub mod taurus;
mod yaml;

/// One threshold of the other tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// Its line in the other tool's file, from 1.
    pub line: usize,
    /// What it is about, for the gate's id: `http_req_duration`.
    pub subject: String,
    /// As written there.
    pub text: String,
    /// What became of it.
    pub carried: Carried,
}

/// What became of a threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// A gate.
    Gate(NewGate),
    /// Nothing, and why.
    Not(String),
}

/// A gate that says the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewGate {
    /// `METRIC CMP LIMIT`, one or more.
    pub require: Vec<String>,
    /// One of them is enough.
    pub any: bool,
    /// The endpoints, if not the run's total.
    pub on: Option<String>,
    /// A breach does not fail the run.
    pub warn: bool,
    /// What is not quite the same.
    pub notes: Vec<String>,
}

impl NewGate {
    /// A gate on the run's total.
    pub fn new(require: impl Into<String>) -> Self {
        Self {
            require: vec![require.into()],
            ..Self::default()
        }
    }
}

/// Why a file's thresholds could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    code: &'static str,
    message: String,
    place: Option<(usize, usize)>,
    help: &'static str,
}

impl Unreadable {
    fn nothing_found(help: &'static str) -> Self {
        Self {
            code: "no-thresholds",
            message: "there are no thresholds in it".to_owned(),
            place: None,
            help,
        }
    }

    /// As a problem with the user's file.
    pub fn into_diagnostic(self, file: &str) -> Diagnostic {
        let origin = match self.place {
            Some((line, column)) => Origin::at(file, line as u64, column as u64),
            None => Origin::file(file),
        };
        Diagnostic::new(self.code, self.message)
            .at(origin)
            .help(self.help)
    }
}

/// The thresholds with only such gates as a gate file can hold: a name may have what the grammar does not know.
pub fn checked(found: Vec<Threshold>) -> Vec<Threshold> {
    let writable = |gate: &NewGate| -> Result<(), String> {
        for text in &gate.require {
            expression::parse(text).map_err(|mistake| format!("`{text}`: {}", mistake.message))?;
        }
        if let Some(on) = &gate.on {
            Selector::new(&[on.as_str()]).map_err(|(_, why)| format!("`{on}`: {why}"))?;
        }
        Ok(())
    };
    let check = |mut threshold: Threshold| {
        if let Carried::Gate(gate) = &mut threshold.carried {
            let mut seen = BTreeSet::new();
            gate.require.retain(|text| seen.insert(text.clone()));
        }
        if let Carried::Gate(gate) = &threshold.carried
            && let Err(why) = writable(gate)
        {
            threshold.carried = Carried::Not(format!("it cannot be written as a gate: {why}"));
        }
        threshold
    };
    found.into_iter().map(check).collect()
}

/// Thresholds, or why there are none.
pub type Found = Result<Vec<Threshold>, Unreadable>;
