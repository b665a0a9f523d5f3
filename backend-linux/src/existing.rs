//! Opening a file that somebody else made, and the reasons not to.

use std::ffi::OsStr;

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use millpond_core::version::VersionError;

use crate::directory::{Directory, is_plain_name};

/// Why a file in the directory is not used: what was expected and what came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It was removed since it was listed.
    #[error("it is not there (any more)")]
    Gone,
    /// It is something else than a file.
    #[error("it is a {came}; expected a regular file")]
    NotAFile {
        /// What it is.
        came: &'static str,
    },
    /// Somebody else made it.
    #[error("it belongs to user {came}; expected user {expected}")]
    NotOurs {
        /// Its owner.
        came: u32,
        /// The user who runs this process.
        expected: u32,
    },
    /// It has other names, by which somebody could reach it past the directory.
    #[error("it has {links} names (hard links); expected 1")]
    HardLinked {
        /// How many names it has.
        links: u64,
    },
    /// It is longer or shorter than any such file, or than its own header says.
    #[error("it is {came} bytes long; expected {expected}")]
    Length {
        /// Its length.
        came: u64,
        /// The lengths that are possible.
        expected: String,
    },
    /// Parts of it have no memory yet, and giving them some may fail when they are touched.
    #[error("only {allocated} of its {length} bytes are allocated; expected all")]
    Sparse {
        /// Bytes with memory behind them.
        allocated: u64,
        /// Its length.
        length: u64,
    },
    /// The header was never written.
    #[error("its header is all zeros: whoever made it never finished it")]
    Zeros,
    /// It is some other kind of file.
    #[error(
        "it starts with {came:#018x}; expected {expected:#018x}, the mark of this kind of file"
    )]
    Magic {
        /// The first eight bytes.
        came: u64,
        /// The mark.
        expected: u64,
    },
    /// It was written on a machine with another byte order.
    #[error(
        "its byte-order mark is {came:#010x}; expected {expected:#010x}: it was written on a \
             machine with the other byte order, and is read on such a one only"
    )]
    ByteOrder {
        /// The mark as we see it.
        came: u32,
        /// The mark as we write it.
        expected: u32,
    },
    /// It was written by an incompatible version of this library.
    #[error("{0}; use the version of the programs that wrote it")]
    Version(#[from] VersionError),
    /// A field of its header is out of range or contradicts another one.
    #[error("its header says {field} = {came}; expected {expected}")]
    Field {
        /// The name of the field.
        field: &'static str,
        /// Its value.
        came: String,
        /// The values that are possible.
        expected: String,
    },
    /// The operating system refused.
    #[error("cannot {step} it: {errno}")]
    System {
        /// What was tried.
        step: &'static str,
        /// The operating system's answer.
        errno: std::io::Error,
    },
}

impl Refusal {
    pub(crate) fn system(step: &'static str, errno: Errno) -> Self {
        match errno {
            Errno::NOENT => Refusal::Gone,
            errno => Refusal::System { step, errno: errno.into() },
        }
    }

    pub(crate) fn field(field: &'static str, came: impl ToString, expected: impl ToString) -> Self {
        Refusal::Field { field, came: came.to_string(), expected: expected.to_string() }
    }
}

/// Opens a regular file of ours that has one name. Neither waits nor has side effects on whatever
/// else may be there: a FIFO, a device, a link to elsewhere.
pub(crate) fn open_existing(
    directory: &Directory,
    name: &OsStr,
    access: OFlags,
) -> Result<(OwnedFd, Stat), Refusal> {
    if !is_plain_name(name) {
        return Err(Refusal::system("open", Errno::INVAL));
    }
    // Looked at before it is opened, since opening a device may do something.
    let named = rustix::fs::statat(directory.fd(), name, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| Refusal::system("look at", errno))?;
    check_file(directory, &named)?;

    // Without CREATE, which the kernel may refuse on another user's file (fs.protected_regular).
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = rustix::fs::openat(directory.fd(), name, flags, Mode::empty())
        .map_err(|errno| Refusal::system("open", errno))?;
    // Looked at again, since it may have been replaced in between.
    let stat = rustix::fs::fstat(&file).map_err(|errno| Refusal::system("look at", errno))?;
    check_file(directory, &stat)?;
    Ok((file, stat))
}

fn check_file(directory: &Directory, stat: &Stat) -> Result<(), Refusal> {
    let came = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => None,
        FileType::Directory => Some("directory"),
        FileType::Symlink => Some("symbolic link"),
        FileType::Fifo => Some("FIFO"),
        FileType::Socket => Some("socket"),
        FileType::BlockDevice => Some("block device"),
        FileType::CharacterDevice => Some("character device"),
        _ => Some("file of an unknown type"),
    };
    if let Some(came) = came {
        return Err(Refusal::NotAFile { came });
    }
    if !directory.accepts_owner(stat) {
        let expected = rustix::process::geteuid().as_raw();
        return Err(Refusal::NotOurs { came: stat.st_uid, expected });
    }
    #[allow(clippy::useless_conversion)] // a u32 on other processors
    let links = u64::from(stat.st_nlink);
    match links {
        1 => Ok(()),
        0 => Err(Refusal::Gone),
        _ => Err(Refusal::HardLinked { links }),
    }
}

/// Reads the head of a file into private memory, where nobody can change it between a check and
/// a use. Returns fewer bytes than asked for only if the file is shorter.
pub(crate) fn read_head(file: &OwnedFd, into: &mut [u8]) -> Result<usize, Refusal> {
    let mut length = 0;
    while length < into.len() {
        match rustix::io::pread(file, &mut into[length..], length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Refusal::system("read", errno)),
        }
    }
    Ok(length)
}
