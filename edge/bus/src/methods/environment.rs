//! The manager's environment block, and other settings of the manager itself.

use super::Served;
use crate::call::Outcome;
use crate::fault::Fault;
use crate::limits;
use crate::model::Setting;

pub fn set(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let assignments: Vec<String> = served.call.arguments()?;
    apply(served, &[], &assignments)
}

pub fn unset(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let names: Vec<String> = served.call.arguments()?;
    apply(served, &names, &[])
}

pub fn unset_and_set(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let (names, assignments): (Vec<String>, Vec<String>) = served.call.arguments()?;
    apply(served, &names, &assignments)
}

fn apply(served: &mut Served<'_>, unset: &[String], set: &[String]) -> Result<Outcome, Fault> {
    if !set
        .iter()
        .all(|line| line.split_once('=').is_some_and(|(name, value)| is_name(name) && is_value(value)))
    {
        return Err(Fault::invalid_args("Invalid environment assignments"));
    }
    if !unset.iter().all(|line| is_name(line.split_once('=').map_or(line, |(name, _)| name))) {
        return Err(Fault::invalid_args("Invalid environment variable names or assignments"));
    }
    let now: usize = served.model.environment().iter().map(|line| line.len() + 1).sum();
    let more: usize = set.iter().map(|line| line.len() + 1).sum();
    if now + more > limits::ENVIRONMENT_BYTES {
        return Err(Fault::limits_exceeded("The environment block would be too big."));
    }
    served.model.set_environment(unset, set);
    served.done()
}

/// environ(7): letters, digits and `_`, no digit first.
fn is_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    first && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Control characters but tab and newline are refused, as systemd does.
fn is_value(value: &str) -> bool {
    !value.chars().any(|c| c.is_control() && c != '\t' && c != '\n')
}

/// A boolean, or `auto` and `temporary`, which mean "as it was at boot"; empty likewise.
pub fn set_show_status(served: &mut Served<'_>) -> Result<Outcome, Fault> {
    let mode: String = served.call.arguments()?;
    let shown = match mode.as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => true,
        "" | "0" | "no" | "n" | "false" | "f" | "off" | "auto" | "temporary" | "error" => false,
        _ => return Err(Fault::invalid_args(format!("Invalid show status '{mode}'"))),
    };
    served.model.set(Setting::ShowStatus(shown))?;
    served.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        assert!(is_name("FOO_1") && !is_name("1FOO") && !is_name("") && !is_name("A B"));
        assert!(is_value("a b\tc\n") && !is_value("a\u{7}"));
    }
}
