//! Hands what the fuzzer makes up to [`review_bridge_fuzz::normalise`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| review_bridge_fuzz::normalise::check(data));
