use super::*;
use eudaemon_unit::values::endpoint::parse_url;
use expect_test::{Expect, expect};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How long a peer on this machine may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a probe comes to; `None`: nothing, as long as anybody waits.
fn ask(target: &Target, patience: Duration) -> Option<Result<(), String>> {
    let end = Instant::now() + patience;
    let (mut probe, mut turn) = match Probe::begin(target, Some(std::process::id())) {
        Ok(begun) => begun,
        Err(Unasked::Failed(trouble)) => return Some(Err(trouble)),
        Err(Unasked::Gone) => panic!("we are here"),
    };
    loop {
        let flags = match turn {
            Turn::Answered(outcome) => return Some(outcome),
            Turn::Over => panic!("over and not answered"),
            Turn::Writes => PollFlags::OUT,
            Turn::Reads => PollFlags::IN,
        };
        let left = end.checked_duration_since(Instant::now())?;
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        if poll(&mut [PollFd::new(&probe.socket, flags)], Some(&left)).unwrap() == 0 {
            return None;
        }
        turn = probe.go_on();
    }
}

/// A server of one connection that hears a whole request and then does its part.
fn server(
    serve: impl FnOnce(TcpStream, String) + Send + 'static,
) -> (SocketAddr, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0u8];
        while !request.ends_with(b"\r\n\r\n") && peer.read(&mut byte).unwrap() == 1 {
            request.push(byte[0]);
        }
        serve(peer, String::from_utf8(request).unwrap());
    });
    (at, thread)
}

/// What a GET comes to where the server answers so.
fn check(answer: &'static [u8], expected: Expect) {
    let (at, server) = server(move |mut peer, _| peer.write_all(answer).unwrap());
    let outcome = get(at, PATIENCE).unwrap();
    server.join().unwrap();
    expected.assert_eq(&format!("{outcome:?}").replace(&at.to_string(), "HOST"));
}

fn get(at: SocketAddr, patience: Duration) -> Option<Result<(), String>> {
    ask(&Target::Http(parse_url(&format!("http://{at}/health?deep")).unwrap()), patience)
}

#[test]
fn statuses() {
    check(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", expect!["Ok(())"]);
    check(b"HTTP/1.0 204\r\n\r\n", expect!["Ok(())"]);
    check(b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n", expect!["Ok(())"]);
    check(b"HTTP/1.1 399 x\n", expect!["Ok(())"]);
    check(
        b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
        expect![[r#"Err("GET http://HOST/health?deep answered 503")"#]],
    );
    check(b"HTTP/1.1 404 Not Found\r\n\r\n", expect![[r#"Err("GET http://HOST/health?deep answered 404")"#]]);
    check(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        expect![[r#"Err("GET http://HOST/health?deep answered 100")"#]],
    );
}

#[test]
fn what_is_no_answer() {
    check(
        b"",
        expect![[r#"Err("GET http://HOST/health?deep was not answered: the connection was closed")"#]],
    );
    let not_http = r#"Err("GET http://HOST/health?deep was answered with what is not HTTP")"#;
    let garbage: [&'static [u8]; 9] = [
        b"HTTP/1.1 20",
        b"HTTP/1.1 200 OK",
        b"\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2 200\r\n",
        b"HTTP/1.1  200\r\n",
        b"HTTP/1.1 2000\r\n",
        b"HTTP/1.1 \xff\xfe\xfd\r\n",
        &[b'x'; 100_000],
    ];
    for answer in garbage {
        check_text(answer, not_http);
    }
}

fn check_text(answer: &'static [u8], expected: &str) {
    // A peer that is left in the middle of what it says hears of it.
    let (at, server) = server(move |mut peer, _| drop(peer.write_all(answer)));
    let outcome = get(at, PATIENCE).unwrap();
    server.join().unwrap();
    assert_eq!(format!("{outcome:?}").replace(&at.to_string(), "HOST"), expected, "{answer:?}");
}

#[test]
fn an_answer_in_pieces() {
    let (at, server) = server(|mut peer, _| {
        for byte in b"HTTP/1.1 503 \r\n" {
            peer.write_all(&[*byte]).unwrap();
            peer.flush().unwrap();
        }
    });
    assert_eq!(get(at, PATIENCE), Some(Err(format!("GET http://{at}/health?deep answered 503"))));
    server.join().unwrap();
}

#[test]
fn what_is_asked() {
    let (mouth, ear) = std::sync::mpsc::channel();
    let (at, server) = server(move |mut peer, request| {
        mouth.send(request).unwrap();
        peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    });
    assert_eq!(get(at, PATIENCE), Some(Ok(())));
    server.join().unwrap();
    expect![[r"
        GET /health?deep HTTP/1.1
        Host: HOST
        User-Agent: eudaemon
        Accept: */*
        Connection: close

    "]]
    .assert_eq(&ear.recv().unwrap().replace("\r\n", "\n").replace(&at.to_string(), "HOST"));
}

#[test]
fn one_that_never_answers_never_holds_anybody() {
    let (mouth, ear) = std::sync::mpsc::channel::<()>();
    let (at, server) = server(move |_peer, _| assert!(ear.recv().is_err()));
    assert_eq!(get(at, Duration::from_millis(50)), None);
    drop(mouth);
    server.join().unwrap();
}

#[test]
fn connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    assert_eq!(ask(&Target::Tcp(at), PATIENCE), Some(Ok(())));
    drop(listener);
    let refused = Some(Err(format!("cannot connect to {at}: connection refused")));
    assert_eq!(ask(&Target::Tcp(at), PATIENCE), refused);
    assert_eq!(get(at, PATIENCE), refused);
}

/// A socket that failed stays ready: whoever looks at it again learns nothing, and nothing is sent.
#[test]
fn an_answer_is_the_last_word() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let next = |target: &Target| {
        let Ok((mut probe, mut turn)) = Probe::begin(target, None) else { return None };
        let end = Instant::now() + PATIENCE;
        while !matches!(turn, Turn::Answered(_)) && Instant::now() < end {
            let left = Timespec { tv_sec: 1, tv_nsec: 0 };
            poll(&mut [PollFd::new(&probe.socket, PollFlags::OUT)], Some(&left)).unwrap();
            turn = probe.go_on();
        }
        Some((probe.is_answered(), probe.go_on()))
    };
    assert_eq!(next(&Target::Tcp(at)), Some((false, Turn::Over)));
    drop(listener);
    let url = parse_url(&format!("http://{at}/")).unwrap();
    for target in [Target::Tcp(at), Target::Http(url)] {
        assert!(next(&target).is_none_or(|last| last == (false, Turn::Over)), "{target:?}");
    }
}

#[test]
fn what_comes_after_the_answer_is_taken_in() {
    let (at, server) = server(|mut peer, _| {
        peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        peer.write_all(&[b'x'; 60_000]).unwrap();
    });
    let target = Target::Http(parse_url(&format!("http://{at}/")).unwrap());
    let Ok((mut probe, mut turn)) = Probe::begin(&target, None) else { panic!("it is there") };
    let end = Instant::now() + PATIENCE;
    let mut answers = Vec::new();
    while turn != Turn::Over {
        if let Turn::Answered(outcome) = &turn {
            answers.push(outcome.clone());
        }
        assert!(Instant::now() < end);
        let flags = if turn == Turn::Writes { PollFlags::OUT } else { PollFlags::IN };
        let left = Timespec { tv_sec: 1, tv_nsec: 0 };
        poll(&mut [PollFd::new(&probe.socket, flags)], Some(&left)).unwrap();
        turn = probe.go_on();
    }
    server.join().unwrap();
    assert_eq!(answers, [Ok(())]);
}

#[test]
fn a_process_that_is_gone_asks_nobody() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let pid = child.id();
    child.wait().unwrap();
    let target = Target::Tcp(SocketAddr::from(([127, 0, 0, 1], 9)));
    assert!(matches!(Probe::begin(&target, Some(pid)), Err(Unasked::Gone)));
}
