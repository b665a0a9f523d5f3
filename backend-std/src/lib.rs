//! What both loggers of Millpond share, and the standard logger: producers for threads, the
//! collector, records, line formats, handlers and their threads.
//!
//! Everything here runs on any operating system that `std` supports. Users depend on the crate
//! `millpond`, which re-exports what they need.

mod chunk;
mod clock;
pub mod collector;
mod failure;
mod fan_out;
pub mod fork;
mod format;
pub mod front;
mod handler;
mod heap_ring;
mod overflow;
mod records;
mod report;
mod source;
pub mod standard;
mod stdout;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod timeline;

pub use clock::{ClockKind, SystemClock, monotonic_ns};
pub use failure::{HandlerFailure, OnError};
pub use format::{FormatError, LineFormat, TimeText};
pub use handler::{Handler, HandlerError};
pub use heap_ring::{HeapStorage, heap_ring, heap_ring_at};
pub use millpond_core::Level;
pub use overflow::Overflow;
pub use records::{Iter, Record, Records};
pub use report::{Account, HandlerAccount, Report, WorkerAccount};
pub use source::Source;
pub use stdout::StdoutHandler;
pub use timeline::{Anchor, Timeline};
