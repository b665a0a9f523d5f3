//! What of an archive could not be read, and why.

use millpond_core::envelope::EnvelopeError;
use millpond_core::frame::FrameError;
use thiserror::Error;

/// A place in an archive that was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{bytes} bytes at offset {offset} are passed over: {reason}")]
pub struct Skipped {
    /// Where it begins, counted from the head of the input.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
    /// What was wrong at its beginning.
    pub reason: SkipReason,
}

/// Why a place in an archive was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// It is no envelope, or a damaged one.
    #[error("{0}")]
    Envelope(EnvelopeError),
    /// An envelope is longer than any that is written.
    #[error("an envelope of {length} bytes is longer than any that is written")]
    TooLong {
        /// The length that came.
        length: u32,
    },
    /// An envelope is not complete.
    #[error("its end is missing")]
    Cut,
    /// An envelope is whole, and not one of an archive.
    #[error("the envelope does not say which archive it is part of")]
    NoArchive,
    /// An envelope is whole, and a record in it makes no sense. The others were read.
    #[error("a record in the envelope cannot be read: {0}")]
    Record(FrameError),
    /// A zstd frame is damaged. Whole envelopes at its front were read.
    #[error("compressed data is damaged, or decompresses to more than is ever written")]
    Compressed,
    /// It is compressed, and this program was built without the feature `zstd`.
    #[error("it is compressed with zstd, which this program was built without")]
    NoZstd,
}
