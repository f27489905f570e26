//! The `loadgate` command: parse, run, print the one error, exit.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use loadgate::cli::{Cli, Command};
use loadgate::commands::no_verdict::Asked;
use loadgate::commands::{self, Failure};
use loadgate::diagnostic::Diagnostic;
use loadgate::interrupt;
use loadgate::outcome::EXIT_NO_VERDICT;
use loadgate::visible;

fn main() -> ExitCode {
    interrupt::watch();
    let mut stdout = Reader::of(io::stdout().lock());
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error, &mut stdout),
    };
    let flushed = |code, stdout: &mut dyn Write| match stdout.flush() {
        Ok(()) => Ok(code),
        Err(error) => Err(Failure::of_stdout(&error)),
    };
    let run = commands::run(&cli, &mut stdout);
    match run.and_then(|code| flushed(code, &mut stdout)) {
        Ok(code) => code.into(),
        Err(failure) => {
            let problems = failure.problems();
            complain(&problems, short(&cli));
            annotate(&problems, &Asked::by(&cli));
            EXIT_NO_VERDICT.into()
        }
    }
}

/// What asks for help gets it; any other wrong command line is a problem like others.
fn misused(error: &clap::Error, stdout: &mut dyn Write) -> ExitCode {
    let text = error.render().to_string();
    if !error.use_stderr() {
        // There is nowhere left to report that standard output is closed.
        let _ = stdout.write_all(text.as_bytes());
        return ExitCode::SUCCESS;
    }
    let _ = io::stderr()
        .lock()
        .write_all(visible::lines(&text).as_bytes());
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let first = text.lines().next().unwrap_or_default();
    let problem = Diagnostic::new("usage", first.trim_start_matches("error: "))
        .help("`loadgate help` lists the commands, `--help` the flags of one");
    let known = Failure::from(problem);
    let asked = Asked::by_words(&words);
    let told = asked.tell(&known, stdout).problems();
    // The first was shown as clap shows it.
    complain(&told[1..], true);
    annotate(&told, &asked);
    EXIT_NO_VERDICT.into()
}

/// One line for each problem under `--quiet` and in CI.
fn short(cli: &Cli) -> bool {
    matches!(&cli.command, Command::Check(args) if args.quiet)
        || matches!(&cli.command, Command::Compare(args) if args.check.quiet)
        || matches!(&cli.command, Command::Trend(args) if args.quiet)
        || std::env::var_os("CI").is_some_and(|v| v == "true")
}

/// In CI the mistakes are also shown where they stand.
fn annotate(problems: &[Diagnostic], asked: &Asked) {
    // On standard error: there may be half a report on the other.
    let _ = io::stderr().write_all(asked.complaint(problems).as_bytes());
}

fn complain(problems: &[Diagnostic], short: bool) {
    let mut stderr = io::stderr().lock();
    for problem in problems {
        let text = if short {
            problem.short() + "\n"
        } else {
            problem.long() + "\n\n"
        };
        // There is nowhere left to report that standard error is closed.
        let _ = stderr.write_all(visible::lines(&text).as_bytes());
    }
}

/// Standard output, whose reader may have seen enough (`| head`): what it does not want is no error.
struct Reader<W> {
    inner: W,
    is_gone: bool,
}

impl<W: Write> Reader<W> {
    fn of(inner: W) -> Self {
        Self {
            inner,
            is_gone: false,
        }
    }

    fn unless_gone<T>(&mut self, done: io::Result<T>, otherwise: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_gone = true;
                Ok(otherwise)
            }
            other => other,
        }
    }
}

impl<W: Write> Write for Reader<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_gone {
            return Ok(bytes.len());
        }
        let written = self.inner.write(bytes);
        self.unless_gone(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_gone {
            return Ok(());
        }
        let flushed = self.inner.flush();
        self.unless_gone(flushed, ())
    }
}
