//! How each metric is measured. A metric that the source cannot give is an error with the reason, never a zero.

use std::fmt::Write as _;

use super::{Aggregate, Context, Filter, Measurement, Metric, Precision, field};
use crate::comparison::interval::order_statistic_ranks;
use crate::summary::quantile::{quantile, response_time};
use crate::summary::slope_interval;
use crate::tally::{Counts, EndpointTally, Evidence, FieldTally, windows};
use crate::units::{self, Unit};

/// 95 % two-sided normal quantile, for the Wilson interval.
const Z95: f64 = 1.959_963_984_540_054;

/// By so much a duration from rows of whole seconds may be off, in milliseconds.
const HISTORY_SLACK_MS: f64 = 2000.0;

type Measured = Result<Measurement, String>;

/// Fewest values from which a metric may be judged: 1 ÷ (1 − q) for a percentile, 3 for a slope, 2 for a rate, else 1.
pub fn minimum_samples(metric: &Metric) -> u64 {
    match metric {
        Metric::Quantile(q) | Metric::Field(Aggregate::Quantile(q), _) if *q < 1.0 => {
            // 1 / (1 − 0.95) is 20.000000000000018 in floats: round before taking the ceiling.
            ((1e6 / (1.0 - q)).round() / 1e6).ceil() as u64
        }
        // Two points are always on a line; one request is no rate.
        Metric::Field(Aggregate::Slope, _) => 3,
        Metric::Rps | Metric::Rpm => 2,
        _ => 1,
    }
}

/// Measures a metric of one endpoint, or of the total.
pub fn measure(metric: &Metric, tally: &EndpointTally, context: &Context) -> Measured {
    if let Some(because) = tally.doubts.on(metric) {
        return Err(because.to_owned());
    }
    if tally.requests == 0 && !matches!(metric, Metric::Field(..)) {
        return Err("there are no requests".to_owned());
    }
    let (n, timed) = (tally.requests, tally.timed());
    let count = |k, n| plain(k as f64, n);
    match metric {
        Metric::Requests => Ok(plain(n as f64, n)),
        Metric::Failures => Ok(failed(tally, tally.failures).measured(count, n)),
        Metric::FailureRatio => Ok(failed(tally, tally.failures).measured(share, n)),
        Metric::SuccessRatio => {
            let failed = failed(tally, tally.failures);
            Ok(failed.measured(|k, n| share(n - k.min(n), n), n))
        }
        Metric::UnexpectedFailures => unexpected(tally, context).map(|k| k.measured(count, n)),
        Metric::UnexpectedFailureRatio => unexpected(tally, context).map(|k| k.measured(share, n)),
        Metric::Ratio(filter) => filtered(filter, tally).map(|found| found.measured(share, n)),
        Metric::Count(filter) => filtered(filter, tally).map(|found| found.measured(count, n)),
        Metric::Min | Metric::Mean | Metric::Max | Metric::Stddev | Metric::Quantile(_)
            if timed == 0 =>
        {
            Err(format!("none of {n} requests has a response time"))
        }
        Metric::Min => known(
            tally.min_us.map(|us| us / 1e3),
            timed,
            "shortest response time",
        ),
        Metric::Mean => known(
            tally.sum_us().map(|us| us / timed as f64 / 1e3),
            timed,
            "mean response time",
        ),
        Metric::Max => known(
            tally.max_us.map(|us| us / 1e3),
            timed,
            "longest response time",
        ),
        Metric::Stddev => known(
            crate::summary::quantile::stddev(tally),
            timed,
            "single response times",
        ),
        Metric::Quantile(q) => response_quantile(tally, *q),
        Metric::Field(aggregate, name) => measured_field(*aggregate, name, tally),
        Metric::Apdex(satisfied_ms) => apdex(tally, *satisfied_ms),
        Metric::Rps => rate(tally, context, 1.0),
        Metric::Rpm => rate(tally, context, 60.0),
        Metric::Peak(window_s) => peak(tally, *window_s, context),
        Metric::Users => known(context.users_max.map(|u| u as f64), n, "number of users"),
        Metric::Duration => duration(tally, context),
    }
}

fn plain(value: f64, samples: u64) -> Measurement {
    Measurement {
        value,
        samples,
        interval: None,
        precision: None,
        missing: None,
        remark: None,
    }
}

fn known(value: Option<f64>, samples: u64, what: &str) -> Measured {
    value
        .map(|v| plain(v, samples))
        .ok_or_else(|| format!("the source does not hold the {what}"))
}

/// A proportion with its Wilson interval (Wilson 1927, without continuity correction).
fn share(k: u64, n: u64) -> Measurement {
    let (k, count) = (k as f64, n as f64);
    let p = k / count;
    let z2 = Z95 * Z95;
    let centre = (p + z2 / (2.0 * count)) / (1.0 + z2 / count);
    let half =
        Z95 / (1.0 + z2 / count) * (p * (1.0 - p) / count + z2 / (4.0 * count * count)).sqrt();
    let interval = (
        (centre - half).max(0.0).min(p),
        (centre + half).min(1.0).max(p),
    );
    Measurement {
        interval: Some(interval),
        ..plain(p, n)
    }
}

/// So many failures, and more if requests of which nothing is known failed, too.
fn failed(tally: &EndpointTally, failures: u64) -> Selected {
    Selected {
        count: failures,
        unknown: tally.unknown_outcomes,
        lacking: NO_OUTCOME,
    }
}

fn unexpected(tally: &EndpointTally, context: &Context) -> Result<Selected, String> {
    if context.expected.is_empty() || tally.failures == 0 {
        return Ok(failed(tally, tally.failures));
    }
    if tally.evidence != Evidence::Requests {
        return Err(
            "Locust's tables do not say which HTTP status a failure had; a request log does"
                .to_owned(),
        );
    }
    let expected = tally
        .failures_by_status
        .iter()
        .filter(|(s, _)| s.is_some_and(|s| context.expected.contains(&s)));
    let expected = expected.map(|(_, n)| n).sum::<u64>();
    Ok(failed(tally, tally.failures - expected))
}

/// How many requests a filter selects, and how many more it may.
struct Selected {
    count: u64,
    unknown: u64,
    /// What is to be said of those, behind `3 of 10 requests`.
    lacking: &'static str,
}

/// Said of requests without success, status or error.
pub const NO_OUTCOME: &str = "do not say whether they failed (by `success`, `status` or `error`)";

impl Selected {
    fn measured(&self, measurement: impl Fn(u64, u64) -> Measurement, n: u64) -> Measurement {
        let low = measurement(self.count, n);
        if self.unknown == 0 {
            return low;
        }
        let other = measurement((self.count + self.unknown).min(n), n).value;
        let (unknown, of) = (self.unknown as f64, n as f64);
        let remark = format!(
            "{} of {} requests {}",
            Unit::Count.human(unknown),
            Unit::Count.human(of),
            self.lacking
        );
        Measurement {
            interval: None,
            precision: Some(Precision {
                low: low.value.min(other),
                high: low.value.max(other),
                because: remark.clone(),
            }),
            remark: Some(remark),
            ..low
        }
    }
}

fn filtered(filter: &Filter, tally: &EndpointTally) -> Result<Selected, String> {
    let of_status = |count| Selected {
        count,
        unknown: without_known_status(tally),
        lacking: "have no status",
    };
    match filter {
        Filter::Status(_) | Filter::StatusClass(_) if tally.statuses.is_empty() => {
            Err("no request states an HTTP status".to_owned())
        }
        Filter::Status(status) => Ok(of_status(tally.statuses.get(status).copied().unwrap_or(0))),
        Filter::StatusClass(class) => Ok(of_status(
            tally
                .statuses
                .range(class * 100..class * 100 + 100)
                .map(|(_, n)| n)
                .sum(),
        )),
        Filter::Error(regex) => {
            let told: u64 = tally.errors.values().map(|e| e.count).sum();
            if told < tally.failures {
                return Err(format!(
                    "only {told} of {} failures come with a message",
                    tally.failures
                ));
            }
            let matching = tally
                .errors
                .iter()
                .filter(|(k, _)| regex.is_match(&k.message));
            Ok(Selected {
                count: matching.map(|(_, e)| e.count).sum(),
                unknown: tally.unknown_outcomes,
                lacking: NO_OUTCOME,
            })
        }
    }
}

/// Requests of which the source says no status, less the failures that had none because no answer came.
fn without_known_status(tally: &EndpointTally) -> u64 {
    let unanswered = tally
        .errors
        .iter()
        .filter(|(key, error)| key.status.is_none() && error.category.is_without_answer());
    let unanswered = unanswered.map(|(_, error)| error.count).sum();
    tally.without_status.saturating_sub(unanswered)
}

fn response_quantile(tally: &EndpointTally, q: f64) -> Measured {
    let value = response_time(tally, q).ok_or_else(|| {
        let has: Vec<String> = tally
            .reported_quantiles
            .keys()
            .map(|q| units::quantile_name(*q))
            .collect();
        let name = units::quantile_name(crate::summary::quantile::millionths(q));
        if has.is_empty() {
            format!("the source holds no percentiles, so not {name}")
        } else {
            format!("the table holds {}, not {name}", has.join(", "))
        }
    })?;
    let samples = tally.timed();
    Ok(match tally.evidence {
        Evidence::Requests => {
            let counts = || {
                tally
                    .response_times
                    .iter()
                    .map(|(us, n)| (us as f64 / 1e3, n))
            };
            Measurement {
                interval: order_statistics(counts, samples, q),
                ..plain(value, samples)
            }
        }
        Evidence::Histogram | Evidence::Reported => {
            let half = locust_half_step(value);
            Measurement {
                precision: Some(Precision {
                    low: value - half,
                    high: value + half,
                    because: "the source rounds".to_owned(),
                }),
                remark: Some(format!(
                    "known to ± {}, as Locust rounds",
                    Unit::Time.human(half)
                )),
                ..plain(value, samples)
            }
        }
    })
}

/// Half the step to which Locust rounds a response time: 1 ms below 100, 10 below 1000, 100 below 10 s, 1 s above.
pub fn locust_half_step(ms: f64) -> f64 {
    match ms {
        v if v < 100.0 => 0.5,
        v if v < 1000.0 => 5.0,
        v if v < 10_000.0 => 50.0,
        _ => 500.0,
    }
}

/// The 95 % confidence interval of a quantile on order statistics (Hahn and Meeker 1991, 5.2): the values of the
/// ranks between which a binomial number with n trials and probability q lies. `None` when n is too small for it.
fn order_statistics<I: Iterator<Item = (f64, u64)>>(
    values: impl Fn() -> I,
    n: u64,
    q: f64,
) -> Option<(f64, f64)> {
    if !(0.0..1.0).contains(&q) || q == 0.0 {
        return None;
    }
    let ranks = order_statistic_ranks(n, q, 0.025);
    Some((nth(values(), ranks.lower?)?, nth(values(), ranks.upper?)?))
}

/// The value of a rank, from 1.
fn nth(values: impl Iterator<Item = (f64, u64)>, rank: u64) -> Option<f64> {
    let mut seen = 0;
    values.into_iter().find_map(|(v, n)| {
        seen += n;
        (seen >= rank).then_some(v)
    })
}

fn measured_field(aggregate: Aggregate, name: &str, tally: &EndpointTally) -> Measured {
    let field = field(tally, name).ok_or_else(|| {
        let has: Vec<&str> = tally.fields.keys().map(String::as_str).collect();
        let has = if has.is_empty() {
            "there are no measured fields".to_owned()
        } else {
            format!("there are {}", has.join(", "))
        };
        format!("no request has the field `{name}`; {has}")
    })?;
    let samples = field.count();
    let value =
        aggregated(aggregate, field).ok_or_else(|| unknown_course(aggregate, name, field))?;
    let (missing, expected) = (
        field.missing_of(tally.requests),
        field.expected_of(tally.requests),
    );
    let elsewhere = tally.requests - expected.min(tally.requests);
    let mut remarks = Vec::new();
    if missing > 0 {
        remarks.push(format!("{missing} of {expected} requests lack `{name}`"));
    }
    if expected > 0 && elsewhere > 0 {
        remarks.push(format!(
            "{elsewhere} requests are of endpoints that never have `{name}`"
        ));
    }
    let slope = field.slope().filter(|_| aggregate == Aggregate::Slope);
    Ok(Measurement {
        remark: (!remarks.is_empty()).then(|| remarks.join("; ")),
        interval: slope.and_then(|slope| slope_interval(&slope)),
        missing: (missing > 0).then(|| missing as f64 / expected as f64),
        ..plain(value, samples)
    })
}

/// Why a figure that needs the order of the values is not known.
fn unknown_course(aggregate: Aggregate, name: &str, field: &FieldTally) -> String {
    if field.is_mixed() {
        return format!(
            "samples of `{name}` come from several logs at the same time, perhaps of several processes; give each \
             sample a `pid` or `process`"
        );
    }
    match (aggregate, field.sources()) {
        (Aggregate::First | Aggregate::Last, sources) if sources > 1 => format!(
            "`{name}` was sampled of {sources} processes, each with a first and a last value of its own"
        ),
        _ => format!("`{name}` needs timestamps, at two different moments for a slope"),
    }
}

fn aggregated(aggregate: Aggregate, field: &FieldTally) -> Option<f64> {
    let n = field.count();
    match aggregate {
        Aggregate::Min => field.min(),
        Aggregate::Max => field.max(),
        Aggregate::Mean => Some(field.sum() / n as f64),
        Aggregate::Sum => Some(field.sum()),
        Aggregate::Stddev => field.stddev(),
        Aggregate::Quantile(q) => quantile(field.values(), n, q),
        Aggregate::First => field.first(),
        Aggregate::Last => field.last(),
        Aggregate::Increase => field.increase(),
        Aggregate::Slope => field.slope().map(|s| s.per_hour),
    }
}

/// Apdex (Apdex Alliance 2007): satisfied up to T, tolerated up to 4T, failures frustrated.
fn apdex(tally: &EndpointTally, satisfied_ms: f64) -> Measured {
    if tally.evidence != Evidence::Requests {
        return Err(
            "apdex needs the response time of every single request; a request log has them"
                .to_owned(),
        );
    }
    if tally.untimed + tally.unknown_outcomes > 0 {
        let (what, n) = if tally.untimed > 0 {
            ("have no response time", tally.untimed)
        } else {
            (NO_OUTCOME, tally.unknown_outcomes)
        };
        return Err(format!("{n} of {} requests {what}", tally.requests));
    }
    let up_to = |ms: f64| {
        let bound = (ms * 1e3).round() as i64;
        let within = |counts: &Counts| counts.range(0, bound).map(|(_, n)| n).sum::<u64>();
        within(&tally.response_times) - within(&tally.failed_response_times)
    };
    let satisfied = up_to(satisfied_ms);
    let tolerated = up_to(satisfied_ms * 4.0) - satisfied;
    Ok(plain(
        (satisfied as f64 + tolerated as f64 / 2.0) / tally.requests as f64,
        tally.requests,
    ))
}

fn rate(tally: &EndpointTally, context: &Context, per_s: f64) -> Measured {
    let rps = tally
        .reported_rps
        .or_else(|| crate::summary::quantile::rate(tally.requests, context.duration_s));
    rps.map(|r| plain(r * per_s, tally.requests))
        .ok_or_else(|| "the source does not say how long the run was, or no time passed".to_owned())
}

/// Locust's history may end before the run, or go on after it; its statistics know how long the run was, by count and rate.
fn duration(tally: &EndpointTally, context: &Context) -> Measured {
    let ms = context.duration_s.map(|s| s * 1e3);
    let found = known(ms, tally.requests, "start and end of the run")?;
    let rps = tally.reported_rps.filter(|rps| *rps > 0.0);
    let by_rate = rps.map(|rps| tally.requests as f64 / rps * 1e3);
    let other = by_rate.filter(|ms| (ms - found.value).abs() > HISTORY_SLACK_MS);
    let Some(other) = other else { return Ok(found) };
    let because = format!(
        "by its rates the run took {}, by its history {}",
        Unit::Time.human(other),
        Unit::Time.human(found.value)
    );
    Ok(Measurement {
        precision: Some(Precision {
            low: found.value.min(other),
            high: found.value.max(other),
            because: because.clone(),
        }),
        remark: Some(because),
        ..found
    })
}

fn peak(tally: &EndpointTally, window_s: f64, context: &Context) -> Measured {
    let peak = windows::of(tally, (window_s * 1e3).round() as i64)?;
    let low = peak.count as f64;
    let high = peak.at_most.map_or(f64::INFINITY, |most| most as f64);
    let mut remark = format!(
        "busiest window from {} to {}",
        units::moment(peak.start_ms),
        units::moment(peak.start_ms + peak.window_ms)
    );
    let mut precision = None;
    if peak.at_most.is_none() {
        remark.push_str("; the source ends before the run");
        precision = Some(Precision {
            low,
            high,
            because: "the source ends before the run".to_owned(),
        });
    } else if peak.at_most > Some(peak.count) {
        let _ = write!(
            remark,
            "; the source counts requests in the second they end, so it may be up to {}",
            Unit::Count.human(high)
        );
        precision = Some(Precision {
            low,
            high,
            because: "the source counts requests in the second they end".to_owned(),
        });
    }
    // What a longer run would have shown in a whole window is not known; what this one showed is.
    if context.duration_s.is_none_or(|d| d < window_s) {
        remark.push_str("; the run is shorter than the window");
        precision = Some(Precision {
            low,
            high: f64::INFINITY,
            because: "the run is shorter than the window".to_owned(),
        });
    }
    Ok(Measurement {
        remark: Some(remark),
        precision,
        ..plain(low, tally.requests)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::{ErrorKey, Request};

    /// Ten requests of 100 to 1000 ms, one second apart, the last a 503, `rows` = 1 to 10.
    fn ten() -> EndpointTally {
        let mut tally = EndpointTally::default();
        let unavailable = ErrorKey::new(Some(503), "");
        for i in 1..=10_u64 {
            tally.add(&Request {
                start_ms: Some(i as i64 * 1000),
                response_time_us: i * 100_000,
                status: Some(if i == 10 { 503 } else { 200 }),
                failure: (i == 10).then_some(&unavailable),
                fields: &[("rows", i as f64)],
                ..Request::default()
            });
        }
        tally
    }

    fn value(metric: &Metric) -> f64 {
        let context = Context {
            duration_s: Some(10.0),
            users_max: Some(4),
            expected: vec![503],
        };
        measure(metric, &ten(), &context).expect("measurable").value
    }

    #[test]
    fn hand_computed() {
        assert!((value(&Metric::Quantile(0.95)) - 955.0).abs() < 1e-9); // 9.55 × 100
        assert!((value(&Metric::Mean) - 550.0).abs() < 1e-9);
        assert!((value(&Metric::FailureRatio) - 0.1).abs() < 1e-12);
        assert_eq!(value(&Metric::UnexpectedFailures), 0.0); // 503 is expected here
        assert!((value(&Metric::Ratio(Filter::StatusClass(5))) - 0.1).abs() < 1e-12);
        assert_eq!(value(&Metric::Count(Filter::Status(200))), 9.0);
        assert_eq!(value(&Metric::Field(Aggregate::Max, "rows".into())), 10.0);
        assert_eq!(
            value(&Metric::Field(Aggregate::Increase, "rows".into())),
            9.0
        );
        assert!((value(&Metric::Field(Aggregate::Slope, "rows".into())) - 3600.0).abs() < 1e-6);
        assert_eq!(value(&Metric::Peak(10.0)), 10.0);
        assert_eq!(value(&Metric::Peak(5.0)), 5.0);
        assert_eq!(value(&Metric::Rps), 1.0);
        assert_eq!(value(&Metric::Rpm), 60.0);
        // T = 200 ms: 2 satisfied, 3 to 8 tolerated (6), 900 ms and the failure frustrated: (2 + 3) / 10.
        assert!((value(&Metric::Apdex(200.0)) - 0.5).abs() < 1e-12);
        // √((Σ(i − 5.5)²)/10) × 100 = √8.25 × 100.
        assert!((value(&Metric::Stddev) - 8.25_f64.sqrt() * 100.0).abs() < 1e-9);
    }

    #[test]
    fn requests_without_a_status_leave_a_status_open() {
        // One 200, two without a status, one that timed out: at most 2 of 4 can be a 503.
        let mut tally = EndpointTally::default();
        let late = ErrorKey::new(None, "timed out");
        for (status, failure) in [
            (Some(200), None),
            (None, None),
            (None, None),
            (None, Some(&late)),
        ] {
            tally.add(&Request {
                status,
                failure,
                ..Request::default()
            });
        }
        let of = |metric| measure(&metric, &tally, &Context::default()).expect("measurable");
        let bounds = |metric| of(metric).precision.map(|p| (p.low, p.high));
        let class = Filter::StatusClass;
        assert_eq!(bounds(Metric::Ratio(class(5))), Some((0.0, 0.5)));
        assert_eq!(bounds(Metric::Count(class(2))), Some((1.0, 3.0)));
        assert_eq!(
            of(Metric::Count(class(2))).remark.as_deref(),
            Some("2 of 4 requests have no status")
        );
    }

    #[test]
    fn fewest_samples_follow_the_quantile() {
        assert_eq!(minimum_samples(&Metric::Quantile(0.5)), 2);
        assert_eq!(minimum_samples(&Metric::Quantile(0.95)), 20);
        assert_eq!(minimum_samples(&Metric::Quantile(0.99)), 100);
        assert_eq!(minimum_samples(&Metric::Quantile(0.999)), 1000);
        assert_eq!(minimum_samples(&Metric::Quantile(1.0)), 1);
    }

    #[test]
    fn order_statistics_interval_of_a_hundred() {
        // n = 100, q = 0.5: ranks 40 and 61 (binomial 0.025 and 0.975 quantiles 40 and 60, plus one).
        let values = || (1..=100).map(|v| (f64::from(v), 1));
        assert_eq!(order_statistics(values, 100, 0.5), Some((40.0, 61.0)));
        assert_eq!(order_statistics(values, 100, 0.99), None);
    }

    #[test]
    fn order_statistics_interval_of_ten_million() {
        // scipy.stats.binom.ppf(0.025, 10**7, 0.5) = 4996901, ppf(0.975, …) + 1 = 5003100; of 0.95: 9498649, 9501351.
        // Each value stands for its own rank; only those about the bounds are apart, the rest are counted together.
        let about = |ranks: [u64; 2]| {
            let [low, high] = ranks;
            let apart = |from: u64| (from - 50..from + 50).map(|rank| (rank as f64, 1));
            let rest = |value: u64, n: u64| std::iter::once((value as f64, n));
            move || {
                rest(0, low - 51)
                    .chain(apart(low))
                    .chain(rest(low + 50, high - low - 100))
                    .chain(apart(high))
                    .chain(rest(high + 50, 10_000_000 - high - 49))
            }
        };
        for (q, ranks) in [
            (0.5, [4_996_901, 5_003_100]),
            (0.95, [9_498_649, 9_501_351]),
        ] {
            let found = order_statistics(about(ranks), 10_000_000, q);
            assert_eq!(found, Some((ranks[0] as f64, ranks[1] as f64)));
        }
    }

    #[test]
    fn a_duration_is_known_as_far_as_rates_and_history_agree() {
        let context = Context {
            duration_s: Some(39.0),
            ..Context::default()
        };
        let of = |rps| {
            let tally = EndpointTally {
                requests: 400,
                reported_rps: Some(rps),
                ..EndpointTally::default()
            };
            measure(&Metric::Duration, &tally, &context).expect("known")
        };
        // 400 requests at 10 a second took 40 s: the history's 39 s, but for its whole seconds.
        assert_eq!(
            (of(10.0).value, of(10.0).precision.is_none()),
            (39_000.0, true)
        );
        // At 8 a second they took 50 s.
        let bounds = of(8.0).precision.map(|p| (p.low, p.high));
        assert_eq!(bounds, Some((39_000.0, 50_000.0)));
    }

    #[test]
    fn nothing_is_not_zero() {
        let empty = EndpointTally::default();
        assert!(measure(&Metric::Failures, &empty, &Context::default()).is_err());
        assert!(
            measure(
                &Metric::Field(Aggregate::Max, "gone".into()),
                &ten(),
                &Context::default()
            )
            .is_err_and(|why| why.contains("there are rows"))
        );
    }
}
