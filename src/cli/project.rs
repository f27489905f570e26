//! Commands around a project rather than a run: set it up, bring thresholds along, look things up.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `loadgate init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgate init                          look for results here and in the folders below\n  \
    loadgate init results/ --ci github     propose gates from these results; add a workflow\n  \
    loadgate init results/ --force         propose anew, over the files of an earlier init\n\n\
    What is there already is kept, unless there is --force.")]
pub struct Init {
    /// Results to propose gates from [default: what is found in the folder and in those below it]
    #[arg(value_name = "RUN")]
    pub runs: Vec<String>,
    /// Add a pipeline for this CI system
    #[arg(long, value_name = "SYSTEM", value_enum)]
    pub ci: Option<Pipeline>,
    /// The folder to write into
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Overwrite what is there
    #[arg(long)]
    pub force: bool,
}

/// CI systems for which there is a pipeline to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pipeline {
    /// `.github/workflows/load-test.yml`
    Github,
    /// `loadgate.gitlab-ci.yml`, to be included
    Gitlab,
    /// `Jenkinsfile.loadgate`
    Jenkins,
    /// `azure-pipelines.loadgate.yml`
    Azure,
}

/// Arguments of `loadgate plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgate plan --runs 5                 the order, and the command that compares afterwards")]
pub struct Plan {
    /// Runs of each version; with fewer than 3 nothing can be called a regression
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    pub runs: u8,
}

/// Arguments of `loadgate migrate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgate migrate k6 script.js > loadgate.toml\n  \
    loadgate migrate taurus bzt.yml --out loadgate.toml\n\n\
    What cannot be carried over stands in the gate file as a comment, with its line and the reason.")]
pub struct Migrate {
    /// Whose thresholds
    #[arg(value_enum)]
    pub from: Tool,
    /// The script or configuration file that holds them
    pub file: PathBuf,
    /// Write the gate file here instead of to standard output; never over a file that is there
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Tools whose thresholds can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    /// `options.thresholds` of a script or of a JSON configuration
    K6,
    /// `passfail` criteria
    Taurus,
    /// `ensure` thresholds and conditions
    Artillery,
}

/// Arguments of `loadgate explain`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgate explain PERF-01           a gate of ./loadgate.toml\n  \
    loadgate explain 'max(api_calls)'  a metric\n  \
    loadgate explain bad-unit          an error code")]
pub struct Explain {
    /// A gate's id, a metric or an error code
    #[arg(value_name = "GATE-ID|METRIC|CODE")]
    pub topic: String,
    /// Gate file [default: ./loadgate.toml if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Arguments of `loadgate completions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgate completions bash > ~/.local/share/bash-completion/completions/loadgate\n  \
    loadgate completions zsh > ~/.zfunc/_loadgate\n  \
    loadgate completions fish > ~/.config/fish/completions/loadgate.fish\n  \
    loadgate completions powershell >> $PROFILE")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `loadgate man`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgate man | man -l -\n  \
    loadgate man check | man -l -")]
pub struct Man {
    /// One command's page instead of loadgate's own
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}
