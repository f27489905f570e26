//! Whether kept figures can be those of a run: counts that add up, times in order, nothing negative or beyond belief.
//!
//! A kept run is a file like any other: merged by hand, cut by a script, or written by something else. What contradicts
//! itself must not become the measure of other runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Endpoint, Ends, Field, Peak, Report, Run, Times, tidy};
use crate::comparison::rounding::Rounded;
use crate::comparison::sample::kept::{bin_width, least};
use crate::summary::quantile::quantile;
use crate::tally::{Evidence, LONGEST_US};
use crate::units::quantile_name;

/// More requests than any run has: a million a second for thirty years.
const MOST: u64 = 1_000_000_000_000_000;
/// Longest response time or run in milliseconds.
const LONGEST_MS: f64 = LONGEST_US / 1e3;
/// Largest standard error of a logarithm: response times from a microsecond to a century are 36 apart.
const LARGEST_ERROR: f64 = 36.0;

/// A figure that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The keys that lead to it, from the top of a report.
    pub at: Vec<String>,
    /// Whose it is, for people: `the run`, `the total` or an endpoint's name.
    pub of: String,
    /// Why it cannot be.
    pub because: String,
}

impl Fault {
    /// In a sentence.
    pub fn sentence(&self) -> String {
        let from = match self.at.first().map(String::as_str) {
            Some("endpoints") => 2,
            Some("run" | "total") => 1,
            _ => 0,
        };
        let key = self.at.get(from..).unwrap_or_default().join(".");
        format!("`{key}` of {} cannot be: {}", self.of, self.because)
    }
}

type Sound = Result<(), Fault>;

/// The first figure that cannot be.
pub fn fault(report: &Report) -> Option<Fault> {
    check(report).err()
}

fn check(report: &Report) -> Sound {
    of_run(&report.run)?;
    let duration_s = report.run.duration_s;
    let mut seen = BTreeSet::new();
    for (i, endpoint) in report.endpoints.iter().enumerate() {
        let name = format!("`{} {}`", endpoint.method, endpoint.name);
        let place = Place::new(&["endpoints", &i.to_string()], &name);
        if !seen.insert((&endpoint.name, &endpoint.method)) {
            return place.fault(&["name"], "the endpoint is there twice");
        }
        of_endpoint(&place, endpoint, duration_s)?;
    }
    let total = Place::new(&["total"], "the total");
    of_endpoint(&total, &report.total, duration_s)?;
    for (key, peak) in [
        ("peak_rps", &report.rates.peak_rps),
        ("peak_rpm", &report.rates.peak_rpm),
    ] {
        of_peak(key, peak.as_ref(), &report.total)?;
    }
    adds_up(report)
}

/// Where in the report one is looking.
struct Place {
    at: Vec<String>,
    of: String,
}

impl Place {
    fn new(at: &[&str], of: &str) -> Self {
        Self {
            at: at.iter().map(|key| (*key).to_owned()).collect(),
            of: of.to_owned(),
        }
    }

    fn fault(&self, key: &[&str], because: impl Into<String>) -> Sound {
        let below = key.iter().map(|key| (*key).to_owned());
        Err(Fault {
            at: self.at.iter().cloned().chain(below).collect(),
            of: self.of.clone(),
            because: because.into(),
        })
    }

    /// A count is at most another.
    fn at_most(&self, key: &[&str], n: u64, most: u64, what: &str) -> Sound {
        if n <= most {
            return Ok(());
        }
        self.fault(key, format!("{n} is more than {most}, {what}"))
    }

    /// An amount is a number from 0 to what is the most.
    fn amount(&self, key: &[&str], value: Option<f64>, most: f64) -> Sound {
        match value {
            Some(v) if v < 0.0 => self.fault(key, format!("{v} is negative")),
            Some(v) if v.is_nan() || v > most => {
                self.fault(key, format!("{v:e} is more than any run has ({most:e})"))
            }
            _ => Ok(()),
        }
    }

    /// Known values do not fall from one to the next by more than a slack.
    fn rising(&self, values: &[(&[&str], Option<f64>)], slack: impl Fn(f64) -> f64) -> Sound {
        let known = values.iter().filter_map(|(key, v)| Some((*key, (*v)?)));
        let known: Vec<(&[&str], f64)> = known.collect();
        for pair in known.windows(2) {
            let [(before, low), (key, high)] = pair else {
                continue;
            };
            if *low > high + slack(*low) {
                let before = before.join(".");
                return self.fault(key, format!("{high} is less than `{before}`, {low}"));
            }
        }
        Ok(())
    }
}

/// What rounding to a millionth, and a float's last digits, may differ by.
fn slack(value: f64) -> f64 {
    2e-6 + value.abs() * 1e-9
}

fn of_run(run: &Run) -> Sound {
    let place = Place::new(&["run"], "the run");
    place.amount(&["duration_s"], run.duration_s, LONGEST_MS / 1e3)?;
    place.at_most(
        &["users_max"],
        run.users_max.unwrap_or(0),
        MOST,
        "which no run has",
    )
}

fn of_endpoint(place: &Place, of: &Endpoint, duration_s: Option<f64>) -> Sound {
    place.at_most(&["requests"], of.requests, MOST, "which no run has")?;
    let (requests, its) = (of.requests, "its requests");
    place.at_most(&["failures"], of.failures, requests, its)?;
    ends(place, of)?;
    place.amount(&["rps"], of.rps, MOST as f64)?;
    if let (Evidence::Requests, Some(rps), Some(s)) = (of.evidence, of.rps, duration_s) {
        let sent = rps * s;
        // Rates and durations are rounded to a millionth.
        let slack = 0.001 * requests as f64 + 1e-6 * (rps + s) + 1e-6;
        if (sent - requests as f64).abs() > slack {
            let because = format!("{rps} requests per second in {s} s are not {requests} requests");
            return place.fault(&["rps"], because);
        }
    }
    amounts(place, of)?;
    // First what tells which figure is wrong, then what tells only of two that one is.
    bins(place, of)?;
    order(place, of)?;
    sample(place, of)?;
    let fields = of.fields.iter().flatten();
    for (name, field) in fields {
        of_field(place, name, field, requests)?;
    }
    Ok(())
}

fn ends(place: &Place, of: &Endpoint) -> Sound {
    let requests = of.requests;
    let Ends {
        unknown_outcomes,
        untimed,
        statuses,
        failed_statuses,
        unknown_statuses,
    } = &of.ends;
    let known = requests - of.failures;
    let rest = "its requests that are not known to have failed";
    place.at_most(&["unknown_outcomes"], *unknown_outcomes, known, rest)?;
    place.at_most(&["untimed"], *untimed, requests, "its requests")?;
    let sum = |counts: &Option<BTreeMap<u16, u64>>| -> u64 {
        let all = counts.iter().flatten().map(|(_, n)| *n);
        all.fold(0, u64::saturating_add)
    };
    let stated = sum(statuses);
    place.at_most(&["statuses"], stated, requests, "its requests")?;
    let open = unknown_statuses.unwrap_or(0);
    let rest = "its requests without a status";
    place.at_most(&["unknown_statuses"], open, requests - stated, rest)?;
    place.at_most(
        &["failed_statuses"],
        sum(failed_statuses),
        of.failures,
        "its failures",
    )?;
    for (status, n) in failed_statuses.iter().flatten() {
        let most = statuses.iter().flatten().find(|(s, _)| *s == status);
        let most = most.map_or(0, |(_, n)| *n);
        let key = status.to_string();
        place.at_most(&["failed_statuses", &key], *n, most, "all of that status")?;
    }
    Ok(())
}

/// The paths of an endpoint's quantiles, each with its figure.
fn quantiles(of: &Endpoint) -> Vec<([String; 3], f64)> {
    let path = |q: u32| ["response_time_ms", "quantiles", &quantile_name(q)].map(str::to_owned);
    let all = of.response_time_ms.quantiles.iter();
    all.map(|(q, ms)| (path(*q), *ms)).collect()
}

/// A path as the checks take it.
fn as_path(path: &[String; 3]) -> [&str; 3] {
    path.each_ref().map(String::as_str)
}

fn amounts(place: &Place, of: &Endpoint) -> Sound {
    let times = &of.response_time_ms;
    for (name, value) in [
        ("min", times.min),
        ("mean", times.mean),
        ("max", times.max),
        ("stddev", times.stddev),
    ] {
        place.amount(&["response_time_ms", name], value, LONGEST_MS)?;
    }
    for (path, ms) in quantiles(of) {
        place.amount(&as_path(&path), Some(ms), LONGEST_MS)?;
    }
    Ok(())
}

/// Shortest, mean and longest, and all percentiles, are in order.
fn order(place: &Place, of: &Endpoint) -> Sound {
    let Times {
        min,
        mean,
        max,
        stddev,
        ..
    } = &of.response_time_ms;
    // Old versions of Locust write whole milliseconds.
    let coarse = |v: f64| match of.evidence {
        Evidence::Requests => slack(v),
        Evidence::Histogram | Evidence::Reported => 1.0 + slack(v),
    };
    let [first, middle, last] = ["min", "mean", "max"].map(|name| ["response_time_ms", name]);
    place.rising(&[(&first, *min), (&middle, *mean)], coarse)?;
    place.rising(&[(&middle, *mean), (&last, *max)], coarse)?;
    place.rising(&[(&first, *min), (&last, *max)], coarse)?;
    let quantiles = quantiles(of);
    let paths: Vec<[&str; 3]> = quantiles.iter().map(|(path, _)| as_path(path)).collect();
    let values = quantiles.iter().map(|(_, ms)| Some(*ms));
    let rising: Vec<(&[&str], Option<f64>)> =
        paths.iter().map(|path| &path[..]).zip(values).collect();
    place.rising(&rising, slack)?;
    for (path, ms) in rising {
        let Some(ms) = ms else { continue };
        let ms = match of.evidence {
            Evidence::Requests => Rounded::exact(ms),
            Evidence::Histogram | Evidence::Reported => Rounded::of(ms),
        };
        place.rising(&[(&first, *min), (path, Some(ms.upper))], coarse)?;
        place.rising(&[(path, Some(ms.lower)), (&last, *max)], coarse)?;
    }
    if let (Evidence::Requests, Some(low), Some(high), Some(deviation)) =
        (of.evidence, min, max, stddev)
    {
        // Popoviciu (1935).
        let most = (high - low) / 2.0;
        if *deviation > most + slack(*high) {
            let because = format!("{deviation} ms is more than half of the range, {most} ms");
            return place.fault(&["response_time_ms", "stddev"], because);
        }
    }
    Ok(())
}

/// The response times in bins hold every request, and the figures that were computed from them.
fn bins(place: &Place, of: &Endpoint) -> Sound {
    let Some(kept) = of.sample.as_ref().filter(|kept| !kept.times_us.is_empty()) else {
        return Ok(());
    };
    let key = ["sample", "times_us"];
    let bins = &kept.times_us;
    if bins.windows(2).any(|two| two[0].0 >= two[1].0) {
        return place.fault(&key, "the response times do not rise");
    }
    let off = bins
        .iter()
        .find(|(us, _)| least(*us) != *us || *us as f64 > LONGEST_US);
    if let Some((us, _)) = off {
        return place.fault(&key, format!("no bin begins at {us} µs"));
    }
    let counted = bins.iter().map(|(_, n)| *n).fold(0, u64::saturating_add);
    let expected = of.requests - of.ends.untimed;
    place.at_most(&key, counted, expected, "its requests with a response time")?;
    if of.evidence == Evidence::Requests && counted != expected {
        let because = format!("they are of {counted} requests, and {expected} have one");
        return place.fault(&key, because);
    }
    let low = || bins.iter().map(|(us, n)| (*us as f64 / 1e3, *n));
    let high = || {
        bins.iter()
            .map(|(us, n)| ((us + bin_width(*us) - 1) as f64 / 1e3, *n))
    };
    let within = |path: &[&str], value: Option<f64>, bounds: (Option<f64>, Option<f64>)| {
        let (Some(v), Some(low), Some(high)) = (value, bounds.0, bounds.1) else {
            return Ok(());
        };
        if v < low - slack(v) || v > high + slack(v) {
            let because = format!(
                "{v} ms, and by the response times that are kept it is {} to {} ms",
                tidy(low),
                tidy(high)
            );
            return place.fault(path, because);
        }
        Ok(())
    };
    let times = &of.response_time_ms;
    for (q, ms) in &times.quantiles {
        let fraction = f64::from(*q) / 1e6;
        let bounds = (
            quantile(low(), counted, fraction),
            quantile(high(), counted, fraction),
        );
        let name = quantile_name(*q);
        within(&["response_time_ms", "quantiles", &name], Some(*ms), bounds)?;
    }
    // Of Locust's histogram these are exact, and the response times are rounded.
    if of.evidence == Evidence::Requests {
        let mean = |all: &mut dyn Iterator<Item = (f64, u64)>| {
            Some(all.map(|(ms, n)| ms * n as f64).sum::<f64>() / counted as f64)
        };
        let bounds = (mean(&mut low()), mean(&mut high()));
        within(&["response_time_ms", "mean"], times.mean, bounds)?;
        let value = |bin: Option<(f64, u64)>| bin.map(|(ms, _)| ms);
        let bounds = (value(low().next()), value(high().next()));
        within(&["response_time_ms", "min"], times.min, bounds)?;
        let bounds = (value(low().next_back()), value(high().next_back()));
        within(&["response_time_ms", "max"], times.max, bounds)?;
    }
    Ok(())
}

/// How sure the run is of its figures.
fn sample(place: &Place, of: &Endpoint) -> Sound {
    let Some(kept) = &of.sample else {
        return Ok(());
    };
    for (metric, error) in &kept.relative_error {
        place.amount(&["sample", "relative_error", metric], *error, LARGEST_ERROR)?;
    }
    for (metric, worth) in &kept.effective_requests {
        let most = of.requests as f64;
        let path = ["sample", "effective_requests", metric];
        if worth.is_some_and(|worth| worth > most + slack(most)) {
            return place.fault(&path, format!("more than its {most} requests"));
        }
        place.amount(&path, *worth, MOST as f64)?;
    }
    Ok(())
}

fn of_field(place: &Place, name: &str, field: &Field, requests: u64) -> Sound {
    let key = |figure| ["fields", name, figure];
    place.at_most(&key("count"), field.count, MOST, "which no run has")?;
    place.at_most(&key("missing"), field.missing, requests, "its requests")?;
    let Some((min, max)) = field.min.zip(field.max) else {
        return Ok(());
    };
    // Values are summed as floats, so that a mean may differ in its last digits.
    let size = min.abs().max(max.abs());
    let slack = |_| 1e-6 * size;
    let known = |figure: &'static str, value: Option<f64>| (key(figure), value);
    let quantiles = [
        known("min", field.min),
        known("p50", field.p50),
        known("p90", field.p90),
        known("p95", field.p95),
        known("p99", field.p99),
        known("max", field.max),
    ];
    let rising = |list: &[([&str; 3], Option<f64>)]| {
        let list: Vec<(&[&str], Option<f64>)> =
            list.iter().map(|(path, v)| (&path[..], *v)).collect();
        place.rising(&list, slack)
    };
    rising(&quantiles)?;
    for (figure, value) in [
        ("mean", field.mean),
        ("first", field.first),
        ("last", field.last),
    ] {
        rising(&[
            known("min", field.min),
            known(figure, value),
            known("max", field.max),
        ])?;
    }
    let range = max - min;
    for (figure, value, most) in [
        ("stddev", field.stddev, range / 2.0),
        ("increase", field.increase, range),
    ] {
        let Some(v) = value else { continue };
        if v < 0.0 || v > most + slack(v) {
            let because = format!("{v}, and its values reach from {min} to {max}");
            return place.fault(&key(figure), because);
        }
    }
    if let Some((sum, mean)) = field.sum.zip(field.mean) {
        let of_mean = mean * field.count as f64;
        if (sum - of_mean).abs() > slack(sum) * field.count as f64 {
            let because = format!("{} values with a mean of {mean} are not {sum}", field.count);
            return place.fault(&key("sum"), because);
        }
    }
    Ok(())
}

fn of_peak(key: &str, peak: Option<&Peak>, total: &Endpoint) -> Sound {
    let Some(peak) = peak else { return Ok(()) };
    let place = Place::new(&["rates", key], "the run");
    let most = match total.evidence {
        Evidence::Requests => total.requests,
        // Tables lack a run's last requests, which its history may have.
        Evidence::Histogram | Evidence::Reported => MOST,
    };
    place.at_most(&["value"], peak.value, most, "its requests")?;
    let at_most = peak.at_most.unwrap_or(u64::MAX);
    place.at_most(&["value"], peak.value, at_most, "which it is at most")
}

/// Of single requests the endpoints are the total.
fn adds_up(report: &Report) -> Sound {
    let counted = |e: &Endpoint| e.evidence == Evidence::Requests;
    if !counted(&report.total) || !report.endpoints.iter().all(counted) {
        return Ok(());
    }
    let unknown = |e: &Endpoint| e.ends.unknown_outcomes;
    compare_sum(report, "requests", |e| e.requests)?;
    compare_sum(report, "failures", |e| e.failures)?;
    compare_sum(report, "unknown_outcomes", unknown)
}

fn compare_sum(report: &Report, key: &str, figure: impl Fn(&Endpoint) -> u64) -> Sound {
    let of_total = figure(&report.total);
    let all = report.endpoints.iter().map(figure);
    let all = all.fold(0, u64::saturating_add);
    if all == of_total {
        return Ok(());
    }
    let place = Place::new(&["total"], "the total");
    let because = format!("{of_total}, and the endpoints have {all} together");
    place.fault(&[key], because)
}

#[cfg(test)]
mod tests;
