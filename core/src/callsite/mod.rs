//! Call sites: what is known of a log call before it runs.
//!
//! Level, file, line, template and argument types of a call never change, so a record carries only
//! a number and the raw arguments. Call sites are numbered from 1 in the order of their first use
//! in the process; zero means none. The definition behind a number travels as a frame of
//! [`Kind::CallSite`](crate::frame::Kind::CallSite), and each ring has an append-only table of
//! such frames that holds a prefix of the process-wide list. The ring's producer appends to it
//! ([`Producer::publish_call_site`](crate::ring::Producer::publish_call_site)), anybody who maps the
//! ring reads it with a [`TableReader`].

mod definition;
mod error;
mod reader;
#[cfg(all(test, not(millpond_loom)))]
mod testing;
mod writer;

pub use definition::CallSite;
pub use error::{TableError, TableFault};
pub use reader::TableReader;
pub(crate) use writer::TableWriter;
