//! Every directive of the tables, one by one: it changes what is written, or it is told as lost, or the unit is refused.

use super::found;
use crate::service;
use eudaemon_kit::service::{Reload, Run, Service, Severity};
use eudaemon_unit::directives::{Entry, Kind, entries, find};
use expect_test::expect;

#[test]
fn where_output_goes_is_told() {
    let of = |value: &str| {
        let service = exported("Service", &format!("StandardOutput={value}\n")).expect("it can be said");
        service.unsaid.iter().map(|one| format!("{} {}\n", one.directive, one.why)).collect::<String>()
    };
    assert_eq!(of("journal") + &of("null") + &of("append:/x"), "");
    expect![[r#"
        StandardOutput=tty it goes to the log: there is no terminal
        StandardOutput=journal+console it does not go to the console
        StandardOutput=truncate:/x lines are added to the file
    "#]]
    .assert_eq(&(of("tty") + &of("journal+console") + &of("truncate:/x")));
}

#[test]
fn the_group_of_root_is_a_group_like_others_for_who_is_not_root() {
    let of = |lines: &str| {
        let rights = exported("Service", lines).expect("it can be said").rights;
        (rights.user, rights.group)
    };
    let (daemon, root) = (Some("daemon".to_owned()), Some("root".to_owned()));
    assert_eq!(of("User=daemon\nGroup=root\n"), (daemon, root.clone()));
    assert_eq!(of("DynamicUser=yes\nGroup=root\n"), (Some("x".to_owned()), root));
    assert_eq!(of("User=root\nGroup=root\n"), (None, None));
    assert_eq!(of("Group=0\n"), (None, None));
}

#[test]
fn one_command_that_reloads_is_root_s_as_several_are() {
    let of = |lines: &str| {
        let more = format!("User=daemon\nPermissionsStartOnly=yes\n{lines}");
        match exported("Service", &more).expect("it can be said").reload {
            Reload::Commands(commands) => commands.iter().map(|command| command.run).collect(),
            Reload::Never | Reload::Signal(_) => Vec::new(),
        }
    };
    assert_eq!(of("ExecReload=/bin/a\n"), [Run::AsRoot]);
    assert_eq!(of("ExecReload=/bin/a\nExecReload=/bin/b\n"), [Run::AsRoot, Run::AsRoot]);
}

/// A value that no unit has by itself.
fn value(entry: &Entry, kind: Kind) -> String {
    let fixed = match entry.key {
        "Alias" => "other.service",
        "DefaultInstance" => "a",
        "ExitType" => "cgroup",
        "Gate" => "ready",
        "KillMode" => "process",
        "NotifyAccess" => "all",
        "OOMPolicy" => "kill",
        "OnUnhealthy" => "restart",
        "Restart" => "always",
        "RuntimeDirectoryPreserve" => "yes",
        "TimeoutStartFailureMode" | "TimeoutStopFailureMode" => "kill",
        "Type" => "notify",
        "OnFailureJobMode" | "OnSuccessJobMode" => "flush",
        "CollectMode" => "inactive-or-failed",
        "LimitNICE" => "5",
        "Sockets" => "other.socket",
        "StandardOutput" => "null",
        "SyslogLevel" => "err",
        "Slice" => "other.slice",
        "NoNewPrivileges" | "RemainAfterExit" => "yes",
        "DefaultDependencies" | "IgnoreSIGPIPE" | "GuessMainPID" => "no",
        "CPUWeight" => "200",
        _ => "",
    };
    if !fixed.is_empty() {
        return fixed.to_owned();
    }
    if let Some(example) = entry.example {
        return example.to_owned();
    }
    match kind {
        Kind::Boolean => "yes",
        Kind::BooleanYes => "no",
        Kind::Span(_) | Kind::Timeout(_) | Kind::Wait => "33s",
        Kind::Unsigned | Kind::Count | Kind::Integer(_) => "7",
        Kind::Mode => "0700",
        Kind::Size => "1M",
        Kind::Path | Kind::Paths => "/srv/x",
        Kind::OneOf(_, words) => words[1],
        Kind::Text | Kind::Words | Kind::Lines | Kind::Word(_) => "x",
        Kind::Units => "other.service",
        Kind::Commands => "/bin/other",
        Kind::Signal => "SIGUSR1",
        Kind::Limit => "4096",
        Kind::Action => "reboot",
        Kind::Condition => "x",
    }
    .to_owned()
}

/// Directives that need another beside them to mean something, in the same section.
fn beside(key: &str) -> &'static str {
    match key {
        "CacheDirectoryMode" => "CacheDirectory=x\n",
        "ConfigurationDirectoryMode" => "ConfigurationDirectory=x\n",
        "LogsDirectoryMode" => "LogsDirectory=x\n",
        "RuntimeDirectoryMode" | "RuntimeDirectoryPreserve" => "RuntimeDirectory=x\n",
        "StateDirectoryMode" => "StateDirectory=x\n",
        "PermissionsStartOnly" => "User=daemon\nExecStartPre=/bin/before\n",
        "CPUSchedulingPriority" => "CPUSchedulingPolicy=fifo\n",
        _ => "",
    }
}

fn exported(section: &str, lines: &str) -> Result<Service, String> {
    let text = match section {
        "Service" => format!("[Service]\nExecStart=/bin/x\n{lines}"),
        other => format!("[Service]\nExecStart=/bin/x\n[{other}]\n{lines}"),
    };
    let files = [("x.service", text.as_str()), ("other.service", "[Service]\nExecStart=/bin/other\n")];
    let found = found(&files, "x.service")?;
    service(&found.config, &found.sockets).map_err(|refusal| refusal.to_string())
}

/// What means nothing by itself: how probes are made where there is none, and for people where a generator found it.
const SILENT: &[&str] = &["Gate", "IntervalSec", "OnUnhealthy", "Retries", "SourcePath", "StartPeriodSec"];

#[test]
fn nothing_is_lost_without_a_word() {
    let sections = ["Unit", "Install", "Service", "X-Container", "X-Health"];
    let mut silent = Vec::new();
    for entry in entries() {
        for section in entry.sections.iter().filter(|section| sections.contains(section)) {
            let kind = find(section, entry.key).expect("it stands there").kind;
            let beside = beside(entry.key);
            let line = format!("{beside}{}={}\n", entry.key, value(&entry, kind));
            let without = exported(section, beside);
            let with = exported(section, &line);
            let is_silent =
                SILENT.contains(&entry.key) || (*section, entry.key) == ("X-Health", "TimeoutSec");
            if without == with && !is_silent {
                silent.push(format!("[{section}] {}", line.trim_end()));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn what_goes_with_a_protection_is_none_itself() {
    let lines = "SystemCallFilter=@system-service\nSystemCallErrorNumber=EPERM\nSystemCallLog=@clock\nPrivateUsers=yes\n\
        KeyringMode=shared\nRestrictFileSystems=ext4\n";
    let mut told: Vec<_> = exported("Service", lines)
        .expect("it can be said")
        .unsaid
        .iter()
        .map(|one| format!("{} {}", one.severity.word(), one.directive.split('=').next().expect("a key")))
        .collect();
    told.sort();
    let wanted = [
        "lost protection KeyringMode",
        "lost protection PrivateUsers",
        "lost protection RestrictFileSystems",
        "lost protection SystemCallFilter",
        "note SystemCallErrorNumber",
        "note SystemCallLog",
    ];
    assert_eq!(told, wanted);
}

#[test]
fn the_strictest_value_is_no_absence() {
    let lines =
        "RestrictNamespaces=yes\nRestrictAddressFamilies=none\nRestrictFileSystems=\nMemorySwapMax=0\n";
    let unsaid = exported("Service", lines).expect("it can be said").unsaid;
    let told: Vec<_> = unsaid.iter().map(|one| (one.directive.as_str(), one.severity)).collect();
    let wanted = [
        ("RestrictNamespaces=yes", Severity::Protection),
        ("RestrictAddressFamilies=none", Severity::Protection),
        ("MemorySwapMax=0", Severity::Behaviour),
    ];
    assert_eq!(told, wanted);
    let nothing = "MemoryMax=infinity\nMemoryLow=0\nPrivateTmp=no\nProtectProc=default\nRestrictNamespaces=no\nRestrictAddressFamilies=~\n";
    assert_eq!(exported("Service", nothing).expect("it can be said").unsaid, []);
}
