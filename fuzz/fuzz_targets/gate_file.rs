//! `cargo +nightly fuzz run gate_file`
#![no_main]

#[path = "../src/checks.rs"]
#[expect(dead_code, reason = "each target runs one of the checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::gate_file_is_read_or_refused(bytes));
