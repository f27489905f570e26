//! Mutates runs, checks them, and says of every gate that turned green whether that can be justified.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

pub mod judge;
pub mod operators;
pub mod oracle;
pub mod random;
pub mod runs;
pub mod subject;

use judge::{Ended, Scratch};
use operators::{Mutation, Operator};
use random::Random;
use subject::{File, Subject};

/// One mutation of one subject.
#[derive(Clone, Copy, Debug)]
pub struct Mutant<'a> {
    /// What is mutated.
    pub subject: &'a Subject,
    /// How.
    pub operator: &'a Operator,
    /// By which chance.
    pub seed: u64,
}

/// How a check of a mutant ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// Without a verdict.
    Refused,
    /// A gate fails still, and none passes.
    Red,
    /// No gate passes, and none fails.
    Undecided,
    /// Gates pass; each with its justification, or with what makes it a silent green.
    Green(Vec<(String, Result<String, String>)>),
    /// A verdict was lost though the mutation changed nothing that counts.
    Lost(String),
    /// A panic, no end in time, or an exit code that is not that of its verdicts.
    Broken(String),
}

/// A mutant that was tried.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tried {
    /// What was done to the files.
    pub said: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// Every mutant, in an order that spreads operators.
pub fn mutants<'a>(
    subjects: &'a [Subject],
    operators: &'a [Operator],
    seeds: std::ops::Range<u64>,
) -> Vec<Mutant<'a>> {
    let mut all = Vec::new();
    for seed in seeds {
        for subject in subjects {
            let of_kind = operators
                .iter()
                .filter(|operator| (operator.of)(subject.kind));
            all.extend(of_kind.map(|operator| Mutant {
                subject,
                operator,
                seed,
            }));
        }
    }
    all
}

impl Mutant<'_> {
    /// What to type to try it again.
    pub fn name(&self) -> String {
        format!(
            "--subject '{}' --only {} --seed {}",
            self.subject.name, self.operator.name, self.seed
        )
    }

    /// Mutates the files; `None` if there is nothing to mutate.
    pub fn files(&self) -> Option<(Vec<File>, String)> {
        let mut mutation = Mutation {
            subject: self.subject,
            files: self.subject.files.clone(),
            random: Random::new(
                self.seed,
                &format!("{} {}", self.subject.name, self.operator.name),
            ),
        };
        let said = (self.operator.apply)(&mut mutation)?;
        (mutation.files != self.subject.files).then_some((mutation.files, said))
    }

    /// Checks it; `None` if there is nothing to mutate.
    pub fn try_it(&self, scratch: &Scratch) -> Result<Option<Tried>> {
        let Some((files, said)) = self.files() else {
            return Ok(None);
        };
        // A folder has more to find in it than what is named.
        let in_folder = self.seed.is_multiple_of(2);
        let outcome = match judge::check(self.subject, &files, in_folder, scratch)? {
            Ended::Panicked(why) => Outcome::Broken(format!("it panicked: {why}")),
            Ended::Hung => Outcome::Broken("it did not end in time".to_owned()),
            Ended::Refused(why) if self.is_harmless() => Outcome::Lost(why),
            Ended::Refused(_) => Outcome::Refused,
            Ended::Judged(report, code) => self.judged(&files, &report, code),
        };
        Ok(Some(Tried { said, outcome }))
    }

    fn is_harmless(&self) -> bool {
        (self.operator.harmless)(self.subject.kind)
    }

    fn judged(&self, files: &[File], report: &serde_json::Value, code: u8) -> Outcome {
        let verdicts = judge::verdicts(report);
        let count = |verdict: &str| verdicts.values().filter(|v| *v == verdict).count();
        let (red, undecided) = (count("fail"), count("undecided"));
        let right = match (red, undecided) {
            (1.., _) => 1,
            (_, 1..) => 3,
            _ => 0,
        };
        if code != right || verdicts.len() != self.subject.gates.len() {
            return Outcome::Broken(format!("exit {code} with {verdicts:?}"));
        }
        let observed: BTreeMap<&str, f64> = report["gates"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|g| Some((g["id"].as_str()?, g["observed"].as_f64()?)))
            .collect();
        let mut greens = Vec::new();
        for gate in &self.subject.gates {
            if verdicts.get(&gate.id).map(String::as_str) != Some("pass") {
                continue;
            }
            let observed = observed.get(gate.id.as_str()).copied();
            let said = oracle::justification(self.subject, files, gate, observed);
            let on = gate
                .on
                .as_ref()
                .map_or(String::new(), |on| format!(" on {} {}", on.method, on.name));
            greens.push((format!("{}{on}", gate.require), said.map(str::to_owned)));
        }
        if self.is_harmless() && red < verdicts.len() {
            return Outcome::Lost(format!("{red} of {} gates still fail", verdicts.len()));
        }
        match (greens.is_empty(), red) {
            (false, _) => Outcome::Green(greens),
            (true, 0) => Outcome::Undecided,
            (true, _) => Outcome::Red,
        }
    }
}

/// How often what came of an operator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Mutants.
    pub tried: u64,
    /// Without a verdict.
    pub refused: u64,
    /// Still failing.
    pub red: u64,
    /// Undecided.
    pub undecided: u64,
    /// With a gate that passes.
    pub green: u64,
    /// Of these with one that cannot be justified.
    pub silent: u64,
    /// Verdicts lost though nothing had changed, panics and the like.
    pub broken: u64,
}

/// What came of a campaign.
#[derive(Default)]
pub struct Campaign {
    /// By operator.
    pub by_operator: BTreeMap<String, Counts>,
    /// Justification → gates.
    pub justified: BTreeMap<String, u64>,
    /// What must not be, in lines.
    pub faults: Vec<String>,
}

impl Campaign {
    /// Counts a mutant that was tried.
    pub fn count(&mut self, mutant: &Mutant<'_>, tried: &Tried) {
        let counts = self
            .by_operator
            .entry(mutant.operator.name.to_owned())
            .or_default();
        counts.tried += 1;
        let fault = match &tried.outcome {
            Outcome::Refused => {
                counts.refused += 1;
                None
            }
            Outcome::Red => {
                counts.red += 1;
                None
            }
            Outcome::Undecided => {
                counts.undecided += 1;
                None
            }
            Outcome::Green(gates) => {
                counts.green += 1;
                let mut silent = Vec::new();
                for (gate, said) in gates {
                    match said {
                        Ok(because) => *self.justified.entry(because.clone()).or_default() += 1,
                        Err(why) => silent.push(format!("`{gate}` passes: {why}")),
                    }
                }
                counts.silent += u64::from(!silent.is_empty());
                (!silent.is_empty()).then(|| silent.join("\n    "))
            }
            Outcome::Lost(why) => {
                counts.broken += 1;
                Some(format!("lost a verdict: {why}"))
            }
            Outcome::Broken(why) => {
                counts.broken += 1;
                Some(why.clone())
            }
        };
        if let Some(fault) = fault {
            self.faults.push(format!(
                "{}\n    {}\n    {fault}",
                mutant.name(),
                tried.said
            ));
        }
    }

    /// All operators together.
    pub fn total(&self) -> Counts {
        let add = |mut sum: Counts, of: &Counts| {
            sum.tried += of.tried;
            sum.refused += of.refused;
            sum.red += of.red;
            sum.undecided += of.undecided;
            sum.green += of.green;
            sum.silent += of.silent;
            sum.broken += of.broken;
            sum
        };
        self.by_operator.values().fold(Counts::default(), add)
    }
}
