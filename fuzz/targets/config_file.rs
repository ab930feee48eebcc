//! Hands what the fuzzer makes up to [`review_bridge_fuzz::config_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| review_bridge_fuzz::config_file::check(data));
