//! `cargo +nightly fuzz run history_line`
#![no_main]

#[path = "../src/checks.rs"]
#[expect(dead_code, reason = "each target runs one of the checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::history_line_is_read_or_refused(bytes));
