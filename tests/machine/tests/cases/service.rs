//! Services that `kit` and `eudaemon export` write for other managers, run by those managers: what starts, reloads, stops,
//! fails and is asked for, and which words and variables arrive.

use crate::life;
use crate::nine::candidate_for;
use anyhow::{Result, bail};
use eudaemon_machine_tests::candidate::Candidate;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::{Confinement, Machine, Setup};
use eudaemon_machine_tests::rootfs::Layer;
use std::path::Path;
use std::time::Duration;

pub const CASES: &[Case] = &[
    Case { name: "service-kit", run: by_kit },
    Case { name: "service-kit-units", run: by_kit_where_units_are },
    Case { name: "service-export-sysv", run: exported_sysv },
    Case { name: "service-export-openrc", run: exported_openrc },
    Case { name: "service-export-runit", run: exported_runit },
    Case { name: "service-export-supervisord", run: exported_supervisord },
];

const SOON: Duration = Duration::from_secs(60);
const PROGRAM: &str = "/usr/local/bin/lifelike";

/// What a manager needs to run before it is told anything.
const RUNIT: &str = "runsvdir /etc/service >/dev/null 2>&1 &";
const SUPERVISORD: &str = "supervisord -c /etc/supervisor/supervisord.conf >/dev/null 2>&1";
const OPENRC: &str = "cd /run; mkdir -p openrc; cd openrc; mkdir -p starting started stopping inactive wasinactive failed hotplugged exclusive daemons options scheduled init.d tmp; touch softlevel";

fn machine(setup: Setup, manager: &str) -> Result<Machine> {
    let start = format!("{manager}\nwhile :; do sleep 1000; done");
    let setup = setup.program(Path::new(env!("CARGO_BIN_EXE_lifelike")), PROGRAM)?;
    let machine = setup.layer(Layer::Starters).boot(&["/bin/sh", "-c", &start])?;
    if manager == SUPERVISORD {
        let listens = || machine.shell("supervisorctl pid").is_ok_and(|ran| ran.code == 0);
        machine.wait_until("supervisord listens", SOON, listens)?;
    }
    Ok(machine)
}

/// What a script prints, on both streams.
fn told(machine: &Machine, script: &str) -> Result<String> {
    const BEFORE: &str = "
        await() { for _ in $(seq 200); do if eval \"$*\" >/dev/null 2>&1; then return; fi; sleep 0.05; done; echo \"never: $*\"; }
        marks() { sed -E 's/started [0-9]+ by .*/started/' $1; }
        L() { lifelike service \"$@\" ${M:+--to $M}; }
        user() { ps -o user= -p $(pgrep -x lifelike | head -n1); }
        quiet() { \"$@\" >/dev/null 2>&1; }
    ";
    let ran = machine.run(&["bash", "-c", &format!("{BEFORE}\n{script}")])?;
    Ok((ran.out + &ran.err).trim().to_owned())
}

/// What happens to a daemon's own service: the same whoever the manager is.
const ACTS: &[(&str, &str, &str)] = &[
    ("nothing is there", "quiet L status; echo $?", "4"),
    ("install", "quiet L install; echo $?; quiet L install; echo again $?", "0\nagain 0"),
    ("start", "quiet L start; echo $?; await grep -q ready /var/lib/lifelike/m; marks /var/lib/lifelike/m; user", "0\nstarted\nready\ndaemon"),
    ("a second start changes nothing", "quiet L start; echo $?; pgrep -cx lifelike", "0\n1"),
    ("status", "quiet L status; echo $?", "0"),
    ("no new rights", "grep NoNewPrivs /proc/$(pgrep -x lifelike)/status | cut -f2", "1"),
    ("stop", "quiet L stop; echo $?; await '! pgrep -x lifelike'; tail -n1 /var/lib/lifelike/m", "0\nstopped"),
    ("it is down", "quiet L status; echo $?", "3"),
    ("up again, and away", "quiet L start; await pgrep -x lifelike; quiet L uninstall; echo $?; pgrep -x lifelike", "0"),
    (
        "nothing is left",
        "find /etc -name '*lifelike*' ! -path '/etc/lifelike'",
        "",
    ),
    (
        "an uninstall of nothing says so",
        "L uninstall | sed 's/ for .*:/:/'; echo ${PIPESTATUS[0]}",
        "nothing of lifelike is installed: nothing to do\n0",
    ),
    (
        "somebody else's file is left as it is, and not run",
        "F=$(L install --print | sed -n 's/^write \\(.*\\) (.*/\\1/p' | head -n1); mkdir -p $(dirname $F)
         printf '#!/bin/sh\ntouch /run/ran\n' >$F; chmod +x $F; cp $F /run/theirs
         for act in install start stop uninstall; do L $act 2>&1 | grep -c \"$F is there, and not ours: it is left as it is\"; done
         quiet L status; echo $?; cmp $F /run/theirs; rm $F /run/theirs; ls /run/ran 2>&1 | grep -c 'No such'",
        "1\n1\n1\n1\n4\n1",
    ),
];

fn by_kit(report: &mut Report) -> Result<()> {
    for (word, manager) in [("sysv", ":"), ("openrc", OPENRC), ("runit", RUNIT), ("supervisord", SUPERVISORD)]
    {
        let machine = machine(Setup::new(Confinement::Privileged)?, manager)?;
        let chosen = format!("M={word}");
        acts(report, word, &chosen, &machine)?;
        for (what, script, wanted) in BY_SCRIPT.iter().filter(|_| word == "sysv") {
            report.same(&format!("{word}: {what}"), &told(&machine, &format!("{chosen}\n{script}"))?, wanted);
        }
        for (_, script, wanted) in THEIRS.iter().filter(|(theirs, ..)| *theirs == word) {
            let seen = told(&machine, &format!("{chosen}\n{script}"))?;
            report.same(&format!("{word}: somebody else's service"), &seen, wanted);
        }
        let seen = told(&machine, &format!("{chosen}\n{OWN_USER}"))?;
        report.same(
            &format!("{word}: a user of its own"),
            &seen,
            "0\n0\nlifelike\n0000000000000000\n0\nkept",
        );
    }
    Ok(())
}

/// A daemon that names no user has one of its name, without rights; who made files keeps his number when the service goes.
const OWN_USER: &str = "export LIFELIKE_OWN_USER=1; rm -rf /var/lib/lifelike /var/log/lifelike*
    quiet L install; echo $?; quiet L start; echo $?; await grep -q ready /var/lib/lifelike/m; user
    grep CapBnd /proc/$(pgrep -x lifelike)/status | cut -f2; quiet L uninstall; echo $?; await '! pgrep -x lifelike'
    quiet getent passwd lifelike && echo kept";

fn acts(report: &mut Report, name: &str, chosen: &str, machine: &Machine) -> Result<()> {
    for (what, script, wanted) in ACTS {
        report.same(&format!("{name}: {what}"), &told(machine, &format!("{chosen}\n{script}"))?, wanted);
    }
    Ok(())
}

/// The managers that are found by what they leave where they run.
fn by_kit_where_units_are(report: &mut Report) -> Result<()> {
    let lifelike = |setup: Setup| setup.program(Path::new(env!("CARGO_BIN_EXE_lifelike")), PROGRAM);
    let machine =
        life::boot(lifelike(Setup::new(Confinement::Privileged)?)?, &["/lib/systemd/systemd".to_owned()])?;
    acts(report, "systemd", "M=", &machine)?;
    units(report, "systemd", &machine)?;
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let init: Vec<String> = candidate.init().into_iter().map(str::to_owned).collect();
    let machine = life::boot(lifelike(candidate.setup(Confinement::Privileged)?)?, &init)?;
    acts(report, "eudaemon", "M=", &machine)?;
    units(report, "eudaemon", &machine)
}

/// Socket units of an older version, and of somebody else; what fails and what was done before.
const UNITS: &[(&str, &str, &str)] = &[
    (
        "a socket unit of an older version goes, somebody else's stays",
        "cd /etc/systemd/system; for one in old theirs; do printf '[Socket]\nListenStream=/run/%s\n' $one >lifelike-$one.socket; done
         printf '[Service]\nExecStart=/bin/cat\n' | tee lifelike-old.service >lifelike-theirs.service
         sed -i '1i # Written by eudaemon-kit for lifelike: Lives' lifelike-old.socket
         systemctl daemon-reload; systemctl start lifelike-old.socket lifelike-theirs.socket; quiet L install; echo $?
         systemctl is-active lifelike-old.socket lifelike-theirs.socket; quiet L uninstall; echo $?; ls /etc/systemd/system/lifelike*.socket
         systemctl is-active lifelike-theirs.socket; systemctl stop lifelike-theirs.socket; rm lifelike-*",
        "0\ninactive\nactive\n0\n/etc/systemd/system/lifelike-theirs.socket\nactive",
    ),
    (
        "a stop that fails keeps the files that can stop it",
        "D=/etc/systemd/system/lifelike.service.d; quiet L install; quiet L start; await pgrep -x lifelike
         mkdir -p $D; printf '[Unit]\nRefuseManualStop=yes\n' >$D/x.conf; systemctl daemon-reload
         L uninstall 2>&1 | grep -c 'cannot run .* stop lifelike.service'; pgrep -cx lifelike; ls /etc/systemd/system/lifelike.service
         rm -r $D; systemctl daemon-reload; quiet L uninstall; echo $?; pgrep -x lifelike; ls -d /etc/systemd/system/*lifelike* 2>&1 | grep -c 'No such'",
        "1\n1\n/etc/systemd/system/lifelike.service\n0\n1",
    ),
    (
        "a start that fails says what is up all the same",
        "export LIFELIKE_FAILS=1; quiet L install; L start 2>&1 >/dev/null | sed -n 's/.*; done before/done before/p'
         systemctl is-active lifelike.socket; quiet L uninstall; echo $?; systemctl is-active lifelike.socket",
        "done before, and left so: run systemctl start lifelike.socket\nactive\n0\ninactive",
    ),
    (
        "a program's path with signs that units read is started, or refused",
        "P='/opt/a $b%c/lifelike'; Q=\"/opt/it's/lifelike\"; mkdir -p \"${P%/*}\" \"${Q%/*}\"; cp /usr/local/bin/lifelike \"$P\"; cp \"$P\" \"$Q\"
         quiet \"$P\" service install; echo $?; quiet \"$P\" service start; echo $?; readlink /proc/$(pgrep -x lifelike)/exe; quiet \"$P\" service uninstall; echo $?
         \"$Q\" service install 2>&1 | grep -c 'whose path has quotation marks'; ls /etc/systemd/system/*lifelike* 2>&1 | grep -c 'No such'; rm -r \"$P\" \"$Q\"",
        "0\n0\n/opt/a $b%c/lifelike\n0\n1\n1",
    ),
    (
        "without a manager's tools nothing is written, and what is there can go",
        "F=/etc/init.d/lifelike; lifelike service install --to openrc 2>&1 | grep -c 'rc-update is not here'; ls $F 2>&1 | grep -c 'No such'
         printf '#!/sbin/openrc-run\n# Written by eudaemon-kit for lifelike: Lives\n' >$F; chmod +x $F
         lifelike service uninstall --to openrc 2>&1 | grep -c 'no manager was told'; ls $F 2>&1 | grep -c 'No such'",
        "1\n1\n1\n1",
    ),
];

/// Somebody else's service of that name, which runs: no act is done to it.
const THEIRS_BY_UNITS: &str = "F=$(realpath /lib/systemd/system)/lifelike.service
    printf '[Service]\nExecStart=/bin/sleep 1000\n' >$F; systemctl daemon-reload; systemctl start lifelike
    for act in install start stop; do L $act 2>&1 | grep -c 'lifelike.service is there, which is not ours'; done; quiet L status; echo $?
    L uninstall | sed 's/ for .*:/:/'; systemctl is-active lifelike; ls /etc/systemd/system/*lifelike* 2>&1 | grep -c 'No such'
    systemctl stop lifelike; rm $F; systemctl daemon-reload; quiet L install; echo $?; mkdir -p /run/systemd/transient
    printf '[Service]\nExecStart=/bin/sleep 1000\n' >/run/systemd/transient/lifelike.service; systemctl daemon-reload
    systemctl start lifelike; L stop 2>&1 | grep -c 'the manager has it from /run/systemd/transient/lifelike.service'
    systemctl is-active lifelike; systemctl stop lifelike; rm /run/systemd/transient/lifelike.service; systemctl daemon-reload
    quiet L start; echo $?; quiet L uninstall; echo $?";

/// The same of a link of runit's and of a section of supervisord's.
const THEIRS: &[(&str, &str, &str)] = &[
    (
        "runit",
        "mkdir -p /etc/sv/theirs; printf '#!/bin/sh\nexec sleep 1000\n' >/etc/sv/theirs/run; chmod +x /etc/sv/theirs/run
         ln -s /etc/sv/theirs /etc/service/lifelike; await sv status lifelike
         for act in install start stop; do L $act 2>&1 | grep -c '/lifelike is there, which is not ours'; done
         quiet L status; echo $?; sv status lifelike | cut -d: -f1; rm /etc/service/lifelike; quiet sv exit /etc/sv/theirs",
        "1\n1\n1\n4\nrun",
    ),
    (
        "supervisord",
        "F=/etc/supervisor/conf.d/theirs.conf; printf '[program:lifelike]\ncommand=/bin/sleep 1000\n' >$F
         quiet supervisorctl update; await 'supervisorctl status lifelike | grep RUNNING'
         for act in install start stop; do L $act 2>&1 | grep -c \"$F has .program:lifelike., which is not ours\"; done
         quiet L status; echo $?; supervisorctl status lifelike | awk '{print $2}'; rm $F; quiet supervisorctl update",
        "1\n1\n1\n4\nRUNNING",
    ),
];

fn units(report: &mut Report, name: &str, machine: &Machine) -> Result<()> {
    for (what, script, wanted) in UNITS {
        report.same(&format!("{name}: {what}"), &told(machine, script)?, wanted);
    }
    let wanted = "1\n1\n1\n4\nnothing of lifelike is installed: nothing to do\nactive\n1\n0\n1\nactive\n0\n0";
    report.same(&format!("{name}: somebody else's unit"), &told(machine, THEIRS_BY_UNITS)?, wanted);
    Ok(())
}

/// What a script is there for: to be run, by whoever stops it.
const BY_SCRIPT: &[(&str, &str, &str)] = &[
    (
        "a stop that fails keeps the script that can stop it",
        "quiet L install; sed -i '3i exit 9' /etc/init.d/lifelike; L uninstall 2>&1 | grep -c 'lifelike stop.*exit status: 9'
         ls /etc/init.d/lifelike; sed -i '3d' /etc/init.d/lifelike; quiet L uninstall; echo $?",
        "1\n/etc/init.d/lifelike\n0",
    ),
    (
        "the log has its name once",
        "export LIFELIKE_FAILS=1; rm -rf /var/lib/lifelike; printf '#!/bin/sh\necho \"$@\" >/run/how; exec cat >/run/logged\n' >/usr/local/bin/logger; chmod +x /usr/local/bin/logger
         quiet L install; quiet L start; await grep -q fail /run/logged; cat /run/how /run/logged; quiet L uninstall; echo $?; rm /usr/local/bin/logger",
        "-t lifelike\ntold to fail\n0",
    ),
];

/// What the words and variables of a unit are to arrive as; written down by a program of a user.
const WORDS: &str = r#"#!/bin/sh
{
    printf '[%s]' "$@"
    printf '\n[%s]' "$PLAIN" "$QUOTED" "$FILED" "$OTHER" "$GONE" "$HOME" "$STATE_DIRECTORY" "$(umask)" "$(pwd)"
    printf '\n'
    id -un
    id -Gn | tr ' ' '\n' | sort | xargs
    grep -E '^(CapBnd|CapAmb|NoNewPrivs)' /proc/self/status | tr -s '\t' ' '
    ulimit -n
} >/var/lib/words/new
mv /var/lib/words/new /var/lib/words/told
exec sleep 1000
"#;

const WORDS_UNIT: &str = r#"[Unit]
Description=Words: "odd" 'ones' $HOME \ %%
After=network.target
[Service]
ExecStart=/usr/local/bin/words "a  b" "it's" "\"q\"" $$HOME 100%% "" "tab\there" "new\nline" ü;#& ${PLAIN}x "${FILED}" $LIST *
User=daemon
SupplementaryGroups=adm
Environment=PLAIN=plain "QUOTED=it's \"q\" $x `y` \\ ;" GONE=1
EnvironmentFile=/etc/words
EnvironmentFile=-/etc/none
UnsetEnvironment=GONE
StateDirectory=words
UMask=0027
LimitNOFILE=512:1024
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_CHOWN
AmbientCapabilities=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
Restart=always
[Install]
WantedBy=multi-user.target
"#;

const WORDS_FILE: &str = "# one\nFILED=from $(file) `x`\n OTHER=\"two words\"\nLIST=one two\nnot a line\n";

const WORDS_TOLD: &str = r#"[a  b][it's]["q"][$HOME][100%][][tab	here][new
line][ü;#&][plainx][from $(file) `x`][one][two][*]
[plain]
[it's "q" $x `y` \ ;]
[from $(file) `x`]
[two words]
[]
[/usr/sbin]
[/var/lib/words]
[0027]
[/]
daemon
adm daemon
CapBnd: 0000000000000401
CapAmb: 0000000000000400
NoNewPrivs: 1
512"#;

/// What it asks for nobody may have, and its stop command leaves nobody to be stopped.
const ASKED: &str = "[Service]\nType=forking\nPIDFile=/run/asked.pid\nLimitNOFILE=infinity\n\
    ExecStart=/usr/local/bin/lifelike --daemon --pid-file=/run/asked.pid --mark=/var/tmp/asked\n\
    ExecStop=/bin/sh -c 'kill $MAINPID; while kill -0 $MAINPID; do sleep .1; done'\n";
/// Its daemon is ready a while before its start command is over.
const EARLY: &str = "[Service]\nType=forking\nPIDFile=/run/early.pid\n\
    ExecStart=/bin/sh -c '/usr/local/bin/lifelike --daemon --pid-file=/run/early.pid --mark=/var/tmp/early && sleep 1'\n";
const FORKING: &str = "[Service]\nType=forking\nPIDFile=/run/forking.pid\n\
    ExecStartPre=/bin/sh -c 'echo before >>/var/tmp/forking'\n\
    ExecStart=/usr/local/bin/lifelike --daemon --pid-file=/run/forking.pid --mark=/var/tmp/forking\n\
    ExecStopPost=/bin/sh -c 'echo after >>/var/tmp/forking'\nExecReload=/bin/kill -HUP $MAINPID\nTimeoutStopSec=20\n";

const STUBBORN: &str = "[Service]\nExecStart=/bin/sh -c 'trap : TERM; echo up >/var/tmp/stubborn; while :; do sleep 0.1; done'\nTimeoutStopSec=1\n";

const ONCE: &str = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'echo up >>/var/tmp/once'\n\
    ExecStart=-/bin/false\nExecStart=/bin/sh -c 'echo twice >>/var/tmp/once'\nExecStop=/bin/sh -c 'echo down >>/var/tmp/once'\n";

const WRONG: &str = "[Service]\nExecStartPre=/bin/false\nExecStart=/bin/sleep 1000\n";

/// The outer directory is the user's, and so is what it has for the inner one.
const NESTED: &str = "[Service]\nExecStart=/bin/sleep 1000\nUser=daemon\nStateDirectory=nest nest/inner\nStateDirectoryMode=0750\n";

/// Cells of exported units: `S VERB UNIT` is the manager's own client.
const CELLS: &[(&str, &str, &str)] = &[
    (
        "words and variables arrive",
        "S start words; echo $?; await test -e /var/lib/words/told; cat /var/lib/words/told; S stop words; echo $?; await '! pgrep -f [/]usr/local/bin/words'",
        "",
    ),
    (
        "a stop command that ends it, and a limit that nobody may have",
        "S start asked; echo $?; await grep -q ready /var/tmp/asked; S stop asked; echo $?; pgrep -cx lifelike; S status asked; echo $?",
        "0\n0\n0\n3",
    ),
    (
        "a stop that comes before its process is known",
        "S start early; await grep -q ready /var/tmp/early; S stop early; await '! pgrep -x lifelike'; marks /var/tmp/early",
        "started\nready\nstopped",
    ),
    (
        "forking: start, status, reload, stop",
        "S start forking; echo $?; await grep -q ready /var/tmp/forking; S status forking; echo $?
         S reload forking; await grep -q reloaded /var/tmp/forking; S stop forking; echo $?; await '! pgrep -x lifelike'
         marks /var/tmp/forking | grep -v ^after; test -e /run/forking.pid && echo left; S status forking; echo $?",
        "0\n0\n0\nbefore\nstarted\nready\nreloaded\nstopped\n3",
    ),
    (
        "directories: within the user's own no link leads root",
        "mkdir -p /srv/kept; chmod 700 /srv/kept; S start nested
         await test -d /var/lib/nest/inner; stat -c '%U %a' /var/lib/nest /var/lib/nest/inner; S stop nested
         rmdir /var/lib/nest/inner; ln -s /srv/kept /var/lib/nest/inner; S start nested; S stop nested; stat -c '%U %a' /srv/kept",
        "daemon 750\ndaemon 750\nroot 700",
    ),
    (
        "stubborn: it is killed in time",
        "S start stubborn; await test -e /var/tmp/stubborn; S stop stubborn; await '! pgrep -f [w]hile.:..do.sleep.0.1'; S status stubborn; echo $?",
        "3",
    ),
    (
        "once: it is up when its commands have ended",
        "S start once; echo $?; await grep -q twice /var/tmp/once; S status once; echo $?; S stop once; echo $?; await grep -q down /var/tmp/once; S status once; echo $?; cat /var/tmp/once",
        "0\n0\n0\n3\nup\ntwice\ndown",
    ),
];

/// The units exported into the machine, and the cells by the manager's client.
fn exported(report: &mut Report, target: &str, manager: &str, client: &str) -> Result<Option<Machine>> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(None) };
    let Candidate::Ours(binary) = &candidate else {
        report.skip("exported units", "the candidate is not ours");
        return Ok(None);
    };
    let mut setup = Setup::new(Confinement::Privileged)?.program(binary, "/usr/local/bin/eudaemon")?;
    for (name, text) in [
        ("words", WORDS_UNIT),
        ("forking", FORKING),
        ("asked", ASKED),
        ("early", EARLY),
        ("stubborn", STUBBORN),
        ("once", ONCE),
        ("wrong", WRONG),
        ("nested", NESTED),
    ] {
        setup = setup.file(&format!("/etc/systemd/system/{name}.service"), text)?;
    }
    let setup = setup.file("/usr/local/bin/words", WORDS)?.file("/etc/words", WORDS_FILE)?;
    let machine = machine(setup, manager)?;
    let export = format!(
        "chmod 755 /usr/local/bin/words; for u in words forking asked early stubborn once wrong nested; do eudaemon export $u --to {target} --output / 2>&1 >/dev/null | grep ^export; done"
    );
    let complaints = told(&machine, &export)?;
    if !complaints.is_empty() {
        bail!("cannot export for {target}: {complaints}");
    }
    for (what, script, wanted) in CELLS {
        let wanted = if wanted.is_empty() { format!("0\n{WORDS_TOLD}\n0") } else { (*wanted).to_owned() };
        report.same(&format!("{target}: {what}"), &told(&machine, &format!("{client}\n{script}"))?, &wanted);
    }
    Ok(Some(machine))
}

/// Cells of SysV scripts alone: the Linux Standard Base's exit codes.
const SYSV: &[(&str, &str, &str)] = &[
    ("what fails before is no start", "/etc/init.d/wrong start 2>&1; echo $?; /etc/init.d/wrong status; echo $?", "1\nwrong is not running\n3"),
    ("an unknown verb", "/etc/init.d/words frob 2>/dev/null; echo $?", "2"),
    ("a reload of what is down, and of what has none", "S reload forking; echo $?; S start stubborn; S reload stubborn; echo $?; S stop stubborn", "7\n3"),
    ("try-restart of what is down", "S try-restart forking; echo $?; pgrep -cx lifelike", "0\n0"),
    (
        "one that was killed is dead, and started again",
        "S start forking; pkill -9 -x lifelike; await '! pgrep -x lifelike'; S status forking; echo $?; S start forking; echo $?; pgrep -cx lifelike; S stop forking",
        "1\n0\n1",
    ),
    (
        "a process that got the number later is left alone",
        "S start forking; D=$(cat /run/forking.pid); cp /run/forking.since /tmp/since; S stop forking
         sleep 1000 & echo $! >/run/forking.pid; echo \"$! 1\" >/run/forking.since; S status forking; echo $?; S stop forking; kill -0 $! && echo lives; kill $!",
        "1\nlives",
    ),
    (
        "a file that is not root's names none of root's processes",
        "sleep 1000 & echo $! >/run/forking.pid; chown daemon /run/forking.pid; S stop forking; kill -0 $! && echo lives; kill $!",
        "lives",
    ),
    (
        "nor does a link to one of root's",
        "sleep 1000 & echo $! >/run/other.pid; ln -s /run/other.pid /run/forking.pid; chown -h daemon /run/forking.pid
         S stop forking; kill -0 $! && echo lives; kill $!; rm -f /run/other.pid",
        "lives",
    ),
    ("it is ordered", "update-rc.d forking defaults 2>&1; ls /etc/rc0.d | grep -c forking; update-rc.d -f forking remove", "1"),
];

fn exported_sysv(report: &mut Report) -> Result<()> {
    let client = "S() { quiet /etc/init.d/$2 $1; }";
    let Some(machine) = exported(report, "sysv", ":", client)? else { return Ok(()) };
    for (what, script, wanted) in SYSV {
        report.same(&format!("sysv: {what}"), &told(&machine, &format!("{client}\n{script}"))?, wanted);
    }
    Ok(())
}

fn exported_openrc(report: &mut Report) -> Result<()> {
    let Some(machine) = exported(report, "openrc", OPENRC, "S() { quiet rc-service $2 $1; }")? else {
        return Ok(());
    };
    let script = "quiet rc-service wrong start; echo $?; quiet rc-service words start; await test -e /var/lib/words/told; rm /var/lib/words/told
         pkill -9 -u daemon -x sleep; await test -e /var/lib/words/told; echo again; quiet rc-service words stop";
    report.same("openrc: what fails before, and a restart", &told(&machine, script)?, "1\nagain");
    let script = "quiet rc-service forking start; D=$(cat /run/forking.pid); sleep 1000 & for text in $! -1; do
         echo $text >/run/forking.pid; chown daemon /run/forking.pid; quiet rc-service forking reload; echo $?
         quiet rc-service forking stop; kill -0 $! && echo lives; kill -0 $D && echo runs; quiet rc-service forking zap; done; kill $! $D";
    let wanted = "1\nlives\nruns\n1\nlives\nruns";
    report.same(
        "openrc: a file that is not root's names no process of root's",
        &told(&machine, script)?,
        wanted,
    );
    Ok(())
}

fn exported_runit(report: &mut Report) -> Result<()> {
    let client = "S() {
        if ! test -e /etc/service/$2; then ln -s /etc/sv/$2 /etc/service/; await test -e /etc/sv/$2/supervise/ok; fi
        case $1 in
        status) sv status /etc/service/$2 | grep -q ^run || return 3 ;;
        start) quiet sv start /etc/service/$2 ;;
        stop) quiet sv -w $(test $2 = stubborn && echo 1 || echo 30) force-stop /etc/service/$2; await \"! S status $2\" ;;
        reload) quiet sv hup /etc/service/$2 ;;
        esac
    }";
    let Some(machine) = exported(report, "runit", RUNIT, client)? else { return Ok(()) };
    let script = "rm -f /var/lib/words/told; quiet sv start /etc/service/words; await test -e /var/lib/words/told; rm /var/lib/words/told
         kill -9 $(cat /etc/sv/words/supervise/pid); await test -e /var/lib/words/told; echo again; quiet sv stop /etc/service/words";
    report.same("runit: a restart", &told(&machine, script)?, "again");
    Ok(())
}

fn exported_supervisord(report: &mut Report) -> Result<()> {
    let client = "S() {
        supervisorctl status $2 | grep -q 'no such process' && { quiet supervisorctl reread; quiet supervisorctl add $2; }
        case $1 in
        reload) quiet supervisorctl signal HUP $2 ;;
        *) quiet supervisorctl $1 $2 ;;
        esac
    }";
    let Some(machine) = exported(report, "supervisord", SUPERVISORD, client)? else { return Ok(()) };
    let script = "rm -f /var/lib/words/told; quiet supervisorctl start words; await test -e /var/lib/words/told; rm /var/lib/words/told
         kill -9 $(supervisorctl pid words); await test -e /var/lib/words/told; echo again; quiet supervisorctl stop words";
    report.same("supervisord: a restart", &told(&machine, script)?, "again");
    Ok(())
}
