//! What one worker process holds of a rendezvous directory.
//!
//! # Safety
//!
//! The one unsafe block makes the producer of a ring file that was just created.
#![allow(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use millpond_core::ring::{MAX_CAPACITY, MIN_CAPACITY, Producer as Ring};
use millpond_std::{Anchor, SystemClock};

use super::keeper::Keeper;
use crate::config::LoggerConfig;
use crate::directory::Directory;
use crate::doorbell::SharedDoorbell;
use crate::error::{Error, ErrorKind};
use crate::identity::{ProcessIdentity, random_id};
use crate::ring_file::{BirthAnchor, MappedStorage, RingFile, RingKind, RingSpec};

/// Bytes for call-site definitions in each ring.
const TABLE: u32 = 64 * 1024;
/// A ring is made smaller than asked for when the directory has room for fewer than this many.
const ROOM_FOR: u64 = 32;
/// But not smaller than this, unless there is no room at all.
const SMALL: u32 = 64 * 1024;

/// What every session of a worker is made from.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) name: String,
    path: PathBuf,
    capacity: u32,
    pub(super) clock: SystemClock,
    pub(super) heartbeat_interval: Duration,
}

impl Settings {
    pub(super) fn new(
        config: &LoggerConfig,
        name: &str,
        clock: SystemClock,
    ) -> Result<Self, Error> {
        let capacity = config.buffer_size.clamp(MIN_CAPACITY as usize, MAX_CAPACITY as usize);
        Ok(Self {
            name: name.to_owned(),
            path: config.directory()?,
            capacity: capacity.next_power_of_two() as u32,
            clock,
            heartbeat_interval: config.heartbeat_interval,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// One process's part in a directory: its keeper, and what is needed to make rings.
#[derive(Debug)]
pub(super) struct Session {
    directory: Directory,
    doorbell: SharedDoorbell,
    identity: ProcessIdentity,
    worker_id: u64,
    keeper: Keeper,
    /// Held while a ring is made: threads that start together would each take what is free for
    /// theirs alone.
    making: Mutex<()>,
}

impl Session {
    pub(super) fn start(settings: &Settings) -> Result<Self, Error> {
        let directory = Directory::open(&settings.path)?;
        let doorbell = SharedDoorbell::open(&directory)?;
        let identity = ProcessIdentity::of_this_process()?;
        let worker_id = random_id()?;
        let keeper = Keeper::start(settings, &directory, &identity, worker_id)?;
        let making = Mutex::new(());
        Ok(Self { directory, doorbell, identity, worker_id, keeper, making })
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(super) fn doorbell(&self) -> &SharedDoorbell {
        &self.doorbell
    }

    /// Ends the keeper in good order.
    pub(super) fn end(&self) {
        self.keeper.end();
        if self.doorbell.doorbell().must_wake() {
            self.doorbell.wake();
        }
    }

    /// Makes and publishes a ring for records. Where shared memory is scarce it is smaller than
    /// asked for.
    pub(super) fn make_ring(&self, settings: &Settings) -> Result<Ring<MappedStorage>, Error> {
        let _alone = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let mut capacity = settings.capacity;
        let free = self.directory.free_bytes().unwrap_or(u64::MAX);
        while capacity > SMALL && u64::from(capacity) * ROOM_FOR > free {
            capacity /= 2;
        }
        loop {
            let spec = spec(settings, &self.identity, self.worker_id, RingKind::Records, capacity);
            match make(&self.directory, &spec) {
                Err(error) if error.kind() == ErrorKind::NoSpace && capacity > MIN_CAPACITY => {
                    capacity /= 2;
                }
                made => return made,
            }
        }
    }
}

pub(super) fn spec<'a>(
    settings: &'a Settings,
    identity: &'a ProcessIdentity,
    worker_id: u64,
    kind: RingKind,
    capacity: u32,
) -> RingSpec<'a> {
    let anchor = Anchor::now(settings.clock);
    RingSpec {
        kind,
        capacity,
        // A scarce ring has no room to spare for call sites: their records travel as text.
        table_length: if kind == RingKind::Records && capacity >= SMALL { TABLE } else { 0 },
        worker_id,
        worker_name: &settings.name,
        identity,
        tid: rustix::thread::gettid().as_raw_pid().unsigned_abs(),
        clock_kind: settings.clock.kind().into(),
        birth: BirthAnchor {
            ticks: anchor.ticks,
            monotonic_ns: anchor.monotonic_ns,
            wall_ns: u64::try_from(anchor.wall_ns).unwrap_or(0),
        },
    }
}

fn make(directory: &Directory, spec: &RingSpec<'_>) -> Result<Ring<MappedStorage>, Error> {
    let mut file = RingFile::create(directory, spec)?;
    file.publish()?;
    Ok(producer_of(&file))
}

/// The producer of a file that was just created; to be called once for each file.
pub(super) fn producer_of(file: &RingFile) -> Ring<MappedStorage> {
    // SAFETY: both callers have just created the file and call this once, so there is no other
    // producer. A fresh file is zeros: both positions are zero and the table is empty.
    unsafe { Ring::new(file.storage().clone(), 0) }
}
