//! Ready-made handlers: where the records of a Millpond logger go.
//!
//! [`FileHandler`] appends lines to a file. [`ArchiveHandler`] appends the records as they are, for
//! an [`ArchiveReader`] or the command `millpond decode` to make lines of later. A handler of your
//! own implements [`millpond_std::Handler`].

mod archive;
mod file;

pub use archive::{
    ArchiveHandler, ArchiveOptions, ArchivePiece, ArchiveReader, SkipReason, Skipped,
};
pub use file::{FileError, FileHandler, FileOptions};
