//! What a producer is told about a frame.

use crate::Level;
use crate::frame::{Flags, Kind};

/// What a frame says beside its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What the frame is.
    pub kind: Kind,
    /// Its level. Of a frame that is no record it only says how far it may fill the ring.
    pub level: Level,
    /// Its flags.
    pub flags: Flags,
    /// The time, in ticks of the caller's clock.
    pub ticks: u64,
    /// The number of the call site, zero for none.
    pub site: u32,
}

impl Entry {
    /// A text record.
    pub const fn text(level: Level, ticks: u64) -> Entry {
        Entry { kind: Kind::Text, level, flags: Flags::NONE, ticks, site: 0 }
    }

    /// A frame that is no record.
    pub const fn control(kind: Kind, ticks: u64) -> Entry {
        Entry { kind, level: Level::Trace, flags: Flags::NONE, ticks, site: 0 }
    }

    pub(super) const fn completes_a_record(&self) -> bool {
        self.kind.is_record() && !self.flags.contains(Flags::CONTINUES)
    }
}

/// A frame for [`Producer::try_insert_quick`](super::Producer::try_insert_quick).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quick {
    /// What the frame is.
    pub kind: Kind,
    /// Its level.
    pub level: Level,
    /// The number of the call site, zero for none.
    pub site: u32,
    /// Bytes of the payload.
    pub length: u32,
}
