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
        significant: false,
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
mod tests {
    use super::*;

    #[test]
    fn ten_mistakes_give_ten_messages() {
        let text = include_str!("../testdata/broken/ten_mistakes.toml");
        let problems = parse(text, "ten_mistakes.toml").expect_err("ten mistakes");
        let shown: Vec<String> = problems.iter().map(Diagnostic::short).collect();
        assert_eq!(problems.len(), 10, "{}", shown.join("\n"));
        for problem in &problems {
            assert!(
                problem.origin.as_ref().is_some_and(|o| o.line.is_some()),
                "{}",
                problem.short()
            );
        }
    }

    #[test]
    fn a_whole_gate_file() {
        let text = r#"
[run]
warmup = "30s"
on-undecided = "warn"
[failures]
expected = [403, 404, 409]
[input.map]
response_time = "took:ms"
[[gate]]
id = "a"
require = ["p95 < 1s", "p99 < 2s"]
on = ["FINALIZAR*", "/^GET/"]
[[gate]]
id = "b"
any = ["rps > 50", "p50 < 1s"]
level = "warn"
min-samples = 5
[[gate]]
id = "c"
require = "p95 <= baseline + 20%"
floor = "20ms"
on = "*"
"#;
        let config = parse(text, "loadgate.toml").expect("valid");
        assert_eq!(
            (config.span.warmup_ms, config.undecided_warns),
            (Some(30_000.0), true)
        );
        assert_eq!(config.expected, [403, 404, 409]);
        assert_eq!(
            config.map,
            [("response_time".to_owned(), "took:ms".to_owned())]
        );
        assert_eq!(config.gates.len(), 3);
        assert_eq!(config.gates[1].combine, Combine::Any);
        assert_eq!(config.gates[2].floor, Some(20.0));
        assert_eq!(config.gates[0].origin.line, Some(10));
    }

    #[test]
    fn every_mistake_in_a_quota_is_told() {
        let text = include_str!("../testdata/broken/quotas.toml");
        let problems = parse(text, "quotas.toml").expect_err("mistakes");
        let shown: Vec<String> = problems.iter().map(Diagnostic::short).collect();
        let expected = [
            "quotas.toml:6:6: error[duplicate-id]: there are two rules `Q`",
            "quotas.toml:9:1: error[missing-key]: the quota has no `id`",
            "quotas.toml:12:1: error[missing-key]: quota `no-limit` has no `limit`",
            "quotas.toml:17:9: error[bad-value]: `sixty per minute` is not a rate",
            "quotas.toml:18:8: error[bad-value]: a cost is a measured field, or a whole number from 1",
            "quotas.toml:19:9: error[bad-value]: `20 in 10s` is not a rate",
            "quotas.toml:20:10: error[bad-value]: `1/s` is not a token bucket",
            "quotas.toml:21:9: error[bad-value]: `maybe` is not a level",
            "quotas.toml:22:1: error[unknown-key]: unknown key `targets`",
            "quotas.toml:27:10: error[bad-value]: a target of `120%` is not above 0 and up to the limit",
            "quotas.toml:28:6: error[bad-selector]:",
        ];
        assert_eq!(shown.len(), expected.len(), "{}", shown.join("\n"));
        for (shown, expected) in shown.iter().zip(expected) {
            assert!(shown.starts_with(expected), "{shown}\n{expected}");
        }
    }

    #[test]
    fn carets_stand_under_the_mistake() {
        let problems = parse(
            "[[gate]]\nid = \"x\"\nrequire = \"p95th < 500ms\"\n",
            "loadgate.toml",
        )
        .expect_err("a mistake");
        assert_eq!(
            problems[0].origin.as_ref().map(ToString::to_string),
            Some("loadgate.toml:3:12".to_owned())
        );
        assert_eq!(
            problems[0].snippet.as_ref().map(|s| (s.start, s.len)),
            Some((11, 5))
        );
    }

    #[test]
    fn require_may_name_endpoints() {
        assert!(
            require("p95 < 1s on GET /a*", 1)
                .expect("valid")
                .on
                .is_some()
        );
        assert_eq!(
            require("p95 < 500", 1).expect_err("no unit").code,
            "bad-unit"
        );
    }
}
