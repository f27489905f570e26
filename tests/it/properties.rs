//! What must hold for any run.

use loadgate::gate::quota::{Bucket, bucket};
use loadgate::history::{counts, drift, newest, otava, segment};
use loadgate::summary::quantile::quantile;
use loadgate::tally::{
    Counts, Endpoint, EndpointTally, ErrorKey, Evidence, Request, Tally, windows,
};
use proptest::prelude::*;

use crate::harness::root;

#[test]
fn percentiles_equal_numpy_linear() {
    let text = std::fs::read_to_string(root("testdata/vectors/numpy_linear.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_str(&text).unwrap();
    for case in cases.as_array().unwrap() {
        let mut values: Vec<u64> = case["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_u64().unwrap())
            .collect();
        values.sort_unstable();
        for (percent, theirs) in case["percentiles"].as_object().unwrap() {
            let q = percent.parse::<f64>().unwrap() / 100.0;
            let ours = quantile(
                values.iter().map(|v| (*v as f64, 1)),
                values.len() as u64,
                q,
            )
            .unwrap();
            let theirs = theirs.as_f64().unwrap();
            assert!(
                (ours - theirs).abs() <= theirs.abs() * 1e-12,
                "p{percent} of {}: {ours} {theirs}",
                values.len()
            );
        }
    }
}

#[derive(Clone, Debug)]
struct Sample {
    start: i64,
    us: u64,
    endpoint: u8,
    status: u16,
    rows: u8,
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let one = (
        0..20_000_i64,
        0..5_000_000_u64,
        0..3_u8,
        prop::sample::select(vec![200, 404, 503]),
        any::<u8>(),
    );
    prop::collection::vec(
        one.prop_map(|(start, us, endpoint, status, rows)| Sample {
            start,
            us,
            endpoint,
            status,
            rows,
        }),
        0..120,
    )
}

fn count<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Tally {
    let mut tally = Tally::default();
    for s in samples {
        let endpoint = Endpoint {
            name: ["a", "b", "c"][usize::from(s.endpoint)].to_owned(),
            method: "GET".to_owned(),
        };
        let failure = ErrorKey::new(Some(s.status), "");
        let request = Request {
            start_ms: Some(s.start),
            response_time_us: s.us,
            status: Some(s.status),
            failure: (s.status >= 400).then_some(&failure),
            users: Some(u64::from(s.rows)),
            fields: &[("rows", f64::from(s.rows))],
            ..Request::default()
        };
        tally.add(endpoint, &request);
    }
    tally
}

proptest! {
    #[test]
    fn any_split_and_order_gives_the_same_tally(samples in samples(), cut in 0..121_usize) {
        let whole = count(&samples);
        let (a, b) = samples.split_at(cut.min(samples.len()));
        let mut ab = count(a);
        ab.merge(&count(b));
        let mut ba = count(b);
        ba.merge(&count(a));
        prop_assert_eq!(&ab, &whole);
        prop_assert_eq!(&ba, &whole);
        prop_assert_eq!(&count(samples.iter().rev()), &whole);
    }

    #[test]
    fn quantiles_rise_and_stay_within_bounds(mut values in prop::collection::vec(0..10_000_000_u64, 1..200)) {
        values.sort_unstable();
        let of = |q| quantile(values.iter().map(|v| (*v as f64, 1)), values.len() as u64, q).unwrap();
        let mut last = values[0] as f64;
        for step in 0..=1000 {
            let now = of(f64::from(step) / 1000.0);
            prop_assert!(now >= last && now <= values[values.len() - 1] as f64);
            last = now;
        }
    }

    #[test]
    fn seconds_bound_the_peak_of_the_starts(
        requests in prop::collection::vec((0..20_000_i64, 0..4_000_u64), 1..60), window in 1..12_000_i64
    ) {
        // As Locust counts them: in the second in which they end.
        let starts: Counts = requests.iter().map(|(start, _)| (*start, 1)).collect();
        let mut told = EndpointTally {
            evidence: Evidence::Histogram,
            requests: requests.len() as u64,
            max_us: requests.iter().map(|(_, ms)| *ms as f64 * 1e3).reduce(f64::max),
            ..EndpointTally::default()
        };
        for (start, ms) in &requests {
            told.seconds.requests.add((start + *ms as i64).div_euclid(1000), 1);
        }
        let exact = windows::peak(&starts, window).unwrap().count;
        let bound = windows::of(&told, window).unwrap();
        prop_assert!(bound.count <= exact && bound.at_most.is_some_and(|most| exact <= most), "{exact} {bound:?}");
    }

    #[test]
    fn a_token_bucket_equals_one_that_asks_one_by_one(
        mut asked in prop::collection::vec(0..5_000_i64, 0..60), millionths in 1..5_000_000_u64, capacity in 1..8_u64
    ) {
        asked.sort_unstable();
        // In units of a millionth of a token per second, so in whole numbers: 1000 ms × 1,000,000.
        let token = 1_000_000_000_i128;
        let full = i128::from(capacity) * token;
        let (mut level, mut before, mut rejected) = (full, asked.first().copied().unwrap_or(0), 0);
        for at in &asked {
            level = (level + i128::from(at - before) * i128::from(millionths)).min(full);
            before = *at;
            if level >= token { level -= token } else { rejected += 1 }
        }
        let costs: Counts = asked.iter().map(|at| (*at, 1)).collect();
        let bucket = Bucket { text: String::new(), millionths, per_ms: 1000, capacity };
        prop_assert_eq!(bucket::replay(&bucket, &costs, 1).rejected, rejected);
    }

    #[test]
    fn peak_window_equals_brute_force(starts in prop::collection::vec(0..3_000_i64, 0..80), window in 1..1500_i64) {
        let counted: Counts = starts.iter().map(|s| (*s, 1)).collect();
        let brute = (0..3_000).map(|t| starts.iter().filter(|s| (t..t + window).contains(*s)).count() as u64).max();
        let ours = windows::peak(&counted, window).map_or(0, |p| p.count);
        prop_assert_eq!(ours, brute.unwrap_or(0));
    }
}

/// Reads bytes as a file of that name and takes only a verdict or diagnostics for an answer.
fn read_any(name: &str, bytes: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    let path = crate::harness::file(&dir, name, bytes);
    match loadgate::input::load(&[path], &loadgate::input::Options::default()) {
        Ok(loaded) => drop(loadgate::summary::Summary::new(
            loaded.tally,
            loadgate::summary::About::default(),
        )),
        Err(problems) => assert!(!problems.is_empty(), "refused without a message"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_any("any", &bytes);
    }

    #[test]
    fn any_damage_to_a_real_file_is_read_or_refused(
        which in 0..5_usize, at in 0..2000_usize, cut in 0..4000_usize, byte in any::<u8>()
    ) {
        let name = ["run_stats.csv", "run_stats_history.csv", "run_failures.csv", "run_exceptions.csv", "run.json"][which];
        let mut bytes = std::fs::read(root("testdata/locust/2.47.0/weird_names").join(name)).unwrap();
        bytes.truncate(cut.max(1));
        let at = at % bytes.len();
        bytes[at] = byte;
        read_any(name, &bytes);
    }

    #[test]
    fn any_damage_to_a_log_line_is_read_or_refused(at in 0..400_usize, byte in any::<u8>()) {
        let mut bytes = crate::harness::ten_lines().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        read_any("log", &bytes);
    }
}

/// Few replicates: what holds does not depend on how many there are.
fn quick(seed: u64) -> segment::Options {
    segment::Options {
        replicates: 99,
        seed,
        ..segment::Options::default()
    }
}

proptest! {
    #[test]
    fn any_history_is_cut_into_segments_without_gaps(
        values in prop::collection::vec(prop_oneof![1e-3..1e9_f64, Just(140.0), Just(150.0)], 0..60),
        seed: u64,
    ) {
        let found = segment::segment(&values, &quick(seed)).unwrap();
        let mut end = 0;
        for part in &found.segments {
            prop_assert_eq!(part.start, end);
            prop_assert!(part.end > part.start);
            end = part.end;
        }
        prop_assert_eq!(end, values.len());
        for change in &found.change_points {
            prop_assert!(change.p <= 0.01 && change.superiority >= 0.85);
            prop_assert!(change.ratio.max(1.0 / change.ratio) >= 1.05 - 1e-9);
        }
        let drifting = drift::detect(&values, &found, &drift::Options::default()).unwrap();
        prop_assert!(drifting.is_none_or(|drift| drift.start + drift.runs == values.len()));
    }

    #[test]
    fn the_unit_of_a_history_changes_nothing(
        values in prop::collection::vec(1.0..1e3_f64, 10..40),
        seed: u64,
    ) {
        // By a power of two, so that no digit is lost.
        let scaled: Vec<f64> = values.iter().map(|value| value * 1024.0).collect();
        let indices = |values: &[f64]| {
            let found = segment::segment(values, &quick(seed)).unwrap();
            found.change_points.iter().map(|c| c.index).collect::<Vec<_>>()
        };
        prop_assert_eq!(indices(&values), indices(&scaled));
    }

    #[test]
    fn any_numbers_are_judged_or_refused(
        values in prop::collection::vec(any::<f64>(), 0..30),
        counted in prop::collection::vec((0..50_u64, 0..1000_u64), 0..30),
    ) {
        if let Ok(found) = segment::segment(&values, &quick(1)) {
            prop_assert!(drift::detect(&values, &found, &drift::Options::default()).is_ok());
        }
        if let Some((last, earlier)) = values.split_last()
            && let Ok(found) = newest::predict(earlier, *last, &newest::Options::default())
        {
            prop_assert!(found.lower <= found.expected && found.expected <= found.upper);
        }
        otava::detect(&values, &otava::Parameters::default());
        let runs: Vec<_> = counted
            .into_iter()
            .map(|(failures, requests)| counts::Failures { failures, requests })
            .collect();
        let options = counts::Options { replicates: 99, ..counts::Options::default() };
        for change in counts::segment(&runs, &options).change_points {
            prop_assert!(0 < change.index && change.index < runs.len());
        }
    }
}
