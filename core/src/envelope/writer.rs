//! Packing frames into an envelope.

use super::{
    COUNT_AT, CRC_AT, Full, IGNORABLE_AT, INCOMPATIBLE_AT, LENGTH_LARGEST, MAGIC, MAGIC_AT,
    MAJOR_AT, MINOR_AT, OVERHEAD, checksum,
};
use crate::frame::{ALIGN, Flags, Frame, HEADER, Header, Kind, aligned};
use crate::version::{LAYOUT_MAJOR, LAYOUT_MINOR};

/// Packs frames into an envelope, in a buffer of the caller's.
///
/// ```
/// use millpond_core::envelope::{Envelope, EnvelopeWriter};
/// use millpond_core::frame::{Frame, Frames};
///
/// let frames = millpond_core::frame::Header::padding(8); // from a ring or a batch
/// let mut buffer = [0; 256];
/// let mut writer = EnvelopeWriter::new(&mut buffer)?;
/// for frame in Frames::new(&frames) {
///     writer.push(&frame?)?;
/// }
/// let bytes = writer.finish(1_234, 0);
///
/// let (envelope, taken) = Envelope::open(bytes)?;
/// assert_eq!((envelope.count, taken), (0, bytes.len()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EnvelopeWriter<'a> {
    buffer: &'a mut [u8],
    length: usize,
    count: u32,
}

impl<'a> EnvelopeWriter<'a> {
    /// An empty envelope at the head of `buffer`.
    ///
    /// # Errors
    ///
    /// [`Full`] if the buffer has less than [`OVERHEAD`] bytes.
    pub fn new(buffer: &'a mut [u8]) -> Result<Self, Full> {
        let usable = buffer.len().min(LENGTH_LARGEST) / ALIGN * ALIGN;
        if usable < OVERHEAD {
            return Err(Full { needed: OVERHEAD as u32, free: usable as u32 });
        }
        Ok(Self { buffer: &mut buffer[..usable], length: OVERHEAD, count: 0 })
    }

    /// Appends one frame. Padding is left out: that is `Ok` and changes nothing. The length in the
    /// header is taken from the payload.
    ///
    /// # Errors
    ///
    /// [`Full`] if there is no room. Nothing has changed then: finish this envelope and push the
    /// frame into the next one, or drop it if the envelope is empty.
    #[inline]
    pub fn push(&mut self, frame: &Frame<'_>) -> Result<(), Full> {
        if frame.header.kind == Kind::Padding as u8 {
            return Ok(());
        }
        let free = self.buffer.len() - self.length;
        let length = u32::try_from(HEADER.saturating_add(frame.payload.len())).unwrap_or(u32::MAX);
        let needed = aligned(length);
        // Room is a multiple of 8, so where the length fits, the padding does.
        if length as usize > free {
            return Err(Full { needed: needed.max(length), free: free as u32 });
        }
        let place = &mut self.buffer[self.length..][..needed as usize];
        let (header, rest) = place.split_at_mut(HEADER);
        let (payload, zeros) = rest.split_at_mut(frame.payload.len());
        header.copy_from_slice(&Header { length, ..frame.header }.to_bytes());
        payload.copy_from_slice(frame.payload);
        // Most frames have no fill, and nothing to do is a call too.
        if !zeros.is_empty() {
            zeros.fill(0);
        }
        self.length += needed as usize;
        self.count += 1;
        Ok(())
    }

    /// How many frames are in it.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Whether no frame is in it.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes that are free for frames, headers and padding included.
    pub const fn free(&self) -> u32 {
        (self.buffer.len() - self.length) as u32
    }

    /// Closes the envelope and returns it, a multiple of 8 bytes. `sequence` counts the envelopes
    /// of one sender, so that a receiver notices lost ones.
    pub fn finish(self, ticks: u64, sequence: u32) -> &'a [u8] {
        let header = Header {
            length: self.length as u32,
            kind: Kind::Envelope as u8,
            level: 0,
            flags: Flags::NONE,
            ticks,
            sequence,
            site: 0,
        };
        let envelope = &mut self.buffer[..self.length];
        let mut put = |at: usize, bytes: &[u8]| {
            envelope[HEADER + at..][..bytes.len()].copy_from_slice(bytes);
        };
        put(MAGIC_AT, &MAGIC);
        put(MAJOR_AT, &LAYOUT_MAJOR.to_le_bytes());
        put(MINOR_AT, &LAYOUT_MINOR.to_le_bytes());
        put(INCOMPATIBLE_AT, &0u32.to_le_bytes());
        put(IGNORABLE_AT, &0u32.to_le_bytes());
        put(COUNT_AT, &self.count.to_le_bytes());
        envelope[..HEADER].copy_from_slice(&header.to_bytes());
        let crc = checksum(envelope);
        envelope[HEADER + CRC_AT..OVERHEAD].copy_from_slice(&crc.to_le_bytes());
        envelope
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;

    fn frame(kind: u8, payload: &[u8]) -> Frame<'_> {
        let mut header = Header::from_bytes(&[0; HEADER]);
        header.kind = kind;
        header.length = (HEADER + payload.len()) as u32;
        Frame { header, payload }
    }

    #[test]
    fn a_full_buffer_says_so_and_keeps_what_it_has() {
        let mut bytes = [0; OVERHEAD + 32 + 7];
        let mut writer = EnvelopeWriter::new(&mut bytes).unwrap();
        assert!(writer.is_empty());
        let refused = writer.push(&frame(2, b"nine bytes"));
        assert_eq!(refused, Err(Full { needed: 40, free: 32 }));
        writer.push(&frame(2, b"8 bytes.")).unwrap();
        assert_eq!(writer.push(&frame(7, b"")), Err(Full { needed: 24, free: 0 }));
        writer.push(&frame(Kind::Padding as u8, b"")).unwrap();
        let (envelope, _) = Envelope::open(writer.finish(0, 0)).unwrap();
        assert_eq!(envelope.count, 1);
        let mut small = [0; OVERHEAD - 1];
        let refused = EnvelopeWriter::new(&mut small).unwrap_err();
        assert_eq!(refused, Full { needed: 48, free: 40 });
    }
}
