//! Mounts in random worlds: programs that mount, do not, or lie; others who mount and unmount; services upon them.

use super::{BUSY, any_unit, name, status};
use crate::machine::{Change, Machine};
use crate::program::{Life, Program};
use crate::random::Random;
use eudaemon_engine::api::{ExitStatus, Phase};
use eudaemon_unit::config::{Body, Config, Dependency, KillMode, Mount};
use eudaemon_unit::name::{UnitKind, UnitName};
use eudaemon_unit::span::{SECOND, Span};

pub fn add(configs: &mut Vec<Config>, random: &mut Random) {
    let last = [name("shutdown.target"), name("exit.target")];
    let names: Vec<UnitName> =
        configs.iter().map(|config| config.name.clone()).filter(|name| !last.contains(name)).collect();
    for n in 0..random.between(1, 3) {
        let unit = name(&format!("m{n}.mount"));
        let mut config = any_unit(&unit, &names, random);
        config.fragment = random.chance(900).then(|| format!("/etc/systemd/system/{unit}"));
        if let Body::Mount(mount) = &mut config.body {
            any_mount(mount, random);
        }
        configs.push(config);
        for config in configs.iter_mut().filter(|config| config.name.kind() == UnitKind::Service) {
            if random.chance(300) {
                let word = if random.chance(500) { Dependency::Requires } else { Dependency::BindsTo };
                config.unit.dependencies.extend([(word, unit.clone()), (Dependency::After, unit.clone())]);
            }
        }
    }
}

fn any_mount(mount: &mut Mount, random: &mut Random) {
    mount.what = "tmpfs".to_owned();
    mount.place = "/m".to_owned();
    mount.timeout = Span::seconds(random.between(1, 20));
    let kill = &mut mount.processes.kill;
    kill.send_sigkill = !random.chance(100);
    let modes = [KillMode::ControlGroup, KillMode::Mixed, KillMode::Process, KillMode::None];
    if random.chance(300) {
        kill.mode = random.pick(&modes).copied().unwrap_or_default();
    }
}

/// mount(8) or umount(8): most do what they say.
pub fn program(phase: Phase, other: Program, random: &mut Random) -> Program {
    if random.chance(40) {
        return other;
    }
    let (after, status) = (random.below(2 * SECOND), status(random));
    let does = random.chance(if status == ExitStatus::Code(0) { 970 } else { 50 });
    let mounts_after = (does && phase != Phase::Reload).then(|| random.below(after + 1));
    Program { life: Life::Ends { after, status }, mounts_after, ..other }
}

pub fn change(names: &[UnitName], random: &mut Random, machine: &mut Machine) {
    for unit in names.iter().filter(|name| name.kind() == UnitKind::Mount) {
        for _ in 0..random.below(6) {
            let change = if random.chance(500) { Change::Mount } else { Change::Unmount };
            machine.change_mount(random.below(BUSY), unit.clone(), change);
        }
    }
}
