//! Unit files for a daemon, from its own description: systemd.service(5), systemd.socket(5), systemd.exec(5).

use crate::daemon::Daemon;
use crate::error::{Error, Result};
use crate::sockets::Socket;
use rustix::thread::CapabilitySet;
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// What is taken from a program that serves and no more; each can be given back by a drop-in.
pub(crate) const HARDENED: &str = "\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0027
";
/// The same, of those that need not be root at first.
const WITHOUT_ROOT: &str = "SystemCallFilter=~@privileged\n";

/// Longer than the daemon's own deadline, so that it is the daemon that says why it stops late.
pub(crate) const SLACK: Duration = Duration::from_secs(5);

/// A kind of directory that a manager makes for its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryKind {
    /// What a unit file asks for it by.
    pub directive: &'static str,
    /// The variable that tells the service of it.
    pub variable: &'static str,
    /// Where it is made.
    pub below: &'static str,
}

/// All of them: systemd.exec(5), "RuntimeDirectory=".
pub const DIRECTORY_KINDS: [DirectoryKind; 5] = [
    DirectoryKind { directive: "StateDirectory", variable: "STATE_DIRECTORY", below: "/var/lib" },
    DirectoryKind { directive: "RuntimeDirectory", variable: "RUNTIME_DIRECTORY", below: "/run" },
    DirectoryKind { directive: "CacheDirectory", variable: "CACHE_DIRECTORY", below: "/var/cache" },
    DirectoryKind { directive: "LogsDirectory", variable: "LOGS_DIRECTORY", below: "/var/log" },
    DirectoryKind { directive: "ConfigurationDirectory", variable: "CONFIGURATION_DIRECTORY", below: "/etc" },
];

/// A unit file: its name, and what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFile {
    /// `NAME.service`, `NAME.socket`, or `NAME-SOCKET.socket` for one of several.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Daemon {
    /// Unit files for this daemon, as a service manager of systemd's kind wants them: a service that is given no right
    /// which the description does not ask for, and a socket unit for each of its sockets.
    ///
    /// The service is of `Type=notify`. It gets the state, runtime, cache, log and configuration directories of its
    /// name, and a user of its own that exists while it runs, unless the description names one. What the manager does
    /// is taken out of the program's hands: sockets are opened, and users changed, by the manager; but for a description
    /// with a root directory, which the program must go to as root.
    ///
    /// # Errors
    ///
    /// What is wrong with the description, as [`Daemon::start`] would tell it.
    pub fn unit_files<Word: Into<OsString>>(
        &self,
        description: &str,
        program: &Path,
        arguments: impl IntoIterator<Item = Word>,
    ) -> Result<Vec<UnitFile>> {
        self.check_description()?;
        check_program(program)?;
        let (name, sockets) = (self.name(), self.sockets());
        let mut files = vec![UnitFile {
            name: format!("{name}.service"),
            text: self.service(description, program, &mut arguments.into_iter().map(Into::into)),
        }];
        files.extend(sockets.iter().zip(self.socket_units()).map(|(socket, unit)| UnitFile {
            text: socket_unit(description, name, socket, &unit),
            name: unit,
        }));
        Ok(files)
    }

    /// The socket units' names: a unit for each socket, since all that one opens have one name and one mode.
    fn socket_units(&self) -> Vec<String> {
        let (name, sockets) = (self.name(), self.sockets());
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let unit = |socket: &Socket| match sockets.len() {
            1 => format!("{name}.socket"),
            _ => format!("{name}-{}.socket", socket.name().chars().map(plain).collect::<String>()),
        };
        sockets.iter().map(unit).collect()
    }

    fn service(
        &self,
        description: &str,
        program: &Path,
        arguments: &mut dyn Iterator<Item = OsString>,
    ) -> String {
        let (name, sockets) = (self.name(), self.sockets());
        let mut text = format!("[Unit]\nDescription={}\n", one_line(description));
        if sockets.is_empty() {
            text += "Wants=network-online.target\nAfter=network-online.target\n";
        } else {
            line(&mut text, &format!("Requires={}", self.socket_units().join(" ")));
        }
        line(&mut text, "\n[Service]\nType=notify");
        // No variables are looked for in the first.
        let first = exec_word(program.as_os_str()).replace("$$", "$");
        let words: Vec<String> =
            std::iter::once(first).chain(arguments.map(|word| exec_word(&word))).collect();
        line(&mut text, &format!("ExecStart={}", words.join(" ")));
        line(&mut text, "ExecReload=kill -HUP $MAINPID\nRestart=on-failure");
        let stop = self.longest_stop().saturating_add(SLACK).as_secs();
        line(&mut text, &format!("TimeoutStopSec={stop}"));
        let rights = self.rights();
        match rights.user_name() {
            _ if rights.changes_root() => {}
            Some(user) => line(&mut text, &format!("User={}", one_line(user))),
            None => line(&mut text, "DynamicUser=yes"),
        }
        if let Some(group) = rights.group_name().filter(|_| !rights.changes_root()) {
            line(&mut text, &format!("Group={}", one_line(group)));
        }
        if let Some(groups) = rights.group_names().filter(|_| !rights.changes_root()) {
            line(&mut text, &format!("SupplementaryGroups={}", one_line(&groups.join(" "))));
        }
        for kind in DIRECTORY_KINDS {
            line(&mut text, &format!("{}={name}", kind.directive));
        }
        text += HARDENED;
        if rights.changes_root() {
            let needed = CapabilitySet::SYS_CHROOT | CapabilitySet::SETUID | CapabilitySet::SETGID;
            line(&mut text, "SystemCallFilter=chroot");
            line(&mut text, &format!("CapabilityBoundingSet={}", capabilities(rights.kept() | needed)));
        } else {
            text += WITHOUT_ROOT;
            let kept = capabilities(rights.kept());
            line(&mut text, &format!("CapabilityBoundingSet={kept}"));
            if !kept.is_empty() {
                line(&mut text, &format!("AmbientCapabilities={kept}"));
            }
        }
        // Without sockets of its own it is somebody's client, and so it is of a registry's agent.
        let network =
            sockets.is_empty() || sockets.iter().any(Socket::is_network) || self.is_announced_by_network();
        let families = if network { "AF_UNIX AF_INET AF_INET6" } else { "AF_UNIX" };
        line(&mut text, &format!("RestrictAddressFamilies={families}"));
        line(&mut text, "\n[Install]\nWantedBy=multi-user.target");
        if !sockets.is_empty() {
            line(&mut text, &format!("Also={}", self.socket_units().join(" ")));
        }
        text
    }
}

fn socket_unit(description: &str, daemon: &str, socket: &Socket, unit: &str) -> String {
    let mut text = format!("[Unit]\nDescription={} (socket)\n\n[Socket]\n", one_line(description));
    let (key, address) = socket.listen_directive();
    line(&mut text, &format!("{key}={}", one_line(&address.replace('%', "%%"))));
    line(&mut text, &format!("FileDescriptorName={}", one_line(socket.name())));
    if let Some(mode) = socket.unix_mode() {
        line(&mut text, &format!("SocketMode={mode:04o}"));
    }
    if unit.strip_suffix(".socket") != Some(daemon) {
        line(&mut text, &format!("Service={daemon}.service"));
    }
    line(&mut text, "\n[Install]\nWantedBy=sockets.target");
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").ok();
}

/// Text that cannot begin another directive.
fn one_line(text: &str) -> String {
    text.split(['\n', '\r']).collect::<Vec<_>>().join(" ")
}

/// What no manager of units takes for a program's name: systemd.service(5), "Command lines".
fn check_program(program: &Path) -> Result<()> {
    let reason =
        "a unit cannot start a program whose path has quotation marks, backslashes or control characters";
    let is_wrong = |byte: &u8| b"\"'\\".contains(byte) || byte.is_ascii_control();
    match program.as_os_str().as_bytes().iter().any(is_wrong) {
        true => Err(Error::Program { path: program.to_owned(), reason }),
        false => Ok(()),
    }
}

/// A word as it stands in `ExecStart=`: systemd.service(5), "Command lines".
fn exec_word(word: &std::ffi::OsStr) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@".contains(byte);
    if !word.is_empty() && word.as_bytes().iter().all(plain) {
        return word.to_string_lossy().into_owned();
    }
    let mut text = String::from("\"");
    for byte in word.as_bytes() {
        match byte {
            b'%' => text += "%%",
            b'$' => text += "$$",
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => {
                write!(text, "\\x{byte:02x}").ok();
            }
        }
    }
    text.push('"');
    text
}

fn capabilities(kept: CapabilitySet) -> String {
    kept.iter_names().map(|(name, _)| format!("CAP_{name}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privileges::Privileges;
    use expect_test::expect;
    use rustix::fs::Mode;

    fn printed(daemon: &Daemon, arguments: &[&str]) -> String {
        let files = daemon
            .unit_files("Says hello", Path::new("/usr/bin/greeter"), arguments)
            .expect("it can be meant");
        let without =
            |text: &str| text.replace(HARDENED, "(hardened)\n").replace(WITHOUT_ROOT, "(without root)\n");
        files.iter().map(|file| format!("# {}\n{}\n", file.name, without(&file.text))).collect()
    }

    #[test]
    fn a_daemon_with_a_socket() {
        let daemon = Daemon::new("greeter").socket(Socket::tcp("hello", "[::]:80"));
        expect![[r##"
            # greeter.service
            [Unit]
            Description=Says hello
            Requires=greeter.socket

            [Service]
            Type=notify
            ExecStart=/usr/bin/greeter "--text=100%% $$HOME \"\xc3\xa4\""
            ExecReload=kill -HUP $MAINPID
            Restart=on-failure
            TimeoutStopSec=35
            DynamicUser=yes
            StateDirectory=greeter
            RuntimeDirectory=greeter
            CacheDirectory=greeter
            LogsDirectory=greeter
            ConfigurationDirectory=greeter
            (hardened)
            (without root)
            CapabilityBoundingSet=
            RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6

            [Install]
            WantedBy=multi-user.target
            Also=greeter.socket

            # greeter.socket
            [Unit]
            Description=Says hello (socket)

            [Socket]
            ListenStream=[::]:80
            FileDescriptorName=hello

            [Install]
            WantedBy=sockets.target

        "##]]
        .assert_eq(&printed(&daemon, &["--text=100% $HOME \"ä\""]));
    }

    #[test]
    fn a_daemon_with_a_user_and_rights() {
        let kept = CapabilitySet::NET_RAW | CapabilitySet::NET_ADMIN;
        let daemon = Daemon::new("greeter")
            .privileges(Privileges::keep().user("hello").group("greeters").keep_capabilities(kept))
            .socket(Socket::unix("a", "/run/greeter/a").mode(Mode::from_raw_mode(0o660)))
            .socket(Socket::unix_datagram("b", "/run/greeter/b").mode(Mode::from_raw_mode(0o660)));
        expect![[r#"
            # greeter.service
            [Unit]
            Description=Says hello
            Requires=greeter-a.socket greeter-b.socket

            [Service]
            Type=notify
            ExecStart=/usr/bin/greeter
            ExecReload=kill -HUP $MAINPID
            Restart=on-failure
            TimeoutStopSec=35
            User=hello
            Group=greeters
            StateDirectory=greeter
            RuntimeDirectory=greeter
            CacheDirectory=greeter
            LogsDirectory=greeter
            ConfigurationDirectory=greeter
            (hardened)
            (without root)
            CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW
            AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW
            RestrictAddressFamilies=AF_UNIX

            [Install]
            WantedBy=multi-user.target
            Also=greeter-a.socket greeter-b.socket

            # greeter-a.socket
            [Unit]
            Description=Says hello (socket)

            [Socket]
            ListenStream=/run/greeter/a
            FileDescriptorName=a
            SocketMode=0660
            Service=greeter.service

            [Install]
            WantedBy=sockets.target

            # greeter-b.socket
            [Unit]
            Description=Says hello (socket)

            [Socket]
            ListenDatagram=/run/greeter/b
            FileDescriptorName=b
            SocketMode=0660
            Service=greeter.service

            [Install]
            WantedBy=sockets.target

        "#]]
        .assert_eq(&printed(&daemon, &[]));
    }

    #[test]
    fn a_program_s_path_stands_as_it_is_taken() {
        let of = |path: &str| Daemon::new("x").unit_files("", Path::new(path), [""; 0]);
        for (path, word) in [
            ("/opt/a b", "\"/opt/a b\""),
            ("/opt/$HOME", "\"/opt/$HOME\""),
            ("/opt/100%", "\"/opt/100%%\""),
            ("/opt/$$x", "\"/opt/$$x\""),
        ] {
            let text = &of(path).expect("it can be started")[0].text;
            assert!(text.contains(&format!("\nExecStart={word}\n")), "{text}");
        }
        for path in ["/opt/it's", "/opt/\"x\"", "/opt/a\\b", "/opt/a\nb"] {
            let error = of(path).expect_err("it cannot").to_string();
            assert!(
                error.contains("a unit cannot start a program whose path has quotation marks"),
                "{error}"
            );
        }
    }
}
