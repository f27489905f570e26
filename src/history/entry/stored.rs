//! An entry as the report that `check --json` would have written, as far as it was kept, and a report as an entry.

use std::collections::BTreeMap;

use super::{EndpointEntry, Entry, Sureness};
use crate::comparison::sample::kept::least;
use crate::diagnostic::Diagnostic;
use crate::history::time_counts::TimeCounts;
use crate::input::report::{Endpoint, Fault, Kept, Outcome, Report, Run, fault, impossible};

/// The labels that an entry holds by themselves.
const OWN_LABELS: [&str; 4] = ["commit", "branch", "machine", "scenario"];

impl Entry {
    /// As a report.
    pub fn as_report(&self) -> Report {
        let own = [&self.commit, &self.branch, &self.machine, &self.scenario];
        let own = OWN_LABELS.into_iter().zip(own);
        let own = own.filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
        Report {
            run: Run {
                label: self.label.clone(),
                started_ms: self.started_ms,
                duration_s: self.duration_s,
                users_max: self.users_max,
                metadata: self.labels.clone().into_iter().chain(own).collect(),
            },
            total: as_endpoint(self, &self.total, true),
            endpoints: self
                .endpoints
                .iter()
                .map(|e| as_endpoint(self, e, false))
                .collect(),
            rates: self.rates.clone().unwrap_or_default(),
            outcome: Outcome {
                verdict: self.verdict.clone(),
            },
        }
    }

    /// Of a report.
    pub fn of_report(report: Report) -> Self {
        let mut labels = report.run.metadata;
        let [commit, branch, machine, scenario] = OWN_LABELS.map(|key| labels.remove(key));
        let mut entry = Self {
            id: String::new(),
            label: report.run.label,
            started_ms: report.run.started_ms,
            duration_s: report.run.duration_s,
            users_max: report.run.users_max,
            commit,
            branch,
            machine,
            processor: None,
            scenario,
            labels,
            verdict: report.outcome.verdict,
            rates: Some(report.rates),
            total: of_endpoint(report.total),
            endpoints: report.endpoints.into_iter().map(of_endpoint).collect(),
        };
        entry.leave_out_doubtful();
        entry.id = entry.identity();
        entry
    }

    /// What cannot be in the line of a history that this entry was read from.
    pub fn impossible(&self, file: &str, number: u64, line: &str) -> Option<Diagnostic> {
        let mut fault = self.unexpected().or_else(|| fault(&self.as_report()))?;
        fault.at = in_line(&fault.at);
        let mut problem = impossible(&fault, file, line);
        if let Some(origin) = &mut problem.origin {
            origin.line = Some(number);
        }
        Some(problem)
    }

    /// Unexpected failures, which a report does not keep, are failures.
    fn unexpected(&self) -> Option<Fault> {
        let total = (vec!["total".to_owned()], &self.total);
        let each = self.endpoints.iter().enumerate();
        let each = each.map(|(i, e)| (vec!["endpoints".to_owned(), i.to_string()], e));
        let found = std::iter::once(total)
            .chain(each)
            .find(|(_, e)| e.unexpected_failures > Some(e.failures));
        let (mut at, endpoint) = found?;
        at.push("unexpected_failures".to_owned());
        Some(Fault {
            at,
            of: format!("`{}`", endpoint.endpoint()),
            because: format!("it is more than its failures, {}", endpoint.failures),
        })
    }
}

/// Where a figure of a report stands in a line.
fn in_line(at: &[String]) -> Vec<String> {
    let at: Vec<&str> = at.iter().map(String::as_str).collect();
    let there = match &at[..] {
        ["run", rest @ ..] => rest.to_vec(),
        [before @ .., "sample", "times_us"] => [before, &["times"]].concat(),
        _ => at
            .iter()
            .map(|key| if *key == "sample" { "sureness" } else { key })
            .collect(),
    };
    there.into_iter().map(str::to_owned).collect()
}

fn as_endpoint(run: &Entry, of: &EndpointEntry, total: bool) -> Endpoint {
    let key = of.endpoint();
    let times = run.times_of((!total).then_some(&key));
    let mut bins: BTreeMap<u64, u64> = BTreeMap::new();
    for (us, n) in times.iter().flat_map(TimeCounts::least_us) {
        let bin = bins.entry(least(us)).or_default();
        *bin = bin.saturating_add(n);
    }
    let known = |figures: &BTreeMap<String, f64>| {
        let all = figures.iter();
        all.map(|(metric, v)| (metric.clone(), Some(*v))).collect()
    };
    Endpoint {
        method: of.method.clone(),
        name: of.name.clone(),
        requests: of.requests,
        failures: of.failures,
        rps: of.rps,
        response_time_ms: of.response_time_ms.clone(),
        evidence: of.evidence,
        ends: of.ends.clone(),
        doubts: of.doubts.clone(),
        fields: of.fields.clone(),
        sample: Some(Kept {
            relative_error: known(&of.sureness.relative_error),
            effective_requests: known(&of.sureness.effective_requests),
            times_us: bins.into_iter().collect(),
        }),
    }
}

fn of_endpoint(read: Endpoint) -> EndpointEntry {
    let known = |figures: BTreeMap<String, Option<f64>>| {
        let all = figures.into_iter();
        all.filter_map(|(metric, v)| Some((metric, v?))).collect()
    };
    let sureness = read.sample.map(|kept| Sureness {
        relative_error: known(kept.relative_error),
        effective_requests: known(kept.effective_requests),
    });
    EndpointEntry {
        method: read.method,
        name: read.name,
        requests: read.requests,
        failures: read.failures,
        unexpected_failures: None,
        rps: read.rps,
        response_time_ms: read.response_time_ms,
        evidence: read.evidence,
        ends: read.ends,
        doubts: read.doubts,
        fields: read.fields,
        times: None,
        sureness: sureness.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
