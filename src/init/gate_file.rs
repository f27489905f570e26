//! A gate file proposed from a run: what was observed, with room, and a comment that says how much the data can bear.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::headroom::{ROOM, above, round_up};
use crate::gate::selector::exactly;
use crate::metric::measure::{interval, measure, minimum_samples};
use crate::metric::{Aggregate, Context, Measurement, Metric};
use crate::migrate::gate_file::{one_line, quoted, unique};
use crate::summary::{EndpointSummary, Summary};
use crate::tally::Evidence;
use crate::units::{Unit, quantile_name};

/// Endpoints that get a gate of their own, the busiest first.
const MOST_ENDPOINTS: usize = 12;
/// Measured fields that get a gate.
const MOST_FIELDS: usize = 12;
/// Smallest limits that are worth a gate: a tenth of a percent of failures, a response time of 5 ms.
const SMALLEST_RATIO: f64 = 0.001;
const SMALLEST_MS: f64 = 5.0;
/// Failure ratios up to this are usual; above it the failures may be meant.
const USUAL_FAILURES: f64 = 0.01;

/// Writes the gate file for a run. `command` reads the run again.
pub fn propose(summary: &Summary, runs: &[String]) -> String {
    let mut text = head(summary, runs);
    let context = Context {
        duration_s: summary.duration_s,
        users_max: summary.users_max,
        expected: Vec::new(),
    };
    expected_failures(&mut text, summary);
    let total = &summary.total;
    requests(&mut text, total);
    failures(&mut text, total, &context);
    for (id, q) in [("total-p95", 0.95), ("total-p99", 0.99)] {
        quantile(&mut text, id, total, q, None, &context);
    }
    endpoints(&mut text, summary, &context);
    fields(&mut text, total, &context);
    text.push('\n');
    text.push_str(super::REGRESSION);
    text
}

fn head(summary: &Summary, runs: &[String]) -> String {
    let total = &summary.total;
    let mut facts = vec![format!(
        "{} requests",
        Unit::Count.human(total.requests as f64)
    )];
    facts.extend(summary.duration_s.map(|s| Unit::Time.human(s * 1e3)));
    facts.extend(summary.users_max.map(|u| format!("{u} users")));
    let runs: Vec<String> = runs.iter().map(|run| one_line(run)).collect();
    let mut text = format!(
        "# Gates for loadgate, proposed from one run: {} ({}).\n#\n#   loadgate check {}\n#\n",
        runs.join(" "),
        facts.join(", "),
        runs.join(" ")
    );
    let _ = writeln!(
        text,
        "# Each limit is what was observed, a quarter more, rounded up. That tells when things get worse, not whether they\n\
         # are good: put the limits your users need. One run says little of how much runs differ; look at several."
    );
    let evidence = match total.evidence {
        Evidence::Requests => "# The figures are exact: they are computed from every request.",
        Evidence::Histogram | Evidence::Reported => {
            "# The figures are Locust's, which rounds response times to two digits. A request log (locust_request_log.py) gives\n\
             # exact ones, with their intervals, statuses and fields."
        }
    };
    let _ = writeln!(
        text,
        "{evidence}\n# `loadgate explain ID` says what a gate means, `loadgate metrics` what can be measured."
    );
    text
}

fn expected_failures(text: &mut String, summary: &Summary) {
    let meant: Vec<(u16, u64)> = summary
        .total
        .tally
        .failures_by_status
        .iter()
        .filter_map(|(status, n)| Some(((*status)?, *n)))
        .filter(|(status, _)| (400..500).contains(status))
        .collect();
    if meant.is_empty() {
        return;
    }
    let list: Vec<String> = meant.iter().map(|(status, _)| status.to_string()).collect();
    let counts: Vec<String> = meant
        .iter()
        .map(|(status, n)| format!("{status}: {n}"))
        .collect();
    let _ = writeln!(
        text,
        "\n# Failures that the test means to cause do not count in `unexpected_failure_ratio`. Seen here: {}.\n# [failures]\n# expected = [{}]",
        counts.join(", "),
        list.join(", ")
    );
}

fn requests(text: &mut String, total: &EndpointSummary) {
    // Half of this run's: a run that hardly ran must not pass.
    let half = (total.requests as f64 / 2.0).floor();
    let least = if half >= 1.0 { round_down(half) } else { 1.0 };
    let seen = Unit::Count.human(total.requests as f64);
    let _ = writeln!(
        text,
        "\n# Seen: {seen}. A run that hardly ran proves nothing."
    );
    gate(
        text,
        "enough-requests",
        &format!("requests >= {least}"),
        None,
    );
}

/// One significant digit.
fn round_down(value: f64) -> f64 {
    let power = 10_f64.powi(value.log10().floor() as i32);
    (value / power).floor() * power
}

fn failures(text: &mut String, total: &EndpointSummary, context: &Context) {
    let Ok(seen) = measured(&Metric::FailureRatio, total, context) else {
        return;
    };
    // As many failures as this run could have had by chance, and no fewer than a tenth of a percent.
    let upper = seen.interval.map_or(seen.value, |(_, upper)| upper);
    let limit = round_up(upper.max(SMALLEST_RATIO));
    let _ = writeln!(text, "\n# {}.", observed(&seen, Unit::Ratio));
    if seen.value > USUAL_FAILURES {
        let _ = writeln!(
            text,
            "# That is a lot: are these failures meant? Then say so in `[failures] expected`."
        );
    }
    gate(
        text,
        "failures",
        &format!("failure_ratio <= {}", percent(limit)),
        None,
    );
}

fn quantile(
    text: &mut String,
    id: &str,
    endpoint: &EndpointSummary,
    q: f64,
    on: Option<&str>,
    context: &Context,
) {
    let metric = Metric::Quantile(q);
    let name = quantile_name((q * 1e6).round() as u32);
    let place = on.map_or_else(String::new, |on| format!(" of `{}`", one_line(on)));
    let (least, has) = (minimum_samples(&metric), endpoint.requests);
    if has < least {
        let _ = writeln!(
            text,
            "\n# No {name}{place}: {has} request{}, and it takes {least} for one to mean anything. Let the test run longer.",
            if has == 1 { "" } else { "s" }
        );
        return;
    }
    let seen = match measured(&metric, endpoint, context) {
        Ok(seen) => seen,
        Err(why) => {
            let _ = writeln!(text, "\n# No {name}{place}: {}.", one_line(&why));
            return;
        }
    };
    let known = seen.precision.as_ref().map(|p| p.high);
    let upper = known.filter(|high| high.is_finite()).unwrap_or(seen.value);
    let limit = above(upper.max(SMALLEST_MS / ROOM));
    let _ = writeln!(text, "\n# {}.", observed(&seen, Unit::Time));
    if has < least * 5 {
        let _ = writeln!(
            text,
            "# Only {has} requests: this limit is a guess. Let the test run longer."
        );
    }
    gate(text, id, &format!("{name} <= {}", milliseconds(limit)), on);
}

fn endpoints(text: &mut String, summary: &Summary, context: &Context) {
    if summary.endpoints.len() < 2 {
        return;
    }
    let mut busiest: Vec<&EndpointSummary> = summary.endpoints.iter().collect();
    busiest.sort_by_key(|e| std::cmp::Reverse(e.requests));
    let mut ids = BTreeSet::new();
    for endpoint in busiest.iter().take(MOST_ENDPOINTS) {
        let on = exactly(&endpoint.name());
        let id = unique(&format!("p95-{}", endpoint.name()), &mut ids);
        quantile(text, &id, endpoint, 0.95, Some(&on), context);
    }
    let rest = busiest.len().saturating_sub(MOST_ENDPOINTS);
    if rest > 0 {
        let _ = writeln!(
            text,
            "\n# {rest} more endpoints have fewer requests; `on` gives them gates, too."
        );
    }
}

fn fields(text: &mut String, total: &EndpointSummary, context: &Context) {
    // The load generator's own memory says nothing about the system.
    let names = total
        .fields
        .keys()
        .filter(|name| !name.starts_with("generator_"));
    let mut ids = BTreeSet::new();
    for name in names.take(MOST_FIELDS) {
        let grows = name.contains("memory");
        let aggregate = if grows {
            Aggregate::Increase
        } else {
            Aggregate::Max
        };
        let word = if grows { "increase" } else { "max" };
        let is_word = name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
        let metric = Metric::Field(aggregate, name.clone());
        let Ok(seen) = measured(&metric, total, context) else {
            continue;
        };
        if !is_word {
            continue;
        }
        let _ = writeln!(text, "\n# {}.", observed(&seen, Unit::Plain));
        let is_count = seen.value.fract() == 0.0 && seen.value.abs() <= 20.0;
        let (limit, note) = if grows {
            (
                above(seen.value.max(1.0)),
                "# Growth over the run; a longer one may grow more, and `slope` is per hour.\n",
            )
        } else if is_count {
            (seen.value, "# A small whole number is taken as it is.\n")
        } else {
            (above(seen.value), "")
        };
        text.push_str(note);
        gate(
            text,
            &unique(&format!("{word}-{name}"), &mut ids),
            &format!("{word}({name}) <= {limit}"),
            None,
        );
    }
}

/// A figure with its interval.
fn measured(
    metric: &Metric,
    endpoint: &EndpointSummary,
    context: &Context,
) -> Result<Measurement, String> {
    let mut seen = measure(metric, &endpoint.tally, context)?;
    seen.interval = interval(metric, &endpoint.tally, &seen);
    Ok(seen)
}

/// `Seen: 266.1 ms (95 % interval 257.5 ms to 275.1 ms), 2,813 values`.
fn observed(seen: &Measurement, unit: Unit) -> String {
    let mut text = format!("Seen: {}", unit.human(seen.value));
    if let Some((lower, upper)) = seen.interval {
        let _ = write!(
            text,
            " (95 % interval {} to {})",
            unit.human(lower),
            unit.human(upper)
        );
    }
    let _ = write!(
        text,
        ", {} value{}",
        Unit::Count.human(seen.samples as f64),
        if seen.samples == 1 { "" } else { "s" }
    );
    if let Some(remark) = &seen.remark {
        let _ = write!(text, "; {}", one_line(remark));
    }
    text
}

fn gate(text: &mut String, id: &str, require: &str, on: Option<&str>) {
    let _ = writeln!(
        text,
        "[[gate]]\nid = {}\nrequire = {}",
        quoted(id),
        quoted(require)
    );
    if let Some(on) = on {
        let _ = writeln!(text, "on = {}", quoted(on));
    }
}

fn milliseconds(limit: f64) -> String {
    if limit >= 1000.0 {
        format!("{}s", limit / 1e3)
    } else {
        format!("{limit}ms")
    }
}

fn percent(ratio: f64) -> String {
    // 0.07 × 100 is 7.000000000000001 in floats.
    format!("{}%", (ratio * 1e8).round() / 1e6)
}
