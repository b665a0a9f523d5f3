//! Envelopes in zstd frames.

use std::io;

use zstd::bulk;

use super::pack::Packed;

/// Envelopes are compressed together up to so many bytes. What is damaged is lost by whole frames.
const GROUP: usize = 1 << 20;
/// Bytes of the buffer that are kept from batch to batch.
const KEPT: usize = 1 << 20;

/// Compresses batches, each into frames of its own.
pub(super) struct Compressor {
    level: i32,
    context: Option<bulk::Compressor<'static>>,
    bytes: Vec<u8>,
}

impl Compressor {
    pub(super) fn new(level: i32) -> Self {
        Self { level, context: None, bytes: Vec::new() }
    }

    /// The frames, one behind the other.
    pub(super) fn compress(&mut self, packed: Packed<'_>) -> io::Result<&[u8]> {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        let context = match &mut self.context {
            Some(context) => context,
            none => none.insert(bulk::Compressor::new(self.level)?),
        };
        let mut start = 0;
        for (at, end) in packed.ends.iter().enumerate() {
            let is_last = at + 1 == packed.ends.len();
            if is_last || end - start >= GROUP {
                let group = &packed.bytes[start..*end];
                start = *end;
                let length = self.bytes.len();
                self.bytes.resize(length + zstd::zstd_safe::compress_bound(group.len()), 0);
                let written = context.compress_to_buffer(group, &mut self.bytes[length..])?;
                self.bytes.truncate(length + written);
            }
        }
        Ok(&self.bytes)
    }
}
