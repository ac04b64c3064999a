//! The environment that the manager gives to every service.

use super::Failure;
use crate::bus::{CallError, Client, MANAGER, MANAGER_PATH};
use crate::line::Line;
use crate::screen::Screen;
use crate::text::quote;

pub fn show(line: &Line, screen: &mut Screen, client: &mut Client) -> Result<u8, Failure> {
    let value = client.property(MANAGER_PATH, MANAGER, "Environment");
    let value = value.map_err(|error| Failure::call("get environment", &error))?;
    if line.options.json() {
        let row: Vec<(&str, crate::text::json::Json)> = value
            .texts()
            .into_iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name, crate::text::json::Json::Text(value.to_owned())))
            .collect();
        screen.line(crate::text::json::compact(&[row]).trim().trim_matches(['[', ']']));
        return Ok(0);
    }
    for pair in value.texts() {
        match pair.split_once('=') {
            Some((name, value)) => screen.line(&format!("{name}={}", quote::for_shell(value))),
            None => screen.line(pair),
        }
    }
    Ok(0)
}

pub fn set(line: &Line, client: &mut Client) -> Result<u8, Failure> {
    change(client, "SetEnvironment", "set", &line.arguments)
}

pub fn unset(line: &Line, client: &mut Client) -> Result<u8, Failure> {
    change(client, "UnsetEnvironment", "unset", &line.arguments)
}

/// The named variables of the caller, or all of them that are text.
pub fn import(line: &Line, client: &mut Client) -> Result<u8, Failure> {
    let own = |name: &str| std::env::var(name).ok().map(|value| format!("{name}={value}"));
    let pairs: Vec<String> = if line.arguments.is_empty() {
        std::env::vars_os()
            .filter_map(|(name, value)| Some(format!("{}={}", name.to_str()?, value.to_str()?)))
            .collect()
    } else {
        line.arguments.iter().filter_map(|name| own(name)).collect()
    };
    change(client, "SetEnvironment", "import", &pairs)
}

fn change(client: &mut Client, method: &str, word: &str, items: &[String]) -> Result<u8, Failure> {
    let answer: Result<(), CallError> = client.manager(method, &items);
    answer.map_err(|error| Failure::call(&format!("{word} environment"), &error))?;
    Ok(0)
}
