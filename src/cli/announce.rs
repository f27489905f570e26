//! Flags that tell the verdict to other programs: CI systems, monitoring, chat.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where the verdict is told besides the reports.
#[derive(Clone, Debug, Default, Args)]
pub struct Announce {
    /// Speak the CI system's language: annotations, summary, outputs, service messages
    #[arg(
        long,
        value_name = "SYSTEM",
        value_enum,
        default_value_t,
        help_heading = "CI and chat"
    )]
    pub ci: CiChoice,
    /// Write the figures as `OpenMetrics` text: GitLab's metrics report, Prometheus' textfile collector
    #[arg(long, value_name = "FILE", help_heading = "CI and chat")]
    pub openmetrics: Option<PathBuf>,
    /// Write a Slack message (Block Kit), for your own `curl -d @FILE`
    #[arg(long, value_name = "FILE", help_heading = "CI and chat")]
    pub slack: Option<PathBuf>,
    /// Write a Microsoft Teams message (Adaptive Card), for your own `curl -d @FILE`
    #[arg(long, value_name = "FILE", help_heading = "CI and chat")]
    pub teams: Option<PathBuf>,
}

/// Whose language is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CiChoice {
    /// What the environment says this is
    #[default]
    Auto,
    /// GitHub Actions: annotations, step summary, outputs
    Github,
    /// GitLab: a code-quality report beside the others of `--out`
    Gitlab,
    /// Azure Pipelines: logged issues, output variables
    Azure,
    /// `TeamCity`: service messages, a test for each verdict
    Teamcity,
    /// None, wherever this runs
    Off,
}
