//! A daemon that is announced at a Consul agent. The agent here is a socket that says what it is told to and keeps what it
//! is asked; the daemon is a process, which does what it reads from its stdin.

mod agent;
mod lives;

use agent::*;
use eudaemon_kit::{Announcement, Daemon, Health, Life, Moment, Privileges, Registry, Socket};
use lives::{SOON, SUBJECT, Subject};
use std::error::Error;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The health of the subject: a sign of life every third of it.
const TTL: Duration = Duration::from_millis(2000);
const REGISTER: &str = "PUT /v1/agent/service/register?replace-existing-checks=true HTTP/1.1";
const TAKE_BACK: &str = "PUT /v1/agent/service/deregister/web-80 HTTP/1.1";
const WELL: &str = r#"{"Status":"passing","Output":"comes round"}"#;
const ENTRY: &str = r#"{"ID":"web-80","Name":"web","Tags":["v1"],"Port":80,"Check":{"CheckID":"service:web-80","TTL":"2000ms","Status":"passing","DeregisterCriticalServiceAfter":"1m"}}"#;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == SUBJECT) {
        return subject(&words[1..]);
    }
    lives::run(&[
        ("ready_registers_and_a_stop_takes_back_before_open_work_ends", stop),
        ("requests_are_these_very_bytes", bytes),
        ("an_agent_that_is_away_is_found_later_and_told_of_once", away),
        ("a_refusal_is_told_once", refusal),
        ("an_agent_that_forgot_is_told_again", forgetful),
        ("a_second_ready_and_a_reload_register_nothing", again),
        ("an_error_and_a_panic_take_back", bad_ends),
        ("who_hangs_does_not_pass_for_well", hang),
        #[cfg(feature = "tokio")]
        ("a_runtime_that_comes_round_is_well", in_a_runtime),
        ("who_is_killed_says_nothing_and_the_agent_was_told_what_to_do", killed),
        ("an_agent_that_hangs_delays_neither_ready_nor_the_end", silent),
        ("a_socket_in_the_file_system", socket_file),
        ("the_port_of_a_socket_and_health_that_is_asked_for", of_a_socket),
        ("a_token_from_a_file_and_what_cannot_be", environment),
    ])
}

/// Words: `held` (ready only when it is told so), `asked` (health by HTTP, at the port of its socket), `nobody` (gives up
/// root), `async` (in a runtime).
fn subject(words: &[String]) -> ExitCode {
    let told = |word: &str| words.iter().any(|found| found == word);
    let mut daemon = Daemon::new("subject").stop_within(Duration::from_secs(10));
    let mut announcement = Announcement::new("web").tag("v1");
    if told("asked") {
        daemon = daemon.socket(Socket::tcp("web", "127.0.0.1:0"));
        announcement =
            announcement.socket("web").health(Health::Http("/healthz".to_owned(), Duration::from_secs(1)));
    } else {
        announcement = announcement.port(80).health(Health::Ttl(TTL));
    }
    if told("nobody") {
        daemon = daemon.privileges(Privileges::keep().user("nobody"));
    }
    let held = told("held");
    #[cfg(feature = "tokio")]
    if told("async") {
        return daemon.announce(Registry::Consul, announcement).run_async(live_in_a_runtime);
    }
    daemon.announce(Registry::Consul, announcement).run(move |life| live(life, held))
}

fn live(life: &mut Life, held: bool) -> Result<(), Box<dyn Error + Send + Sync>> {
    let stdin = std::io::stdin();
    let mut line = String::new();
    if held {
        stdin.read_line(&mut line)?;
    }
    life.ready()?;
    println!("ready");
    loop {
        match life.wait_for(&[stdin.as_fd()], None)? {
            Moment::Readable(_) => {
                line.clear();
                stdin.read_line(&mut line)?;
                match line.trim() {
                    "fail" => return Err("told to fail".into()),
                    "panic" => panic!("told to panic"),
                    "ready" => life.ready()?,
                    // Comes round no more until it is told something.
                    "hang" => drop(stdin.read_line(&mut line)?),
                    "return" => return Ok(()),
                    other => return Err(format!("what is {other:?}?").into()),
                }
                println!("did {}", line.lines().next().unwrap_or_default());
            }
            Moment::Reload(reload) => {
                reload.done();
                println!("reloaded");
            }
            Moment::Stop => {
                // Open work, until it is told to leave.
                life.handle().spawn(|| drop(std::io::stdin().read_line(&mut String::new())))?;
                return Ok(());
            }
            Moment::TimeOver => {}
        }
    }
}

#[cfg(feature = "tokio")]
async fn live_in_a_runtime(life: &mut Life) -> eudaemon_kit::Result<()> {
    life.ready()?;
    println!("ready");
    loop {
        match life.next().await? {
            Moment::Stop => return Ok(()),
            Moment::Reload(_) | Moment::Readable(_) | Moment::TimeOver => {}
        }
    }
}

fn stop() {
    let agent = Agent::start(fine);
    let mut subject = Subject::start(&["held"], &[agent.variable()]);
    assert!(agent.is_quiet(Duration::from_millis(300)), "nothing before it is ready");
    subject.tell("go");
    subject.hear("ready");
    assert_eq!(agent.next().body, ENTRY);
    assert_eq!(agent.sign().body, WELL);
    subject.signal("TERM");
    assert_eq!(agent.next().line(), TAKE_BACK);
    // Its work is still open: it has not ended.
    subject.tell("leave");
    assert_eq!(subject.end(), (0, Vec::new()));
    assert!(agent.is_quiet(Duration::from_millis(10)), "it said its last word");
}

fn bytes() {
    let agent = Agent::start(fine);
    let host = agent.at;
    let token = ("CONSUL_HTTP_TOKEN", "s3cret".to_owned());
    let mut subject = Subject::start(&[], &[agent.variable(), token]);
    subject.hear("ready");
    let head = |first: &str, length: usize, more: &str| {
        format!(
            "{first}\r\ncontent-length: {length}\r\nuser-agent: eudaemon-kit/{}\r\naccept: */*\r\nhost: {host}\r\nx-consul-token: s3cret\r\n{more}\r\n",
            env!("CARGO_PKG_VERSION")
        )
    };
    let json = "content-type: application/json\r\n";
    let request = agent.next();
    assert_eq!((request.head, &*request.body), (head(REGISTER, ENTRY.len(), json), ENTRY));
    let request = agent.sign();
    assert_eq!((request.head, &*request.body), (head(SIGN, WELL.len(), json), WELL));
    subject.tell("return");
    let request = agent.next();
    assert_eq!((request.head, &*request.body), (head(TAKE_BACK, 0, ""), ""));
    let (code, said) = subject.end();
    assert_eq!((code, said.join("\n").contains("s3cret")), (0, false));
}

fn away() {
    let at = Agent::start(fine).end();
    let variable = ("CONSUL_HTTP_ADDR", at.to_string());
    let mut subject = Subject::start(&[], &[variable]);
    subject.hear("ready");
    let trouble = format!(
        "subject: cannot announce web at Consul's agent {at}: Connection refused (os error 111); tries again"
    );
    assert_eq!(subject.hear_error("cannot announce"), trouble);
    let agent = Agent::at(at, fine);
    assert_eq!(agent.next().body, ENTRY);
    let over = format!("subject: announced web at Consul's agent {at} after all");
    assert_eq!(subject.hear_error("announced"), over);
    subject.tell("return");
    assert_eq!(agent.next().line(), TAKE_BACK);
    assert_eq!(subject.end(), (0, vec![trouble, over]));
}

fn refusal() {
    let agent = Agent::start(|_| Some((403, "Permission denied\nmore\n")));
    let (_, address) = agent.variable();
    let mut subject = Subject::start(&[], &[agent.variable()]);
    subject.hear("ready");
    for _ in 0..2 {
        assert_eq!(agent.next().line(), REGISTER);
    }
    subject.tell("return");
    assert_eq!(agent.next_but(REGISTER).line(), TAKE_BACK);
    let at = format!("web at Consul's agent {address}");
    let told = format!("subject: cannot announce {at}: it answers 403 Permission denied; tries again");
    let last = format!("subject: cannot take back {at}: it answers 403 Permission denied");
    assert_eq!(subject.end(), (0, vec![told, last]));
}

fn forgetful() {
    let agent = Agent::start(fine);
    let mut subject = Subject::start(&[], &[agent.variable()]);
    subject.hear("ready");
    assert_eq!(agent.next().body, ENTRY);
    // Another begins in its place and has heard of nothing but what it is asked to register.
    let at = agent.end();
    let agent = Agent::at(at, |request| match request.line() {
        SIGN => Some((404, "Unknown check ID \"service:web-80\"")),
        _ => Some((200, "")),
    });
    assert_eq!(agent.next().body, ENTRY);
    subject.tell("return");
    assert_eq!(agent.next_but(REGISTER).line(), TAKE_BACK);
    assert_eq!(subject.end().0, 0);
}

fn again() {
    let agent = Agent::start(fine);
    let mut subject = Subject::start(&[], &[agent.variable()]);
    subject.hear("ready");
    assert_eq!(agent.next().line(), REGISTER);
    subject.tell("ready");
    subject.hear("did ready");
    subject.signal("HUP");
    subject.hear("reloaded");
    for _ in 0..3 {
        agent.sign();
    }
    subject.tell("return");
    assert_eq!(agent.next().line(), TAKE_BACK);
    assert_eq!(subject.end(), (0, Vec::new()));
}

fn bad_ends() {
    for (word, code) in [("fail", 1), ("panic", 101)] {
        let agent = Agent::start(fine);
        let mut subject = Subject::start(&[], &[agent.variable()]);
        subject.hear("ready");
        assert_eq!(agent.next().line(), REGISTER, "{word}");
        subject.tell(word);
        assert_eq!(agent.next().line(), TAKE_BACK, "{word}");
        assert_eq!(subject.end().0, code, "{word}");
    }
}

fn hang() {
    let agent = Agent::start(fine);
    let mut subject = Subject::start(&[], &[agent.variable()]);
    subject.hear("ready");
    assert_eq!(agent.next().line(), REGISTER);
    // Far longer than the time, and all the while nobody asks anything of it: waiting is coming round.
    for _ in 0..6 {
        assert_eq!(agent.sign().body, WELL);
    }
    subject.tell("hang");
    let end = Instant::now() + SOON;
    let unwell = loop {
        let body = agent.sign().body;
        if body != WELL {
            break body;
        }
        assert!(Instant::now() < end, "it passes for well");
    };
    assert_eq!(
        unwell,
        r#"{"Status":"critical","Output":"has not come round for 0 s"}"#.replace("0 s", &seconds(&unwell))
    );
    subject.tell("go on");
    subject.hear("did hang");
    while agent.sign().body != WELL {
        assert!(Instant::now() < end, "it never is well again");
    }
}

/// The number of seconds that it says.
fn seconds(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    assert!(digits.parse::<u64>().is_ok_and(|seconds| seconds < SOON.as_secs()), "{text}");
    format!("{digits} s")
}

#[cfg(feature = "tokio")]
fn in_a_runtime() {
    let agent = Agent::start(fine);
    let mut subject = Subject::start(&["async"], &[agent.variable()]);
    subject.hear("ready");
    assert_eq!(agent.next().body, ENTRY);
    for _ in 0..6 {
        assert_eq!(agent.sign().body, WELL);
    }
    subject.signal("TERM");
    assert_eq!(agent.next().line(), TAKE_BACK);
    assert_eq!(subject.end(), (0, Vec::new()));
}

fn killed() {
    let agent = Agent::start(fine);
    let mut subject = Subject::start(&[], &[agent.variable()]);
    subject.hear("ready");
    let body = agent.next().body;
    assert!(
        body.contains(r#""TTL":"2000ms""#) && body.contains(r#""DeregisterCriticalServiceAfter":"1m""#),
        "{body}"
    );
    subject.signal("KILL");
    assert_eq!(subject.end().0, 137);
    assert!(agent.requests.try_iter().all(|request| request.line() == SIGN));
    assert!(agent.is_quiet(TTL), "nobody is left to say that it lives");
}

fn silent() {
    let agent = Agent::start(|_| None);
    let before = Instant::now();
    let mut subject = Subject::start(&[], &[agent.variable()]);
    subject.hear("ready");
    let ready = before.elapsed();
    assert_eq!(agent.next().line(), REGISTER);
    let before = Instant::now();
    subject.tell("return");
    let (code, said) = subject.end();
    let ended = before.elapsed();
    assert_eq!(code, 0);
    assert!(ready < Duration::from_secs(2) && ended < Duration::from_secs(5), "{ready:?} {ended:?}");
    assert!(
        said.iter().any(|line| line.contains("cannot take back web") || line.contains("is not taken back")),
        "{said:?}"
    );
}

fn socket_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("consul.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let mut subject = Subject::start(&[], &[("CONSUL_HTTP_ADDR", format!("unix://{}", path.display()))]);
    subject.hear("ready");
    let heard = |subject: &mut Subject, wanted: &str| {
        let (mut stream, _) = listener.accept().expect("a connection");
        let request = read(&mut stream).expect("a request");
        say(&mut stream, (200, ""));
        if wanted == TAKE_BACK && request.line() == SIGN {
            return false;
        }
        assert_eq!(request.line(), wanted);
        assert!(request.head.contains("host: localhost\r\n"), "{}", request.head);
        if wanted == SIGN {
            subject.tell("return");
        }
        true
    };
    assert!(heard(&mut subject, REGISTER));
    assert!(heard(&mut subject, SIGN));
    while !heard(&mut subject, TAKE_BACK) {}
    assert_eq!(subject.end(), (0, Vec::new()));
}

fn of_a_socket() {
    let agent = Agent::start(fine);
    let mut subject = Subject::start(&["asked"], &[agent.variable()]);
    subject.hear("ready");
    let body = agent.next().body;
    let port =
        body.split(r#""Port":"#).nth(1).and_then(|rest| rest.split(',').next()).expect("a port").to_owned();
    let wanted = r#"{"ID":"web-PORT","Name":"web","Tags":["v1"],"Address":"127.0.0.1","Port":PORT,"Check":{"CheckID":"service:web-PORT","HTTP":"http://127.0.0.1:PORT/healthz","Interval":"1000ms","DeregisterCriticalServiceAfter":"1m"}}"#;
    assert_eq!(body, wanted.replace("PORT", &port));
    let connected = std::net::TcpStream::connect(("127.0.0.1", port.parse().expect("a number")));
    assert!(connected.is_ok(), "the port is the very one that it listens at");
    // It is looked for, and registered again where nobody knows it.
    let look = format!("GET /v1/agent/service/web-{port} HTTP/1.1");
    assert_eq!((agent.next().line(), agent.next().line()), (&*look, &*look));
    let at = agent.end();
    let agent = Agent::at(at, |request| {
        Some((if request.line().starts_with("GET") { 404 } else { 200 }, "unknown service ID"))
    });
    assert_eq!(agent.next_but(&look).body, wanted.replace("PORT", &port));
    subject.tell("return");
    let mut last = agent.next();
    while last.line() == look || last.line() == REGISTER {
        last = agent.next();
    }
    assert_eq!(last.line(), TAKE_BACK.replace("80", &port));
    // Between the two agents it may have found none.
    assert_eq!(subject.end().0, 0);
}

fn environment() {
    let agent = Agent::start(fine);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("token");
    std::fs::write(&file, "of-a-file\n").expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("ours");
    let token = ("CONSUL_HTTP_TOKEN_FILE", file.display().to_string());
    let words: &[&str] = if rustix::process::getuid().is_root() {
        &["nobody"]
    } else {
        println!("SKIPPED: only root can give up the right to read a token");
        &[]
    };
    let mut subject = Subject::start(words, &[agent.variable(), token]);
    subject.hear("ready");
    assert!(agent.next().head.contains("x-consul-token: of-a-file\r\n"));
    drop(subject);
    let missing = ("CONSUL_HTTP_TOKEN_FILE", "/nowhere/token".to_owned());
    let (code, said) = Subject::start(&[], &[agent.variable(), missing]).end();
    let wanted = "subject: cannot announce web: CONSUL_HTTP_TOKEN_FILE=/nowhere/token: No such file or directory (os error 2)";
    assert_eq!((code, said), (1, vec![wanted.to_owned()]));
    let (code, said) = Subject::start(&[], &[("CONSUL_HTTP_ADDR", "https://agent:8501")]).end();
    let wanted = "subject: cannot announce web: CONSUL_HTTP_ADDR=https://agent:8501: this program speaks no TLS: expected http://HOST:PORT, HOST:PORT or unix:///PATH";
    assert_eq!((code, said), (1, vec![wanted.to_owned()]));
}
