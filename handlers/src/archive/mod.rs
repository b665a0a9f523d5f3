//! The handler that appends records to a file without rendering them, and the reader of such files.

#[cfg(feature = "zstd")]
mod compress;
mod options;
mod pack;
mod reader;
mod section;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use millpond_std::{Handler, HandlerError, Records};

use crate::file::{Appender, FileError};
use pack::Packer;

pub use options::ArchiveOptions;
pub use reader::{ArchivePiece, ArchiveReader, SkipReason, Skipped};

/// The longest envelope that is read: the longest message there can be, with room for all that may
/// stand beside it.
const LONGEST_ENVELOPE: usize = 96 << 20;

/// Appends records to a file as they were drained, without making text of them. Durable: records
/// stay in their rings until they are written.
///
/// What a line costs is paid when somebody reads it: [`ArchiveReader`] and the command
/// `millpond decode FILE` make of an archive the lines that a
/// [`FileHandler`](crate::FileHandler) would have written.
///
/// A batch is one `write`, to the end of whatever the file then is, so several handlers and
/// processes may append to one file (not on network file systems), and archives may be joined with
/// `cat`. Nothing is ever cut off or overwritten. The format is described in
/// `docs/wire-format.md`.
///
/// # When something goes wrong
///
/// If the disk is full, the batch fails with a [`FileError`] and the next one is tried as if nothing
/// had happened. What was written in part, then or because the process was killed, is found by its
/// checksum: a reader passes it over, says so, and goes on with the next. What survives what is the
/// same as with a [`FileHandler`](crate::FileHandler).
///
/// ```
/// use millpond_handlers::{ArchiveHandler, ArchivePiece, ArchiveReader};
/// use millpond_std::{Level, TimeText};
/// use millpond_std::standard::{Logger, LoggerConfig};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("app.mpa");
/// let archive = ArchiveHandler::new(&path)?;
/// let logger = Logger::new("app", LoggerConfig::default(), vec![Box::new(archive)])?;
/// logger.info("booted");
/// logger.shutdown()?;
///
/// let mut reader = ArchiveReader::new(std::fs::File::open(&path)?);
/// while let Some(piece) = reader.read()? {
///     if let ArchivePiece::Records(records) = piece {
///         assert!(records.iter().any(|record| record.message() == "booted"));
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ArchiveHandler {
    name: String,
    path: PathBuf,
    packer: Packer,
    #[cfg(feature = "zstd")]
    compressor: Option<compress::Compressor>,
    file: Appender<File>,
}

impl ArchiveHandler {
    /// Opens the file at `path`, and creates it and its folders if they are missing.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the file cannot be created or opened for reading and writing, and if it is
    /// anything but a regular file: a folder, a device, a FIFO.
    pub fn new(path: impl AsRef<Path>) -> Result<ArchiveHandler, FileError> {
        Self::options().open(path)
    }

    /// Options that say how to open an archive.
    pub fn options() -> ArchiveOptions {
        ArchiveOptions::default()
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Handler for ArchiveHandler {
    /// `archive` and the path as it was given.
    fn name(&self) -> &str {
        &self.name
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        let written = self.write(records);
        if written.is_err() {
            // What was to be written said who logs and from where, and the file may lack it.
            self.packer.begin_section();
        }
        self.packer.shrink();
        written
    }

    fn is_durable(&self) -> bool {
        true
    }
}

impl ArchiveHandler {
    fn write(&mut self, records: &Records) -> Result<(), HandlerError> {
        let packed = self.packer.pack(records);
        #[cfg(feature = "zstd")]
        let packed = match &mut self.compressor {
            Some(compressor) => compressor.compress(packed)?,
            None => packed.bytes,
        };
        #[cfg(not(feature = "zstd"))]
        let packed = packed.bytes;
        let appended = self.file.append(packed);
        Ok(appended.map_err(|failed| FileError::write(&self.path, failed, packed.len()))?)
    }
}

impl fmt::Debug for ArchiveHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveHandler").field("path", &self.path).finish_non_exhaustive()
    }
}
