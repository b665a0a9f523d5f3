//! The date and time of a line.

use std::fmt::Write as _;

use heapless::String;
use jiff::Timestamp;

use crate::render::digits;
use crate::render::out::Out as _;

const NS_PER_SECOND: i64 = 1_000_000_000;

/// The longest text: a year before zero takes 30 bytes, the fallback 29.
const LONGEST: usize = 32;

/// Renders times as `2026-11-22T07:45:53.123456Z`: UTC, ISO 8601, microseconds, cut and not
/// rounded.
///
/// It keeps the text of the second that it rendered last, so within one second only the microsecond
/// digits are made anew. Times may come in any order. Each handler has its own.
///
/// A time that the calendar does not reach is rendered as seconds since 1970, which looks like
/// `@9223372036854775807.000000s`.
///
/// ```
/// use millpond_std::TimeText;
///
/// let mut clock = TimeText::new();
/// assert_eq!(clock.text(1_795_333_553_123_456_789), "2026-11-22T07:45:53.123456Z");
/// assert_eq!(clock.text(-1), "1969-12-31T23:59:59.999999Z");
/// ```
#[derive(Clone, Debug)]
pub struct TimeText {
    /// Nanoseconds at which the second of the text starts, which for the earliest does not fit
    /// into 64 bits.
    start_ns: i128,
    text: [u8; LONGEST],
    length: usize,
}

/// The six digits of the microseconds.
#[inline]
pub(super) fn digits_of(nanoseconds: u32) -> [u8; 6] {
    // Two zeros and six digits.
    let [_, _, digits @ ..] = digits::all_eight(u64::from(nanoseconds / 1000));
    digits
}

impl TimeText {
    /// Where the six microsecond digits stand, counted from the end: they and one letter.
    pub(super) const DIGITS_FROM_END: usize = 7;

    /// A cache that holds the first second of 1970.
    pub fn new() -> Self {
        let mut clock = Self { start_ns: 0, text: [0; LONGEST], length: 0 };
        clock.start_second(0);
        clock
    }

    /// Appends the text of `timestamp_ns`, nanoseconds since the start of 1970, to `out`.
    pub fn write(&mut self, timestamp_ns: i64, out: &mut Vec<u8>) {
        self.render(timestamp_ns);
        out.block(self.text, self.length);
    }

    /// The text of `timestamp_ns`, nanoseconds since the start of 1970.
    pub fn text(&mut self, timestamp_ns: i64) -> &str {
        self.render(timestamp_ns);
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }

    #[inline]
    fn render(&mut self, timestamp_ns: i64) {
        // No division as long as the second stays the same.
        if !(0..NS_PER_SECOND.into()).contains(&(i128::from(timestamp_ns) - self.start_ns)) {
            self.start_second(timestamp_ns.div_euclid(NS_PER_SECOND));
        }
        let start = self.length - Self::DIGITS_FROM_END;
        if let Some(place) = self.text[start..].first_chunk_mut() {
            *place = digits_of((i128::from(timestamp_ns) - self.start_ns) as u32);
        }
    }

    /// Where the second of the text that was rendered last starts, if 64 bits reach there.
    pub(super) fn second_ns(&self) -> Option<i64> {
        self.start_ns.try_into().ok()
    }

    #[cold]
    fn start_second(&mut self, second: i64) {
        let text = second_text(second);
        self.length = text.len();
        self.text[..text.len()].copy_from_slice(text.as_bytes());
        self.start_ns = i128::from(second) * i128::from(NS_PER_SECOND);
    }
}

impl Default for TimeText {
    fn default() -> Self {
        Self::new()
    }
}

/// The text of the start of a second.
fn second_text(second: i64) -> String<LONGEST> {
    let mut text = String::new();
    let written = match Timestamp::from_second(second) {
        Ok(time) => write!(text, "{time:.6}"),
        Err(_) => write!(text, "@{second}.000000s"),
    };
    debug_assert!(written.is_ok(), "LONGEST is too short for second {second}");
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_jiff(timestamp_ns: i64) -> std::string::String {
        format!("{:.6}", Timestamp::from_nanosecond(timestamp_ns.into()).unwrap())
    }

    #[test]
    fn times_around_the_edges() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (999, "1970-01-01T00:00:00.000000Z"),
            (1_999, "1970-01-01T00:00:00.000001Z"),
            (999_999_999, "1970-01-01T00:00:00.999999Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (-1_000_000_000, "1969-12-31T23:59:59.000000Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_795_333_553_123_456_999, "2026-11-22T07:45:53.123456Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224Z"),
        ];
        let mut clock = TimeText::new();
        for (timestamp_ns, text) in cases.into_iter().chain(cases.into_iter().rev()) {
            assert_eq!(clock.text(timestamp_ns), text);
            assert_eq!(TimeText::new().text(timestamp_ns), text);
        }
    }

    #[test]
    fn no_second_panics_and_the_digits_stand_before_the_last_letter() {
        for second in [i64::MIN, i64::MIN + 1, -377_705_023_202, 253_402_300_800, i64::MAX] {
            let text = second_text(second);
            assert_eq!(text.as_str(), format!("@{second}.000000s"));
        }
        let first = Timestamp::MIN.as_second() + 1;
        assert_eq!(second_text(first), "-009999-01-02T02:00:00.000000Z");
    }

    proptest! {
        #[test]
        fn equals_jiff_in_any_order(times in prop::collection::vec(any::<i64>(), 1..50)) {
            let mut clock = TimeText::default();
            for timestamp_ns in times {
                prop_assert_eq!(clock.text(timestamp_ns), by_jiff(timestamp_ns));
            }
        }

        #[test]
        fn equals_jiff_within_few_seconds(
            start in any::<i32>(),
            steps in prop::collection::vec(-3_000_000_000i64..3_000_000_000, 1..50),
        ) {
            let mut clock = TimeText::new();
            for step in steps {
                let timestamp_ns = i64::from(start) * NS_PER_SECOND + step;
                let mut out = b"before ".to_vec();
                clock.write(timestamp_ns, &mut out);
                prop_assert_eq!(out, format!("before {}", by_jiff(timestamp_ns)).into_bytes());
            }
        }
    }
}
