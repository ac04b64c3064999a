//! Capability sets: capabilities(7).

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, capabilities, capability_is_in_bounding_set, configure_capability_in_ambient_set,
    remove_capability_from_bounding_set, set_capabilities,
};

/// Numbers the kernel can ever give: the sets are 64 bits wide.
fn numbers() -> impl Iterator<Item = CapabilitySet> {
    (0..64).map(|number| CapabilitySet::from_bits_retain(1 << number))
}

/// Nothing that is not in the mask can be had any more, by exec neither.
pub fn bound(mask: u64) -> Result<(), Errno> {
    let kept = CapabilitySet::from_bits_retain(mask);
    for one in numbers().filter(|one| !kept.contains(*one)) {
        match capability_is_in_bounding_set(one) {
            Ok(true) => remove_capability_from_bounding_set(one)?,
            Ok(false) => {}
            // The first number this kernel does not have.
            Err(_) => break,
        }
    }
    let mut sets = capabilities(None)?;
    if !kept.contains(sets.inheritable) {
        sets.inheritable &= kept;
        set_capabilities(None, sets)?;
    }
    Ok(())
}

/// Capabilities a program keeps though its user is not root.
pub fn make_ambient(mask: u64) -> Result<(), Errno> {
    let mut sets = capabilities(None)?;
    // What this kernel lacks cannot be asked for by name; what it has and we lack is an error.
    let known = |one: &CapabilitySet| capability_is_in_bounding_set(*one).is_ok();
    let asked = numbers().filter(|one| mask & one.bits() != 0);
    let wanted: Vec<CapabilitySet> = asked.take_while(known).collect();
    sets.inheritable = wanted.iter().fold(sets.inheritable, |set, one| set | *one);
    set_capabilities(None, sets)?;
    wanted.into_iter().try_for_each(|one| configure_capability_in_ambient_set(one, true))
}
