//! The `loadgate` command: parse, run, print the one error, exit.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use loadgate::cli::{Cli, Command};
use loadgate::commands::{self, Failure};
use loadgate::outcome::EXIT_NO_VERDICT;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut stdout = std::io::stdout().lock();
    match commands::run(&cli, &mut stdout).and_then(|code| Ok(stdout.flush().map(|()| code)?)) {
        Ok(code) => code.into(),
        Err(failure) => {
            complain(&failure, short(&cli));
            EXIT_NO_VERDICT.into()
        }
    }
}

/// One line for each problem under `--quiet` and in CI.
fn short(cli: &Cli) -> bool {
    matches!(&cli.command, Command::Check(args) if args.quiet)
        || matches!(&cli.command, Command::Trend(args) if args.quiet)
        || std::env::var_os("CI").is_some_and(|v| v == "true")
}

fn complain(failure: &Failure, short: bool) {
    let mut stderr = std::io::stderr().lock();
    // There is nowhere left to report that standard error is closed.
    let _ = match failure {
        Failure::Other(error) => writeln!(stderr, "error: {error:#}"),
        Failure::Diagnostics(found) if short => found
            .iter()
            .try_for_each(|diagnostic| writeln!(stderr, "{}", diagnostic.short())),
        Failure::Diagnostics(found) => found
            .iter()
            .try_for_each(|diagnostic| writeln!(stderr, "{}\n", diagnostic.long())),
    };
}
