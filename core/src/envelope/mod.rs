//! The batch envelope: frames on their way over a serial line, into an archive or across a network.
//!
//! An envelope is a frame of [`Kind::Envelope`](crate::frame::Kind::Envelope); its payload is:
//!
//! ```text
//!  byte 0       4       6       8              12          16      20      24
//!       ┌───────┬───────┬───────┬──────────────┬───────────┬───────┬───────┬────────────────┐
//!       │ magic │ major │ minor │ incompatible │ ignorable │ count │  crc  │ frames, each   │
//!       │ MPND  │  u16  │  u16  │ bits u32     │ bits u32  │  u32  │  u32  │ padded to 8    │
//!       └───────┴───────┴───────┴──────────────┴───────────┴───────┴───────┴────────────────┘
//! ```
//!
//! The checksum is CRC-32/ISO-HDLC (the one of Ethernet and zlib) of the whole envelope, its
//! header included, with zero in the place of the checksum. It finds every single flipped bit
//! outside the length, and every burst of up to 32 bits that touches neither the length nor the
//! checksum (W. W. Peterson and D. T. Brown, *Cyclic Codes for Error Detection*, Proc. IRE 49,
//! 1961); of other damage it misses about one in 2^32. It is no protection against malice.

mod error;
mod open;
mod writer;

pub use error::{EnvelopeError, Full};
pub use open::Envelope;
pub use writer::EnvelopeWriter;

use crate::frame::{ALIGN, HEADER};

/// The first four bytes of an envelope's payload are these.
pub const MAGIC: [u8; 4] = *b"MPND";
/// Bytes of an envelope that holds no frames, its frame header included.
pub const OVERHEAD: usize = HEADER + FIXED;

const MAGIC_AT: usize = 0;
const MAJOR_AT: usize = 4;
const MINOR_AT: usize = 6;
const INCOMPATIBLE_AT: usize = 8;
const IGNORABLE_AT: usize = 12;
const COUNT_AT: usize = 16;
const CRC_AT: usize = 20;
const FIXED: usize = 24;
const LENGTH_LARGEST: usize = u32::MAX as usize / ALIGN * ALIGN;

static_assertions::const_assert_eq!(MAJOR_AT, MAGIC_AT + MAGIC.len());
static_assertions::const_assert_eq!(MINOR_AT, MAJOR_AT + size_of::<u16>());
static_assertions::const_assert_eq!(INCOMPATIBLE_AT, MINOR_AT + size_of::<u16>());
static_assertions::const_assert_eq!(IGNORABLE_AT, INCOMPATIBLE_AT + size_of::<u32>());
static_assertions::const_assert_eq!(COUNT_AT, IGNORABLE_AT + size_of::<u32>());
static_assertions::const_assert_eq!(CRC_AT, COUNT_AT + size_of::<u32>());
static_assertions::const_assert_eq!(FIXED, CRC_AT + size_of::<u32>());
static_assertions::const_assert_eq!(OVERHEAD % ALIGN, 0);

/// The checksum of a whole envelope, with zero in the place of the checksum.
fn checksum(envelope: &[u8]) -> u32 {
    let (before, after) = envelope.split_at(HEADER + CRC_AT);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(before);
    hasher.update(&[0; size_of::<u32>()]);
    hasher.update(&after[size_of::<u32>()..]);
    hasher.finalize()
}
