//! Memory that the allocator keeps for later.
//!
//! Safety argument for the whole module: malloc_trim(3) takes a number and no pointer, may be called by any thread at any
//! time, and touches free memory alone.
#![allow(unsafe_code, reason = "a call of the C library without an argument that could be wrong")]

/// Gives the kernel the pages that nothing lies on. The allocator by itself gives back the end of its heap only, and after
/// a reload something lies there always.
#[cfg(target_env = "gnu")]
pub fn give_back() {
    // SAFETY: see the module's argument. It returns whether there was anything to give back.
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries do so by themselves, or not at all.
#[cfg(not(target_env = "gnu"))]
pub fn give_back() {}
