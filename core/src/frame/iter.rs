//! Walking a run of frames.

use core::fmt;

use super::{ALIGN, Body, HEADER, Header, Kind, LENGTH_KIND, aligned};

/// One frame of a run: its header and its payload, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The decoded header.
    pub header: Header,
    /// What follows the header; never longer than the header says.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame at the head of `bytes`, and how many bytes it takes up to the next one.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if there is no whole frame with a possible length.
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Result<(Frame<'a>, usize), FrameError> {
        let Some(first) = bytes.first_chunk::<LENGTH_KIND>() else {
            return Err(FrameError::Short { have: bytes.len() as u32, need: LENGTH_KIND as u32 });
        };
        let length = u32::from_le_bytes([first[0], first[1], first[2], first[3]]);
        let is_padding = first[4] == Kind::Padding as u8;
        let least = if is_padding { LENGTH_KIND } else { HEADER };
        if (length as usize) < least {
            return Err(FrameError::Length { length, least: least as u32 });
        }
        let Some(body) = bytes.get(..length as usize) else {
            return Err(FrameError::Short { have: bytes.len() as u32, need: length });
        };
        // The zeros after the last frame of a run may be missing, the frame itself may not.
        let taken = (aligned(length) as usize).min(bytes.len());
        let frame = match body.split_first_chunk::<HEADER>() {
            Some((header, payload)) => Frame { header: Header::from_bytes(header), payload },
            None => {
                let mut header = [0; HEADER];
                header[..body.len()].copy_from_slice(body);
                Frame { header: Header::from_bytes(&header), payload: &[] }
            }
        };
        Ok((frame, taken))
    }

    /// What the payload means; `None` for padding and for kinds that this version does not know.
    ///
    /// # Errors
    ///
    /// [`FrameError::Payload`] if the payload is too short for its kind.
    pub fn body(&self) -> Result<Option<Body<'a>>, FrameError> {
        Body::decode(self)
    }
}

/// The frames of a run of bytes, one after the other. Padding is skipped; frames of unknown kinds
/// are yielded, their [`Frame::body`] is `None`. Ends after the first error.
///
/// ```
/// use millpond_core::frame::Frames;
///
/// let garbage = [7u8; 40];
/// assert!(Frames::new(&garbage).next().unwrap().is_err());
/// assert!(Frames::new(&[]).next().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Frames<'a> {
    /// Walks `bytes`, whose first byte is the first byte of a frame.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Where the next frame starts, counted from the head of the run.
    pub const fn offset(&self) -> usize {
        self.offset
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, FrameError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = &self.bytes[self.offset..];
            if rest.is_empty() {
                return None;
            }
            match Frame::decode(rest) {
                Ok((frame, taken)) => {
                    self.offset += taken;
                    if frame.header.kind != Kind::Padding as u8 {
                        return Some(Ok(frame));
                    }
                }
                Err(error) => {
                    self.offset = self.bytes.len();
                    return Some(Err(error));
                }
            }
        }
    }
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The bytes end before the frame does.
    Short {
        /// Bytes that are there.
        have: u32,
        /// Bytes that the frame needs.
        need: u32,
    },
    /// The length is smaller than a header.
    Length {
        /// The length that came.
        length: u32,
        /// The least that was expected.
        least: u32,
    },
    /// The payload is too short for its kind, or contradicts itself.
    Payload {
        /// The number of the kind.
        kind: u8,
        /// Bytes of payload that came.
        have: u32,
        /// Bytes that were expected.
        need: u32,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            FrameError::Short { have, need } => {
                write!(f, "frame is cut: it needs {need} bytes and {have} are there")
            }
            FrameError::Length { length, least } => {
                write!(f, "frame length {length} is impossible: expected at least {least}")
            }
            FrameError::Payload { kind, have, need } => {
                write!(f, "payload of a frame of kind {kind} has {have} bytes, expected {need}")
            }
        }
    }
}

impl core::error::Error for FrameError {}

static_assertions::const_assert!(ALIGN >= LENGTH_KIND);
