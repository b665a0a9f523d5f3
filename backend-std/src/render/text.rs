//! Text and characters.

use std::io::Write as _;

use super::number;
use super::pad::{cut_to_chars, pad};
use super::spec::{Align, Format};

/// As `str` and `char` do it: a precision cuts, a width fills up. `Debug` has quotes and minds
/// neither.
pub(super) fn write_text(text: &[u8], format: &Format, out: &mut Vec<u8>) {
    if format.style.is_debug() { write_quoted(text, out) } else { write_shown(text, format, out) }
}

/// As text that is there already does it when it is shown by `Display`.
pub(super) fn write_shown(text: &[u8], format: &Format, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(cut_to_chars(text, format.precision));
    pad(out, start, Align::Left, format);
}

pub(super) fn write_char(c: char, format: &Format, out: &mut Vec<u8>) {
    if format.style.is_debug() {
        // Writing to a vector cannot fail.
        let _ = write!(out, "{c:?}");
    } else {
        write_shown(c.encode_utf8(&mut [0; 4]).as_bytes(), format, out);
    }
}

/// As `{:?}` of text; bytes that are not UTF-8 as `\xNN`.
pub(super) fn write_quoted(text: &[u8], out: &mut Vec<u8>) {
    let is_plain = |&byte: &u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.iter().all(is_plain) {
        out.push(b'"');
        out.extend_from_slice(text);
        return out.push(b'"');
    }
    if let Ok(text) = std::str::from_utf8(text) {
        let _ = write!(out, "{text:?}");
        return;
    }
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            // In a text, unlike in a character, nothing is wrong with it.
            let _ = if c == '\'' { write!(out, "'") } else { write!(out, "{}", c.escape_debug()) };
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push(b'"');
}

/// Says that a value had been longer.
pub(super) fn write_cut(original: Option<u32>, out: &mut Vec<u8>) {
    if let Some(original) = original {
        out.extend_from_slice(b" [truncated, ");
        number::write_plain(original.into(), out);
        out.extend_from_slice(b" bytes]");
    }
}
