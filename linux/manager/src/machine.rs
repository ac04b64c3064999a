//! What machine and whose manager this is: asked once, at start.

use crate::options::Mission;
use eudaemon_host::abilities;
use eudaemon_host::condition::{Circumstances, native_architecture};
use eudaemon_host::place::{Place, Role, Scope};
use eudaemon_host::zones::Installed;
use eudaemon_unit::manager::Defaults;
use eudaemon_unit::specifier::{Context, Directories, OsRelease};
use eudaemon_unit::values::zones::KnownZones;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Everything of the machine that does not change while we run.
#[derive(Clone, Debug)]
pub struct Machine {
    pub place: Place,
    pub specifiers: Context,
    pub container: Option<String>,
    pub virtual_machine: Option<String>,
    /// Services' environment to begin with: locale and path, or the user's own.
    pub environment: Vec<String>,
    /// Our own program, for units that run it.
    pub program: String,
}

/// Debian's, and that of systemd on a machine with a split /usr.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Machine {
    pub fn look(mission: &Mission) -> io::Result<Machine> {
        let init = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
        let role = if init == 1 { Role::First } else { Role::Beside };
        let user = User::own();
        let of_user = |runtime: PathBuf| {
            let bases = user_directories(&user.home, &runtime.to_string_lossy());
            Place::user(runtime, bases)
        };
        let place = match mission {
            Mission::System => Place::system(role),
            Mission::User => of_user(runtime_directory(&user)?),
            Mission::Directory(_) => {
                let runtime = runtime_directory(&user)?;
                Place { published: runtime.join(format!("eudaemon/up-{init}/systemd")), ..of_user(runtime) }
            }
        };
        let environment = match place.scope {
            Scope::System => system_environment(),
            Scope::User => user_environment(&user, &place),
        };
        Ok(Machine {
            specifiers: specifiers(&place, &user),
            container: abilities::container(),
            virtual_machine: abilities::virtual_machine(),
            environment,
            program: fs::read_link("/proc/self/exe")?
                .to_string_lossy()
                .trim_end_matches(" (deleted)")
                .to_owned(),
            place,
        })
    }

    pub fn circumstances(&self) -> Circumstances {
        Circumstances {
            scope: self.place.scope,
            container: self.container.clone(),
            virtual_machine: self.virtual_machine.clone(),
            environment: self.environment.clone(),
            capabilities: abilities::bounding_set(),
            controllers: abilities::controllers(),
        }
    }
}

/// Who we run as, from passwd(5) and group(5).
struct User {
    uid: u32,
    gid: u32,
    name: String,
    group: String,
    home: String,
    shell: String,
}

impl User {
    fn own() -> User {
        let uid = rustix::process::getuid().as_raw();
        let gid = rustix::process::getgid().as_raw();
        let line = |file: &str, number: u32| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let number = number.to_string();
            text.lines().find(|line| line.split(':').nth(2) == Some(number.as_str())).map(str::to_owned)
        };
        let entry = line("/etc/passwd", uid).unwrap_or_default();
        let field = |index: usize, otherwise: &str| {
            entry.split(':').nth(index).filter(|text| !text.is_empty()).unwrap_or(otherwise).to_owned()
        };
        let group = line("/etc/group", gid).and_then(|line| Some(line.split(':').next()?.to_owned()));
        let number = uid.to_string();
        User {
            uid,
            gid,
            name: field(0, if uid == 0 { "root" } else { &number }),
            group: group.unwrap_or_else(|| gid.to_string()),
            home: std::env::var("HOME")
                .ok()
                .filter(|_| uid != 0)
                .unwrap_or_else(|| field(5, if uid == 0 { "/root" } else { "/" })),
            shell: field(6, "/bin/sh"),
        }
    }
}

/// `$XDG_RUNTIME_DIR`, or a private directory of our own making where no logind made one.
fn runtime_directory(user: &User) -> io::Result<PathBuf> {
    if let Some(given) = std::env::var_os("XDG_RUNTIME_DIR").filter(|path| Path::new(path).is_absolute()) {
        let given = PathBuf::from(given);
        if given.is_dir() {
            return Ok(given);
        }
    }
    let standard = PathBuf::from(format!("/run/user/{}", user.uid));
    let candidates = [standard, std::env::temp_dir().join(format!("eudaemon-{}", user.uid))];
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for directory in candidates {
        match private_directory(&directory, user.uid) {
            Ok(()) => return Ok(directory),
            Err(error) => {
                last = io::Error::new(
                    error.kind(),
                    format!("cannot use runtime directory {}: {error}", directory.display()),
                )
            }
        }
    }
    Err(last)
}

/// Ours, a real directory, and nobody else's to enter.
fn private_directory(path: &Path, uid: u32) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let found = fs::symlink_metadata(path)?;
    if found.is_dir() && found.uid() == uid && found.mode() & 0o077 == 0 {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not a private directory of this user"))
    }
}

fn system_environment() -> Vec<String> {
    let mut environment = vec![format!("PATH={PATH}")];
    let locale = fs::read_to_string("/etc/locale.conf")
        .or_else(|_| fs::read_to_string("/etc/default/locale"))
        .unwrap_or_default();
    let mut said = false;
    for line in locale.lines() {
        if let Some((name, value)) = line.split_once('=')
            && (name == "LANG" || name == "LANGUAGE" || name.starts_with("LC_"))
        {
            said |= name == "LANG";
            environment.push(format!("{name}={}", value.trim_matches(['"', '\''])));
        }
    }
    if !said {
        environment.insert(0, "LANG=C.UTF-8".into());
    }
    environment
}

/// A user's services find what their session gave us, and the names every session has.
fn user_environment(user: &User, place: &Place) -> Vec<String> {
    let mut environment: Vec<(String, String)> = std::env::vars()
        .filter(|(name, _)| {
            !["NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "_", "SHLVL", "OLDPWD", "PWD"]
                .contains(&name.as_str())
        })
        .collect();
    let runtime = place.runtime.display().to_string();
    let own = [
        ("HOME", user.home.as_str()),
        ("LOGNAME", user.name.as_str()),
        ("USER", user.name.as_str()),
        ("SHELL", user.shell.as_str()),
        ("XDG_RUNTIME_DIR", runtime.as_str()),
    ];
    for (name, value) in own {
        if !environment.iter().any(|(known, _)| known == name) {
            environment.push((name.to_owned(), value.to_owned()));
        }
    }
    if !environment.iter().any(|(name, _)| name == "PATH") {
        environment.push(("PATH".into(), PATH.into()));
    }
    environment.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn specifiers(place: &Place, user: &User) -> Context {
    let uname = rustix::system::uname();
    let line = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let machine_info = fs::read_to_string("/etc/machine-info").unwrap_or_default();
    Context {
        hostname: uname.nodename().to_string_lossy().into_owned(),
        pretty_hostname: assignment(&machine_info, "PRETTY_HOSTNAME"),
        machine_id: line("/etc/machine-id"),
        boot_id: line("/proc/sys/kernel/random/boot_id").replace('-', ""),
        kernel: uname.release().to_string_lossy().into_owned(),
        architecture: native_architecture().to_owned(),
        os: os_release(),
        user: user.name.clone(),
        uid: user.uid,
        group: user.group.clone(),
        gid: user.gid,
        home: user.home.clone(),
        shell: user.shell.clone(),
        directories: place.bases.clone(),
        cgroup_root: String::new(),
        zones: KnownZones(&Installed),
        defaults: Defaults::default(),
    }
}

fn user_directories(home: &str, runtime: &str) -> Directories {
    let mut directories = Directories::of_user(home, runtime);
    if let Ok(configuration) = std::env::var("XDG_CONFIG_HOME") {
        directories.configuration = configuration.clone();
        directories.logs = format!("{configuration}/log");
        directories.state = configuration;
    }
    if let Ok(cache) = std::env::var("XDG_CACHE_HOME") {
        directories.cache = cache;
    }
    directories
}

fn os_release() -> OsRelease {
    let text = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
        .unwrap_or_default();
    OsRelease {
        id: assignment(&text, "ID"),
        version_id: assignment(&text, "VERSION_ID"),
        build_id: assignment(&text, "BUILD_ID"),
        variant_id: assignment(&text, "VARIANT_ID"),
        image_id: assignment(&text, "IMAGE_ID"),
        image_version: assignment(&text, "IMAGE_VERSION"),
    }
}

fn assignment(text: &str, name: &str) -> String {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .map(|value| value.trim_matches(['"', '\'']).to_owned())
        .unwrap_or_default()
}
