//! The fuzz targets' checks, on a bounded number of made-up inputs. `cargo +nightly fuzz run request_log` goes on for ever.

use proptest::prelude::*;

use crate::harness::root;

#[path = "../../fuzz/src/checks.rs"]
pub mod checks;

/// What lines are put together from: pieces of every style, and what does not belong there.
const PIECES: [&str; 40] = [
    "{\"timestamp\":\"2026-01-01T00:00:01.100298Z\",\"method\":\"GET\",\"name\":\"/a\",\"response_time_ms\":1.903,\"status\":200,\"success\":true,\"error\":null,\"users\":7}\n",
    "{\"ts\":1767225601.5,\"name\":\"b\",\"latency_s\":0.1,\"status\":404,\"error\":\"gone\"}\n",
    "{\"timestamp\":\"2026-01-01T00:00:02Z\",\"memory_mb\":181.5}\n",
    "{\"name\":\"a\",\"response_time_ms\":1}\n",
    "{\"name\":\"a\",\"response_time_ms\":1,\"rows\":3}\r\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\u{feff}",
    "é",
    "\u{0}",
    "\"name\":\"a\"",
    "\"name\":\"\\u00e9\\\"\"",
    "\"method\":\"GET\"",
    "\"response_time_ms\":1.5",
    "\"response_time_ms\":01",
    "\"response_time_ms\":1e3",
    "\"response_time_ms\":-1",
    "\"response_time_ms\":\"2\"",
    "\"timestamp\":\"2026-01-01T00:00:01.1Z\"",
    "\"timestamp\":\"2026-01-01T00:00:61Z\"",
    "\"timestamp\":1767225601",
    "\"status\":200",
    "\"status\":0",
    "\"status\":1000",
    "\"error\":null",
    "\"error\":\"x\\n\"",
    "\"success\":false",
    "\"users\":3",
    "\"rows\":12345678901234567890",
    "\"request\":{\"method\":\"GET\"}",
];

fn log() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => (0..PIECES.len()).prop_map(|i| PIECES[i].as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    // Whole lines twice, so that what they teach is used.
    prop::collection::vec(piece, 0..24).prop_map(|pieces| {
        let once = pieces.concat();
        [once.clone(), b"\n".to_vec(), once].concat()
    })
}

/// A file of Locust's with some bytes changed, taken out or put in.
fn locust_file() -> impl Strategy<Value = Vec<u8>> {
    let folder = root("testdata/locust/2.47.0");
    let mut files: Vec<Vec<u8>> = walk(&folder);
    files.sort();
    let change = (any::<prop::sample::Index>(), 0..3_u8, any::<u8>());
    (
        prop::sample::select(files),
        prop::collection::vec(change, 0..6),
    )
        .prop_map(|(mut bytes, changes)| {
            bytes.truncate(20_000);
            for (at, what, byte) in changes {
                if bytes.is_empty() {
                    break;
                }
                let at = at.index(bytes.len());
                match what {
                    0 => bytes[at] = byte,
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, b",\"\n-e9"[usize::from(byte) % 6]),
                }
            }
            bytes
        })
}

fn walk(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![std::fs::read(&path).unwrap()]
            }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_log_is_read_both_ways_alike(bytes in log()) {
        checks::both_ways_agree(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_locust_file_is_read_without_a_panic(bytes in locust_file()) {
        checks::locust_never_panics(&bytes);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        checks::locust_never_panics(&bytes);
        checks::both_ways_agree(&bytes);
    }
}
