//! Calendar expressions, timestamps and lengths of time: what is read prints as what reads the same, and goes forward.
#![no_main]

use eudaemon_unit::values::calendar::{Utc, parse};
use eudaemon_unit::values::parse_timespan;
use eudaemon_unit::values::timestamp::parse_timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    const NOW: u64 = 1_700_000_000_000_000;
    drop(parse_timespan(text));
    drop(parse_timestamp(text, NOW, &Utc));
    let Ok(calendar) = parse(text, |zone| zone == "Europe/Berlin") else { return };
    let normal = calendar.to_string();
    let again = parse(&normal, |zone| zone == "Europe/Berlin");
    assert_eq!(again.map(|again| again.to_string()), Ok(normal));
    if let Some(next) = calendar.next_after(NOW, &Utc) {
        assert!(next > NOW);
    }
});
