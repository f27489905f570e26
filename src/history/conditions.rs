//! What runs must share to be compared: the scenario and what the user's labels say of the conditions.
//!
//! A processor is a condition by its architecture and number only. Hosted runners get another model from job to job, so a
//! model that differs is a doubt, which is told, and no reason to leave a run out.

use std::collections::BTreeMap;

use super::entry::{Entry, Provenance};

/// Labels that name a run, or what it tests, and not how it was made. What differs in them is compared.
const NAMES: [&str; 27] = [
    "author",
    "branch",
    "build",
    "comment",
    "commit",
    "date",
    "description",
    "id",
    "job",
    "link",
    "mr",
    "name",
    "note",
    "number",
    "pipeline",
    "pr",
    "release",
    "report",
    "revision",
    "run",
    "sha",
    "tag",
    "ticket",
    "time",
    "url",
    "user",
    "version",
];

/// The conditions of a run, as far as it tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conditions {
    /// The label `machine`; without it the processor's architecture and number: `x86_64, 4 processors`.
    pub machine: Option<String>,
    /// The label `scenario`.
    pub scenario: Option<String>,
    /// The other labels that are not names of the run.
    pub labels: BTreeMap<String, String>,
}

impl Conditions {
    /// Of a recorded run.
    pub fn of(entry: &Entry) -> Self {
        let (machine, scenario) = (&entry.machine, &entry.scenario);
        Self::told([machine, &entry.processor, scenario], &entry.labels)
    }

    /// Of the run that is checked.
    pub fn of_provenance(from: &Provenance) -> Self {
        Self::told(
            [&from.machine, &from.processor, &from.scenario],
            &from.labels,
        )
    }

    fn told(
        [machine, processor, scenario]: [&Option<String>; 3],
        labels: &BTreeMap<String, String>,
    ) -> Self {
        let labels = labels.iter().filter(|(key, _)| is_condition(key));
        Self {
            machine: key(machine.as_deref().or(processor.as_deref())),
            scenario: scenario.clone(),
            labels: labels.map(|(k, v)| (k.clone(), v.clone())).collect(),
        }
    }

    /// The first condition in which runs differ: `machine`, `scenario` or the name of a label.
    pub fn differs_in<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        if self.machine != other.machine {
            return Some("machine");
        }
        if self.scenario != other.scenario {
            return Some("scenario");
        }
        let mut keys = self.labels.keys().chain(other.labels.keys());
        let differing = keys.find(|key| self.labels.get(*key) != other.labels.get(*key));
        differing.map(String::as_str)
    }
}

/// What of a machine is a condition. Lines of older versions have the processor in the label's place.
pub fn key(machine: Option<&str>) -> Option<String> {
    machine.map(|machine| match processors(machine) {
        Some(end) => machine[..end].to_owned(),
        None => machine.to_owned(),
    })
}

/// Where the model starts in a processor's description: after `x86_64, 4 processors`.
fn processors(text: &str) -> Option<usize> {
    let mut parts = text.split(", ");
    let (architecture, number) = (parts.next()?, parts.next()?);
    let digits = number.strip_suffix(" processors")?;
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(architecture.len() + ", ".len() + number.len())
}

/// Whether a label tells how a run was made: `region`, but not `build`, `run-id` or `report_url`.
fn is_condition(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    let last = lower.rsplit(['_', '-', '.']).next().unwrap_or_default();
    !NAMES.contains(&last)
}

/// The processor of a recorded run, with its model.
pub fn processor(entry: &Entry) -> Option<&str> {
    let old = entry.machine.as_deref();
    let old = old.filter(|machine| processors(machine).is_some());
    entry.processor.as_deref().or(old)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(machine: Option<&str>, processor: Option<&str>, labels: &[(&str, &str)]) -> Entry {
        let owned = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        Entry {
            machine: machine.map(ToOwned::to_owned),
            processor: processor.map(ToOwned::to_owned),
            labels: labels.iter().map(owned).collect(),
            ..Entry::default()
        }
    }

    fn conditions(
        machine: Option<&str>,
        processor: Option<&str>,
        labels: &[(&str, &str)],
    ) -> Conditions {
        Conditions::of(&entry(machine, processor, labels))
    }

    #[test]
    fn another_model_is_the_same_condition_and_another_number_is_not() {
        let amd = conditions(None, Some("x86_64, 4 processors, AMD EPYC 7763"), &[]);
        let intel = conditions(None, Some("x86_64, 4 processors, Intel Xeon 8370C"), &[]);
        assert_eq!(amd.differs_in(&intel), None);
        assert_eq!(amd, intel);
        let larger = conditions(None, Some("x86_64, 8 processors, AMD EPYC 7763"), &[]);
        assert_eq!(amd.differs_in(&larger), Some("machine"));
        // A line of an older version.
        let old = conditions(Some("x86_64, 4 processors, AMD EPYC 7763"), None, &[]);
        assert_eq!(old, amd);
    }

    #[test]
    fn a_label_of_the_user_counts_whatever_the_processor() {
        let bench = |processor| conditions(Some("bench, 2 racks"), Some(processor), &[]);
        assert_eq!(
            bench("x86_64, 4 processors"),
            bench("aarch64, 8 processors")
        );
        let named = bench("x86_64, 4 processors");
        assert_eq!(named.machine.as_deref(), Some("bench, 2 racks"));
    }

    #[test]
    fn names_of_a_run_are_no_conditions() {
        let a = conditions(
            None,
            None,
            &[
                ("region", "eu"),
                ("build", "17"),
                ("run-id", "a"),
                ("Version", "1"),
            ],
        );
        let b = conditions(
            None,
            None,
            &[
                ("region", "eu"),
                ("build", "18"),
                ("run-id", "b"),
                ("Version", "2"),
            ],
        );
        assert_eq!(a, b);
        let c = conditions(None, None, &[("region", "us")]);
        assert_eq!(a.differs_in(&c), Some("region"));
        assert_eq!(conditions(None, None, &[]).differs_in(&c), Some("region"));
    }
}
