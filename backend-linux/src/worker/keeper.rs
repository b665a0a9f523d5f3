//! The keeper: one thread for each worker process that proves it alive.
//!
//! It holds the owner word, which the kernel marks when the process dies, and writes heartbeats
//! into a small ring of its own. Nothing on the data path waits for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use millpond_core::Level;
use millpond_core::frame::{Flags, Heartbeat, Kind};
use millpond_core::ring::{Entry, Producer as Ring};
use millpond_std::SystemClock;

use super::session::{Settings, producer_of, spec};
use crate::directory::Directory;
use crate::error::{Error, ErrorKind};
use crate::identity::ProcessIdentity;
use crate::owner::OwnerWord;
use crate::ring_file::{MappedStorage, RingFile, RingKind};

/// Bytes of a keeper's ring: room for a hundred heartbeats that no master has read.
const CAPACITY: u32 = 8 * 1024;

/// A handle of the keeper's thread.
#[derive(Debug)]
pub(super) struct Keeper {
    /// Dropped to end the thread; `Some` while it runs.
    end: Mutex<Option<End>>,
}

#[derive(Debug)]
struct End {
    stop: Sender<()>,
    ended: Receiver<()>,
}

impl Keeper {
    /// Starts the thread and waits until its file is in the directory, so that no ring of this
    /// worker is ever there without its owner word.
    pub(super) fn start(
        settings: &Settings,
        directory: &Directory,
        identity: &ProcessIdentity,
        worker_id: u64,
    ) -> Result<Self, Error> {
        let (stop, stopped) = channel();
        let (ending, ended) = channel();
        let (ready, started) = channel();
        let settings = settings.clone();
        let directory = directory.clone();
        let identity = identity.clone();
        let path = directory.path().to_owned();
        let run = move || {
            let keep = || {
                let spec = spec(&settings, &identity, worker_id, RingKind::Keeper, CAPACITY);
                let mut file = RingFile::create(&directory, &spec)?;
                let owner = OwnerWord::take_on_this_thread(file.storage())?;
                file.publish()?;
                Ok((producer_of(&file), owner, file))
            };
            match keep() {
                Ok((ring, owner, file)) => {
                    let _ = ready.send(Ok(()));
                    beat(ring, settings.clock, settings.heartbeat_interval, &stopped);
                    drop(owner);
                    // Never unmapped before the owner word is released.
                    drop(file);
                }
                Err(error) => drop(ready.send(Err(error))),
            }
            drop(ending);
        };
        let no_thread = |source: std::io::Error| {
            let (problem, advice) = ("no keeper thread", "look at ulimit -u");
            Error::new(ErrorKind::System, "keep", &path, problem, advice).with_source(source)
        };
        std::thread::Builder::new()
            .name("millpond-keeper".to_owned())
            .spawn(run)
            .map_err(no_thread)?;
        match started.recv() {
            Ok(started) => started?,
            Err(_) => return Err(no_thread(std::io::ErrorKind::Other.into())),
        }
        Ok(Self { end: Mutex::new(Some(End { stop, ended })) })
    }

    /// Ends the thread in good order and waits for that.
    pub(super) fn end(&self) {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(End { stop, ended }) = end {
            drop(stop);
            // An error is what is waited for: the thread has dropped its end.
            let _ = ended.recv();
        }
    }
}

/// Checks in until told to stop, then says so.
fn beat(
    mut ring: Ring<MappedStorage>,
    clock: SystemClock,
    interval: Duration,
    stopped: &Receiver<()>,
) {
    let start = Instant::now();
    loop {
        let heartbeat = Heartbeat {
            next_checkin_ns: nanoseconds(interval),
            uptime_ns: nanoseconds(start.elapsed()),
        };
        say(&mut ring, clock, Kind::Heartbeat, &heartbeat.to_bytes());
        match stopped.recv_timeout(interval) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    say(&mut ring, clock, Kind::Shutdown, &[]);
    ring.close();
}

/// Without a master the ring fills up; then a heartbeat has no reader anyway.
fn say(ring: &mut Ring<MappedStorage>, clock: SystemClock, kind: Kind, payload: &[u8]) {
    let level = Level::Error; // finds room to the last byte
    let entry = Entry { kind, level, flags: Flags::NONE, ticks: clock.now(), site: 0 };
    let _ = ring.try_insert(entry, payload.len() as u32, |claim| {
        claim.put(payload);
    });
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
