//! Every metric: how it is computed, what it needs, an example.

use crate::config::expression;
use crate::metric::measure::minimum_samples;
use crate::metric::{Aggregate, Metric};
use crate::units::{Unit, percentile_name};

/// What there is to know of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Its name in [`crate::metric::ALL`].
    pub name: &'static str,
    /// What it is, as the beginning of a sentence.
    pub meaning: &'static str,
    /// How it is computed.
    pub definition: &'static str,
    /// What a source must hold for it.
    pub needs: &'static str,
    /// A requirement with it.
    pub example: &'static str,
}

const ANY: &str = "any source: request log, Locust CSV or JSON";
const TABLE_TIME: &str = "any source; from Locust's tables it is as exact as Locust wrote it";
const STATUS: &str = "HTTP statuses, so a request log";
const EVERY: &str = "the response time of every request, so a request log";
const STARTS: &str = "the start of every request, so a request log";
const FIELD: &str =
    "a number in the lines of a request log, beside the response time or on lines of its own";

/// The metric that a text names, if it names one.
pub fn named(text: &str) -> Option<Metric> {
    // Any metric can be compared with a baseline, whatever its unit.
    let requirement = expression::parse(&format!("{text} <= baseline")).ok()?;
    (requirement.text.matches("baseline").count() == 1).then_some(requirement.metric)
}

/// What a metric is, with the percentile or the field that is meant.
pub fn meaning(metric: &Metric) -> String {
    let about = about(metric);
    match metric {
        Metric::Quantile(q) => format!("{} of the response times", percentile_name(*q)),
        Metric::Field(_, name) => format!("{} (the field is `{name}`)", about.meaning),
        Metric::Apdex(ms) => format!("{} with T = {}", about.meaning, Unit::Time.human(*ms)),
        Metric::Peak(s) => format!("the most requests in any {}", Unit::Time.human(*s * 1e3)),
        _ => about.meaning.to_owned(),
    }
}

/// What there is to know of a metric.
pub fn about(metric: &Metric) -> About {
    counts(metric).unwrap_or_else(|| figures(metric))
}

const fn new(
    name: &'static str,
    meaning: &'static str,
    definition: &'static str,
    needs: &'static str,
    example: &'static str,
) -> About {
    About {
        name,
        meaning,
        definition,
        needs,
        example,
    }
}

fn counts(metric: &Metric) -> Option<About> {
    Some(match metric {
        Metric::Requests => new(
            "requests",
            "the number of requests",
            "Every request counts once, failures included.",
            ANY,
            "requests >= 1000",
        ),
        Metric::Failures => new(
            "failures",
            "the number of failed requests",
            "A request failed if the log's `success` says so; else if it has an `error`; else if its status is 400 or above.",
            ANY,
            "failures == 0",
        ),
        Metric::FailureRatio => new(
            "failure_ratio",
            "the share of requests that failed",
            "Failures divided by requests, with Wilson's 95 % interval of as many requests as are worth an independent one.",
            ANY,
            "failure_ratio < 1%",
        ),
        Metric::SuccessRatio => new(
            "success_ratio",
            "the share of requests that did not fail",
            "1 minus the failure ratio.",
            ANY,
            "success_ratio >= 99%",
        ),
        Metric::UnexpectedFailures => new(
            "unexpected_failures",
            "the number of failures whose status is not an expected one",
            "Failures less those with a status of `[failures] expected`.",
            STATUS,
            "unexpected_failures == 0",
        ),
        Metric::UnexpectedFailureRatio => new(
            "unexpected_failure_ratio",
            "the share of requests that failed unexpectedly",
            "Unexpected failures by requests.",
            STATUS,
            "unexpected_failure_ratio < 0.5%",
        ),
        Metric::Ratio(_) => new(
            "ratio(FILTER)",
            "the share of requests that the filter selects",
            "Requests with that status (`status=429`), with a status of that class (`status=5xx`), or failures whose message matches (`error~\"text\"`), by all requests. In messages numbers and ids are `#`: `error~\"timeout after #\"`. Requests whose status the log does not say leave the value of a status open.",
            STATUS,
            "ratio(status=5xx) < 0.5%",
        ),
        Metric::Count(_) => new(
            "count(FILTER)",
            "the number of requests that the filter selects",
            "As `ratio`, not divided.",
            STATUS,
            "count(status=429) == 0",
        ),
        Metric::Users => new(
            "users",
            "the most concurrent users seen",
            "The largest number of users that any request, or Locust's history, states.",
            "the number of users in the log or in Locust's history",
            "users >= 50",
        ),
        Metric::Rps => new(
            "rps",
            "requests per second",
            "Requests by the run's duration, from the first start to the last end; from Locust's tables the rate that Locust wrote.",
            ANY,
            "rps > 50",
        ),
        Metric::Rpm => new(
            "rpm",
            "requests per minute",
            "60 times `rps`.",
            ANY,
            "rpm > 3000",
        ),
        Metric::Duration => new(
            "duration",
            "how long the run took",
            "From the first start to the last start plus its response time.",
            "start times",
            "duration >= 5min",
        ),
        _ => return None,
    })
}

fn figures(metric: &Metric) -> About {
    match metric {
        Metric::Min => new(
            "min",
            "the shortest response time",
            "The smallest of all response times, failures included.",
            TABLE_TIME,
            "min < 100ms",
        ),
        Metric::Mean => new(
            "mean",
            "the mean response time",
            "The sum of all response times by their number, failures included.",
            TABLE_TIME,
            "mean < 200ms",
        ),
        Metric::Max => new(
            "max",
            "the longest response time",
            "The largest of all response times, failures included. One request decides it: a percentile says more.",
            TABLE_TIME,
            "max < 5s",
        ),
        Metric::Stddev => new(
            "stddev",
            "the standard deviation of the response times",
            "The population's: the square root of the mean squared distance from the mean (numpy's default).",
            EVERY,
            "stddev < 100ms",
        ),
        Metric::Quantile(q) if (*q - 0.5).abs() < 1e-9 => new(
            "median",
            "the median response time",
            "p50: half of the requests were at most as long.",
            TABLE_TIME,
            "median < 200ms",
        ),
        Metric::Quantile(_) => new(
            "pN",
            "that percentile of the response times",
            "Hyndman and Fan's type 7, numpy's default `linear`: with n values in order, position (n - 1) q, interpolated between the two values beside it. All response times count, failures included, held to the microsecond. Its 95 % interval is that of order statistics, of as many requests as are worth an independent one: requests of one run depend on each other.",
            TABLE_TIME,
            "p95 < 500ms",
        ),
        Metric::Field(aggregate, _) => field(*aggregate),
        Metric::Apdex(_) => new(
            "apdex(T)",
            "the Apdex score",
            "Satisfied requests (up to T) plus half of the tolerated ones (up to 4T), by all requests; a failure is neither.",
            EVERY,
            "apdex(500ms) >= 0.9",
        ),
        Metric::Peak(window_s) if (*window_s - 1.0).abs() < 1e-9 => new(
            "peak_rps",
            "the most requests in any second",
            "The most requests whose start lies in any half-open window of 1 s, not only in the clock's seconds.",
            STARTS,
            "peak_rps <= 100",
        ),
        Metric::Peak(window_s) if (*window_s - 60.0).abs() < 1e-9 => new(
            "peak_rpm",
            "the most requests in any minute",
            "The most requests whose start lies in any half-open window of 60 s, not only in the clock's minutes.",
            STARTS,
            "peak_rpm <= 3000",
        ),
        // The rest is `peak`: what `counts` knows never comes here.
        _ => new(
            "peak(DURATION)",
            "the most requests in any window of that length",
            "The most requests whose start lies in any half-open window of that length, exact to the millisecond.",
            STARTS,
            "peak(10s) <= 20",
        ),
    }
}

fn field(aggregate: Aggregate) -> About {
    let (meaning, definition) = match aggregate {
        Aggregate::Min => (
            "the field's smallest value",
            "The smallest value of all lines that have the field.",
        ),
        Aggregate::Mean => (
            "the field's mean",
            "The sum of its values by their number; lines without the field do not count.",
        ),
        Aggregate::Max => (
            "the field's largest value",
            "The largest value of all lines that have the field.",
        ),
        Aggregate::Sum => ("the field's sum", "The sum of its values."),
        Aggregate::Stddev => (
            "the field's standard deviation",
            "The population's, as for response times.",
        ),
        Aggregate::Quantile(_) => (
            "that percentile of the field",
            "As for response times: Hyndman and Fan's type 7.",
        ),
        Aggregate::First => (
            "the field's first value",
            "The value of the earliest line that has the field.",
        ),
        Aggregate::Last => (
            "the field's last value",
            "The value of the latest line that has the field.",
        ),
        Aggregate::Increase => (
            "how much the field grew at most",
            "Its largest value less its first.",
        ),
        Aggregate::Slope => (
            "the field's growth per hour",
            "The slope of the least-squares line through its values over time, per hour, with Student's 95 % interval.",
        ),
    };
    new(
        "AGG(field)",
        meaning,
        definition,
        FIELD,
        "max(api_calls) <= 2",
    )
}

/// A page on a metric, as the user wrote it.
pub fn page(text: &str, metric: &Metric) -> String {
    let about = about(metric);
    let unit = match metric.unit().symbol() {
        "" => "none (a count, or the field's own)",
        symbol => symbol,
    };
    let samples = minimum_samples(metric);
    format!(
        "{text}: {}\n\n{}\n\n  unit     {unit}\n  needs    {}\n  samples  at least {samples}, or the gate is undecided\n  example  require = \"{}\"\n",
        meaning(metric),
        about.definition,
        about.needs,
        about.example
    )
}

/// The names of [`crate::metric::ALL`], each with a metric that has it.
pub fn all() -> Vec<(&'static str, Metric)> {
    crate::metric::ALL
        .iter()
        .filter_map(|(name, ..)| {
            let written = match *name {
                "ratio(FILTER)" => "ratio(status=5xx)",
                "count(FILTER)" => "count(status=429)",
                "pN" => "p95",
                "AGG(field)" => "max(api_calls)",
                "apdex(T)" => "apdex(500ms)",
                "peak(DURATION)" => "peak(10s)",
                name => name,
            };
            Some((*name, named(written)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_explained_under_its_name() {
        let all = all();
        assert_eq!(all.len(), crate::metric::ALL.len());
        for (name, metric) in all {
            let about = about(&metric);
            assert_eq!(about.name, name);
            assert!(
                expression::parse(about.example).is_ok(),
                "{}",
                about.example
            );
        }
    }

    #[test]
    fn only_metrics_are_named() {
        assert_eq!(named("p99.9"), Some(Metric::Quantile(0.999)));
        assert!(named("sum(rows)").is_some() && named("peak(10s)").is_some());
        assert!(
            named("p95 <= baseline and p95").is_none()
                && named("PERF-01").is_none()
                && named("").is_none()
        );
    }
}
