//! Where a run comes from: labels first, then what the CI system says, and this machine's processor.
//!
//! | key | label | else the first of these environment variables that is set |
//! |---|---|---|
//! | commit | `commit` | `GITHUB_SHA`, `CI_COMMIT_SHA`, `GIT_COMMIT`, `BUILD_SOURCEVERSION`, `BITBUCKET_COMMIT`, `CIRCLE_SHA1`, `BUILDKITE_COMMIT` |
//! | branch | `branch` | `GITHUB_HEAD_REF`, `GITHUB_REF_NAME`, `CI_COMMIT_REF_NAME`, `GIT_BRANCH`, `BUILD_SOURCEBRANCHNAME`, `BITBUCKET_BRANCH`, `CIRCLE_BRANCH`, `BUILDKITE_BRANCH` |
//! | machine | `machine` | none |
//! | scenario | `scenario` | none |
//!
//! The name of a CI system's runner is not asked for: runners of a pool have one each, and hosted ones a new one for every
//! job, though they are the same machine as far as a load test is concerned.

use std::collections::BTreeMap;

use super::entry::Provenance;

/// The label that says where a run's report is. It is about the report, and so neither part of what was measured nor of
/// the conditions.
pub const REPORT: &str = "report";

const COMMIT: [&str; 7] = [
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "GIT_COMMIT",
    "BUILD_SOURCEVERSION",
    "BITBUCKET_COMMIT",
    "CIRCLE_SHA1",
    "BUILDKITE_COMMIT",
];
const BRANCH: [&str; 8] = [
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_COMMIT_REF_NAME",
    "GIT_BRANCH",
    "BUILD_SOURCEBRANCHNAME",
    "BITBUCKET_BRANCH",
    "CIRCLE_BRANCH",
    "BUILDKITE_BRANCH",
];

/// Provenance from labels, the environment (`variable` looks one up) and this machine's processor.
pub fn gather(
    labels: &BTreeMap<String, String>,
    variable: &dyn Fn(&str) -> Option<String>,
    processor: &dyn Fn() -> String,
) -> Provenance {
    let mut labels = labels.clone();
    let first = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()))
    };
    let commit = labels.remove("commit").or_else(|| first(&COMMIT));
    let branch = labels.remove("branch").or_else(|| first(&BRANCH));
    Provenance {
        commit,
        branch,
        machine: labels.remove("machine"),
        processor: Some(processor()),
        scenario: labels.remove("scenario"),
        labels,
    }
}

/// Provenance of the run that is being checked, on this machine.
pub fn of_this_run(labels: &BTreeMap<String, String>) -> Provenance {
    gather(labels, &|name| std::env::var(name).ok(), &processor)
}

/// Architecture, processors and model: `x86_64, 4 processors, AMD EPYC 7B13`. No host name.
pub fn processor() -> String {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| model_name(&text))
        .or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok());
    let mut text = format!("{}, {count} processors", std::env::consts::ARCH);
    if let Some(model) = model {
        text.push_str(", ");
        text.push_str(&model);
    }
    text
}

fn model_name(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    let words: Vec<&str> = name.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(labels: &[(&str, &str)], variables: &[(&str, &str)]) -> Provenance {
        let labels = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        gather(&labels, &variable, &|| "a processor".to_owned())
    }

    #[test]
    fn labels_come_first() {
        let from = gathered(
            &[("commit", "mine"), ("machine", "bench"), ("team", "a")],
            &[("GITHUB_SHA", "theirs"), ("GITHUB_REF_NAME", "main")],
        );
        assert_eq!(from.commit.as_deref(), Some("mine"));
        assert_eq!(from.branch.as_deref(), Some("main"));
        assert_eq!(from.machine.as_deref(), Some("bench"));
        assert_eq!(from.labels.len(), 1);
    }

    #[test]
    fn the_name_of_a_runner_is_no_machine() {
        let own = [
            ("RUNNER_ENVIRONMENT", "self-hosted"),
            ("RUNNER_NAME", "7"),
            ("NODE_NAME", "agent-3"),
        ];
        let from = gathered(&[], &own);
        assert_eq!(from.machine, None);
        assert_eq!(from.processor.as_deref(), Some("a processor"));
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let from = gathered(&[], &[("GITHUB_HEAD_REF", ""), ("GITHUB_REF_NAME", "main")]);
        assert_eq!(from.branch.as_deref(), Some("main"));
    }

    #[test]
    fn the_model_is_found() {
        let text = "processor\t: 0\nmodel name\t: Some  CPU @ 2 GHz\n";
        assert_eq!(model_name(text).as_deref(), Some("Some CPU @ 2 GHz"));
        assert_eq!(model_name("processor: 0\n"), None);
    }
}
