//! The rendezvous directory: where the processes of one logging system meet.
//!
//! Whoever may write into it could replace a ring by something else, so it belongs to one user
//! and nobody else may write there. That is checked on the descriptor that is then held: every
//! later step goes through this descriptor, so it stays in the directory that was checked,
//! whatever happens to the path.
//!
//! # Sharing between users
//!
//! [`Directory::open_shared`] gives a directory to a group: mode 2770, files 0660. What this
//! weakens: every member of the group can read the log, remove or replace any ring, write into
//! any ring, and truncate a ring that the master maps, which ends the master with SIGBUS. So it
//! is for a group whose members trust each other, such as a service's own users.

mod open;
mod path;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, Mode, Stat};
use rustix::io::Errno;

use crate::error::Error;

pub use path::{default_path, parse_path};

/// What the name of a ring of records begins with.
pub const RECORDS_PREFIX: &str = "r-";
/// What the name of a keeper's ring begins with.
pub const KEEPER_PREFIX: &str = "w-";
/// Files of rings that broke a rule begin with this.
const QUARANTINE_PREFIX: &str = "quarantine-";
/// So many of them are kept.
const QUARANTINED: u32 = 8;

/// An open rendezvous directory that has been checked. A clone is the same directory.
#[derive(Clone, Debug)]
pub struct Directory {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    fd: OwnedFd,
    path: PathBuf,
    shared: bool,
    on_tmpfs: bool,
    group: u32,
    warnings: Vec<String>,
    // Whether a file without a name can be made here and named later; found out at first use.
    unnamed_files: OnceLock<bool>,
}

impl Directory {
    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// What works but not well, for the log: sentences. Empty for a directory on tmpfs.
    pub fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    /// Whether it was opened by [`Directory::open_shared`].
    pub fn is_shared(&self) -> bool {
        self.inner.shared
    }

    /// The names of all ring files, sorted. A name is a hint: what a file is, its header says,
    /// and it may be gone when you come to it.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read.
    pub fn list_rings(&self) -> Result<Vec<OsString>, Error> {
        let failed = |errno| {
            Error::system("list the rings in", self.path(), errno, "look at its permissions")
        };
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.inner.fd).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_bytes().to_vec();
            if [RECORDS_PREFIX, KEEPER_PREFIX].iter().any(|p| name.starts_with(p.as_bytes())) {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Removes the file of this name. Whoever has it mapped keeps it. Returns whether there was
    /// one.
    ///
    /// # Errors
    ///
    /// If it cannot be removed, for example because it is a directory.
    pub fn remove(&self, name: &OsStr) -> Result<bool, Error> {
        let step = "remove";
        let path = self.path().join(name);
        if !is_plain_name(name) {
            return Err(Error::system(step, &path, Errno::INVAL, "give a name without a slash"));
        }
        match rustix::fs::unlinkat(&self.inner.fd, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(Error::system(step, &path, errno, "remove it by hand")),
        }
    }

    /// Keeps a ring file for inspection under a name that is no ring's: `quarantine-1` to
    /// `quarantine-8`. When all are taken the last gives way. Best effort.
    pub(crate) fn set_aside(&self, name: &OsStr) {
        let place = |number: u32| format!("{QUARANTINE_PREFIX}{number}");
        let is_free = |number: &u32| {
            let at = AtFlags::SYMLINK_NOFOLLOW;
            rustix::fs::statat(&self.inner.fd, place(*number), at).is_err_and(|e| e == Errno::NOENT)
        };
        let number = (1..=QUARANTINED).find(is_free).unwrap_or(QUARANTINED);
        let _ = rustix::fs::renameat(&self.inner.fd, name, &self.inner.fd, place(number));
    }

    /// Bytes that are free for new files; `u64::MAX` on a file system without a limit.
    ///
    /// # Errors
    ///
    /// If the operating system does not say.
    pub fn free_bytes(&self) -> Result<u64, Error> {
        let free = rustix::fs::fstatvfs(&self.inner.fd).map_err(|errno| {
            Error::system("ask for the free space of", self.path(), errno, "nothing can be done")
        })?;
        // A tmpfs that was mounted without a limit calls its size zero.
        match free.f_blocks {
            0 => Ok(u64::MAX),
            _ => Ok(free.f_bavail.saturating_mul(free.f_frsize)),
        }
    }

    /// Whether the path still leads here. `false` once the directory was removed or replaced: what
    /// is made in it now, nobody finds.
    pub fn is_current(&self) -> bool {
        match (rustix::fs::fstat(&self.inner.fd), rustix::fs::lstat(self.path())) {
            (Ok(held), Ok(named)) => (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino),
            _ => false,
        }
    }

    /// Whether `name` is in the directory and is the file with this inode.
    pub(crate) fn holds(&self, name: &OsStr, inode: u64) -> bool {
        rustix::fs::statat(&self.inner.fd, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| stat.st_ino == inode)
    }

    /// What changes with a file; `None` if it is not there.
    pub(crate) fn mark(&self, name: &OsStr) -> Option<Mark> {
        let stat = rustix::fs::statat(&self.inner.fd, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        #[allow(clippy::useless_conversion)] // types differ between processors
        Some(Mark {
            inode: stat.st_ino,
            links: u64::from(stat.st_nlink),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.inner.fd.as_fd()
    }

    pub(crate) fn on_tmpfs(&self) -> bool {
        self.inner.on_tmpfs
    }

    /// The mode of new files.
    pub(crate) fn file_mode(&self) -> Mode {
        if self.inner.shared { Mode::from_raw_mode(0o660) } else { Mode::from_raw_mode(0o600) }
    }

    /// Whether a file may belong to whom it does: us, or in shared mode the directory's group.
    pub(crate) fn accepts_owner(&self, stat: &Stat) -> bool {
        stat.st_uid == rustix::process::geteuid().as_raw()
            || (self.inner.shared && stat.st_gid == self.inner.group)
    }

    pub(crate) fn unnamed_files(&self) -> &OnceLock<bool> {
        &self.inner.unnamed_files
    }
}

/// A file at one time: another file of the name, and the file after a change of its length, mode,
/// owner or names, have other marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    inode: u64,
    links: u64,
    changed: (i64, i64),
}

/// Whether `name` stays in its directory.
pub(crate) fn is_plain_name(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    !bytes.is_empty() && !bytes.contains(&b'/') && bytes != b"." && bytes != b".."
}

static_assertions::assert_impl_all!(Directory: Send, Sync, Clone);

#[cfg(test)]
mod tests {
    use crate::testing::TestDirectory;

    #[test]
    fn only_rings_are_listed_and_only_plain_names_removed() {
        let test = TestDirectory::new();
        for name in ["w-2", "r-1", "control", "x-r-", ".new-1"] {
            std::fs::write(test.path().join(name), "").unwrap();
        }
        let directory = test.open();
        assert_eq!(directory.list_rings().unwrap(), ["r-1", "w-2"]);
        assert!(directory.remove("r-1".as_ref()).unwrap());
        assert!(!directory.remove("r-1".as_ref()).unwrap());
        assert_eq!(directory.list_rings().unwrap(), ["w-2"]);
        for name in ["", ".", "..", "../x", "a/b"] {
            assert!(directory.remove(name.as_ref()).is_err(), "{name:?}");
        }
        std::fs::create_dir(test.path().join("r-dir")).unwrap();
        assert!(directory.remove("r-dir".as_ref()).is_err());
    }

    #[test]
    fn a_replaced_directory_is_noticed() {
        let test = TestDirectory::new();
        let directory = test.open();
        assert!(directory.is_current());
        let aside = test.path().with_extension("aside");
        std::fs::rename(test.path(), &aside).unwrap();
        assert!(!directory.is_current());
        drop(test.open()); // makes another one
        assert!(!directory.is_current());
        std::fs::remove_dir_all(&aside).unwrap();
    }

    #[test]
    fn free_space_is_told() {
        let free = TestDirectory::new().open().free_bytes().unwrap();
        assert!(free > 4096, "{free}");
    }
}
