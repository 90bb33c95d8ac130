#![no_main]
//! See [`linebus_testkit::fuzz::users`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| linebus_testkit::fuzz::users(data));
