//! Services in random worlds that are asked whether they are well, and what they answer.

use super::command;
use crate::program::Probed;
use crate::random::Random;
use eudaemon_unit::config::health::{Gate, Health, OnUnhealthy};
use eudaemon_unit::config::service::{Service, ServiceType};
use eudaemon_unit::config::{Body, Config};
use eudaemon_unit::span::{SECOND, Span};
use eudaemon_unit::values::endpoint::parse_url;
use std::net::SocketAddr;

pub fn add(configs: &mut [Config], random: &mut Random) {
    for config in configs {
        if let Body::Service(service) = &mut config.body
            && service.kind != ServiceType::Oneshot
            && random.chance(800)
        {
            any_health(service, random);
        }
    }
}

fn any_health(service: &mut Service, random: &mut Random) {
    let mut health = Health {
        interval: Span::milliseconds(random.between(200, 10_000)),
        timeout: Span::milliseconds(random.between(100, 3_000)),
        retries: random.between(1, 4) as u32,
        ..Health::default()
    };
    let what = random.between(1, 8);
    if what & 1 != 0 {
        health.tcp = Some(SocketAddr::from(([127, 0, 0, 1], 80)));
    }
    if what & 2 != 0 {
        health.http = parse_url("http://127.0.0.1/").ok();
    }
    while what & 4 != 0 && (health.exec.is_empty() || random.chance(300)) {
        health.exec.push(command("ask", random));
    }
    if random.chance(400) {
        health.start_period = Span::milliseconds(random.between(1, 10_000));
    }
    if random.chance(400) {
        health.gate = Gate::Start;
    }
    let actions = [OnUnhealthy::Nothing, OnUnhealthy::Stop, OnUnhealthy::Restart, OnUnhealthy::Restart];
    health.on_unhealthy = random.pick(&actions).copied().unwrap_or_default();
    service.health = Some(Box::new(health));
}

/// Well most of the time, and not always in time.
pub fn probed(random: &mut Random) -> Probed {
    match random.below(20) {
        0 => Probed::Never,
        1..4 => Probed::Answered(random.below(9 * SECOND), Ok(())),
        4..10 => Probed::Answered(random.below(SECOND), Err("it is not well".to_owned())),
        _more => Probed::Answered(random.between(10, SECOND / 2), Ok(())),
    }
}
