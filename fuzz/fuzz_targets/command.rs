#![no_main]
//! See [`linebus_testkit::fuzz::command`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| linebus_testkit::fuzz::command(data));
