//! `loadgate.toml`: raw TOML to a valid [`Config`], every problem at once.

use crate::diagnostic::{Diagnostic, Origin, Snippet};
use crate::gate::regression::Regression;
use crate::gate::{Combine, Gate, Level, Quota, Selector};
use crate::input::{Moment, Span};
use raw::is_of_run;

pub mod expression;
pub mod file;
pub mod map;
pub(crate) mod mistakes;
pub mod quantity;
pub(crate) mod rate;
mod raw;
mod reach;

/// A valid gate file.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `[run] warmup`, `from`, `to` and `phase`.
    pub span: Span,
    /// `[run] on-undecided = "warn"`.
    pub undecided_warns: bool,
    /// `[failures] expected`.
    pub expected: Vec<u16>,
    /// `[failures] unstated = "success"`: a request whose line does not say whether it failed succeeded.
    pub unstated_success: bool,
    /// `[input.map]`: canonical field → key in the log, with an optional unit (`latency:ms`).
    pub map: Vec<(String, String)>,
    /// Every gate, in the file's order, then those of `--require`.
    pub gates: Vec<Gate>,
    /// `[regression]`.
    pub regression: Option<Regression>,
    /// Every quota, in the file's order.
    pub quotas: Vec<Quota>,
}

impl Config {
    /// Whether there is something to judge.
    pub fn judges(&self) -> bool {
        !self.gates.is_empty() || !self.quotas.is_empty() || self.regression.is_some()
    }
}

/// Reads the gate file's text. `file` is its path as the user gave it.
pub fn parse(text: &str, file: &str) -> Result<Config, Vec<Diagnostic>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    raw::Reader::new(text, file).read()
}

/// A gate from `--require EXPR [on SELECTOR]`; `number` counts the flags from 1 (`require-1`).
pub fn require(text: &str, number: usize) -> Result<Gate, Diagnostic> {
    const FLAG: &str = "--require";
    let located = |start: usize, len: usize, code, message: String, help: String| {
        let column = text[..start].chars().count();
        let len = text[start..(start + len).min(text.len())].chars().count();
        Diagnostic::new(code, message)
            .at(Origin::at(FLAG, 1, column as u64 + 1))
            .snippet(Snippet {
                text: text.to_owned(),
                start: column,
                len,
                label: String::new(),
            })
            .help(help)
    };
    let (rule, on) = expression::split_selector(text);
    let requirement =
        expression::parse(rule).map_err(|m| located(m.start, m.len, m.code, m.message, m.help))?;
    let selector = on.map(|(start, pattern)| {
        if is_of_run(&requirement.metric) {
            let metric = &requirement.metric;
            let why = format!("`{metric}` is of the whole run, whatever is selected");
            let help = "leave out `on` and what follows it".to_owned();
            return Err(located(start, pattern.len(), "no-effect", why, help));
        }
        Selector::new(&[pattern]).map_err(|(_, why)| {
            let help = "write the name of an endpoint, a glob, as `GET /users*`, or `/regex/`";
            located(start, pattern.len(), "bad-selector", why, help.to_owned())
        })
    });
    Ok(Gate {
        id: format!("require-{number}"),
        on: selector.transpose()?,
        requirements: vec![requirement],
        combine: Combine::All,
        level: Level::Fail,
        min_samples: None,
        max_missing: crate::gate::MOST_MISSING,
        floor: None,
        significant: true,
        origin: Origin::file(FLAG),
    })
}

/// A moment of the run: RFC 3339, or a duration after the first start (`30s`).
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(moment) = text.trim().parse::<jiff::Timestamp>() {
        return Ok(Moment::At(moment.as_millisecond()));
    }
    let after = quantity::duration(text).map(Moment::After);
    after.map_err(|why| match quantity::number_and_unit(text) {
        Some((_, unit)) if quantity::time_factor(unit).is_some() => why,
        _ => format!("`{text}` is not a moment"),
    })
}

#[cfg(test)]
mod tests;
