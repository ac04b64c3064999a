//! The last things an engine heard, with what it was before: enough to have it decide the same once more, anywhere. One
//! file of it is a bug report.
//!
//! A recorder holds a state and all that was heard since. When that is twice as much as is wanted a second state is taken, and
//! when as much as is wanted was heard since that one, the first is dropped with what was heard in between. Units that were read
//! anew hold the texts they had before: when half of all were, that is as much as is wanted.

use crate::api::{Event, Input, Moment};
use crate::engine::{Engine, ExitMeans, Settings};
use crate::graph::Graph;
use crate::limits;
use crate::record::Record;
use eudaemon_unit::config::Config;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What a flight begins with; the number changes whenever anything in it is laid out anew.
const MAGIC: &[u8] = b"eudaemon flight ";
const VERSION: &[u8] = b"8\n";
/// Length and checksum of what follows.
const HEADER: usize = 16;

/// Some steps of an engine, and where they set out from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flight {
    /// Of the program that wrote it.
    pub program: String,
    exit: ExitMeans,
    seed: u64,
    graph: Graph,
    records: Vec<Record>,
    pub heard: Vec<(Moment, Input)>,
}

/// Why bytes are no flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    Foreign,
    OtherVersion(String),
    /// Bytes that are there, and that there were.
    CutShort(u64, u64),
    Damaged,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Foreign => {
                f.write_str("is no flight of eudaemon: expected a file of 'eudaemon flight save'")
            }
            Unreadable::OtherVersion(version) => {
                let ours = String::from_utf8_lossy(VERSION);
                let ours = ours.trim_end();
                write!(f, "is a flight of format {version}, and this version of eudaemon reads format {ours}")
            }
            Unreadable::CutShort(here, all) => write!(f, "is cut short: {here} of {all} bytes are there"),
            Unreadable::Damaged => f.write_str("is damaged: its checksum does not hold"),
        }
    }
}

impl Flight {
    /// The engine as it was before the first event.
    pub fn engine(&self) -> Engine {
        let settings = Settings { exit: self.exit };
        Engine::restore_on(self.seed, settings, self.graph.clone(), self.records.clone())
    }

    pub fn units(&self) -> usize {
        self.graph.len()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let body = postcard::to_allocvec(self).unwrap_or_default();
        let mut bytes = [MAGIC, VERSION].concat();
        bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&checksum(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Flight, Unreadable> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Unreadable::Foreign)?;
        let Some(rest) = rest.strip_prefix(VERSION) else {
            let version: Vec<u8> = rest.iter().copied().take(8).take_while(u8::is_ascii_digit).collect();
            return Err(Unreadable::OtherVersion(String::from_utf8_lossy(&version).into_owned()));
        };
        let number = |place: usize| -> Option<u64> {
            rest.get(place..place + 8)?.try_into().ok().map(u64::from_le_bytes)
        };
        let (Some(length), Some(sum)) = (number(0), number(8)) else {
            return Err(Unreadable::CutShort(rest.len() as u64, HEADER as u64));
        };
        let body = &rest[HEADER..];
        if (body.len() as u64) < length {
            return Err(Unreadable::CutShort(body.len() as u64, length));
        }
        if body.len() as u64 != length || checksum(body) != sum {
            return Err(Unreadable::Damaged);
        }
        let flight: Flight = postcard::from_bytes(body).map_err(|_| Unreadable::Damaged)?;
        if flight.graph.is_sound() { Ok(flight) } else { Err(Unreadable::Damaged) }
    }
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Keeps what an engine hears.
#[derive(Debug)]
pub struct Recorder {
    /// How many of the last events are there at least, once there were so many.
    keeps: usize,
    flight: Option<Flight>,
    /// Units that were read anew since that set out, or since the later state.
    replaced: usize,
    /// A later state, taken when so many events were there.
    next: Option<(usize, Graph, Vec<Record>)>,
}

impl Recorder {
    pub fn new(keeps: usize) -> Recorder {
        Recorder { keeps, flight: None, replaced: 0, next: None }
    }

    /// The engine is about to hear this.
    pub fn hear(&mut self, engine: &Engine, now: Moment, input: &Input) {
        if engine.graph.len() > limits::FLIGHT_UNITS {
            *self = Recorder::new(self.keeps);
            return;
        }
        let flight = self.flight.get_or_insert_with(|| set_out(engine));
        let heard = flight.heard.len();
        let most = (engine.graph.len() / 2).max(self.keeps / 4).max(1);
        if self.next.is_none() && (heard >= 2 * self.keeps || self.replaced >= most) {
            self.next = Some((heard, engine.graph.clone(), engine.freeze()));
            self.replaced = 0;
        }
        self.replaced += replaced(engine, input);
        if let Some((over, ..)) = &self.next
            && (heard >= over + self.keeps || self.replaced >= most)
            && let Some((over, graph, records)) = self.next.take()
        {
            flight.heard.drain(..over);
            (flight.graph, flight.records) = (graph, records);
        }
        flight.heard.push((now, input.clone()));
    }

    pub fn flight(&self, engine: &Engine) -> Flight {
        self.flight.clone().unwrap_or_else(|| set_out(engine))
    }
}

/// How many units are something else after this than what the engine has.
fn replaced(engine: &Engine, input: &Input) -> usize {
    let Input::Fact(Event::Loaded(units)) = input else { return 0 };
    let is_other = |unit: &&Arc<Config>| {
        engine.graph.id(&unit.name).is_some_and(|id| !Arc::ptr_eq(engine.graph.config(id), unit))
    };
    units.iter().filter(is_other).count()
}

fn set_out(engine: &Engine) -> Flight {
    Flight {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        exit: engine.settings.exit,
        seed: engine.counters.seed,
        graph: engine.graph.clone(),
        records: engine.freeze(),
        heard: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eudaemon_unit::config::LoadState;
    use eudaemon_unit::name::UnitName;
    use std::sync::Weak;

    /// However often all units are read anew, no more than their last two configurations are held; and what is left of the
    /// flight ends as the engine did.
    #[test]
    fn reloads_without_end_are_not_kept() {
        let mut engine = Engine::new(7, Settings::default());
        let mut recorder = Recorder::new(1024);
        let names: Vec<UnitName> =
            (0..600).map(|number| UnitName::parse(&format!("u{number}.target")).unwrap()).collect();
        let mut first: Vec<Weak<Config>> = Vec::new();
        for turn in 0..50 {
            let units = names.iter().map(|name| {
                let mut config = Config::bare(name.clone(), LoadState::Loaded);
                config.unit.description = format!("{turn}");
                Arc::new(config)
            });
            let units: Vec<Arc<Config>> = units.collect();
            first.extend(units.first().map(Arc::downgrade));
            let (now, input) =
                (Moment { monotonic: turn, realtime: turn }, Input::Fact(Event::Loaded(units)));
            recorder.hear(&engine, now, &input);
            engine.step(now, input);
        }
        let held = first.iter().filter(|config| config.strong_count() > 0).count();
        assert!(held <= 2, "{held} of 50 are held");
        let flight = recorder.flight(&engine);
        let mut again = flight.engine();
        for (now, input) in flight.heard {
            again.step(now, input);
        }
        let description = |engine: &Engine| engine.config(&names[0]).map(|it| it.unit.description.clone());
        assert_eq!(description(&again), description(&engine));
    }

    #[test]
    fn what_is_no_whole_flight_is_refused_with_why() {
        let engine = Engine::new(7, Settings::default());
        let mut recorder = Recorder::new(4);
        recorder.hear(&engine, Moment::default(), &Input::Tick);
        let bytes = recorder.flight(&engine).to_bytes();
        let told = |bytes: &[u8]| Flight::from_bytes(bytes).map(|flight| flight.heard.len());
        assert_eq!(told(&bytes), Ok(1));
        assert_eq!(told(b"PK\x03\x04"), Err(Unreadable::Foreign));
        assert_eq!(told(b"eudaemon flight 12\nxyz"), Err(Unreadable::OtherVersion("12".into())));
        for end in MAGIC.len() + VERSION.len()..bytes.len() {
            assert!(matches!(told(&bytes[..end]), Err(Unreadable::CutShort(..))), "{end}");
        }
        let mut damaged = bytes.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(told(&damaged), Err(Unreadable::Damaged));
        assert_eq!(told(&[&bytes[..], b"x"].concat()), Err(Unreadable::Damaged));
    }
}
