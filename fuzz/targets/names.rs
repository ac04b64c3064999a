//! Unit names and what is made of them.
#![no_main]

use eudaemon_unit::name::UnitName;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(name) = UnitName::parse(text) else { return };
    assert_eq!(name.as_str(), text);
    if let Some(template) = name.template() {
        let instance = name.instance().unwrap_or("");
        assert_eq!(template.with_instance(instance).ok().as_ref().map(UnitName::as_str), Some(text));
    }
});
