//! A running machine: booted from a [`Setup`], entered with commands, stopped with a signal. Dropping it kills all of it.

pub use crate::census::{children, comm};
use crate::cgroup::Cgroup;
use crate::rootfs::{self, Layer};
use anyhow::{Context, Result, bail};
use rustix::pty::OpenptFlags;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How a machine is confined, each as a runtime does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// All capabilities, a writable cgroup2, `/run` in memory: `podman run --privileged --systemd=always`.
    Privileged,
    /// What `docker run` gives, in a user namespace: fourteen capabilities, no mounts, no clone3, the cgroup read-only, a stale `/run`.
    Unprivileged,
    /// `systemd-nspawn`, which is real systemd's own container.
    Nspawn,
}

/// What `/dev/console` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// There is none; PID 1's standard output is a file.
    Absent,
    /// A pseudo-terminal, also PID 1's standard streams.
    Terminal,
}

/// What a machine is made of, before it is booted.
#[derive(Debug)]
pub struct Setup {
    confinement: Confinement,
    layer: Layer,
    console: Console,
    container: &'static str,
    extra: Extra,
}

/// A process that `run` waited for.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit code, 128 + n after signal n, and 124 where the command outlived its deadline.
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A running machine.
#[derive(Debug)]
pub struct Machine {
    cgroup: Option<Cgroup>,
    /// The program that waits for PID 1 and exits as it did.
    outside: Child,
    /// PID 1, as this machine's kernel numbers it out here.
    pid: i32,
    place: Place,
    ended: Option<ExitStatus>,
    commands: AtomicU32,
}

/// The longest that a command in a machine may take.
const COMMAND_DEADLINE: &str = "60";
/// The longest that a machine may take to be made.
const BOOT_DEADLINE: Duration = Duration::from_secs(30);

/// What the machine that was dropped last had said on its console, for the report of a failed case.
static LAST_CONSOLE: Mutex<String> = Mutex::new(String::new());

pub fn last_console() -> String {
    LAST_CONSOLE.lock().map(|text| text.clone()).unwrap_or_default()
}

impl Setup {
    pub fn new(confinement: Confinement) -> Result<Setup> {
        let container = match confinement {
            Confinement::Privileged => "podman",
            Confinement::Unprivileged | Confinement::Nspawn => "",
        };
        let extra = Extra(Place::create("extra")?);
        Ok(Setup { confinement, layer: Layer::Nine, console: Console::Absent, container, extra })
    }

    pub fn layer(mut self, layer: Layer) -> Setup {
        self.layer = layer;
        self
    }

    pub fn console(mut self, console: Console) -> Setup {
        self.console = console;
        self
    }

    /// Puts a text file into the root before boot.
    pub fn file(self, path: &str, text: &str) -> Result<Setup> {
        let target = self.extra.at(path)?;
        fs::write(&target, text).with_context(|| format!("cannot write {}", target.display()))?;
        Ok(self)
    }

    /// Puts a symbolic link into the root before boot.
    pub fn link(self, path: &str, to: &str) -> Result<Setup> {
        std::os::unix::fs::symlink(to, self.extra.at(path)?)
            .with_context(|| format!("cannot link {path}"))?;
        Ok(self)
    }

    /// Copies a program of this machine into the root before boot.
    pub fn program(self, from: &Path, path: &str) -> Result<Setup> {
        let target = self.extra.at(path)?;
        fs::copy(from, &target).with_context(|| format!("cannot copy {}", from.display()))?;
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
        Ok(self)
    }

    /// Copies a folder of this machine into the root before boot.
    pub fn folder(self, from: &Path, path: &str) -> Result<Setup> {
        let target = self.extra.at(path)?;
        let status = Command::new("cp").arg("-a").arg(from).arg(target).status().context("cannot run cp")?;
        if !status.success() {
            bail!("cannot copy {}: {status}", from.display());
        }
        Ok(self)
    }

    /// Boots the machine with this command as PID 1. Under `Confinement::Nspawn` it is nspawn's arguments, `--boot` say.
    pub fn boot(self, init: &[&str]) -> Result<Machine> {
        let place = Place::create("machine")?;
        let mut terminal = None;
        let device = match self.console {
            Console::Absent => String::new(),
            Console::Terminal => {
                let (device, lead) = open_terminal()?;
                terminal = Some(lead);
                device
            }
        };
        let console = fs::OpenOptions::new().create(true).append(true).open(place.console())?;
        if let Some(lead) = terminal {
            pump(lead, console.try_clone()?);
        }
        let cgroup = Cgroup::create();
        let group = cgroup.as_ref().map(|group| group.path().display().to_string()).unwrap_or_default();
        let (ours, theirs) = UnixStream::pair()?;
        // What a shell's job in the background ignores would be ignored by the first process as well.
        let outside = Command::new("env")
            .args(["--default-signal", "bash"])
            .arg(rootfs::script("enter.sh"))
            .arg("outer")
            .args(init)
            .env("LAYERS", rootfs::lower(self.layer)?)
            .env("WORK", place.mount())
            .env("EXTRA", &self.extra.0.path)
            .env("CGROUP", &group)
            .env("CONFINEMENT", self.confinement.word())
            .env("TERMINAL", device)
            .env("CONTAINER", self.container)
            .env("SEAL", rootfs::seal()?)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(console.try_clone()?)
            .stderr(console)
            .spawn()
            .context("cannot run bash")?;
        let ended = None;
        let mut machine = Machine { cgroup, outside, pid: 0, place, ended, commands: AtomicU32::new(0) };
        if let Err(error) = attend(ours) {
            bail!("the machine was not made: {error:#}\n{}", machine.console());
        }
        machine.pid = machine.find_first_process()?;
        Ok(machine)
    }
}

impl Confinement {
    fn word(self) -> &'static str {
        match self {
            Confinement::Privileged => "privileged",
            Confinement::Unprivileged => "unprivileged",
            Confinement::Nspawn => "nspawn",
        }
    }
}

impl Machine {
    /// PID 1's number out here.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Where a file of the machine is, seen from out here.
    pub fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.pid))
    }

    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        fs::write(self.path(path), text).with_context(|| format!("cannot write {path} in the machine"))
    }

    pub fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.path(path)).with_context(|| format!("cannot read {path} in the machine"))
    }

    /// Everything that was written to the console so far.
    pub fn console(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.place.console()).unwrap_or_default()).into_owned()
    }

    /// Runs a command in the machine as root, as `docker exec` would.
    pub fn run(&self, command: &[&str]) -> Result<Ran> {
        self.run_as(&["HOME=/root"], command)
    }

    /// Runs a shell script in the machine as root.
    pub fn shell(&self, script: &str) -> Result<Ran> {
        self.run(&["sh", "-c", script])
    }

    /// Runs a shell script in the machine as an ordinary user, without any capability.
    pub fn shell_as(&self, user: &str, script: &str) -> Result<Ran> {
        let home = format!("HOME=/home/{user}");
        let command = [
            "setpriv",
            "--reuid",
            user,
            "--regid",
            user,
            "--init-groups",
            "--inh-caps=-all",
            "sh",
            "-c",
            script,
        ];
        self.run_as(&[&home, &format!("USER={user}")], &command)
    }

    fn run_as(&self, environment: &[&str], command: &[&str]) -> Result<Ran> {
        let number = self.commands.fetch_add(1, Ordering::Relaxed);
        // Files, not pipes: a daemon that keeps its starter's output open must not keep us waiting.
        let (out, err) =
            (self.place.path.join(format!("out{number}")), self.place.path.join(format!("err{number}")));
        let limited = [&["timeout", "--kill-after=2", COMMAND_DEADLINE], command].concat();
        let status = self
            .command(environment, &limited)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&out)?)
            .stderr(fs::File::create(&err)?)
            .status()
            .context("cannot run sh")?;
        let text =
            |path: &Path| -> Result<String> { Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned()) };
        let ran = Ran { code: code(status), out: text(&out)?, err: text(&err)? };
        fs::remove_file(out)?;
        fs::remove_file(err)?;
        Ok(ran)
    }

    /// A command in the machine as root, to be started by the caller, who also says what its streams are.
    pub fn command(&self, environment: &[&str], command: &[&str]) -> Command {
        let join = "[ -z \"$0\" ] || echo 0 > \"$0/cgroup.procs\" 2>/dev/null; exec \"$@\"";
        let group = self.cgroup.as_ref().map(|group| group.path().display().to_string()).unwrap_or_default();
        let mut entering = Command::new("sh");
        entering
            .args(["-c", join, &group, "nsenter", "--all", "--target", &self.pid.to_string(), "--wdns=/"])
            .args(["env", "-i", "LC_ALL=C.UTF-8"])
            .arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .args(environment)
            .args(command);
        entering
    }

    /// Waits until the condition holds; says what was waited for when it does not in time.
    pub fn wait_until(
        &self,
        what: &str,
        deadline: Duration,
        mut holds: impl FnMut() -> bool,
    ) -> Result<Duration> {
        let start = Instant::now();
        loop {
            if holds() {
                return Ok(start.elapsed());
            }
            if !Path::new(&format!("/proc/{}/exe", self.pid)).exists() {
                bail!("PID 1 has ended; it was waited for: {what}");
            }
            if start.elapsed() > deadline {
                bail!("not so after {deadline:?}: {what}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends PID 1 a signal, named as `kill -s` names it, from outside as a container runtime does.
    pub fn signal(&self, signal: &str) -> Result<()> {
        let status = Command::new("kill").args(["-s", signal, &self.pid.to_string()]).status()?;
        if !status.success() {
            bail!("cannot send SIG{signal} to PID 1: {status}");
        }
        Ok(())
    }

    /// Sends PID 1 a signal and waits until the machine has ended; answers its exit code.
    pub fn stop(&mut self, signal: &str, deadline: Duration) -> Result<i32> {
        self.signal(signal)?;
        self.wait_end(deadline).with_context(|| format!("after SIG{signal}"))
    }

    /// Waits until PID 1 has ended by itself; answers its exit code.
    pub fn wait_end(&mut self, deadline: Duration) -> Result<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.outside.try_wait()? {
                self.ended = Some(status);
                return Ok(code(status));
            }
            if start.elapsed() > deadline {
                bail!("PID 1 has not ended after {deadline:?}");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether PID 1 still runs.
    pub fn is_alive(&mut self) -> bool {
        self.ended.is_none() && matches!(self.outside.try_wait(), Ok(None))
    }

    /// PID 1 out here: the first process below ours that is number 1 in a pid namespace.
    fn find_first_process(&mut self) -> Result<i32> {
        let start = Instant::now();
        while start.elapsed() < BOOT_DEADLINE {
            let mut found = vec![self.outside.id() as i32];
            let mut next = 0;
            while let Some(pid) = found.get(next).copied() {
                if is_first(pid) {
                    return Ok(pid);
                }
                next += 1;
                found.extend(children(pid));
            }
            if let Some(status) = self.outside.try_wait()? {
                self.ended = Some(status);
                bail!("PID 1 ended at once: {status}\n{}", self.console());
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("no PID 1 after {BOOT_DEADLINE:?}\n{}", self.console())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Ok(mut last) = LAST_CONSOLE.lock() {
            *last = self.console();
        }
        drop(self.cgroup.take()); // kills every process, PID 1 and whoever waits for it
        let waited = self.outside.kill().and_then(|()| self.outside.wait());
        if let Err(error) = waited {
            eprintln!("{}: {error}", self.place.path.display());
        }
        // nspawn, which was killed, leaves the folder it shares with its machine; enter.sh became nspawn under its own number.
        let shared = format!("/run/systemd/nspawn/propagate/machine-{}", self.outside.id());
        if let Err(error) = fs::remove_dir(&shared)
            && error.kind() != ErrorKind::NotFound
        {
            eprintln!("{shared}: {error}");
        }
    }
}

impl Ran {
    pub fn ok(&self) -> bool {
        self.code == 0
    }

    /// The output, if the command succeeded.
    pub fn success(self) -> Result<String> {
        if self.code != 0 {
            bail!("exit code {}: {}{}", self.code, self.out, self.err);
        }
        Ok(self.out)
    }
}

/// Whether a process is number 1 of a pid namespace that is not ours.
fn is_first(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    let numbers: Vec<&str> = numbers.split_whitespace().collect();
    numbers.len() > 1 && numbers.last() == Some(&"1")
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Answers the script until it says that the machine is ready.
fn attend(socket: UnixStream) -> Result<()> {
    socket.set_read_timeout(Some(BOOT_DEADLINE))?;
    let mut reader = BufReader::new(socket);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).context("the script said nothing")? == 0 {
            bail!("the script ended");
        }
        match line.trim_end().split_once(' ') {
            Some(("map", pid)) => {
                for map in ["uid_map", "gid_map"] {
                    fs::write(format!("/proc/{pid}/{map}"), "0 0 65536")
                        .with_context(|| format!("cannot write {map}"))?;
                }
                reader.get_mut().write_all(b"mapped\n")?;
            }
            Some(_) => bail!("the script said {line:?}"),
            None => return Ok(()),
        }
    }
}

/// A new pseudo-terminal: its device's path and its leading side.
fn open_terminal() -> Result<(String, OwnedFd)> {
    let lead = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    rustix::pty::grantpt(&lead)?;
    rustix::pty::unlockpt(&lead)?;
    let device = rustix::pty::ptsname(&lead, Vec::new())?.into_string()?;
    Ok((device, lead))
}

/// Copies what is written to the terminal into the console's file, until nobody holds the terminal.
fn pump(lead: OwnedFd, mut console: fs::File) {
    let mut lead = fs::File::from(lead);
    thread::spawn(move || {
        let mut bytes = [0; 65536];
        while let Ok(count) = lead.read(&mut bytes) {
            if count == 0 || console.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
    });
}

/// A directory of our own for one run, removed with the value.
#[derive(Debug)]
struct Place {
    path: PathBuf,
}

impl Place {
    fn create(name: &str) -> Result<Place> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = rootfs::cache().join("run").join(format!("{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join("mount"))
            .with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Place { path: fs::canonicalize(path)? })
    }

    fn console(&self) -> PathBuf {
        self.path.join("console")
    }

    fn mount(&self) -> PathBuf {
        self.path.join("mount")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            eprintln!("{}: {error}", self.path.display());
        }
    }
}

/// The tree that is copied over the root.
#[derive(Debug)]
struct Extra(Place);

impl Extra {
    /// Where a path of the machine is in the tree, with its folders made.
    fn at(&self, path: &str) -> Result<PathBuf> {
        let target = self.0.path.join(path.trim_start_matches('/'));
        let folder = target.parent().context("a file has a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(target)
    }
}
