//! Text that nobody would write: whatever comes in, something comes out, soon.
//!
//! Pieces that mean something are mixed with bytes that mean nothing, by a generator of our own, so that a
//! failing seed fails everywhere.

#![allow(clippy::unwrap_used)]

use eudaemon_unit::exec_line;
use eudaemon_unit::files::{Found, Fragment};
use eudaemon_unit::merge::{Source, merge};
use eudaemon_unit::name::UnitName;
use eudaemon_unit::specifier::{Allowed, Context, Scope, expand};
use eudaemon_unit::syntax::{Event, Lexer};
use eudaemon_unit::{directives, values};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A linear congruential generator; the high bits are the good ones.
struct Seed(u64);

impl Seed {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit.max(1)
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const PIECES: &[&[u8]] = &[
    b"[Unit]\n",
    b"[Service]\n",
    b"[Socket]\n",
    b"[Install]\n",
    b"[X-Foo]\n",
    b"[",
    b"]",
    b"=",
    b"\\\n",
    b"\\",
    b"\n",
    b"\r\n",
    b"#",
    b";",
    b"\0",
    b"\xff",
    b"\xc3\xa4",
    b" ",
    b"\t",
    b"\"",
    b"'",
    b"%",
    b"%i",
    b"%%",
    b"$",
    b"${A}",
    b"$A",
    b"-",
    b"@",
    b"+",
    b"!",
    b":",
    b"/",
    b"..",
    b"/bin/true",
    b"~",
    b"infinity",
    b"5s",
    b"1.5G",
    b"yes",
    b"18446744073709551616",
    b"a.service",
    b"a@.service",
    b"a@b.socket",
    b"\\x41",
    b"\\u00e4",
    b"\\400",
    b"0-3,",
    b"AF_INET",
    b"CAP_KILL",
    b"1:2",
    b"[::1]:80",
    b"vsock::5",
    b"127.0.0.1:80",
    b"SIGTERM",
    b"RTMIN+3",
    b"|",
    b"[Timer]\n",
    b"[Mount]\n",
    b"[Slice]\n",
];

const NAMES: &[&str] =
    &["a.service", "a@b.service", "a.socket", "a.timer", "a.path", "a.mount", "a.slice", "a.target"];

fn text(seed: &mut Seed) -> Vec<u8> {
    let keys: Vec<&str> = directives::all().map(|(_, row)| row.key).collect();
    let mut out = Vec::new();
    for _ in 0..seed.below(40) {
        match seed.below(4) {
            0 => out.extend(format!("{}=", keys[seed.below(keys.len())]).bytes()),
            _ => out.extend_from_slice(seed.pick(PIECES)),
        }
    }
    out
}

fn load(name: &str, text: &[u8]) -> usize {
    let name = UnitName::parse(name).unwrap();
    let found = Found {
        name: name.clone(),
        aliases: vec![],
        fragment: Fragment::File("/u".into()),
        dropins: vec!["/d".into()],
        dependencies: vec![],
    };
    let sources = [Source { path: "/u", text }, Source { path: "/d", text }];
    let merged = merge(&name, &sources, &found, &Context::default());
    directives::verdicts(&merged.config).len() + merged.diagnostics.len()
}

#[test]
fn any_text_is_read() {
    let until = Instant::now() + Duration::from_secs(1);
    let mut seed = Seed(20_261_123);
    let mut rounds = 0;
    while Instant::now() < until {
        for _ in 0..100 {
            let text = text(&mut seed);
            let name = seed.pick(NAMES);
            load(name, &text);
            let line = String::from_utf8_lossy(&text);
            let scope =
                Scope { name: &UnitName::parse(name).unwrap(), fragment: "/u", cx: &Context::default() };
            let parsed = exec_line::parse(&line, scope);
            let environment = ["A='x y'".to_owned()];
            parsed.commands.iter().for_each(|c| drop(eudaemon_plan::expand::expand(&c.argv, &environment)));
            drop(eudaemon_plan::env_file::parse(&text));
            drop(expand(&line, scope, Allowed::All));
            drop(UnitName::parse(&line));
            black_box(values::parse_timespan(&line)).ok();
            drop(values::address::parse_address(&line));
            black_box(values::size::parse_size(&line, values::size::Steps::Of1024)).ok();
            rounds += 1;
        }
    }
    println!("{rounds} texts read");
}

/// Every key with every piece, so that each setter is met with what it does not expect.
#[test]
fn any_value_is_taken_or_refused() {
    for (section, row) in directives::all() {
        let kind = section.to_lowercase();
        let name = if ["unit", "install", "x-container", "x-health"].contains(&kind.as_str()) {
            "a@b.service".into()
        } else {
            format!("a.{kind}")
        };
        let mut text = format!("[{section}]\n").into_bytes();
        for piece in PIECES.iter().filter(|piece| !piece.contains(&b'\n') && !piece.contains(&0xff)) {
            text.extend(format!("{}=", row.key).bytes());
            text.extend_from_slice(piece);
            text.push(b'\n');
        }
        load(&name, &text);
    }
}

/// A deep continuation, a long list, many lines: time grows with the text, not with its square.
#[test]
fn long_texts_take_no_long_time() {
    let long = [
        [b"[Unit]\nWants=".as_slice(), &b"a.service ".repeat(100_000)].concat(),
        [b"[Unit]\n".as_slice(), &b"After=b.service\n".repeat(100_000)].concat(),
        [b"[Service]\nExecStart=".as_slice(), &b"x \\\n#\n".repeat(150_000)].concat(),
        [b"[Service]\n".as_slice(), &b"Environment=A=b\n".repeat(100_000)].concat(),
        [b"[Service]\n".as_slice(), &b"garbage\n".repeat(200_000)].concat(),
        [b"[Service]\nExecStart=/bin/true ".as_slice(), &b"%%".repeat(500_000)].concat(),
        [b"[Service]\nSystemCallFilter=".as_slice(), &b"a\nSystemCallFilter=b".repeat(50_000)].concat(),
        (0..50_000)
            .flat_map(|n| format!("[Service]\nEnvironment=A{n}=b\nReadOnlyPaths=/a{n}\n").into_bytes())
            .collect(),
    ];
    for text in &long {
        let start = Instant::now();
        load("a.service", text);
        let lines =
            Lexer::new("f", text, &["Unit", "Service"]).filter(|event| !matches!(event, Event::Odd(_)));
        println!("{} bytes, {} assignments: {:?}", text.len(), lines.count(), start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}

/// 10,000 units as a distribution ships them: the promise is one second, on an idle core and optimised.
#[test]
fn ten_thousand_units() {
    let unit = b"[Unit]\nDescription=Web server\nDocumentation=man:web(8)\nAfter=network.target remote-fs.target\n\n[Service]\nType=notify\nEnvironment=A=b \"C=d e\"\nEnvironmentFile=-/etc/default/%p\nPIDFile=/run/web.pid\nExecStartPre=/usr/sbin/web -t -q -g 'daemon on; master_process on;'\nExecStart=/usr/sbin/web $OPTIONS\nExecReload=/bin/kill -HUP $MAINPID\nTimeoutStopSec=5\nKillMode=mixed\nRestart=on-failure\nRestartSec=5s\nLimitNOFILE=65536\nUser=www-data\nProtectSystem=full\nPrivateTmp=true\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETUID\n\n[Install]\nWantedBy=multi-user.target\n";
    let start = Instant::now();
    for _ in 0..10_000 {
        load("web.service", unit);
    }
    println!("10,000 units, each with a drop-in as long: {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
