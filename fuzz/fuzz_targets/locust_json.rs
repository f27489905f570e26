//! `cargo +nightly fuzz run locust_json`
#![no_main]

#[path = "../src/checks.rs"]
#[expect(dead_code, reason = "each target runs one of the checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::locust_json_never_panics(bytes));
