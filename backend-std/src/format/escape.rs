//! Makes foreign text harmless: it can neither start a line of its own nor drive a terminal.

use std::io::Write as _;

/// Whether `c` must not stand in a line as it is: a control character other than tab, a line or
/// paragraph separator, or a character that reverses the direction of what follows.
pub(crate) fn is_harmful(c: char) -> bool {
    match c {
        '\t' => false,
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}

/// Whether `bytes` may stand in a line as they are; not all of which that is true pass.
#[inline]
pub(crate) fn may_stay(bytes: &[u8]) -> bool {
    is_plain(bytes) || is_harmless(bytes)
}

/// Appends `bytes` to `out`, with harmful characters as `\n`, `\x1b` or `\u{2028}` and with bytes
/// that are not UTF-8 as `\xNN`. Appends valid UTF-8 only.
#[inline]
pub(super) fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        write_slowly(bytes, out);
    }
}

/// Escapes what stands in `out` from `start` on.
#[inline]
pub(super) fn escape_tail(start: usize, out: &mut Vec<u8>) {
    if !is_plain(&out[start..]) {
        escape_tail_slowly(start, out);
    }
}

#[cold]
fn escape_tail_slowly(start: usize, out: &mut Vec<u8>) {
    let tail = &out[start..];
    if !is_harmless(tail) {
        // Rare enough for an allocation.
        let tail = tail.to_vec();
        out.truncate(start);
        write_slowly(&tail, out);
    }
}

/// Whether all bytes are printable ASCII or tabs. Looks at all of them whatever it finds: without a
/// way out, the compiler makes vector instructions of it. The last block may overlap the one before
/// it, so that few bytes are looked at one by one.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    let harm = match (bytes.last_chunk::<BLOCK>(), bytes.last_chunk::<FEW>()) {
        (Some(last), _) => {
            let (blocks, _) = bytes.as_chunks::<BLOCK>();
            blocks.iter().fold(harm_in(last), |harm, block| harm | harm_in(block))
        }
        (None, Some(last)) => {
            let (blocks, _) = bytes.as_chunks::<FEW>();
            blocks.iter().fold(harm_in(last), |harm, block| harm | harm_in(block))
        }
        (None, None) => bytes.iter().fold(0, |harm, &byte| harm | harm_of(byte)),
    };
    harm == 0
}

const BLOCK: usize = 32;
const FEW: usize = 8;

/// Zero if all bytes are printable ASCII or tabs.
#[inline]
fn harm_in<const N: usize>(block: &[u8; N]) -> u8 {
    block.iter().fold(0, |harm, &byte| harm | harm_of(byte))
}

/// Zero if `byte` is printable ASCII or a tab. With a sign, what is not ASCII is less than a space
/// too.
#[inline]
fn harm_of(byte: u8) -> u8 {
    let is_control_or_not_ascii = ((byte as i8) < b' ' as i8) | (byte == 0x7f);
    u8::from(is_control_or_not_ascii & (byte != b'\t'))
}

#[cold]
fn write_slowly(bytes: &[u8], out: &mut Vec<u8>) {
    if is_harmless(bytes) {
        return out.extend_from_slice(bytes);
    }
    for chunk in bytes.utf8_chunks() {
        write_text(chunk.valid(), out);
        for &byte in chunk.invalid() {
            write_byte(byte, out);
        }
    }
}

/// Whether it is text without harmful characters; not all such text passes.
#[inline(never)]
fn is_harmless(bytes: &[u8]) -> bool {
    begins_no_harm(bytes) && std::str::from_utf8(bytes).is_ok()
}

/// Whether no byte is a control character or the first of a longer harmful one: U+0080 to U+009F
/// begin with C2, the others with E2. Most text in most languages passes.
fn begins_no_harm(bytes: &[u8]) -> bool {
    let harm_of = |byte: u8| {
        let control = (u8::from(byte < b' ') & u8::from(byte != b'\t')) | u8::from(byte == 0x7f);
        control | u8::from(byte == 0xc2) | u8::from(byte == 0xe2)
    };
    bytes.iter().fold(0, |harm, &byte| harm | harm_of(byte)) == 0
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    let mut copied = 0;
    for (at, c) in text.char_indices().filter(|&(_, c)| is_harmful(c)) {
        out.extend_from_slice(&text.as_bytes()[copied..at]);
        copied = at + c.len_utf8();
        match c {
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            c if c.is_ascii() => write_byte(c as u8, out),
            // Writing to a vector cannot fail.
            c => drop(write!(out, "{}", c.escape_unicode())),
        }
    }
    out.extend_from_slice(&text.as_bytes()[copied..]);
}

fn write_byte(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let [high, low] = [byte >> 4, byte & 15].map(|digit| HEX[usize::from(digit)]);
    out.extend_from_slice(&[b'\\', b'x', high, low]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        write_escaped(bytes, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// The obvious version.
    fn naive(bytes: &[u8]) -> String {
        let mut shown = String::new();
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\t' => shown.push('\t'),
                    '\n' => shown.push_str("\\n"),
                    '\r' => shown.push_str("\\r"),
                    '\0'..='\x1f' | '\x7f' => shown += &format!("\\x{:02x}", c as u32),
                    '\u{80}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                        shown += &format!("\\u{{{:x}}}", c as u32)
                    }
                    c => shown.push(c),
                }
            }
            for byte in chunk.invalid() {
                shown += &format!("\\x{byte:02x}");
            }
        }
        shown
    }

    #[test]
    fn what_is_escaped_and_what_is_not() {
        let cases: [(&[u8], &str); 12] = [
            (b"", ""),
            (b"plain \\ text\twith a tab", "plain \\ text\twith a tab"),
            (b"a\nb\r\nc", "a\\nb\\r\\nc"),
            (b"\x1b[31mred\x07", "\\x1b[31mred\\x07"),
            (b"\0\x7f", "\\x00\\x7f"),
            ("\u{85}\u{9b}".as_bytes(), "\\u{85}\\u{9b}"),
            ("a\u{2028}b\u{2029}c".as_bytes(), "a\\u{2028}b\\u{2029}c"),
            ("\u{202e}evil\u{2069}".as_bytes(), "\\u{202e}evil\\u{2069}"),
            ("Grüße, 世界 🦀".as_bytes(), "Grüße, 世界 🦀"),
            (b"\xff\xfe!", "\\xff\\xfe!"),
            (b"cut \xf0\x9f\xa6", "cut \\xf0\\x9f\\xa6"),
            // A surrogate, which is not UTF-8.
            (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        ];
        for (bytes, shown) in cases {
            assert_eq!(escaped(bytes), shown);
        }
    }

    #[test]
    fn one_harmful_byte_is_found_at_every_place_of_every_length() {
        for length in 1..70 {
            let plain = vec![b'x'; length];
            assert!(is_plain(&plain));
            for place in 0..length {
                for harmful in [0, b'\n', 0x1f, 0x7f, 0x80, 0xff] {
                    let mut bytes = plain.clone();
                    bytes[place] = harmful;
                    assert!(!is_plain(&bytes), "{harmful} at {place} of {length}");
                }
            }
        }
    }

    #[test]
    fn every_character_is_as_the_obvious_version_has_it() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert_eq!(escaped(text.as_bytes()), naive(text.as_bytes()));
            assert!(!is_harmful(c) || !may_stay(text.as_bytes()), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_as_the_obvious_version_has_them(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            prop_assert_eq!(escaped(&bytes), naive(&bytes));
            prop_assert!(!may_stay(&bytes) || naive(&bytes).as_bytes() == bytes);
        }

        #[test]
        fn any_text_is_as_the_obvious_version_has_it(text in any::<String>()) {
            prop_assert_eq!(escaped(text.as_bytes()), naive(text.as_bytes()));
        }

        #[test]
        fn plain_text_stays(text in "[ -~\t]{0,200}") {
            prop_assert!(is_plain(text.as_bytes()));
            prop_assert_eq!(escaped(text.as_bytes()), text);
        }
    }
}
