//! The `loadgate` command: parse, run, print the one error, exit.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use loadgate::ci::Ci;
use loadgate::cli::announce::CiChoice;
use loadgate::cli::{Cli, Command};
use loadgate::commands::{self, Failure};
use loadgate::interrupt;
use loadgate::outcome::EXIT_NO_VERDICT;

fn main() -> ExitCode {
    let cli = Cli::parse();
    interrupt::watch();
    let mut stdout = std::io::stdout().lock();
    match commands::run(&cli, &mut stdout).and_then(|code| Ok(stdout.flush().map(|()| code)?)) {
        Ok(code) => code.into(),
        Err(failure) => {
            complain(&failure, short(&cli));
            annotate(&failure, &cli);
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

/// In CI the mistakes are also shown where they stand.
fn annotate(failure: &Failure, cli: &Cli) {
    let choice = match &cli.command {
        Command::Check(args) => args.announce.ci,
        _ => CiChoice::Auto,
    };
    if let (Failure::Diagnostics(found), Some(ci)) = (failure, Ci::from_environment(choice)) {
        // On standard error: there may be half a report on the other.
        let _ = std::io::stderr().write_all(ci.complain(found).as_bytes());
    }
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
