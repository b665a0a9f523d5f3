//! The error of every fallible function here, except of attaching to a ring file.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Why a step failed: what was tried, on which path, what was found, what to do about it, and the
/// operating system's own error as the source where there is one. The sentence is complete by
/// itself; the source is for programs.
///
/// ```text
/// cannot create a ring in `/dev/shm/app`: 1060864 bytes are needed and 65536 are free; ...
/// ```
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot {} `{}`: {}; {}",
    .details.step, .details.path.display(), .details.problem, .details.advice
)]
pub struct Error {
    details: Box<Details>,
    source: Option<io::Error>,
}

#[derive(Debug)]
struct Details {
    kind: ErrorKind,
    step: &'static str,
    path: PathBuf,
    problem: String,
    advice: String,
}

/// What a caller can branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text names no path that can be used.
    Path,
    /// The rendezvous directory is not one, or others could interfere in it.
    Directory,
    /// The file system is full: something smaller may fit.
    NoSpace,
    /// Another master holds the lease.
    LeaseHeld,
    /// A file in the directory is not what its name says.
    Foreign,
    /// An argument is out of its range, or the call does not fit the state.
    Argument,
    /// The operating system refused; see the source.
    System,
}

impl Error {
    /// A forked child could not take part in the directory, for this reason.
    pub(crate) fn without_session(path: &Path, why: &str) -> Self {
        let advice = "the records of this process are counted as lost";
        Self::new(ErrorKind::System, "log in a forked child into", path, why, advice)
    }

    /// `step` completes "cannot ..." and is followed by the path.
    pub(crate) fn new(
        kind: ErrorKind,
        step: &'static str,
        path: &Path,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let path = path.to_path_buf();
        let (problem, advice) = (problem.into(), advice.into());
        Self { details: Box::new(Details { kind, step, path, problem, advice }), source: None }
    }

    /// A refusal by the operating system.
    pub(crate) fn system(
        step: &'static str,
        path: &Path,
        errno: Errno,
        advice: impl Into<String>,
    ) -> Self {
        let source = io::Error::from(errno);
        Self::new(ErrorKind::System, step, path, source.to_string(), advice).with_source(source)
    }

    pub(crate) fn with_source(mut self, source: io::Error) -> Self {
        self.source = Some(source);
        self
    }

    /// What a caller can branch on.
    pub fn kind(&self) -> ErrorKind {
        self.details.kind
    }

    /// The path that the failed step was about; empty where it was about none.
    pub fn path(&self) -> &Path {
        &self.details.path
    }
}

static_assertions::assert_impl_all!(Error: Send, Sync, std::error::Error);
static_assertions::const_assert!(size_of::<Error>() <= 16);

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn the_sentence_says_step_path_problem_and_advice() {
        let error = Error::new(ErrorKind::NoSpace, "reserve", Path::new("/x/y"), "full", "tidy up");
        assert_eq!(error.to_string(), "cannot reserve `/x/y`: full; tidy up");
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        assert_eq!(error.path(), Path::new("/x/y"));
        assert!(error.source().is_none());

        let error = Error::system("open", Path::new("/x"), Errno::ACCESS, "look at the mode");
        assert_eq!(error.kind(), ErrorKind::System);
        let source = error.source().and_then(|s| s.downcast_ref::<io::Error>());
        assert_eq!(source.and_then(io::Error::raw_os_error), Some(Errno::ACCESS.raw_os_error()));
    }
}
