//! An entry at a Consul agent: <https://developer.hashicorp.com/consul/api-docs/agent/service> and `…/agent/check`.
//!
//! ```text
//!             registered                        no such check
//! away ─────────────────────► there ───────────────────────────► away
//!  ▲ └─ failed: pause, again    └─ sign of life, or a look whether it is still there, every round
//! ```

use super::agent::{Agent, Answer};
use super::term::{Pauses, Rest, Term, Trouble};
use super::{Entry, Health};
use crate::limits::{LOOKED_FOR_AT_MOST_EVERY, LOOKED_FOR_EVERY, REGISTRY_ANSWERS_WITHIN, TAKEN_BACK_WITHIN};
use serde::Serialize;
use std::net::IpAddr;
use std::time::Duration;

/// How long a check may be critical before the agent takes the entry away: the shortest time that agents take.
const TAKEN_AWAY_AFTER: &str = "1m";

/// What is known of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// It was never asked for.
    Never,
    /// It may be there: an answer was lost, or the agent began anew.
    Perhaps,
    There,
}

/// Keeps the entry until the term is over, then takes it back.
pub(super) fn stand(entry: &Entry, agent: &Agent, term: &Term) {
    let what = format!("{} at Consul's agent {}", entry.name, agent.shown());
    let mut trouble = Trouble::new(&term.log, what);
    let mut pauses = Pauses::new();
    let mut known = Known::Never;
    let round = round(&entry.health);
    loop {
        let outcome = match known {
            Known::Never | Known::Perhaps => {
                known = Known::Perhaps;
                register(entry, agent).map(|()| Known::There)
            }
            Known::There => keep(entry, agent, term),
        };
        let pause = match outcome {
            Ok(now) => {
                known = now;
                if known == Known::There {
                    trouble.is_over();
                    pauses = Pauses::new();
                    round
                } else {
                    Duration::ZERO
                }
            }
            Err(reason) => {
                trouble.begins(&reason);
                // A sign of life is due all the same.
                if known == Known::There { pauses.next().min(round) } else { pauses.next() }
            }
        };
        if term.rest(pause) == Rest::Over {
            break;
        }
    }
    if known != Known::Never
        && let Err(reason) = take_back(entry, agent)
    {
        trouble.lasts(&reason);
    }
}

/// How often the agent hears of us.
fn round(health: &Health) -> Duration {
    match health {
        // Twice in time even if one is lost.
        Health::Ttl(within) => *within / 3,
        // No more often than the agent itself looks at us.
        Health::Http(_, every) | Health::Tcp(every) => {
            (*every).clamp(LOOKED_FOR_AT_MOST_EVERY, LOOKED_FOR_EVERY)
        }
    }
}

fn register(entry: &Entry, agent: &Agent) -> Result<(), String> {
    let body = serde_json::to_vec(&Registration::of(entry)).map_err(|error| error.to_string())?;
    let path = "/v1/agent/service/register?replace-existing-checks=true";
    agent.put(path, &body, REGISTRY_ANSWERS_WITHIN)?.good().map(drop)
}

/// A sign of life, or a look whether the entry is still there.
fn keep(entry: &Entry, agent: &Agent, term: &Term) -> Result<Known, String> {
    let answer = match &entry.health {
        Health::Ttl(within) => {
            let silence = term.pulse.silence();
            let body = serde_json::to_vec(&Sign::of(silence, *within)).map_err(|error| error.to_string())?;
            agent.put(
                &format!("/v1/agent/check/update/{}", check_id(entry)),
                &body,
                REGISTRY_ANSWERS_WITHIN,
            )?
        }
        Health::Http(..) | Health::Tcp(_) => {
            agent.get(&format!("/v1/agent/service/{}", entry.id), REGISTRY_ANSWERS_WITHIN)?
        }
    };
    if forgot(&answer) { Ok(Known::Perhaps) } else { answer.good().map(|_| Known::There) }
}

/// Whether the agent knows nothing of what was asked about. Older ones say so by 500 and in words.
fn forgot(answer: &Answer) -> bool {
    const WORDS: [&str; 3] = ["does not have associated TTL", "Unknown check", "Unknown service"];
    answer.status == 404 || answer.status == 500 && WORDS.iter().any(|words| answer.text.contains(words))
}

fn take_back(entry: &Entry, agent: &Agent) -> Result<(), String> {
    let answer = agent.put(&format!("/v1/agent/service/deregister/{}", entry.id), b"", TAKEN_BACK_WITHIN)?;
    // It is not there: that is what was wanted.
    if forgot(&answer) { Ok(()) } else { answer.good().map(drop) }
}

fn check_id(entry: &Entry) -> String {
    format!("service:{}", entry.id)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Registration<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    check: Check,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    #[serde(rename = "CheckID")]
    check_id: String,
    #[serde(rename = "TTL", skip_serializing_if = "Option::is_none")]
    ttl: Option<String>,
    /// We are ready: that is how we came here.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(rename = "HTTP", skip_serializing_if = "Option::is_none")]
    http: Option<String>,
    #[serde(rename = "TCP", skip_serializing_if = "Option::is_none")]
    tcp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<String>,
    deregister_critical_service_after: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sign {
    status: &'static str,
    output: String,
}

impl Registration<'_> {
    fn of(entry: &Entry) -> Registration<'_> {
        let host = match entry.address {
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            Some(IpAddr::V4(address)) => address.to_string(),
            // The agent that asks is this machine's.
            None => "127.0.0.1".to_owned(),
        };
        // What is asked for has one.
        let place = format!("{host}:{}", entry.port.unwrap_or_default());
        let mut check = Check {
            check_id: check_id(entry),
            ttl: None,
            status: None,
            http: None,
            tcp: None,
            interval: None,
            deregister_critical_service_after: TAKEN_AWAY_AFTER,
        };
        match &entry.health {
            Health::Ttl(within) => {
                check.ttl = Some(as_go_says(*within));
                check.status = Some("passing");
            }
            Health::Http(path, every) => {
                check.http = Some(format!("http://{place}{path}"));
                check.interval = Some(as_go_says(*every));
            }
            Health::Tcp(every) => {
                check.tcp = Some(place);
                check.interval = Some(as_go_says(*every));
            }
        }
        let (id, name, tags) = (&*entry.id, &*entry.name, &*entry.tags);
        Registration { id, name, tags, address: entry.address, port: entry.port, check }
    }
}

impl Sign {
    fn of(silence: Duration, within: Duration) -> Sign {
        if silence <= within {
            Sign { status: "passing", output: "comes round".to_owned() }
        } else {
            Sign { status: "critical", output: format!("has not come round for {} s", silence.as_secs()) }
        }
    }
}

/// A time as Go's `time.ParseDuration` reads it.
fn as_go_says(time: Duration) -> String {
    format!("{}ms", time.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn entry(health: Health) -> Entry {
        Entry {
            id: "web-80".to_owned(),
            name: "web".to_owned(),
            port: Some(80),
            address: None,
            tags: Vec::new(),
            health,
        }
    }

    fn check(entry: &Entry, wanted: Expect) {
        wanted.assert_eq(&serde_json::to_string(&Registration::of(entry)).expect("plain"));
    }

    #[test]
    fn registrations() {
        let ttl = Entry {
            tags: vec!["v1".to_owned(), "a \"b\"".to_owned()],
            ..entry(Health::Ttl(Duration::from_secs(30)))
        };
        check(
            &ttl,
            expect![[
                r#"{"ID":"web-80","Name":"web","Tags":["v1","a \"b\""],"Port":80,"Check":{"CheckID":"service:web-80","TTL":"30000ms","Status":"passing","DeregisterCriticalServiceAfter":"1m"}}"#
            ]],
        );
        let nowhere =
            Entry { id: "web".to_owned(), port: None, ..entry(Health::Ttl(Duration::from_secs(30))) };
        check(
            &nowhere,
            expect![[
                r#"{"ID":"web","Name":"web","Check":{"CheckID":"service:web","TTL":"30000ms","Status":"passing","DeregisterCriticalServiceAfter":"1m"}}"#
            ]],
        );
        let http = entry(Health::Http("/healthz".to_owned(), Duration::from_secs(10)));
        check(
            &http,
            expect![[
                r#"{"ID":"web-80","Name":"web","Port":80,"Check":{"CheckID":"service:web-80","HTTP":"http://127.0.0.1:80/healthz","Interval":"10000ms","DeregisterCriticalServiceAfter":"1m"}}"#
            ]],
        );
        let six = Entry {
            address: Some("fd00::1".parse().expect("one")),
            ..entry(Health::Tcp(Duration::from_millis(1500)))
        };
        check(
            &six,
            expect![[
                r#"{"ID":"web-80","Name":"web","Address":"fd00::1","Port":80,"Check":{"CheckID":"service:web-80","TCP":"[fd00::1]:80","Interval":"1500ms","DeregisterCriticalServiceAfter":"1m"}}"#
            ]],
        );
    }

    #[test]
    fn agents_of_every_age_can_say_that_they_forgot() {
        for (status, text, wanted) in [
            (
                404,
                "Unknown check ID \"service:web-80\". Ensure that the check ID is passed, not the check name.",
                true,
            ),
            (500, "CheckID \"service:web-80\" does not have associated TTL", true),
            (500, "Unknown service ID \"web-80\"", true),
            (500, "No cluster leader", false),
            (403, "Permission denied", false),
            (200, "", false),
        ] {
            assert_eq!(forgot(&Answer { status, text: text.to_owned() }), wanted, "{status} {text}");
        }
    }

    #[test]
    fn a_sign_of_life_is_true() {
        let within = Duration::from_secs(3);
        assert_eq!(Sign::of(within, within).status, "passing");
        let unwell = Sign::of(Duration::from_secs(12), within);
        assert_eq!((unwell.status, &*unwell.output), ("critical", "has not come round for 12 s"));
    }
}
