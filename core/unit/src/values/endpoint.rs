//! Where a service is asked for its health: `Tcp=` and `Http=` of `[X-Health]`. Names are not looked up: whoever asks would have
//! to wait for who answers.

use crate::limits;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const HTTP_PORT: u16 = 80;

/// An URL as it was written, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Url {
    pub text: String,
    pub at: SocketAddr,
    /// What the request's `Host:` says.
    pub host: String,
    /// Path and query.
    pub path: String,
}

/// A port of this machine, or an address and a port. The error says what is wrong.
pub fn parse_endpoint(text: &str) -> Result<SocketAddr, &'static str> {
    const EXPECTED: &str = "expected a port, or an address and a port such as 127.0.0.1:80 or [::1]:80";
    if let Some(port) = port(text) {
        return Ok(SocketAddr::new(LOCALHOST, port));
    }
    match text.rsplit_once(':') {
        Some((host, number)) => Ok(SocketAddr::new(host_of(host)?, port(number).ok_or(EXPECTED)?)),
        None => Err(EXPECTED),
    }
}

/// `http://HOST[:PORT][/PATH][?QUERY]`.
pub fn parse_url(text: &str) -> Result<Url, &'static str> {
    if text.len() > limits::URL {
        return Err("longer than 1024 bytes");
    }
    if text.starts_with("https://") {
        return Err("https is not spoken, ask with Exec= or over http://");
    }
    let rest = text.strip_prefix("http://").ok_or("expected http:// and an address")?;
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("there are characters in it that have to be written as %20 and the like");
    }
    if rest.contains('#') {
        return Err("what comes after # is never asked of a server");
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    if host.contains('@') {
        return Err("user and password are not sent");
    }
    let bracketed = host.ends_with(']');
    let (name, port) = match host.rsplit_once(':').filter(|_| !bracketed) {
        Some((name, number)) => (name, port(number).ok_or("the port is no number from 1 to 65535")?),
        None => (host, HTTP_PORT),
    };
    let path = match path.as_bytes() {
        [] => "/".to_owned(),
        [b'?', ..] => format!("/{path}"),
        _ => path.to_owned(),
    };
    let at = SocketAddr::new(host_of(name)?, port);
    Ok(Url { text: text.to_owned(), at, host: host.to_owned(), path })
}

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn host_of(text: &str) -> Result<IpAddr, &'static str> {
    if text == "localhost" {
        return Ok(LOCALHOST);
    }
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(inner) => inner.parse::<Ipv6Addr>().map(IpAddr::V6).ok(),
        None => text.parse::<Ipv4Addr>().map(IpAddr::V4).ok(),
    }
    .ok_or("the host has to be an address or localhost, names are not looked up")
}

fn port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn endpoints() {
        let texts = [
            "80",
            "127.0.0.1:80",
            "localhost:8080",
            "[::1]:5432",
            "0",
            "65536",
            "",
            "web:80",
            "::1:80",
            "10.0.0.1",
            "+80",
            "80:",
            ":80",
            "127.0.0.1:http",
            "[::1]",
            "/run/web.sock",
        ];
        let told: Vec<String> = texts
            .iter()
            .map(|text| match parse_endpoint(text) {
                Ok(at) => format!("{text}: {at}\n"),
                Err(why) => format!("{text}: {why}\n"),
            })
            .collect();
        expect![[r#"
            80: 127.0.0.1:80
            127.0.0.1:80: 127.0.0.1:80
            localhost:8080: 127.0.0.1:8080
            [::1]:5432: [::1]:5432
            0: expected a port, or an address and a port such as 127.0.0.1:80 or [::1]:80
            65536: expected a port, or an address and a port such as 127.0.0.1:80 or [::1]:80
            : expected a port, or an address and a port such as 127.0.0.1:80 or [::1]:80
            web:80: the host has to be an address or localhost, names are not looked up
            ::1:80: the host has to be an address or localhost, names are not looked up
            10.0.0.1: expected a port, or an address and a port such as 127.0.0.1:80 or [::1]:80
            +80: expected a port, or an address and a port such as 127.0.0.1:80 or [::1]:80
            80:: the host has to be an address or localhost, names are not looked up
            :80: the host has to be an address or localhost, names are not looked up
            127.0.0.1:http: expected a port, or an address and a port such as 127.0.0.1:80 or [::1]:80
            [::1]: the host has to be an address or localhost, names are not looked up
            /run/web.sock: expected a port, or an address and a port such as 127.0.0.1:80 or [::1]:80
        "#]]
        .assert_eq(&told.concat());
    }

    #[test]
    fn urls() {
        let texts = [
            "http://127.0.0.1",
            "http://127.0.0.1:8080/health?deep=1",
            "http://localhost?a",
            "http://[::1]/a",
            "http://[::1]:81/",
            "https://localhost/",
            "localhost/",
            "http://",
            "http:///a",
            "http://web/",
            "http://me:secret@localhost/",
            "http://localhost/#top",
            "http://localhost/a b",
            "http://localhost/\u{e9}",
            "http://localhost:0/",
            "http://localhost:/",
            "http://localhost/\r\nX: y",
        ];
        let told: Vec<String> = texts
            .iter()
            .map(|text| match parse_url(text) {
                Ok(url) => format!("{text:?}: {} host {} path {}\n", url.at, url.host, url.path),
                Err(why) => format!("{text:?}: {why}\n"),
            })
            .collect();
        expect![[r#"
            "http://127.0.0.1": 127.0.0.1:80 host 127.0.0.1 path /
            "http://127.0.0.1:8080/health?deep=1": 127.0.0.1:8080 host 127.0.0.1:8080 path /health?deep=1
            "http://localhost?a": 127.0.0.1:80 host localhost path /?a
            "http://[::1]/a": [::1]:80 host [::1] path /a
            "http://[::1]:81/": [::1]:81 host [::1]:81 path /
            "https://localhost/": https is not spoken, ask with Exec= or over http://
            "localhost/": expected http:// and an address
            "http://": the host has to be an address or localhost, names are not looked up
            "http:///a": the host has to be an address or localhost, names are not looked up
            "http://web/": the host has to be an address or localhost, names are not looked up
            "http://me:secret@localhost/": user and password are not sent
            "http://localhost/#top": what comes after # is never asked of a server
            "http://localhost/a b": there are characters in it that have to be written as %20 and the like
            "http://localhost/é": there are characters in it that have to be written as %20 and the like
            "http://localhost:0/": the port is no number from 1 to 65535
            "http://localhost:/": the port is no number from 1 to 65535
            "http://localhost/\r\nX: y": there are characters in it that have to be written as %20 and the like
        "#]].assert_eq(&told.concat());
    }

    #[test]
    fn a_url_has_an_end() {
        let url = |length: usize| format!("http://[::1]/{}", "a".repeat(length - 13));
        assert!(parse_url(&url(1024)).is_ok());
        assert!(parse_url(&url(1025)).is_err());
    }
}
