//! A fixed-capacity run of whole frames in private memory.

use core::fmt;

use crate::frame::{ALIGN, Frames, HEADER, Header, aligned};

/// Up to `N` bytes of whole frames.
///
/// A batch is where frames are parsed: [`crate::ring::Consumer::consume_all`] copies them here
/// from memory that others may write, and from then on nobody but the owner can change them.
///
/// ```
/// use millpond_core::Batch;
/// use millpond_core::frame::{Flags, Header, Kind};
///
/// let mut batch = Batch::<64>::new();
/// let header = Header {
///     length: 0, // filled in
///     kind: Kind::Text as u8,
///     level: 2,
///     flags: Flags::NONE,
///     ticks: 7,
///     sequence: 0,
///     site: 0,
/// };
/// batch.push(header, &[b"hello"]).unwrap();
/// assert_eq!(batch.frames().next().unwrap().unwrap().payload, b"hello");
/// // 24 + 5 bytes take 32, so 32 are free, which is a header and 8 bytes of payload.
/// assert_eq!(batch.push(header, &[b"too long"]), Ok(()));
/// assert_eq!(batch.push(header, &[]).unwrap_err().free, 0);
/// ```
#[derive(Clone, Default)]
pub struct Batch<const N: usize> {
    bytes: heapless::Vec<u8, N>,
}

impl<const N: usize> Batch<N> {
    /// An empty batch.
    pub const fn new() -> Self {
        Self { bytes: heapless::Vec::new() }
    }

    /// Appends a frame; its length is computed from the parts of its payload.
    ///
    /// # Errors
    ///
    /// [`BatchFull`] says how many bytes are free; the batch is unchanged.
    pub fn push(&mut self, header: Header, payload: &[&[u8]]) -> Result<(), BatchFull> {
        let payload_length: usize = payload.iter().map(|part| part.len()).sum();
        let full = BatchFull { free: self.room() as u32 };
        let length = u32::try_from(HEADER + payload_length).map_err(|_| full)?;
        if aligned(length) as usize > self.room() {
            return Err(full);
        }
        let end = self.bytes.len() + aligned(length) as usize;
        let header = Header { length, ..header };
        self.bytes.extend_from_slice(&header.to_bytes()).map_err(|_| full)?;
        for part in payload {
            self.bytes.extend_from_slice(part).map_err(|_| full)?;
        }
        self.bytes.resize(end, 0).map_err(|_| full)
    }

    /// Bytes that are free, for headers, payloads and the zeros between frames.
    pub fn room(&self) -> usize {
        (N - self.bytes.len()) & !(ALIGN - 1)
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The frames, one after the other.
    pub fn frames(&self) -> Frames<'_> {
        Frames::new(&self.bytes)
    }

    /// The bytes of all frames.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets all frames.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut heapless::Vec<u8, N> {
        &mut self.bytes
    }
}

impl<const N: usize> fmt::Debug for Batch<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("capacity", &N).field("bytes", &self.bytes.len()).finish()
    }
}

/// A frame does not fit into a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchFull {
    /// Bytes that are free: a frame that takes no more than this would fit.
    pub free: u32,
}

impl fmt::Display for BatchFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the batch is full: {} bytes are free", self.free)
    }
}

impl core::error::Error for BatchFull {}
