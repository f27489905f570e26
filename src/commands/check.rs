//! `loadgate check`: read, measure, judge, report.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use super::no_verdict::Asked;
use super::{Failure, baseline, is_colored, say, say_in_color, sources};
use crate::analysis::Analysis;
use crate::ci::Ci;
use crate::cli::{Check, Phase};
use crate::config::{self, Config};
use crate::diagnostic::{Diagnostic, Origin};
use crate::gate::{Terms, comparison, judge, quota, regression};
use crate::input::{self, Moment, Options, Span, open};
use crate::outcome::Outcome;
use crate::place::Forget;
use crate::progress::Progress;
use crate::report::{Destinations, terminal};
use crate::summary::{About, Summary};

mod record;
mod trend;

/// What a run is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Its gates.
    Check,
    /// What differs from its baseline; gates are optional.
    Compare,
}

/// Runs the whole pipeline; the answer is the exit code. Without a verdict, what collects reports is told why.
pub fn run(args: &Check, purpose: Purpose, stdout: &mut dyn Write) -> Result<u8, Failure> {
    judged(args, purpose, stdout).map_err(|failure| Asked::by_check(args).tell(&failure, stdout))
}

fn judged(args: &Check, purpose: Purpose, stdout: &mut dyn Write) -> Result<u8, Failure> {
    let destinations = destinations(args);
    let config = configuration(args, purpose, &destinations)?;
    let mut analysis = analyse(args, purpose, &config)?;
    follow(args, &config, &mut analysis)?;
    // First of all, so that no report tells of a run that was not recorded.
    let recorded = args.record.as_ref().map(|history| {
        let appended = record::record(history, &analysis, &config.expected);
        appended.map(|appended| (history, appended))
    });
    let recorded = recorded.transpose()?;
    destinations.write(&analysis, stdout)?;
    if let Some((history, appended)) = recorded {
        record::tell(history, &appended, args, stdout)?;
    }
    let taken = destinations.uses_stdout();
    if let Some(ci) = Ci::from_environment(args.announce.ci) {
        // A CI system reads both streams; data alone goes to standard output.
        let mut stderr = std::io::stderr().lock();
        let log: &mut dyn Write = if taken { &mut stderr } else { stdout };
        ci.announce(&analysis, args.out.as_deref(), log)?;
    }
    if !taken {
        show(args, &analysis, stdout)?;
    }
    Ok(analysis.outcome.exit_code)
}

/// Sets the run among those before it in the history it will be recorded in.
fn follow(args: &Check, config: &Config, analysis: &mut Analysis) -> Result<(), Failure> {
    if let Some(history) = &args.record {
        let entry = record::entry(analysis, &config.expected);
        analysis.trend = trend::with(history, entry, args.allow_bad_lines)?;
    }
    Ok(())
}

pub(super) fn destinations(args: &Check) -> Destinations {
    Destinations {
        out: args.out.clone(),
        html: args.html.clone(),
        json: args.json.clone(),
        csv: args.csv.clone(),
        junit: args.junit.clone(),
        markdown: args.markdown.clone(),
        openmetrics: args.announce.openmetrics.clone(),
        slack: args.announce.slack.clone(),
        teams: args.announce.teams.clone(),
    }
}

/// Everything that can be wrong before a byte of data is read, all at once.
fn configuration(
    args: &Check,
    purpose: Purpose,
    destinations: &Destinations,
) -> Result<Config, Failure> {
    let mut problems = Vec::new();
    let named = gate_file(args.config.as_deref());
    let mut config = match named.map_or_else(|| Ok(Config::default()), read_gate_file) {
        Ok(config) => config,
        Err(found) => {
            problems.extend(found);
            Config::default()
        }
    };
    if let Some(path) = named
        && problems.is_empty()
        && purpose == Purpose::Check
        && args.require.is_empty()
        && !config.judges()
    {
        problems.push(no_gates(path));
    }
    for (i, expression) in args.require.iter().enumerate() {
        match config::require(expression, i + 1) {
            Ok(gate) => {
                problems.extend(taken(&gate.id, &config));
                config.gates.push(gate);
            }
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(span(args, &mut config.span));
    problems.extend(map(args, &mut config.map));
    problems.extend(sources::overwritten(
        args,
        &config.map,
        &destinations.paths(),
    ));
    if let Err(found) = destinations.check() {
        problems.extend(found);
    }
    if let Some(history) = &args.record {
        problems.extend(record::problems(history, args.allow_bad_lines));
    }
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(problems.into())
    }
}

/// What the flags say of the part of the run that counts; they override the gate file.
fn span(args: &Check, span: &mut Span) -> Vec<Diagnostic> {
    let wrong = |flag: &str, why: String, help: &str| {
        Diagnostic::new("bad-value", why)
            .at(Origin::file(flag))
            .help(help)
    };
    let mut problems = Vec::new();
    if let Some(text) = &args.warmup {
        let help = "write `30s`, `500ms` or `2min`";
        span.warmup_ms = config::quantity::duration(text)
            .map_err(|why| problems.push(wrong("--warmup", why, help)))
            .ok();
    }
    let flags = [
        ("--from", &args.from, &mut span.from),
        ("--to", &args.to, &mut span.to),
    ];
    for (flag, text, moment) in flags {
        if let Some(text) = text {
            let help = "write `2026-01-31T12:00:00Z`, or `30s` for that long after the first start";
            *moment = config::moment(text)
                .map_err(|why| problems.push(wrong(flag, why, help)))
                .ok();
        }
    }
    let begins = [
        ("--from", "from", span.from),
        ("--warmup", "warmup", span.warmup_ms.map(Moment::After)),
    ];
    for (flag, what, begin) in begins {
        if let (Some(begin), Some(to)) = (begin, span.to)
            && begin.is_surely_after(to)
        {
            let help = "nothing would count: swap them, or leave one out";
            problems.push(wrong(flag, format!("`{what}` is not before `to`"), help));
        }
    }
    if let Some(phase) = args.phase {
        span.steady = phase == Phase::Steady;
    }
    problems
}

/// What the flags say of where a log keeps its fields; they override the gate file.
fn map(args: &Check, map: &mut Vec<(String, String)>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (i, (field, key)) in args.map.iter().enumerate() {
        let mut wrong = |code, message: String, help: String| {
            let problem = Diagnostic::new(code, message).at(Origin::file("--map"));
            problems.push(problem.help(help));
        };
        if let Err((code, message, help)) = config::map::check(field, key) {
            wrong(code, message, help);
        }
        if args.map[..i].iter().any(|(other, _)| other == field) {
            let message = format!("`{field}` is mapped twice");
            wrong("bad-value", message, "leave one out".to_owned());
        }
        map.retain(|(other, _)| other != field);
    }
    map.extend(args.map.iter().cloned());
    problems
}

/// The gate file that was named, or that is there.
pub(super) fn gate_file(named: Option<&Path>) -> Option<&Path> {
    let default = || config::file::default_is_there().then(|| Path::new(config::file::DEFAULT));
    named.or_else(default)
}

/// Reads a gate file.
pub(super) fn read_gate_file(path: &Path) -> Result<Config, Vec<Diagnostic>> {
    let name = as_seen_from_here(path);
    config::parse(&config::file::read(path, &name)?, &name)
}

/// A gate file may have called a rule as those of the command line are called.
fn taken(id: &str, config: &Config) -> Option<Diagnostic> {
    let gates = config.gates.iter().map(|gate| &gate.id);
    let mut ids = gates.chain(config.quotas.iter().map(|quota| &quota.id));
    let message = format!("the gate file has a rule `{id}`, as this one is called");
    ids.any(|other| other == id).then(|| {
        Diagnostic::new("duplicate-id", message)
            .at(Origin::file("--require"))
            .help("give the rule of the gate file another id")
    })
}

fn no_gates(path: &Path) -> Diagnostic {
    let message =
        "the gate file holds no gate, no quota and no `[regression]`: nothing would be judged";
    Diagnostic::new("no-gates", message)
        .at(Origin::file(as_seen_from_here(path)))
        .help(
            "`loadgate init` proposes gates, `--require 'p95 < 500ms'` adds one; `loadgate explain no-gates` says more",
        )
}

/// A path below the working directory without it: reports tell nothing of the machine, and annotations stand at a file of
/// the repository.
fn as_seen_from_here(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok());
    let below = below.filter(|below| !below.as_os_str().is_empty());
    below.unwrap_or(path).display().to_string()
}

fn analyse(args: &Check, purpose: Purpose, config: &Config) -> Result<Analysis, Failure> {
    let options = Options {
        format: args.format.clone(),
        map: config.map.clone(),
        allow_bad_lines: args.allow_bad_lines,
        span: config.span,
        unstated_success: config.unstated_success,
        progress: Progress::new(),
    };
    let loaded = input::load(&args.runs, &options)?;
    let mut metadata: BTreeMap<String, String> = args.label.iter().cloned().collect();
    let label = metadata.remove("name").unwrap_or_else(|| label(&args.runs));
    let about = About {
        label,
        sources: loaded.sources,
        metadata,
        notes: loaded.notes,
    };
    let mut summary = Summary::new(loaded.tally, about);
    let baseline = baseline::against(args, purpose, config, &options, &mut summary)?;
    let comparison = baseline.comparison;
    let forget = Forget::new(sources::named(args));
    for note in &mut summary.notes {
        *note = forget.within(note);
    }
    let terms = Terms {
        expected: config.expected.clone(),
        comparison: comparison.as_ref(),
        waiting: baseline.waiting,
        policy: config
            .regression
            .as_ref()
            .map(|r| r.policy)
            .unwrap_or_default(),
    };
    let mut verdicts = judge(&summary, &config.gates, &terms);
    let judged = quota::judge(&summary, &config.quotas);
    let (quotas, of_quotas): (Vec<_>, Vec<_>) = judged.into_iter().unzip();
    verdicts.extend(of_quotas);
    if let Some(rule) = &config.regression {
        verdicts.extend(regression::judge(&summary, rule, &terms));
    }
    let compared = comparison.as_ref().filter(|_| purpose == Purpose::Compare);
    // `[regression]` says itself what follows from a regression.
    if let Some(comparison) = compared.filter(|_| config.regression.is_none()) {
        verdicts.push(comparison::judge(comparison));
    }
    let outcome = Outcome {
        compared: compared.map(comparison::clause),
        ..Outcome::new(&verdicts, config.undecided_warns)
    };
    Ok(Analysis {
        summary,
        comparison,
        verdicts,
        quotas,
        outcome,
        trend: None,
    })
}

/// The run's name when it was given none: the last part of the first input's path.
fn label(runs: &[String]) -> String {
    let first = runs.first().map_or("-", String::as_str);
    if open::is_stdin(first) {
        return "standard input".to_owned();
    }
    if first.starts_with("/dev/fd/") {
        return "pipe".to_owned();
    }
    Path::new(first).file_name().map_or_else(
        || "run".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn show(args: &Check, analysis: &Analysis, stdout: &mut dyn Write) -> Result<(), Failure> {
    if args.quiet {
        return say(stdout, &format!("{}\n", analysis.outcome.sentence()));
    }
    let color = is_colored(args.color);
    say_in_color(stdout, &terminal::render(analysis, color), color)
}
