//! The lease: there is one master for a directory.
//!
//! It is an `flock` on `master.lock`, which the kernel gives back when the master ends in
//! whatever way. What stands in the file only serves error messages and the one case that the
//! lock gets wrong: a child that the master forked, and that did not exec, keeps the lock of its
//! dead parent.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, getpid};

use crate::directory::Directory;
use crate::error::{Error, ErrorKind};
use crate::existing::{Refusal, open_existing, read_head};
use crate::identity::{ProcessIdentity, start_time_of};
use crate::new_file::NewFile;

const NAME: &str = "master.lock";
const STEP: &str = "become the master by";

/// How long the short locks of workers that probe are waited out.
const PROBES: Duration = Duration::from_millis(200);
/// Between two tries; a probe takes some microseconds.
const PAUSE: Duration = Duration::from_millis(1);

/// This process is the master until this is dropped or the process ends.
///
/// In a forked child, dropping it does nothing to the parent's lease; but as long as such a child
/// lives, no other master can come after the parent's death.
#[derive(Debug)]
pub struct Lease {
    file: OwnedFd,
    inode: u64,
    process: Pid,
}

impl Lease {
    /// Takes the lease if nobody has it. Waits at most 200 ms, and only for workers that probe.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LeaseHeld`] if there is a master, in another process or in this one: the error
    /// names its pid. [`ErrorKind::Foreign`] if `master.lock` is no file of ours.
    /// [`ErrorKind::System`] for anything else.
    pub fn acquire(directory: &Directory) -> Result<Lease, Error> {
        let path = directory.path().join(NAME);
        let end = Instant::now() + PROBES;
        loop {
            let (file, inode) = open(directory)?;
            match try_lock(&file).map_err(|errno| {
                Error::system(STEP, &path, errno, "use a file system that supports flock")
            })? {
                // Whoever removed the file in between could have locked another one by now.
                Lock::Ours if !directory.holds(NAME.as_ref(), inode) => continue,
                Lock::Ours => {
                    write_holder(&file, &Holder::this_process()?).map_err(|errno| {
                        Error::system(STEP, &path, errno, "look at the free space")
                    })?;
                    return Ok(Lease { file, inode, process: getpid() });
                }
                Lock::AnothersShared if Instant::now() < end => std::thread::sleep(PAUSE),
                Lock::AnothersShared => {
                    let problem = "workers keep asking whether there is a master";
                    let advice = "try again";
                    return Err(Error::new(ErrorKind::LeaseHeld, STEP, &path, problem, advice));
                }
                Lock::AnothersExclusive => return Err(held_by(read_holder(&file), &path)),
            }
        }
    }

    /// Whether some process is the master now. Does not wait, and disturbs no master. `false`
    /// also where it cannot be found out.
    pub fn is_held(directory: &Directory) -> bool {
        let Ok((file, _)) = open_existing(directory, OsStr::new(NAME), OFlags::RDONLY) else {
            return false;
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => false, // given back when the descriptor is closed
            Err(Errno::WOULDBLOCK) => {
                read_holder(&file).is_none_or(|holder| holder.is_alive() != Some(false))
            }
            Err(_) => false,
        }
    }

    /// Whether the lock file is still the one in the directory. If not, somebody removed it, and
    /// another master may have come: stop.
    pub fn is_current(&self, directory: &Directory) -> bool {
        directory.holds(NAME.as_ref(), self.inode)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A child shares the parent's lock: unlocking would end the parent's lease. Closing the
        // child's descriptor, which follows, does not.
        if getpid() == self.process {
            let _ = rustix::fs::ftruncate(&self.file, 0);
            // Not just closed: a forked child that holds the same lock would keep it.
            let _ = flock(&self.file, FlockOperation::Unlock);
        }
    }
}

enum Lock {
    Ours,
    AnothersShared,
    AnothersExclusive,
}

fn try_lock(file: &OwnedFd) -> Result<Lock, Errno> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => return Ok(Lock::Ours),
        Err(Errno::WOULDBLOCK) => {}
        Err(errno) => return Err(errno),
    }
    match flock(file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => {
            flock(file, FlockOperation::Unlock)?;
            Ok(Lock::AnothersShared)
        }
        Err(Errno::WOULDBLOCK) => Ok(Lock::AnothersExclusive),
        Err(errno) => Err(errno),
    }
}

fn flock(file: &OwnedFd, operation: FlockOperation) -> Result<(), Errno> {
    rustix::io::retry_on_intr(|| rustix::fs::flock(file, operation))
}

/// Opens the lock file; whoever comes first makes it.
fn open(directory: &Directory) -> Result<(OwnedFd, u64), Error> {
    loop {
        match open_existing(directory, OsStr::new(NAME), OFlags::RDWR) {
            Ok((file, stat)) => return Ok((file, stat.st_ino)),
            Err(Refusal::Gone) => {
                NewFile::create(directory)?.publish(OsStr::new(NAME))?;
            }
            Err(refusal) => {
                let path = directory.path().join(NAME);
                let advice = "remove it if no master runs";
                return Err(Error::new(
                    ErrorKind::Foreign,
                    STEP,
                    &path,
                    refusal.to_string(),
                    advice,
                ));
            }
        }
    }
}

/// What the master writes into the file: `pid 4711 start 123 namespace 4026531836 boot 1f0c...`.
#[derive(Debug, PartialEq, Eq)]
struct Holder {
    pid: u32,
    start_time: u64,
    pid_namespace: u64,
    boot_id: u128,
}

impl Holder {
    fn this_process() -> Result<Self, Error> {
        let us = ProcessIdentity::of_this_process()?;
        Ok(Self {
            pid: us.pid,
            start_time: us.start_time,
            pid_namespace: us.pid_namespace,
            boot_id: u128::from_be_bytes(us.boot_id),
        })
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
        let mut value = |key: &str| words.next().filter(|word| *word == key).and(words.next());
        Some(Self {
            pid: value("pid")?.parse().ok()?,
            start_time: value("start")?.parse().ok()?,
            pid_namespace: value("namespace")?.parse().ok()?,
            boot_id: u128::from_str_radix(value("boot")?, 16).ok()?,
        })
    }

    /// Whether the process that wrote this lives; `None` if it cannot be seen from here.
    fn is_alive(&self) -> Option<bool> {
        let us = Self::this_process().ok()?;
        if self.boot_id != us.boot_id {
            return Some(false);
        }
        if self.pid_namespace != us.pid_namespace {
            return None;
        }
        start_time_of(self.pid).ok().map(|time| time == Some(self.start_time))
    }
}

fn write_holder(file: &OwnedFd, holder: &Holder) -> Result<(), Errno> {
    let Holder { pid, start_time, pid_namespace, boot_id } = holder;
    let text =
        format!("pid {pid} start {start_time} namespace {pid_namespace} boot {boot_id:032x}\n");
    rustix::fs::ftruncate(file, 0)?;
    // One short write: whole or not at all on every file system that there is.
    rustix::io::retry_on_intr(|| rustix::io::pwrite(file, text.as_bytes(), 0)).map(|_| ())
}

fn read_holder(file: &OwnedFd) -> Option<Holder> {
    let mut text = [0; 256];
    let length = read_head(file, &mut text).ok()?;
    Holder::parse(&text[..length])
}

fn held_by(holder: Option<Holder>, path: &std::path::Path) -> Error {
    let (problem, advice) = match holder {
        Some(holder) if holder.is_alive() == Some(false) => (
            format!("a child of the master that was process {} has kept its lease", holder.pid),
            "end that child (`fuser` on this file finds it)",
        ),
        Some(holder) => (
            format!("process {} is the master here", holder.pid),
            "stop it, or use another directory",
        ),
        None => (
            "another process is the master here".to_string(),
            "stop it (`fuser` on this file finds it), or use another directory",
        ),
    };
    Error::new(ErrorKind::LeaseHeld, STEP, path, problem, advice)
}

#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
