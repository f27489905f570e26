//! How each metric is measured. A metric that the source cannot give is an error with the reason, never a zero.

use std::fmt::Write as _;

use super::{Aggregate, Context, Filter, Measurement, Metric, Precision};
use crate::exact::{Fraction, square_root};
use crate::summary::quantile::{self, response_time};
use crate::tally::{Counts, EndpointTally, Evidence, windows};
use crate::units::{self, Unit};

mod field;
mod interval;

pub use interval::interval;

/// 95 % two-sided normal quantile.
const Z95: f64 = 1.959_963_984_540_054;

/// By so much a duration from rows of whole seconds may be off, in milliseconds.
const HISTORY_SLACK_MS: f64 = 2000.0;

type Measured = Result<Measurement, String>;

/// Fewest values from which a metric may be judged: 1 ÷ (1 − q) for a percentile, 3 for a slope, 2 for a rate, else 1.
pub fn minimum_samples(metric: &Metric) -> u64 {
    match metric {
        Metric::Quantile(q) | Metric::Field(Aggregate::Quantile(q), _) if *q < 1.0 => {
            // 1 / (1 − 0.95) is 20.000000000000018 in floats.
            let beyond = Fraction::ONE.minus(Fraction::of(*q));
            let needed = beyond.and_then(|beyond| Fraction::ONE.over(beyond));
            needed.map_or(u64::MAX, |needed| {
                needed.ceil().clamp(1, i128::from(u64::MAX)) as u64
            })
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
    let count = |k, n| counted(k, n);
    match metric {
        Metric::Requests => Ok(counted(n, n)),
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
        Metric::Min => extreme(tally.min_us, timed, "shortest response time"),
        Metric::Mean => mean(tally),
        // The largest value is held as such, and p100 is that.
        Metric::Max | Metric::Quantile(1.0) => {
            extreme(tally.max_us, timed, "longest response time")
        }
        Metric::Stddev => stddev(tally),
        Metric::Quantile(q) => response_quantile(tally, *q),
        Metric::Field(aggregate, name) => field::measured(*aggregate, name, tally),
        Metric::Apdex(satisfied_ms) => apdex(tally, *satisfied_ms),
        Metric::Rps => rate(tally, context, 1),
        Metric::Rpm => rate(tally, context, 60),
        Metric::Peak(window_s) => peak(tally, *window_s, context),
        Metric::Users => {
            let users = context.users_max.map(|users| counted(users, n));
            users.ok_or_else(|| "the source does not hold the number of users".to_owned())
        }
        Metric::Duration => duration(tally, context),
    }
}

/// A whole number.
fn counted(count: u64, samples: u64) -> Measurement {
    Measurement {
        exact: Fraction::share(count, 1),
        ..plain(count as f64, samples)
    }
}

fn plain(value: f64, samples: u64) -> Measurement {
    Measurement {
        value,
        exact: None,
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

/// A proportion.
fn share(k: u64, n: u64) -> Measurement {
    Measurement {
        exact: Fraction::share(k, n),
        ..plain(k as f64 / n as f64, n)
    }
}

/// The shortest or longest response time: whole microseconds, or what a table says of them.
fn extreme(us: Option<f64>, samples: u64, what: &str) -> Measured {
    let exact = us.and_then(|us| {
        let us = if us.fract() == 0.0 {
            Fraction::of(us)
        } else {
            Fraction::near(us)
        };
        us.over(Fraction::whole(1000))
    });
    Ok(Measurement {
        exact,
        ..known(us.map(|us| us / 1e3), samples, what)?
    })
}

fn mean(tally: &EndpointTally) -> Measured {
    let timed = tally.timed();
    let mean = tally.sum_us().map(|us| us / timed as f64 / 1e3);
    let exact = tally
        .exact_sum_us
        .filter(|_| tally.reported_sum_us.is_none());
    let exact = exact.and_then(|us| Fraction::new(us.into(), i128::from(timed) * 1000));
    Ok(Measurement {
        // A table's sum is kept as its mean times its count.
        exact: exact.or_else(|| mean.map(Fraction::near)),
        ..known(mean, timed, "mean response time")?
    })
}

fn stddev(tally: &EndpointTally) -> Measured {
    let timed = tally.timed();
    // The root of what is no square is no fraction, and so at no limit.
    let root = quantile::spread(tally).and_then(square_root);
    let exact = root.and_then(|root| {
        let root = i128::try_from(root).ok()?;
        Fraction::new(root, i128::from(timed) * 1000)
    });
    Ok(Measurement {
        exact,
        ..known(quantile::stddev(tally), timed, "single response times")?
    })
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
pub fn without_known_status(tally: &EndpointTally) -> u64 {
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
        let name = units::percentile_name(q);
        if has.is_empty() {
            format!("the source holds no percentiles, so not {name}")
        } else {
            format!("the table holds {}, not {name}", has.join(", "))
        }
    })?;
    let samples = tally.timed();
    let exact = quantile::exact_response_time(tally, q);
    Ok(match tally.evidence {
        Evidence::Requests => Measurement {
            exact,
            ..plain(value, samples)
        },
        Evidence::Histogram | Evidence::Reported => {
            let half = locust_half_step(value);
            // Without the noise of floats, so that a limit at a bound is at it.
            let middle = exact.map_or(value, Fraction::to_f64);
            Measurement {
                exact,
                precision: Some(Precision {
                    low: middle - half,
                    high: middle + half,
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
    let halves = i128::from(satisfied) * 2 + i128::from(tolerated);
    Ok(Measurement {
        exact: Fraction::new(halves, i128::from(tally.requests) * 2),
        ..plain(
            (satisfied as f64 + tolerated as f64 / 2.0) / tally.requests as f64,
            tally.requests,
        )
    })
}

fn rate(tally: &EndpointTally, context: &Context, per: i64) -> Measured {
    let rps = tally
        .reported_rps
        .or_else(|| quantile::rate(tally.requests, context.duration_s))
        .ok_or("the source does not say how long the run was, or no time passed")?;
    let exact = match (tally.reported_rps, context.duration_s) {
        (Some(reported), _) => Some(Fraction::of(reported)),
        (None, seconds) => seconds.and_then(|seconds| {
            let requests = Fraction::share(tally.requests, 1)?;
            requests.over(Fraction::of(seconds))
        }),
    };
    let value = rps * per as f64;
    // A history alone tells only within its rows for how long requests were made.
    let precision = tally.is_open.then(|| {
        let ms = context.duration_s.unwrap_or(0.0) * 1e3;
        let high = if ms > HISTORY_SLACK_MS {
            value * ms / (ms - HISTORY_SLACK_MS)
        } else {
            f64::INFINITY
        };
        Precision {
            low: value * ms / (ms + HISTORY_SLACK_MS),
            high,
            because:
                "only a history was found, which ends before the run and has rows of whole seconds"
                    .to_owned(),
        }
    });
    Ok(Measurement {
        exact: exact.and_then(|rate| rate.times(Fraction::whole(per))),
        precision,
        ..plain(value, tally.requests)
    })
}

/// Locust's history may end before the run, or go on after it; its statistics know how long the run was, by count and rate.
fn duration(tally: &EndpointTally, context: &Context) -> Measured {
    let ms = context.duration_s.map(|s| s * 1e3);
    let seconds = context
        .duration_s
        .and_then(|s| Fraction::of(s).times(Fraction::whole(1000)));
    let found = Measurement {
        exact: seconds,
        ..known(ms, tally.requests, "start and end of the run")?
    };
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
mod tests;
