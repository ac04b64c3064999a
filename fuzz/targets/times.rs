//! Calendar expressions, timestamps and lengths of time: what is read prints as what reads the same, and goes forward.
#![no_main]

use eudaemon_unit::values::calendar::Calendar;
use eudaemon_unit::values::parse_timespan;
use eudaemon_unit::values::timestamp::parse_timestamp;
use eudaemon_unit::values::zones::OnTrust;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    const NOW: u64 = 1_700_000_000_000_000;
    drop(parse_timespan(text));
    drop(parse_timestamp(text, NOW, &OnTrust));
    let Ok(calendar) = Calendar::parse(text, &OnTrust) else { return };
    let normal = calendar.to_string();
    let again = Calendar::parse(&normal, &OnTrust);
    assert_eq!(again.map(|again| again.to_string()), Ok(normal));
    if let Some(next) = calendar.rules(&OnTrust).and_then(|rules| calendar.next(NOW, &rules)) {
        assert!(next > NOW);
    }
});
