//! `cargo +nightly fuzz run duration`
#![no_main]

#[path = "../src/checks.rs"]
#[expect(dead_code, reason = "each target runs one of the checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::duration_is_positive_or_none(bytes));
