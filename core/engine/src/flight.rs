//! The last things an engine heard, with what it was before: enough to have it decide the same once more, anywhere. One
//! file of it is a bug report.
//!
//! A recorder holds a state and all that was heard since. When that is twice as much as is wanted a second state is taken, and
//! when as much as is wanted was heard since that one, the first is dropped with what was heard in between.

use crate::api::{Input, Moment};
use crate::engine::{Engine, ExitMeans, Settings};
use crate::graph::Graph;
use crate::limits;
use crate::record::Record;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a flight begins with; the number changes whenever anything in it is laid out anew.
const MAGIC: &[u8] = b"eudaemon flight ";
const VERSION: &[u8] = b"5\n";
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
    /// A later state, taken when so many events were there.
    next: Option<(usize, Graph, Vec<Record>)>,
}

impl Recorder {
    pub fn new(keeps: usize) -> Recorder {
        Recorder { keeps, flight: None, next: None }
    }

    /// The engine is about to hear this.
    pub fn hear(&mut self, engine: &Engine, now: Moment, input: &Input) {
        if engine.graph.len() > limits::FLIGHT_UNITS {
            (self.flight, self.next) = (None, None);
            return;
        }
        let flight = self.flight.get_or_insert_with(|| set_out(engine));
        let heard = flight.heard.len();
        if heard >= 2 * self.keeps && self.next.is_none() {
            self.next = Some((heard, engine.graph.clone(), engine.freeze()));
        }
        if heard >= 3 * self.keeps
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
