//! Properties as `systemctl show` prints them, those that the text of a unit decides.

use eudaemon_unit::config::exec::*;
use eudaemon_unit::config::service::*;
use eudaemon_unit::config::*;

pub fn load_state(config: &Config) -> &'static str {
    match &config.load {
        LoadState::Loaded => "loaded",
        LoadState::NotFound => "not-found",
        LoadState::BadSetting(_) => "bad-setting",
        LoadState::Error(_) => "error",
        LoadState::Masked => "masked",
    }
}

pub fn commands(list: &[ExecCommand]) -> Vec<String> {
    let ignored = |failure: Failure| if failure == Failure::Ignored { "yes" } else { "no" };
    list.iter()
        .map(|c| {
            format!(
                "{{ path={} ; argv[]={} ; ignore_errors={}}}",
                c.path,
                c.argv.join(" "),
                ignored(c.failure)
            )
        })
        .collect()
}

pub fn service(config: &Config) -> &Service {
    match &config.body {
        Body::Service(service) => service,
        other => panic!("no service: {other:?}"),
    }
}

pub fn service_type(kind: ServiceType) -> &'static str {
    match kind {
        ServiceType::Simple => "simple",
        ServiceType::Exec => "exec",
        ServiceType::Forking => "forking",
        ServiceType::Oneshot => "oneshot",
        ServiceType::Dbus => "dbus",
        ServiceType::Notify => "notify",
        ServiceType::NotifyReload => "notify-reload",
        ServiceType::Idle => "idle",
    }
}

/// Names of one dependency word, sorted.
pub fn depends(config: &Config, word: Dependency) -> String {
    let names = config.unit.dependencies.iter().filter(|edge| edge.0 == word);
    let mut names: Vec<&str> = names.map(|edge| edge.1.as_str()).collect();
    names.sort_unstable();
    names.join(" ")
}

/// A list of strings, each quoted where `show` would.
pub fn list<'a>(items: impl IntoIterator<Item = &'a String>) -> String {
    items.into_iter().map(|item| quoted(item)).collect::<Vec<_>>().join(" ")
}

fn quoted(item: &str) -> String {
    let special = |c: char| c.is_whitespace() || "\"\\`$*?['()<>|&;!#~".contains(c) || c.is_control();
    if !item.is_empty() && !item.chars().any(special) {
        return item.to_owned();
    }
    let escaped: String = item
        .chars()
        .map(|c| match c {
            '"' | '\\' | '`' | '$' => format!("\\{c}"),
            '\t' => "\\t".to_owned(),
            other => other.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}
