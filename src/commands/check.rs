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
use crate::input::{self, Options, Span};
use crate::outcome::Outcome;
use crate::place::Forget;
use crate::progress::Progress;
use crate::report::{Destinations, terminal};
use crate::summary::{About, Summary};

mod record;
mod trend;

/// The gate file that is read when none is named.
pub(super) const DEFAULT_CONFIG: &str = "loadgate.toml";

/// Why a run is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To judge it against gates.
    Judge,
    /// To see what differs from the baseline; that nothing has regressed is then a criterion of its own.
    Compare,
}

/// Runs the whole pipeline; the answer is the exit code. Without a verdict, what collects reports is told why.
pub fn run(args: &Check, purpose: Purpose, stdout: &mut dyn Write) -> Result<u8, Failure> {
    judged(args, purpose, stdout).map_err(|failure| Asked::by_check(args).tell(&failure, stdout))
}

fn judged(args: &Check, purpose: Purpose, stdout: &mut dyn Write) -> Result<u8, Failure> {
    let destinations = destinations(args);
    let config = configuration(args, &destinations)?;
    let mut analysis = analyse(args, purpose, &config)?;
    follow(args, &config, &mut analysis);
    destinations.write(&analysis, stdout)?;
    if let Some(history) = &args.record {
        record::record(history, &analysis, &config.expected, args, stdout)?;
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
fn follow(args: &Check, config: &Config, analysis: &mut Analysis) {
    let Some(history) = &args.record else { return };
    let entry = record::entry(analysis, &config.expected);
    match trend::with(history, entry, args.allow_bad_lines) {
        Ok(trend) => analysis.trend = trend,
        Err(why) => {
            let why = Forget::new(sources::named(args)).within(&why);
            analysis.summary.notes.push(format!(
                "the history cannot be followed, so no trend is shown: {why}"
            ));
        }
    }
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
fn configuration(args: &Check, destinations: &Destinations) -> Result<Config, Failure> {
    let mut problems = Vec::new();
    let mut config = match read_config(args) {
        Ok(config) => config,
        Err(found) => {
            problems.extend(found);
            Config::default()
        }
    };
    for (i, expression) in args.require.iter().enumerate() {
        match config::require(expression, i + 1) {
            Ok(gate) => config.gates.push(gate),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(span(args, &mut config.span));
    config.map.extend(args.map.iter().cloned());
    problems.extend(sources::overwritten(
        args,
        &config.map,
        &destinations.paths(),
    ));
    if let Err(found) = destinations.check() {
        problems.extend(found);
    }
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(problems.into())
    }
}

/// What the flags say of the part of the run that counts; they override the gate file.
fn span(args: &Check, span: &mut Span) -> Vec<Diagnostic> {
    let wrong = |flag: &str, text: &str, what: &str, help: &str| {
        Diagnostic::new("bad-value", format!("`{text}` is not a {what}"))
            .at(Origin::file(flag))
            .help(help)
    };
    let mut problems = Vec::new();
    if let Some(text) = &args.warmup {
        span.warmup_ms = config::expression::duration_ms(text);
        if span.warmup_ms.is_none() {
            let help = "write `30s`, `500ms` or `2min`";
            problems.push(wrong("--warmup", text, "duration", help));
        }
    }
    let flags = [
        ("--from", &args.from, &mut span.from),
        ("--to", &args.to, &mut span.to),
    ];
    for (flag, text, moment) in flags {
        if let Some(text) = text {
            *moment = config::moment(text);
            if moment.is_none() {
                let help =
                    "write `2026-01-31T12:00:00Z`, or `30s` for that long after the first start";
                problems.push(wrong(flag, text, "moment", help));
            }
        }
    }
    if let (Some(from), Some(to)) = (span.from, span.to)
        && from.is_surely_after(to)
    {
        problems.push(
            Diagnostic::new("bad-value", "`from` is not before `to`".to_owned())
                .at(Origin::file("--from"))
                .help("nothing would count: swap them, or leave one out"),
        );
    }
    if let Some(phase) = args.phase {
        span.steady = phase == Phase::Steady;
    }
    problems
}

fn read_config(args: &Check) -> Result<Config, Vec<Diagnostic>> {
    let path = match &args.config {
        Some(path) => path.as_path(),
        None if Path::new(DEFAULT_CONFIG).is_file() => Path::new(DEFAULT_CONFIG),
        None => return Ok(Config::default()),
    };
    let name = as_seen_from_here(path);
    let text = std::fs::read_to_string(path).map_err(|error| {
        vec![
            Diagnostic::new(
                "missing-input",
                format!("cannot read the gate file: {error}"),
            )
            .at(Origin::file(&name))
            .help("`--config` takes the path of a `loadgate.toml`"),
        ]
    })?;
    config::parse(&text, &name)
}

/// A path below the working directory without it: reports tell nothing of the machine, and annotations stand at a file of
/// the repository.
fn as_seen_from_here(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok());
    below.unwrap_or(path).display().to_string()
}

fn analyse(args: &Check, purpose: Purpose, config: &Config) -> Result<Analysis, Failure> {
    let options = Options {
        format: args.format.clone(),
        map: config.map.clone(),
        allow_bad_lines: args.allow_bad_lines,
        span: config.span,
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
    let comparison = baseline::against(args, config, &options, &mut summary)?;
    let forget = Forget::new(sources::named(args));
    for note in &mut summary.notes {
        *note = forget.within(note);
    }
    let terms = Terms {
        expected: config.expected.clone(),
        comparison: comparison.as_ref(),
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
    if first == "-" {
        return "standard input".to_owned();
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
