//! Opening a directory: made if missing, then checked on the descriptor that is kept.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid, getgroups};

use super::{Directory, Inner};
use crate::error::{Error, ErrorKind};

const STEP: &str = "use the directory";
const OTHER_PATH: &str = "give another path, or remove what is there";

/// `TMPFS_MAGIC` of `linux/magic.h`.
const TMPFS_MAGIC: u64 = 0x0102_1994;

const PRIVATE_MODE: u32 = 0o700;
const SHARED_MODE: u32 = 0o2770;

impl Directory {
    /// Opens the directory for processes of this user alone. It is made, with its parents, mode
    /// 0700, if it does not exist.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Directory`] if `path` is something else (a symbolic link too), belongs to
    /// another user, or can be written by group or others; the error names the command that
    /// repairs it. [`ErrorKind::System`] if it cannot be made or opened.
    pub fn open(path: &Path) -> Result<Directory, Error> {
        Self::open_mode(path, false)
    }

    /// Opens the directory for processes of several users: all that are in its group. It is made
    /// with mode 2770 (and its parents with 0755) if it does not exist. The module says what this
    /// weakens.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Directory`] if `path` is something else, can be written by others, lacks the
    /// group's permissions or the setgid bit (which gives new files the directory's group), or
    /// belongs neither to this user nor to one of its groups. [`ErrorKind::System`] if it cannot
    /// be made or opened.
    pub fn open_shared(path: &Path) -> Result<Directory, Error> {
        Self::open_mode(path, true)
    }

    fn open_mode(path: &Path, shared: bool) -> Result<Directory, Error> {
        // Without a trailing slash, which would make the kernel follow a symbolic link.
        let path: PathBuf = path.components().collect();
        let made = make(&path, shared).map_err(|errno| {
            Error::system(
                "make the directory",
                &path,
                errno,
                "look at the permissions of its parents",
            )
        })?;

        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&path, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::NOTDIR | Errno::LOOP => {
                let what = match rustix::fs::lstat(&path)
                    .map(|stat| FileType::from_raw_mode(stat.st_mode))
                {
                    Ok(FileType::Symlink) => "it is a symbolic link; expected the directory itself",
                    _ => "it is a file; expected a directory",
                };
                Error::new(ErrorKind::Directory, STEP, &path, what, OTHER_PATH)
            }
            errno => Error::system(STEP, &path, errno, "look at its permissions and its owner"),
        })?;
        let system = |errno| Error::system(STEP, &path, errno, OTHER_PATH);
        if made && shared {
            // `mkdir` obeys the umask and ignores the setgid bit.
            rustix::fs::fchmod(&fd, Mode::from_raw_mode(SHARED_MODE)).map_err(system)?;
        }
        let stat = rustix::fs::fstat(&fd).map_err(system)?;
        let checked = if shared { check_shared(&stat, &path) } else { check_private(&stat, &path) };
        if let Err((problem, advice)) = checked {
            return Err(Error::new(ErrorKind::Directory, STEP, &path, problem, advice));
        }

        let kind = rustix::fs::fstatfs(&fd).map_err(system)?.f_type as u64;
        let on_tmpfs = kind == TMPFS_MAGIC;
        let mut warnings = Vec::new();
        if !on_tmpfs {
            warnings.push(format!(
                "`{}` lies on a file system of type {kind:#x}, not on tmpfs: write-back \
                 write-protects mapped pages, so about 1 store in 800 takes longer than 5 µs \
                 (measured on ext4; on tmpfs 1 in 31 000); choose a path below /dev/shm or \
                 $XDG_RUNTIME_DIR",
                path.display()
            ));
        }
        let group = stat.st_gid;
        let unnamed_files = OnceLock::new();
        Ok(Directory {
            inner: Arc::new(Inner { fd, path, shared, on_tmpfs, group, warnings, unnamed_files }),
        })
    }
}

/// Makes the directory and its parents. Returns whether it was missing.
fn make(path: &Path, shared: bool) -> Result<bool, Errno> {
    let mode = Mode::from_raw_mode(PRIVATE_MODE);
    match rustix::fs::mkdir(path, mode) {
        Ok(()) => return Ok(true),
        Err(Errno::EXIST) => return Ok(false),
        Err(Errno::NOENT) => {}
        // Where one may not write, the directory may still be there already.
        Err(errno) => return rustix::fs::lstat(path).map(|_| false).map_err(|_| errno),
    }
    let parent =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).ok_or(Errno::NOENT)?;
    make_parent(parent, Mode::from_raw_mode(if shared { 0o755 } else { PRIVATE_MODE }))?;
    match rustix::fs::mkdir(path, mode) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false), // somebody was faster
        Err(errno) => Err(errno),
    }
}

fn make_parent(path: &Path, mode: Mode) -> Result<(), Errno> {
    match rustix::fs::mkdir(path, mode) {
        Ok(()) | Err(Errno::EXIST) => return Ok(()),
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno),
    }
    let parent =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).ok_or(Errno::NOENT)?;
    make_parent(parent, mode)?;
    match rustix::fs::mkdir(path, mode) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn check_private(stat: &Stat, path: &Path) -> Result<(), (String, String)> {
    let us = geteuid().as_raw();
    let mode = stat.st_mode & 0o7777;
    let path = path.display();
    if stat.st_uid != us {
        return Err((
            format!(
                "it belongs to user {}; expected user {us}, who runs this process",
                stat.st_uid
            ),
            format!("give another path, run as user {}, or `chown {us} {path}`", stat.st_uid),
        ));
    }
    if mode & 0o022 != 0 {
        return Err((
            format!("its mode is {mode:04o}, so group or others can write; expected 0700"),
            format!("run `chmod 700 {path}`, or ask for a directory that is shared with its group"),
        ));
    }
    Ok(())
}

fn check_shared(stat: &Stat, path: &Path) -> Result<(), (String, String)> {
    let us = geteuid().as_raw();
    let mode = stat.st_mode & 0o7777;
    let path = path.display();
    if mode & 0o002 != 0 || mode & 0o2770 != SHARED_MODE {
        return Err((
            format!("its mode is {mode:04o}; expected 2770 for sharing with its group"),
            format!("run `chmod 2770 {path}`"),
        ));
    }
    let member = getegid().as_raw() == stat.st_gid
        || getgroups().is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == stat.st_gid));
    if stat.st_uid != us && !member {
        return Err((
            format!(
                "it belongs to user {} and group {}; user {us}, who runs this process, is neither",
                stat.st_uid, stat.st_gid
            ),
            format!("add user {us} to group {}, or give another path", stat.st_gid),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use super::*;
    use crate::testing::{TestDirectory, is_root};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn refusal(path: &Path, words: &[&str]) {
        let error = Directory::open(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Directory, "{error}");
        for word in words {
            assert!(error.to_string().contains(word), "{word:?} is not in: {error}");
        }
    }

    #[test]
    fn a_missing_directory_is_made_with_its_parents_for_its_user_alone() {
        let test = TestDirectory::new();
        let path = test.path().join("a/b/c");
        let directory = Directory::open(&path).unwrap();
        assert_eq!(directory.path(), path);
        for made in ["a", "a/b", "a/b/c"] {
            assert_eq!(mode(&test.path().join(made)), 0o700, "{made}");
        }
        Directory::open(&path.join("")).unwrap(); // a slash at the end, and it exists
    }

    #[test]
    fn a_relative_path_works() {
        // The working directory is the crate's; the target directory exists while tests run.
        let error = Directory::open(Path::new("Cargo.toml")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Directory, "{error}");
    }

    #[test]
    fn a_file_or_a_link_is_refused() {
        let test = TestDirectory::new();
        let file = test.path().join("file");
        fs::write(&file, "").unwrap();
        refusal(&file, &["it is a file", "expected a directory"]);
        let link = test.path().join("link");
        symlink(test.path(), &link).unwrap();
        refusal(&link, &["symbolic link"]);
        refusal(&link.join(""), &["symbolic link"]);
        let error = Directory::open(&file.join("below")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::System, "{error}");
    }

    #[test]
    fn a_directory_that_others_can_write_is_refused_with_the_command_that_repairs_it() {
        let test = TestDirectory::new();
        for bits in [0o770, 0o707, 0o777, 0o1777] {
            fs::set_permissions(test.path(), fs::Permissions::from_mode(bits)).unwrap();
            let command = format!("`chmod 700 {}`", test.path().display());
            refusal(test.path(), &[&format!("{bits:04o}"), &command]);
        }
        for bits in [0o700, 0o755, 0o750] {
            fs::set_permissions(test.path(), fs::Permissions::from_mode(bits)).unwrap();
            Directory::open(test.path()).unwrap();
        }
    }

    #[test]
    fn a_directory_of_somebody_else_is_refused() {
        if !is_root() {
            println!("skipped: only root can give a directory away");
            return;
        }
        let test = TestDirectory::new();
        chown(test.path(), Some(12345), None).unwrap();
        refusal(test.path(), &["user 12345", "expected user 0"]);
        // Root is no member of this group, and must not be let in by being root.
        fs::set_permissions(test.path(), fs::Permissions::from_mode(0o2770)).unwrap();
        chown(test.path(), Some(12345), Some(12345)).unwrap();
        fs::set_permissions(test.path(), fs::Permissions::from_mode(0o2770)).unwrap();
        let error = Directory::open_shared(test.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Directory, "{error}");
        // Somebody else's directory in our group is what sharing is for.
        chown(test.path(), Some(12345), Some(getegid().as_raw())).unwrap();
        fs::set_permissions(test.path(), fs::Permissions::from_mode(0o2770)).unwrap();
        assert!(Directory::open_shared(test.path()).unwrap().is_shared());
    }

    #[test]
    fn a_shared_directory_is_explicit_on_both_sides() {
        let test = TestDirectory::new();
        let path = test.path().join("parent/shared");
        Directory::open_shared(&path).unwrap();
        assert_eq!(mode(&path), 0o2770);
        refusal(&path, &["2770", "chmod 700", "shared with its group"]);
        let error = Directory::open_shared(test.path()).unwrap_err();
        assert!(error.to_string().contains("chmod 2770"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o2777)).unwrap();
        assert!(Directory::open_shared(&path).is_err());
    }

    #[test]
    fn only_a_directory_outside_tmpfs_is_warned_of() {
        assert_eq!(TestDirectory::new().open().warnings(), [""; 0]);
        let disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        fs::set_permissions(disk.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let directory = Directory::open(disk.path()).unwrap();
        if directory.on_tmpfs() {
            println!("skipped: the source tree itself lies on tmpfs");
            return;
        }
        let [warning] = directory.warnings() else { panic!("{:?}", directory.warnings()) };
        assert!(warning.contains("not on tmpfs") && warning.contains("/dev/shm"), "{warning}");
    }
}
