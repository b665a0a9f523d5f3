//! The doorbell page: whether the collector sleeps, and how to wake it.
//!
//! This is a layout that processes share; one page, file `doorbell`, which everybody maps
//! writable.
//!
//! ```text
//!   0 doorbell   u32       millpond_core::doorbell::Doorbell
//!   4 zero       to 64     the word has its cache line for itself
//!  64 head       24 bytes  magic "mp-bell\x1a"; see `file_head`
//!  88 ... 4096   zero
//! ```
//!
//! It lies apart from `control`, which workers cannot write: whoever rings stores
//! [`AWAKE`](millpond_core::doorbell::AWAKE) first. A wake without a store is lost if it comes
//! after the collector announced its sleep and looked at the rings, but before the kernel has it
//! in the queue. The worst that a faulty process can do to the word is to cost the collector
//! a wake-up or a time-out.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};
use std::time::Duration;

use millpond_core::doorbell::{ASLEEP, Doorbell};
use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};
use static_assertions::const_assert_eq;

use crate::directory::Directory;
use crate::error::Error;
use crate::file_head::{HEAD, Meeting};
use crate::mapping::{Access, Mapped, Shared};

const FILE: Meeting = Meeting {
    name: "doorbell",
    length: 4096,
    magic: u64::from_le_bytes(*b"mp-bell\x1a"),
    head_at: 64,
    step: "open the doorbell",
};

#[repr(C)]
struct DoorbellPage {
    bell: Doorbell,
    zero: [AtomicU8; 60],
    head: [AtomicU64; HEAD / 8],
    reserved: [AtomicU8; 4096 - 88],
}

/// The bell as the kernel sees it: the same four bytes.
#[repr(transparent)]
struct FutexWord(AtomicU32);

// A change here is a change of the layout that processes share: raise LAYOUT_MAJOR.
const_assert_eq!(size_of::<DoorbellPage>() as u64, FILE.length);
const_assert_eq!(offset_of!(DoorbellPage, bell), 0);
const_assert_eq!(offset_of!(DoorbellPage, zero), 4);
const_assert_eq!(offset_of!(DoorbellPage, head) as u64, FILE.head_at);
const_assert_eq!(offset_of!(DoorbellPage, reserved), 88);
static_assertions::assert_eq_size!(Doorbell, FutexWord);
static_assertions::assert_eq_align!(Doorbell, FutexWord);

/// The doorbell of a directory's collector. A clone is the same doorbell, and so is a forked
/// child's.
///
/// The collector, with its own look at the rings in the middle:
///
/// ```no_run
/// # fn all_rings_are_empty() -> bool { true }
/// # use std::time::Duration;
/// # let directory = millpond_linux::directory::Directory::open("/x".as_ref()).unwrap();
/// let shared = millpond_linux::doorbell::SharedDoorbell::open(&directory)?;
/// shared.doorbell().announce_sleep();
/// if all_rings_are_empty() {
///     shared.wait(Duration::from_millis(40));
/// }
/// shared.doorbell().wake_up();
/// # Ok::<(), millpond_linux::Error>(())
/// ```
///
/// A producer: `if shared.doorbell().must_wake() { shared.wake() }`.
#[derive(Clone, Debug)]
pub struct SharedDoorbell {
    page: Mapped<DoorbellPage>,
    word: Mapped<FutexWord>,
}

impl SharedDoorbell {
    /// Opens the page; whoever comes first makes it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Foreign`](crate::ErrorKind::Foreign) if what has its name is something else.
    /// [`ErrorKind::NoSpace`](crate::ErrorKind::NoSpace) or
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be made or mapped.
    pub fn open(directory: &Directory) -> Result<SharedDoorbell, Error> {
        let mapping = FILE.map(directory, Access::ReadWrite)?;
        match (Mapped::new(&mapping, 0), Mapped::new(&mapping, 0)) {
            (Some(page), Some(word)) => Ok(SharedDoorbell { page, word }),
            _ => Err(FILE.misfit(directory)),
        }
    }

    /// The word, for the handshake.
    #[inline]
    pub fn doorbell(&self) -> &Doorbell {
        &self.page.bell
    }

    /// Collector: sleeps until somebody rings, or for `timeout`. Returns at once if the
    /// announcement of sleep does not stand (any more). Returns whether it was not the time-out;
    /// either way look at the rings: a signal, for example, ends the sleep as a ring does.
    pub fn wait(&self, timeout: Duration) -> bool {
        let timeout = Timespec {
            // Longer than any process lives.
            tv_sec: timeout.as_secs().min(i32::MAX as u64) as _,
            tv_nsec: timeout.subsec_nanos() as _,
        };
        // Not PRIVATE: those who ring are other processes. The kernel compares the word under its
        // lock, so a ring (which changes it first) cannot fall between comparing and sleeping.
        match futex::wait(&self.word.0, Flags::empty(), ASLEEP, Some(&timeout)) {
            Err(Errno::TIMEDOUT) => false,
            Ok(()) | Err(_) => true,
        }
    }

    /// Producer: wakes the collector. To be called when
    /// [`Doorbell::must_wake`] said so: a system call, 13 to 93 µs on a virtual machine.
    pub fn wake(&self) {
        // It fails only for an address that is not mapped or not aligned, which this one is.
        let _ = futex::wake(&self.word.0, Flags::empty(), 1);
    }
}

static_assertions::assert_impl_all!(SharedDoorbell: Send, Sync);

/// # Safety
///
/// The claims that the compiler cannot check: what the page is made of.
mod layout {
    #![allow(unsafe_code)]

    // SAFETY: `repr(C)`, and made of atomics and of a `Doorbell`, which is one atomic word.
    unsafe impl super::Shared for super::DoorbellPage {}
    // SAFETY: one atomic.
    unsafe impl super::Shared for super::FutexWord {}
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Instant;

    use super::*;
    use crate::error::ErrorKind;
    use crate::testing::{Helper, TestDirectory, role, say, wait_for_parent};

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_wait_ends_with_its_time() {
        let test = TestDirectory::new();
        let shared = SharedDoorbell::open(&test.open()).unwrap();
        shared.doorbell().announce_sleep();
        let start = Instant::now();
        assert!(!shared.wait(Duration::from_millis(20)));
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert!(shared.doorbell().is_asleep());
    }

    #[test]
    fn without_an_announcement_there_is_no_wait() {
        let test = TestDirectory::new();
        let shared = SharedDoorbell::open(&test.open()).unwrap();
        assert!(shared.wait(LONG));
        shared.doorbell().announce_sleep();
        assert!(SharedDoorbell::open(&test.open()).unwrap().doorbell().must_wake());
        assert!(shared.wait(Duration::MAX)); // rung before it slept: not lost
    }

    #[test]
    fn nothing_that_stands_in_the_word_is_waited_for_too_long() {
        let test = TestDirectory::new();
        let shared = SharedDoorbell::open(&test.open()).unwrap();
        for word in [2, u32::MAX] {
            shared.word.0.store(word, std::sync::atomic::Ordering::Relaxed);
            assert!(shared.wait(LONG));
            assert!(!shared.doorbell().must_wake());
        }
    }

    /// The part that the helper process plays.
    #[test]
    fn helper_process() {
        let Some((_, place)) = role() else { return };
        let shared = SharedDoorbell::open(&Directory::open(&place).unwrap()).unwrap();
        say("ready");
        while !shared.doorbell().must_wake() {
            std::hint::spin_loop();
        }
        shared.wake();
        wait_for_parent();
    }

    #[test]
    fn another_process_wakes_a_sleeping_collector() {
        let test = TestDirectory::new();
        let shared = SharedDoorbell::open(&test.open()).unwrap();
        let mut helper = Helper::start(module_path!(), "ring", test.path());
        helper.hears();
        shared.doorbell().announce_sleep();
        assert!(shared.wait(LONG));
        assert!(!shared.doorbell().is_asleep());
        assert!(helper.wait().success());
    }

    #[test]
    fn what_is_no_doorbell_is_refused() {
        let test = TestDirectory::new();
        for bytes in [vec![], vec![0; 4096], vec![1; 4096], vec![0; 64]] {
            fs::write(test.path().join("doorbell"), bytes).unwrap();
            let error = SharedDoorbell::open(&test.open()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Foreign, "{error}");
        }
    }
}
