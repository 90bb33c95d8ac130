#![no_main]
//! See [`linebus_testkit::fuzz::record`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| linebus_testkit::fuzz::record(data));
