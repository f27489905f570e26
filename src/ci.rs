//! The CI system this runs in, as its environment says; the only place that reads those variables.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use crate::analysis::Analysis;
use crate::atomic;
use crate::cli::announce::CiChoice;
use crate::diagnostic::Diagnostic;
use crate::report::annotations::{azure, code_quality, github, teamcity};
use crate::report::no_verdict::NoVerdict;
use crate::report::{internal, markdown, write_failed};

/// A CI system that has a language of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// GitHub Actions, and what speaks like it (Forgejo, Gitea).
    GitHub,
    /// GitLab CI.
    GitLab,
    /// Azure Pipelines.
    Azure,
    /// `TeamCity`.
    TeamCity,
}

/// A CI system and what it tells its jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ci {
    /// Which one.
    pub system: System,
    /// Where the working directory lies in the repository; empty at its root.
    inside: PathBuf,
    /// The repository's root on this machine.
    root: Option<PathBuf>,
    /// GitHub's file for the step's summary.
    summary: Option<PathBuf>,
    /// GitHub's file for the step's outputs.
    outputs: Option<PathBuf>,
}

impl Ci {
    /// The system that was chosen, or that the environment names.
    pub fn new(choice: CiChoice, env: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let system = match choice {
            CiChoice::Auto => detect(env)?,
            CiChoice::Github => System::GitHub,
            CiChoice::Gitlab => System::GitLab,
            CiChoice::Azure => System::Azure,
            CiChoice::Teamcity => System::TeamCity,
            CiChoice::Off => return None,
        };
        let variable = match system {
            System::GitHub => Some("GITHUB_WORKSPACE"),
            System::GitLab => Some("CI_PROJECT_DIR"),
            System::Azure => Some("BUILD_SOURCESDIRECTORY"),
            // Service messages name no files.
            System::TeamCity => None,
        };
        let root = variable.and_then(env).map(PathBuf::from);
        let here = std::env::current_dir().ok();
        let inside = root
            .as_ref()
            .zip(here.as_ref())
            .and_then(|(root, here)| here.strip_prefix(root).ok().map(Path::to_owned));
        let path = |name: &str| env(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let is_github = system == System::GitHub;
        Some(Self {
            system,
            inside: inside.unwrap_or_default(),
            root,
            summary: path("GITHUB_STEP_SUMMARY").filter(|_| is_github),
            outputs: path("GITHUB_OUTPUT").filter(|_| is_github),
        })
    }

    /// The same, from this process' environment.
    pub fn from_environment(choice: CiChoice) -> Option<Self> {
        Self::new(choice, &|name| std::env::var(name).ok())
    }

    /// A file as its path in the repository, with `/`; `None` for a flag or for a file outside.
    pub fn path(&self, file: &str) -> Option<String> {
        if file.starts_with("--") || file == "-" {
            return None;
        }
        let path = Path::new(file);
        let path = if path.is_absolute() {
            path.strip_prefix(self.root.as_ref()?).ok()?.to_owned()
        } else {
            self.inside.join(path)
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in path.components() {
            match part {
                Component::Normal(name) => parts.push(name.to_str()?),
                Component::CurDir => {}
                Component::ParentDir => {
                    parts.pop()?;
                }
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(parts.join("/"))
    }

    /// Tells the verdicts: lines into the job's log, and files where the system wants them. `out` is the folder of all
    /// reports.
    pub fn announce(
        &self,
        analysis: &Analysis,
        out: Option<&Path>,
        log: &mut dyn Write,
    ) -> Result<(), Diagnostic> {
        let path = |file: &str| self.path(file);
        let mut say = |text: String| {
            let written = log.write_all(text.as_bytes());
            written.map_err(|error| write_failed(Path::new("-"), &error))
        };
        match self.system {
            System::GitHub => {
                say(github::annotations(analysis, &path))?;
                append(self.summary.as_deref(), github::summary(analysis))?;
                append(self.outputs.as_deref(), Ok(github::outputs(analysis)))
            }
            System::Azure => say(azure::commands(analysis, &path)),
            System::TeamCity => say(teamcity::messages(analysis)),
            System::GitLab => code_quality_report(out, code_quality::render(analysis, &path)),
        }
    }

    /// Tells that there is no verdict where a verdict would be told: in files, and as lines for the job's log.
    pub fn announce_none(
        &self,
        why: &NoVerdict,
        problems: &[Diagnostic],
        out: Option<&Path>,
    ) -> Result<String, Diagnostic> {
        let path = |file: &str| self.path(file);
        match self.system {
            System::GitHub => {
                append(self.summary.as_deref(), markdown::no_verdict(why))?;
                append(self.outputs.as_deref(), Ok(github::no_verdict(why)))?;
                Ok(String::new())
            }
            System::Azure => Ok(azure::no_verdict(why)),
            System::TeamCity => Ok(String::new()),
            System::GitLab => {
                code_quality_report(out, code_quality::no_verdict(problems, &path))?;
                Ok(String::new())
            }
        }
    }

    /// Shows what is wrong with the user's files at the place itself.
    pub fn complain(&self, problems: &[Diagnostic]) -> String {
        let path = |file: &str| self.path(file);
        match self.system {
            System::GitHub => github::problems(problems, &path),
            System::Azure => azure::problems(problems, &path),
            System::TeamCity => teamcity::problems(problems),
            System::GitLab => String::new(),
        }
    }
}

fn detect(env: &dyn Fn(&str) -> Option<String>) -> Option<System> {
    let says = |name: &str| env(name).is_some_and(|v| v.eq_ignore_ascii_case("true"));
    if says("GITHUB_ACTIONS") {
        Some(System::GitHub)
    } else if says("GITLAB_CI") {
        Some(System::GitLab)
    } else if says("TF_BUILD") {
        Some(System::Azure)
    } else if env("TEAMCITY_VERSION").is_some() {
        Some(System::TeamCity)
    } else {
        None
    }
}

fn code_quality_report(out: Option<&Path>, text: anyhow::Result<String>) -> Result<(), Diagnostic> {
    let Some(dir) = out else {
        return Ok(());
    };
    let file = dir.join("gl-code-quality-report.json");
    let text = text.map_err(|error| internal(&file, &error))?;
    atomic::write(&file, &text).map_err(|error| write_failed(&file, &error))
}

/// Other steps' text in the file stays.
fn append(file: Option<&Path>, text: anyhow::Result<String>) -> Result<(), Diagnostic> {
    let Some(path) = file else {
        return Ok(());
    };
    let text = text.map_err(|error| internal(path, &error))?;
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| write_failed(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ci(choice: CiChoice, env: &[(&str, &str)]) -> Option<Ci> {
        Ci::new(choice, &|name| {
            let found = env.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_names_the_system() {
        let system = |env: &[(&str, &str)]| ci(CiChoice::Auto, env).map(|ci| ci.system);
        assert_eq!(system(&[]), None);
        assert_eq!(system(&[("CI", "true")]), None);
        assert_eq!(system(&[("GITHUB_ACTIONS", "true")]), Some(System::GitHub));
        assert_eq!(system(&[("GITHUB_ACTIONS", "false")]), None);
        assert_eq!(system(&[("GITLAB_CI", "true")]), Some(System::GitLab));
        assert_eq!(system(&[("TF_BUILD", "True")]), Some(System::Azure));
        assert_eq!(
            system(&[("TEAMCITY_VERSION", "2026.1")]),
            Some(System::TeamCity)
        );
        assert_eq!(ci(CiChoice::Off, &[("GITHUB_ACTIONS", "true")]), None);
        assert!(ci(CiChoice::Azure, &[]).is_some_and(|ci| ci.system == System::Azure));
    }

    #[test]
    fn paths_are_those_of_the_repository() {
        let here = std::env::current_dir().expect("a working directory");
        let above = here.parent().expect("is no root").display().to_string();
        let name = here.file_name().expect("has a name").to_string_lossy();
        let ci = ci(CiChoice::Github, &[("GITHUB_WORKSPACE", &above)]).expect("chosen");
        let inside = |file: &str| Some(format!("{name}/{file}"));
        assert_eq!(ci.path("loadgate.toml"), inside("loadgate.toml"));
        assert_eq!(ci.path("./a/../b.toml"), inside("b.toml"));
        assert_eq!(ci.path("../other.toml"), Some("other.toml".to_owned()));
        let absolute = here.join("c.toml").display().to_string();
        assert_eq!(ci.path(&absolute), inside("c.toml"));
        assert_eq!(ci.path("../../outside.toml"), None);
        assert_eq!((ci.path("--require"), ci.path("-")), (None, None));
    }
}
