//! `report.html`: one self-contained page. Every value is text before it meets the templates, which have no logic but
//! loops, and escape all they are given.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use crate::analysis::Analysis;

mod comparison;
mod endpoints;
mod errors;
pub(in crate::report) mod figures;
mod gates;
pub(in crate::report) mod names;
mod no_verdict;
mod notes;
#[cfg(test)]
mod palette;
pub(in crate::report) mod policy;
mod rates;
mod top;

pub use no_verdict::no_verdict;

/// The style of every page.
pub(in crate::report) const STYLE: &str = include_str!("../../templates/report.css");
/// The script of every page that has charts or tables to sort.
pub(in crate::report) const SCRIPT: &str = include_str!("../../templates/report.js");
/// What stands where nothing was measured.
const NONE: &str = "–";

/// The page and its parts, by the names under which they include each other.
const TEMPLATES: [(&str, &str); 11] = [
    ("report.html", include_str!("../../templates/report.html")),
    (
        "words.html",
        include_str!("../../templates/report/words.html"),
    ),
    ("top.html", include_str!("../../templates/report/top.html")),
    (
        "gates.html",
        include_str!("../../templates/report/gates.html"),
    ),
    (
        "figures.html",
        include_str!("../../templates/report/figures.html"),
    ),
    (
        "rates.html",
        include_str!("../../templates/report/rates.html"),
    ),
    (
        "fields.html",
        include_str!("../../templates/report/fields.html"),
    ),
    (
        "comparison.html",
        include_str!("../../templates/report/comparison.html"),
    ),
    (
        "endpoints.html",
        include_str!("../../templates/report/endpoints.html"),
    ),
    (
        "errors.html",
        include_str!("../../templates/report/errors.html"),
    ),
    (
        "notes.html",
        include_str!("../../templates/report/notes.html"),
    ),
];

/// Renders the whole page.
pub fn render(analysis: &Analysis) -> anyhow::Result<String> {
    let environment = environment()?;
    let groups = figures::groups(analysis)?;
    let anchors = figures::anchors(&groups, analysis);
    let page = environment.get_template("report.html")?.render(context! {
        policy => policy::policy(STYLE, Some(SCRIPT)),
        style => Value::from_safe_string(STYLE.to_owned()),
        script => Value::from_safe_string(SCRIPT.to_owned()),
        icon => policy::icon(analysis.outcome.verdict),
        readings => Value::from_safe_string(figures::readings(&groups)?),
        top => top::view(analysis),
        gates => gates::view(analysis, &anchors),
        groups => figures::views(&groups),
        rates => rates::view(analysis),
        comparison => comparison::view(analysis),
        endpoints => endpoints::view(analysis)?,
        errors => errors::view(&analysis.summary),
        notes => notes::view(&analysis.summary),
    })?;
    Ok(page)
}

/// An environment in which everything is escaped, and nothing may be left undefined.
pub(in crate::report) fn strict<'s>() -> Environment<'s> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment
}

fn environment() -> anyhow::Result<Environment<'static>> {
    let mut environment = strict();
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn hostile_names_stay_text() {
        let page = render(&fixture::analysis(100)).expect("renders");
        assert!(!page.contains("<script>alert"), "a name became markup");
        assert!(page.contains("&lt;script&gt;alert"));
        assert!(!page.contains('\u{202e}'), "a name turns the text around");
        let addresses = page.matches("http://").count() + page.matches("https://").count();
        assert_eq!(
            addresses,
            page.matches("http://www.w3.org/2000/svg").count()
        );
    }

    #[test]
    fn nothing_needs_an_exception_from_the_policy() {
        let page = render(&fixture::analysis(100)).expect("renders");
        assert!(
            page.contains("default-src &#x27;none&#x27;; style-src &#x27;sha256-")
                && !page.contains("unsafe")
        );
        assert!(!page.contains(" style=") && !page.contains(" onclick"));
    }

    #[test]
    fn a_run_without_requests_has_a_page() {
        let page = render(&fixture::analysis(0)).expect("renders");
        assert!(page.contains("Undecided") && !page.contains("class=\"plot\""));
    }

    #[test]
    fn the_same_run_is_the_same_page() {
        let page = || render(&fixture::analysis(100)).expect("renders");
        assert_eq!(page(), page());
    }
}
