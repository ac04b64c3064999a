//! Sockets in random worlds, and those who knock on them.

use super::{BUSY, any_unit, command, name};
use crate::machine::Machine;
use crate::random::Random;
use eudaemon_unit::config::{Body, Config, Dependency, Socket};
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::span::Span;
use std::collections::BTreeSet;
use std::sync::Arc;

pub fn add(configs: &mut Vec<Config>, random: &mut Random) {
    // The end of the machine is nobody's dependency.
    let last = [name("shutdown.target"), name("exit.target")];
    let names = configs.iter().map(|config| config.name.clone());
    let names: Vec<UnitName> = names.filter(|name| !last.contains(name)).collect();
    let services = names.iter().filter(|name| name.kind() == UnitKind::Service);
    for service in services {
        if random.chance(500) {
            continue;
        }
        let socket = name(&format!("{}.socket", service.prefix()));
        let mut config = any_unit(&socket, &names, random);
        // As a loaded one has it: systemd.socket(5), "Automatic Dependencies".
        config.unit.dependencies.push((Dependency::Triggers, service.clone()));
        config.unit.dependencies.push((Dependency::Before, service.clone()));
        if let Body::Socket(body) = &mut config.body {
            any_socket(body, random);
        }
        configs.push(config);
        let requires = random.chance(300);
        if let Some(config) = configs.iter_mut().find(|config| config.name == *service)
            && requires
        {
            config.unit.dependencies.push((Dependency::Requires, socket.clone()));
        }
    }
}

fn any_socket(socket: &mut Socket, random: &mut Random) {
    let phases = [&mut socket.start_pre, &mut socket.start_post, &mut socket.stop_pre, &mut socket.stop_post];
    for commands in phases {
        while random.chance(120) && commands.len() < 3 {
            commands.push(command("socket", random));
        }
    }
    socket.timeout = Span::seconds(random.between(1, 20));
    socket.flush_pending = random.chance(200);
    if random.chance(300) {
        socket.trigger_limit_burst = random.between(1, 5) as u32;
    }
}

/// The services that get the sockets passed.
pub fn served(configs: &[Arc<Config>]) -> BTreeSet<UnitName> {
    let triggers = configs.iter().flat_map(|config| &config.unit.dependencies);
    triggers.filter(|(word, _)| *word == Dependency::Triggers).map(|(_, service)| service.clone()).collect()
}

/// Some come at any time, some in a crowd.
pub fn knock(names: &[UnitName], random: &mut Random, machine: &mut Machine) {
    for socket in names.iter().filter(|name| name.kind() == UnitKind::Socket) {
        for _ in 0..random.below(8) {
            let at = random.below(BUSY);
            let crowd = if random.chance(200) { random.between(2, 30) } else { 1 };
            for _ in 0..crowd {
                machine.knock(at + random.below(1_000_000), socket.clone());
            }
        }
    }
}
