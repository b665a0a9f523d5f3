//! Making a file that nobody sees before it is complete.
//!
//! It is made without a name (`O_TMPFILE`) and linked into the directory when it is ready: one
//! event for whoever watches, and a process that is killed in between leaves nothing behind.
//! Where the file system or a sandbox does not allow that, it is made under a name that starts
//! with a dot, which nobody looks at, and renamed.

use std::ffi::OsStr;
use std::path::PathBuf;

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FallocateFlags, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::directory::Directory;
use crate::error::{Error, ErrorKind};
use crate::identity::random_id;

const STEP: &str = "create a file in";
/// Memory is reserved in steps of this size, so that a signal makes only one step start again.
const RESERVE_STEP: u64 = 4 << 20;

/// A file without a name in the directory; removed when dropped, unless it was published.
#[derive(Debug)]
pub(crate) struct NewFile {
    directory: Directory,
    file: OwnedFd,
    /// Its name for the time being, where it cannot go without one.
    temporary: Option<String>,
}

/// Whether the name was free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// The file now has it.
    Now,
    /// Something else has it already; the new file is gone.
    NameTaken,
}

impl NewFile {
    /// Makes an empty file.
    pub(crate) fn create(directory: &Directory) -> Result<NewFile, Error> {
        let failed = |errno| {
            Error::system(STEP, directory.path(), errno, "look at its permissions and free space")
        };
        let unnamed = *directory.unnamed_files().get_or_init(|| can_link_unnamed(directory));
        let (file, temporary) = if unnamed {
            (open_unnamed(directory).map_err(failed)?, None)
        } else {
            let name = format!(".new-{:016x}", random_id()?);
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
            let flags = flags | OFlags::NOFOLLOW;
            let file = rustix::fs::openat(directory.fd(), &name, flags, directory.file_mode());
            (file.map_err(failed)?, Some(name))
        };
        let new = NewFile { directory: directory.clone(), file, temporary };
        if directory.is_shared() {
            // The umask may have taken the group's permissions away.
            rustix::fs::fchmod(&new.file, directory.file_mode()).map_err(failed)?;
        }
        Ok(new)
    }

    /// Makes the file `length` bytes of zeros with memory behind each, so that no later store
    /// into a mapping of it finds the file system full (which would be SIGBUS).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoSpace`], which says how much is needed and free.
    pub(crate) fn reserve(&self, length: u64) -> Result<(), Error> {
        let mut done = 0;
        while done < length {
            let step = RESERVE_STEP.min(length - done);
            match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), done, step) {
                Ok(()) => done += step,
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP) => {
                    self.write(done, &vec![0; step as usize], length)?;
                    done += step;
                }
                Err(errno) => return Err(self.no_space(errno, length, done)),
            }
        }
        Ok(())
    }

    /// Writes all `bytes` at `offset`, which is inside what was reserved.
    pub(crate) fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.write(offset, bytes, offset + bytes.len() as u64)
    }

    fn write(&self, offset: u64, bytes: &[u8], needed: u64) -> Result<(), Error> {
        let mut written = 0;
        while written < bytes.len() {
            match rustix::io::pwrite(&self.file, &bytes[written..], offset + written as u64) {
                Ok(more) => written += more,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.no_space(errno, needed, offset)),
            }
        }
        Ok(())
    }

    /// `held` bytes of the `needed` ones were got, and are free again once this file is gone.
    fn no_space(&self, errno: Errno, needed: u64, held: u64) -> Error {
        let path = self.directory.path();
        if !matches!(errno, Errno::NOSPC | Errno::DQUOT | Errno::NOMEM) {
            return Error::system(STEP, path, errno, "look at this process's limits (ulimit -f)");
        }
        let free = match self.directory.free_bytes() {
            Ok(free) => free.saturating_add(held).to_string(),
            Err(_) => "an unknown number".into(),
        };
        let problem = format!("{needed} bytes are needed and {free} are free ({errno})");
        let advice = "make rings smaller (buffer_size) or fewer, remove what is not needed there, \
                      or give the file system more room (for a container: --shm-size)";
        Error::new(ErrorKind::NoSpace, STEP, path, problem, advice).with_source(errno.into())
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Gives the file its name. From here on other processes see it.
    ///
    /// # Errors
    ///
    /// If it cannot be linked or renamed; the file is gone then.
    pub(crate) fn publish(mut self, name: &OsStr) -> Result<Published, Error> {
        let result = match &self.temporary {
            None => link_unnamed(&self.directory, self.file.as_fd(), name),
            Some(temporary) => {
                let fd = self.directory.fd();
                rustix::fs::renameat_with(fd, temporary, fd, name, RenameFlags::NOREPLACE)
            }
        };
        match result {
            Ok(()) => {
                self.temporary = None;
                Ok(Published::Now)
            }
            Err(Errno::EXIST) => Ok(Published::NameTaken),
            Err(errno) => {
                let path = self.directory.path().join(name);
                let advice = "use a directory on tmpfs; if this is one, look at its free inodes \
                              and whether it still exists";
                Err(Error::system("give a new file the name", &path, errno, advice))
            }
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(name) = &self.temporary {
            let _ = rustix::fs::unlinkat(self.directory.fd(), name, AtFlags::empty());
        }
    }
}

fn open_unnamed(directory: &Directory) -> Result<OwnedFd, Errno> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    rustix::fs::openat(directory.fd(), ".", flags, directory.file_mode())
}

/// By the way through /proc, since `AT_EMPTY_PATH` needs a privilege.
fn link_unnamed(directory: &Directory, file: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    rustix::fs::linkat(CWD, &path, directory.fd(), name, AtFlags::SYMLINK_FOLLOW)
}

/// Tries it once per directory: neither the file system nor a sandbox tells beforehand.
fn can_link_unnamed(directory: &Directory) -> bool {
    let Ok(id) = random_id() else { return false };
    let name = format!(".try-{id:016x}");
    let Ok(file) = open_unnamed(directory) else { return false };
    let linked = link_unnamed(directory, file.as_fd(), name.as_ref()).is_ok();
    if linked {
        let _ = rustix::fs::unlinkat(directory.fd(), &name, AtFlags::empty());
    }
    linked
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::testing::{SmallTmpfs, TestDirectory};

    /// Both ways of making a file.
    fn both_ways(check: impl Fn(&TestDirectory, Directory)) {
        for unnamed in [true, false] {
            let test = TestDirectory::new();
            let directory = test.open();
            directory.unnamed_files().set(unnamed).unwrap();
            check(&test, directory);
        }
    }

    #[test]
    fn tmpfs_allows_files_without_names() {
        let test = TestDirectory::new();
        assert!(can_link_unnamed(&test.open()));
        assert!(test.names().is_empty());
    }

    #[test]
    fn a_file_appears_complete_and_only_once() {
        both_ways(|test, directory| {
            let new = NewFile::create(&directory).unwrap();
            new.reserve(8192).unwrap();
            new.write_at(8190, b"ab").unwrap();
            assert!(!test.names().contains(&"x".to_string()));
            assert_eq!(new.publish("x".as_ref()).unwrap(), Published::Now);
            assert_eq!(test.names(), ["x"]);
            let bytes = std::fs::read(test.path().join("x")).unwrap();
            assert_eq!((bytes.len(), &bytes[8189..]), (8192, &b"\0ab"[..]));
            let mode = std::fs::metadata(test.path().join("x")).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o600);

            let second = NewFile::create(&directory).unwrap();
            assert_eq!(second.publish("x".as_ref()).unwrap(), Published::NameTaken);
            assert_eq!(test.names(), ["x"]);
            assert_eq!(std::fs::read(test.path().join("x")).unwrap(), bytes);
        });
    }

    #[test]
    fn what_is_not_published_leaves_nothing_behind() {
        both_ways(|test, directory| {
            let new = NewFile::create(&directory).unwrap();
            new.reserve(4096).unwrap();
            drop(new);
            assert!(test.names().is_empty());
            let new = NewFile::create(&directory).unwrap();
            assert!(new.publish("no/such/place".as_ref()).is_err());
            assert!(test.names().is_empty());
        });
    }

    #[test]
    fn a_full_file_system_is_an_error_that_says_what_is_needed_and_free() {
        let Some(small) = SmallTmpfs::new("1M") else { return };
        let directory = small.directory();
        let free = directory.free_bytes().unwrap();
        assert!(free <= 1 << 20, "{free}");
        let new = NewFile::create(&directory).unwrap();
        let error = new.reserve(16 << 20).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        let text = error.to_string();
        assert!(
            text.contains("16777216 bytes are needed") && text.contains("--shm-size"),
            "{text}"
        );
        drop(new);
        assert!(small.names().is_empty());
        assert_eq!(directory.free_bytes().unwrap(), free);
    }

    #[test]
    fn in_a_shared_directory_the_group_may_write() {
        let test = TestDirectory::new();
        let path = test.path().join("shared");
        let directory = Directory::open_shared(&path).unwrap();
        let new = NewFile::create(&directory).unwrap();
        new.publish("x".as_ref()).unwrap();
        let mode = std::fs::metadata(path.join("x")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o660);
    }
}
