#![no_main]
//! See [`linebus_testkit::fuzz::line`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| linebus_testkit::fuzz::line(data));
