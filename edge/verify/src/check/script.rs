//! The first line of a script: whether the program it names is one.

use crate::ground::Programs;

/// Why the kernel does not run the script at `path`, if that is one, and what was expected.
pub(super) fn fault(programs: &dyn Programs, path: &str) -> Option<(String, &'static str)> {
    let line = programs.first_line(path);
    let text = String::from_utf8_lossy(line.strip_prefix(b"#!")?).into_owned();
    let line = text.trim_start_matches([' ', '\t']);
    let interpreter = line.split([' ', '\t']).next().unwrap_or("");
    if let Some(program) = interpreter.strip_suffix('\r') {
        let text = format!(
            "its first line ends with a carriage return (CRLF), and the program `{program}\\r` is looked for"
        );
        return Some((text, "lines that end with a line feed alone, as `sed -i 's/\\r$//'` makes them"));
    }
    if !interpreter.starts_with('/') {
        return None;
    }
    let why = programs.may_run(interpreter).err()?;
    Some((
        format!("its first line names {interpreter}: {why}"),
        "an interpreter that is there and may be run",
    ))
}
