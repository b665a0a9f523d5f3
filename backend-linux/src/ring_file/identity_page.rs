//! The first page of a ring file: who made it, when, and where its parts stand.
//!
//! This is a layout that processes share. All fields are little-endian but the byte-order mark in
//! the head.
//!
//! ```text
//!    0 head             24 bytes  magic "mp-ring\x1a", stored last: also means "ready"; byte
//!                       order, version, feature bits: see `file_head`
//!   24 header size      u32  bytes of this page that have a meaning
//!   28 page size        u32  P of `layout`
//!   32 kind             u32  1 records, 2 keeper
//!   36 capacity         u32  bytes of data
//!   40 table length     u32  bytes
//!   44 producer page    u32  offset of
//!   48 consumer page    u32  offset of
//!   52 table            u32  offset of
//!   56 data             u32  offset of
//!   60 owner word       u32  offset of
//!   64 boot id          16 bytes
//!   80 ring id          u64  random, not zero
//!   88 worker id        u64  random, one for each worker logger
//!   96 start time       u64  of the process, clock ticks after boot
//!  104 pid namespace    u64  inode
//!  112 time offset      i64  ns that the time namespace adds to CLOCK_MONOTONIC
//!  120 birth ticks      u64 ┐
//!  128 birth monotonic  u64 ├ read together when the ring was made; ns
//!  136 birth wall       u64 ┘
//!  144 pid              u32
//!  148 tid              u32
//!  152 uid              u32
//!  156 clock kind       u32  1 monotonic ns, 2 TSC, 3 CNTVCT
//!  160 worker name      u16  its length
//!  162 process name     u16  its length
//!  164 zero             u32
//!  168 worker name      128 bytes, UTF-8
//!  296 process name      64 bytes, UTF-8
//!  360 ... P            zero; `header size` is 384
//! ```
//!
//! It is read into private memory before anything is believed, and everything in it is checked:
//! on any bytes, decoding returns an identity or a [`Refusal`].

use static_assertions::const_assert;

use super::layout::{
    CAPACITY_EXPECTED, MAX_FILE, MAX_PAGE, MIN_FILE, MIN_PAGE, Offsets, TABLE_LENGTH_EXPECTED,
    is_capacity, is_table_length,
};
use crate::existing::Refusal;
use crate::file_head::{self, HEAD, bytes_at};
use crate::identity::ProcessIdentity;

pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"mp-ring\x1a");
pub(super) const HEADER_SIZE: usize = 384;

/// Bytes of the longest worker name; more are cut off.
pub const MAX_WORKER_NAME: usize = 128;
/// Bytes of the longest process name; more are cut off.
pub const MAX_PROCESS_NAME: usize = 64;

const HEADER_SIZE_AT: usize = HEAD;
const PAGE_SIZE_AT: usize = 28;
const KIND_AT: usize = 32;
pub(super) const CAPACITY_AT: usize = 36;
const TABLE_LENGTH_AT: usize = 40;
const PRODUCER_AT: usize = 44;
const CONSUMER_AT: usize = 48;
const TABLE_AT: usize = 52;
pub(super) const DATA_AT: usize = 56;
const OWNER_AT: usize = 60;
const BOOT_ID_AT: usize = 64;
const RING_ID_AT: usize = 80;
const WORKER_ID_AT: usize = 88;
const START_TIME_AT: usize = 96;
const PID_NAMESPACE_AT: usize = 104;
const TIME_OFFSET_AT: usize = 112;
const BIRTH_TICKS_AT: usize = 120;
const BIRTH_MONOTONIC_AT: usize = 128;
const BIRTH_WALL_AT: usize = 136;
const PID_AT: usize = 144;
const TID_AT: usize = 148;
const UID_AT: usize = 152;
const CLOCK_KIND_AT: usize = 156;
pub(super) const WORKER_NAME_LENGTH_AT: usize = 160;
const PROCESS_NAME_LENGTH_AT: usize = 162;
const WORKER_NAME_AT: usize = 168;
const PROCESS_NAME_AT: usize = 296;

// The fields follow each other without holes, so a number that was changed alone is noticed.
#[rustfmt::skip]
const _: () = {
    let fields = [
        (0, HEAD), (HEADER_SIZE_AT, 4), (PAGE_SIZE_AT, 4), (KIND_AT, 4), (CAPACITY_AT, 4),
        (TABLE_LENGTH_AT, 4), (PRODUCER_AT, 4), (CONSUMER_AT, 4), (TABLE_AT, 4), (DATA_AT, 4),
        (OWNER_AT, 4), (BOOT_ID_AT, 16), (RING_ID_AT, 8), (WORKER_ID_AT, 8), (START_TIME_AT, 8),
        (PID_NAMESPACE_AT, 8), (TIME_OFFSET_AT, 8), (BIRTH_TICKS_AT, 8), (BIRTH_MONOTONIC_AT, 8),
        (BIRTH_WALL_AT, 8), (PID_AT, 4), (TID_AT, 4), (UID_AT, 4), (CLOCK_KIND_AT, 4),
        (WORKER_NAME_LENGTH_AT, 2), (PROCESS_NAME_LENGTH_AT, 2), (164, 4),
        (WORKER_NAME_AT, MAX_WORKER_NAME), (PROCESS_NAME_AT, MAX_PROCESS_NAME), (360, 24),
    ];
    let mut next = 0;
    let mut i = 0;
    while i < fields.len() {
        assert!(fields[i].0 == next, "a field does not follow the one before");
        next += fields[i].1;
        i += 1;
    }
    assert!(next == HEADER_SIZE);
};
const_assert!(HEADER_SIZE <= MIN_PAGE as usize);

/// What a ring carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum RingKind {
    /// The records of one thread.
    Records = 1,
    /// The heartbeats of a worker; its file has the owner word.
    Keeper = 2,
}

/// What the ticks in a ring's frames count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ClockKind {
    /// Nanoseconds of CLOCK_MONOTONIC.
    MonotonicNs = 1,
    /// The time-stamp counter of x86-64.
    Tsc = 2,
    /// The virtual counter of aarch64.
    Cntvct = 3,
}

impl From<millpond_std::ClockKind> for ClockKind {
    fn from(kind: millpond_std::ClockKind) -> Self {
        match kind {
            millpond_std::ClockKind::Monotonic => ClockKind::MonotonicNs,
            millpond_std::ClockKind::Tsc => ClockKind::Tsc,
            millpond_std::ClockKind::Cntvct => ClockKind::Cntvct,
        }
    }
}

/// The same moment on three clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BirthAnchor {
    /// Ticks of the ring's clock.
    pub ticks: u64,
    /// Nanoseconds of CLOCK_MONOTONIC in the worker's time namespace.
    pub monotonic_ns: u64,
    /// Nanoseconds since 1970 (UTC).
    pub wall_ns: u64,
}

/// What a ring file says of itself: a private copy, checked for shape. Whether it is true is
/// another matter: it is the word of the process that made the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingIdentity {
    /// Random; names this ring for ever. Never zero.
    pub ring_id: u64,
    /// Random; the same in all rings of one worker logger.
    pub worker_id: u64,
    /// What it carries.
    pub kind: RingKind,
    /// Bytes of the data: a power of two.
    pub capacity: u32,
    /// Bytes of the call-site table.
    pub table_length: u32,
    /// The thread that made it, in its own pid namespace.
    pub tid: u32,
    /// What the ticks of its frames count.
    pub clock: ClockKind,
    /// When it was made.
    pub birth: BirthAnchor,
    /// The worker's name, at most [`MAX_WORKER_NAME`] bytes before repair of broken UTF-8.
    pub worker_name: String,
    /// The process that made it.
    pub process: ProcessIdentity,
}

impl RingIdentity {
    /// The head of the page without its magic, which is stored when all else stands.
    pub(super) fn encode(&self, offsets: &Offsets) -> [u8; HEADER_SIZE] {
        let mut page = [0; HEADER_SIZE];
        let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
        let process = &self.process;
        put(0, &file_head::encode(0));
        put(HEADER_SIZE_AT, &(HEADER_SIZE as u32).to_le_bytes());
        put(PAGE_SIZE_AT, &offsets.page.to_le_bytes());
        put(KIND_AT, &(self.kind as u32).to_le_bytes());
        put(CAPACITY_AT, &self.capacity.to_le_bytes());
        put(TABLE_LENGTH_AT, &self.table_length.to_le_bytes());
        put(PRODUCER_AT, &offsets.producer().to_le_bytes());
        put(CONSUMER_AT, &offsets.consumer().to_le_bytes());
        put(TABLE_AT, &offsets.table().to_le_bytes());
        put(DATA_AT, &offsets.data().to_le_bytes());
        put(OWNER_AT, &offsets.owner().to_le_bytes());
        put(BOOT_ID_AT, &process.boot_id);
        put(RING_ID_AT, &self.ring_id.to_le_bytes());
        put(WORKER_ID_AT, &self.worker_id.to_le_bytes());
        put(START_TIME_AT, &process.start_time.to_le_bytes());
        put(PID_NAMESPACE_AT, &process.pid_namespace.to_le_bytes());
        put(TIME_OFFSET_AT, &process.time_offset_ns.to_le_bytes());
        put(BIRTH_TICKS_AT, &self.birth.ticks.to_le_bytes());
        put(BIRTH_MONOTONIC_AT, &self.birth.monotonic_ns.to_le_bytes());
        put(BIRTH_WALL_AT, &self.birth.wall_ns.to_le_bytes());
        put(PID_AT, &process.pid.to_le_bytes());
        put(TID_AT, &self.tid.to_le_bytes());
        put(UID_AT, &process.uid.to_le_bytes());
        put(CLOCK_KIND_AT, &(self.clock as u32).to_le_bytes());
        let worker_name = cut(&self.worker_name, MAX_WORKER_NAME);
        put(WORKER_NAME_LENGTH_AT, &(worker_name.len() as u16).to_le_bytes());
        put(WORKER_NAME_AT, worker_name.as_bytes());
        let process_name = cut(&process.process_name, MAX_PROCESS_NAME);
        put(PROCESS_NAME_LENGTH_AT, &(process_name.len() as u16).to_le_bytes());
        put(PROCESS_NAME_AT, process_name.as_bytes());
        page
    }

    /// What these bytes from the head of a file say, if they can be said of a file that is
    /// `file_length` bytes long.
    pub(super) fn decode(page: &[u8], file_length: u64) -> Result<(Self, Offsets), Refusal> {
        if page.len() < HEADER_SIZE || !(MIN_FILE..=MAX_FILE).contains(&file_length) {
            let expected = format!("{MIN_FILE} to {MAX_FILE}");
            return Err(Refusal::Length { came: file_length, expected });
        }
        let page = Page(page);
        page.check_format()?;

        let kind = match page.u32(KIND_AT) {
            1 => RingKind::Records,
            2 => RingKind::Keeper,
            came => return Err(Refusal::field("kind", came, "1 (records) or 2 (keeper)")),
        };
        let offsets = page.offsets()?;
        if file_length != offsets.end() {
            let expected = format!("{}, as its header says", offsets.end());
            return Err(Refusal::Length { came: file_length, expected });
        }

        let clock = match page.u32(CLOCK_KIND_AT) {
            1 => ClockKind::MonotonicNs,
            2 => ClockKind::Tsc,
            3 => ClockKind::Cntvct,
            came => {
                let expected = "1 (monotonic), 2 (TSC) or 3 (CNTVCT)";
                return Err(Refusal::field("clock kind", came, expected));
            }
        };
        let ring_id = page.u64(RING_ID_AT);
        if ring_id == 0 {
            return Err(Refusal::field("ring id", 0, "a number that is not zero"));
        }
        let process = ProcessIdentity {
            boot_id: page.bytes(BOOT_ID_AT),
            pid: page.process_number("pid", PID_AT)?,
            start_time: page.u64(START_TIME_AT),
            pid_namespace: page.u64(PID_NAMESPACE_AT),
            time_offset_ns: i64::from_le_bytes(page.bytes(TIME_OFFSET_AT)),
            uid: page.u32(UID_AT),
            process_name: page.name(
                "length of the process name",
                PROCESS_NAME_LENGTH_AT,
                PROCESS_NAME_AT,
                MAX_PROCESS_NAME,
            )?,
        };
        let identity = RingIdentity {
            ring_id,
            worker_id: page.u64(WORKER_ID_AT),
            kind,
            capacity: offsets.capacity,
            table_length: offsets.table_length,
            tid: page.process_number("tid", TID_AT)?,
            clock,
            birth: BirthAnchor {
                ticks: page.u64(BIRTH_TICKS_AT),
                monotonic_ns: page.u64(BIRTH_MONOTONIC_AT),
                wall_ns: page.u64(BIRTH_WALL_AT),
            },
            worker_name: page.name(
                "length of the worker name",
                WORKER_NAME_LENGTH_AT,
                WORKER_NAME_AT,
                MAX_WORKER_NAME,
            )?,
            process,
        };
        Ok((identity, offsets))
    }
}

/// At least `HEADER_SIZE` bytes, checked where it is made; every field is inside.
struct Page<'a>(&'a [u8]);

impl Page<'_> {
    fn bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        bytes_at(self.0, at)
    }

    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.bytes(at))
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes(at))
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes(at))
    }

    /// Whether the rest can be read at all.
    fn check_format(&self) -> Result<(), Refusal> {
        file_head::check(&self.bytes(0), MAGIC)?;
        // A later minor version may use more of the page.
        let size = self.u32(HEADER_SIZE_AT);
        if !(HEADER_SIZE as u32..=MIN_PAGE).contains(&size) {
            return Err(Refusal::field(
                "header size",
                size,
                format!("{HEADER_SIZE} to {MIN_PAGE}"),
            ));
        }
        Ok(())
    }

    fn offsets(&self) -> Result<Offsets, Refusal> {
        let page = self.u32(PAGE_SIZE_AT);
        let ours = rustix::param::page_size();
        let is_page = page.is_power_of_two() && (MIN_PAGE..=MAX_PAGE).contains(&page);
        if !is_page || !(page as usize).is_multiple_of(ours) {
            let expected =
                format!("a power of two from {} to {MAX_PAGE}", MIN_PAGE.max(ours as u32));
            return Err(Refusal::field("page size", page, expected));
        }
        let capacity = self.u32(CAPACITY_AT);
        if !is_capacity(capacity) {
            return Err(Refusal::field("capacity", capacity, CAPACITY_EXPECTED));
        }
        let table_length = self.u32(TABLE_LENGTH_AT);
        if !is_table_length(table_length) {
            return Err(Refusal::field("table length", table_length, TABLE_LENGTH_EXPECTED));
        }
        let offsets = Offsets::new(page, table_length, capacity);
        for (field, at, expected) in [
            ("offset of the producer page", PRODUCER_AT, offsets.producer()),
            ("offset of the consumer page", CONSUMER_AT, offsets.consumer()),
            ("offset of the table", TABLE_AT, offsets.table()),
            ("offset of the data", DATA_AT, offsets.data()),
            ("offset of the owner word", OWNER_AT, offsets.owner()),
        ] {
            if self.u32(at) != expected {
                return Err(Refusal::field(field, self.u32(at), expected));
            }
        }
        Ok(offsets)
    }

    /// A pid or tid: positive as a signed number, as the kernel's are.
    fn process_number(&self, field: &'static str, at: usize) -> Result<u32, Refusal> {
        match self.u32(at) {
            number @ 1..=0x7fff_ffff => Ok(number),
            number => Err(Refusal::field(field, number, "1 to 2147483647")),
        }
    }

    fn name(
        &self,
        field: &'static str,
        length_at: usize,
        at: usize,
        max: usize,
    ) -> Result<String, Refusal> {
        let length = usize::from(self.u16(length_at));
        if length > max {
            return Err(Refusal::field(field, length, format!("at most {max}")));
        }
        Ok(String::from_utf8_lossy(&self.0[at..at + length]).into_owned())
    }
}

/// The longest head of `text` that is at most `max` bytes and whole characters.
pub(super) fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
