//! A worker in a tokio runtime: it does a piece of work every second, answers a watchdog, and tells what it does by
//! `tracing`, to the journal with its fields where there is one.
//!
//! ```text
//! cargo run -p eudaemon-kit --features tokio,tracing --example worker
//! ```
//! As a unit: `Type=notify`, `WatchdogSec=5`.

use eudaemon_kit::{Daemon, Handle, Layer, Life, Moment, Result};
use std::process::ExitCode;
use std::time::Duration;
use tracing::{info, warn};
use tracing_subscriber::layer::SubscriberExt;

/// How long there is nothing to do between two pieces of work.
const PAUSE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    Daemon::new("worker").stop_within(Duration::from_secs(5)).run_async(serve)
}

async fn serve(life: &mut Life) -> Result<()> {
    let registry = tracing_subscriber::registry().with(Layer::new(life.handle()));
    tracing::subscriber::set_global_default(registry).unwrap_or_default();
    tokio::spawn(work(life.handle()));
    life.ready()?;
    loop {
        match life.next().await? {
            Moment::Stop => return Ok(()),
            Moment::Reload(reload) => {
                info!("nothing to read again");
                reload.done();
            }
            Moment::Readable(_) | Moment::TimeOver => {}
        }
    }
}

/// Works until the daemon stops; a stop waits for the piece that is being worked at.
async fn work(daemon: Handle) {
    for piece in 1_u64.. {
        if daemon.is_stopping() {
            return;
        }
        let guest = daemon.guest();
        daemon.status(format!("working at piece {piece}"));
        info!(piece, "worked");
        drop(guest);
        tokio::time::sleep(PAUSE).await;
    }
    warn!("no more pieces");
}
