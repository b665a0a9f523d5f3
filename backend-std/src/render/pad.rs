//! Widths: what a value is filled up with, as `std::fmt::Formatter` does it.

use super::spec::{Align, Format};

/// Brings what stands behind `start` to its width. `prefix` bytes of it are a sign or `0x`, which
/// zeros come after.
pub(super) fn pad_number(out: &mut Vec<u8>, start: usize, prefix: usize, format: &Format) {
    if format.zero {
        insert_fill(out, start + prefix, missing(out, start, format), usize::MAX, '0');
    } else {
        pad(out, start, Align::Right, format);
    }
}

/// Brings what stands behind `start` to its width and leaves it where `default` says unless the
/// format knows better.
pub(super) fn pad(out: &mut Vec<u8>, start: usize, default: Align, format: &Format) {
    let missing = missing(out, start, format);
    let before = match format.align.unwrap_or(default) {
        Align::Left => 0,
        Align::Center => missing / 2,
        Align::Right => missing,
    };
    insert_fill(out, start, missing, before, format.fill);
}

/// How many characters are missing.
fn missing(out: &[u8], start: usize, format: &Format) -> usize {
    match format.width {
        0 => 0,
        width => usize::from(width).saturating_sub(count_chars(&out[start..])),
    }
}

/// Adds `count` times `fill`: `before` of them at `start`, the others at the end.
fn insert_fill(out: &mut Vec<u8>, start: usize, count: usize, before: usize, fill: char) {
    if count == 0 {
        return;
    }
    let mut bytes = [0; 4];
    let fill = fill.encode_utf8(&mut bytes).as_bytes();
    for _ in 0..count {
        out.extend_from_slice(fill);
    }
    out[start..].rotate_right(before.min(count) * fill.len());
}

/// The number of characters if it is UTF-8; of other bytes some number.
fn count_chars(text: &[u8]) -> usize {
    text.iter().filter(|byte| is_first(**byte)).count()
}

/// The head of `text` that has at most so many characters.
pub(super) fn cut_to_chars(text: &[u8], most: Option<u16>) -> &[u8] {
    let Some(most) = most.map(usize::from).filter(|most| *most < text.len()) else { return text };
    let mut firsts = text.iter().enumerate().filter(|(_, byte)| is_first(**byte));
    firsts.nth(most).map_or(text, |(end, _)| &text[..end])
}

/// Whether a byte is not inside a character (RFC 3629, section 3).
fn is_first(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}
