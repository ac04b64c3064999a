//! `eudaemon-kit` for C, built and laid where a compiler finds it: header, libraries, pkg-config file.

use anyhow::{Context, Result, bail};
use eudaemon_machine_tests::rootfs::{installed_kit_c, target, workspace};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a program that is linked statically needs beside it.
const PRIVATE: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc";

/// `[--prefix /usr/local] [DESTDIR]`: installs below the prefix, which is looked at within DESTDIR.
pub fn kit_c(words: &[&str]) -> Result<bool> {
    let (prefix, words) = match words {
        ["--prefix", prefix, rest @ ..] => (*prefix, rest),
        rest => ("/usr/local", rest),
    };
    let root = match words {
        [] => "/",
        [root] if !root.starts_with('-') => root,
        _ => bail!("expected [--prefix PATH] [DESTDIR]"),
    };
    if !prefix.starts_with('/') {
        bail!("--prefix {prefix}: expected an absolute path");
    }
    let mut cargo = Command::new("cargo");
    // A library for others: what finds its mistakes lies in its sources, not in everybody's programs.
    cargo.env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo").env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    let built = cargo.args(["build", "--release", "--package", "eudaemon-kit-c"]).status();
    let built = built.context("cannot run cargo")?;
    if !built.success() {
        bail!("cargo build: {built}");
    }
    for path in install(&target().join("release"), Path::new(root), prefix)? {
        println!("{}", path.display());
    }
    Ok(true)
}

/// The same of the ordinary build, laid where the machine tests look for it.
pub fn for_machines() -> Result<()> {
    let built = Command::new("cargo").args(["build", "--quiet", "--package", "eudaemon-kit-c"]).status();
    let built = built.context("cannot run cargo")?;
    if !built.success() {
        bail!("cargo build: {built}");
    }
    install(&target().join("debug"), &installed_kit_c(), "/usr/local").map(|_| ())
}

/// Lays what was built in this folder below a prefix; the files.
fn install(built: &Path, root: &Path, prefix: &str) -> Result<Vec<PathBuf>> {
    let sources = workspace().join("kit/c");
    let below = root.join(prefix.trim_start_matches('/'));
    let (include, lib) = (below.join("include"), below.join("lib"));
    let pkgconfig = lib.join("pkgconfig");
    for folder in [&include, &pkgconfig] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut laid = Vec::new();
    let version = env!("CARGO_PKG_VERSION");
    let shared = format!("libeudaemon-kit.so.{version}");
    for (from, to) in [
        (sources.join("eudaemon-kit.h"), include.join("eudaemon-kit.h")),
        (built.join("libeudaemon_kit_c.a"), lib.join("libeudaemon-kit.a")),
        (built.join("libeudaemon_kit_c.so"), lib.join(&shared)),
    ] {
        // Beside it first: what stands there may be in use.
        let new = to.with_extension("new");
        fs::copy(&from, &new)
            .and_then(|_| fs::rename(&new, &to))
            .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
        laid.push(to);
    }
    // The name that programs ask for is the one that build.rs gives the library.
    for (name, leads_to) in
        [("libeudaemon-kit.so.0", &*shared), ("libeudaemon-kit.so", "libeudaemon-kit.so.0")]
    {
        let path = lib.join(name);
        fs::remove_file(&path).ok();
        symlink(leads_to, &path).with_context(|| format!("cannot make {}", path.display()))?;
        laid.push(path);
    }
    let text = format!(
        "prefix={prefix}\nincludedir=${{prefix}}/include\nlibdir=${{prefix}}/lib\n\n\
         Name: eudaemon-kit\nDescription: for people who write daemons\nVersion: {version}\n\
         Cflags: -I${{includedir}}\nLibs: -L${{libdir}} -leudaemon-kit\nLibs.private: {PRIVATE}\n"
    );
    let path = pkgconfig.join("eudaemon-kit.pc");
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    laid.push(path);
    Ok(laid)
}
