//! `systemctl clean`: what units keep on disk is removed, and only that.

use crate::nine::candidate_for;
use anyhow::Result;
use eudaemon_machine_tests::harness::{Case, Report};
use eudaemon_machine_tests::machine::Confinement;
use std::time::Duration;

pub const CASES: &[Case] = &[Case { name: "clean", run: clean }];

const WEB: &str = "[Service]\nType=oneshot\nExecStart=true\nStateDirectory=web web/deep:weblink\nCacheDirectory=web\n\
                   LogsDirectory=web\nConfigurationDirectory=web\nRuntimeDirectory=web\nRuntimeDirectoryPreserve=yes\n";

fn clean(report: &mut Report) -> Result<()> {
    let Some(candidate) = candidate_for(report, Confinement::Privileged)? else { return Ok(()) };
    let machine = candidate
        .setup(Confinement::Privileged)?
        .file("/etc/systemd/system/web.service", WEB)?
        .file("/etc/systemd/system/plain.service", "[Service]\nExecStart=sleep infinity\n")?
        .file("/etc/systemd/system/fails.service", "[Service]\nExecStart=false\nStateDirectory=fails\n")?
        .file("/etc/systemd/system/up.service", "[Service]\nExecStart=sleep infinity\nStateDirectory=up\n")?
        .file(
            "/etc/systemd/system/slow.service",
            "[Service]\nType=oneshot\nExecStart=true\nStateDirectory=slow\nTimeoutCleanSec=1us\n",
        )?
        .file(
            "/etc/systemd/system/mounted.service",
            "[Service]\nType=oneshot\nExecStart=true\nStateDirectory=mounted\n",
        )?
        .file(
            "/etc/systemd/system/stopped.service",
            "[Service]\nType=oneshot\nExecStart=true\nStateDirectory=stopped\n",
        )?
        .file(
            "/etc/systemd/system/many@.service",
            "[Service]\nType=oneshot\nExecStart=true\nStateDirectory=many%i\n",
        )?
        .file(
            "/etc/systemd/system/big.service",
            "[Service]\nType=oneshot\nExecStart=true\nStateDirectory=big\n",
        )?
        .boot(&candidate.init())?;
    let answers = || machine.run(&["systemctl", "list-jobs"]).is_ok_and(|ran| ran.out.contains("No jobs"));
    machine.wait_until("the boot is over", Duration::from_secs(60), answers)?;
    let ask = |words: &str| -> Result<String> {
        let ran = machine.run(&[&["systemctl"], words.split(' ').collect::<Vec<_>>().as_slice()].concat())?;
        Ok(format!("{} {}{}", ran.code, ran.out.trim(), ran.err.trim()))
    };
    let shell = |script: &str| -> Result<String> { Ok(machine.shell(script)?.out.trim().to_owned()) };
    const LEFT: &str = "ls -d /var/lib/web /var/lib/weblink /var/cache/web /var/log/web /etc/web /run/web 2>/dev/null | tr '\\n' ' '";

    report.same("CanClean", &ask("show -P CanClean web plain")?, "0 runtime state cache logs configuration");
    ask("start web")?;
    let all = "/etc/web /run/web /var/cache/web /var/lib/web /var/lib/weblink /var/log/web";
    report.same("all is there", &shell(LEFT)?, all);
    shell(
        "mkdir -p /srv/kept/deep /var/lib/private/web; touch /srv/kept/deep/file /var/lib/private/web/x; ln -s /srv/kept /var/lib/web/out; chmod 700 /var/lib/private",
    )?;

    report.same("unless told otherwise, what is no loss", &ask("clean web")?, "0 ");
    report.same("is removed", &shell(LEFT)?, "/etc/web /var/lib/web /var/lib/weblink /var/log/web");
    report.same("it is down", &ask("is-active web")?, "3 inactive");
    report.same("state", &ask("clean --what=state web.service")?, "0 ");
    report.same("is removed, with its links", &shell(LEFT)?, "/etc/web /var/log/web");
    report.same("and a dynamic user's", &shell("ls /var/lib/private | grep web")?, "");
    report.same("but not through a link", &shell("ls /srv/kept/deep")?, "file");
    report.same("all", &ask("clean --what=all web")?, "0 ");
    report.same("is removed", &shell(LEFT)?, "");
    report.same("nothing is left to go", &ask("clean --what=all web")?, "0 ");
    report.same("CleanResult", &ask("show -P CleanResult web")?, "0 success");
    // More than are at work at once.
    let many: Vec<String> = (0..20).map(|number| format!("many@{number}")).collect();
    let many = many.join(" ");
    report.same("many units", &ask(&format!("start {many}"))?, "0 ");
    report.same("have directories", &shell("ls -d /var/lib/many* | wc -l")?, "20");
    report.same("many at once", &ask(&format!("clean --what=state {many}"))?, "0 ");
    report.same("are all cleaned", &shell("ls -d /var/lib/many* 2>/dev/null | wc -l")?, "0");
    report.same("it starts", &ask("start web")?, "0 ");
    report.same("and all is there again", &shell(LEFT)?, all);
    if candidate.is_ours() {
        // Over the private socket, where no client can hold a unit.
        let own = |words: &[&str]| -> Result<String> {
            let ran = machine.run(&[&["/usr/local/sbin/eudaemon", "clean"], words].concat())?;
            Ok(format!("{} {}{}", ran.code, ran.out.trim(), ran.err.trim()))
        };
        report.same("our own client", &own(&["--what=all", "web"])?, "0 ");
        report.same("removes too", &shell(LEFT)?, "");
        let refused = "1 Failed to clean unit plain.service: No matching resources found.";
        report.same("and is refused", &own(&["plain"])?, refused);
    }

    let refused = |unit: &str, why: &str| format!("1 Failed to clean unit {unit}: {why}");
    report.same(
        "one that has nothing",
        &ask("clean plain")?,
        &refused("plain.service", "No matching resources found."),
    );
    report.same(
        "one that has nothing of that",
        &ask("clean slow")?,
        &refused("slow.service", "No matching resources found."),
    );
    report.same(
        "a word nobody knows",
        &ask("clean --what=water web")?,
        &refused("web.service", "Invalid resource type: water"),
    );
    report.same(
        "a target",
        &ask("clean multi-user.target")?,
        &refused("multi-user.target", "Unit 'multi-user.target' does not support cleaning."),
    );
    report.same(
        "nobody",
        &ask("clean nobody")?,
        "1 Failed to add reference to unit nobody.service: Unit nobody.service not found.",
    );
    let busy = "Unit is not inactive or has pending job.";
    ask("start up")?;
    report.same("one that is up", &ask("clean --what=state up")?, &refused("up.service", busy));
    ask("start fails")?;
    machine.wait_until("it failed", Duration::from_secs(20), || {
        ask("is-failed fails").is_ok_and(|told| told.contains("failed"))
    })?;
    report.same("one that has failed", &ask("clean --what=state fails")?, &refused("fails.service", busy));
    ask("reset-failed fails")?;
    report.same("and is forgiven", &ask("clean --what=state fails")?, "0 ");
    report.same("has nothing left", &shell("ls -d /var/lib/fails 2>/dev/null")?, "");

    shell(
        "mkdir -p /var/lib/slow /var/lib/big; cd /var/lib/slow; for i in $(seq 300); do mkdir $i; touch $i/$(seq -s ' ' 100 | sed \"s, , $i/,g\"); done; cp -a /var/lib/slow/. /var/lib/big",
    )?;
    // Whether that is a failure of the command depends, with systemctl 252, on which of its questions is answered first.
    ask("clean --what=state slow")?;
    let is = |unit: &str, state: &str| {
        machine.wait_until(&format!("{unit} is {state}"), Duration::from_secs(20), || {
            ask(&format!("is-active {unit}")).is_ok_and(|told| told.ends_with(state))
        })
    };
    const END: &str = "show -P CleanResult -P Result -P SubState";
    is("slow", "failed")?;
    report.same("the process was killed", &ask(&format!("{END} slow"))?, "0 signal\ntimeout\nfailed");

    ask("start mounted")?;
    shell(
        "mkdir /var/lib/mounted/there && mount -t tmpfs tmpfs /var/lib/mounted/there && touch /var/lib/mounted/there/kept /var/lib/mounted/gone",
    )?;
    ask("clean --what=state mounted")?;
    is("mounted", "failed")?;
    report.same("it cannot go", &ask(&format!("{END} mounted"))?, "0 exit-code\nexit-code\nfailed");
    report.same(
        "nor what is mounted",
        &shell("ls /var/lib/mounted /var/lib/mounted/there | tr '\\n' ' '")?,
        "/var/lib/mounted: there  /var/lib/mounted/there: kept",
    );

    // systemctl 252 dies of an assertion of its own once it has asked, where it is not to wait.
    report.same(
        "a stop stops it",
        &shell("cp -a /var/lib/big /var/lib/stopped; systemctl clean --no-block --what=state stopped 2>/dev/null; systemctl stop stopped; echo $?")?,
        "0",
    );
    is("stopped", "failed")?;
    report.same("as a failure", &ask(&format!("{END} stopped"))?, "0 signal\nsuccess\nfailed");

    report.same(
        "asked on, it is in maintenance",
        &shell("systemctl clean --no-block --what=state big 2>/dev/null; systemctl show -P ActiveState -P SubState big | tr '\\n' ' '")?,
        "maintenance cleaning",
    );
    if candidate.is_ours() {
        shell("kill -9 $(pgrep -f 'eudaemon manager' | head -n1)")?;
    }
    report.same("a start waits for it", &ask("start big")?, "0 ");
    report.same("and finds nothing", &shell("ls /var/lib/big")?, "");
    Ok(())
}
