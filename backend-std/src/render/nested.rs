//! Values that are made of others, as derived `Debug` shows them: on one line, or with `#` each
//! part on a line of its own.

use millpond_core::capture::{Composite, VariantKind};

use super::number;
use super::spec::Format;
use super::value::write_value;

const INDENT: usize = 4;

/// A struct, a variant of an enum, or `Some`.
pub(super) fn write_composite(composite: &Composite<'_>, format: &Format, out: &mut Vec<u8>) {
    let brackets = match composite.kind {
        VariantKind::Named => [b'{', b'}'],
        VariantKind::Unit | VariantKind::Tuple => [b'(', b')'],
    };
    let is_named = composite.kind == VariantKind::Named;
    let inside = Format { style: format.style.inside(), ..*format };
    out.extend_from_slice(composite.name);
    let mut list = List::new(brackets, is_named, &inside);
    for (name, value) in composite.fields() {
        let more = list.part(out, |out| {
            if is_named {
                out.extend_from_slice(name);
                out.extend_from_slice(b": ");
            }
            write_value(&value, &inside, out);
        });
        if !more {
            break;
        }
    }
    list.end(out);
}

/// A list of numbers.
pub(super) fn write_bytes(bytes: &[u8], format: &Format, out: &mut Vec<u8>) {
    if bytes.is_empty() {
        return out.extend_from_slice(b"[]");
    }
    let inside = Format { style: format.style.inside(), ..*format };
    let mut list = List::new([b'[', b']'], false, &inside);
    for &byte in bytes {
        if !list.part(out, |out| number::write_unsigned(byte.into(), &inside, out)) {
            break;
        }
    }
    list.end(out);
}

/// The number in a `ThreadId`.
pub(super) fn write_thread(thread: u64, format: &Format, out: &mut Vec<u8>) {
    let inside = Format { style: format.style.inside(), ..*format };
    out.extend_from_slice(b"ThreadId");
    let mut list = List::new([b'(', b')'], false, &inside);
    list.part(out, |out| number::write_unsigned(thread.into(), &inside, out));
    list.end(out);
}

/// Parts in brackets. Without parts there are no brackets either.
struct List {
    brackets: [u8; 2],
    is_named: bool,
    is_alternate: bool,
    most: usize,
    is_empty: bool,
}

impl List {
    fn new(brackets: [u8; 2], is_named: bool, format: &Format) -> List {
        let Format { alternate: is_alternate, most, .. } = *format;
        List { brackets, is_named, is_alternate, most, is_empty: true }
    }

    /// Appends what `write` writes as one part. False if there should not be more.
    fn part(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let [open, _] = self.brackets;
        if self.is_empty && self.is_named {
            out.push(b' ');
        }
        match (self.is_empty, self.is_alternate) {
            (true, true) => out.extend_from_slice(&[open, b'\n']),
            (true, false) if self.is_named => out.extend_from_slice(&[open, b' ']),
            (true, false) => out.push(open),
            (false, true) => {}
            (false, false) => out.extend_from_slice(b", "),
        }
        self.is_empty = false;
        if self.is_alternate {
            out.extend_from_slice(&[b' '; INDENT]);
            let start = out.len();
            write(out);
            indent(out, start);
            out.extend_from_slice(b",\n");
        } else {
            write(out);
        }
        out.len() < self.most
    }

    fn end(self, out: &mut Vec<u8>) {
        if !self.is_empty {
            if self.is_named && !self.is_alternate {
                out.push(b' ');
            }
            out.push(self.brackets[1]);
        }
    }
}

/// Indents each line that begins behind `start`.
fn indent(out: &mut Vec<u8>, start: usize) {
    let lines = out[start..].iter().filter(|byte| **byte == b'\n').count();
    if lines == 0 {
        return;
    }
    let mut from = out.len();
    out.resize(from + lines * INDENT, b' ');
    let mut to = out.len();
    // From the back, so that nothing is overwritten before it is moved.
    while from < to {
        (from, to) = (from - 1, to - 1);
        if out[from] == b'\n' {
            out[to + 1 - INDENT..=to].fill(b' ');
            to -= INDENT;
        }
        out[to] = out[from];
    }
}
