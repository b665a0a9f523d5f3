//! How an archive is opened.

use std::path::Path;

use super::ArchiveHandler;
use super::pack::Packer;
use crate::file::{self, Appender, FileError};

/// How to open an archive. Made by [`ArchiveHandler::options`].
///
/// | option | default |
/// |---|---|
/// | [`create`](ArchiveOptions::create) | true |
/// | `compression` (feature `zstd`) | none |
#[derive(Clone, Debug)]
#[must_use = "options do nothing until `open`"]
pub struct ArchiveOptions {
    create: bool,
    #[cfg(feature = "zstd")]
    level: Option<i32>,
}

impl ArchiveOptions {
    /// Whether to create the file and its folders if they are missing. If not, a missing file is
    /// an error.
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Compresses each batch into a zstd frame of its own, so that `zstd -dc` reads the file too.
    /// The levels are those of zstd: 1 is fast, 3 its default, 19 slow, below 0 faster still;
    /// others are moved to the nearest. The work is done by the thread of the handler, which is not
    /// the one that drains the rings.
    #[cfg(feature = "zstd")]
    pub fn compression(mut self, level: i32) -> Self {
        self.level = Some(level);
        self
    }

    /// Opens the file at `path`, and writes nothing. Returns at once even if a FIFO without a reader
    /// is there.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the file cannot be created or opened for reading and writing, if it is
    /// missing and may not be created, and if it is anything but a regular file.
    pub fn open(self, path: impl AsRef<Path>) -> Result<ArchiveHandler, FileError> {
        let path = path.as_ref();
        let file = file::open(path, self.create)?;
        Ok(ArchiveHandler {
            name: format!("archive {}", path.display()),
            path: path.to_owned(),
            packer: Packer::new(),
            #[cfg(feature = "zstd")]
            compressor: self.level.map(super::compress::Compressor::new),
            // An end that is torn needs no repair: readers find the next envelope by its magic.
            file: Appender::new(file, false),
        })
    }
}

impl Default for ArchiveOptions {
    fn default() -> Self {
        Self {
            create: true,
            #[cfg(feature = "zstd")]
            level: None,
        }
    }
}
