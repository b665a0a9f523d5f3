//! What text is appended to.

use std::io::{self, Write};

/// Something that text is appended to.
pub(crate) trait Out: Write {
    /// Appends the head of `bytes`. Copying a length that the compiler knows and cutting it is
    /// several times faster than copying one that it does not know.
    fn block<const N: usize>(&mut self, bytes: [u8; N], length: usize);

    /// Appends all of `text`.
    fn text(&mut self, text: &[u8]);
}

impl Out for Vec<u8> {
    #[inline]
    fn block<const N: usize>(&mut self, bytes: [u8; N], length: usize) {
        let end = self.len() + length;
        self.extend_from_slice(&bytes);
        self.truncate(end);
    }

    #[inline]
    fn text(&mut self, text: &[u8]) {
        self.extend_from_slice(text);
    }
}

/// Bytes of a [`Window`].
const SIZE: usize = 4096;
/// The longest block of known length. As long as so much is left, no block was left out.
const BLOCK: usize = 64;

/// A piece of memory of fixed size that lines are made in before they go to a vector as a whole: a
/// vector would ask before each piece of a line whether it has to grow.
///
/// What does not fit is not there, but counts, so it is enough to ask at the end of a line whether
/// [`Window::fits`].
pub(crate) struct Window {
    bytes: [u8; SIZE],
    end: usize,
}

impl Window {
    #[inline]
    pub(crate) fn new() -> Window {
        Window { bytes: [0; SIZE], end: 0 }
    }

    /// Where the next text goes.
    #[inline]
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// Whether all that was appended is there.
    #[inline]
    pub(crate) fn fits(&self) -> bool {
        self.end <= SIZE - BLOCK
    }

    /// Whether a line of some length might not fit any more.
    #[inline]
    pub(crate) fn is_short_of_room(&self) -> bool {
        self.end > SIZE / 2
    }

    /// Forgets what stands from `end` on.
    #[inline]
    pub(crate) fn cut(&mut self, end: usize) {
        self.end = self.end.min(end);
    }

    /// Moves all of it to `out`.
    pub(crate) fn move_to(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes[..self.end.min(SIZE)]);
        self.end = 0;
    }
}

impl Out for Window {
    #[inline(always)]
    fn block<const N: usize>(&mut self, bytes: [u8; N], length: usize) {
        const { assert!(N <= BLOCK) };
        if self.end <= SIZE - N
            && let Some(place) = self.bytes[self.end..].first_chunk_mut()
        {
            *place = bytes;
        }
        self.end += length;
    }

    #[inline]
    fn text(&mut self, text: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.end..).and_then(|at| at.get_mut(..text.len()))
        {
            place.copy_from_slice(text);
        }
        self.end += text.len();
    }
}

impl Write for Window {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.text(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_whole_and_what_does_not_is_noticed() {
        for length in SIZE - 2 * BLOCK..SIZE + BLOCK {
            let mut window = Window::new();
            window.text(b"kept");
            let start = window.end();
            window.text(&vec![b'x'; length]);
            for _ in 0..4 {
                window.block([b'y'; 32], 20);
            }
            let fits = window.fits();
            assert_eq!(fits, 4 + length + 80 <= SIZE - BLOCK);
            if !fits {
                window.cut(start);
            }
            let mut out = b"before ".to_vec();
            window.move_to(&mut out);
            let line = if fits { "x".repeat(length) + &"y".repeat(80) } else { String::new() };
            assert_eq!(out, format!("before kept{line}").into_bytes());
            assert_eq!(window.end(), 0);
        }
    }

    #[test]
    fn it_is_written_to_as_a_vector_is() {
        let (mut window, mut vector, mut out) = (Window::new(), Vec::new(), Vec::new());
        fn append(out: &mut impl Out) {
            out.block(*b"abcdef", 3);
            out.text(b" and ");
            let _ = write!(out, "{:?}", 1.5e300);
        }
        append(&mut window);
        append(&mut vector);
        window.move_to(&mut out);
        assert_eq!(out, vector);
        assert_eq!(out, b"abc and 1.5e300");
    }
}
