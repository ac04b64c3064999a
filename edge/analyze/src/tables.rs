//! Numbers by name: `exit-status` and `capability`.

use super::{Options, times};
use eudaemon_unit::values::{capability, exit_status};
use std::process::ExitCode;

/// Each status with who gave it its name.
pub fn exit_status(_: &Options, words: &[String], _: &times::Judge) -> ExitCode {
    let mut rows = Vec::new();
    if words.is_empty() {
        rows.extend(exit_status::NAMES);
    }
    for word in words {
        let Some(status) = exit_status::parse_exit_status(word) else {
            eprintln!("Invalid exit status \"{word}\".");
            return ExitCode::FAILURE;
        };
        rows.push((exit_status::exit_status_name(status).unwrap_or("-"), status));
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(4);
    outln!("{:<width$} STATUS CLASS", "NAME");
    for (name, status) in rows {
        let class = if name == "-" { "-" } else { exit_status::class(status) };
        outln!("{name:<width$} {status:>6} {class}");
    }
    ExitCode::SUCCESS
}

pub fn capability(_: &Options, words: &[String], _: &times::Judge) -> ExitCode {
    let mut numbers: Vec<usize> = Vec::new();
    if words.is_empty() {
        numbers.extend(0..capability::NAMES.len());
    }
    for word in words {
        let known = capability::capability(word).map(|number| number as usize);
        let Some(number) = known.filter(|number| *number < capability::NAMES.len()) else {
            eprintln!("Capability \"{word}\" not known.");
            return ExitCode::FAILURE;
        };
        numbers.push(number);
    }
    let name = |number: &usize| capability::NAMES.get(*number).copied().unwrap_or("-");
    let width = numbers.iter().map(|number| name(number).len()).max().unwrap_or(0).max(4);
    outln!("{:<width$} NUMBER", "NAME");
    for number in numbers {
        outln!("{:<width$} {number:>6}", name(&number));
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_class_of_its_range() {
        let classes: Vec<&str> =
            exit_status::NAMES.iter().map(|(_, status)| exit_status::class(*status)).collect();
        let count = |class: &str| classes.iter().filter(|one| **one == class).count();
        assert_eq!((count("libc"), count("LSB"), count("BSD"), count("systemd")), (2, 6, 15, 44));
    }
}
