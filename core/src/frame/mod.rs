//! The frame codec: what stands in a ring, in a batch and on a wire.
//!
//! Every frame starts at a multiple of [`ALIGN`] bytes with a little-endian header of [`HEADER`]
//! bytes. `docs/wire-format.md` is the contract; this is its drawing:
//!
//! ```text
//!  byte 0        4      5      6      8               16         20         24
//!       ┌────────┬──────┬──────┬──────┬───────────────┬──────────┬──────────┬─────────┬──────┐
//!       │ length │ kind │level │flags │     ticks     │ sequence │   site   │ payload │ zero │
//!       │  u32   │  u8  │  u8  │ u16  │      u64      │   u32    │   u32    │   ...   │ to 8 │
//!       └────────┴──────┴──────┴──────┴───────────────┴──────────┴──────────┴─────────┴──────┘
//!       └──────────────────────────── length ─────────────────────────────────────────┘
//! ```
//!
//! A padding frame is the one exception: it may end after its first 8 bytes, which is the least
//! room that a ring can have left before its end.
//!
//! Decoding trusts nothing: on any bytes it returns a frame or a [`FrameError`], reads inside the
//! slice it was given and does not panic. A frame of an unknown kind is skipped by its length.

mod body;
mod flags;
mod header;
mod iter;
mod stream;
mod text;

pub use body::{Body, Event, Gap, Heartbeat, ThreadChange};
pub use flags::Flags;
pub use header::{ALIGN, HEADER, Header, Kind, LENGTH_KIND, aligned};
pub use iter::{Frame, FrameError, Frames};
pub use stream::Stream;
pub use text::{Text, TextPrefix};

pub(crate) use body::Fields;
