//! The handler that appends lines to a file.

mod append;
mod error;
mod open;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use millpond_std::{Handler, HandlerError, LineFormat, Records, TimeText};

pub(crate) use append::Appender;

pub use error::FileError;
pub use open::FileOptions;
pub(crate) use open::open;

/// Bytes of the buffer that are kept from batch to batch.
const KEPT: usize = 1024 * 1024;

/// Appends records to a file, a line each. Durable: records stay in their rings until they are
/// written.
///
/// A batch is one `write`, to the end of whatever the file then is, so several handlers and
/// processes may append to one file without mixing their lines (not on network file systems).
/// Nothing is ever cut off or overwritten. A file that is renamed or deleted while it is open gets
/// the lines nevertheless: copy and truncate it, or restart, to rotate it from outside.
///
/// # When the disk is full
///
/// The batch fails with a [`FileError`]. Of its lines, those at the front may have been written,
/// the last of them in part; they count as failed all the same. The next batch is tried as if
/// nothing had happened. A line that was cut is ended before it, so that no two lines become one.
/// The same is done for a file whose last line lacks its end when it is opened.
///
/// # What survives what
///
/// | written and then | lines survive |
/// |---|---|
/// | the process is killed | yes |
/// | the system crashes or loses power | those that the system has brought to the disk by itself, which takes Linux about 30 s |
///
/// `flush` and `close` have nothing left to do: they do not wait for the disk.
///
/// ```
/// use millpond_handlers::FileHandler;
/// use millpond_std::LineFormat;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("logs/app.log");
/// // Creates what is missing, folders too:
/// let handler = FileHandler::new(&path)?;
///
/// // The file must be there already:
/// let handler = FileHandler::options().create(false).open(&path)?;
///
/// let format = LineFormat::new("%(asctime)s %(message)s")?;
/// let handler = FileHandler::options().format(format).open(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileHandler {
    name: String,
    path: PathBuf,
    format: Option<LineFormat>,
    clock: TimeText,
    lines: Vec<u8>,
    file: Appender<File>,
}

impl FileHandler {
    /// Opens the file at `path`, and creates it and its folders if they are missing. Lines have
    /// the format of the logger.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the file cannot be created or opened for reading and writing, and if it is
    /// anything but a regular file: a folder, a device, a FIFO.
    pub fn new(path: impl AsRef<Path>) -> Result<FileHandler, FileError> {
        Self::options().open(path)
    }

    /// Options that say how to open a file.
    pub fn options() -> FileOptions {
        FileOptions::default()
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Handler for FileHandler {
    /// `file` and the path as it was given.
    fn name(&self) -> &str {
        &self.name
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        self.lines.clear();
        if self.file.is_torn() {
            self.lines.push(b'\n');
        }
        let format = self.format.as_ref().unwrap_or_else(|| records.format());
        format.write_lines(records, &mut self.clock, &mut self.lines);
        let appended = self.file.append(&self.lines);
        let total = self.lines.len();
        self.lines.clear();
        self.lines.shrink_to(KEPT);
        Ok(appended.map_err(|failed| FileError::write(&self.path, failed, total))?)
    }

    fn is_durable(&self) -> bool {
        true
    }
}

impl fmt::Debug for FileHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileHandler")
            .field("path", &self.path)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use millpond_core::Level;
    use millpond_std::testing::{Item, records};

    use super::*;

    #[test]
    fn a_giant_batch_leaves_no_giant_buffer() {
        let folder = tempfile::tempdir().unwrap();
        let mut handler = FileHandler::new(folder.path().join("app.log")).unwrap();
        let giant = vec![b'x'; 3 * KEPT];
        handler.push(&records(&[Item::new(Level::Info, "app", &giant, 0)])).unwrap();
        assert!(handler.lines.capacity() <= 2 * KEPT, "{}", handler.lines.capacity());
    }
}
