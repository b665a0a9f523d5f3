//! The checkpoint: what a master has delivered, for the master after it.
//!
//! The master never reads its own positions back from a ring, which a faulty worker could have
//! scribbled over; it keeps them here, in a file that only masters map.
//!
//! This is a layout that processes share; file `checkpoint`.
//!
//! ```text
//!      0 head            24 bytes  magic "mp-chkp\x1a"; see `file_head`
//!     24 slots           u32  4096
//!     28 slot size       u32  128
//!     32 boot id         16 bytes
//!     48 zero            to 1024
//!   1024 handlers        8 of 256 bytes, reserved for durable handlers: what each intends to
//!                        write (boot, inode, start, length, positions) and has committed; zero
//!   3072 zero            to 4096
//!   4096 slots           4096 of
//!          0 ring id     u64  0 free
//!          8 turn        u64  how often it was set; the copy that counts is `turn % 2`
//!         16 zero        6 u64
//!         64 copy 0      released u64, delivered u64, filtered u64, quarantined u64
//!         96 copy 1      the same
//! 528384                 end
//! ```
//!
//! The words of a slot are in the machine's own order, which the head names. A set writes the copy
//! that does not count and then turns: a master that is killed in between leaves the old values,
//! whole.

use std::ffi::OsString;
use std::mem::offset_of;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use rustix::fd::OwnedFd;
use rustix::fs::{OFlags, RenameFlags};
use rustix::io::Errno;
use static_assertions::const_assert_eq;

use crate::directory::Directory;
use crate::error::{Error, ErrorKind};
use crate::existing::{Refusal, read_head};
use crate::file_head::{HEAD, Meeting, bytes_at};
use crate::identity;
use crate::mapping::{Access, Mapped, Shared};

/// How many rings a checkpoint has room for.
pub const SLOTS: usize = 4096;

const HEADER: usize = 4096;
const SLOT_COUNT_AT: usize = HEAD;
const SLOT_SIZE_AT: usize = 28;
const BOOT_ID_AT: usize = 32;
const FIXED: usize = 48;
/// So many that were set aside are kept.
const KEPT: u32 = 8;

const FILE: Meeting = Meeting {
    name: "checkpoint",
    length: (HEADER + SLOTS * size_of::<Slot>()) as u64,
    magic: u64::from_le_bytes(*b"mp-chkp\x1a"),
    head_at: 0,
    step: "open the checkpoint",
};

#[repr(C)]
struct Slot {
    ring_id: AtomicU64,
    turn: AtomicU64,
    zero: [AtomicU64; 6],
    copies: [Copied; 2],
}

#[repr(C)]
struct Copied {
    released: AtomicU64,
    delivered: AtomicU64,
    filtered: AtomicU64,
    quarantined: AtomicU64,
}

#[repr(C)]
struct Slots([Slot; SLOTS]);

// A change here is a change of the layout that processes share: raise LAYOUT_MAJOR.
const_assert_eq!(SLOT_SIZE_AT, SLOT_COUNT_AT + 4);
const_assert_eq!(BOOT_ID_AT, SLOT_SIZE_AT + 4);
const_assert_eq!(FIXED, BOOT_ID_AT + 16);
const_assert_eq!(size_of::<Slot>(), 128);
const_assert_eq!(offset_of!(Slot, ring_id), 0);
const_assert_eq!(offset_of!(Slot, turn), 8);
const_assert_eq!(offset_of!(Slot, zero), 16);
const_assert_eq!(offset_of!(Slot, copies), 64);
const_assert_eq!(size_of::<Copied>(), 32);
const_assert_eq!(offset_of!(Copied, released), 0);
const_assert_eq!(offset_of!(Copied, delivered), 8);
const_assert_eq!(offset_of!(Copied, filtered), 16);
const_assert_eq!(offset_of!(Copied, quarantined), 24);
const_assert_eq!(FILE.length, 528_384);

/// How far a ring has been dealt with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The position up to which the ring was released.
    pub released: u64,
    /// Records before it that were delivered.
    pub delivered: u64,
    /// Records before it that were below the base level.
    pub filtered: u64,
    /// Records before it that were set aside with the rest of a broken ring.
    pub quarantined: u64,
}

/// The checkpoint of a directory, open for its master.
#[derive(Debug)]
pub struct Checkpoint {
    slots: Mapped<Slots>,
    warnings: Vec<String>,
}

impl Checkpoint {
    /// Opens the checkpoint that the master before left, or makes one. To be called by the holder
    /// of the lease.
    ///
    /// What has its name but is corrupt, foreign or of an earlier boot is renamed to
    /// `checkpoint.bad-N` and told by [`Checkpoint::warnings`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoSpace`] or [`ErrorKind::System`] if it cannot be made or mapped, or if what
    /// is there cannot be set aside.
    pub fn open(directory: &Directory) -> Result<Checkpoint, Error> {
        let boot_id = identity::boot_id()?;
        let mut rest = [0; FIXED - HEAD];
        rest[..4].copy_from_slice(&(SLOTS as u32).to_le_bytes());
        rest[4..8].copy_from_slice(&(size_of::<Slot>() as u32).to_le_bytes());
        rest[8..].copy_from_slice(&boot_id);

        let mut warnings = Vec::new();
        // Twice: what is there is set aside once, and then it is a fresh one.
        let file = loop {
            let opened = FILE.open(directory, OFlags::RDWR, &rest)?;
            match opened.and_then(|file| check(&file, &rest).map(|()| file)) {
                Ok(file) => break file,
                Err(Refusal::System { errno, .. }) => return Err(failed(directory, errno)),
                Err(refusal) if warnings.is_empty() => {
                    let aside = set_aside(directory)?;
                    warnings.push(format!(
                        "the checkpoint in `{}` is not used: {refusal}; it is now `{}`, and \
                         records that the master before delivered may be delivered again",
                        directory.path().display(),
                        aside.display()
                    ));
                }
                Err(refusal) => {
                    let path = directory.path().join(FILE.name);
                    let problem = format!("it was replaced while it was made: {refusal}");
                    let advice = "find out who else writes there";
                    return Err(Error::new(ErrorKind::Foreign, FILE.step, &path, problem, advice));
                }
            }
        };
        let mapping = FILE.map_file(directory, &file, Access::ReadWrite)?;
        let slots = Mapped::new(&mapping, HEADER).ok_or_else(|| FILE.misfit(directory))?;
        Ok(Checkpoint { slots, warnings })
    }

    /// What was found and set aside: sentences for the log.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The slot of a ring: the one that it has, else a free one with a [`Progress`] of zeros.
    /// `None` if all are taken, or for the id 0, which no ring has.
    ///
    /// Ask once for each ring: two handles of one ring would overwrite each other's values.
    pub fn slot(&mut self, ring_id: u64) -> Option<SlotHandle> {
        if ring_id == 0 {
            return None;
        }
        let index = match self.find(ring_id) {
            Some(index) => index,
            None => {
                let index = self.find(0)?;
                let slot = &self.slots.0[index];
                slot.turn.store(0, Ordering::Relaxed);
                for copy in &slot.copies {
                    copy.store(&Progress::default());
                }
                // Release [slot]: pairs with Acquire [slot] in `find`, in the next master. A
                // slot that has an id has none of the values of the ring before.
                slot.ring_id.store(ring_id, Ordering::Release);
                index
            }
        };
        Some(SlotHandle { slots: self.slots.clone(), index, ring_id })
    }

    /// Frees the slot of a ring that is gone; handles of it do nothing from now on. Returns
    /// whether it had one.
    pub fn forget(&mut self, ring_id: u64) -> bool {
        let Some(index) = self.find(ring_id).filter(|_| ring_id != 0) else { return false };
        self.slots.0[index].ring_id.store(0, Ordering::Release);
        true
    }

    /// The rings that have a slot. Forget those whose files are gone, else they keep their slots
    /// for ever.
    pub fn ring_ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.slots.0.iter().map(|slot| slot.ring_id.load(Ordering::Acquire)).filter(|id| *id != 0)
    }

    fn find(&self, ring_id: u64) -> Option<usize> {
        // Acquire [slot]: pairs with Release [slot] in `slot`.
        self.slots.0.iter().position(|slot| slot.ring_id.load(Ordering::Acquire) == ring_id)
    }
}

/// The slot of one ring, for the thread that drains it.
#[derive(Debug)]
pub struct SlotHandle {
    slots: Mapped<Slots>,
    index: usize,
    ring_id: u64,
}

impl SlotHandle {
    /// Sets all values at once: a kill at any instruction leaves the old or the new ones. Does
    /// nothing once the ring was forgotten.
    pub fn set(&mut self, progress: Progress) {
        let slot = self.entry();
        if slot.ring_id.load(Ordering::Relaxed) != self.ring_id {
            return;
        }
        let turn = slot.turn.load(Ordering::Relaxed).wrapping_add(1);
        // Fence [lap]: pairs with the fence [lap] in `get`. A reader that sees one of the stores
        // below also sees the turn before this one, and so that its own copy may be torn.
        fence(Ordering::Release);
        slot.copy(turn).store(&progress);
        // Release [turn]: pairs with Acquire [turn] in `get`. Whoever sees the turn sees the whole
        // copy; with Relaxed, the next master could take half of it.
        slot.turn.store(turn, Ordering::Release);
    }

    /// The values that were set last, by this master or by one before. Check them against the
    /// ring: they are what stood in a file.
    pub fn get(&self) -> Progress {
        let slot = self.entry();
        loop {
            // Acquire [turn]: see `set`.
            let turn = slot.turn.load(Ordering::Acquire);
            let progress = slot.copy(turn).load();
            // Fence [lap]: see `set`.
            fence(Ordering::Acquire);
            if slot.turn.load(Ordering::Relaxed) == turn {
                return progress;
            }
        }
    }

    /// The ring.
    pub fn ring_id(&self) -> u64 {
        self.ring_id
    }

    fn entry(&self) -> &Slot {
        &self.slots.0[self.index]
    }
}

impl Slot {
    fn copy(&self, turn: u64) -> &Copied {
        &self.copies[(turn % 2) as usize]
    }
}

impl Copied {
    fn load(&self) -> Progress {
        Progress {
            released: self.released.load(Ordering::Relaxed),
            delivered: self.delivered.load(Ordering::Relaxed),
            filtered: self.filtered.load(Ordering::Relaxed),
            quarantined: self.quarantined.load(Ordering::Relaxed),
        }
    }

    fn store(&self, progress: &Progress) {
        self.released.store(progress.released, Ordering::Relaxed);
        self.delivered.store(progress.delivered, Ordering::Relaxed);
        self.filtered.store(progress.filtered, Ordering::Relaxed);
        self.quarantined.store(progress.quarantined, Ordering::Relaxed);
    }
}

static_assertions::assert_impl_all!(Checkpoint: Send, Sync);
static_assertions::assert_impl_all!(SlotHandle: Send, Sync);

/// Whether what follows the head is what we would write.
fn check(file: &OwnedFd, expected: &[u8; FIXED - HEAD]) -> Result<(), Refusal> {
    let mut header = [0; FIXED];
    let length = read_head(file, &mut header)?;
    if length < FIXED {
        let expected = FILE.length.to_string();
        return Err(Refusal::Length { came: length as u64, expected });
    }
    let number = |at| u32::from_le_bytes(bytes_at(&header, at));
    if number(SLOT_COUNT_AT) != SLOTS as u32 {
        return Err(Refusal::field("slots", number(SLOT_COUNT_AT), SLOTS));
    }
    if number(SLOT_SIZE_AT) != size_of::<Slot>() as u32 {
        return Err(Refusal::field("slot size", number(SLOT_SIZE_AT), size_of::<Slot>()));
    }
    if header[HEAD..] != expected[..] {
        let id = |bytes: &[u8]| format!("{:032x}", u128::from_be_bytes(bytes_at(bytes, 0)));
        let (came, ours) = (id(&header[BOOT_ID_AT..]), id(&expected[BOOT_ID_AT - HEAD..]));
        return Err(Refusal::field("boot id", came, format!("{ours}, that of this boot")));
    }
    Ok(())
}

/// Renames what has the checkpoint's name, whatever it is, and returns its new name.
fn set_aside(directory: &Directory) -> Result<std::path::PathBuf, Error> {
    let fd = directory.fd();
    for number in 1..=KEPT {
        let name = OsString::from(format!("{}.bad-{number}", FILE.name));
        // The last one gives way.
        let flags = if number < KEPT { RenameFlags::NOREPLACE } else { RenameFlags::empty() };
        match rustix::fs::renameat_with(fd, FILE.name, fd, &name, flags) {
            Ok(()) => return Ok(name.into()),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(directory, errno.into())),
        }
    }
    Err(failed(directory, Errno::EXIST.into()))
}

fn failed(directory: &Directory, source: std::io::Error) -> Error {
    let path = directory.path().join(FILE.name);
    let advice = "look at its permissions, and remove old checkpoint.bad files";
    Error::new(ErrorKind::System, FILE.step, &path, source.to_string(), advice).with_source(source)
}

/// # Safety
///
/// The one claim that the compiler cannot check: what the slots are made of.
mod layout {
    #![allow(unsafe_code)]

    // SAFETY: `repr(C)`, and made of atomics alone.
    unsafe impl super::Shared for super::Slots {}
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
