//! Input for `millpond pipe`, and what must come of it.

/// How the line format shows a message: each control character other than tab and each byte that
/// is not UTF-8 escaped.
pub(crate) fn shown(message: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in message.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => shown.push('\t'),
                '\n' => shown.push_str("\\n"),
                '\r' => shown.push_str("\\r"),
                '\0'..='\x1f' | '\x7f' => shown += &format!("\\x{:02x}", c as u32),
                '\u{80}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    shown += &format!("\\u{{{:x}}}", c as u32);
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

/// The messages that `input` must become, in order.
pub(crate) fn messages(input: &[u8]) -> Vec<String> {
    let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines.into_iter().map(shown).collect()
}

/// Bytes of every value, the same at each run.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}
