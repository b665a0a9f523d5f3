//! What every shared file of ours begins with, and how it is opened or made.
//!
//! This is a layout that processes share. All fields are little-endian but the byte-order mark,
//! which is in the order of the machine that wrote it and so names that order.
//!
//! ```text
//!   0 magic          u64  what kind of file it is
//!   8 byte order     u32  0x01020304
//!  12 layout major   u16  see millpond_core::version
//!  14 layout minor   u16
//!  16 incompatible   u32  feature bits that a reader must know
//!  20 ignorable      u32  feature bits that a reader need not know
//!  24 ...                 what the kind of file needs
//! ```
//!
//! A file gets its name only when it is complete, so a reader never sees half a head.

use std::ffi::OsStr;
use std::sync::Arc;

use millpond_core::version;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use static_assertions::const_assert_eq;

use crate::directory::Directory;
use crate::error::{Error, ErrorKind};
use crate::existing::{Refusal, open_existing, read_head};
use crate::mapping::{Access, Mapping};
use crate::new_file::NewFile;

/// Bytes of the head.
pub(crate) const HEAD: usize = 24;

pub(crate) const MAGIC_AT: usize = 0;
pub(crate) const BYTE_ORDER_AT: usize = 8;
pub(crate) const MAJOR_AT: usize = 12;
const MINOR_AT: usize = 14;
pub(crate) const INCOMPATIBLE_AT: usize = 16;
const IGNORABLE_AT: usize = 20;

const_assert_eq!(BYTE_ORDER_AT, MAGIC_AT + size_of::<u64>());
const_assert_eq!(MAJOR_AT, BYTE_ORDER_AT + size_of::<u32>());
const_assert_eq!(MINOR_AT, MAJOR_AT + size_of::<u16>());
const_assert_eq!(INCOMPATIBLE_AT, MINOR_AT + size_of::<u16>());
const_assert_eq!(IGNORABLE_AT, INCOMPATIBLE_AT + size_of::<u32>());
const_assert_eq!(HEAD, IGNORABLE_AT + size_of::<u32>());

/// As the machine that wrote it has it in memory.
pub(crate) const BYTE_ORDER: u32 = 0x0102_0304;

/// The head of a file of this version, which uses no features that have a bit.
pub(crate) fn encode(magic: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
    put(MAGIC_AT, &magic.to_le_bytes());
    put(BYTE_ORDER_AT, &BYTE_ORDER.to_ne_bytes());
    put(MAJOR_AT, &version::LAYOUT_MAJOR.to_le_bytes());
    put(MINOR_AT, &version::LAYOUT_MINOR.to_le_bytes());
    head
}

/// Whether these bytes are the head of a file with this magic that we can read.
pub(crate) fn check(head: &[u8; HEAD], magic: u64) -> Result<(), Refusal> {
    if head.iter().all(|byte| *byte == 0) {
        return Err(Refusal::Zeros);
    }
    let came = u64::from_le_bytes(bytes_at(head, MAGIC_AT));
    if came != magic {
        return Err(Refusal::Magic { came, expected: magic });
    }
    let order = u32::from_ne_bytes(bytes_at(head, BYTE_ORDER_AT));
    if order != BYTE_ORDER {
        return Err(Refusal::ByteOrder { came: order, expected: BYTE_ORDER });
    }
    let major = u16::from_le_bytes(bytes_at(head, MAJOR_AT));
    let incompatible = u32::from_le_bytes(bytes_at(head, INCOMPATIBLE_AT));
    Ok(version::check(major, incompatible)?)
}

/// The `N` bytes at `at`, both of which the caller has checked or are constants.
pub(crate) fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}

/// A kind of file of which a directory has one: whoever comes first makes it.
pub(crate) struct Meeting {
    /// Its name in the directory.
    pub(crate) name: &'static str,
    /// Its length, and the one length that is accepted.
    pub(crate) length: u64,
    /// What the head says.
    pub(crate) magic: u64,
    /// Where the head stands.
    pub(crate) head_at: u64,
    /// For errors: completes "cannot ...".
    pub(crate) step: &'static str,
}

impl Meeting {
    /// Opens the file, or makes it with `rest` behind its head.
    ///
    /// The outer error is the operating system's; the refusal is about what is there already.
    pub(crate) fn open(
        &self,
        directory: &Directory,
        access: OFlags,
        rest: &[u8],
    ) -> Result<Result<OwnedFd, Refusal>, Error> {
        let name = OsStr::new(self.name);
        for _ in 0..100 {
            match open_existing(directory, name, access) {
                Ok((file, stat)) => {
                    return Ok(self.check(directory, &file, &stat).map(|()| file));
                }
                Err(Refusal::Gone) => {
                    let new = NewFile::create(directory)?;
                    new.reserve(self.length)?;
                    new.write_at(self.head_at, &encode(self.magic))?;
                    new.write_at(self.head_at + HEAD as u64, rest)?;
                    // Whether ours or somebody else's has the name now: it is opened next.
                    new.publish(name)?;
                }
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        let path = directory.path().join(self.name);
        Err(Error::system(self.step, &path, Errno::AGAIN, "find out who keeps removing it"))
    }

    fn check(
        &self,
        directory: &Directory,
        file: &OwnedFd,
        stat: &rustix::fs::Stat,
    ) -> Result<(), Refusal> {
        let length = u64::try_from(stat.st_size).unwrap_or(0);
        if length != self.length {
            return Err(Refusal::Length { came: length, expected: self.length.to_string() });
        }
        let mut head = vec![0; self.head_at as usize + HEAD];
        if read_head(file, &mut head)? != head.len() {
            return Err(Refusal::Length { came: 0, expected: self.length.to_string() });
        }
        check(&bytes_at(&head, self.head_at as usize), self.magic)?;
        check_allocated(directory, stat)
    }

    /// Opens or makes the file and maps it; what is there and is not this kind of file is an
    /// error.
    pub(crate) fn map(&self, directory: &Directory, access: Access) -> Result<Arc<Mapping>, Error> {
        let flags = match access {
            Access::Read => OFlags::RDONLY,
            Access::ReadWrite => OFlags::RDWR,
        };
        let file = self.open(directory, flags, &[])?.map_err(|refusal| {
            let path = directory.path().join(self.name);
            let advice = "end all programs that use this directory and remove the file; the next \
                          one makes another";
            Error::new(ErrorKind::Foreign, self.step, &path, refusal.to_string(), advice)
        })?;
        self.map_file(directory, &file, access)
    }

    pub(crate) fn map_file(
        &self,
        directory: &Directory,
        file: &OwnedFd,
        access: Access,
    ) -> Result<Arc<Mapping>, Error> {
        let failed = |errno| {
            let path = directory.path().join(self.name);
            Error::system(self.step, &path, errno, "look at this process's limits (ulimit -v)")
        };
        let mapping = Mapping::new(file.as_fd(), self.length, access).map_err(failed)?;
        mapping.populate(access);
        Ok(Arc::new(mapping))
    }

    /// The error for a mapping that does not hold what it should, which the checks rule out.
    pub(crate) fn misfit(&self, directory: &Directory) -> Error {
        let path = directory.path().join(self.name);
        Error::system(self.step, &path, Errno::INVAL, "report this as a bug")
    }
}

/// Whether all of a file has memory behind it. Where tmpfs has no page yet, even reading a mapping
/// makes one, and SIGBUS is the answer if there is none to be had. (Other file systems read holes
/// as zeros.)
pub(crate) fn check_allocated(
    directory: &Directory,
    stat: &rustix::fs::Stat,
) -> Result<(), Refusal> {
    let length = u64::try_from(stat.st_size).unwrap_or(0);
    let allocated = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512);
    if directory.on_tmpfs() && allocated < length {
        return Err(Refusal::Sparse { allocated, length });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use millpond_core::version::{LAYOUT_MAJOR, VersionError};

    use super::*;

    #[test]
    fn each_way_to_be_another_file_is_told() {
        let good = encode(7);
        check(&good, 7).unwrap();
        assert!(matches!(check(&good, 8), Err(Refusal::Magic { came: 7, expected: 8 })));
        assert!(matches!(check(&[0; HEAD], 7), Err(Refusal::Zeros)));
        let with = |at: usize, bytes: &[u8]| {
            let mut head = good;
            head[at..at + bytes.len()].copy_from_slice(bytes);
            check(&head, 7).unwrap_err()
        };
        let reversed = BYTE_ORDER.swap_bytes();
        let order = with(BYTE_ORDER_AT, &reversed.to_ne_bytes());
        assert!(matches!(order, Refusal::ByteOrder { came, .. } if came == reversed), "{order}");
        let major = with(MAJOR_AT, &(LAYOUT_MAJOR + 1).to_le_bytes());
        assert!(matches!(major, Refusal::Version(VersionError::Major { .. })), "{major}");
        let feature = with(INCOMPATIBLE_AT, &[0, 0, 0, 0x80]);
        assert!(
            matches!(feature, Refusal::Version(VersionError::Incompatible { .. })),
            "{feature}"
        );
    }
}
