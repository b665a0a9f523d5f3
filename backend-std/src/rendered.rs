//! Messages that had to be made, kept for all who ask.

use std::sync::OnceLock;

/// So many records are rendered at once: a handler that needs one message of a large batch should
/// not pay for all, and one that needs all should not pay for a lock each.
const GROUP: usize = 64;

/// The messages of a batch that are not text as they stand. Made at most once, for all handlers.
#[derive(Default)]
pub(crate) struct Rendered {
    groups: OnceLock<Box<[OnceLock<Group>]>>,
}

/// The messages of [`GROUP`] records, one after the other.
struct Group {
    text: String,
    ends: [usize; GROUP],
}

impl Rendered {
    /// The message of the record at `index` of `count`. `render` appends that of any record; bytes
    /// that are not UTF-8 are shown as `\xNN`.
    pub(crate) fn message(
        &self,
        index: usize,
        count: usize,
        render: impl Fn(usize, &mut Vec<u8>),
    ) -> &str {
        let groups = self
            .groups
            .get_or_init(|| (0..count.div_ceil(GROUP)).map(|_| OnceLock::new()).collect());
        let Some(group) = groups.get(index / GROUP) else { return "" };
        let first = index - index % GROUP;
        let group = group.get_or_init(|| Group::of(first..count.min(first + GROUP), render));
        group.message(index - first)
    }
}

impl Group {
    fn of(indices: std::ops::Range<usize>, render: impl Fn(usize, &mut Vec<u8>)) -> Self {
        let mut text = String::new();
        let mut ends = [0; GROUP];
        let mut message = Vec::new();
        for (index, end) in indices.zip(&mut ends) {
            message.clear();
            render(index, &mut message);
            push_valid(&message, &mut text);
            *end = text.len();
        }
        Self { text, ends }
    }

    fn message(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..self.ends[at]).unwrap_or_default()
    }
}

/// Appends `message`, each byte that is not part of valid UTF-8 as `\xNN`.
fn push_valid(message: &[u8], out: &mut String) {
    for chunk in message.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn every_message_is_made_once() {
        let made = Cell::new(0);
        let render = |index: usize, out: &mut Vec<u8>| {
            made.set(made.get() + 1);
            out.extend_from_slice(format!("message {index}").as_bytes());
            out.push(0xff);
        };
        let rendered = Rendered::default();
        for _ in 0..2 {
            for index in (0..150).rev() {
                let message = rendered.message(index, 150, render);
                assert_eq!(message, format!("message {index}\\xff"));
            }
        }
        assert_eq!(made.get(), 150);
        assert_eq!(Rendered::default().message(3, 0, render), "");
    }
}
