//! One process of a service in words: running, or how it ended.

use crate::bus::{Properties, Value};
use crate::show::CodeWord;
use crate::text::paint::{Paint, Style};
use crate::text::{exit_status, signal};

/// `Process:` lines: the commands of the service that ran and ended.
pub fn ended_commands(properties: &Properties, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    let commands = properties.0.iter().filter(|property| property.signature == "a(sasasttttuii)");
    for property in commands {
        let name = property.name.trim_end_matches("Ex");
        for command in property.value.list() {
            let fields = command.list();
            let number = |at: usize| fields.get(at).and_then(Value::unsigned).unwrap_or(0);
            let pid = number(7);
            let signed = |at: usize| fields.get(at).and_then(Value::signed).unwrap_or(0);
            // No code yet: it still runs, or never ran.
            if signed(8) == 0 {
                continue;
            }
            let ignored = fields.get(2).is_some_and(|flags| flags.texts().contains(&"ignore-failure"));
            let argv = fields.get(1).map(Value::texts).unwrap_or_default().join(" ");
            let ending = ending(signed(8), signed(9));
            let clean = ignored || signed(8) == 1 && signed(9) == 0;
            let style = if clean { Style::Plain } else { Style::Bad };
            lines.push(format!("{pid} {name}={argv} ({})", paint.text(style, &ending)));
        }
    }
    lines
}

/// `code=exited, status=0/SUCCESS` or `code=killed, signal=TERM`.
pub fn ending(code: i64, status: i64) -> String {
    let status = i32::try_from(status).unwrap_or(0);
    match CodeWord::of(code) {
        Some(CodeWord::Exited) => {
            let name = exit_status::name(status).map(|name| format!("/{name}")).unwrap_or_default();
            format!("code=exited, status={status}{name}")
        }
        Some(word @ (CodeWord::Killed | CodeWord::Dumped)) => {
            format!("code={}, signal={}", word.word(), signal::name(status))
        }
        None => format!("code={code}, status={status}"),
    }
}

/// `Main PID:` line: the process that runs, or how the last one ended; `None` where there was none.
pub fn main_process(properties: &Properties) -> Option<String> {
    let (main, last) = (properties.number("MainPID"), properties.number("ExecMainPID"));
    if main > 0 {
        let name = name_of(main).map(|name| format!(" ({name})")).unwrap_or_default();
        return Some(format!("{main}{name}"));
    }
    let code = properties.signed("ExecMainCode");
    (last > 0 && code > 0).then(|| format!("{last} ({})", ending(code, properties.signed("ExecMainStatus"))))
}

/// `Cntrl PID:`: the process of ExecStartPre=, ExecReload= and the like that runs now.
pub fn control_process(properties: &Properties) -> Option<String> {
    let control = properties.number("ControlPID");
    let name = name_of(control).map(|name| format!(" ({name})")).unwrap_or_default();
    (control > 0).then(|| format!("{control}{name}"))
}

/// `/proc/PID/comm`.
fn name_of(pid: u64) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(crate::text::quote::printable(name.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_named() {
        for (code, status, expected) in [
            (1, 0, "code=exited, status=0/SUCCESS"),
            (1, 203, "code=exited, status=203/EXEC"),
            (1, 42, "code=exited, status=42"),
            (2, 15, "code=killed, signal=TERM"),
            (3, 11, "code=dumped, signal=SEGV"),
        ] {
            assert_eq!(ending(code, status), expected);
        }
    }
}
