//! Why there is no room.

use core::fmt;

/// Why a frame was not inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushError {
    /// Try again later: only `free` bytes are free for this level now.
    Full {
        /// Bytes that are free, header and alignment included.
        free: u32,
    },
    /// Never fits: the ring takes payloads of at most `max` bytes.
    TooLarge {
        /// Bytes of the largest payload.
        max: u32,
    },
    /// The consumer has given this ring up; its owner needs a new one.
    Retired,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PushError::Full { free } => write!(f, "the ring is full: {free} bytes are free"),
            PushError::TooLarge { max } => {
                write!(f, "the record is too large: a payload has at most {max} bytes")
            }
            PushError::Retired => f.write_str("the ring was given up by its consumer"),
        }
    }
}

impl core::error::Error for PushError {}
