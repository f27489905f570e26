//! The synthetic run: a load test that never happened, so that gates and readers can be tried.
//!
//! A [`scenario`] says who asks for what, and a [`change`] makes it worse; [`users`] plays it, one closed loop per
//! user; [`write_log`] and [`write_locust`] write down what happened as a load test would have. The same scenario and
//! seed give the same bytes on every machine: see [`random`].

use std::fs::File;
use std::io::{self, BufWriter, Write};

use self::files::Files;
use self::scenario::{Length, Scenario};
use self::users::{Event, Response};
use self::write_locust::{Counted, Logged, Statistics, json, tables};
use self::write_log::LogWriter;
use crate::progress::Progress;

pub mod change;
pub mod files;
pub mod random;
pub mod response_time;
pub mod scenario;
pub mod users;
pub mod write_locust;
pub mod write_log;

/// The request log's name.
pub const LOG: &str = "requests.jsonl";
/// Locust's tables: statistics, history, failures, exceptions.
pub const TABLES: [&str; 4] = [
    "run_stats.csv",
    "run_stats_history.csv",
    "run_failures.csv",
    "run_exceptions.csv",
];
/// Locust's JSON.
pub const JSON: &str = "run.json";

const SECOND_US: u64 = 1_000_000;
/// Requests or seconds between two looks at the bar, at most.
const STEP: u64 = 4096;

/// What a run is and what is written of it.
pub struct Job<'s> {
    /// Who does what.
    pub scenario: &'s Scenario,
    /// The seed of every random number.
    pub seed: u64,
    /// When the run starts, epoch microseconds.
    pub start_us: i64,
    /// Write the request log.
    pub log: bool,
    /// Write Locust's tables.
    pub tables: bool,
    /// Write Locust's JSON.
    pub json: bool,
}

/// What was generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Generated {
    /// Requests that got a response.
    pub requests: u64,
    /// Failed ones.
    pub failures: u64,
    /// Length of the run, microseconds.
    pub end_us: u64,
}

impl Job<'_> {
    /// Every file the job will write.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        names.extend(self.log.then_some(LOG));
        names.extend(self.tables.then_some(TABLES).into_iter().flatten());
        names.extend(self.json.then_some(JSON));
        names
    }

    /// Plays the scenario and writes it down.
    pub fn run(&self, files: &mut Files) -> io::Result<Generated> {
        let mut written = Written::new(self, files)?;
        let progress = Progress::new();
        match self.scenario.length {
            Length::Requests(count) => progress.begin_count("requests", count),
            Length::Duration(us) => progress.begin_count("seconds of the run", us / SECOND_US),
        }
        let mut told = 0;
        let mut generated = Generated::default();
        generated.end_us = users::simulate(self.scenario, self.seed, |event| {
            if let Event::Response(response) = event {
                generated.requests += 1;
                generated.failures += u64::from(response.failure.is_some());
                let done = match self.scenario.length {
                    Length::Requests(_) => generated.requests,
                    Length::Duration(_) => response.end_us() / SECOND_US,
                };
                // A step for each request would cost as much as its line.
                if done >= told + STEP.min(1 + done / 100) {
                    progress.advance(done - told);
                    told = done;
                }
            }
            written.event(self.scenario, &event)
        })?;
        progress.finish();
        written.finish(self, generated.end_us, files)?;
        Ok(generated)
    }
}

/// The files that grow while the run goes on.
struct Written {
    log: Option<LogWriter<BufWriter<File>>>,
    statistics: Option<Statistics<BufWriter<File>>>,
}

impl Written {
    fn new(job: &Job<'_>, files: &mut Files) -> io::Result<Self> {
        let log = if job.log {
            let file = files.create(LOG)?;
            Some(LogWriter::new(job.scenario, job.start_us, file))
        } else {
            None
        };
        let history = if job.tables {
            Some(files.create(TABLES[1])?)
        } else {
            None
        };
        let statistics = if job.tables || job.json {
            Some(Statistics::new(job.start_us, history)?)
        } else {
            None
        };
        Ok(Self { log, statistics })
    }

    fn event(&mut self, scenario: &Scenario, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Response(response) => {
                if let Some(log) = &mut self.log {
                    log.response(response)?;
                }
                if let Some(statistics) = &mut self.statistics {
                    let users_at = |at| users::users_at(scenario, at);
                    statistics.response(&logged(scenario, response), users_at)?;
                }
                Ok(())
            }
            Event::Memory {
                at_us,
                thousandths_mb,
            } => match &mut self.log {
                Some(log) => log.memory(*at_us, *thousandths_mb),
                None => Ok(()),
            },
        }
    }

    fn finish(self, job: &Job<'_>, end_us: u64, files: &mut Files) -> io::Result<()> {
        if let Some(log) = self.log {
            log.finish()?;
        }
        let Some(statistics) = self.statistics else {
            return Ok(());
        };
        let users_at = |at| users::users_at(job.scenario, at);
        let (history, counted) = statistics.finish(end_us, users_at)?;
        if let Some(mut history) = history {
            history.flush()?;
        }
        if job.tables {
            write_tables(job, &counted, files)?;
        }
        if job.json {
            let mut file = files.create(JSON)?;
            json::write(&counted, &mut file)?;
            file.flush()?;
        }
        Ok(())
    }
}

fn write_tables(job: &Job<'_>, counted: &Counted, files: &mut Files) -> io::Result<()> {
    tables::stats(counted, files.create(TABLES[0])?)?.flush()?;
    tables::failures(counted, job.scenario, files.create(TABLES[2])?)?.flush()?;
    tables::exceptions(files.create(TABLES[3])?)?.flush()
}

/// A response as Locust's statistics hear of it.
fn logged<'a>(scenario: &'a Scenario, response: &Response) -> Logged<'a> {
    Logged {
        endpoint: response.endpoint,
        key: &scenario.endpoints[response.endpoint].key,
        end_us: response.end_us(),
        response_time_ms: response.response_time_us as f64 / 1e3,
        response_length: response.response_length,
        failure: response.failure,
    }
}
