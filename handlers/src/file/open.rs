//! How a log file is opened.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use millpond_std::{LineFormat, TimeText};

use super::FileHandler;
use super::append::Appender;
use super::error::FileError;

/// How to open a log file. Made by [`FileHandler::options`].
///
/// | option | default |
/// |---|---|
/// | [`create`](FileOptions::create) | true |
/// | [`format`](FileOptions::format) | the format of the logger |
#[derive(Clone, Debug)]
#[must_use = "options do nothing until `open`"]
pub struct FileOptions {
    create: bool,
    format: Option<LineFormat>,
}

impl FileOptions {
    /// Whether to create the file and its folders if they are missing. If not, a missing file is
    /// an error.
    pub fn create(self, create: bool) -> Self {
        Self { create, ..self }
    }

    /// Uses `format` instead of the logger's.
    pub fn format(self, format: LineFormat) -> Self {
        Self { format: Some(format), ..self }
    }

    /// Opens the file at `path`. Returns at once even if a FIFO without a reader is there.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the file cannot be created or opened for reading and writing, if it is
    /// missing and may not be created, and if it is anything but a regular file.
    pub fn open(self, path: impl AsRef<Path>) -> Result<FileHandler, FileError> {
        let path = path.as_ref();
        let mut file = open(path, self.create)?;
        let torn = lacks_end(&mut file).map_err(|error| FileError::inspect(path, error))?;
        Ok(FileHandler {
            name: format!("file {}", path.display()),
            path: path.to_owned(),
            format: self.format,
            clock: TimeText::new(),
            lines: Vec::new(),
            file: Appender::new(file, torn),
        })
    }
}

impl Default for FileOptions {
    fn default() -> Self {
        Self { create: true, format: None }
    }
}

/// Opens a regular file for reading and appending.
pub(crate) fn open(path: &Path, create: bool) -> Result<File, FileError> {
    let failed = |error| FileError::open(path, error);
    // Looked at before it is opened, because opening some devices is an action in itself.
    let file = match fs::metadata(path) {
        Ok(found) => {
            expect_file(path, found.file_type())?;
            // Not asked to create: in a folder like /tmp, Linux forbids that for a file of another
            // user even if it is there.
            options().open(path)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if !create {
                return Err(FileError::missing(path));
            }
            create_folders(path)?;
            options().create(true).open(path)
        }
        Err(error) => Err(error),
    };
    let file = file.map_err(failed)?;
    // Something else may have come to this path in the meantime.
    expect_file(path, file.metadata().map_err(failed)?.file_type())?;
    Ok(file)
}

fn create_folders(path: &Path) -> Result<(), FileError> {
    match path.parent() {
        Some(parent) if parent != Path::new("") => {
            fs::create_dir_all(parent).map_err(|error| FileError::folders(path, error))
        }
        _ => Ok(()),
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;

        // A FIFO must not make us wait, a terminal must not become ours.
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32);
    }
    options
}

fn expect_file(path: &Path, found: FileType) -> Result<(), FileError> {
    match kind_of(found) {
        None => Ok(()),
        Some(kind) => Err(FileError::not_a_file(path, kind)),
    }
}

/// What it is instead of a regular file.
fn kind_of(found: FileType) -> Option<&'static str> {
    if found.is_file() {
        return None;
    }
    if found.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;

        if found.is_fifo() {
            return Some("a FIFO or pipe");
        }
        if found.is_socket() {
            return Some("a socket");
        }
        if found.is_char_device() || found.is_block_device() {
            return Some("a device");
        }
    }
    Some("something else")
}

/// Whether the last byte is not the end of a line.
fn lacks_end(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    let read = file.read(&mut last)?;
    Ok(read == 1 && last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_fifo_that_comes_between_look_and_open_makes_nobody_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let opened = options().open(&path).unwrap();
        let found = opened.metadata().unwrap().file_type();
        assert!(expect_file(&path, found).unwrap_err().is_not_a_file());
    }

    #[test]
    fn the_end_of_the_last_line_is_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        for (content, torn) in [("", false), ("\n", false), ("a\n", false), ("a", true)] {
            fs::write(&path, content).unwrap();
            assert_eq!(lacks_end(&mut open(&path, false).unwrap()).unwrap(), torn, "{content:?}");
        }
    }
}
