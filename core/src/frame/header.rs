//! The 24 bytes at the head of every frame.

use super::Flags;
use crate::Level;

/// Frames start at multiples of this many bytes.
pub const ALIGN: usize = 8;
/// Bytes of a frame header.
pub const HEADER: usize = 24;
/// Bytes of the first word of a header, which holds length, kind, level and flags: all that a
/// padding frame needs.
pub const LENGTH_KIND: usize = 8;

// Where the fields stand; the drawing is in the module above, the contract in
// docs/wire-format.md.
const LENGTH_AT: usize = 0;
const KIND_AT: usize = 4;
const LEVEL_AT: usize = 5;
const FLAGS_AT: usize = 6;
const TICKS_AT: usize = 8;
const SEQUENCE_AT: usize = 16;
const SITE_AT: usize = 20;

static_assertions::const_assert_eq!(KIND_AT, LENGTH_AT + size_of::<u32>());
static_assertions::const_assert_eq!(LEVEL_AT, KIND_AT + size_of::<u8>());
static_assertions::const_assert_eq!(FLAGS_AT, LEVEL_AT + size_of::<u8>());
static_assertions::const_assert_eq!(TICKS_AT, FLAGS_AT + size_of::<u16>());
static_assertions::const_assert_eq!(SEQUENCE_AT, TICKS_AT + size_of::<u64>());
static_assertions::const_assert_eq!(SITE_AT, SEQUENCE_AT + size_of::<u32>());
static_assertions::const_assert_eq!(HEADER, SITE_AT + size_of::<u32>());
static_assertions::const_assert_eq!(HEADER % ALIGN, 0);
static_assertions::const_assert_eq!(LENGTH_KIND, TICKS_AT);

/// `length` rounded up to where the next frame starts. Saturates instead of wrapping, so a hostile
/// length stays too large.
pub const fn aligned(length: u32) -> u32 {
    length.saturating_add(ALIGN as u32 - 1) & !(ALIGN as u32 - 1)
}

/// What a frame is. The numbers are the wire format; zero is none of them, so that memory that
/// was never written is not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// Nothing; fills the end of a ring.
    Padding = 1,
    /// A record whose message is text.
    Text = 2,
    /// A record whose message is a call site's number and raw arguments.
    Event = 3,
    /// The definition of a call site.
    CallSite = 4,
    /// The ring belongs to another thread from here on.
    ThreadChange = 5,
    /// A worker is alive and says when it will check in next.
    Heartbeat = 6,
    /// A worker ends in good order.
    Shutdown = 7,
    /// Ticks and wall-clock time, read together.
    ClockAnchor = 8,
    /// Records were lost before this frame; how many of each level.
    Gap = 9,
    /// Frames on their way over a line, into an archive or across a network.
    Envelope = 10,
    /// Who logged the records that follow, in an archive.
    Stream = 11,
    /// Which part of which archive an envelope belongs to.
    Section = 12,
}

impl Kind {
    /// The kind with this number, if this version knows it.
    pub const fn from_byte(byte: u8) -> Option<Kind> {
        Some(match byte {
            1 => Kind::Padding,
            2 => Kind::Text,
            3 => Kind::Event,
            4 => Kind::CallSite,
            5 => Kind::ThreadChange,
            6 => Kind::Heartbeat,
            7 => Kind::Shutdown,
            8 => Kind::ClockAnchor,
            9 => Kind::Gap,
            10 => Kind::Envelope,
            11 => Kind::Stream,
            12 => Kind::Section,
            _ => return None,
        })
    }

    /// Whether a user logged this frame: only those are counted in the account.
    pub const fn is_record(self) -> bool {
        matches!(self, Kind::Text | Kind::Event)
    }
}

/// A frame header, decoded. `kind` and `level` are raw bytes, since a newer writer may use values
/// that this version does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of header and payload, without the zeros up to the next frame.
    pub length: u32,
    /// The number of a [`Kind`].
    pub kind: u8,
    /// The number of a [`Level`]; zero where a level means nothing.
    pub level: u8,
    /// See [`Flags`].
    pub flags: Flags,
    /// The time of the call, in the ticks of the ring's clock.
    pub ticks: u64,
    /// The low 32 bits of how many records were attempted in this ring before this one.
    pub sequence: u32,
    /// The number of the call site, zero for none.
    pub site: u32,
}

impl Header {
    /// The bytes of this header.
    #[inline(always)]
    pub const fn to_bytes(&self) -> [u8; HEADER] {
        let first = self.first_word();
        let last = self.sequence as u64 | (self.site as u64) << 32;
        let words = [first.to_le_bytes(), self.ticks.to_le_bytes(), last.to_le_bytes()];
        let mut bytes = [0; HEADER];
        let mut i = 0;
        while i < HEADER {
            bytes[i] = words[i / 8][i % 8];
            i += 1;
        }
        bytes
    }

    /// The first eight bytes as one little-endian number.
    #[inline(always)]
    pub(crate) const fn first_word(&self) -> u64 {
        self.length as u64
            | (self.kind as u64) << 32
            | (self.level as u64) << 40
            | (self.flags.bits() as u64) << 48
    }

    /// The header that stands in these bytes; every value is possible and none is checked.
    #[inline(always)]
    pub const fn from_bytes(bytes: &[u8; HEADER]) -> Header {
        Header {
            length: u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            kind: bytes[KIND_AT],
            level: bytes[LEVEL_AT],
            flags: Flags::from_bits(u16::from_le_bytes([bytes[6], bytes[7]])),
            ticks: u64::from_le_bytes([
                bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14],
                bytes[15],
            ]),
            sequence: u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]),
            site: u32::from_le_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]),
        }
    }

    /// The first word of a padding frame that takes `length` bytes.
    #[inline(always)]
    pub const fn padding(length: u32) -> [u8; LENGTH_KIND] {
        (length as u64 | (Kind::Padding as u64) << 32).to_le_bytes()
    }

    /// The kind, if this version knows it.
    pub const fn kind(&self) -> Option<Kind> {
        Kind::from_byte(self.kind)
    }

    /// The level. A level that this version does not know counts as ERROR, so that a record from
    /// a newer writer is shown rather than filtered away.
    pub const fn level(&self) -> Level {
        match Level::from_byte(self.level) {
            Some(level) => level,
            None => Level::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_stands_where_the_drawing_says() {
        let header = Header {
            length: 0x0403_0201,
            kind: 5,
            level: 6,
            flags: Flags::from_bits(0x0807),
            ticks: 0x100f_0e0d_0c0b_0a09,
            sequence: 0x1413_1211,
            site: 0x1817_1615,
        };
        let bytes = header.to_bytes();
        for (i, byte) in bytes.iter().enumerate() {
            assert_eq!(*byte as usize, i + 1);
        }
        assert_eq!(Header::from_bytes(&bytes), header);
    }

    #[test]
    fn kinds_are_their_numbers() {
        for byte in 0..=255u8 {
            match Kind::from_byte(byte) {
                Some(kind) => assert_eq!(kind as u8, byte),
                None => assert!(byte == 0 || byte > 12),
            }
        }
    }

    #[test]
    fn alignment_saturates() {
        assert_eq!(aligned(0), 0);
        assert_eq!(aligned(1), 8);
        assert_eq!(aligned(24), 24);
        assert_eq!(aligned(u32::MAX), u32::MAX - 7);
    }
}
