//! The parts that scripts of several managers share: what a service finds around it, with whose rights it runs.
//!
//! Rights, limits and sessions are util-linux's `setpriv`, `prlimit`, `setsid`: of all programs that change a user, setpriv
//! says groups, capabilities and no-new-privileges as well.

use super::description::{Dependency, Foreground, Need, NewRights, Output, Reload, Rights, Service, Start};
use super::loss::{Loss, Severity, loss};
use super::target::{Refusal, refused};
use super::word::{Command, Failure, Run, line, quoted};
use super::{pid_file, variables};
use crate::limits;
use std::time::Duration;

/// By this line [`Act`](super::Act) knows its own files again.
pub(super) const MARK: &str = "Written by eudaemon-kit for";

/// Where systemd looks for programs too.
pub(super) const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a main process has to die in before it is looked at again.
pub(super) const WAIT: &str = r#"
# Waits in steps of a tenth of a second, where sleep knows them.
tick() { sleep 0.1 2>/dev/null || sleep 1; }
"#;

/// Arguments: mode, user, group, path.
const MAKE_DIRECTORY: &str = r#"
# Makes a user's directory; below what is not root's alone with his own rights, for a link of his may lead elsewhere.
make_directory() {
    set -- "$1" "$2" "$3" "$4" "${4%/*}"
    while [ -n "$5" ]; do
        if [ -e "$5" ]; then
            case $(stat -L -c %u%A "$5") in
            0d???????-?) ;;
            *)
                setpriv --reuid="$2" --regid="$3" --clear-groups install -d -m "$1" "$4"
                return
                ;;
            esac
        fi
        set -- "$1" "$2" "$3" "$4" "${5%/*}"
    done
    install -d -m "$1" -o "$2" -g "$3" "$4"
}
"#;

/// The functions that the rest of a script calls, and the variables for those commands.
pub(super) fn functions(service: &Service) -> String {
    let mut text = variables::told(service);
    if service.environs.directories.iter().any(|directory| directory.owner.is_some()) {
        text += MAKE_DIRECTORY;
    }
    let all = [
        ("as_service", Run::AsService, "With the service's rights and variables."),
        ("as_root", Run::AsRoot, "With the service's variables alone."),
    ];
    for (name, run, why) in all {
        if let Some(prefix) = variables::prefix(service, run).filter(|_| is_called(service, run)) {
            line(&mut text, format!("\n# {why}\n{name}() {{ {prefix} \"$@\"; }}"));
        }
    }
    text
}

/// Whether a command runs like this besides the one that becomes the service.
fn is_called(service: &Service, run: Run) -> bool {
    let started = match &service.start {
        Start::Foreground(Foreground { detached, .. }) => {
            detached.as_ref().map_or(&[][..], |(command, _)| std::slice::from_ref(command))
        }
        Start::Background { command, .. } => std::slice::from_ref(command),
        Start::Once { commands, .. } => commands,
    };
    let reloads = match &service.reload {
        Reload::Commands(commands) => commands.as_slice(),
        Reload::Never | Reload::Signal(_) => &[],
    };
    let stop = &service.stop;
    let lists = [started, &service.before, &service.after, reloads, &stop.commands, &stop.after];
    lists.into_iter().flatten().any(|command| command.run == run)
}

/// The command that gives up rights, before another's words; nothing where all are kept.
pub(super) fn rights(rights: &Rights) -> Option<String> {
    if !rights.are_less() {
        return None;
    }
    let mut words = vec!["setpriv".to_owned()];
    if let Some(user) = &rights.user {
        words.push(format!("--reuid={}", quoted(user)));
    }
    match (&rights.group, &rights.user) {
        (Some(group), _) => words.push(format!("--regid={}", quoted(group))),
        (None, Some(user)) => words.push(format!("--regid=\"$(id -g {})\"", quoted(user))),
        (None, None) => {}
    }
    match (rights.groups.is_empty(), &rights.user) {
        // setpriv takes the user's groups or a list: both are told as a list.
        (false, Some(user)) => words.push(format!(
            "--groups=\"$(id -G {} | tr ' ' ,),{}\"",
            quoted(user),
            rights
                .groups
                .iter()
                .map(|group| format!("$(getent group {} | cut -d: -f3)", quoted(group)))
                .collect::<Vec<_>>()
                .join(",")
        )),
        (false, None) => words.push(format!("--groups={}", quoted(&rights.groups.join(",")))),
        (true, Some(_)) => words.push("--init-groups".to_owned()),
        (true, None) if rights.group.is_some() => words.push("--keep-groups".to_owned()),
        (true, None) => {}
    }
    if let Some(bounding) = &rights.bounding {
        words.push(format!("--bounding-set={}", capability_list(&bounding.0)));
    }
    if !rights.ambient.0.is_empty() {
        let list = capability_list(&rights.ambient.0);
        words.push(format!("--inh-caps={list}"));
        words.push(format!("--ambient-caps={list}"));
    }
    if rights.new == NewRights::Refused {
        words.push("--no-new-privs".to_owned());
    }
    Some(words.join(" "))
}

fn capability_list(names: &[String]) -> String {
    let added = names.iter().map(|name| format!(",+{name}"));
    std::iter::once("-all".to_owned()).chain(added).collect()
}

/// As systemd sets limits: a hard one that may not be raised stays as it is, and the soft one goes no higher.
const LIMIT: &str = r#"# Sets a limit as far as that is permitted.
limit() {
    prlimit --pid $$ "--$1=$2:$3" 2>/dev/null && return
    most=$(prlimit --pid $$ "--$1" --output HARD --noheadings --raw) || return 1
    soft=$2
    if [ "$soft" = unlimited ] || [ "$soft" -gt "$most" ]; then soft=$most; fi
    prlimit --pid $$ "--$1=$soft:$most"
}
"#;

/// Directories, limits and the rest of what a process inherits, for the shell itself.
pub(super) fn inherited(service: &Service) -> String {
    let environs = &service.environs;
    let mut text = directories(service);
    if !environs.limits.is_empty() {
        text += LIMIT;
    }
    for limit in &environs.limits {
        let value = |value: Option<u64>| value.map_or("unlimited".to_owned(), |value| value.to_string());
        let (soft, hard) = (value(limit.soft), value(limit.hard));
        line(&mut text, format!("limit {} {soft} {hard} || exit 1", limit.resource));
    }
    if let Some(nice) = environs.nice {
        line(&mut text, format!("renice -n {nice} -p $$ >/dev/null || exit 1"));
    }
    if let Some(score) = environs.oom_score {
        line(&mut text, format!("echo {score} >/proc/self/oom_score_adj"));
    }
    if let Some(umask) = environs.umask {
        line(&mut text, format!("umask {:04o}", umask.as_raw_mode()));
    }
    let directory = environs.directory.as_deref().unwrap_or("/");
    line(&mut text, format!("cd {} || exit 1", quoted(directory)));
    text
}

fn directories(service: &Service) -> String {
    let mut text = String::new();
    for directory in &service.environs.directories {
        let path = quoted(&directory.path);
        let mode = format!("{:04o}", directory.mode.as_raw_mode());
        let make = match (&directory.owner, &service.rights.group) {
            (Some(user), Some(group)) => {
                format!("make_directory {mode} {} {} {path}", quoted(user), quoted(group))
            }
            (Some(user), None) => format!("make_directory {mode} {0} \"$(id -g {0})\" {path}", quoted(user)),
            (None, _) => format!("install -d -m {mode} {path}"),
        };
        line(&mut text, format!("{make} || exit 1"));
    }
    text
}

/// A command with its rights and variables, as it is run in between.
pub(super) fn called(service: &Service, command: &Command) -> String {
    let words = variables::expanded(service, command).shell();
    match (command.run, variables::prefix(service, command.run)) {
        (_, None) => words,
        (Run::AsService, Some(_)) => format!("as_service {words}"),
        (Run::AsRoot, Some(_)) => format!("as_root {words}"),
    }
}

/// A command with its rights and variables, as the shell's successor.
pub(super) fn succeeding(service: &Service, command: &Command) -> String {
    let words = variables::expanded(service, command).shell();
    match variables::prefix(service, command.run) {
        Some(prefix) => format!("{prefix} {words}"),
        None => words,
    }
}

/// Commands one after the other, each followed by what is done if it fails, where that counts.
pub(super) fn all(service: &Service, commands: &[Command], otherwise: &str) -> String {
    let mut text = String::new();
    for command in commands {
        let called = called(service, command);
        line(
            &mut text,
            match command.failure {
                Failure::Counts => format!("{called} || {otherwise}"),
                Failure::Ignored => format!("{called} || :"),
            },
        );
    }
    text
}

/// Text behind a margin; what stands in quotes over lines is left as it is.
pub(super) fn indented(text: &str, margin: &str) -> String {
    let mut out = String::new();
    if text.is_empty() {
        return out;
    }
    let mut open = None;
    // What `lines` takes for an end of a line may be a word's own.
    for one in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if open.is_none() && !one.is_empty() {
            out += margin;
        }
        line(&mut out, one);
        if open.is_some() || !one.trim_start().starts_with('#') {
            open = quote_after(one, open);
        }
    }
    out
}

/// The quote that is open at the end of a line, if one is.
fn quote_after(line: &str, mut open: Option<char>) -> Option<char> {
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (c, open) {
            ('\\', None | Some('"')) => {
                characters.next();
            }
            ('\'' | '"', None) => open = Some(c),
            (c, Some(quote)) if c == quote => open = None,
            (_, None | Some(_)) => {}
        }
    }
    open
}

/// The line that says whose file it is.
pub(super) fn mark(service: &Service) -> String {
    format!("# {MARK} {}: {}\n", service.name, service.title())
}

/// How every script begins.
pub(super) fn beginning(service: &Service) -> String {
    format!(
        "{}# Words are taken as they are: no file names are made of them.\nset -f\n{PATH}\nexport PATH\n",
        mark(service)
    )
}

/// What the shell does to reload the main process `$MAINPID`, and what if it fails; nothing where it cannot.
pub(super) fn reload(service: &Service, otherwise: &str) -> Option<String> {
    match &service.reload {
        Reload::Never => None,
        Reload::Signal(signal) => Some(format!("kill -{signal} \"$MAINPID\" || {otherwise}\n")),
        Reload::Commands(commands) => Some(all(service, commands, otherwise)),
    }
}

/// A shell that stays while a service is in the background, passes on stops and reloads, and ends with it. What does not
/// stop in time it kills: its supervisor could only kill the shell.
pub(super) fn shepherd(service: &Service, command: &Command, pid_file: &str, within: Duration) -> String {
    let file = quoted(pid_file);
    let reload = reload(service, "exit 1");
    let mut text = "# What is asked before its process is known is done then: else it would be left alone.
asked=
trap 'asked=\"$asked stop\"' TERM INT
"
    .to_owned();
    text += if reload.is_some() { "trap 'asked=\"$asked reload\"' HUP\n" } else { "trap : HUP\n" };
    text += &format!("rm -f {file}\n{} || exit 1\n", called(service, command));
    text += &format!(
        "# It went into the background: this shell stays for its supervisor, and ends with it.
left={}
until read_pid_file {file}; do
    left=$((left - 1))
    if [ $left -lt 0 ]; then echo 'no process of its own in '{file} >&2; exit 1; fi
    tick
done
now=$(born \"$MAINPID\")
",
        within.as_secs().clamp(1, limits::LONGEST_START) * 10
    );
    text += &all(service, &service.after, ":");
    text += "left=\nlives() { [ \"$(born \"$MAINPID\")\" = \"$now\" ]; }\nstop() {\n";
    text += &indented(&all(service, &service.stop.commands, ":"), "    ");
    line(&mut text, format!("    if lives; then kill -{} \"$MAINPID\"; fi", service.stop.signal));
    if let Some(within) = service.stop.within {
        line(&mut text, format!("    left={}", within.as_millis().div_ceil(100)));
    }
    text += "}\ntrap stop TERM INT\n";
    if let Some(reload) = reload {
        text += &format!("reload() (\n{})\ntrap reload HUP\n", indented(&reload, "    "));
    }
    text + "for one in $asked; do $one; done
while lives; do
    if [ -n \"$left\" ]; then left=$((left - 1)); fi
    if [ \"$left\" = 0 ]; then kill -KILL \"$MAINPID\"; fi
    tick
done
"
}

/// What a script's main part needs where a shell stays for what went into the background.
pub(super) fn watching(service: &Service) -> String {
    match service.start {
        Start::Background { .. } => WAIT.to_owned() + &pid_file::functions(service),
        Start::Foreground(_) | Start::Once { .. } => String::new(),
    }
}

/// The redirection of what a service prints, where its supervisor takes it otherwise.
pub(super) fn output(output: &Output) -> Option<String> {
    match output {
        Output::Log => None,
        Output::Nowhere => Some(">/dev/null 2>&1".to_owned()),
        Output::File(path) => Some(format!(">>{} 2>&1", quoted(path))),
    }
}

/// What a script of these parts cannot say.
pub(super) fn check(service: &Service) -> Result<Vec<Loss>, Refusal> {
    let rights = &service.rights;
    if let Some(root) = &rights.root_directory {
        let why = "the script cannot give up rights within another root directory: it would run on the machine's own files";
        return Err(refused(&format!("RootDirectory={root}"), why.to_owned()));
    }
    for (name, _) in &service.environs.variables {
        let is_fit = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_fit) {
            return Err(refused(
                &format!("Environment={name}"),
                "no shell has a variable of that name".to_owned(),
            ));
        }
    }
    let mut losses = super::loss::unsaid(service);
    if rights.are_less() {
        let why = "util-linux's setpriv changes them, so that must be installed";
        losses.push(loss(Severity::Note, "User= and capabilities", why));
    }
    Ok(losses)
}

/// Names for what every machine has, in a manager's words, each once.
pub(super) fn facilities(service: &Service, word: impl Fn(Dependency) -> &'static str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for need in &service.needs {
        let word = match need {
            Need::After(dependency) => word(*dependency).to_owned(),
            Need::Required(_) | Need::Wanted(_) | Need::AfterService(_) | Need::BeforeService(_) => continue,
        };
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}
