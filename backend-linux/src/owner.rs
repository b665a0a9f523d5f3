//! The owner word: how the kernel itself says that a thread is dead.
//!
//! The keeper thread of a worker stores its tid into a word of its ring file and registers the
//! word as a robust futex. When the thread ends in whatever way (it returns, the process exits,
//! execs, aborts, is killed), the kernel marks the word. Nothing else marks it: not SIGSTOP, not a
//! debugger, not the death of a forked child. The master only ever loads it: no descriptor, no
//! system call, and it works across pid namespaces.
//!
//! ```text
//!   0 ── take ──► tid ── thread dies ──► FUTEX_OWNER_DIED
//!   ▲              │
//!   └── release ───┘
//! ```
//!
//! # Limits
//!
//! - A thread has one robust list, and this replaces it until the guard is dropped. A
//!   `pthread_mutex` with the robust attribute that the thread locks meanwhile is not marked. So
//!   take it on a thread of your own that runs nobody else's code, and only one word per thread.
//! - The thread must not call exec itself, unless it is the process's first: the kernel gives it
//!   the first one's tid before it looks at the list, and then the word is not its own (measured
//!   on Linux 6.18). When any other thread calls exec, the owner is ended and marked.
//! - The kernel can only mark what is mapped: the guard keeps the file mapped, and a guard that
//!   is leaked keeps it mapped for ever.
//! - The list's links lie in private memory (only the word is shared), so no other process can
//!   lead the kernel astray by writing into the file.
//!
//! # Safety
//!
//! The kernel reads the list that was registered when the thread ends. Two facts keep it valid:
//!
//! 1. The list is a leaked allocation that is freed only after the thread's former list was
//!    registered again, on the same thread (`OwnerGuard` is not `Send`).
//! 2. The word that it points to is in a mapping that the guard holds.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::marker::PhantomData;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::io::Errno;
use rustix::thread::{futex, gettid};

use crate::error::{Error, ErrorKind};
use crate::mapping::{Access, Mapped};
use crate::ring_file::{MappedStorage, OwnerArea};

const STEP: &str = "take the owner word of the file of thread";

/// `FUTEX_TID_MASK` of `linux/futex.h`: what is not `FUTEX_WAITERS` or `FUTEX_OWNER_DIED`.
const TID_MASK: u32 = !(futex::WAITERS | futex::OWNER_DIED);

static_assertions::const_assert_eq!(TID_MASK, 0x3fff_ffff);
static_assertions::const_assert_eq!(futex::OWNER_DIED, 0x4000_0000);

/// What the word says. It is data that a faulty process can write: each of its values means one
/// of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OwnerState {
    /// Nobody holds it: it was never taken, or released in good order.
    Unheld,
    /// This thread (in its own pid namespace) holds it and has not ended.
    Held {
        /// The thread.
        tid: u32,
    },
    /// The thread that held it has ended without releasing it: the kernel says so.
    Died,
}

/// The owner word of a ring file. A clone is the same word.
#[derive(Clone, Debug)]
pub struct OwnerWord {
    area: Mapped<OwnerArea>,
    access: Access,
}

impl OwnerWord {
    pub(crate) fn new(area: Mapped<OwnerArea>, access: Access) -> Self {
        Self { area, access }
    }

    /// What the word says now. Never waits; may be called on any thread of any process.
    ///
    /// When it says [`OwnerState::Died`], everything that the thread wrote before it died can be
    /// seen: load the tail once more and drain what is left.
    pub fn state(&self) -> OwnerState {
        // Acquire [died]: pairs with the kernel's compare-and-exchange on this word at the
        // thread's end, which is a full barrier, and with the Release [died] in `take` and in
        // `drop`. With Relaxed, a master could see the death and yet miss the last tail.
        decode(self.area.word.load(Ordering::Acquire))
    }

    /// Makes the calling thread the owner until the guard is dropped or the thread ends.
    ///
    /// To be called by a worker, before the file is published. The module says what it does to
    /// the thread.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Argument`] if the storage is a master's, if somebody holds the word or died
    /// with it, or if this thread owns another one. [`ErrorKind::System`] if the kernel (or a
    /// sandbox) does not register the word; then the master knows of this process's death by
    /// nothing but its pidfd.
    pub fn take_on_this_thread(storage: &MappedStorage) -> Result<OwnerGuard, Error> {
        storage.owner_word().take()
    }

    fn take(self) -> Result<OwnerGuard, Error> {
        let tid = gettid().as_raw_pid() as u32;
        let thread = tid.to_string();
        let refuse = |problem: &str, advice: &str| {
            Error::new(ErrorKind::Argument, STEP, Path::new(&thread), problem, advice)
        };
        if self.access != Access::ReadWrite {
            return Err(refuse(
                "it is mapped read-only",
                "take it in the worker that made the file",
            ));
        }
        if HOLDS_ONE.get() {
            let problem = "this thread owns another word, and a thread can own one";
            return Err(refuse(problem, "use a thread for each"));
        }
        let refuse_held = || refuse("it is held or its owner died", "make another ring file");
        if self.state() != OwnerState::Unheld {
            return Err(refuse_held());
        }

        let system = |errno| {
            let advice = "allow get_robust_list and set_robust_list in the sandbox";
            Error::system(STEP, Path::new(&thread), errno, advice)
        };
        let former = robust_list().map_err(system)?;
        let list = RobustList::leak(&self.area.word);
        let restore = || {
            // SAFETY: `former` is what this thread had registered, by whoever answers for it.
            if unsafe { set_robust_list(former) }.is_ok() {
                // SAFETY: leaked above, and not registered any more (fact 1).
                drop(unsafe { Box::from_raw(list.as_ptr()) });
            }
        };
        let ours = Registered { head: list.as_ptr().cast(), length: HEAD_LENGTH };
        // SAFETY: the list is well-formed and stays allocated (fact 1), the word mapped (fact 2).
        if let Err(errno) = unsafe { set_robust_list(ours) } {
            // SAFETY: leaked above and never registered.
            drop(unsafe { Box::from_raw(list.as_ptr()) });
            return Err(system(errno));
        }
        // Only now: should the thread die in between, the kernel finds a word that is not its tid
        // and leaves it alone. Release [died]: pairs with the Acquire in `state`.
        let order = (Ordering::Release, Ordering::Relaxed);
        if self.area.word.compare_exchange(0, tid, order.0, order.1).is_err() {
            restore(); // another thread was faster
            return Err(refuse_held());
        }
        HOLDS_ONE.set(true);
        Ok(OwnerGuard { area: self.area, list, former, tid, thread: PhantomData })
    }
}

fn decode(word: u32) -> OwnerState {
    if word & futex::OWNER_DIED != 0 {
        OwnerState::Died
    } else if word & TID_MASK != 0 {
        OwnerState::Held { tid: word & TID_MASK }
    } else {
        OwnerState::Unheld
    }
}

thread_local! {
    static HOLDS_ONE: Cell<bool> = const { Cell::new(false) };
}

/// The calling thread owns a word. Dropped, it releases the word in good order: the word says
/// [`OwnerState::Unheld`], and the thread has its former robust list again.
#[derive(Debug)]
#[must_use = "dropped at once, it releases the word at once"]
pub struct OwnerGuard {
    area: Mapped<OwnerArea>,
    list: NonNull<RobustList>,
    former: Registered,
    tid: u32,
    // Fact 1: robust lists belong to threads.
    thread: PhantomData<*mut ()>,
}

static_assertions::assert_not_impl_any!(OwnerGuard: Send, Sync);

impl Drop for OwnerGuard {
    fn drop(&mut self) {
        if gettid().as_raw_pid() as u32 != self.tid {
            return; // in a forked child, where neither word nor list is ours
        }
        // Before the list is taken back: should the thread die in between, the kernel finds a word
        // that is not its tid and leaves it alone. Release [died]: pairs with the Acquire in
        // `OwnerWord::state`, so whoever sees the release sees the last tail.
        self.area.word.store(0, Ordering::Release);
        HOLDS_ONE.set(false);
        // SAFETY: `former` is what this thread had registered, by whoever answers for it.
        if unsafe { set_robust_list(self.former) }.is_ok() {
            // SAFETY: leaked by `take`, and not registered any more (fact 1).
            drop(unsafe { Box::from_raw(self.list.as_ptr()) });
        }
    }
}

/// `struct robust_list` of `linux/futex.h`: a pointer to the next one.
#[derive(Debug)]
#[repr(transparent)]
struct Node(*mut Node);

/// `struct robust_list_head` of `linux/futex.h`, and behind it the one node of our list.
#[derive(Debug)]
#[repr(C)]
struct RobustList {
    first: *mut Node,
    futex_offset: libc::c_long,
    pending: *mut Node,
    node: Node,
}

/// Bytes of `struct robust_list_head`: what comes before our node.
const HEAD_LENGTH: usize = std::mem::offset_of!(RobustList, node);

static_assertions::const_assert_eq!(HEAD_LENGTH, 3 * size_of::<usize>());

impl RobustList {
    /// A circle of two: the head, which is no lock, and one node, whose word is `word`.
    fn leak(word: &AtomicU32) -> NonNull<RobustList> {
        let list = NonNull::from(Box::leak(Box::new(RobustList {
            first: std::ptr::null_mut(),
            futex_offset: 0,
            pending: std::ptr::null_mut(),
            node: Node(std::ptr::null_mut()),
        })));
        let at = list.as_ptr();
        // SAFETY: just allocated and not yet known to anybody else.
        unsafe {
            let node = &raw mut (*at).node;
            (*at).first = node;
            (*at).node = Node(at.cast());
            // The word's address minus the node's: any distance will do, also between mappings.
            let distance = (word.as_ptr() as isize).wrapping_sub(node as isize);
            (*at).futex_offset = distance as libc::c_long;
        }
        list
    }
}

/// What `set_robust_list` takes.
#[derive(Clone, Copy, Debug)]
struct Registered {
    head: *mut libc::c_void,
    length: usize,
}

// rustix 1.1 has neither of these two system calls, so they go through libc.

/// What the calling thread has registered.
fn robust_list() -> Result<Registered, Errno> {
    let mut list = Registered { head: std::ptr::null_mut(), length: HEAD_LENGTH };
    let this_thread: libc::c_int = 0;
    // SAFETY: the kernel writes one pointer and one length, to places of these types.
    let result = unsafe {
        libc::syscall(
            libc::SYS_get_robust_list,
            this_thread,
            &raw mut list.head,
            &raw mut list.length,
        )
    };
    if result == 0 { Ok(list) } else { Err(last_errno()) }
}

/// Registers `list` for the calling thread.
///
/// # Safety
///
/// `list.head` is null or a well-formed `struct robust_list_head` that stays allocated until
/// something else is registered or the thread has ended.
unsafe fn set_robust_list(list: Registered) -> Result<(), Errno> {
    // SAFETY: the kernel only stores the pointer; what it does with it later, the caller answers.
    let result = unsafe { libc::syscall(libc::SYS_set_robust_list, list.head, list.length) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
