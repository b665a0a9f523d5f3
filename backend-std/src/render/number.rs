//! Whole numbers.

use std::io::Write as _;

use super::digits;
use super::out::Out;
use super::pad::pad_number;
use super::spec::{Format, Style};

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// A number as `{}` and `{:?}` have it.
#[inline(always)]
pub(super) fn write_plain(number: u64, out: &mut impl Out) {
    digits::write(number, out);
}

pub(super) fn write_signed(number: i128, bits: u32, format: &Format, out: &mut Vec<u8>) {
    match format.style {
        Style::LowerExp | Style::UpperExp => {
            write_exponential(number < 0, number.unsigned_abs(), format, out);
        }
        Style::Display | Style::Debug => {
            write_decimal(number < 0, number.unsigned_abs(), format, out);
        }
        // Two's complement in the width of the type.
        _ => write_digits(number as u128 & (u128::MAX >> (128 - bits.clamp(1, 128))), format, out),
    }
}

pub(super) fn write_unsigned(number: u128, format: &Format, out: &mut Vec<u8>) {
    match format.style {
        Style::LowerExp | Style::UpperExp => write_exponential(false, number, format, out),
        Style::Display | Style::Debug => write_decimal(false, number, format, out),
        _ => write_digits(number, format, out),
    }
}

fn write_sign(is_negative: bool, format: &Format, out: &mut Vec<u8>) {
    if is_negative {
        out.push(b'-');
    } else if format.plus {
        out.push(b'+');
    }
}

fn write_decimal(is_negative: bool, magnitude: u128, format: &Format, out: &mut Vec<u8>) {
    let start = out.len();
    write_sign(is_negative, format, out);
    let prefix = out.len() - start;
    match u64::try_from(magnitude) {
        Ok(magnitude) => write_plain(magnitude, out),
        Err(_) => out.extend_from_slice(itoa::Buffer::new().format(magnitude).as_bytes()),
    }
    pad_number(out, start, prefix, format);
}

/// Hexadecimal, octal and binary.
fn write_digits(mut number: u128, format: &Format, out: &mut Vec<u8>) {
    let (name, bits, table) = match format.style {
        Style::Octal => (b'o', 3, LOWER),
        Style::Binary => (b'b', 1, LOWER),
        Style::UpperHex | Style::DebugUpperHex => (b'x', 4, UPPER),
        _ => (b'x', 4, LOWER),
    };
    let start = out.len();
    write_sign(false, format, out);
    if format.alternate {
        out.extend_from_slice(&[b'0', name]);
    }
    let prefix = out.len() - start;
    let mut text = [0; 128];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = table[(number & ((1 << bits) - 1)) as usize];
        number >>= bits;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[at..]);
    pad_number(out, start, prefix, format);
}

fn write_exponential(is_negative: bool, magnitude: u128, format: &Format, out: &mut Vec<u8>) {
    let start = out.len();
    write_sign(is_negative, format, out);
    let prefix = out.len() - start;
    // Writing to a vector cannot fail.
    let _ = match (format.style, format.precision.map(usize::from)) {
        (Style::UpperExp, None) => write!(out, "{magnitude:E}"),
        (Style::UpperExp, Some(precision)) => write!(out, "{magnitude:.precision$E}"),
        (_, None) => write!(out, "{magnitude:e}"),
        (_, Some(precision)) => write!(out, "{magnitude:.precision$e}"),
    };
    pad_number(out, start, prefix, format);
}
