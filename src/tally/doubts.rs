//! What is known to be wrong, or not known, of the figures of an endpoint or a run: they are shown, but not judged.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::metric::{Filter, Metric};

/// What a doubt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concern {
    /// How many requests there were.
    Requests,
    /// How many of them failed, with which status and message.
    Failures,
    /// The texts of failures.
    Messages,
    /// Response times.
    Times,
    /// Percentiles only: mean, minimum and maximum are sound.
    Percentiles,
    /// When requests happened, and so rates, windows and the duration.
    Course,
    /// How long the run was, and so its duration and the rates over all of it, but no window.
    Length,
    /// Concurrent users.
    Users,
    /// Measured fields.
    Fields,
}

impl Concern {
    /// Every concern: a doubt about the run as a whole.
    pub const ALL: [Self; 9] = [
        Self::Requests,
        Self::Failures,
        Self::Messages,
        Self::Times,
        Self::Percentiles,
        Self::Course,
        Self::Length,
        Self::Users,
        Self::Fields,
    ];

    /// Whether a metric rests on it.
    fn is_of(self, metric: &Metric) -> bool {
        match metric {
            Metric::Requests => self == Self::Requests,
            Metric::Ratio(Filter::Error(_)) | Metric::Count(Filter::Error(_)) => {
                matches!(self, Self::Requests | Self::Failures | Self::Messages)
            }
            Metric::Failures
            | Metric::FailureRatio
            | Metric::SuccessRatio
            | Metric::UnexpectedFailures
            | Metric::UnexpectedFailureRatio
            | Metric::Ratio(_)
            | Metric::Count(_) => matches!(self, Self::Requests | Self::Failures),
            Metric::Min | Metric::Mean | Metric::Max | Metric::Stddev => self == Self::Times,
            Metric::Quantile(_) => matches!(self, Self::Times | Self::Percentiles),
            Metric::Apdex(_) => matches!(self, Self::Times | Self::Failures),
            Metric::Field(..) => self == Self::Fields,
            Metric::Rps | Metric::Rpm => {
                matches!(self, Self::Requests | Self::Course | Self::Length)
            }
            Metric::Peak(_) => matches!(self, Self::Requests | Self::Course),
            Metric::Users => self == Self::Users,
            Metric::Duration => matches!(self, Self::Course | Self::Length),
        }
    }
}

/// Why figures cannot be judged. Merging is the union: any order gives the same doubts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubts(BTreeSet<(Concern, String)>);

impl Doubts {
    /// Adds a doubt; `because` is a sentence for a report, without a full stop.
    pub fn add(&mut self, concerns: &[Concern], because: &str) {
        let each = concerns.iter().map(|c| (*c, because.to_owned()));
        self.0.extend(each);
    }

    /// Takes over another's doubts.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Why a metric cannot be judged, if so.
    pub fn on(&self, metric: &Metric) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|(concern, _)| concern.is_of(metric))
            .map(|(_, because)| because.as_str())
    }

    /// Every reason once, in order.
    pub fn reasons(&self) -> BTreeSet<&str> {
        self.0.iter().map(|(_, because)| because.as_str()).collect()
    }

    /// Says every reason in other words.
    pub fn reword(&mut self, other: impl Fn(&str) -> String) {
        let all = std::mem::take(&mut self.0);
        let reworded = all
            .into_iter()
            .map(|(concern, because)| (concern, other(&because)));
        self.0.extend(reworded);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Written as what is concerned → why: `{"failures": ["…"]}`.
impl Serialize for Doubts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut by_concern: BTreeMap<Concern, Vec<&str>> = BTreeMap::new();
        for (concern, because) in &self.0 {
            by_concern.entry(*concern).or_default().push(because);
        }
        by_concern.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Doubts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let by_concern = BTreeMap::<Concern, Vec<String>>::deserialize(deserializer)?;
        let each = by_concern.into_iter().flat_map(|(concern, reasons)| {
            let pair = move |because| (concern, because);
            reasons.into_iter().map(pair)
        });
        Ok(Self(each.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubt_concerns_what_rests_on_it() {
        let mut doubts = Doubts::default();
        doubts.add(&[Concern::Percentiles], "p");
        assert_eq!(doubts.on(&Metric::Quantile(0.95)), Some("p"));
        assert_eq!(doubts.on(&Metric::Mean), None);
        doubts.add(&[Concern::Times, Concern::Course], "t");
        assert_eq!(doubts.on(&Metric::Mean), Some("t"));
        assert_eq!(doubts.on(&Metric::Rps), Some("t"));
        assert_eq!(doubts.on(&Metric::FailureRatio), None);
        assert_eq!(doubts.reasons().into_iter().collect::<Vec<_>>(), ["p", "t"]);
    }

    #[test]
    fn a_doubt_about_everything_spares_no_metric() {
        let mut doubts = Doubts::default();
        doubts.add(&Concern::ALL, "all");
        let field = Metric::Field(crate::metric::Aggregate::Max, "rows".to_owned());
        for metric in [
            Metric::Requests,
            Metric::FailureRatio,
            Metric::Min,
            Metric::Apdex(1.0),
            field,
            Metric::Peak(1.0),
            Metric::Users,
            Metric::Duration,
        ] {
            assert_eq!(doubts.on(&metric), Some("all"), "{metric}");
        }
    }

    #[test]
    fn doubts_are_read_as_they_were_written() {
        let mut doubts = Doubts::default();
        doubts.add(&[Concern::Failures, Concern::Requests], "a");
        doubts.add(&[Concern::Failures], "b");
        let text = serde_json::to_string(&doubts).unwrap();
        assert_eq!(text, r#"{"requests":["a"],"failures":["a","b"]}"#);
        assert_eq!(serde_json::from_str::<Doubts>(&text).unwrap(), doubts);
        assert!(serde_json::from_str::<Doubts>(r#"{"weather":["a"]}"#).is_err());
    }

    #[test]
    fn a_doubt_in_other_words_is_the_same_doubt() {
        let mut doubts = Doubts::default();
        doubts.add(&[Concern::Times, Concern::Users], "/home/a/run.csv is odd");
        doubts.reword(|because| because.replace("/home/a/", ""));
        assert_eq!(doubts.on(&Metric::Users), Some("run.csv is odd"));
        assert_eq!(doubts.reasons().len(), 1);
    }
}
