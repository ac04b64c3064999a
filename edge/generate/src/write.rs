//! Generated units onto the disk: a generator's directory is empty before, and its own.

use anyhow::Context;
use eudaemon_unit::generate::{Entry, Generated};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

pub fn all(folder: &Path, generated: &Generated) -> anyhow::Result<()> {
    for (path, entry) in &generated.entries {
        let place = folder.join(path);
        if let Some(above) = place.parent() {
            fs::create_dir_all(above).with_context(|| format!("cannot make {}", above.display()))?;
        }
        let written = match entry {
            Entry::File(text) => fs::write(&place, text),
            Entry::Link(target) => symlink(target, &place),
        };
        written.with_context(|| format!("cannot write {}", place.display()))?;
    }
    Ok(())
}
