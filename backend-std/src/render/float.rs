//! Numbers with a fraction.

use std::fmt::{Debug, Display, LowerExp, UpperExp};
use std::io::Write as _;

use super::digits;
use super::number;
use super::out::Out;
use super::pad::pad_number;
use super::spec::{Format, Style};

/// The bits of an `f64` below the exponent.
const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;

/// `f32` or `f64`.
pub(super) trait Float:
    Copy + Into<f64> + Debug + Display + LowerExp + UpperExp + zmij::Float
{
    /// Whether it is zero or of a size that `std` and zmij both show without an exponent and with
    /// each digit before the point.
    fn is_short(self) -> bool;
}

impl Float for f32 {
    #[inline]
    fn is_short(self) -> bool {
        (1e-4..16_777_216.0).contains(&self.abs()) || self == 0.0
    }
}

impl Float for f64 {
    #[inline]
    fn is_short(self) -> bool {
        (1e-4..1e16).contains(&self.abs()) || self == 0.0
    }
}

/// An `f64` as `{}` has it.
#[inline]
pub(super) fn write_plain(number: f64, out: &mut impl Out) {
    if !write_everyday(number, out) {
        write_shortest(number, out);
    }
}

/// An `f32` as `{}` has it.
pub(super) fn write_plain_f32(number: f32, out: &mut impl Out) {
    write_shortest(number, out);
}

#[inline(never)]
fn write_shortest(number: impl Float, out: &mut impl Out) {
    if let Some(text) = short(number, &mut zmij::Buffer::new()) {
        out.text(text.strip_suffix(b".0").unwrap_or(text));
    } else {
        // Writing to memory cannot fail.
        let _ = write!(out, "{number}");
    }
}

/// Appends a number below a hundred million that has at most six digits behind the point, as prices
/// and seconds do; false if it is another one.
///
/// A decimal number of at most 15 digits that reads back as `number` is the shortest one that does:
/// no two of them are as near to each other as two `f64`. And dividing two whole numbers below 2^53
/// reads it correctly (Clinger, How to Read Floating Point Numbers Accurately, 1990).
#[inline]
fn write_everyday(number: f64, out: &mut impl Out) -> bool {
    const SCALE: u64 = 1_000_000;
    /// From here on, an `f64` has no bits for a fraction, and its lowest bits are a whole number.
    const WHOLE: f64 = (1_u64 << FRACTION_BITS) as f64;
    let size = number.abs();
    // The decimal number has at most 14 digits then.
    if size >= digits::LIMIT as f64 {
        return false;
    }
    // Rounds to the next whole number. A NaN is not equal to anything.
    let scaled = size * SCALE as f64 + WHOLE;
    if (scaled - WHOLE) / SCALE as f64 != size {
        return false;
    }
    let scaled = scaled.to_bits() ^ WHOLE.to_bits();
    if number.is_sign_negative() {
        out.block([b'-'], 1);
    }
    digits::write_short(scaled / SCALE, out);
    let fraction = scaled % SCALE;
    if fraction > 0 {
        write_fraction(fraction, out);
    }
    true
}

/// Appends a point and the six digits of `fraction`, which is not zero, without the zeros behind the
/// last one.
#[inline]
fn write_fraction(fraction: u64, out: &mut impl Out) {
    if fraction.is_multiple_of(10_000) {
        // Most prices have two digits.
        let [tenths, hundredths] = digits::two((fraction / 10_000) as u8);
        return out.block([b'.', tenths, hundredths], if hundredths == b'0' { 2 } else { 3 });
    }
    // Two zeros and six digits; the second zero becomes the point.
    let text = u64::from_le_bytes(digits::all_eight(fraction));
    let zeros = (text & 0x0f0f_0f0f_0f0f_0f0f).leading_zeros() as usize / 8;
    let text = (text >> 8) & !0xff | u64::from(b'.');
    out.block(text.to_le_bytes(), 7 - zeros);
}

/// The shortest digits with at least one behind the point, if `std` would choose the same.
#[inline]
fn short<F: Float>(number: F, buffer: &mut zmij::Buffer) -> Option<&[u8]> {
    if !number.is_short() {
        return None;
    }
    let text = buffer.format_finite(number).as_bytes();
    // A number with so many bits behind the point has as many digits there, and the last is a 5. If
    // that 5 is just what is missing, two texts are equally near, and `std` takes the other one.
    let bits = number.into().to_bits();
    let exponent = (bits >> FRACTION_BITS) as u32 & 0x7ff;
    let lowest = (bits | 1 << FRACTION_BITS).trailing_zeros();
    let below = 1075_u32.saturating_sub(exponent + lowest) as usize;
    let point = text.len().checked_sub(below).and_then(|at| text.get(at));
    (point != Some(&b'.')).then_some(text)
}

pub(super) fn write(number: impl Float, format: &Format, out: &mut Vec<u8>) {
    let start = out.len();
    let wide: f64 = number.into();
    let has_sign = !wide.is_nan() && (format.plus || wide.is_sign_negative());
    if has_sign && wide.is_sign_positive() {
        out.push(b'+');
    }
    let precision = format.precision.map(usize::from);
    let _ = match (format.style, precision) {
        (Style::LowerExp, None) => write!(out, "{number:e}"),
        (Style::LowerExp, Some(precision)) => write!(out, "{number:.precision$e}"),
        (Style::UpperExp, None) => write!(out, "{number:E}"),
        (Style::UpperExp, Some(precision)) => write!(out, "{number:.precision$E}"),
        (_, Some(precision)) if write_fixed(wide, precision, out) => Ok(()),
        (_, Some(precision)) => write!(out, "{number:.precision$}"),
        (style, None) if !style.is_debug() => {
            write_shortest(number, out);
            Ok(())
        }
        (_, None) => match short(number, &mut zmij::Buffer::new()) {
            Some(text) => out.write_all(text),
            None => write!(out, "{number:?}"),
        },
    };
    pad_number(out, start, usize::from(has_sign), format);
}

/// Powers of ten up to the most digits behind the point that [`write_fixed`] does.
const TENS: [u64; 10] = {
    let mut tens = [1; 10];
    let mut at = 1;
    while at < tens.len() {
        tens[at] = tens[at - 1] * 10;
        at += 1;
    }
    tens
};

/// Appends a number of everyday size with so many digits behind the point; false if it is not of
/// that kind. Exact: a number is a whole one of at most 53 bits times a power of two, so with at
/// most 30 bits of a power of ten it fits into 128 bits, and what is rounded are the lowest of them,
/// half to even as `std` does. Several times faster than `std`, which is prepared for all numbers.
fn write_fixed(number: f64, precision: usize, out: &mut Vec<u8>) -> bool {
    // This also leaves out what is no number.
    let Some(&scale) = TENS.get(precision).filter(|_| number.abs() < 1e9) else { return false };
    let bits = number.abs().to_bits();
    let exponent = (bits >> FRACTION_BITS) as u32;
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let implied = u64::from(exponent != 0) << FRACTION_BITS;
    let scaled = u128::from(fraction | implied) * u128::from(scale);
    // 1e9 is less than 2^30, so at least 22 bits are below the point.
    let below = 1075 - exponent.max(1);
    let rounded = if below < 128 {
        let (whole, rest, half) =
            (scaled >> below, scaled & ((1 << below) - 1), 1_u128 << (below - 1));
        whole as u64 + u64::from(rest > half || (rest == half && whole & 1 == 1))
    } else {
        0
    };
    if number.is_sign_negative() {
        out.push(b'-');
    }
    number::write_plain(rounded / scale, out);
    if precision > 0 {
        // One digit more than there are, so that zeros at the head stay, becomes the point.
        let point = out.len();
        number::write_plain(rounded % scale + scale, out);
        out[point] = b'.';
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(number: f64) {
        for number in [number, -number] {
            let mut out = Vec::new();
            write_plain(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }

    #[test]
    fn everyday_numbers() {
        for number in 0..30_000_u32 {
            check(f64::from(number) / 100.0);
            check(f64::from(number) / 1e6);
            check(f64::from(number) * 0.125);
            check(12_345_678.0 + f64::from(number) / 1e6);
            check(99_999_999.0 + f64::from(number) / 1e4);
        }
        for number in [f64::NAN, f64::INFINITY, 1e8, 1e8 - 1e-6, 5e-7, 1e-7, f64::MIN_POSITIVE] {
            check(number);
        }
    }

    proptest! {
        #[test]
        fn any_decimal(digits in any::<u64>(), shift in 0..64_u32, point in 0..10_i32) {
            check((digits >> shift) as f64 / 10_f64.powi(point));
        }

        #[test]
        fn near_a_decimal(digits in 0..100_000_000_000_000_u64, steps in -3..4_i64) {
            let decimal = (digits as f64 / 1e6).to_bits();
            check(f64::from_bits(decimal.saturating_add_signed(steps)));
        }
    }
}
