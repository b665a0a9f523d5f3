//! Ring files as bytes: good ones to spoil, and a producer that writes what it likes.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use millpond_linux::directory::Directory;
use millpond_linux::identity::{ProcessIdentity, random_id};
use millpond_linux::ring_file::{BirthAnchor, ClockKind, RingFile, RingKind, RingSpec};
use millpond_std::SystemClock;

use crate::support::Place;

/// Where fields of a ring file stand, as docs/wire-format.md has it (pages of 4096 bytes).
pub(crate) const BYTE_ORDER: usize = 8;
pub(crate) const MAJOR: usize = 12;
pub(crate) const INCOMPATIBLE: usize = 16;
pub(crate) const PAGE_SIZE: usize = 28;
pub(crate) const CAPACITY: usize = 36;
const DATA: usize = 56;
pub(crate) const BOOT_ID: usize = 64;
pub(crate) const CLOCK_KIND: usize = 156;
const TAIL: u64 = 4096;
pub(crate) const STATE: u64 = 4096 + 4;
pub(crate) const ATTEMPTED: u64 = 4096 + 8;
pub(crate) const FLUSH_REQUESTS: u64 = 4096 + 24;
pub(crate) const DROPPED: u64 = 4096 + 128;
pub(crate) const OWNER: u64 = 4096 + 1024;

pub(crate) const TEXT: u8 = 2;
pub(crate) const INFO: u8 = 2;

/// What the stamps of this machine's rings count.
pub(crate) fn clock_kind() -> ClockKind {
    SystemClock::detect().kind().into()
}

/// The bytes of a ring file that a master would take, of a worker of this process that has no
/// keeper; each call another ring.
pub(crate) fn good(name: &str, birth: BirthAnchor) -> Vec<u8> {
    let elsewhere = Place::new();
    let directory = Directory::open(&elsewhere.pond()).unwrap();
    let identity = ProcessIdentity::of_this_process().unwrap();
    let spec = RingSpec {
        kind: RingKind::Records,
        capacity: 4096,
        table_length: 0,
        worker_id: random_id().unwrap(),
        worker_name: name,
        identity: &identity,
        tid: identity.pid,
        clock_kind: clock_kind(),
        birth,
    };
    let mut file = RingFile::create(&directory, &spec).unwrap();
    file.publish().unwrap();
    std::fs::read(file.path()).unwrap()
}

/// Puts a file into the directory as a whole, as the loggers do.
pub(crate) fn put(pond: &Path, name: &str, bytes: &[u8]) {
    let draft = pond.join(format!(".{name}"));
    std::fs::write(&draft, bytes).unwrap();
    std::fs::rename(draft, pond.join(name)).unwrap();
}

/// Writes into the ring of a worker that writes nothing itself meanwhile.
pub(crate) struct Scribbler {
    file: File,
    data: u64,
    capacity: u32,
    pub(crate) tail: u32,
}

/// A frame to be written, good unless it is made bad.
#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) length: Option<u32>,
    pub(crate) kind: u8,
    pub(crate) level: u8,
    pub(crate) flags: u16,
    pub(crate) ticks: u64,
    pub(crate) payload: Vec<u8>,
}

impl Forged {
    pub(crate) fn text(text: &str) -> Self {
        let ticks = SystemClock::detect().now();
        Self { length: None, kind: TEXT, level: INFO, flags: 0, ticks, payload: text.into() }
    }
}

impl Scribbler {
    pub(crate) fn open(path: &Path) -> Self {
        let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let mut this = Self { file, data: 0, capacity: 0, tail: 0 };
        this.data = this.read_u32(DATA as u64).into();
        this.capacity = this.read_u32(CAPACITY as u64);
        this.tail = this.read_u32(TAIL);
        this
    }

    fn read_u32(&self, at: u64) -> u32 {
        let mut bytes = [0; 4];
        self.file.read_exact_at(&mut bytes, at).unwrap();
        u32::from_ne_bytes(bytes)
    }

    pub(crate) fn write(&self, at: u64, bytes: &[u8]) {
        self.file.write_all_at(bytes, at).unwrap();
    }

    /// Writes a frame behind the tail and publishes it.
    pub(crate) fn publish(&mut self, frame: &Forged) {
        let length = 24 + frame.payload.len() as u32;
        let mut bytes = frame.length.unwrap_or(length).to_le_bytes().to_vec();
        bytes.extend([frame.kind, frame.level]);
        bytes.extend(frame.flags.to_le_bytes());
        bytes.extend(frame.ticks.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(&frame.payload);
        self.publish_bytes(&bytes);
    }

    /// Writes anything behind the tail and publishes it.
    pub(crate) fn publish_bytes(&mut self, bytes: &[u8]) {
        let offset = self.tail % self.capacity;
        assert!(offset as usize + bytes.len() <= self.capacity as usize, "near the end");
        self.write(self.data + u64::from(offset), bytes);
        self.set_tail(self.tail + (bytes.len() as u32).next_multiple_of(8));
    }

    pub(crate) fn set_tail(&mut self, tail: u32) {
        self.tail = tail;
        self.write(TAIL, &tail.to_ne_bytes());
    }
}
