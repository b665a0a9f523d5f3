//! What the payload of each kind of frame means.

use super::{Flags, Frame, FrameError, HEADER, Kind, Stream, Text};
use crate::Level;
use crate::callsite::CallSite;
use crate::envelope::Envelope;

/// A frame's payload, decoded by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body<'a> {
    /// A text record.
    Text(Text<'a>),
    /// A record with raw arguments.
    Event(Event<'a>),
    /// A call site's definition.
    CallSite(CallSite<'a>),
    /// The ring has a new owner.
    ThreadChange(ThreadChange<'a>),
    /// A sign of life.
    Heartbeat(Heartbeat),
    /// The worker ends in good order.
    Shutdown,
    /// Wall-clock time in nanoseconds since the Unix epoch at the frame's ticks.
    ClockAnchor {
        /// Nanoseconds since the Unix epoch.
        wall_ns: u64,
    },
    /// Records were lost.
    Gap(Gap),
    /// Frames, packed.
    Envelope(Envelope<'a>),
    /// Who logged what follows; `None` if that was said before.
    Stream(Option<Stream<'a>>),
    /// A part of an archive; its numbers are in the header.
    Section,
}

impl<'a> Body<'a> {
    pub(super) fn decode(frame: &Frame<'a>) -> Result<Option<Body<'a>>, FrameError> {
        let Some(kind) = frame.header.kind() else { return Ok(None) };
        let mut fields = Fields::new(kind, frame.payload);
        Ok(Some(match kind {
            Kind::Padding => return Ok(None),
            Kind::Text => Body::Text(Text::decode(frame.header.flags, frame.payload)?),
            Kind::Event => Body::Event(Event::decode(frame.header.flags, frame.payload)?),
            Kind::CallSite => Body::CallSite(CallSite::decode(&frame.header, fields)?),
            Kind::ThreadChange => {
                let thread = fields.u64()?;
                Body::ThreadChange(ThreadChange { thread, name: fields.rest() })
            }
            Kind::Heartbeat => Body::Heartbeat(Heartbeat {
                next_checkin_ns: fields.u64()?,
                uptime_ns: fields.u64()?,
            }),
            Kind::Shutdown => Body::Shutdown,
            Kind::ClockAnchor => Body::ClockAnchor { wall_ns: fields.u64()? },
            Kind::Gap => {
                let mut lost = [0; Level::COUNT];
                for level in &mut lost {
                    *level = fields.u64()?;
                }
                Body::Gap(Gap { lost })
            }
            Kind::Envelope => Body::Envelope(Envelope::decode(fields)?),
            Kind::Stream => Body::Stream(Stream::decode(fields)?),
            Kind::Section => Body::Section,
        }))
    }
}

/// The payload of an event record: raw arguments, whose types the call site names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The arguments as they were captured.
    pub arguments: &'a [u8],
    /// The bytes beside them.
    pub bytes: Option<&'a [u8]>,
    /// How many records of this call site were suppressed before this one.
    pub suppressed: Option<u32>,
}

impl<'a> Event<'a> {
    /// Reads a payload under the flags of its header. It has the prefix of a text record, with the
    /// arguments in the place of the text.
    ///
    /// # Errors
    ///
    /// [`FrameError::Payload`] if the payload is shorter than its prefix says.
    #[inline]
    pub fn decode(flags: Flags, payload: &'a [u8]) -> Result<Event<'a>, FrameError> {
        let Text { text, bytes, suppressed, .. } = Text::decode(flags, payload)?;
        Ok(Event { arguments: text, bytes, suppressed })
    }
}

/// The payload of a thread change: from here on another thread writes this ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadChange<'a> {
    /// The thread as its operating system numbers it, zero if it does not.
    pub thread: u64,
    /// Its name; promised to be UTF-8, checked by the reader.
    pub name: &'a [u8],
}

/// The payload of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The next sign of life is due this many nanoseconds after this one.
    pub next_checkin_ns: u64,
    /// Nanoseconds since the worker started.
    pub uptime_ns: u64,
}

impl Heartbeat {
    /// The payload's bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next_checkin_ns.to_le_bytes());
        bytes[8..].copy_from_slice(&self.uptime_ns.to_le_bytes());
        bytes
    }
}

/// The payload of a gap: how many records of each level were lost before this frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// Records lost, by [`Level::index`].
    pub lost: [u64; Level::COUNT],
}

impl Gap {
    /// Bytes of the payload.
    pub const LENGTH: usize = 8 * Level::COUNT;
    /// Bytes of a whole gap frame.
    pub const FRAME: usize = HEADER + Gap::LENGTH;

    /// The payload's bytes.
    pub fn to_bytes(&self) -> [u8; Gap::LENGTH] {
        let mut bytes = [0; Gap::LENGTH];
        for (place, lost) in bytes.chunks_exact_mut(8).zip(self.lost) {
            place.copy_from_slice(&lost.to_le_bytes());
        }
        bytes
    }

    /// Records lost, of all levels together.
    pub fn total(&self) -> u64 {
        self.lost.iter().fold(0, |sum, lost| sum.saturating_add(*lost))
    }
}

/// Reads the little-endian fields of a payload one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    kind: Kind,
    whole: usize,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(kind: Kind, payload: &'a [u8]) -> Self {
        Self { kind, whole: payload.len(), rest: payload }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], FrameError> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            let read = self.whole - self.rest.len();
            return Err(FrameError::Payload {
                kind: self.kind as u8,
                have: self.whole as u32,
                need: read.saturating_add(length) as u32,
            });
        };
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, FrameError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, FrameError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, FrameError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }
}
