//! The page of no verdict: every problem, with its place and what to do. It stands where a report of this run would, so that
//! none of an earlier run is taken for it.

use minijinja::{Value, context};

use super::{STYLE, names, policy, strict};
use crate::diagnostic::Diagnostic;
use crate::report::no_verdict::NoVerdict;

const PAGE: &str = include_str!("../../../templates/no_verdict.html");

/// Renders the page.
pub fn no_verdict(why: &NoVerdict) -> anyhow::Result<String> {
    let mut environment = strict();
    environment.add_template("no_verdict.html", PAGE)?;
    let count = match why.problems.len() {
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    };
    let page = environment
        .get_template("no_verdict.html")?
        .render(context! {
            policy => policy::policy(STYLE, None),
            icon => policy::icon("fail"),
            style => Value::from_safe_string(STYLE.to_owned()),
            count,
            problems => why.problems.iter().map(problem).collect::<Vec<_>>(),
        })?;
    Ok(page)
}

fn problem(problem: &Diagnostic) -> Value {
    context! {
        code => problem.code,
        place => problem.origin.as_ref().map(|origin| names::visible(&origin.to_string())),
        message => names::visible(&problem.message),
        snippet => problem.shown_line().map(|shown| shown.join("\n")),
        help => problem.help.as_deref().map(names::visible),
    }
}
