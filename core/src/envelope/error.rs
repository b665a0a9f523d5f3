//! Why an envelope cannot be filled or opened.

use core::fmt;

use super::{MAGIC, OVERHEAD};
use crate::frame::{ALIGN, FrameError, Kind};
use crate::version::VersionError;

/// The buffer has no room for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// Bytes that were needed.
    pub needed: u32,
    /// Bytes that are free.
    pub free: u32,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Full { needed, free } = self;
        write!(f, "envelope is full: {needed} bytes were needed and {free} are free")
    }
}

impl core::error::Error for Full {}

/// Why bytes are not an envelope that this version can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The bytes end before the envelope does.
    Short {
        /// Bytes that are there.
        have: u32,
        /// Bytes that are needed at least.
        need: u32,
    },
    /// The magic number is reversed: the writer was big-endian.
    ByteOrder,
    /// The magic number is not [`MAGIC`].
    Magic {
        /// The bytes that came.
        came: [u8; 4],
    },
    /// The frame is of another kind.
    Kind {
        /// The number of the kind that came.
        came: u8,
    },
    /// The layout is of a version that this crate does not read.
    Version(VersionError),
    /// The length is no multiple of 8 or smaller than [`OVERHEAD`].
    Length {
        /// The length that came.
        came: u32,
    },
    /// Bytes were changed on the way.
    Checksum {
        /// The checksum that came.
        came: u32,
        /// The checksum of the bytes that came.
        computed: u32,
    },
    /// A frame inside is broken, although the checksum is right.
    Frame(FrameError),
    /// The number of frames is not the one that was announced.
    Count {
        /// The number that came.
        came: u32,
        /// The number of frames that are there.
        found: u32,
    },
}

impl From<FrameError> for EnvelopeError {
    fn from(error: FrameError) -> Self {
        EnvelopeError::Frame(error)
    }
}

impl From<VersionError> for EnvelopeError {
    fn from(error: VersionError) -> Self {
        EnvelopeError::Version(error)
    }
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EnvelopeError::Short { have, need } => {
                write!(f, "envelope is cut: it needs {need} bytes and {have} are there")
            }
            EnvelopeError::ByteOrder => {
                f.write_str("envelope is big-endian: expected little-endian bytes")
            }
            EnvelopeError::Magic { came } => {
                write!(f, "not an envelope: magic bytes {came:02x?} came, expected {MAGIC:02x?}")
            }
            EnvelopeError::Kind { came } => write!(
                f,
                "not an envelope: a frame of kind {came} came, expected {}",
                Kind::Envelope as u8
            ),
            EnvelopeError::Version(error) => write!(f, "envelope cannot be read: {error}"),
            EnvelopeError::Length { came } => write!(
                f,
                "envelope length {came} is impossible: expected a multiple of {ALIGN} from \
                 {OVERHEAD} on"
            ),
            EnvelopeError::Checksum { came, computed } => write!(
                f,
                "envelope is damaged: checksum {came:#010x} came, expected {computed:#010x}"
            ),
            EnvelopeError::Frame(error) => write!(f, "envelope holds a broken frame: {error}"),
            EnvelopeError::Count { came, found } => {
                write!(f, "envelope holds {found} frames, expected the {came} that it announces")
            }
        }
    }
}

impl core::error::Error for EnvelopeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            EnvelopeError::Version(error) => Some(error),
            EnvelopeError::Frame(error) => Some(error),
            _ => None,
        }
    }
}
