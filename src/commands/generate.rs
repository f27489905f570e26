//! `loadgate generate`: a scenario played and written down.

use std::io::Write;
use std::path::Path;

use anyhow::Context as _;

use super::Failure;
use crate::cli::{Generate, Written};
use crate::config::mistakes::nearest;
use crate::config::quantity::duration_ms;
use crate::diagnostic::{Diagnostic, Origin};
use crate::generate::files::Files;
use crate::generate::scenario::{self, EMBEDDED, Length, Scenario};
use crate::generate::{Generated, Job, change};
use crate::units::Unit;

/// Longest `--duration`: 30 days.
const LONGEST_MS: f64 = 30.0 * 86_400e3;
/// Latest `--start`, epoch seconds: the year 9000, so that no run leaves the years of four digits.
const LATEST_S: i64 = 221_845_392_000;

/// Generates one run; the answer is the exit code.
pub fn run(args: &Generate, stdout: &mut dyn Write) -> Result<u8, Failure> {
    if args.list {
        list(stdout)?;
        return Ok(0);
    }
    let (Some(name), Some(out)) = (&args.scenario, &args.out) else {
        // clap requires both unless there is `--list`.
        return Ok(crate::outcome::EXIT_NO_VERDICT);
    };
    let (scenario, start_us) = plan(args, name)?;
    let job = Job {
        scenario: &scenario,
        seed: args.seed,
        start_us,
        log: args.write.contains(&Written::Log),
        tables: args.write.contains(&Written::LocustCsv),
        json: args.write.contains(&Written::LocustJson),
    };
    let mut files = Files::new(out, &job.names(), args.force)?;
    let cannot_write = || format!("cannot write into `{}`", out.display());
    let generated = job.run(&mut files).with_context(cannot_write)?;
    let kept = files.keep().with_context(cannot_write)?;
    writeln!(stdout, "{}", sentence(name, args.seed, generated))?;
    for path in kept {
        writeln!(stdout, "  {}", path.display())?;
    }
    Ok(0)
}

fn list(stdout: &mut dyn Write) -> Result<(), Failure> {
    for (name, text) in EMBEDDED {
        let scenario = scenario::parse(text, name)?;
        writeln!(stdout, "{name:<16} {}", scenario.title)?;
    }
    Ok(())
}

fn sentence(name: &str, seed: u64, generated: Generated) -> String {
    format!(
        "{name}, seed {seed}: {} requests, {} failures in {}",
        Unit::Count.human(generated.requests as f64),
        Unit::Count.human(generated.failures as f64),
        Unit::Time.human(generated.end_us as f64 / 1e3),
    )
}

/// The scenario as the flags change it and the start in epoch microseconds, or everything that is wrong.
fn plan(args: &Generate, name: &str) -> Result<(Scenario, i64), Failure> {
    let mut problems = Vec::new();
    let mut note = |result: Result<(), Diagnostic>| problems.extend(result.err());
    let start = start_us(&args.start);
    note(start.as_ref().map(|_| ()).map_err(Clone::clone));
    let duration = args.duration.as_deref().map(duration_us).transpose();
    note(duration.as_ref().map(|_| ()).map_err(Clone::clone));
    let read = read(name).map(|mut scenario| {
        scenario.users = args.users.unwrap_or(scenario.users);
        scenario.spawn_rate = args.spawn_rate.unwrap_or(scenario.spawn_rate);
        scenario.length = match (&duration, args.requests) {
            (Ok(Some(us)), _) => Length::Duration(*us),
            (_, Some(count)) => Length::Requests(count),
            _ => scenario.length,
        };
        for text in &args.degrade {
            note(change::degrade(&mut scenario, text));
        }
        for text in &args.burst {
            note(change::burst(&mut scenario, text));
        }
        if let Some(text) = &args.leak {
            note(change::leak(&mut scenario, text));
        }
        for text in &args.set {
            note(change::set(&mut scenario, text));
        }
        scenario
    });
    match (read, start) {
        (Ok(scenario), Ok(start)) if problems.is_empty() => Ok((scenario, start)),
        (read, _) => {
            problems.extend(read.err().into_iter().flatten());
            Err(problems.into())
        }
    }
}

/// A scenario that ships, or the user's own file.
fn read(name: &str) -> Result<Scenario, Vec<Diagnostic>> {
    if let Some((_, text)) = EMBEDDED.iter().find(|(known, _)| *known == name) {
        return scenario::parse(text, name);
    }
    let known = EMBEDDED.map(|(name, _)| name);
    let text = std::fs::read_to_string(name).map_err(|error| {
        let help = match nearest(name, known.into_iter()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("name a scenario file, or one of {}", known.join(", ")),
        };
        let message = if Path::new(name).exists() {
            format!("cannot read the scenario file: {error}")
        } else {
            format!("`{name}` is neither a scenario that ships nor a file")
        };
        vec![
            Diagnostic::new("unknown-scenario", message)
                .at(Origin::file("--scenario"))
                .help(help),
        ]
    })?;
    scenario::parse(&text, name)
}

fn start_us(text: &str) -> Result<i64, Diagnostic> {
    let moment: Option<jiff::Timestamp> = text.parse().ok();
    moment
        .filter(|at| (0..LATEST_S).contains(&at.as_second()))
        .map(jiff::Timestamp::as_microsecond)
        .ok_or_else(|| {
            Diagnostic::new(
                "bad-value",
                format!("`{text}` is no moment from 1970 to 8999"),
            )
            .at(Origin::file("--start"))
            .help("write `2026-01-01T00:00:00Z`")
        })
}

fn duration_us(text: &str) -> Result<u64, Diagnostic> {
    duration_ms(text)
        .filter(|ms| (1e-3..=LONGEST_MS).contains(ms))
        .map(|ms| (ms * 1e3).round() as u64)
        .ok_or_else(|| {
            Diagnostic::new(
                "bad-value",
                format!("`{text}` is no duration up to 30 days"),
            )
            .at(Origin::file("--duration"))
            .help("write `30s`, `5min` or `1h`")
        })
}
