//! Line formats: how a record becomes a line of text.

mod escape;
mod pattern;
mod time;

use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::records::{Record, Records};
use escape::write_escaped;
use pattern::Piece;

pub use pattern::FormatError;
pub use time::TimeText;

/// Bytes that a line takes beside its message, as a first guess.
const AROUND_MESSAGE: usize = 128;

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
/// | `%%` | a percent sign |
///
/// Whatever a message or a name consists of, a record becomes exactly one line of valid UTF-8 that
/// cannot drive a terminal. Control characters other than tab, line and paragraph separators and
/// characters that reverse the direction of text are written as `\n`, `\x1b` or `\u{2028}`, bytes
/// that are not UTF-8 as `\xNN`. Backslashes stay as they are.
///
/// Behind a message that was cut stands ` [truncated, N bytes]` with the length that it had, and
/// behind that ` b"..."` with the bytes that were logged beside the message.
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
        Ok(LineFormat { pattern: pattern.into(), pieces: pattern::parse(pattern)? })
    }

    /// The pattern.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Appends the line of `record` to `out`, with `\n` at its end. Does not allocate as long as
    /// `out` has room.
    pub fn write_line(&self, record: &Record<'_>, clock: &mut TimeText, out: &mut Vec<u8>) {
        let level = record.level().index();
        out.reserve(record.message_bytes().len() + AROUND_MESSAGE);
        for piece in &self.pieces {
            match piece {
                Piece::Fixed(texts) => out.extend_from_slice(texts[level].as_bytes()),
                Piece::Time => clock.write(record.timestamp_ns(), out),
                Piece::Name => write_escaped(record.name().as_bytes(), out),
                Piece::Message => write_message(record, out),
                Piece::Process => write_integer(record.source().process, out),
                Piece::Thread => write_thread(record, out),
            }
        }
        out.push(b'\n');
    }

    /// Appends the lines of all records to `out`, oldest first.
    pub fn write_lines(&self, records: &Records, clock: &mut TimeText, out: &mut Vec<u8>) {
        for record in records {
            self.write_line(&record, clock, out);
        }
    }
}

fn write_message(record: &Record<'_>, out: &mut Vec<u8>) {
    write_escaped(record.message_bytes(), out);
    if let Some(length) = record.original_length() {
        out.extend_from_slice(b" [truncated, ");
        write_integer(length, out);
        out.extend_from_slice(b" bytes]");
    }
    if let Some(bytes) = record.bytes() {
        // Writing to a vector cannot fail.
        let _ = write!(out, " b\"{}\"", bytes.escape_ascii());
    }
}

fn write_thread(record: &Record<'_>, out: &mut Vec<u8>) {
    let source = record.source();
    if source.thread_name.is_empty() {
        write_integer(source.thread, out);
    } else {
        write_escaped(source.thread_name.as_bytes(), out);
    }
}

fn write_integer(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
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
