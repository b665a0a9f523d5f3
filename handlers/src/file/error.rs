//! What can go wrong with a log file.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::append::AppendFailed;

/// Why a file cannot be logged to. Its text names the path, the step, what the system said and
/// what to do.
#[derive(Debug, Error)]
#[error("log file {path:?}: {problem}; {}", .problem.advice())]
pub struct FileError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug, Error)]
enum Problem {
    #[error("there is none, and it must not be created")]
    Missing,
    #[error("expected a regular file, found {0}")]
    NotAFile(&'static str),
    #[error("cannot create its folder: {0}")]
    Folders(io::Error),
    #[error("cannot open it for reading and writing: {0}")]
    Open(io::Error),
    #[error("cannot read its last byte: {0}")]
    Inspect(io::Error),
    #[error("cannot append to it, {written} of a batch's {total} bytes are written: {error}")]
    Write { written: usize, total: usize, error: io::Error },
}

impl FileError {
    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is missing and must not be created.
    pub fn is_missing(&self) -> bool {
        matches!(self.problem, Problem::Missing)
    }

    /// Whether there is something else than a regular file: a folder, a device, a FIFO.
    pub fn is_not_a_file(&self) -> bool {
        matches!(self.problem, Problem::NotAFile(_))
    }

    /// What the system said, if it was asked.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.problem.io_error()
    }

    pub(super) fn missing(path: &Path) -> Self {
        Self::new(path, Problem::Missing)
    }

    pub(super) fn not_a_file(path: &Path, found: &'static str) -> Self {
        Self::new(path, Problem::NotAFile(found))
    }

    pub(super) fn folders(path: &Path, error: io::Error) -> Self {
        Self::new(path, Problem::Folders(error))
    }

    pub(super) fn open(path: &Path, error: io::Error) -> Self {
        Self::new(path, Problem::Open(error))
    }

    pub(super) fn inspect(path: &Path, error: io::Error) -> Self {
        Self::new(path, Problem::Inspect(error))
    }

    pub(crate) fn write(path: &Path, failed: AppendFailed, total: usize) -> Self {
        let AppendFailed { written, error } = failed;
        Self::new(path, Problem::Write { written, total, error })
    }

    fn new(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem }
    }
}

impl Problem {
    fn io_error(&self) -> Option<&io::Error> {
        match self {
            Problem::Missing | Problem::NotAFile(_) => None,
            Problem::Folders(error) | Problem::Open(error) | Problem::Inspect(error) => Some(error),
            Problem::Write { error, .. } => Some(error),
        }
    }

    /// What to do about it.
    fn advice(&self) -> &'static str {
        match (self, self.io_error().map(io::Error::kind)) {
            (Problem::Missing, _) => "create it, or leave out `.create(false)`",
            (Problem::NotAFile("a folder"), _) => "give the path of a file in it",
            (Problem::NotAFile(_), _) => "give another path, or use the handler for such things",
            (_, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)) => {
                "free some space; the next batch is tried again"
            }
            (_, Some(ErrorKind::PermissionDenied)) => {
                "let this process's user read and write there, or give another path"
            }
            (_, Some(ErrorKind::ReadOnlyFilesystem)) => {
                "make the file system writable, or give another path"
            }
            (_, Some(ErrorKind::NotADirectory)) => {
                "a part of the path is a file, give another path"
            }
            (Problem::Write { .. }, _) => "see to its cause; the next batch is tried again",
            _ => "see to its cause, or give another path",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_problem() -> [FileError; 6] {
        let path = Path::new("logs/app.log");
        let full = || io::Error::from(ErrorKind::StorageFull);
        [
            FileError::missing(path),
            FileError::not_a_file(path, "a FIFO or pipe"),
            FileError::folders(path, ErrorKind::PermissionDenied.into()),
            FileError::open(path, ErrorKind::NotADirectory.into()),
            FileError::inspect(path, io::Error::other("on fire")),
            FileError::write(path, AppendFailed { written: 3, error: full() }, 10),
        ]
    }

    #[test]
    fn every_question_on_every_problem() {
        let errors = every_problem();
        let answers = |ask: fn(&FileError) -> bool| errors.each_ref().map(ask);
        let (yes, no) = (true, false);
        assert_eq!(answers(FileError::is_missing), [yes, no, no, no, no, no]);
        assert_eq!(answers(FileError::is_not_a_file), [no, yes, no, no, no, no]);
        assert_eq!(answers(|error| error.io_error().is_some()), [no, no, yes, yes, yes, yes]);
    }

    #[test]
    fn every_text_names_path_reason_and_remedy() {
        let expected = [
            "there is none, and it must not be created; create it",
            "expected a regular file, found a FIFO or pipe; give another path",
            "cannot create its folder: permission denied; let this process's user",
            "cannot open it for reading and writing: not a directory; a part of the path",
            "cannot read its last byte: on fire; see to its cause",
            "cannot append to it, 3 of a batch's 10 bytes are written: no storage space; free some",
        ];
        for (error, expected) in every_problem().iter().zip(expected) {
            let text = error.to_string();
            assert!(text.starts_with(&format!("log file \"logs/app.log\": {expected}")), "{text}");
            assert_eq!(error.path(), Path::new("logs/app.log"));
        }
    }
}
