//! The state of a unit file: `enabled`, `static`, `masked` … as systemctl(1) lists them under `is-enabled`.

use super::census::{Census, Links as DirectoryLinks};
use super::unit_file::{Files, Links, Mode, Trouble, UnitFile, is_generator, is_runtime};
use super::{Ground, Overlay};
use crate::diagnostic::Diagnostic;
use crate::files::{Kind, Scope, Tree, base_name, join, parent};
use crate::name::UnitName;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Enabled,
    EnabledRuntime,
    Linked,
    LinkedRuntime,
    Alias,
    Masked,
    MaskedRuntime,
    Static,
    Indirect,
    Disabled,
    Generated,
    Transient,
    Bad,
}

impl State {
    pub const fn word(self) -> &'static str {
        match self {
            State::Enabled => "enabled",
            State::EnabledRuntime => "enabled-runtime",
            State::Linked => "linked",
            State::LinkedRuntime => "linked-runtime",
            State::Alias => "alias",
            State::Masked => "masked",
            State::MaskedRuntime => "masked-runtime",
            State::Static => "static",
            State::Indirect => "indirect",
            State::Disabled => "disabled",
            State::Generated => "generated",
            State::Transient => "transient",
            State::Bad => "bad",
        }
    }
}

/// Why a state cannot be told, as the error number systemd gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    BadName,
    NotFound,
    /// A link leads to a name that no file has.
    DeadEnd,
    Other(String),
}

/// The state of one unit file.
pub fn state<T: Tree + ?Sized>(tree: &T, ground: Ground<'_>, name: &str) -> Result<State, Unreadable> {
    state_and_odd(tree, ground, name).0
}

/// The same, and what was odd in the unit's `[Install]` sections.
pub fn state_and_odd<T: Tree + ?Sized>(
    tree: &T,
    ground: Ground<'_>,
    name: &str,
) -> (Result<State, Unreadable>, Vec<Diagnostic>) {
    let census = Census::read(tree, ground.search);
    let mut odd = Vec::new();
    let state = one(&Overlay::new(tree), ground, &census, name, &mut odd);
    (state, odd)
}

/// Whether something of that name can be loaded, whatever its text says.
pub fn is_there<T: Tree + ?Sized>(tree: &T, ground: Ground<'_>, name: &str) -> Result<bool, Unreadable> {
    let mut files = Files::without_sections(ground);
    match files.discover(&Overlay::new(tree), name, Links::OfLinkedFiles) {
        // What a generator wrote is there because of something else.
        Ok(at) => Ok(!is_generator(ground.search, &files.file(at).path)),
        // A link that is not followed is there.
        Err(Trouble::Loop) => Ok(true),
        Err(Trouble::NotFound) => Ok(false),
        Err(trouble) => Err(unreadable(trouble)),
    }
}

/// Every unit file along the search path, with its path and state, sorted by name.
pub fn list<T: Tree + ?Sized>(tree: &T, ground: Ground<'_>) -> Vec<(String, State)> {
    list_and_odd(tree, ground, |_| true).0
}

/// The same of those that are meant, and what was odd in their `[Install]` sections.
pub fn list_and_odd<T: Tree + ?Sized>(
    tree: &T,
    ground: Ground<'_>,
    is_meant: impl Fn(&str) -> bool,
) -> (Vec<(String, State)>, Vec<Diagnostic>) {
    let mut odd = Vec::new();
    let census = Census::read(tree, ground.search);
    let overlay = Overlay::new(tree);
    let mut listed = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for directory in &ground.search.directories {
        for (name, kind) in tree.list(directory).unwrap_or_default() {
            let counts =
                matches!(kind, Kind::File | Kind::Symlink(_)) && !name.starts_with('.') && is_meant(&name);
            if !counts || UnitName::parse(&name).is_err() || !seen.insert(name.clone()) {
                continue;
            }
            let state = one(&overlay, ground, &census, &name, &mut odd).unwrap_or(State::Bad);
            listed.push((join(directory, &name), state));
        }
    }
    listed.sort_by(|one, other| base_name(&one.0).cmp(base_name(&other.0)));
    (listed, odd)
}

/// The links that disabling a unit would remove (`is-enabled --full`).
pub fn links_of<T: Tree + ?Sized>(
    tree: &T,
    ground: Ground<'_>,
    place: super::Place,
    name: &str,
) -> Vec<String> {
    let request = super::Request::Disable { names: vec![name.to_owned()] };
    let removed = |change| match change {
        super::Change::Unlink { path } => Some(path),
        super::Change::Symlink { .. } | super::Change::RemoveDirectory { .. } | super::Change::Note(_) => {
            None
        }
    };
    super::plan(tree, ground, place, &request).changes.into_iter().filter_map(removed).collect()
}

fn one<T: Tree + ?Sized>(
    tree: &Overlay<'_, T>,
    ground: Ground<'_>,
    census: &Census,
    name: &str,
    odd: &mut Vec<Diagnostic>,
) -> Result<State, Unreadable> {
    if UnitName::parse(name).is_err() {
        return Err(Unreadable::BadName);
    }
    let mut files = Files::new(ground);
    let found = files.discover(tree, name, Links::Followed);
    odd.append(&mut files.odd);
    let file = files.file(found.map_err(unreadable)?);
    match file.mode {
        Mode::Masked if is_runtime(ground.search, parent(&file.path)) => return Ok(State::MaskedRuntime),
        Mode::Masked => return Ok(State::Masked),
        Mode::Regular | Mode::Alias | Mode::Linked | Mode::Unknown => {}
    }
    let is_instance = UnitName::parse(&file.name).is_ok_and(|name| name.is_instance());
    if name != base_name(&file.path) && !is_instance {
        return Ok(State::Alias);
    }
    if is_generator(ground.search, &file.path) {
        return Ok(State::Generated);
    }
    if parent(&file.path) == ground.search.transient {
        return Ok(State::Transient);
    }
    if let Some(state) = by_links(ground, census, file, Names::Known) {
        return Ok(state);
    }
    Ok(match by_links(ground, census, file, Names::Any) {
        Some(_) => State::Indirect,
        None if file.has_rules() => State::Disabled,
        None if !file.also.is_empty() => State::Indirect,
        None => State::Static,
    })
}

pub(super) fn unreadable(trouble: Trouble) -> Unreadable {
    match trouble {
        Trouble::NotFound => Unreadable::NotFound,
        Trouble::DeadEnd => Unreadable::DeadEnd,
        Trouble::BadName => Unreadable::BadName,
        Trouble::Loop => Unreadable::Other("Too many levels of symbolic links".to_owned()),
        Trouble::BadAlias => Unreadable::Other("Invalid cross-device link".to_owned()),
        Trouble::BadSpecifier => Unreadable::Other("Invalid slot".to_owned()),
        Trouble::Masked(reason) | Trouble::Generated(reason) | Trouble::Other(reason) => {
            Unreadable::Other(reason)
        }
    }
}

/// Which links count: those the unit's `[Install]` section asks for, or any that lead to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Known,
    Any,
}

/// What the links of a directory say of a unit.
enum Sight {
    Nothing,
    /// A link of the unit's own name: it is linked from elsewhere.
    SameName,
    Enabled,
}

fn by_links(ground: Ground<'_>, census: &Census, file: &UnitFile, names: Names) -> Option<State> {
    let search = ground.search;
    let (mut in_runtime, mut anywhere) = (false, false);
    let (mut linked, mut linked_runtime) = (false, false);
    // Links below the unit's own file along the path are hidden by it.
    let mut below = false;
    for links in &census.directories {
        let runtime = is_runtime(search, &links.directory);
        let persistent = links.directory == search.persistent;
        match sight(links, file, names, below) {
            Sight::Enabled
                if persistent || search.scope == Scope::User && links.directory.starts_with("/etc/") =>
            {
                return Some(State::Enabled);
            }
            Sight::Enabled if runtime => in_runtime = true,
            Sight::Enabled => anywhere = true,
            Sight::SameName if persistent => linked = true,
            Sight::SameName => linked_runtime |= runtime,
            Sight::Nothing => {}
        }
        below |= parent(&file.path) == links.directory;
    }
    let instance = UnitName::parse(&file.name).is_ok_and(|name| name.is_instance());
    if in_runtime {
        Some(State::EnabledRuntime)
    } else if anywhere && instance {
        Some(State::Static)
    } else if linked {
        Some(State::Linked)
    } else {
        linked_runtime.then_some(State::LinkedRuntime)
    }
}

fn sight(links: &DirectoryLinks, file: &UnitFile, names: Names, below: bool) -> Sight {
    if links.wanted(&file.name).any(|name| names == Names::Any || is_known(file, name)) {
        return Sight::Enabled;
    }
    let main = file.name.as_str();
    let own = links.direct.get(&file.name).filter(|_| !below);
    let leading = links.leading_to(main).filter(|name| below || *name != main);
    let named = own.filter(|target| *target != main).map(|_| file.name.as_str());
    if leading.chain(named).any(|name| names == Names::Any || is_known(file, name)) {
        return Sight::Enabled;
    }
    match own {
        Some(target) if target == main => Sight::SameName,
        Some(_) | None => Sight::Nothing,
    }
}

/// Whether enabling the unit would make a link of this name.
fn is_known(file: &UnitFile, name: &str) -> bool {
    let of_default = || {
        let template = UnitName::parse(&file.name).ok().filter(|name| name.is_template())?;
        let instance = template.with_instance(file.default_instance.as_deref()?).ok()?;
        Some(instance.as_str() == name)
    };
    name == file.name || file.alias.iter().any(|alias| alias == name) || of_default().unwrap_or(false)
}
