//! Requests of one endpoint that ended alike, gathered until there are enough to be counted together.

use super::outcome::Outcome;
use super::shape::{Fast, is_same, word};
use crate::tally::{Alike, EndpointTally, ErrorKey};

/// Requests gathered before they are counted: enough to fetch their counters side by side, few enough to be in the cache
/// still, and two kilobytes for each series.
const ENOUGH: usize = 128;

/// Series that are found at a glance.
const RECENT: usize = 1 << 10;
/// Of `FxHash`.
const FACTOR: u64 = 0x517c_c1b7_2722_0a95;

/// What lines of one series have in common, as it stands in the log.
struct Likeness {
    name: Vec<u8>,
    method: Vec<u8>,
    error: Vec<u8>,
    outcome: u32,
}

/// Status and failure in one number.
#[inline]
fn outcome(line: &Fast<'_>) -> u32 {
    let ended = match line.outcome {
        Outcome::Success => 0,
        Outcome::Failure => 1,
        Outcome::Unknown => 2,
        Outcome::Disputed => 3,
    };
    u32::from(line.status.unwrap_or_default()) << 4
        | u32::from(line.states_outcome) << 3
        | u32::from(line.no_answer) << 2
        | ended
}

impl Likeness {
    fn of(line: &Fast<'_>) -> Self {
        Self {
            name: line.name.to_vec(),
            method: line.method.to_vec(),
            error: line.error.to_vec(),
            outcome: outcome(line),
        }
    }

    #[inline]
    fn is_of(&self, line: &Fast<'_>) -> bool {
        self.outcome == outcome(line)
            && is_same(&self.name, line.name)
            && is_same(&self.method, line.method)
            && is_same(&self.error, line.error)
    }
}

/// Requests of one series that are not counted yet.
pub struct Gathered {
    /// Which endpoint.
    pub endpoint: usize,
    status: Option<u16>,
    failure: Option<ErrorKey>,
    unknown_outcome: bool,
    starts_ms: Vec<i64>,
    response_times_us: Vec<u64>,
    bytes: u64,
    measured: Vec<Measured>,
}

/// Values of one field of the requests.
struct Measured {
    name: String,
    starts_ms: Vec<i64>,
    values: Vec<f64>,
}

impl Gathered {
    /// Nothing yet of one endpoint and outcome.
    pub fn new(
        endpoint: usize,
        status: Option<u16>,
        failure: Option<ErrorKey>,
        unknown_outcome: bool,
    ) -> Self {
        Self {
            endpoint,
            status,
            failure,
            unknown_outcome,
            starts_ms: Vec::new(),
            response_times_us: Vec::new(),
            bytes: 0,
            measured: Vec::new(),
        }
    }

    /// One more request; all are counted when there are enough.
    #[inline]
    pub fn add(&mut self, start_ms: i64, us: u64, bytes: u64, endpoint: &mut EndpointTally) {
        self.starts_ms.push(start_ms);
        self.response_times_us.push(us);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.starts_ms.len() >= ENOUGH {
            self.count(endpoint);
        }
    }

    /// A measured field of a request; `place` is the field's among those of its line, where it is looked for first.
    pub fn measure(&mut self, place: usize, name: &str, start_ms: i64, value: f64) {
        let is_it = |field: &Measured| field.name == name;
        let at_its_place = self.measured.get(place).filter(|field| is_it(field));
        let known = match at_its_place {
            Some(_) => Some(place),
            None => self.measured.iter().position(is_it),
        };
        let at = known.unwrap_or_else(|| {
            self.measured.push(Measured {
                name: name.to_owned(),
                starts_ms: Vec::new(),
                values: Vec::new(),
            });
            self.measured.len() - 1
        });
        let field = &mut self.measured[at];
        field.starts_ms.push(start_ms);
        field.values.push(value);
    }

    /// One request that says no start, counted at once.
    pub fn add_without_start(&self, us: u64, bytes: u64, endpoint: &mut EndpointTally) {
        endpoint.add_alike(&Alike {
            status: self.status,
            failure: self.failure.as_ref(),
            unknown_outcome: self.unknown_outcome,
            starts_ms: &[],
            response_times_us: &[us],
            bytes,
        });
    }

    /// Counts what was gathered.
    pub fn count(&mut self, endpoint: &mut EndpointTally) {
        endpoint.add_alike(&Alike {
            status: self.status,
            failure: self.failure.as_ref(),
            unknown_outcome: self.unknown_outcome,
            starts_ms: &self.starts_ms,
            response_times_us: &self.response_times_us,
            bytes: self.bytes,
        });
        self.starts_ms.clear();
        self.response_times_us.clear();
        self.bytes = 0;
        for field in self.measured.iter_mut().filter(|f| !f.values.is_empty()) {
            endpoint.add_field(&field.name, &field.starts_ms, &field.values);
            field.starts_ms.clear();
            field.values.clear();
        }
    }
}

/// Where a line's series is, or would be.
pub enum Found {
    /// Its number.
    At(usize),
    /// It is new: its place in the table.
    Free(usize),
}

struct Series {
    hash: u64,
    likeness: Likeness,
    gathered: Gathered,
}

/// All series seen, found by the bytes of a line. A table of our own because a standard map would want an owned key, or one
/// look-up for each text.
pub struct Known {
    /// Number of the series found last with some bytes of a name, which are mixed in less time than all.
    recent: Box<[u32; RECENT]>,
    /// Number of a series plus one, at or after the place its hash gives; 0 is free. Never more than half full.
    places: Vec<u32>,
    all: Vec<Series>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            recent: Box::new([0; RECENT]),
            places: Vec::new(),
            all: Vec::new(),
        }
    }
}

impl Known {
    /// How many series there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// A series by its number.
    #[inline]
    pub fn at(&mut self, number: usize) -> &mut Gathered {
        &mut self.all[number].gathered
    }

    /// All series.
    pub fn all(&mut self) -> impl Iterator<Item = &mut Gathered> {
        self.all.iter_mut().map(|series| &mut series.gathered)
    }

    /// Looks for the series of a line.
    #[inline]
    pub fn find(&mut self, line: &Fast<'_>) -> Found {
        let glance = glance(line.name);
        let recent = self.recent[glance] as usize;
        if self
            .all
            .get(recent)
            .is_some_and(|series| series.likeness.is_of(line))
        {
            return Found::At(recent);
        }
        let found = self.look(hash(line), |likeness| likeness.is_of(line));
        if let Found::At(number) = found {
            self.recent[glance] = number as u32;
        }
        found
    }

    #[inline]
    fn look(&self, hash: u64, is_it: impl Fn(&Likeness) -> bool) -> Found {
        let last = self.places.len().wrapping_sub(1);
        let mut place = hash as usize & last;
        while let Some(number @ 1..) = self.places.get(place).map(|n| *n as usize) {
            if is_it(&self.all[number - 1].likeness) {
                return Found::At(number - 1);
            }
            place = (place + 1) & last;
        }
        Found::Free(place)
    }

    /// Puts a new series at its place, and returns its number.
    pub fn insert(&mut self, place: usize, line: &Fast<'_>, gathered: Gathered) -> usize {
        self.all.push(Series {
            hash: hash(line),
            likeness: Likeness::of(line),
            gathered,
        });
        if self.all.len() * 2 > self.places.len() {
            self.grow();
        } else {
            self.places[place] = self.all.len() as u32;
        }
        self.all.len() - 1
    }

    fn grow(&mut self) {
        self.places = vec![0; (self.all.len() * 4).next_power_of_two()];
        for number in 0..self.all.len() {
            if let Found::Free(place) = self.look(self.all[number].hash, |_| false) {
                self.places[place] = number as u32 + 1;
            }
        }
    }
}

/// Mixes the begin, middle and end of a name.
#[inline]
fn glance(name: &[u8]) -> usize {
    let words = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            let middle = name[(name.len() - 8) / 2..]
                .first_chunk::<8>()
                .unwrap_or(last);
            let middle = u64::from_le_bytes(*middle).rotate_left(11);
            u64::from_le_bytes(*first).rotate_left(7) ^ middle ^ u64::from_le_bytes(*last)
        }
        _ => word(name),
    };
    let mixed = (words ^ name.len() as u64).wrapping_mul(FACTOR);
    (mixed >> 32) as usize % RECENT
}

/// Mixes what makes a series, eight bytes at a time (as rustc's own `FxHash` does); the last eight may be looked at twice.
#[inline]
fn hash(line: &Fast<'_>) -> u64 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let text = |hash: u64, text: &[u8]| {
        let words = text.as_chunks::<8>().0.iter();
        let hash = words.fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
        let last = text.last_chunk::<8>().map(|last| u64::from_le_bytes(*last));
        mix(hash, last.unwrap_or_else(|| word(text)))
    };
    let hash = text(
        text(text(u64::from(outcome(line)), line.name), line.method),
        line.error,
    );
    // The upper bits are the mixed ones.
    hash.rotate_left(26)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, status: u16) -> Fast<'_> {
        Fast {
            name: name.as_bytes(),
            status: Some(status),
            outcome: if status >= 400 {
                Outcome::Failure
            } else {
                Outcome::Success
            },
            ..Fast::default()
        }
    }

    #[test]
    fn each_outcome_of_each_endpoint_is_a_series() {
        let names: Vec<String> = (0..100).map(|i| format!("/service/{i}/items")).collect();
        let mut known = Known::default();
        for turn in 0..2 {
            for (i, name) in names.iter().enumerate() {
                for (j, status) in [200, 404].into_iter().enumerate() {
                    let line = line(name, status);
                    let number = match known.find(&line) {
                        Found::At(number) => number,
                        Found::Free(place) => {
                            assert_eq!(turn, 0, "{name} was seen");
                            known.insert(place, &line, Gathered::new(i, line.status, None, false))
                        }
                    };
                    assert_eq!((number, known.at(number).endpoint), (i * 2 + j, i));
                }
            }
        }
        assert_eq!(known.len(), 200);
    }

    #[test]
    fn what_is_gathered_is_what_is_counted() {
        let (mut endpoint, mut one_by_one) = (EndpointTally::default(), EndpointTally::default());
        let mut gathered = Gathered::new(0, Some(200), None, false);
        for i in 0..=ENOUGH as i64 {
            gathered.add(i * 100, i as u64, 10, &mut endpoint);
            one_by_one.add(&crate::tally::Request {
                start_ms: Some(i * 100),
                response_time_us: i as u64,
                status: Some(200),
                response_length: Some(10.0),
                ..crate::tally::Request::default()
            });
        }
        assert_eq!(endpoint.requests, ENOUGH as u64);
        gathered.count(&mut endpoint);
        assert_eq!(endpoint, one_by_one);
    }
}
