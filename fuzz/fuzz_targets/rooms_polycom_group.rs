#![no_main]
//! See [`rooms_drivers::fuzz`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| rooms_drivers::fuzz("polycom-group", data));
