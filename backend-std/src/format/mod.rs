//! Line formats: how a record becomes a line of text.

mod escape;
mod head;
mod pattern;
mod time;

use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::records::{Record, Records};
use crate::render::out::{Out as _, Window};
use crate::render::{Definition, digits};
use escape::{escape_tail, write_escaped};
use head::Head;
use pattern::Piece;

pub(crate) use escape::{is_harmful, may_stay};
pub use pattern::FormatError;
pub use time::TimeText;

/// Bytes that a line takes beside its message, as a first guess.
const AROUND_MESSAGE: usize = 128;

/// So many heads are kept: records of some threads and levels come in turn.
const HEADS: usize = 8;

/// How records become lines: a pattern of placeholders and literal text.
///
/// | placeholder | becomes |
/// |---|---|
/// | `%(asctime)s` | `2026-11-22T07:45:53.123456Z`, see [`TimeText`] |
/// | `%(levelname)s` | `TRACE`, `DEBUG`, `INFO`, `WARNING` or `ERROR` |
/// | `%(name)s` | the name of the logger or worker |
/// | `%(message)s` | the message, and what was logged beside it |
/// | `%(process)d` | the number of the process |
/// | `%(thread)s` | the name of the thread, else its number |
/// | `%(target)s` | the module that logged it, or what the call said instead |
/// | `%(pathname)s` | the source file |
/// | `%(filename)s` | the source file without its folders |
/// | `%(lineno)d` | the line in the source file |
/// | `%%` | a percent sign |
///
/// Whatever a message or a name consists of, a record becomes exactly one line of valid UTF-8 that
/// cannot drive a terminal. Control characters other than tab, line and paragraph separators and
/// characters that reverse the direction of text are written as `\n`, `\x1b` or `\u{2028}`, bytes
/// that are not UTF-8 as `\xNN`. Backslashes stay as they are.
///
/// Text that was logged without one of the macros has no place in the source: the last four of the
/// table become `-`.
///
/// Behind a message that was cut stands ` [truncated, N bytes]` with the length that it had, behind
/// that ` [N suppressed before]` if the rate control of the call site held records back, and behind
/// that ` b"..."` with the bytes that were logged beside the message.
///
/// In a configuration it is the pattern as a string.
///
/// ```
/// use millpond_std::{FormatError, LineFormat};
///
/// let format = LineFormat::new("%(levelname)s (%(thread)s): %(message)s")?;
/// assert_eq!(format.as_str(), "%(levelname)s (%(thread)s): %(message)s");
/// assert_eq!(LineFormat::default().as_str(), LineFormat::DEFAULT_PATTERN);
///
/// let error = LineFormat::new("%(msg)s").unwrap_err();
/// assert!(matches!(error, FormatError::Unknown { position: 0, .. }));
/// # Ok::<(), FormatError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LineFormat {
    pattern: Box<str>,
    pieces: Box<[Piece]>,
    /// How many of the pieces are the head.
    head: usize,
}

impl LineFormat {
    /// The pattern of [`LineFormat::default`].
    pub const DEFAULT_PATTERN: &str = "%(asctime)s [%(levelname)s] %(name)s - %(message)s";

    /// The format that `pattern` describes. The line's end is not part of a pattern, it is always
    /// added.
    ///
    /// # Errors
    ///
    /// [`FormatError`] if a placeholder is unknown or unfinished, if a percent sign stands alone,
    /// if there is a control character other than tab, and if `%(message)s` is missing.
    pub fn new(pattern: &str) -> Result<LineFormat, FormatError> {
        let pieces = pattern::parse(pattern)?;
        Ok(LineFormat { pattern: pattern.into(), head: head::count(&pieces), pieces })
    }

    /// The pattern.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Appends the line of `record` to `out`, with `\n` at its end. Does not allocate as long as
    /// `out` has room.
    pub fn write_line(&self, record: &Record<'_>, clock: &mut TimeText, out: &mut Vec<u8>) {
        Self::write_pieces(&self.pieces, record, clock, out);
        out.push(b'\n');
    }

    /// Appends the lines of all records to `out`, oldest first.
    pub fn write_lines(&self, records: &Records, clock: &mut TimeText, out: &mut Vec<u8>) {
        let mut heads = [const { Head::new() }; HEADS];
        let mut lines = Window::new();
        let ends_with_message = matches!(self.pieces[self.head..], [Piece::Message]);
        for (index, record) in records.iter().enumerate() {
            let start = lines.end();
            let (source, level) = (record.source(), record.level().index());
            let head = &mut heads[(record.origin_index() + level) % HEADS];
            let has_head = head.write_again(source, level, record.timestamp_ns(), &mut lines);
            let behind_head = lines.end();
            let is_simple =
                has_head && ends_with_message && write_simple_message(&record, &mut lines);
            if is_simple {
                lines.block([b'\n'], 1);
            }
            if !is_simple || !lines.fits() {
                lines.cut(if has_head { behind_head } else { start });
                lines.move_to(out);
                self.write_any(records, index, (!has_head).then_some(head), clock, out);
            } else if lines.is_short_of_room() {
                lines.move_to(out);
            }
        }
        lines.move_to(out);
    }

    /// Appends the line of the record at `index`, and keeps its head; without a `new_head`, only
    /// what is behind the head. Not part of the loop above, which would have to keep all of the
    /// record in memory for it.
    #[inline(never)]
    fn write_any<'a>(
        &self,
        records: &'a Records,
        index: usize,
        new_head: Option<&mut Head<'a>>,
        clock: &mut TimeText,
        out: &mut Vec<u8>,
    ) {
        let Some(record) = records.get(index) else { return };
        let (first, rest) = self.pieces.split_at(self.head);
        if let Some(head) = new_head {
            let start = out.len();
            let time_end = Self::write_pieces(first, &record, clock, out);
            let time = time_end.map(|end| (&*clock, end - start));
            head.keep(record.source(), record.level().index(), &out[start..], time);
        }
        // Most patterns end with the message.
        match rest {
            [Piece::Message] => write_message(&record, out),
            rest => drop(Self::write_pieces(rest, &record, clock, out)),
        }
        out.push(b'\n');
    }

    /// Returns where the last time ends.
    fn write_pieces(
        pieces: &[Piece],
        record: &Record<'_>,
        clock: &mut TimeText,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        let level = record.level().index();
        let mut time_end = None;
        out.reserve(AROUND_MESSAGE);
        for piece in pieces {
            match piece {
                Piece::Fixed(texts) => texts[level].append(out),
                Piece::Time => {
                    clock.write(record.timestamp_ns(), out);
                    time_end = Some(out.len());
                }
                Piece::Name => write_escaped(record.name().as_bytes(), out),
                Piece::Message => write_message(record, out),
                Piece::Process => digits::write(record.source().process.into(), out),
                Piece::Thread => write_thread(record, out),
                Piece::Target => write_place(record, out, |site, out| {
                    write_escaped(site.target().as_bytes(), out);
                }),
                Piece::Path => write_place(record, out, |site, out| {
                    write_escaped(site.file().as_bytes(), out);
                }),
                Piece::File => write_place(record, out, |site, out| {
                    let name = site.file().rsplit(['/', '\\']).next();
                    write_escaped(name.unwrap_or_default().as_bytes(), out);
                }),
                Piece::Line => write_place(record, out, |site, out| {
                    digits::write(site.line().into(), out);
                }),
            }
        }
        time_end
    }
}

#[inline]
fn write_message(record: &Record<'_>, out: &mut Vec<u8>) {
    if let Some((site, arguments)) = record.event() {
        let start = out.len();
        site.write_message(arguments, out);
        escape_tail(start, out);
    } else {
        let message = record.message_bytes();
        out.reserve(message.len() + AROUND_MESSAGE);
        write_escaped(message, out);
    }
    write_notes(record, out);
}

/// Appends a message with nothing behind it and nothing to escape; false if it is another one.
#[inline]
fn write_simple_message(record: &Record<'_>, out: &mut Window) -> bool {
    if record.has_notes() {
        return false;
    }
    if let Some((site, arguments)) = record.event() {
        return site.write_simple(arguments, out);
    }
    let message = record.message_bytes();
    let may_stay = may_stay(message);
    if may_stay {
        out.text(message);
    }
    may_stay
}

/// What stands behind a message.
fn write_notes(record: &Record<'_>, out: &mut Vec<u8>) {
    if let Some(length) = record.original_length() {
        out.extend_from_slice(b" [truncated, ");
        digits::write(length.into(), out);
        out.extend_from_slice(b" bytes]");
    }
    if let Some(count) = record.suppressed() {
        out.extend_from_slice(b" [");
        digits::write(count.into(), out);
        out.extend_from_slice(b" suppressed before]");
    }
    if let Some(bytes) = record.bytes() {
        // Writing to a vector cannot fail.
        let _ = write!(out, " b\"{}\"", bytes.escape_ascii());
    }
}

/// What the call site of a record says, if it has one.
fn write_place(
    record: &Record<'_>,
    out: &mut Vec<u8>,
    write: impl FnOnce(&Definition, &mut Vec<u8>),
) {
    match record.call_site() {
        Some(site) => write(site, out),
        None => out.push(b'-'),
    }
}

fn write_thread(record: &Record<'_>, out: &mut Vec<u8>) {
    let source = record.source();
    if source.thread_name.is_empty() {
        digits::write(source.thread, out);
    } else {
        write_escaped(source.thread_name.as_bytes(), out);
    }
}

impl Default for LineFormat {
    /// [`LineFormat::DEFAULT_PATTERN`].
    fn default() -> Self {
        LineFormat::new(Self::DEFAULT_PATTERN).expect("the default pattern is a pattern")
    }
}

impl fmt::Debug for LineFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LineFormat").field(&self.as_str()).finish()
    }
}

impl fmt::Display for LineFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LineFormat {
    type Err = FormatError;

    fn from_str(pattern: &str) -> Result<Self, FormatError> {
        LineFormat::new(pattern)
    }
}

impl TryFrom<String> for LineFormat {
    type Error = FormatError;

    fn try_from(pattern: String) -> Result<Self, FormatError> {
        LineFormat::new(&pattern)
    }
}

impl From<LineFormat> for String {
    fn from(format: LineFormat) -> String {
        format.pattern.into()
    }
}

#[cfg(test)]
mod tests;
