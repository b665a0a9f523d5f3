//! zstd frames, which may be cut, damaged, or made to fill the memory.

use std::io::{self, BufRead as _, ErrorKind, Read as _};

use zstd::stream::read::Decoder;

use super::find::ZSTD;
use crate::archive::LONGEST_ENVELOPE;

/// No writer puts more into a frame: envelopes of 1 MiB, and one that may be longer.
const LONGEST: usize = LONGEST_ENVELOPE + (1 << 20);

/// What became of a zstd frame.
pub(super) enum Unzipped {
    /// What was in it, and how many bytes it was.
    Whole(Vec<u8>, usize),
    /// Its end is not there.
    Cut,
    /// It is none, or too much is in it.
    Damaged,
}

/// The zstd frame at the head of `bytes`.
pub(super) fn unzip(bytes: &[u8]) -> Unzipped {
    let mut plain = Vec::new();
    match read(bytes, &mut plain) {
        Ok(_) if plain.len() > LONGEST => Unzipped::Damaged,
        Ok(taken) => Unzipped::Whole(plain, taken),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Unzipped::Cut,
        Err(_) => Unzipped::Damaged,
    }
}

/// What can be read of a zstd frame that is not whole.
pub(super) fn front(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(&ZSTD) {
        return None;
    }
    let mut plain = Vec::new();
    // That it fails at some point is known.
    let _ = read(bytes, &mut plain);
    plain.truncate(LONGEST);
    (!plain.is_empty()).then_some(plain)
}

/// Appends what is in the frame and returns its length. Memory grows with what comes out.
fn read(bytes: &[u8], plain: &mut Vec<u8>) -> io::Result<usize> {
    let mut decoder = Decoder::with_buffer(bytes)?.single_frame();
    decoder.by_ref().take(LONGEST as u64 + 1).read_to_end(plain)?;
    Ok(bytes.len() - decoder.get_mut().fill_buf()?.len())
}
