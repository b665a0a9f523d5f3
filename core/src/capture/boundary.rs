//! Where text may be cut.

/// The last place at or before `at` where no character is cut, if the text is UTF-8 there. In UTF-8
/// only the bytes 0b10xxxxxx are not the first of a character, and at most three follow a first
/// one (RFC 3629, section 3).
pub fn char_boundary(text: &[u8], at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    let is_start = |at: &usize| text[*at] & 0b1100_0000 != 0b1000_0000;
    (at.saturating_sub(3)..=at).rev().find(is_start).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::char_boundary;

    #[test]
    fn characters_stay_whole() {
        let text = "aé€😀z".as_bytes();
        let ends: std::vec::Vec<_> = (0..=text.len()).map(|at| char_boundary(text, at)).collect();
        assert_eq!(ends, [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11]);
        assert_eq!(char_boundary(&[0x80; 10], 5), 5, "not UTF-8: cut where asked");
    }
}
