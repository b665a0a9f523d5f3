//! What both loggers of Millpond share, and the standard logger: producers for threads, the
//! collector, records, line formats, handlers and their threads.
//!
//! Everything here runs on any operating system that `std` supports. Users depend on the crate
//! `millpond`, which re-exports what they need.

mod capture;
mod ceiling;
mod chunk;
mod clock;
pub mod collector;
pub mod decode;
mod failure;
mod fan_out;
pub mod fork;
mod format;
pub mod front;
mod handler;
mod heap_ring;
mod macros;
mod origin;
mod overflow;
mod records;
pub mod render;
mod rendered;
mod report;
mod source;
pub mod standard;
mod stdout;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod timeline;

pub use capture::{Capture, CaptureDisplay};
pub use ceiling::STATIC_MAX_LEVEL;
pub use clock::{ClockKind, SystemClock, monotonic_ns, native_ticks};
pub use failure::{HandlerFailure, OnError};
pub use format::{FormatError, LineFormat, TimeText};
pub use handler::{Handler, HandlerError};
pub use heap_ring::{HeapStorage, heap_ring, heap_ring_at};
pub use millpond_core::Level;
pub use millpond_macros::Capture;
pub use overflow::Overflow;
pub use records::{Iter, Record, Records};
pub use report::{Account, HandlerAccount, Report, WorkerAccount};
pub use source::Source;
pub use stdout::StdoutHandler;
pub use timeline::{Anchor, Timeline};

/// What the macros' expansions name. Not covered by semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use millpond_core::capture::{Argument, Formatted, Shape, Signature, Sink, VariantKind};
    pub use millpond_macros::event;

    pub use crate::capture::{UnknownTemplate, can_display, capture, format_guarded, greatest};
    pub use crate::ceiling::allows;
    pub use crate::front::{Every, OncePer, Site};
}
