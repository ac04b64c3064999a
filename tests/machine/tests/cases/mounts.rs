//! Mount units: made, changed and undone by mount(8) and umount(8), followed where others do it, and gone at the end.

use crate::nine::candidate_for;
use anyhow::Result;
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "mounts", run: mounts },
    Case { name: "mounts-of-others", run: of_others },
    Case { name: "mounts-of-fstab", run: of_fstab },
    Case { name: "mounts-odd", run: odd },
    Case { name: "mounts-that-hang", run: that_hang },
    Case { name: "mounts-over-a-kill", run: over_a_kill },
    Case { name: "mounts-at-the-end", run: at_the_end },
    Case { name: "mounts-refused", run: refused },
];

const UNITS: &[(&str, &str)] = &[
    ("srv-a", "What=tmpfs\nWhere=/srv/a\nType=tmpfs\nOptions=size=1m,nofail,mode=750\nReadWriteOnly=yes\n"),
    ("srv-deep-er", "What=tmpfs\nWhere=/srv/deep/er\nType=tmpfs\nDirectoryMode=0710\n"),
    ("srv-lazy", "What=tmpfs\nWhere=/srv/lazy\nType=tmpfs\nLazyUnmount=yes\n"),
    ("srv-bad", "What=/nonexistent\nWhere=/srv/bad\nType=ext4\n"),
    ("srv-lie", "What=nothing\nWhere=/srv/lie\nType=lie\n"),
    ("srv-link-x", "What=tmpfs\nWhere=/srv/link/x\nType=tmpfs\n"),
    ("srv-file", "What=/etc/hostname\nWhere=/srv/file\nOptions=bind\n"),
    ("srv-dir", "What=/opt/made/for/it\nWhere=/srv/dir\nOptions=bind\nDirectoryMode=0700\n"),
    ("srv-slow", "What=tmpfs\nWhere=/srv/slow\nType=slow\nTimeoutSec=1\n"),
    ("srv-patient", "What=tmpfs\nWhere=/srv/patient\nType=slow\n"),
];

const SERVICES: &[(&str, &str)] = &[
    ("bound", "[Unit]\nBindsTo=srv-a.mount\nAfter=srv-a.mount\n[Service]\nExecStart=sleep infinity\n"),
    ("needs", "[Unit]\nRequiresMountsFor=/srv/a/below\n[Service]\nExecStart=sleep infinity\n"),
    ("fails", "[Unit]\nRequiresMountsFor=/srv/bad/below\n[Service]\nExecStart=sleep infinity\n"),
];

fn setup(candidate: &Candidate, confinement: Confinement) -> Result<Setup> {
    let mut setup = candidate.setup(confinement)?;
    for (name, text) in UNITS {
        let path = format!("/etc/systemd/system/{name}.mount");
        setup = setup.file(&path, &format!("[Mount]\n{text}"))?;
    }
    for (name, text) in SERVICES {
        setup = setup.file(&format!("/etc/systemd/system/{name}.service"), text)?;
    }
    Ok(setup)
}

/// A machine after its boot, with mount programs that lie and that take their time.
fn boot(candidate: &Candidate, setup: Setup) -> Result<Machine> {
    let machine = setup.boot(&candidate.init())?;
    let answers = || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", Duration::from_secs(60), answers)?;
    machine.shell(
        "printf '#!/bin/sh\\nexit 0\\n' > /sbin/mount.lie
         printf '#!/bin/sh\\nwhile [ ! -e /run/go ]; do sleep .05; done\\nmount -i -t tmpfs \"$1\" \"$2\"\\n' > /sbin/mount.slow
         chmod +x /sbin/mount.*; mkdir -p /srv/real; ln -s real /srv/link; mkdir -p /srv/f",
    )?;
    Ok(machine)
}

fn ask(machine: &Machine, words: &str) -> Result<String> {
    let ran = machine.run(&[&["systemctl"], words.split(' ').collect::<Vec<_>>().as_slice()].concat())?;
    Ok(format!("{} {}", ran.code, ran.out.trim()).trim().to_owned())
}

fn shell(machine: &Machine, script: &str) -> Result<String> {
    Ok(machine.shell(script)?.out.trim().to_owned())
}

/// State, result and what is mounted, in one line.
fn state(machine: &Machine, unit: &str) -> Result<String> {
    let show = format!("systemctl show {unit}.mount --value -p SubState -p Result | sort | tr '\\n' ' '");
    shell(machine, &show)
}

fn wait_for(machine: &Machine, unit: &str, sub: &str) -> Result<()> {
    let show = format!("systemctl show -P SubState {unit}");
    let holds = || shell(machine, &show).is_ok_and(|now| now == sub);
    machine.wait_until(&format!("{unit} is {sub}"), Duration::from_secs(20), holds).map(drop)
}

fn mounts(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let machine = boot(&candidate, setup(&candidate, Confinement::Privileged)?)?;
    let ask = |words: &str| ask(&machine, words);
    let shell = |script: &str| shell(&machine, script);
    let command = |key: &str| {
        shell(&format!("systemctl show -P {key} srv-a.mount | sed 's/.*argv\\[\\]=//; s/ ;.*//'"))
    };

    report.same("start", &ask("start srv-a.mount")?, "0");
    report.same("is mounted", &state(&machine, "srv-a")?, "mounted success");
    report.same("by", &command("ExecMount")?, "/bin/mount tmpfs /srv/a -w -t tmpfs -o size=1m,mode=750");
    report.same(
        "with its options",
        &shell("stat -c %a /srv/a; findmnt -no SIZE /srv/a | tr -d ' '")?,
        "750\n1M",
    );
    let shown =
        "systemctl show -P Options srv-a.mount | tr , '\\n' | grep -c -x -e rw -e mode=750 -e size=1024k";
    report.same("as the kernel says them", &shell(shown)?, "3");
    shell("sed -i s/size=1m/size=2m/ /etc/systemd/system/srv-a.mount; systemctl daemon-reload")?;
    report.same("reload", &ask("reload srv-a.mount")?, "0");
    let changed = "/bin/mount tmpfs /srv/a -o remount,size=2m,nofail,mode=750 -w -t tmpfs";
    report.same("remounts", &command("ExecRemount")?, changed);
    report.same("and the options are others", &shell("findmnt -no SIZE /srv/a | tr -d ' '")?, "2M");
    shell("sed -i s/size=2m/size=nonsense/ /etc/systemd/system/srv-a.mount; systemctl daemon-reload")?;
    report.same("a bad reload fails", &ask("reload srv-a.mount")?, "1");
    report.same("and it is up", &state(&machine, "srv-a")?, "mounted success");
    report.same("stop", &ask("stop srv-a.mount")?, "0");
    report.same("is down", &state(&machine, "srv-a")?, "dead success");
    report.same("nothing is mounted", &shell("findmnt /srv/a | wc -l")?, "0");

    report.same("a mount that fails", &ask("start srv-bad.mount")?, "1");
    report.same("has failed", &state(&machine, "srv-bad")?, "exit-code failed");
    report.same("what needs it", &ask("start fails.service")?, "1");
    report.same("does not start", &ask("is-active fails.service")?, "3 inactive");
    report.same("one that lies", &ask("start srv-lie.mount")?, "1");
    report.same("has failed", &state(&machine, "srv-lie")?, "failed protocol");
    report.same("behind a link", &ask("start srv-link-x.mount")?, "1");
    report.same("is refused", &state(&machine, "srv-link-x")?, "failed resources");

    report.same("DirectoryMode=", &ask("start srv-deep-er.mount")?, "0");
    ask("stop srv-deep-er.mount")?;
    report.same("is of all that is made", &shell("stat -c %a /srv/deep /srv/deep/er")?, "710\n710");
    report.same("a file", &ask("start srv-file.mount")?, "0");
    ask("stop srv-file.mount")?;
    report.same("is mounted on a file", &shell("stat -c '%a %F' /srv/file")?, "644 regular empty file");
    report.same("a directory", &ask("start srv-dir.mount")?, "0");
    report.same("is made", &shell("stat -c %a /opt/made /opt/made/for/it")?, "700\n700");

    let hold = "cd /srv/lazy && (sleep 100 & echo $! > /run/pid) < /dev/null > /dev/null 2>&1";
    report.same("a lazy one", &ask("start srv-lazy.mount")?, "0");
    shell(hold)?;
    report.same("in use", &ask("stop srv-lazy.mount")?, "0");
    report.same("is gone", &state(&machine, "srv-lazy")?, "dead success");
    shell("kill $(cat /run/pid)")?;
    report.same("another", &ask("start srv-deep-er.mount")?, "0");
    shell(&hold.replace("lazy", "deep/er"))?;
    report.same("in use", &ask("stop srv-deep-er.mount")?, "1");
    report.same("stays", &state(&machine, "srv-deep-er")?, "exit-code mounted");
    shell("kill $(cat /run/pid)")?;
    report.same("reset-failed", &ask("reset-failed srv-deep-er.mount")?, "0");
    report.same("forgets that", &state(&machine, "srv-deep-er")?, "mounted success");
    shell("mount -t tmpfs second /srv/deep/er; mount -t tmpfs third /srv/deep/er")?;
    let third = || shell("systemctl show -P What srv-deep-er.mount").is_ok_and(|what| what == "third");
    machine.wait_until("the last is shown", Duration::from_secs(20), third)?;
    report.same("what is stacked", &ask("stop srv-deep-er.mount")?, "0");
    report.same("is all unmounted", &shell("findmnt /srv/deep/er | wc -l")?, "0");
    report.same("one that is masked while it is mounted", &ask("start srv-deep-er.mount")?, "0");
    shell("rm /etc/systemd/system/srv-deep-er.mount; systemctl mask srv-deep-er.mount")?;
    report.same("is unmounted all the same", &ask("stop srv-deep-er.mount")?, "0");
    report.same("and gone", &shell("findmnt -n /srv/deep/er; systemctl unmask srv-deep-er.mount")?, "");
    Ok(())
}

fn of_others(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let machine = boot(&candidate, setup(&candidate, Confinement::Privileged)?)?;
    let ask = |words: &str| ask(&machine, words);
    let shell = |script: &str| shell(&machine, script);

    report.same("users start", &ask("start bound.service needs.service")?, "0");
    report.same("and bring it up", &state(&machine, "srv-a")?, "mounted success");
    shell("umount /srv/a")?;
    wait_for(&machine, "srv-a.mount", "dead")?;
    wait_for(&machine, "bound.service", "dead")?;
    report.same(
        "what is bound to it stopped",
        &ask("is-active bound.service needs.service")?,
        "0 inactive\nactive",
    );
    shell("mount -t tmpfs elsewhere /srv/a")?;
    wait_for(&machine, "srv-a.mount", "mounted")?;
    report.same("mounted by others", &shell("systemctl show -P What srv-a.mount")?, "elsewhere");
    report.same("has an id of its own", &shell("systemctl show -P InvocationID srv-a.mount | wc -c")?, "33");

    shell("mount -t tmpfs -o size=1m nobody /srv/f")?;
    wait_for(&machine, "srv-f.mount", "mounted")?;
    let shown = "systemctl show srv-f.mount --value -p LoadState -p SourcePath -p Slice -p Conflicts -p Requires | sort";
    report.same(
        "a unit of the kernel's word",
        &shell(shown)?,
        "/proc/self/mountinfo\nloaded\nsystem.slice\nsystem.slice\numount.target",
    );
    let order = |key: &str| {
        shell(&format!("systemctl show -P {key} srv-f.mount | tr ' ' '\\n' | sort | tr '\\n' ' '"))
    };
    report.same("Before", &order("Before")?, "local-fs.target umount.target");
    let after = "-.mount local-fs-pre.target swap.target system.slice systemd-journald.socket";
    report.same("After", &order("After")?, after);
    report.same("it cannot be remounted", &ask("reload srv-f.mount")?, "1");
    report.same("is up", &state(&machine, "srv-f")?, "mounted success");
    report.same("a reload of all", &ask("daemon-reload")?, "0");
    report.same("changes nothing", &state(&machine, "srv-f")?, "mounted success");
    report.same("stop", &ask("stop srv-f.mount")?, "0");
    report.same("unmounts it", &shell("findmnt /srv/f | wc -l")?, "0");
    report.same("and there is none", &ask("start srv-f.mount")?, "5");
    shell("mount -t tmpfs nobody /srv/f")?;
    wait_for(&machine, "srv-f.mount", "mounted")?;
    report.same("to make it again", &ask("restart srv-f.mount")?, "1");
    let failed = shell("systemctl show --value -p LoadState -p SubState srv-f.mount | sort")?;
    report.same("fails, and is shown", &failed, "failed\nloaded");
    ask("reset-failed srv-f.mount")?;
    let unknown = || shell("systemctl show -P LoadState srv-f.mount").is_ok_and(|load| load == "not-found");
    machine.wait_until("it is forgotten", Duration::from_secs(20), unknown)?;
    report.same("the root stays", &ask("stop -- -.mount")?, "3");
    report.same("and is mounted", &shell("systemctl show -P SubState -- -.mount")?, "mounted");
    Ok(())
}

const FSTAB: &str = "# lines of /etc/fstab\n\
    tmpfs /srv/one tmpfs size=1m,nofail 0 0\n\
    /srv/one /srv/bound none bind 0 0\n\
    tmpfs /srv/later tmpfs noauto 0 0\n\
    tmpfs /srv/need tmpfs x-systemd.requires=early.service 0 0\n\
    lies /srv/lie lie nofail 0 0\n\
    tmpfs /srv/a\\040b tmpfs mode=710 0 0\n";

const EARLY: &str = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
    ExecStart=sh -c '! findmnt /srv/need && touch /run/early'\n";

/// A table of file systems is mounted at the boot; whether one that cannot be is the machine's trouble, the table says.
fn of_fstab(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let with = |table: &str| -> Result<Machine> {
        let setup = setup(&candidate, Confinement::Privileged)?.file("/etc/fstab", table)?;
        boot(&candidate, setup.file("/etc/systemd/system/early.service", EARLY)?)
    };
    let machine = with(FSTAB)?;
    let listed = shell(
        &machine,
        "systemctl list-units --all --plain --no-legend --full -t mount 'srv-*' |
         awk '{print $1, $4}'; ls /run/early; stat -c %a '/srv/a b'; stat -f -c %T /srv/bound",
    )?;
    let expected = "srv-a\\x20b.mount mounted\nsrv-bound.mount mounted\nsrv-lie.mount failed\n\
                    srv-need.mount mounted\nsrv-one.mount mounted\n/run/early\n710\ntmpfs";
    report.same("what is mounted", &listed, &expected.replace("\\\\", "\\"));
    report.same("is all the machine waits for", &ask(&machine, "is-active local-fs.target")?, "0 active");
    report.same("by hand", &ask(&machine, "start srv-later.mount")?, "0");
    shell(&machine, "sed -i /bound/d /etc/fstab; systemctl daemon-reload")?;
    let left = shell(&machine, "systemctl show -P SubState -P FragmentPath srv-bound.mount")?;
    report.same("a line that went", &left, "mounted");
    drop(machine);

    let machine = with(&FSTAB.replace("lie nofail", "lie defaults"))?;
    report.same("a line that is needed", &ask(&machine, "is-active local-fs.target")?, "3 inactive");
    report.same("fails, and the boot with it", &ask(&machine, "is-active emergency.target")?, "0 active");
    report.same("though others came up", &ask(&machine, "is-active srv-one.mount")?, "0 active");
    Ok(())
}

/// Names that are no text or too long are names like others, and take nothing from their neighbours.
fn odd(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let machine = boot(&candidate, setup(&candidate, Confinement::Privileged)?)?;
    report.same("users start", &ask(&machine, "start bound.service")?, "0");
    shell(&machine, "d=$(printf '/srv/x\\377'); mkdir \"$d\"; mount -t tmpfs evil \"$d\"")?;
    wait_for(&machine, r"'srv-x\xff.mount'", "mounted")?;
    let long = format!("/srv/{}", "a".repeat(250));
    shell(&machine, &format!("mkdir {long}; mount -t tmpfs long {long}"))?;
    wait_for(&machine, long.as_str(), "mounted")?;
    let listed = "systemctl list-units --all --plain --no-legend --full -t mount | grep -o '^srv-aaa[^ ]*'";
    let named = format!("srv-{}_b6c75b3cb840a6cc.mount", "a".repeat(228));
    report.same("a long name", &shell(&machine, listed)?, &named);
    report.same("is not the one above", &shell(&machine, "systemctl is-active srv.mount")?, "inactive");
    report.same(
        "the others stay",
        &ask(&machine, "is-active srv-a.mount bound.service")?,
        "0 active\nactive",
    );
    shell(&machine, &format!("umount {long}; umount \"$(printf '/srv/x\\377')\""))?;
    let gone = || {
        shell(&machine, "systemctl show -P ActiveState 'srv-x\\xff.mount'").is_ok_and(|now| now == "inactive")
    };
    machine.wait_until("it is followed", Duration::from_secs(20), gone)?;
    report.same("and stay", &ask(&machine, "is-active srv-a.mount bound.service")?, "0 active\nactive");
    Ok(())
}

fn that_hang(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let machine = boot(&candidate, setup(&candidate, Confinement::Privileged)?)?;
    report.same("too slow", &ask(&machine, "start srv-slow.mount")?, "1");
    report.same("times out", &state(&machine, "srv-slow")?, "failed timeout");
    ask(&machine, "start --no-block srv-patient.mount")?;
    wait_for(&machine, "srv-patient.mount", "mounting")?;
    report.same("stopped", &ask(&machine, "stop srv-patient.mount")?, "0");
    report.same("before it is mounted", &state(&machine, "srv-patient")?, "failed signal");
    ask(&machine, "start --no-block srv-patient.mount")?;
    wait_for(&machine, "srv-patient.mount", "mounting")?;
    shell(&machine, "touch /run/go")?;
    wait_for(&machine, "srv-patient.mount", "mounted")?;
    report.same("in the end", &state(&machine, "srv-patient")?, "mounted success");
    Ok(())
}

/// mount(8) goes on without a manager; so does what others do.
fn over_a_kill(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    if !candidate.is_ours() {
        report.skip("mounts", "systemd's manager is PID 1");
        return Ok(());
    }
    let machine = boot(&candidate, setup(&candidate, Confinement::Privileged)?)?;
    ask(&machine, "start --no-block srv-patient.mount")?;
    wait_for(&machine, "srv-patient.mount", "mounting")?;
    let helper = shell(&machine, "systemctl show -P ControlPID srv-patient.mount")?;
    let kill = "kill -9 $(pgrep -P 1 -f 'eudaemon manager'); touch /run/go; mount -t tmpfs meanwhile /srv/f";
    shell(&machine, kill)?;
    wait_for(&machine, "srv-patient.mount", "mounted")?;
    wait_for(&machine, "srv-f.mount", "mounted")?;
    let ran = shell(&machine, "systemctl show -P ExecMount srv-patient.mount | grep -o 'pid=[0-9]*'")?;
    report.same("it was started once", &ran, &format!("pid={helper}"));
    report.same("and stacked upon nothing", &shell(&machine, "findmnt -n /srv/patient | wc -l")?, "1");
    report.same("stop", &ask(&machine, "stop srv-patient.mount srv-f.mount")?, "0");
    report.same("unmounts both", &shell(&machine, "findmnt -n /srv/patient /srv/f | wc -l")?, "0");
    Ok(())
}

fn at_the_end(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    if !candidate.is_ours() {
        report.skip("mounts", "with a terminal as its console systemd's boot does not end here");
        return Ok(());
    }
    let user = "[Unit]\nRequiresMountsFor=/srv/deep/er\n[Service]\nExecStart=sleep infinity\n\
                ExecStop=sh -c 'touch /srv/deep/er/last && findmnt /srv/deep/er && echo written-there > /dev/console'\n";
    let setup = setup(&candidate, Confinement::Privileged)?.file("/etc/systemd/system/user.service", user)?;
    let mut machine = boot(&candidate, setup.console(eudaemon_machine_tests::machine::Console::Terminal))?;
    report.same("start", &ask(&machine, "start user.service srv-lazy.mount")?, "0");
    shell(&machine, "mount -t tmpfs stuck /srv/f")?;
    wait_for(&machine, "srv-f.mount", "mounted")?;
    shell(&machine, "cd /srv/f; setsid sleep 100 > /dev/null 2>&1 &")?;
    machine.run(&["systemctl", "poweroff"])?;
    machine.wait_end(Duration::from_secs(60))?;
    let console = machine.console();
    report.holds("its user was done with it", console.contains("written-there"), &console);
    let at = |text: &str| console.rfind(text);
    let (user, mount) = (at("Stopped user.service"), at("Unmounted srv-deep-er.mount"));
    report.holds("and then it was unmounted", user.is_some() && user < mount, &console);
    report.holds("what is in use is told of", at("Failed unmounting srv-f.mount").is_some(), &console);
    Ok(())
}

/// Where mounting is refused it is told, and everything else goes on: `docker run` with no capability for it.
fn refused(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Unprivileged)? else { return Ok(()) };
    if !candidate.is_ours() {
        report.skip("mounts", "systemd does not boot there");
        return Ok(());
    }
    let mut machine = boot(&candidate, setup(&candidate, Confinement::Unprivileged)?)?;
    report.same("the boot is whole", &ask(&machine, "is-system-running")?, "0 running");
    report.same(
        "no mount of it failed",
        &shell(&machine, "systemctl list-units --failed --no-legend -t mount | wc -l")?,
        "0",
    );
    report.same(
        "huge pages are skipped",
        &ask(&machine, "show -P ConditionResult dev-hugepages.mount")?,
        "0 no",
    );
    report.same("start", &ask(&machine, "start srv-a.mount")?, "1");
    report.same("is refused", &state(&machine, "srv-a")?, "exit-code failed");
    let why = shell(&machine, "eudaemon why srv-a.mount")?;
    report.holds("and why is known", why.contains("/bin/mount ended with status"), &why);
    machine.run(&["systemctl", "poweroff"])?;
    report.same("the end is none the worse", &machine.wait_end(Duration::from_secs(60))?.to_string(), "0");
    Ok(())
}
