//! Every metric: its name, its unit, its meaning, and the one place where it is measured.

use crate::exact::Fraction;
use crate::tally::{EndpointTally, FieldTally};
use crate::units::Unit;

pub mod measure;
mod name;

/// What can be measured of an endpoint or of the run.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// Requests, failures included.
    Requests,
    /// Failed requests.
    Failures,
    /// Failures ÷ requests.
    FailureRatio,
    /// 1 − failure ratio.
    SuccessRatio,
    /// Failures whose status is not declared as expected.
    UnexpectedFailures,
    /// Unexpected failures ÷ requests.
    UnexpectedFailureRatio,
    /// Share of requests that a filter selects.
    Ratio(Filter),
    /// Number of requests that a filter selects.
    Count(Filter),
    /// Shortest response time.
    Min,
    /// Mean response time.
    Mean,
    /// Longest response time.
    Max,
    /// Population standard deviation of the response times.
    Stddev,
    /// Quantile (0 to 1) of the response times; `median` is 0.5.
    Quantile(f64),
    /// An aggregate of a measured field.
    Field(Aggregate, String),
    /// Apdex with satisfied up to this many milliseconds.
    Apdex(f64),
    /// Requests per second over the run's duration.
    Rps,
    /// Requests per minute over the run's duration.
    Rpm,
    /// Most requests in any window of this many seconds.
    Peak(f64),
    /// Most concurrent users.
    Users,
    /// First start to last end.
    Duration,
}

/// Selects requests by status or error.
#[derive(Clone, Debug)]
pub enum Filter {
    /// One status.
    Status(u16),
    /// A class of statuses: 5 for 5xx.
    StatusClass(u16),
    /// Failures whose folded message matches.
    Error(regex::Regex),
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Status(a), Self::Status(b)) | (Self::StatusClass(a), Self::StatusClass(b)) => {
                a == b
            }
            (Self::Error(a), Self::Error(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

/// How a measured field is put into one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregate {
    /// Smallest value.
    Min,
    /// Arithmetic mean.
    Mean,
    /// Largest value.
    Max,
    /// Sum.
    Sum,
    /// Population standard deviation.
    Stddev,
    /// Quantile, 0 to 1.
    Quantile(f64),
    /// The value measured first.
    First,
    /// The value measured last.
    Last,
    /// Largest minus first.
    Increase,
    /// Least-squares slope per hour.
    Slope,
}

/// Name, unit and meaning of every metric, in the order in which they are listed.
pub const ALL: &[(&str, Unit, &str)] = &[
    ("requests", Unit::Count, "requests, failures included"),
    ("failures", Unit::Count, "failed requests"),
    ("failure_ratio", Unit::Ratio, "failures ÷ requests"),
    ("success_ratio", Unit::Ratio, "1 − failure ratio"),
    (
        "unexpected_failures",
        Unit::Count,
        "failures whose status is not in `[failures] expected`",
    ),
    (
        "unexpected_failure_ratio",
        Unit::Ratio,
        "unexpected failures ÷ requests",
    ),
    (
        "ratio(FILTER)",
        Unit::Ratio,
        "share of requests with `status=5xx`, `status=429` or `error~\"text\"`",
    ),
    ("count(FILTER)", Unit::Count, "number of such requests"),
    ("min", Unit::Time, "shortest response time"),
    ("mean", Unit::Time, "arithmetic mean of the response times"),
    ("median", Unit::Time, "p50 of the response times"),
    ("max", Unit::Time, "longest response time"),
    (
        "stddev",
        Unit::Time,
        "population standard deviation of the response times",
    ),
    (
        "pN",
        Unit::Time,
        "any percentile of the response times, numpy's `linear`: p50, p95, p99.9",
    ),
    (
        "AGG(field)",
        Unit::Plain,
        "min, mean, max, sum, stddev, pN, first, last, increase or slope of a measured field",
    ),
    (
        "apdex(T)",
        Unit::Score,
        "(satisfied + tolerated ÷ 2) ÷ requests; satisfied up to T, tolerated up to 4T",
    ),
    (
        "rps",
        Unit::PerSecond,
        "requests per second, first start to last end",
    ),
    (
        "rpm",
        Unit::PerMinute,
        "requests per minute, first start to last end",
    ),
    (
        "peak_rps",
        Unit::Count,
        "most requests in any window of 1 s",
    ),
    (
        "peak_rpm",
        Unit::Count,
        "most requests in any window of 60 s",
    ),
    (
        "peak(DURATION)",
        Unit::Count,
        "most requests in any window of that length",
    ),
    ("users", Unit::Count, "most concurrent users seen"),
    ("duration", Unit::Time, "first start to last end"),
];

/// A listed metric's name without its argument, in small letters: what links to its meaning are called by.
pub fn anchor(name: &str) -> String {
    let head = name.split('(').next().unwrap_or(name);
    head.to_lowercase()
}

impl Aggregate {
    /// Whether its values lie among the field's own, so that a limit on it can be drawn where they are.
    pub fn bounds_values(self) -> bool {
        match self {
            Self::Min | Self::Mean | Self::Max | Self::Quantile(_) | Self::First | Self::Last => {
                true
            }
            Self::Sum | Self::Stddev | Self::Increase | Self::Slope => false,
        }
    }
}

impl Metric {
    /// The name under which [`ALL`] lists it, as an anchor and as it is listed.
    pub fn listed(&self) -> (String, &'static str) {
        let name = match self {
            Self::Requests => "requests",
            Self::Failures => "failures",
            Self::FailureRatio => "failure_ratio",
            Self::SuccessRatio => "success_ratio",
            Self::UnexpectedFailures => "unexpected_failures",
            Self::UnexpectedFailureRatio => "unexpected_failure_ratio",
            Self::Ratio(_) => "ratio(FILTER)",
            Self::Count(_) => "count(FILTER)",
            Self::Min => "min",
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Stddev => "stddev",
            Self::Quantile(_) => "pN",
            Self::Field(..) => "AGG(field)",
            Self::Apdex(_) => "apdex(T)",
            Self::Rps => "rps",
            Self::Rpm => "rpm",
            Self::Peak(_) => "peak(DURATION)",
            Self::Users => "users",
            Self::Duration => "duration",
        };
        (anchor(name), name)
    }

    /// The unit its values have.
    pub fn unit(&self) -> Unit {
        match self {
            Self::Requests
            | Self::Failures
            | Self::UnexpectedFailures
            | Self::Count(_)
            | Self::Users
            | Self::Peak(_) => Unit::Count,
            Self::FailureRatio
            | Self::SuccessRatio
            | Self::UnexpectedFailureRatio
            | Self::Ratio(_) => Unit::Ratio,
            Self::Min
            | Self::Mean
            | Self::Max
            | Self::Stddev
            | Self::Quantile(_)
            | Self::Duration => Unit::Time,
            Self::Field(..) => Unit::Plain,
            Self::Apdex(_) => Unit::Score,
            Self::Rps => Unit::PerSecond,
            Self::Rpm => Unit::PerMinute,
        }
    }

    /// Whether a smaller value is the worse one: more of everything else is worse, or at least more costly.
    pub fn less_is_worse(&self) -> bool {
        matches!(
            self,
            Self::SuccessRatio | Self::Apdex(_) | Self::Rps | Self::Rpm | Self::Requests
        )
    }
}

/// One measured number.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// The value, in the metric's base unit.
    pub value: f64,
    /// The same as the fraction of whole counts that it is, if it is one: what a limit is compared with.
    pub exact: Option<Fraction>,
    /// Values it was computed from.
    pub samples: u64,
    /// A confidence interval (95 %) of the value, if one can be given.
    pub interval: Option<(f64, f64)>,
    /// Between which bounds the true figure lies, when the source does not hold it exactly.
    pub precision: Option<Precision>,
    /// Share of the requests that should have the measured field and lack it, 0 to 1; `None` if none does.
    pub missing: Option<f64>,
    /// Where and when, for peaks and windows; or how exact, for reported figures.
    pub remark: Option<String>,
}

impl Measurement {
    /// The value as what a limit is compared with: what was counted, else the decimal that stands in the source.
    pub fn fraction(&self) -> Fraction {
        self.exact.unwrap_or_else(|| Fraction::of(self.value))
    }
}

/// What is known of a figure that the source does not hold exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    /// It is at least this.
    pub low: f64,
    /// It is at most this; infinite if nothing is known.
    pub high: f64,
    /// Why it is not known better.
    pub because: String,
}

/// What a metric may look at besides the endpoint's own counts.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The run's duration in seconds.
    pub duration_s: Option<f64>,
    /// The most users seen in the run.
    pub users_max: Option<u64>,
    /// Statuses that are expected failures.
    pub expected: Vec<u16>,
}

/// The field of that name, if any request has it.
pub fn field<'a>(tally: &'a EndpointTally, name: &str) -> Option<&'a FieldTally> {
    tally.fields.get(name).filter(|f| f.count() > 0)
}
