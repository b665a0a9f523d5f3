//! Decimal digits of everyday numbers, eight at a time and without a loop.

use super::out::Out;

/// Numbers from here on have more than eight digits.
pub(crate) const LIMIT: u64 = 100_000_000;

/// The eight digits of a number below [`LIMIT`], zeros at the head: the first digit is the lowest
/// byte, and each byte is the digit itself, not its character.
///
/// Halves, quarters and eighths of the word are divided at once. A division by a constant is a
/// multiplication and a shift that is exact for what stands there: by 100 below 10^4 and by 10
/// below 100.
#[inline]
fn eight(number: u64) -> u64 {
    let fours = (number / 10_000) | (number % 10_000) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - 10 * tens) << 8
}

/// As [`eight`], of a number below 10^4.
#[inline]
fn four(number: u32) -> u32 {
    let hundreds = (number * 10_486) >> 20;
    let twos = hundreds | (number - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f;
    tens | (twos - 10 * tens) << 8
}

/// The characters of all eight digits, the first one first.
#[inline]
pub(crate) fn all_eight(number: u64) -> [u8; 8] {
    (eight(number) | 0x3030_3030_3030_3030).to_le_bytes()
}

/// Appends a number without zeros at its head.
#[inline(always)]
pub(crate) fn write(number: u64, out: &mut impl Out) {
    if number < LIMIT {
        write_short(number, out);
    } else {
        write_long(number, out);
    }
}

#[inline(never)]
fn write_long(number: u64, out: &mut impl Out) {
    if number < LIMIT * LIMIT {
        write_short(number / LIMIT, out);
        out.block(all_eight(number % LIMIT), 8);
    } else {
        out.text(itoa::Buffer::new().format(number).as_bytes());
    }
}

/// The two characters of a number below 100.
#[inline]
pub(super) fn two(number: u8) -> [u8; 2] {
    let tens = number / 10;
    [b'0' + tens, b'0' + number - 10 * tens]
}

/// Appends a number below [`LIMIT`].
#[inline(always)]
pub(super) fn write_short(number: u64, out: &mut impl Out) {
    if number < 10 {
        return out.block([b'0' | number as u8], 1);
    }
    if number < 10_000 {
        // It is not zero, so there are zeros only before its first digit.
        let digits = four(number as u32);
        let zeros = digits.trailing_zeros() / 8;
        let text = (digits | 0x3030_3030) >> (zeros * 8);
        return out.block(text.to_le_bytes(), 4 - zeros as usize);
    }
    let digits = eight(number);
    let zeros = digits.trailing_zeros() / 8;
    let text = (digits | 0x3030_3030_3030_3030) >> (zeros * 8);
    out.block(text.to_le_bytes(), 8 - zeros as usize);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(number: u64) {
        let mut out = Vec::new();
        write(number, &mut out);
        assert_eq!(out, number.to_string().as_bytes());
        if number < LIMIT {
            assert_eq!(all_eight(number), format!("{number:08}").as_bytes());
        }
    }

    #[test]
    fn around_each_power_of_ten() {
        for tens in 0..20 {
            let power = 10_u64.pow(tens);
            for number in [power - 1, power, power + 1, power / 2 * 3] {
                check(number);
            }
        }
        check(u64::MAX);
    }

    #[test]
    fn all_of_four_digits_at_both_ends() {
        for number in 0..10_000 {
            check(number);
            check(number * 10_000 + 9_999 - number);
        }
    }

    proptest! {
        #[test]
        fn any_number(number in any::<u64>(), shift in 0..64_u32) {
            check(number >> shift);
        }
    }
}
