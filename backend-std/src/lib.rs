//! What both loggers of Millpond share, and the standard logger: producers for threads, the
//! collector, records, line formats, handlers and their threads.
//!
//! Everything here runs on any operating system that `std` supports. Users depend on the crate
//! `millpond`, which re-exports what they need.

mod chunk;
mod format;
mod handler;
mod records;
mod source;
mod stdout;

pub use format::{FormatError, LineFormat};
pub use handler::{Handler, HandlerError};
pub use records::{Iter, Record, Records};
pub use source::Source;
pub use stdout::StdoutHandler;
