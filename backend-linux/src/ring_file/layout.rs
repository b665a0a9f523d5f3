//! Where the parts of a ring file stand.
//!
//! This is a layout that processes share. `P` is the size of a page on the machine, which the
//! file itself names: 4096, or more on some aarch64 kernels.
//!
//! ```text
//!  0       identity   who made it, and this table of offsets; see `identity_page`
//!  P       producer   +0    ProducerLine (256 bytes)
//!                     +1024 owner word      u32  robust futex, see `owner`
//!                     +1028 zero            u32
//!                     +1032 zero            u64
//!                     +1040 successor ring  u64  reserved: its ring id; zero
//!                     +1048 ... P           zero
//!  2P      consumer   +0    ConsumerLine (128 bytes)
//!                     +128 ... P            zero
//!  3P      table      call-site definitions; a multiple of 4096 bytes, may be none
//!  3P + T  data       frames; a power of two from 4096 to 2^31 bytes; ends the file
//! ```
//!
//! Identity and table are little-endian by bytes. The words of the two lines are in the machine's
//! own order, which the identity names.

use std::sync::atomic::{AtomicU32, AtomicU64};

use millpond_core::ring::{ConsumerLine, MAX_CAPACITY, MIN_CAPACITY, ProducerLine};
use static_assertions::{const_assert, const_assert_eq};

/// The length of a table is a multiple of this many bytes.
pub const TABLE_UNIT: u32 = 4096;
/// Bytes of the largest table.
pub const MAX_TABLE_LENGTH: u32 = 64 << 20;

pub(super) const MIN_PAGE: u32 = 4096;
pub(super) const MAX_PAGE: u32 = 65536;
pub(super) const OWNER_AT: u32 = 1024;

pub(super) const MIN_FILE: u64 = Offsets::new(MIN_PAGE, 0, MIN_CAPACITY).end();
pub(super) const MAX_FILE: u64 = Offsets::new(MAX_PAGE, MAX_TABLE_LENGTH, MAX_CAPACITY).end();

/// The owner word and what is reserved behind it.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct OwnerArea {
    pub(crate) word: AtomicU32,
    zero: AtomicU32,
    reserved: AtomicU64,
    successor: AtomicU64,
}

// A change here is a change of the layout that processes share: raise LAYOUT_MAJOR.
const_assert!(size_of::<ProducerLine>() <= OWNER_AT as usize);
const_assert_eq!(OWNER_AT as usize % align_of::<OwnerArea>(), 0);
const_assert!(OWNER_AT as usize + size_of::<OwnerArea>() <= MIN_PAGE as usize);
const_assert_eq!(std::mem::offset_of!(OwnerArea, word), 0);
const_assert_eq!(std::mem::offset_of!(OwnerArea, reserved), 8);
const_assert_eq!(std::mem::offset_of!(OwnerArea, successor), 16);
const_assert_eq!(size_of::<OwnerArea>(), 24);
const_assert!(size_of::<ConsumerLine>() <= MIN_PAGE as usize);
const_assert_eq!(MIN_PAGE as usize % align_of::<ProducerLine>(), 0);
const_assert_eq!(MIN_PAGE as usize % align_of::<ConsumerLine>(), 0);
const_assert_eq!(MIN_CAPACITY, 4096);
const_assert_eq!(MIN_FILE, 4 * 4096);
const_assert_eq!(TABLE_UNIT % 8, 0);

/// Where the parts of one file stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offsets {
    pub(super) page: u32,
    pub(super) table_length: u32,
    pub(super) capacity: u32,
}

impl Offsets {
    pub(super) const fn new(page: u32, table_length: u32, capacity: u32) -> Self {
        Self { page, table_length, capacity }
    }

    pub(super) const fn producer(&self) -> u32 {
        self.page
    }

    pub(super) const fn owner(&self) -> u32 {
        self.page + OWNER_AT
    }

    pub(super) const fn consumer(&self) -> u32 {
        2 * self.page
    }

    pub(super) const fn table(&self) -> u32 {
        3 * self.page
    }

    pub(super) const fn data(&self) -> u32 {
        self.table() + self.table_length
    }

    /// The length of the file.
    pub(super) const fn end(&self) -> u64 {
        self.data() as u64 + self.capacity as u64
    }
}

/// Whether a ring can have this capacity.
pub(super) const fn is_capacity(capacity: u32) -> bool {
    capacity.is_power_of_two() && capacity >= MIN_CAPACITY && capacity <= MAX_CAPACITY
}

/// Whether a table can have this length.
pub(super) const fn is_table_length(length: u32) -> bool {
    length.is_multiple_of(TABLE_UNIT) && length <= MAX_TABLE_LENGTH
}

pub(super) const CAPACITY_EXPECTED: &str = "a power of two from 4096 to 2147483648";
pub(super) const TABLE_LENGTH_EXPECTED: &str = "a multiple of 4096 up to 67108864";
