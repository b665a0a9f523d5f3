//! The control page: what the master tells all workers.
//!
//! This is a layout that processes share; one page, file `control`. Workers map it read-only. It
//! outlives masters: a level that was set stays set until it is set again.
//!
//! ```text
//!   0 head           24 bytes  magic "mp-ctrl\x1a"; see `file_head`
//!  24 base level     u32  0 none, else the number of the level + 1
//!  28 generation     u32  grows with each change
//!  32 master pid     u32  0 none; in the master's pid namespace
//!  36 zero           u32
//!  40 master epoch   u64  how many masters there have been
//!  48 ... 4096       zero
//! ```
//!
//! The words are in the machine's own order, which the head names.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use millpond_core::Level;
use static_assertions::const_assert_eq;
use std::mem::offset_of;

use crate::directory::Directory;
use crate::error::{Error, ErrorKind};
use crate::file_head::{HEAD, Meeting};
use crate::mapping::{Access, Mapped, Shared};

const FILE: Meeting = Meeting {
    name: "control",
    length: 4096,
    magic: u64::from_le_bytes(*b"mp-ctrl\x1a"),
    head_at: 0,
    step: "open the control page",
};

#[repr(C)]
struct ControlPage {
    head: [AtomicU64; HEAD / 8],
    base_level: AtomicU32,
    generation: AtomicU32,
    master_pid: AtomicU32,
    zero: AtomicU32,
    master_epoch: AtomicU64,
    reserved: [AtomicU8; 4096 - 48],
}

// A change here is a change of the layout that processes share: raise LAYOUT_MAJOR.
const_assert_eq!(size_of::<ControlPage>() as u64, FILE.length);
const_assert_eq!(offset_of!(ControlPage, head), 0);
const_assert_eq!(offset_of!(ControlPage, base_level), 24);
const_assert_eq!(offset_of!(ControlPage, generation), 28);
const_assert_eq!(offset_of!(ControlPage, master_pid), 32);
const_assert_eq!(offset_of!(ControlPage, zero), 36);
const_assert_eq!(offset_of!(ControlPage, master_epoch), 40);
const_assert_eq!(offset_of!(ControlPage, reserved), 48);

/// Which end of the log this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// It logs: it may only read.
    Worker,
    /// It collects, or is an operator's tool that sets levels.
    Master,
}

/// The control page of a directory. A clone is the same page. It may be read on any thread; a
/// forked child keeps reading it.
#[derive(Clone, Debug)]
pub struct Control {
    page: Mapped<ControlPage>,
    side: Side,
}

impl Control {
    /// Opens the page; whoever comes first makes it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Foreign`] if what has its name is something else. [`ErrorKind::NoSpace`] or
    /// [`ErrorKind::System`] if it cannot be made or mapped.
    pub fn open(directory: &Directory, side: Side) -> Result<Control, Error> {
        let access = match side {
            Side::Worker => Access::Read,
            Side::Master => Access::ReadWrite,
        };
        let mapping = FILE.map(directory, access)?;
        let page = Mapped::new(&mapping, 0).ok_or_else(|| FILE.misfit(directory))?;
        Ok(Control { page, side })
    }

    /// The level below which no worker logs, if one was set from outside. One load.
    #[inline]
    pub fn base_level(&self) -> Option<Level> {
        // Relaxed: nothing hangs on it; whoever has seen a new generation sees at least its level
        // by the Acquire in `generation`.
        match self.page.base_level.load(Ordering::Relaxed) {
            0 => None,
            // What is no level is as good as none.
            number => u8::try_from(number - 1).ok().and_then(Level::from_byte),
        }
    }

    /// A number that grows (and wraps) with each change: while it stays the same, so does the rest.
    #[inline]
    pub fn generation(&self) -> u32 {
        // Acquire [changed]: pairs with Release [changed] in `changed`. With Relaxed, a worker
        // could note the new generation, read the old level and never look again.
        self.page.generation.load(Ordering::Acquire)
    }

    /// The process that said last that it is the master and has not taken leave. It may be dead:
    /// whether there is a master, [`Lease::is_held`](crate::lease::Lease::is_held) says.
    pub fn master_pid(&self) -> Option<u32> {
        Some(self.page.master_pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }

    /// How many masters there have been.
    pub fn master_epoch(&self) -> u64 {
        self.page.master_epoch.load(Ordering::Relaxed)
    }

    /// Sets the level below which no worker logs, or none. Workers see it within a moment.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Argument`] if this was opened as [`Side::Worker`].
    pub fn set_base_level(&self, level: Option<Level>) -> Result<(), Error> {
        let page = self.writable()?;
        let number = level.map_or(0, |level| u32::from(level as u8) + 1);
        page.base_level.store(number, Ordering::Relaxed);
        changed(page);
        Ok(())
    }

    /// Says who is the master, which must hold the lease. Returns its epoch: one more than the
    /// master before it had.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Argument`] if this was opened as [`Side::Worker`].
    pub fn announce_master(&self, pid: u32) -> Result<u64, Error> {
        let page = self.writable()?;
        let epoch = page.master_epoch.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        page.master_pid.store(pid, Ordering::Relaxed);
        changed(page);
        Ok(epoch)
    }

    /// Says that the master ends in good order.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Argument`] if this was opened as [`Side::Worker`].
    pub fn withdraw_master(&self) -> Result<(), Error> {
        let page = self.writable()?;
        page.master_pid.store(0, Ordering::Relaxed);
        changed(page);
        Ok(())
    }

    fn writable(&self) -> Result<&ControlPage, Error> {
        match self.side {
            Side::Master => Ok(&self.page),
            Side::Worker => Err(Error::new(
                ErrorKind::Argument,
                "write into",
                FILE.name.as_ref(),
                "it is mapped read-only in a worker",
                "open it as Side::Master",
            )),
        }
    }
}

fn changed(page: &ControlPage) {
    // Release [changed]: pairs with Acquire [changed] in `Control::generation`. Read-modify-write,
    // since a tool may set a level while a master is announced.
    page.generation.fetch_add(1, Ordering::Release);
}

static_assertions::assert_impl_all!(Control: Send, Sync);

/// # Safety
///
/// The one claim that the compiler cannot check: what the page is made of.
mod layout {
    #![allow(unsafe_code)]

    // SAFETY: `repr(C)`, and made of atomics alone.
    unsafe impl super::Shared for super::ControlPage {}
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{FileExt, symlink};

    use super::*;
    use crate::testing::{SmallTmpfs, TestDirectory};

    #[test]
    fn workers_see_what_a_master_sets_and_cannot_set_it() {
        let test = TestDirectory::new();
        let worker = Control::open(&test.open(), Side::Worker).unwrap();
        let master = Control::open(&test.open(), Side::Master).unwrap();
        assert_eq!((worker.base_level(), worker.generation()), (None, 0));
        for (i, level) in Level::ALL.into_iter().enumerate() {
            master.set_base_level(Some(level)).unwrap();
            assert_eq!(worker.base_level(), Some(level));
            assert_eq!(worker.generation(), i as u32 + 1);
        }
        master.set_base_level(None).unwrap();
        assert_eq!(worker.base_level(), None);

        for result in [worker.set_base_level(None), worker.withdraw_master()] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Argument);
        }
        assert_eq!(worker.announce_master(1).unwrap_err().kind(), ErrorKind::Argument);
        assert_eq!(test.names(), ["control"]);
    }

    #[test]
    fn levels_and_epochs_outlive_a_master() {
        let test = TestDirectory::new();
        let first = Control::open(&test.open(), Side::Master).unwrap();
        assert_eq!(first.master_pid(), None);
        assert_eq!(first.announce_master(11).unwrap(), 1);
        first.set_base_level(Some(Level::Debug)).unwrap();
        drop(first);
        let second = Control::open(&test.open(), Side::Master).unwrap();
        assert_eq!((second.master_pid(), second.master_epoch()), (Some(11), 1));
        assert_eq!(second.announce_master(12).unwrap(), 2);
        assert_eq!(second.base_level(), Some(Level::Debug));
        second.withdraw_master().unwrap();
        assert_eq!(second.master_pid(), None);
    }

    #[test]
    fn a_level_that_is_none_counts_as_none() {
        let test = TestDirectory::new();
        let control = Control::open(&test.open(), Side::Worker).unwrap();
        let file = fs::OpenOptions::new().write(true).open(test.path().join("control")).unwrap();
        for number in [6, 256, 257, u32::MAX] {
            file.write_all_at(&number.to_ne_bytes(), 24).unwrap();
            assert_eq!(control.base_level(), None, "{number}");
        }
    }

    #[test]
    fn many_first_comers_share_one_page() {
        let test = TestDirectory::new();
        let controls: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Control::open(&test.open(), Side::Master).unwrap()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        controls[0].set_base_level(Some(Level::Error)).unwrap();
        assert!(controls.iter().all(|control| control.base_level() == Some(Level::Error)));
        assert_eq!(test.names(), ["control"]);
    }

    #[test]
    fn what_is_no_control_page_is_refused_and_left_alone() {
        let test = TestDirectory::new();
        let path = test.path().join("control");
        let check = |word: &str| {
            for side in [Side::Worker, Side::Master] {
                let error = Control::open(&test.open(), side).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Foreign);
                assert!(error.to_string().contains(word), "{error}");
            }
        };
        for (bytes, word) in [
            (vec![], "0 bytes long"),
            (vec![0; 4096], "zeros"),
            (vec![7; 4096], "starts with"),
            (vec![7; 5000], "5000 bytes long"),
        ] {
            fs::write(&path, &bytes).unwrap();
            check(word);
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        fs::remove_file(&path).unwrap();
        symlink("/etc/passwd", &path).unwrap();
        check("symbolic link");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        check("directory");
    }

    #[test]
    fn on_a_full_file_system_there_is_an_error_and_no_half_page() {
        let Some(small) = SmallTmpfs::new("64k") else { return };
        let directory = small.directory();
        fs::write(directory.path().join("filler"), [1; 65536]).unwrap();
        let error = Control::open(&directory, Side::Master).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
        assert_eq!(small.names(), ["filler"]);
    }
}
