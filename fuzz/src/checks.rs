//! What must hold for any bytes; the fuzz targets and `tests/it/fuzz.rs` run it.

use std::io::Cursor;

use loadgate::input::locust::{Kind, Tables};
use loadgate::input::request_log::{Bounds, Content, Reader};
use loadgate::tally::Tally;

/// A log read by shapes learnt from it gives the same counts, or the same errors, as read by the JSON library.
pub fn both_ways_agree(bytes: &[u8]) {
    for allowance in [0, u64::MAX] {
        let quick = read(Reader::new(&[], Bounds::default()), bytes, allowance);
        let plain = read(
            Reader::new(&[], Bounds::default()).plainly(),
            bytes,
            allowance,
        );
        assert_eq!(quick, plain);
    }
}

/// What a reader makes of a log: its counts and notes, how many records were used and left out, or its errors.
type Read = (Tally, Vec<String>, Result<(u64, u64), Vec<String>>);

fn read(mut reader: Reader, bytes: &[u8], mut allowance: u64) -> Read {
    let content = Content::Stream(Box::new(Cursor::new(bytes.to_vec())));
    let source = reader.read("log", content, &mut allowance);
    let (tally, notes) = reader.finish();
    let said = source
        .map(|source| (source.records, source.rejected))
        .map_err(|problems| {
            problems
                .iter()
                .map(|problem| format!("{problem:?}"))
                .collect()
        });
    (tally, notes, said)
}

/// Bytes taken for any of Locust's files give counts or errors.
pub fn locust_never_panics(bytes: &[u8]) {
    Kind::detect(bytes);
    for kind in Kind::ALL {
        let mut tables = Tables::default();
        let _ = tables.read("file", kind, bytes, &mut 0);
        let _ = tables.read("file", kind, bytes, &mut u64::MAX.clone());
        tables.finish(None);
    }
}
