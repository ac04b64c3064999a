#![forbid(unsafe_code)]
//! A daemon by `kit` that lives as its command line says, for tests of every surrounding.
//!
//! ```text
//! lifelike [--daemon] [--pid-file=PATH] [--user=NAME] [--port=PORT] [--notify-fd=N] [--mark=FILE] [--announce=NAME] [WORD…]
//! ```
//! Words: `fails` (before it is ready), `slow` (ready after a second), `crashes` (after it is ready), `crashes-early`,
//! `panics`, `hangs` (answers no watchdog), `stubborn` (does not stop when asked), `late` (its deadline ends it), `stores`
//! (leaves its socket with the manager). `units` writes its unit files into the folder of `--mark` instead; `service install`
//! and its kin act on a service of user daemon. What happens to it, it writes to the file of `--mark`, a line each. On its port
//! it tells its pid to whoever connects, and with `--announce` it is found there by DNS-SD.

use eudaemon_kit::{Announcement, Daemon, FdNumber, Health, Life, Moment, Privileges, Registry, Socket};
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::{self, ExitCode};
use std::time::Duration;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    };
    let mut daemon = Daemon::new("lifelike").stop_within(Duration::from_secs(2));
    if let Some(path) = value("--pid-file") {
        daemon = daemon.pid_file(path);
    }
    if let Some(user) = value("--user") {
        daemon = daemon.privileges(Privileges::keep().user(user).no_new_privileges());
    }
    if let Some(port) = value("--port") {
        daemon = daemon.socket(Socket::tcp("lifelike", format!("127.0.0.1:{port}")));
    }
    if let Some(name) = value("--announce") {
        let announcement =
            Announcement::new(name).socket("lifelike").service_type("_lifelike._tcp").tag("path=/");
        daemon = daemon.announce(Registry::Avahi, announcement.health(Health::Ttl(Duration::from_secs(2))));
    }
    if let Some(number) = value("--notify-fd").and_then(|number| number.parse().ok()) {
        daemon = daemon.notification_fd(FdNumber(number));
    }
    let (served, arguments) = served();
    if let Some(code) = served.answer_service("Lives as it is told to", arguments) {
        return code;
    }
    if words.iter().any(|word| word == "units") {
        return print_units(&daemon, value("--mark"));
    }
    let mark = value("--mark");
    let listens = value("--port").is_some();
    daemon.run(move |life| {
        let mut marks =
            Marks(mark.map(|path| File::options().append(true).create(true).open(path)).transpose()?);
        live(life, &mut marks, &words, listens)
    })
}

/// The daemon as a service, and its arguments: of user daemon, or of one of its own if the environment says so.
fn served() -> (Daemon, Vec<&'static str>) {
    let mut daemon = Daemon::new("lifelike").stop_within(Duration::from_secs(2));
    let mark = "--mark=/var/lib/lifelike/m";
    if std::env::var_os("LIFELIKE_FAILS").is_some() {
        daemon = daemon.socket(Socket::tcp("lifelike", "127.0.0.1:7007"));
        return (daemon, vec![mark, "fails"]);
    }
    if std::env::var_os("LIFELIKE_OWN_USER").is_some() {
        // Where it must not make a file: a manager that keeps count wants none.
        return (daemon.pid_file("/run/lifelike.pid"), vec![mark, "--pid-file=/run/lifelike.pid"]);
    }
    let daemon = daemon.pid_file("/run/lifelike.pid").privileges(Privileges::keep().user("daemon"));
    (daemon, vec![mark, "--pid-file=/run/lifelike.pid", "--user=daemon"])
}

/// Writes its unit files to the folder.
fn print_units(daemon: &Daemon, folder: Option<String>) -> ExitCode {
    let program = std::env::current_exe().unwrap_or_default();
    let user = std::env::args().find(|word| word.starts_with("--user="));
    let arguments = ["--port=1", "--mark=/var/lib/lifelike/m"].map(str::to_owned).into_iter().chain(user);
    let Ok(files) = daemon.unit_files("Lives as it is told to", &program, arguments) else {
        return ExitCode::FAILURE;
    };
    let folder = std::path::PathBuf::from(folder.unwrap_or_default());
    match files.iter().try_for_each(|file| std::fs::write(folder.join(&file.name), &file.text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What happened, for the test to read.
struct Marks(Option<File>);

impl Marks {
    fn write(&mut self, text: &str) -> std::io::Result<()> {
        self.0.as_mut().map_or(Ok(()), |file| writeln!(file, "{text}"))
    }
}

fn live(
    life: &mut Life,
    marks: &mut Marks,
    words: &[String],
    listens: bool,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let told = |word: &str| words.iter().any(|found| found == word);
    marks.write(&format!("started {} by {:?}", process::id(), life.starter()))?;
    if told("fails") {
        return Err("told to fail".into());
    }
    if let Some(connection) = life.sockets().connection() {
        let mut stream = std::net::TcpStream::from(connection);
        return Ok(writeln!(stream, "{}", process::id())?);
    }
    let listener = if listens { Some(life.tcp("lifelike")?) } else { None };
    if life.sockets().is_handed("lifelike") {
        marks.write("its socket was handed over")?;
    }
    if let Some(listener) = listener.as_ref().filter(|_| told("stores")) {
        life.store("lifelike", listener)?;
    }
    if told("crashes-early") {
        process::abort();
    }
    if told("slow") {
        match life.wait_for(&[], Some(Duration::from_secs(1)))? {
            Moment::Stop => return Ok(()),
            Moment::Reload(_) | Moment::Readable(_) | Moment::TimeOver => {}
        }
    }
    life.ready()?;
    marks.write("ready")?;
    if told("crashes") {
        process::abort();
    }
    if told("panics") {
        panic!("told to panic");
    }
    while told("hangs") {
        std::thread::park();
    }
    let guest = life.handle().guest();
    loop {
        let readable: Vec<_> = listener.iter().map(AsFd::as_fd).collect();
        match life.wait_for(&readable, None)? {
            Moment::Readable(_) => {
                if let Some((mut stream, _)) =
                    listener.as_ref().map(std::net::TcpListener::accept).transpose()?
                {
                    writeln!(stream, "{}", process::id())?;
                }
            }
            Moment::Reload(reload) => {
                marks.write("reloaded")?;
                reload.done();
            }
            Moment::Stop if told("stubborn") => marks.write("asked to stop")?,
            Moment::Stop if told("late") => {
                marks.write("waits for its guests")?;
                std::mem::forget(guest);
                return Ok(());
            }
            Moment::Stop => break,
            Moment::TimeOver => {}
        }
    }
    drop(guest);
    marks.write("stopped")?;
    Ok(())
}
