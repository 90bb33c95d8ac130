#![no_main]
//! See [`linebus_testkit::fuzz::pattern`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| linebus_testkit::fuzz::pattern(data));
