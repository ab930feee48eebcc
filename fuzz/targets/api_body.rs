//! Hands what the fuzzer makes up to [`review_bridge_fuzz::api_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| review_bridge_fuzz::api_body::check(data));
