//! `loadgate man` and `loadgate completions`: from the same definition as `--help`.

use std::io::Write;

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory};

use super::{Failure, put};
use crate::cli::Cli;
use crate::cli::project::{Completions, Man};
use crate::config::mistakes::nearest;
use crate::diagnostic::{CODES, Diagnostic, Origin};
use crate::generate::scenario::EMBEDDED;

/// Metrics that are offered: those with a fixed name, and the usual forms of the others.
const FORMS: &[&str] = &[
    "p50",
    "p90",
    "p95",
    "p99",
    "p99.9",
    "ratio(status=5xx)",
    "apdex(500ms)",
    "peak(10s)",
];

/// Sections of loadgate's own page.
const SURROUNDINGS: &str = "\
.SH FILES
.TP
loadgate.toml
The gate file, read from the working directory unless \\-\\-config names another.
.SH ENVIRONMENT
.TP
NO_COLOR
No colour, if it is set to anything.
.TP
CI
If it is `true`, each problem takes one line, and there is no progress bar.
.TP
GITHUB_ACTIONS, GITLAB_CI, TF_BUILD, TEAMCITY_VERSION
Tell \\-\\-ci auto which system this is.
.TP
GITHUB_STEP_SUMMARY, GITHUB_OUTPUT
Files of GitHub's that are appended to.
.SH SEE ALSO
loadgate explain, loadgate metrics, and the manual in docs/
";

/// Prints the completion script of a shell.
pub fn completions(args: &Completions, stdout: &mut dyn Write) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut with_words(), "loadgate", &mut script);
    put(stdout, &String::from_utf8_lossy(&script))?;
    Ok(0)
}

/// The command line, with the words that a shell can offer where the program itself takes any text.
fn with_words() -> Command {
    let fixed = crate::metric::ALL.iter().map(|(name, ..)| *name);
    let metrics: Vec<&'static str> = fixed
        .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .chain(FORMS.iter().copied())
        .collect();
    let topics: Vec<&'static str> = metrics
        .iter()
        .copied()
        .chain(CODES.iter().map(|(code, _)| *code))
        .collect();
    let scenarios = EMBEDDED.map(|(name, _)| name);
    Cli::command()
        .mut_subcommand("check", |check| {
            check.mut_arg("require", |arg| {
                arg.value_parser(PossibleValuesParser::new(metrics))
            })
        })
        .mut_subcommand("explain", |explain| {
            explain.mut_arg("topic", |arg| {
                arg.value_parser(PossibleValuesParser::new(topics))
            })
        })
        .mut_subcommand("generate", |generate| {
            generate.mut_arg("scenario", |arg| {
                arg.value_parser(PossibleValuesParser::new(scenarios))
            })
        })
}

/// Prints a manual page.
pub fn page(args: &Man, stdout: &mut dyn Write) -> Result<u8, Failure> {
    let mut all = Cli::command();
    all.build();
    let command = match &args.command {
        None => all,
        Some(name) => named(&all, name)?,
    };
    let title = command.get_display_name().unwrap_or("loadgate").to_owned();
    let page = clap_mangen::Man::new(command)
        .title(title)
        .manual("loadgate");
    let mut text = Vec::new();
    page.render(&mut text)
        .context("cannot write the manual page")?;
    let text = String::from_utf8(text).context("the manual page is not text")?;
    put(stdout, &with_sections(&text, args.command.is_none()))?;
    Ok(0)
}

/// What stands below the flags in `--help`, under the headings that manual pages have.
fn with_sections(page: &str, is_whole: bool) -> String {
    let page = page
        .replace(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n.nf\n")
        .replace("\n\nExit codes:\n", "\n.fi\n.SH EXIT STATUS\n.nf\n");
    let surroundings = if is_whole { SURROUNDINGS } else { "" };
    page.replacen(".SH VERSION", &format!(".fi\n{surroundings}.SH VERSION"), 1)
}

fn named(all: &Command, name: &str) -> Result<Command, Failure> {
    if let Some(found) = all.find_subcommand(name) {
        return Ok(found.clone().version(env!("CARGO_PKG_VERSION")));
    }
    let known: Vec<&str> = all.get_subcommands().map(Command::get_name).collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of {}", known.join(", ")),
    };
    let problem = Diagnostic::new("bad-value", format!("`{name}` is not a command"))
        .at(Origin::file("man"))
        .help(help);
    Err(vec![problem].into())
}
