//! One argument as text.

use std::io::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use millpond_core::capture::Value;

use super::nested::{write_bytes, write_composite, write_thread};
use super::pad::pad;
use super::spec::{Align, Format};
use super::{float, number, text};

/// Appends `value` as `std` shows its type. What has no `Display` is shown by `Debug`.
pub(super) fn write_value(value: &Value<'_>, format: &Format, out: &mut Vec<u8>) {
    match *value {
        Value::Bool(false) => text::write_shown(b"false", format, out),
        Value::Bool(true) => text::write_shown(b"true", format, out),
        Value::Char(c) => text::write_char(c, format, out),
        Value::Signed(number, bits) => number::write_signed(number, bits, format, out),
        Value::Unsigned(number, _) => number::write_unsigned(number, format, out),
        Value::F32(number) => float::write(number, format, out),
        Value::F64(number) => float::write(number, format, out),
        Value::Text(text, original) => {
            text::write_text(text, format, out);
            text::write_cut(original, out);
        }
        Value::Formatted(text, original) => {
            // What `Debug` made when it was logged is not quoted once more.
            let as_it_stands = Format { precision: None, width: 0, ..*format };
            let format = if format.style.is_debug() { &as_it_stands } else { format };
            text::write_shown(text, format, out);
            text::write_cut(original, out);
        }
        Value::Bytes(bytes, original) => {
            write_bytes(bytes, format, out);
            text::write_cut(original, out);
        }
        Value::Duration(duration) => write_duration(duration, format, out),
        Value::Ip(address) => write_ip(address, format, out),
        Value::Thread(number) => write_thread(number, format, out),
        Value::None => out.extend_from_slice(b"None"),
        Value::Some(ref composite) | Value::Composite(ref composite) => {
            write_composite(composite, format, out);
        }
        // A type of a newer core; this crate is made together with its core.
        _ => out.extend_from_slice(b"?"),
    }
}

fn write_duration(duration: Duration, format: &Format, out: &mut Vec<u8>) {
    let start = out.len();
    // Writing to a vector cannot fail.
    let _ = match (format.plus, format.precision.map(usize::from)) {
        (false, None) => write!(out, "{duration:?}"),
        (true, None) => write!(out, "{duration:+?}"),
        (false, Some(precision)) => write!(out, "{duration:.precision$?}"),
        (true, Some(precision)) => write!(out, "{duration:+.precision$?}"),
    };
    pad(out, start, Align::Left, format);
}

fn write_ip(address: IpAddr, format: &Format, out: &mut Vec<u8>) {
    let start = out.len();
    let _ = write!(out, "{address}");
    // A precision cuts it, as it cuts text.
    let most = format.precision.map_or(usize::MAX, usize::from);
    out.truncate(start.saturating_add(most).min(out.len()));
    pad(out, start, Align::Left, format);
}
