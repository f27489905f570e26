//! Closed-loop users, played in the order of their responses.
//!
//! A user spawns, chooses an endpoint by weight, sends a request, waits for the response, waits, and goes on. While
//! a request is under way nothing else happens to its user, so one entry per user on a heap, keyed by the time of
//! its next response, is the whole simulation: memory grows with users, not with requests.
//!
//! For each request a user draws, always and in this order: endpoint (1), response time (2), failure (1), response
//! length (1), one per measured field of that endpoint, wait (1). As nothing is drawn only sometimes, a change to
//! one endpoint's failures or fields leaves every other number of the run as it was.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::random::Random;
use super::response_time::ResponseTime;
use super::scenario::{Length, Memory, Scenario, Values};

/// A run with a number of requests ends after 30 days, whatever happens, so that the clock cannot overflow.
const LONGEST_RUN_US: u64 = 30 * 86_400_000_000;

/// The generator of the memory samples is that of a user no scenario can have.
const MEMORY_STREAM: u64 = 1 << 40;

/// What happened, in the order of time.
pub enum Event<'a> {
    /// A response came.
    Response(&'a Response),
    /// The server's memory was sampled.
    Memory {
        /// Microseconds since the start.
        at_us: u64,
        /// MB times 1000.
        thousandths_mb: u64,
    },
}

/// One request and its response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Index of the endpoint.
    pub endpoint: usize,
    /// Start, microseconds since the run's.
    pub start_us: u64,
    /// Response time in microseconds.
    pub response_time_us: u64,
    /// Index of the endpoint's failure; `None` for a success.
    pub failure: Option<usize>,
    /// Body bytes.
    pub response_length: u64,
    /// The user, from 0.
    pub user: u32,
    /// Users that had spawned when the request started.
    pub users: u32,
    /// For each measured field: the number of a range, the index of a weighted value, 0 for a fixed one.
    pub picks: Vec<u64>,
}

impl Response {
    /// When the response came, microseconds since the start.
    pub fn end_us(&self) -> u64 {
        self.start_us + self.response_time_us
    }
}

struct User {
    random: Random,
    /// The request under way.
    next: Response,
    /// One request and no more.
    burst: bool,
}

/// What is worked out once from a scenario.
struct Plan<'s> {
    scenario: &'s Scenario,
    /// Running sums of the endpoints' weights.
    weights: Vec<f64>,
    endpoints: Vec<EndpointPlan<'s>>,
}

struct EndpointPlan<'s> {
    response_time: ResponseTime,
    /// Running sums of the failures' ratios.
    failures: Vec<f64>,
    response_length: (u64, u64),
    fields: Vec<FieldPlan<'s>>,
}

struct FieldPlan<'s> {
    values: &'s Values,
    weights: Vec<f64>,
}

/// Plays the scenario; `tell` hears of every event in the order of time, and the answer is the run's end in
/// microseconds since its start.
pub fn simulate<E>(
    scenario: &Scenario,
    seed: u64,
    mut tell: impl FnMut(Event<'_>) -> Result<(), E>,
) -> Result<u64, E> {
    let plan = Plan::new(scenario);
    let mut users = plan.spawn(seed);
    let mut order: BinaryHeap<Reverse<(u64, u32)>> = users
        .iter()
        .enumerate()
        .map(|(index, user)| Reverse((user.next.end_us(), index as u32)))
        .collect();
    let mut memory = scenario.memory.map(|memory| Sampler::new(memory, seed));
    let (end_us, most) = match scenario.length {
        Length::Duration(us) => (us, u64::MAX),
        Length::Requests(count) => (LONGEST_RUN_US, count),
    };
    let (mut told, mut now) = (0, 0);
    while told < most
        && let Some(mut first) = order.peek_mut()
    {
        let Reverse((at_us, index)) = *first;
        if at_us > end_us {
            break;
        }
        now = at_us;
        if let Some(sampler) = &mut memory {
            sampler.until(now, &mut tell)?;
        }
        let user = &mut users[index as usize];
        tell(Event::Response(&user.next))?;
        told += 1;
        if user.burst {
            std::collections::binary_heap::PeekMut::pop(first);
        } else {
            let wait = user.random.whole(scenario.wait_us);
            plan.request(user, now + wait);
            // The user stays at the top of the heap until its new place is found: one sift instead of two.
            *first = Reverse((user.next.end_us(), index));
        }
    }
    let end_us = match scenario.length {
        Length::Duration(us) => us,
        Length::Requests(_) => now,
    };
    if let Some(sampler) = &mut memory {
        sampler.until(end_us, &mut tell)?;
    }
    Ok(end_us)
}

impl<'s> Plan<'s> {
    fn new(scenario: &'s Scenario) -> Self {
        let endpoints = scenario.endpoints.iter().map(|endpoint| EndpointPlan {
            response_time: ResponseTime::new(endpoint.median_ms, endpoint.p95_ms),
            failures: running(endpoint.failures.iter().map(|f| f.ratio)),
            response_length: endpoint.response_length,
            fields: endpoint
                .fields
                .iter()
                .map(|(_, values)| FieldPlan {
                    values,
                    weights: match values {
                        Values::Weighted(choices) => running(choices.iter().map(|(_, w)| *w)),
                        Values::Fixed(_) | Values::Range(..) => Vec::new(),
                    },
                })
                .collect(),
        });
        Self {
            scenario,
            weights: running(scenario.endpoints.iter().map(|e| e.weight)),
            endpoints: endpoints.collect(),
        }
    }

    /// Every user with its first request, and after them the users of the bursts.
    fn spawn(&self, seed: u64) -> Vec<User> {
        let new = |index: u32| User {
            random: Random::new(seed, u64::from(index)),
            next: Response {
                user: index,
                ..Response::default()
            },
            burst: false,
        };
        let mut users: Vec<User> = (0..self.scenario.users).map(new).collect();
        for (index, user) in users.iter_mut().enumerate() {
            self.request(user, spawn_us(self.scenario, index as u32));
        }
        for burst in &self.scenario.bursts {
            for _ in 0..burst.requests {
                let mut user = new(users.len() as u32);
                user.burst = true;
                self.send(&mut user, burst.endpoint, burst.at_us);
                users.push(user);
            }
        }
        users
    }

    /// The user's next request, chosen by weight.
    fn request(&self, user: &mut User, start_us: u64) {
        let endpoint = user.random.choice(&self.weights);
        self.send(user, endpoint, start_us);
    }

    fn send(&self, user: &mut User, endpoint: usize, start_us: u64) {
        let plan = &self.endpoints[endpoint];
        let (random, next) = (&mut user.random, &mut user.next);
        next.endpoint = endpoint;
        next.start_us = start_us;
        next.response_time_us = plan.response_time.draw(random);
        let failure = random.uniform();
        next.failure = plan.failures.iter().position(|sum| failure < *sum);
        next.response_length = random.whole(plan.response_length);
        next.users = users_at(self.scenario, start_us);
        next.picks.clear();
        next.picks
            .extend(plan.fields.iter().map(|field| match field.values {
                Values::Fixed(_) => random.whole((0, 0)),
                Values::Range(low, high) => random.whole((*low, *high)),
                Values::Weighted(_) => random.choice(&field.weights) as u64,
            }));
    }
}

/// Running sums, the last one the total.
fn running(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let add = |sum: &mut f64, weight: f64| {
        *sum += weight;
        Some(*sum)
    };
    weights.scan(0.0, add).collect()
}

/// When user `index` spawns, microseconds since the start.
fn spawn_us(scenario: &Scenario, index: u32) -> u64 {
    (f64::from(index) * 1e6 / scenario.spawn_rate) as u64
}

/// Users that have spawned at this moment.
pub fn users_at(scenario: &Scenario, at_us: u64) -> u32 {
    let estimate = (at_us as f64 / 1e6 * scenario.spawn_rate) as u32;
    // The division may round to the wrong side of a spawn; its own rule decides.
    let next = estimate.saturating_sub(1)..=estimate.saturating_add(1);
    let unborn = next.into_iter().find(|i| spawn_us(scenario, *i) > at_us);
    unborn
        .unwrap_or(estimate.saturating_add(2))
        .min(scenario.users)
}

/// Samples the memory at fixed times.
struct Sampler {
    memory: Memory,
    random: Random,
    next_us: u64,
}

impl Sampler {
    fn new(memory: Memory, seed: u64) -> Self {
        Self {
            memory,
            random: Random::new(seed, MEMORY_STREAM),
            next_us: 0,
        }
    }

    fn until<E>(
        &mut self,
        now_us: u64,
        tell: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while self.next_us <= now_us {
            let hours = self.next_us as f64 / 3.6e9;
            let mb = self.memory.baseline_mb
                + self.memory.growth_mb_per_h * hours
                + self.memory.noise_mb * self.random.normal();
            tell(Event::Memory {
                at_us: self.next_us,
                thousandths_mb: (mb.max(0.0) * 1e3).round() as u64,
            })?;
            self.next_us += self.memory.every_us;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::scenario::{self, Burst};

    /// Two users, spawned a second apart, 100 ms for each response, 1 s of waiting; no chance anywhere.
    fn clockwork() -> Scenario {
        let text = "[load]\nusers = 2\nspawn-rate = 1\nduration = \"4s\"\nwait = [\"1s\", \"1s\"]\n\
            [[endpoint]]\nname = \"/a\"\nmedian = \"100ms\"\np95 = \"100ms\"\nfields = { rows = [3, 3] }\n";
        scenario::parse(text, "clockwork").expect("valid")
    }

    fn responses(scenario: &Scenario, seed: u64) -> Vec<Response> {
        let mut all = Vec::new();
        let tell = |event: Event<'_>| {
            if let Event::Response(response) = event {
                all.push(response.clone());
            }
            Ok::<_, std::convert::Infallible>(())
        };
        let Ok(_) = simulate(scenario, seed, tell);
        all
    }

    #[test]
    fn users_go_round_as_by_hand() {
        // User 0 starts at 0, 1.1, 2.2, 3.3 s; user 1 at 1, 2.1, 3.2 s. A start at 4.3 s is after the end.
        let found: Vec<_> = responses(&clockwork(), 1)
            .iter()
            .map(|r| (r.start_us / 1000, r.user, r.users))
            .collect();
        assert_eq!(
            found,
            [
                (0, 0, 1),
                (1000, 1, 2),
                (1100, 0, 2),
                (2100, 1, 2),
                (2200, 0, 2),
                (3200, 1, 2),
                (3300, 0, 2),
            ]
        );
        let first = &responses(&clockwork(), 1)[0];
        assert_eq!(
            (first.response_time_us, &first.picks[..]),
            (100_000, &[3][..])
        );
    }

    #[test]
    fn requests_under_way_at_the_end_are_not_told() {
        let mut scenario = clockwork();
        scenario.length = Length::Duration(1_099_999);
        assert_eq!(responses(&scenario, 1).len(), 1);
        scenario.length = Length::Duration(1_100_000);
        assert_eq!(responses(&scenario, 1).len(), 2);
    }

    #[test]
    fn a_number_of_requests_ends_the_run() {
        let mut scenario = clockwork();
        scenario.length = Length::Requests(1000);
        assert_eq!(responses(&scenario, 1).len(), 1000);
    }

    #[test]
    fn bursts_start_at_one_moment() {
        let mut scenario = clockwork();
        scenario.bursts.push(Burst {
            endpoint: 0,
            requests: 30,
            at_us: 2_500_000,
        });
        let all = responses(&scenario, 1);
        assert_eq!(all.len(), 37);
        assert_eq!(all.iter().filter(|r| r.start_us == 2_500_000).count(), 30);
        assert!(all.windows(2).all(|w| w[0].end_us() <= w[1].end_us()));
    }

    #[test]
    fn memory_is_sampled_from_the_start_to_the_end() {
        let mut scenario = clockwork();
        scenario.memory = Some(Memory {
            every_us: 1_000_000,
            baseline_mb: 100.0,
            growth_mb_per_h: 3600.0,
            noise_mb: 0.0,
        });
        let mut samples = Vec::new();
        let tell = |event: Event<'_>| {
            if let Event::Memory {
                at_us,
                thousandths_mb,
            } = event
            {
                samples.push((at_us / 1_000_000, thousandths_mb));
            }
            Ok::<_, std::convert::Infallible>(())
        };
        assert_eq!(simulate(&scenario, 1, tell), Ok(4_000_000));
        // 3600 MB/h is 1 MB/s.
        assert_eq!(
            samples,
            [
                (0, 100_000),
                (1, 101_000),
                (2, 102_000),
                (3, 103_000),
                (4, 104_000)
            ]
        );
    }

    #[test]
    fn users_are_counted_by_their_spawn() {
        let mut scenario = clockwork();
        (scenario.users, scenario.spawn_rate) = (1000, 7.0);
        for index in 0..1000 {
            let at = spawn_us(&scenario, index);
            assert_eq!(users_at(&scenario, at), index + 1);
            if at > 0 {
                assert_eq!(users_at(&scenario, at - 1), index);
            }
        }
        assert_eq!(users_at(&scenario, u64::from(u32::MAX)), 1000);
    }

    /// What is drawn does not depend on what it is used for.
    #[test]
    fn more_failures_leave_the_response_times_alone() {
        let (_, text) = scenario::EMBEDDED[0];
        let healthy = scenario::parse(text, "healthy").expect("valid");
        let mut sick = healthy.clone();
        sick.endpoints[0].failures[0].ratio *= 4.0;
        let times = |scenario| -> Vec<u64> {
            responses(scenario, 3)
                .iter()
                .map(|r| r.response_time_us)
                .collect()
        };
        let failed = |scenario| {
            responses(scenario, 3)
                .iter()
                .filter(|r| r.failure.is_some())
                .count()
        };
        assert_eq!(times(&healthy), times(&sick));
        assert!(failed(&sick) > failed(&healthy));
    }
}
