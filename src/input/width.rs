//! How many endpoints and fields a run may have. They follow from the data, and each needs memory of its own.
//!
//! A run that goes beyond a limit is refused as a whole, however it is split and whichever thread sees it first: to keep
//! some and drop others would make the answer a matter of their order.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::tally::{FieldTally, Tally};

/// How much of each there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Width {
    /// Endpoints.
    pub endpoints: usize,
    /// Bytes of their names and methods.
    pub endpoint_bytes: usize,
    /// Names of measured fields.
    pub fields: usize,
    /// Bytes of these names.
    pub field_bytes: usize,
    /// The most processes that one sampled field names.
    pub sampled: usize,
}

impl Width {
    /// Of everything that was counted.
    pub fn of(tally: &Tally) -> Self {
        let endpoints = tally.endpoints.iter();
        let names = tally
            .endpoints
            .values()
            .flat_map(|endpoint| endpoint.fields.keys())
            .chain(tally.samples.keys());
        let names: BTreeSet<&String> = names.collect();
        let sampled = tally.samples.values().map(FieldTally::sources);
        Self {
            endpoints: tally.endpoints.len(),
            endpoint_bytes: endpoints.map(|(e, _)| e.name.len() + e.method.len()).sum(),
            fields: names.len(),
            field_bytes: names.iter().map(|name| name.len()).sum(),
            sampled: sampled.max().unwrap_or_default(),
        }
    }

    /// What is wrong if it is too much. The answer depends on the whole alone.
    pub fn beyond(&self) -> Option<Diagnostic> {
        let (endpoints, fields) = (limits::ENDPOINTS, limits::FIELDS);
        let (message, help) = if self.endpoints > endpoints {
            (
                format!("the run has more than {endpoints} endpoints"),
                GROUP,
            )
        } else if self.endpoint_bytes > limits::ENDPOINT_NAMES {
            let most = limits::bytes(limits::ENDPOINT_NAMES as u64);
            (
                format!("the names of the endpoints are longer than {most}"),
                GROUP,
            )
        } else if self.fields > fields {
            (
                format!("the run has more than {fields} measured fields"),
                FEWER,
            )
        } else if self.field_bytes > limits::FIELD_NAMES {
            let most = limits::bytes(limits::FIELD_NAMES as u64);
            (
                format!("the names of the measured fields are longer than {most}"),
                FEWER,
            )
        } else if self.endpoints * self.fields > limits::ENDPOINT_FIELDS {
            let most = limits::ENDPOINT_FIELDS;
            let message =
                format!("the run has more than {most} pairs of an endpoint and a measured field");
            (message, FEWER)
        } else if self.sampled > limits::SAMPLED {
            let most = limits::SAMPLED;
            let message = format!("samples name more than {most} processes, hosts or the like");
            (
                message,
                "log samples of what runs long, and its name without what changes with each line",
            )
        } else {
            return None;
        };
        Some(Diagnostic::new("beyond-limit", message).help(help))
    }
}

const GROUP: &str = "names that hold ids make an endpoint of every request: log the route (`/agents/{id}`) as the name, or say by \
                     `--map name=KEY` which key holds it";
const FEWER: &str = "every number in a line is a measured field: log ids as texts, and values with a name of their own as a \
                     text and a number";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_its_sentence() {
        let fine = Width {
            endpoints: limits::ENDPOINTS,
            fields: limits::ENDPOINT_FIELDS / limits::ENDPOINTS,
            ..Width::default()
        };
        assert_eq!(fine.beyond(), None);
        let said = |width: Width| width.beyond().map(|problem| problem.message);
        let more = |endpoints, fields| Width {
            endpoints,
            fields,
            ..Width::default()
        };
        assert!(said(more(10_001, 0)).is_some_and(|m| m.contains("10000 endpoints")));
        assert!(said(more(1, 1001)).is_some_and(|m| m.contains("1000 measured fields")));
        assert!(said(more(201, 1000)).is_some_and(|m| m.contains("pairs")));
        let hosts = Width {
            sampled: limits::SAMPLED + 1,
            ..Width::default()
        };
        assert!(said(hosts).is_some_and(|m| m.contains("hosts")));
    }
}
