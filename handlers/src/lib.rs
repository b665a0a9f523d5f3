//! Ready-made handlers: where the records of a Millpond logger go.
//!
//! [`FileHandler`] appends lines to a file. A handler of your own implements
//! [`millpond_std::Handler`].

mod file;

pub use file::{FileError, FileHandler, FileOptions};
