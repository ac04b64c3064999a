//! The text of an `EnvironmentFile=`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    drop(eudaemon_plan::env_file::parse(text));
});
