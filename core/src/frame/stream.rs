//! Who logged what follows, in an archive.

use super::{Fields, FrameError};

/// The payload of a stream frame: who logged the records behind it.
///
/// ```text
///  0        8         12      16       18        20     24
///  ┌────────┬─────────┬───────┬────────┬─────────┬──────┬──────┬─────────────┐
///  │ thread │ process │ sites │  name  │ thread  │ zero │ name │ thread name │
///  │  u64   │   u32   │  u32  │len. u16│len. u16 │ u32  │      │             │
///  └────────┴─────────┴───────┴────────┴─────────┴──────┴──────┴─────────────┘
/// ```
///
/// The strings are bytes: the writer promised UTF-8, the reader checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream<'a> {
    /// The thread as its operating system numbers it, zero if it does not.
    pub thread: u64,
    /// The process as its operating system numbers it.
    pub process: u32,
    /// Which list of call sites the records name: streams of one process share one.
    pub sites: u32,
    /// The name of the logger or worker.
    pub name: &'a [u8],
    /// The thread's name; empty if it has none.
    pub thread_name: &'a [u8],
}

impl<'a> Stream<'a> {
    /// Bytes of the payload in front of the strings.
    pub const FIXED: usize = 24;

    /// The payload in front of the strings, which follow it: first `name`, then `thread_name`,
    /// each at most `u16::MAX` bytes long. What is longer must be cut before.
    pub fn fixed(&self) -> [u8; Stream::FIXED] {
        let length = |text: &[u8]| u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes();
        let mut bytes = [0; Stream::FIXED];
        bytes[..8].copy_from_slice(&self.thread.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.process.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.sites.to_le_bytes());
        bytes[16..18].copy_from_slice(&length(self.name));
        bytes[18..20].copy_from_slice(&length(self.thread_name));
        bytes
    }

    /// `None` if there is no payload: the frame names a stream that was described before.
    pub(super) fn decode(mut fields: Fields<'a>) -> Result<Option<Stream<'a>>, FrameError> {
        if fields.rest().is_empty() {
            return Ok(None);
        }
        let (thread, process, sites) = (fields.u64()?, fields.u32()?, fields.u32()?);
        let (name, thread_name) = (fields.u16()? as usize, fields.u16()? as usize);
        let _zero = fields.u32()?;
        let (name, thread_name) = (fields.take(name)?, fields.take(thread_name)?);
        Ok(Some(Stream { thread, process, sites, name, thread_name }))
    }
}
