//! Units to review: files that are named, or names looked up along the search path, with a profile laid over them.

use eudaemon_unit::config::{Config, LoadState};
use eudaemon_unit::files::{Fragment, Scope, base_name, join, parent};
use eudaemon_unit::limits::UNIT_FILE_MAX;
use eudaemon_unit::merge::{Source, bad_setting, merge};
use eudaemon_unit::name::UnitName;
use eudaemon_verify::{Disk, Ground, clean, environment, specifiers};

/// Where portable services' profiles lie, most important first.
const PROFILES: [&str; 4] = [
    "/etc/systemd/portable/profile",
    "/run/systemd/portable/profile",
    "/usr/local/lib/systemd/portable/profile",
    "/usr/lib/systemd/portable/profile",
];

/// What a template is reviewed as.
const INSTANCE: &str = "i";

/// Each unit, or why it cannot be reviewed. `Err`: nothing can.
pub fn units(
    arguments: &[String],
    root: &str,
    user: bool,
    profile: Option<&str>,
) -> Result<Vec<Result<Config, String>>, String> {
    let here = std::env::current_dir().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let scope = if user { Scope::User } else { Scope::System };
    let disk = Disk::of(root);
    let environment = environment(root);
    let mut names = Vec::new();
    let mut folders: Vec<String> = Vec::new();
    for argument in arguments {
        let path = clean(&join(&here, argument));
        let name = instanced(base_name(&path))
            .ok_or_else(|| format!("Failed to prepare filename {argument}: Invalid argument"))?;
        names.push(name);
        let folder = parent(&path).to_owned();
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    let ground =
        Ground::new(&disk.tree, &disk, &folders, &environment, scope, specifiers(scope, &environment));
    let one = |name| {
        let profile = profile.map(|profile| find_profile(profile, name)).transpose()?;
        Ok(read(&ground, name, profile))
    };
    names.iter().map(one).collect()
}

fn instanced(text: &str) -> Option<UnitName> {
    let name = UnitName::parse(text).ok()?;
    if name.is_template() { name.with_instance(INSTANCE).ok() } else { Some(name) }
}

/// A path, or a name that has a file for each kind of unit: its path and what is in it.
fn find_profile(profile: &str, unit: &UnitName) -> Result<(String, Vec<u8>), String> {
    let kind = unit.kind().suffix();
    let paths: Vec<String> = match profile.contains('/') {
        true => vec![profile.to_owned()],
        false => PROFILES.map(|folder| format!("{folder}/{profile}/{kind}.conf")).to_vec(),
    };
    let read = |path: String| std::fs::read(&path).ok().map(|text| (path, text));
    paths.into_iter().find_map(read).ok_or_else(|| {
        let what = if profile.contains('/') { "open" } else { "find portable profile" };
        format!("Failed to {what} {profile}: No such file or directory")
    })
}

fn read(ground: &Ground<'_>, name: &UnitName, profile: Option<(String, Vec<u8>)>) -> Result<Config, String> {
    let found = ground.index.find(ground.tree, name);
    let text = |path: &String| Some((path.clone(), ground.tree.read(path, UNIT_FILE_MAX).ok()?));
    let mut texts: Vec<(String, Vec<u8>)> = Vec::new();
    if let Fragment::File(path) = &found.fragment {
        texts.extend(text(path));
    }
    texts.extend(found.dropins.iter().filter_map(text));
    texts.extend(profile);
    let sources: Vec<Source<'_>> = texts.iter().map(|(path, text)| Source { path, text }).collect();
    let config = merge(name, &sources, &found, &ground.cx).config;
    match &config.load {
        LoadState::Loaded => Ok(config),
        LoadState::NotFound => Err(format!("Unit {name} not found.")),
        LoadState::Masked => Err(format!("Unit {name} is masked.")),
        LoadState::BadSetting(_) => Err(format!("Unit {name} cannot be loaded: {}", bad_setting(name))),
        LoadState::Inconsistent(text) | LoadState::Unreadable(text) => {
            Err(format!("Unit {name} cannot be loaded: {text}"))
        }
    }
}
