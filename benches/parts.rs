//! The parts of the main job, one by one: `cargo bench --bench parts`.
//!
//! Every input is made by `loadgate generate`'s own code or by a fixed formula, so that two versions measure the same.

use std::fs::File;
use std::io::{Cursor, Write};

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use loadgate::input::request_log::{Bounds, Content, Reader, Survey};
use loadgate::summary::quantile::response_times;
use loadgate::summary::{About, Summary};
use loadgate::tally::{Counts, Endpoint, EndpointTally, Request, Tally, windows};

fn main() {
    divan::main();
}

const LINES: u64 = 100_000;
const START_MS: i64 = 1_767_225_600_000;

/// A response time in µs that looks like one: most near 50 ms, some far above.
fn response_time(i: u64) -> u64 {
    let random = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    20_000 + random % 60_000 + if random.is_multiple_of(97) { random } else { 0 }
}

fn start_ms(i: u64) -> i64 {
    START_MS + (i * 60_000 / LINES) as i64
}

/// A minute of requests to twelve endpoints.
fn log() -> Vec<u8> {
    let mut log = Vec::new();
    for i in 0..LINES {
        let moment = start_ms(i) - START_MS;
        writeln!(
            log,
            r#"{{"timestamp":"2026-01-01T00:00:{:02}.{:03}125Z","method":"GET","name":"/service/{}/items","response_time_ms":{},"status":200,"success":true,"error":null,"response_length":{},"user":{},"users":250}}"#,
            moment / 1000,
            moment % 1000,
            i % 12,
            response_time(i) as f64 / 1e3,
            i % 5000,
            i % 250,
        )
        .expect("writes into memory");
    }
    log
}

fn file(log: &[u8]) -> (File, u64) {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(log).expect("writes");
    (file, log.len() as u64)
}

fn content(file: &(File, u64)) -> Content {
    Content::File(
        file.0.try_clone().expect("a second handle"),
        file.1,
        loadgate::progress::Progress::default(),
    )
}

fn tally() -> Tally {
    let mut reader = Reader::new(&[], Bounds::default());
    let stream = Content::Stream(Box::new(Cursor::new(log())));
    reader
        .read("log", stream, &mut 0)
        .expect("every line is good");
    reader.finish().0
}

/// Lines understood, nothing counted.
#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    let file = file(&log());
    let reader = Reader::new(&[], Bounds::default());
    bencher
        .counter(BytesCount::new(file.1))
        .bench(|| reader.survey(content(&file), &mut Survey::default()));
}

/// The same by the JSON library.
#[divan::bench]
fn parse_plainly(bencher: Bencher<'_, '_>) {
    let file = file(&log());
    let reader = Reader::new(&[], Bounds::default()).plainly();
    bencher
        .counter(BytesCount::new(file.1))
        .bench(|| reader.survey(content(&file), &mut Survey::default()));
}

/// Lines understood and counted.
#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    let file = file(&log());
    bencher.counter(BytesCount::new(file.1)).bench(|| {
        let mut reader = Reader::new(&[], Bounds::default());
        reader
            .read("log", content(&file), &mut 0)
            .map(|s| s.records)
    });
}

/// Requests counted one by one.
#[divan::bench]
fn tally_requests(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(LINES)).bench(|| {
        let mut endpoint = EndpointTally::default();
        for i in 0..LINES {
            endpoint.add(&Request {
                start_ms: Some(start_ms(i)),
                response_time_us: response_time(i),
                status: Some(200),
                ..Request::default()
            });
        }
        endpoint
    });
}

/// Two shares of a run become one.
#[divan::bench]
fn merge(bencher: Bencher<'_, '_>) {
    let whole = tally();
    bencher
        .counter(ItemsCount::new(LINES))
        .with_inputs(|| (whole.clone(), whole.clone()))
        .bench_values(|(mut one, other)| {
            one.absorb(other);
            one
        });
}

/// The endpoints' counts become the total's.
#[divan::bench]
fn total(bencher: Bencher<'_, '_>) {
    let whole = tally();
    bencher.bench(|| black_box(&whole).total());
}

/// All shown percentiles of one endpoint.
#[divan::bench]
fn percentiles(bencher: Bencher<'_, '_>) {
    let whole = tally();
    let endpoint = whole
        .endpoints
        .get(&Endpoint {
            name: "/service/0/items".to_owned(),
            method: "GET".to_owned(),
        })
        .expect("the log has it");
    bencher.bench(|| response_times(black_box(endpoint)));
}

/// Every figure of a run.
#[divan::bench]
fn summary(bencher: Bencher<'_, '_>) {
    let whole = tally();
    bencher
        .with_inputs(|| whole.clone())
        .bench_values(|tally| Summary::new(tally, About::default()));
}

/// The busiest 60 s.
#[divan::bench]
fn peak(bencher: Bencher<'_, '_>) {
    let starts: Counts = (0..LINES).map(|i| (start_ms(i), 1)).collect();
    bencher.bench(|| windows::peak(black_box(&starts), 60_000));
}

/// One page of counters after the other: keys that are close together.
#[divan::bench]
fn count_in_order(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(LINES))
        .bench(|| (0..LINES).map(|i| (start_ms(i), 1)).collect::<Counts>());
}

/// Pages of counters in no order.
#[divan::bench]
fn count_in_no_order(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(LINES)).bench(|| {
        (0..LINES)
            .map(|i| (response_time(i) as i64, 1))
            .collect::<Counts>()
    });
}
