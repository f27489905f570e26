//! The first steps of a project: a gate file proposed from results, a request logger for Locust, a CI pipeline.

pub mod gate_file;
pub mod headroom;

use std::path::PathBuf;

use crate::cli::project::Pipeline;

/// The Locust event listener that writes the request log.
pub const LOGGER: &str = include_str!("../templates/init/locust_request_log.py");
/// The gate file for a folder without results.
pub const DEFAULT_GATES: &str = include_str!("../templates/init/loadgate.toml");

/// What a gate file ends with: how to compare with earlier runs, as comments.
pub const REGRESSION: &str = include_str!("../templates/init/regression.toml");

/// A file that `init` writes.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Below the folder.
    pub path: PathBuf,
    /// What will be in it.
    pub text: String,
    /// What it is, for the user.
    pub about: &'static str,
}

/// The pipeline of a CI system: path, text, and what it is.
pub fn pipeline(system: Pipeline) -> NewFile {
    let (path, text, about) = match system {
        Pipeline::Github => (
            ".github/workflows/load-test.yml",
            include_str!("../templates/init/github.yml"),
            "a workflow that runs Locust and judges the run",
        ),
        Pipeline::Gitlab => (
            "loadgate.gitlab-ci.yml",
            include_str!("../templates/init/gitlab.yml"),
            "a job; include it with `include: loadgate.gitlab-ci.yml`",
        ),
        Pipeline::Jenkins => (
            "Jenkinsfile.loadgate",
            include_str!("../templates/init/Jenkinsfile"),
            "a pipeline; name it as the job's script path",
        ),
        Pipeline::Azure => (
            "azure-pipelines.loadgate.yml",
            include_str!("../templates/init/azure.yml"),
            "a pipeline; name it when you create the pipeline",
        ),
    };
    NewFile {
        path: PathBuf::from(path),
        text: text.to_owned(),
        about,
    }
}
