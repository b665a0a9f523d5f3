//! Checking and mapping a ring file: the master's side.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fd::AsFd;
use rustix::fs::OFlags;

use super::identity_page::{HEADER_SIZE, RingIdentity};
use super::layout::{MAX_FILE, MIN_FILE};
use super::storage::MappedStorage;
use crate::directory::Directory;
use crate::existing::{Refusal, open_existing, read_head};
use crate::file_head::check_allocated;
use crate::mapping::{Access, Mapping};
use crate::owner::OwnerWord;

/// A ring file that was checked and mapped for its consumer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attached {
    /// What the file says of itself: a private copy, checked for shape.
    pub identity: RingIdentity,
    /// Its memory, for the consumer.
    pub storage: MappedStorage,
    /// Whether the thread that took it lives; of interest in keeper rings.
    pub owner: OwnerWord,
    /// Its name in the directory.
    pub name: OsString,
    /// Its inode, which tells it from a later file of the same name.
    pub inode: u64,
    /// The user whom the file belongs to: a fact, where `identity.process.uid` is a claim.
    pub uid: u32,
}

/// Why a ring file was not attached to.
#[derive(Debug, thiserror::Error)]
#[error("cannot attach to the ring file `{}`: {reason}{}", .path.display(), self.advice())]
pub struct AttachError {
    path: PathBuf,
    reason: Refusal,
}

impl AttachError {
    /// What was expected and what came.
    pub fn reason(&self) -> &Refusal {
        &self.reason
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file was removed since it was listed, which is no fault of anybody.
    pub fn is_gone(&self) -> bool {
        matches!(self.reason, Refusal::Gone)
    }

    /// Whether the operating system refused, which another time it may not.
    pub fn is_system(&self) -> bool {
        matches!(self.reason, Refusal::System { .. })
    }

    fn advice(&self) -> &'static str {
        match self.reason {
            Refusal::Gone | Refusal::Version(_) | Refusal::ByteOrder { .. } => "",
            Refusal::System { .. } => "; it is tried again",
            _ => "; it is no ring of ours: find out who left it there and remove it",
        }
    }
}

pub(super) fn attach(directory: &Directory, name: &OsStr) -> Result<Attached, AttachError> {
    try_attach(directory, name)
        .map_err(|reason| AttachError { path: directory.path().join(name), reason })
}

fn try_attach(directory: &Directory, name: &OsStr) -> Result<Attached, Refusal> {
    let (file, stat) = open_existing(directory, name, OFlags::RDWR)?;
    let length = u64::try_from(stat.st_size).unwrap_or(0);
    if !(MIN_FILE..=MAX_FILE).contains(&length) {
        let expected = format!("{MIN_FILE} to {MAX_FILE}");
        return Err(Refusal::Length { came: length, expected });
    }
    let mut head = [0; HEADER_SIZE];
    let read = read_head(&file, &mut head)?;
    let (identity, offsets) = RingIdentity::decode(&head[..read], length)?;

    check_allocated(directory, &stat)?;

    let map = |errno| Refusal::system("map", errno);
    let mapping = Mapping::new(file.as_fd(), length, Access::Read).map_err(map)?;
    if directory.on_tmpfs() {
        mapping.populate(Access::Read);
    }
    let page = offsets.page as usize;
    mapping.protect(offsets.consumer() as usize, page, Access::ReadWrite).map_err(map)?;
    mapping.keep_from_children().map_err(map)?;
    let storage = MappedStorage::new(&Arc::new(mapping), &offsets, Access::Read)
        .ok_or_else(|| map(rustix::io::Errno::INVAL))?;
    Ok(Attached {
        identity,
        owner: storage.owner_word(),
        storage,
        name: name.to_os_string(),
        inode: stat.st_ino,
        uid: stat.st_uid,
    })
}

#[cfg(test)]
#[path = "attach_tests.rs"]
mod tests;
