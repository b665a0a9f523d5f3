//! Where arguments are written to.

use core::fmt;

use super::text::TextOut;
use crate::ring::Claim;
use crate::storage::Area;

/// Takes the bytes of arguments.
pub trait Sink {
    /// Appends `bytes`.
    fn put(&mut self, bytes: &[u8]);

    /// How many bytes may be written here of a content that has `length`.
    #[inline(always)]
    fn allow(&mut self, length: usize) -> usize {
        length
    }

    /// Appends what `write` formats, encoded as [`FORMATTED`](super::code::FORMATTED).
    fn put_formatted(&mut self, write: &dyn Fn(&mut dyn fmt::Write) -> fmt::Result);
}

impl<A: Area> Sink for Claim<'_, A> {
    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) {
        Claim::put(self, bytes);
    }

    fn put_formatted(&mut self, write: &dyn Fn(&mut dyn fmt::Write) -> fmt::Result) {
        let room = self.room();
        Cut::new(self, 0, room.saturating_sub(8)).put_formatted(write);
    }
}

/// Bytes that are written in order, and some of them once more.
pub trait Bytes {
    /// Appends as many of `bytes` as there is room for.
    fn append(&mut self, bytes: &[u8]);

    /// How many bytes were appended.
    fn written(&self) -> usize;

    /// Overwrites what was appended `at` so many bytes from the start.
    fn rewrite(&mut self, at: usize, bytes: &[u8]);
}

impl<A: Area> Bytes for Claim<'_, A> {
    fn append(&mut self, bytes: &[u8]) {
        self.put(bytes);
    }

    fn written(&self) -> usize {
        Claim::written(self)
    }

    fn rewrite(&mut self, at: usize, bytes: &[u8]) {
        Claim::rewrite(self, at, bytes);
    }
}

impl<const N: usize> Bytes for heapless::Vec<u8, N> {
    fn append(&mut self, bytes: &[u8]) {
        let fits = bytes.len().min(N - self.len());
        let _ = self.extend_from_slice(&bytes[..fits]);
    }

    fn written(&self) -> usize {
        self.len()
    }

    fn rewrite(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

/// Writes where there may be less room than the arguments want: the contents of texts and byte
/// strings share some bytes, and what is formatted shares some others, the first ones first.
#[derive(Debug)]
pub struct Cut<'a, B> {
    bytes: &'a mut B,
    contents: usize,
    formatted: usize,
}

impl<'a, B: Bytes> Cut<'a, B> {
    /// `contents` is for texts and byte strings, `formatted` for what is formatted. If together they
    /// exceed the room less [`Argument::FIXED`](super::Argument::FIXED) and four bytes for each of
    /// [`Argument::TEXTS`](super::Argument::TEXTS), the last arguments may be missing.
    pub fn new(bytes: &'a mut B, contents: usize, formatted: usize) -> Self {
        Self { bytes, contents, formatted }
    }
}

impl<B: Bytes> Sink for Cut<'_, B> {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes.append(bytes);
    }

    fn allow(&mut self, length: usize) -> usize {
        let allowed = length.min(self.contents);
        self.contents -= allowed;
        allowed
    }

    fn put_formatted(&mut self, write: &dyn Fn(&mut dyn fmt::Write) -> fmt::Result) {
        let lengths = self.bytes.written();
        self.bytes.append(&[0; 8]);
        if self.bytes.written() - lengths < 8 {
            // Nor is there room for text. Whoever reads this finds that the arguments end here.
            return;
        }
        let mut out = TextOut::new(self.bytes, self.formatted);
        if write(&mut out).is_err() {
            out.note(" [formatting failed]");
        }
        let (kept, whole) = out.lengths();
        self.formatted -= kept as usize;
        self.bytes.rewrite(lengths, &kept.to_le_bytes());
        self.bytes.rewrite(lengths + 4, &whole.to_le_bytes());
    }
}
