//! Text, bytes, and what is formatted where it is logged.

use core::fmt;

use super::sink::Bytes;
use super::{Argument, Shape, Signature, Sink, char_boundary, code};

/// Marks a length whose content was cut: the length that it had follows.
pub(super) const WAS_CUT: u32 = 1 << 31;

/// Writes a length and the content, or as much of it as the sink allows. `cut` finds the place.
#[inline(always)]
fn put_content<S: Sink>(content: &[u8], sink: &mut S, cut: impl FnOnce(&[u8], usize) -> usize) {
    let allowed = sink.allow(content.len());
    if allowed == content.len() {
        sink.put(&(content.len() as u32).to_le_bytes());
        sink.put(content);
    } else {
        let kept = &content[..cut(content, allowed)];
        let whole = u32::try_from(content.len()).unwrap_or(u32::MAX);
        sink.put(&(kept.len() as u32 | WAS_CUT).to_le_bytes());
        sink.put(&whole.to_le_bytes());
        sink.put(kept);
    }
}

/// Bytes of a length and so much content. Far too much is as much too much as any: no frame is so
/// long, so it will be cut.
#[inline(always)]
fn length(content: usize) -> u32 {
    (content.min(WAS_CUT as usize - 8) + 4) as u32
}

impl Argument for &str {
    const SHAPE: Shape = Shape::of_code(code::TEXT);
    const FIXED: u32 = 4;
    const TEXTS: u32 = 1;
    const IS_FORMATTED: bool = false;

    fn describe(signature: &mut Signature) {
        signature.code(code::TEXT);
    }

    #[inline(always)]
    fn length(self) -> u32 {
        length(self.len())
    }

    #[inline(always)]
    fn put<S: Sink>(self, sink: &mut S) {
        put_content(self.as_bytes(), sink, char_boundary);
    }
}

impl Argument for &[u8] {
    const SHAPE: Shape = Shape::of_code(code::BYTES);
    const FIXED: u32 = 4;
    const TEXTS: u32 = 1;
    const IS_FORMATTED: bool = false;

    fn describe(signature: &mut Signature) {
        signature.code(code::BYTES);
    }

    #[inline(always)]
    fn length(self) -> u32 {
        length(self.len())
    }

    #[inline(always)]
    fn put<S: Sink>(self, sink: &mut S) {
        put_content(self, sink, |_, at| at);
    }
}

/// What is formatted where it is logged, straight into the ring.
#[derive(Clone, Copy)]
pub struct Formatted<'a>(&'a dyn Fn(&mut dyn fmt::Write) -> fmt::Result);

impl<'a> Formatted<'a> {
    /// The text is what `write` writes. It is called once, unless the record is dropped before.
    ///
    /// If it panics, the record is not written, as if it had not been logged: whoever can catch a
    /// panic does so inside.
    pub fn new(write: &'a dyn Fn(&mut dyn fmt::Write) -> fmt::Result) -> Self {
        Self(write)
    }
}

impl fmt::Debug for Formatted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Formatted")
    }
}

impl Argument for Formatted<'_> {
    const SHAPE: Shape = Shape::of_code(code::FORMATTED);
    const FIXED: u32 = 8;
    const TEXTS: u32 = 0;
    const IS_FORMATTED: bool = true;

    fn describe(signature: &mut Signature) {
        signature.code(code::FORMATTED);
    }

    fn length(self) -> u32 {
        8
    }

    fn put<S: Sink>(self, sink: &mut S) {
        sink.put_formatted(self.0);
    }
}

/// Text that is being formatted: as much of it is kept as there is room for, all of it is counted.
pub struct TextOut<'a> {
    out: &'a mut dyn Bytes,
    spare: usize,
    kept: usize,
    whole: usize,
}

impl<'a> TextOut<'a> {
    pub(super) fn new(out: &'a mut dyn Bytes, spare: usize) -> Self {
        Self { out, spare, kept: 0, whole: 0 }
    }

    /// Appends a note as if it were part of the text.
    pub(super) fn note(&mut self, note: &str) {
        let _ = fmt::Write::write_str(self, note);
    }

    /// Bytes that were kept, and bytes that there were.
    pub(super) fn lengths(&self) -> (u32, u32) {
        (self.kept as u32, u32::try_from(self.whole).unwrap_or(u32::MAX))
    }
}

impl fmt::Debug for TextOut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextOut").field("kept", &self.kept).field("whole", &self.whole).finish()
    }
}

impl fmt::Write for TextOut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = char_boundary(text.as_bytes(), self.spare);
        self.out.append(&text.as_bytes()[..end]);
        self.kept += end;
        // Nothing follows what was cut.
        self.spare = if end < text.len() { 0 } else { self.spare - end };
        self.whole = self.whole.saturating_add(text.len());
        Ok(())
    }
}
