//! The ways in which runs are mutated, by name.

#![expect(
    clippy::unnecessary_wraps,
    reason = "of most operators there may be nothing to mutate, and all are called alike"
)]

use super::random::Random;
use super::subject::{File, Kind, Subject};

pub mod bytes;
pub mod json;
pub mod requests;
pub mod table;

/// A subject's files while they are mutated.
pub struct Mutation<'a> {
    /// The subject, whose own files stay as they are.
    pub subject: &'a Subject,
    /// The files.
    pub files: Vec<File>,
    /// Where chance comes from.
    pub random: Random,
}

/// Mutates files and says what it did; `None` if there is nothing of that kind to mutate.
pub type Apply = fn(&mut Mutation<'_>) -> Option<String>;

/// A way to mutate.
#[derive(Debug)]
pub struct Operator {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub of: fn(Kind) -> bool,
    /// What it does.
    pub apply: Apply,
    /// Of which inputs it changes nothing that counts, so that every gate must still fail.
    pub harmless: fn(Kind) -> bool,
}

/// All of them.
pub fn all() -> Vec<Operator> {
    [bytes::all(), table::all(), json::all(), requests::all()]
        .into_iter()
        .flatten()
        .collect()
}

/// An operator that changes what is said.
pub fn harmful(name: &'static str, of: fn(Kind) -> bool, apply: Apply) -> Operator {
    Operator {
        name,
        of,
        apply,
        harmless: nothing,
    }
}

/// An operator that changes only how it is said.
pub fn harmless(name: &'static str, of: fn(Kind) -> bool, apply: Apply) -> Operator {
    Operator {
        name,
        of,
        apply,
        harmless: anything,
    }
}

/// Of no kind.
pub fn nothing(_: Kind) -> bool {
    false
}

/// Of every kind.
pub fn anything(_: Kind) -> bool {
    true
}

/// Of what has tables.
pub fn tables(kind: Kind) -> bool {
    matches!(kind, Kind::Tables | Kind::LogBesideTables)
}

/// Of what has a request log.
pub fn logs(kind: Kind) -> bool {
    matches!(kind, Kind::Log | Kind::LogBesideTables)
}

/// Of what has JSON.
pub fn jsons(kind: Kind) -> bool {
    kind != Kind::Tables
}

/// Of what is a set of several files.
pub fn sets(kind: Kind) -> bool {
    tables(kind)
}

/// Of what is not a baseline.
pub fn runs(kind: Kind) -> bool {
    !kind.is_baseline()
}

/// Of what has a line for each request or run.
pub fn lined(kind: Kind) -> bool {
    logs(kind) || kind == Kind::History
}

impl Mutation<'_> {
    /// One of the files: of a set as a rule the one that has the figures.
    pub fn victim(&mut self) -> Option<&mut File> {
        let main = ["run_stats.csv", "requests.jsonl", "run.json"];
        let by_chance = self.random.below(self.files.len());
        let weighty = !self.random.once_in(3);
        let main = self
            .files
            .iter()
            .position(|f| weighty && main.contains(&f.name.as_str()));
        self.files.get_mut(main.unwrap_or(by_chance))
    }

    /// Its place.
    pub fn victim_at(&mut self) -> Option<usize> {
        let name = self.victim()?.name.clone();
        self.files.iter().position(|f| f.name == name)
    }
}
