//! `report.html`: one self-contained page. Every value is text before it meets the template, which has no logic but
//! loops, and escapes all it is given.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use super::chart;
use crate::analysis::Analysis;
use crate::gate::{Decision, Level, Verdict};
use crate::metric::Metric;
use crate::summary::{EndpointSummary, ErrorSummary, Summary};
use crate::units::{Unit, moment};

const PAGE: &str = include_str!("../../templates/report.html");
const STYLE: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/report.js");
const NONE: &str = "–";

/// Renders the whole page.
pub fn render(analysis: &Analysis) -> anyhow::Result<String> {
    let summary = &analysis.summary;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("report.html", PAGE)?;
    let page = environment.get_template("report.html")?.render(context! {
        style => Value::from_safe_string(STYLE.to_owned()),
        script => Value::from_safe_string(SCRIPT.to_owned()),
        verdict => analysis.outcome.verdict,
        symbol => symbol(analysis.outcome.verdict),
        outcome => analysis.outcome.sentence(),
        label => summary.label,
        facts => facts(summary),
        gates => gates(&analysis.verdicts),
        charts => charts(analysis)?,
        endpoints => summary.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        total => endpoint(&summary.total),
        errors => summary.errors.iter().map(error).collect::<Vec<_>>(),
        notes => summary.notes,
        sources => summary.sources,
        metadata => summary.metadata.iter().map(|(k, v)| format!("{k} = {v}")).collect::<Vec<_>>(),
    })?;
    Ok(page)
}

fn symbol(verdict: &str) -> &'static str {
    match verdict {
        "pass" => "✓",
        "fail" => "✗",
        _ => "?",
    }
}

fn facts(summary: &Summary) -> Vec<Value> {
    let fact = |name: &str, value: Option<String>| {
        let value = value.unwrap_or_else(|| "not known".to_owned());
        context! { name, value }
    };
    vec![
        fact(
            "Requests",
            Some(Unit::Count.human(summary.total.requests as f64)),
        ),
        fact(
            "Failed",
            summary.total.failure_ratio.map(|r| Unit::Ratio.human(r)),
        ),
        fact(
            "Duration",
            summary.duration_s.map(|s| Unit::Time.human(s * 1e3)),
        ),
        fact(
            "Users, at most",
            summary.users_max.map(|u| Unit::Count.human(u as f64)),
        ),
        fact(
            "Requests per second",
            summary.total.rps.map(|r| Unit::PerSecond.human(r)),
        ),
        fact(
            "Started",
            summary
                .started_ms
                .map(|ms| moment(ms - ms.rem_euclid(1000))),
        ),
    ]
}

fn gates(verdicts: &[Verdict]) -> Vec<Value> {
    let mut sorted: Vec<&Verdict> = verdicts.iter().collect();
    sorted.sort_by_key(|v| match v.decision {
        Decision::Fail => 0,
        Decision::Undecided => 1,
        Decision::Pass => 2,
    });
    let card = |v: &Verdict| {
        let human = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |x| v.unit.human(x));
        context! {
            id => v.id,
            require => v.require,
            endpoint => v.endpoint_name(),
            verdict => v.decision.name(),
            symbol => symbol(v.decision.name()),
            level => if v.level == Level::Warn { ", warns only" } else { "" },
            observed => human(v.observed),
            limit => human(v.limit),
            margin => human(v.margin),
            samples => Unit::Count.human(v.samples as f64),
            because => v.because,
            origin => v.origin.to_string(),
        }
    };
    sorted.into_iter().map(card).collect()
}

fn charts(analysis: &Analysis) -> anyhow::Result<Vec<Value>> {
    let timeline = &analysis.summary.timeline;
    if timeline.rows.is_empty() {
        return Ok(Vec::new());
    }
    let figure = |title: &str, caption: String, svg: String| {
        context! { title, caption, svg => Value::from_safe_string(svg) }
    };
    let interval = format!("per {} s", timeline.interval_s);
    let mut charts = Vec::new();
    if timeline.rows.iter().any(|r| r.p95.is_some()) {
        let caption =
            format!("p50, p95 and p99 {interval}; limits of gates on the whole run are drawn in.");
        charts.push(figure(
            "Response time",
            caption,
            chart::response_times(timeline, &limits(analysis))?,
        ));
    }
    if timeline.rows.iter().any(|r| r.requests > 0) {
        let caption = format!("Requests and failures per second, {interval}.");
        charts.push(figure("Throughput", caption, chart::throughput(timeline)?));
    }
    if timeline.rows.iter().any(|r| r.users.is_some()) {
        charts.push(figure(
            "Users",
            format!("Most concurrent users {interval}."),
            chart::users(timeline)?,
        ));
    }
    Ok(charts)
}

/// Limits on the run's response times that can be drawn: label and milliseconds.
fn limits(analysis: &Analysis) -> Vec<(String, f64)> {
    let drawable = |v: &&Verdict| {
        v.selector.is_none() && matches!(v.metric, Metric::Quantile(_) | Metric::Mean)
    };
    let limit = |v: &Verdict| Some((format!("{}: {}", v.id, v.require), v.limit?));
    analysis
        .verdicts
        .iter()
        .filter(drawable)
        .filter_map(limit)
        .collect()
}

/// A cell: the text, and the number by which it sorts.
fn cell(value: Option<f64>, unit: Unit) -> Value {
    let (text, sort) = match value {
        None => (NONE.to_owned(), "-1".to_owned()),
        Some(v) if unit == Unit::Time => (format!("{v:.1}"), v.to_string()),
        Some(v) if unit == Unit::Ratio => (format!("{:.2}", v * 100.0), v.to_string()),
        Some(v) if unit == Unit::PerSecond => (format!("{v:.2}"), v.to_string()),
        Some(v) => (unit.human(v), v.to_string()),
    };
    context! { text, sort }
}

fn endpoint(summary: &EndpointSummary) -> Value {
    let times = &summary.response_time;
    let quantile = |q: u32| cell(times.quantiles.get(&q).copied(), Unit::Time);
    context! {
        name => summary.name(),
        cells => vec![
            cell(Some(summary.requests as f64), Unit::Count),
            cell(summary.failure_ratio, Unit::Ratio),
            cell(summary.rps, Unit::PerSecond),
            cell(times.mean, Unit::Time),
            quantile(500_000),
            quantile(950_000),
            quantile(990_000),
            cell(times.max, Unit::Time),
        ],
    }
}

fn error(summary: &ErrorSummary) -> Value {
    context! {
        endpoint => summary.endpoint.to_string(),
        status => summary.status.map_or_else(|| NONE.to_owned(), |s| s.to_string()),
        category => summary.category.name(),
        message => summary.message,
        count => Unit::Count.human(summary.count as f64),
        share => summary.share.map_or_else(|| NONE.to_owned(), |s| Unit::Ratio.human(s)),
        seen => match (summary.first_ms, summary.last_ms) {
            (Some(first), Some(last)) => format!("{} to {}", moment(first), moment(last)),
            _ => "not known".to_owned(),
        },
    }
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
        assert!(page.contains("Content-Security-Policy"));
        assert!(
            !page.contains("http://")
                || page.matches("http://").count() == page.matches("http://www.w3.org/").count()
        );
    }

    #[test]
    fn a_run_without_requests_has_a_page() {
        let page = render(&fixture::analysis(0)).expect("renders");
        assert!(page.contains("UNDECIDED") && !page.contains("<svg"));
    }

    #[test]
    fn the_same_run_is_the_same_page() {
        let page = || render(&fixture::analysis(100)).expect("renders");
        assert_eq!(page(), page());
    }
}
