//! The processes of a unit as a tree of control groups.

use crate::text::paint::{Paint, Style};
use crate::text::quote;
use crate::text::table;
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr;

/// A row of `GetUnitProcesses`: control group, pid, command line.
pub type ProcessRow = (String, u32, String);

/// A group and what is in it.
#[derive(Debug, Default)]
struct Group {
    processes: BTreeMap<u32, String>,
    groups: BTreeMap<String, Group>,
}

/// The lines below `CGroup:`, each with `indent` before it. `width` cuts command lines.
pub fn processes(
    rows: &[ProcessRow],
    root: &str,
    indent: &str,
    paint: Paint,
    width: Option<usize>,
) -> String {
    let mut top = Group::default();
    for (path, pid, command) in rows {
        let below = path.strip_prefix(root.trim_end_matches('/')).unwrap_or(path);
        let mut group = &mut top;
        for part in below.split('/').filter(|part| !part.is_empty()) {
            group = group.groups.entry(part.to_owned()).or_default();
        }
        group.processes.insert(*pid, command.clone());
    }
    let mut lines = Vec::new();
    draw(&top, paint, &mut lines);
    let mut text = String::new();
    for (branch, process) in lines {
        let room = width.map(|width| width.saturating_sub(indent.width() + branch.width()));
        let process = room.map_or(process.clone(), |room| table::cut(&process, room, paint));
        let style = if process.is_empty() { Style::Plain } else { Style::Faint };
        text.push_str(&format!("{indent}{branch}{}\n", paint.text(style, &process)));
    }
    text
}

/// Branches and the processes beside them, without recursion: a client may nest control groups as deep as the kernel lets it.
fn draw(top: &Group, paint: Paint, lines: &mut Vec<(String, String)>) {
    let mut pending: Vec<(String, &str, &Group, bool)> = Vec::new();
    push_groups(top, String::new(), &mut pending);
    draw_processes(top, "", paint, lines);
    while let Some((prefix, name, group, last)) = pending.pop() {
        let branch = if last { paint.last_branch() } else { paint.branch() };
        lines.push((format!("{prefix}{branch}{name}"), String::new()));
        let inner = format!("{prefix}{}", if last { "  " } else { paint.trunk() });
        draw_processes(group, &inner, paint, lines);
        push_groups(group, inner, &mut pending);
    }
}

fn push_groups<'a>(group: &'a Group, prefix: String, pending: &mut Vec<(String, &'a str, &'a Group, bool)>) {
    let last = group.groups.len().saturating_sub(1);
    for (at, (name, inner)) in group.groups.iter().enumerate().rev() {
        pending.push((prefix.clone(), name, inner, at == last));
    }
}

fn draw_processes(group: &Group, prefix: &str, paint: Paint, lines: &mut Vec<(String, String)>) {
    let widest = group.processes.keys().next_back().map_or(1, |pid| pid.to_string().len());
    let last = group.processes.len().saturating_sub(1);
    for (at, (pid, command)) in group.processes.iter().enumerate() {
        let end = at == last && group.groups.is_empty();
        let branch = if end { paint.last_branch() } else { paint.branch() };
        lines.push((format!("{prefix}{branch}"), format!("{pid:>widest$} {}", quote::printable(command))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn groups_and_processes_are_drawn_as_a_tree() {
        let rows = [
            ("/system.slice/nginx.service", 43, "\"nginx: master process\""),
            ("/system.slice/nginx.service", 144, "\"nginx: worker process\""),
            ("/init.scope", 1, "/lib/systemd/systemd"),
            ("/user.slice/user-1000.slice/user@1000.service/init.scope", 9, "systemd --user"),
        ]
        .map(|(path, pid, command)| (path.to_owned(), pid, command.to_owned()));
        expect![[r#"
              ├─init.scope
              │ └─1 /lib/systemd/systemd
              ├─system.slice
              │ └─nginx.service
              │   ├─ 43 "nginx: master process"
              │   └─144 "nginx: worker process"
              └─user.slice
                └─user-1000.slice
                  └─user@1000.service
                    └─init.scope
                      └─9 systemd --user
        "#]]
        .assert_eq(&processes(&rows, "/", "", Paint::PLAIN, None));
    }
}
