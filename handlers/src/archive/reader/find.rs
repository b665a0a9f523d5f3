//! Finding envelopes and compressed envelopes in bytes that may be anything.

use millpond_core::envelope::{Envelope, EnvelopeError, MAGIC, OVERHEAD};
use millpond_core::frame::{HEADER, Kind};

use super::SkipReason;
use crate::archive::LONGEST_ENVELOPE;

/// The first bytes of a zstd frame.
pub(super) const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// What stands in an envelope's header behind its length.
const KIND: [u8; 1] = [Kind::Envelope as u8];
/// So many bytes may be the beginning of something without showing it: less than the magic's end.
pub(super) const LONGEST_BEGINNING: usize = HEADER + MAGIC.len() - 1;

/// What stands at the head of some bytes.
pub(super) enum Found<'a> {
    /// An envelope, and its length.
    Envelope(Envelope<'a>, usize),
    /// Envelopes, decompressed, and how many bytes they were before.
    #[cfg(feature = "zstd")]
    Compressed(Vec<u8>, usize),
    /// The beginning of something.
    Incomplete {
        /// With so many bytes it may be another look.
        need: usize,
    },
    /// Nothing that can be read.
    Wrong(SkipReason),
}

/// Looks at the head of `bytes`.
pub(super) fn look(bytes: &[u8]) -> Found<'_> {
    if !begins(bytes) {
        return Found::Wrong(match Envelope::open(bytes) {
            Err(error) => SkipReason::Envelope(error),
            Ok(_) => SkipReason::NoArchive,
        });
    }
    if bytes.starts_with(&ZSTD) {
        return compressed(bytes);
    }
    match Envelope::open(bytes) {
        Ok((envelope, taken)) => Found::Envelope(envelope, taken),
        Err(EnvelopeError::Short { need, .. }) if need as usize <= LONGEST_ENVELOPE => {
            Found::Incomplete { need: need as usize }
        }
        Err(EnvelopeError::Short { need, .. }) => {
            Found::Wrong(SkipReason::TooLong { length: need })
        }
        Err(error) => Found::Wrong(SkipReason::Envelope(error)),
    }
}

#[cfg(feature = "zstd")]
fn compressed(bytes: &[u8]) -> Found<'_> {
    use super::unzip::{Unzipped, unzip};

    match unzip(bytes) {
        Unzipped::Whole(plain, taken) => Found::Compressed(plain, taken),
        // Nobody knows how much is missing. Twice as much each time is not much in vain.
        Unzipped::Cut if bytes.len() <= LONGEST_ENVELOPE => {
            Found::Incomplete { need: bytes.len() * 2 }
        }
        Unzipped::Cut | Unzipped::Damaged => Found::Wrong(SkipReason::Compressed),
    }
}

#[cfg(not(feature = "zstd"))]
fn compressed(_: &[u8]) -> Found<'_> {
    Found::Wrong(SkipReason::NoZstd)
}

/// Whether `bytes` may begin with an envelope or a zstd frame, or be the beginning of one.
fn begins(bytes: &[u8]) -> bool {
    let agrees = |at: usize, expected: &[u8]| {
        let came = bytes.get(at..).unwrap_or_default();
        came.iter().zip(expected).all(|(came, expected)| came == expected)
    };
    agrees(0, &ZSTD) || (agrees(4, &KIND) && agrees(HEADER, &MAGIC))
}

/// The first place from `from` on where an envelope or a zstd frame may begin, with its magic in
/// `bytes`.
pub(super) fn candidate(bytes: &[u8], from: usize) -> Option<usize> {
    let searched = bytes.get(from..)?;
    memchr::memchr2_iter(MAGIC[0], ZSTD[0], searched).find_map(|at| {
        let (at, rest) = (from + at, &searched[at..]);
        if rest.starts_with(&ZSTD) {
            return Some(at);
        }
        let start = at.checked_sub(HEADER).filter(|start| *start >= from)?;
        (rest.starts_with(&MAGIC) && bytes[start + 4..].starts_with(&KIND)).then_some(start)
    })
}

/// The first place from `from` on where something begins that is complete.
pub(super) fn whole(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = candidate(bytes, from)?;
        match look(&bytes[at..]) {
            Found::Envelope(..) => return Some(at),
            #[cfg(feature = "zstd")]
            Found::Compressed(plain, _) if Envelope::open(&plain).is_ok() => return Some(at),
            _ => from = at + 1,
        }
    }
}

const _: () = assert!(LONGEST_BEGINNING < OVERHEAD);
