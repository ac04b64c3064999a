//! The root file systems: made once by `scripts/build-rootfs.sh`, kept in the cache, never written to afterwards.

use anyhow::{Context, Result, bail};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// One layer of a root file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// Debian 12 with systemd, the nine packages and their clients.
    Nine,
    /// The toolchains and runtimes of `examples/seed`, upon `Nine`.
    Seed,
    /// Other programs that start and watch daemons, upon `Nine`.
    Starters,
    /// What announces services by DNS-SD, upon `Nine`.
    Names,
}

impl Layer {
    pub const ALL: [Layer; 4] = [Layer::Nine, Layer::Seed, Layer::Starters, Layer::Names];

    pub fn name(self) -> &'static str {
        match self {
            Layer::Nine => "nine",
            Layer::Seed => "seed",
            Layer::Starters => "starters",
            Layer::Names => "names",
        }
    }

    /// The layers that a machine of this one is made of, top first.
    fn stack(self) -> &'static [Layer] {
        match self {
            Layer::Nine => &[Layer::Nine],
            Layer::Seed => &[Layer::Seed, Layer::Nine],
            Layer::Starters => &[Layer::Starters, Layer::Nine],
            Layer::Names => &[Layer::Names, Layer::Nine],
        }
    }
}

/// The directory that holds the layers: `$EUDAEMON_TEST_CACHE`, else `target/test-cache` of the workspace.
pub fn cache() -> PathBuf {
    match std::env::var_os("EUDAEMON_TEST_CACHE") {
        Some(path) => PathBuf::from(path),
        None => target().join("test-cache"),
    }
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// Where `cargo xtask python` lays the package of `kit/python` for machines that have no pip.
pub fn python_site() -> PathBuf {
    target().join("python/site")
}

/// Where the library for C is installed, below `/usr/local`, for machines to be made with.
pub fn installed_kit_c() -> PathBuf {
    target().join("kit-c")
}

/// The root of the workspace that this crate was built in.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name)
}

/// The overlay's `lowerdir` for a layer, if all of it has been made by the present script.
pub fn lower(layer: Layer) -> Result<String> {
    let mut paths = Vec::new();
    for part in layer.stack() {
        if !is_current(*part)? {
            bail!("no root file system `{}` in {}: cargo xtask rootfs", part.name(), cache().display());
        }
        let path = fs::canonicalize(cache().join(part.name()))?;
        paths.push(path.to_str().context("the cache's path is not UTF-8")?.to_owned());
    }
    Ok(paths.join(":"))
}

/// Makes what is missing of a layer's stack. Needs root, debootstrap and a Debian mirror.
pub fn build(layer: Layer) -> Result<()> {
    fs::create_dir_all(cache())?;
    let lock = fs::File::create(cache().join("lock"))?;
    lock.lock()?; // another build of the same cache is waited for, not raced
    for part in layer.stack().iter().rev() {
        if is_current(*part)? {
            continue;
        }
        println!("making the root file system `{}` in {}", part.name(), cache().display());
        let status = Command::new("bash")
            .args([script("build-rootfs.sh").as_os_str(), part.name().as_ref()])
            .env("CACHE", fs::canonicalize(cache())?)
            .env("SEAL", seal()?)
            .status()
            .context("cannot run bash")?;
        if !status.success() {
            bail!("making the root file system `{}` failed: {status}", part.name());
        }
        fs::write(stamp(*part), recipe(*part)?)?;
    }
    Ok(())
}

/// The compiled `seal.c`.
pub(crate) fn seal() -> Result<PathBuf> {
    tool("seal")
}

/// A compiled C program of `scripts/`, made anew when its source has changed; static, since it runs in any root.
pub fn tool(name: &str) -> Result<PathBuf> {
    let source = script(&format!("{name}.c"));
    let program = cache().join(format!("{name}-{:016x}", fingerprint(&fs::read(&source)?)));
    // Machines of one process are set up side by side.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let guard = ONE_AT_A_TIME.lock();
    if !program.exists() {
        fs::create_dir_all(cache())?;
        let fresh = program.with_extension(format!("{}", std::process::id()));
        let status =
            Command::new("cc").args(["-O1", "-Wall", "-static", "-o"]).arg(&fresh).arg(&source).status();
        if !status.context("cannot run cc")?.success() {
            bail!("cc cannot compile {}", source.display());
        }
        fs::rename(fresh, &program).with_context(|| format!("cannot keep {}", program.display()))?;
    }
    drop(guard);
    fs::canonicalize(&program).with_context(|| format!("{} is gone", program.display()))
}

fn is_current(layer: Layer) -> Result<bool> {
    let made = cache().join(layer.name()).is_dir();
    Ok(made && fs::read_to_string(stamp(layer)).is_ok_and(|text| text == recipe(layer).unwrap_or_default()))
}

fn stamp(layer: Layer) -> PathBuf {
    cache().join(format!("{}.made-by", layer.name()))
}

/// What a layer was made by: another script makes another root file system, but for the lines that speak of other layers.
fn recipe(layer: Layer) -> Result<String> {
    let text = fs::read_to_string(script("build-rootfs.sh"))?;
    let others = Layer::ALL.iter().filter(|other| !layer.stack().contains(other)).map(|other| other.name());
    let others: Vec<[String; 3]> = others
        .map(|name| [format!("{name}=\""), format!("build_{name}()"), format!("#   {name} ")])
        .collect();
    let ours = |line: &&str| !others.iter().flatten().any(|beginning| line.starts_with(&**beginning));
    Ok(format!("{:016x}", fingerprint(text.lines().filter(ours).collect::<Vec<_>>().join("\n").as_bytes())))
}

fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer's packages are its own business; what all are made with is everybody's.
    #[test]
    fn recipes_differ_where_layers_do() {
        let recipes: Vec<String> = Layer::ALL.map(|layer| recipe(layer).expect("a script")).to_vec();
        for (at, recipe) in recipes.iter().enumerate() {
            assert_eq!(recipes.iter().position(|other| other == recipe), Some(at), "{recipes:?}");
        }
    }
}
