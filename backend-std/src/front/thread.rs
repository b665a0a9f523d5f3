//! Finding the ring of the calling thread.
//!
//! # Safety
//!
//! A thread keeps its writers in boxes that nothing else can reach, and a pointer to the one used
//! last, so that a call finds it with one load and one compare. The pointer is followed only if
//! the logger's id and the fork generation match those it was stored under. An id is never used
//! twice, so the type is the one it was stored with; the box lives until the thread ends, and its
//! end clears the pointer.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use millpond_core::Level;

use super::registry::Vacancy;
use super::writer::Writer;
use super::{RingSupply, Shared};
use crate::fork;

/// A number for a logger.
pub(super) fn new_id() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The calling thread as its operating system numbers it; zero if this is not known.
pub(super) fn os_id() -> u64 {
    #[cfg(target_os = "linux")]
    return rustix::thread::gettid().as_raw_nonzero().get() as u64;
    #[cfg(not(target_os = "linux"))]
    0
}

#[derive(Clone, Copy)]
struct Last {
    id: u32,
    generation: u32,
    writer: *mut (),
}

const NOBODY: Last = Last { id: 0, generation: 0, writer: ptr::null_mut() };

thread_local! {
    static LAST: Cell<Last> = const { Cell::new(NOBODY) };
    static WRITERS: RefCell<Writers> = const { RefCell::new(Writers(Vec::new())) };
}

struct Writers(Vec<Owned>);

struct Owned {
    id: u32,
    generation: u32,
    writer: Box<dyn Give>,
}

impl Drop for Writers {
    fn drop(&mut self) {
        LAST.set(NOBODY);
        for owned in self.0.drain(..) {
            if owned.generation == fork::generation() {
                owned.writer.give_back();
            } else {
                // The parent's; not even its memory is ours to unmap.
                std::mem::forget(owned.writer);
            }
        }
    }
}

trait Give: Any {
    fn give_back(self: Box<Self>);
    fn is_closed(&self) -> bool;
}

impl<P: RingSupply> Give for Writer<P> {
    fn give_back(self: Box<Self>) {
        let Writer { ring, shared, .. } = *self;
        shared.registry.hand_back(ring);
    }

    fn is_closed(&self) -> bool {
        self.shared.level.get().is_none()
    }
}

/// Calls `log` with the writer of the calling thread. Where there is none to be had, with that of
/// the ring that all such threads share, or counts a record of `level` as dropped.
#[inline(always)]
pub(super) fn with_writer<P: RingSupply>(
    shared: &Arc<Shared<P>>,
    level: Level,
    log: impl FnOnce(&mut Writer<P>),
) {
    let last = LAST.get();
    let writer = if last.id == shared.id && last.generation == fork::generation() {
        last.writer.cast::<Writer<P>>()
    } else {
        find(shared)
    };
    // SAFETY: a pointer that is not null points to a box of this thread that lives until the
    // thread ends (module rules). `busy` is read before anything else is borrowed from it.
    if writer.is_null() || unsafe { (*writer).busy } {
        return shared_ring(shared, level, log);
    }
    // SAFETY: as above; while `busy` is set no second borrow is made, neither by a signal handler
    // nor by a nested call, since both come through here. The guard clears it even on a panic.
    unsafe {
        (*writer).busy = true;
        let _guard = Busy(&raw mut (*writer).busy);
        log(&mut *writer);
    }
}

struct Busy(*mut bool);

impl Drop for Busy {
    fn drop(&mut self) {
        // SAFETY: points into the writer that `with_writer` uses, which is still alive.
        unsafe { *self.0 = false };
    }
}

/// Finds or makes the writer of this thread; null if there is none to be had.
#[cold]
#[inline(never)]
fn find<P: RingSupply>(shared: &Arc<Shared<P>>) -> *mut Writer<P> {
    let generation = fork::generation();
    let found = WRITERS.try_with(|writers| {
        // A signal handler may come while the list is borrowed.
        let Ok(mut writers) = writers.try_borrow_mut() else { return ptr::null_mut() };
        writers.forget_others(shared.id, generation);
        let at = writers.0.iter().position(|w| w.id == shared.id && w.generation == generation);
        let at = match at {
            Some(at) => at,
            None => match make(shared) {
                Some(writer) => {
                    let writer = Box::new(writer);
                    writers.0.push(Owned { id: shared.id, generation, writer });
                    writers.0.len() - 1
                }
                None => return ptr::null_mut(),
            },
        };
        (&raw mut *writers.0[at].writer).cast::<Writer<P>>()
    });
    let writer = found.unwrap_or(ptr::null_mut());
    if !writer.is_null() {
        LAST.set(Last { id: shared.id, generation, writer: writer.cast() });
    }
    writer
}

impl Writers {
    /// Lets go of writers of loggers that were closed, and of a parent's.
    fn forget_others(&mut self, id: u32, generation: u32) {
        LAST.set(NOBODY);
        let mut at = 0;
        while at < self.0.len() {
            let owned = &self.0[at];
            if owned.generation != generation {
                std::mem::forget(self.0.swap_remove(at).writer);
            } else if owned.id != id && owned.writer.is_closed() {
                self.0.swap_remove(at).writer.give_back();
            } else {
                at += 1;
            }
        }
    }
}

fn make<P: RingSupply>(shared: &Arc<Shared<P>>) -> Option<Writer<P>> {
    let ring = match shared.registry.vacancy() {
        Vacancy::Used(ring) => ring,
        Vacancy::New => {
            let made = shared.supply.make_ring().ok();
            shared.registry.made(made.as_ref().map(|ring| ring.storage()));
            made?
        }
        Vacancy::None => return None,
    };
    let mut writer = Writer::new(ring, Arc::clone(shared));
    writer.introduce_thread();
    Some(writer)
}

/// Logs through the ring that threads without their own share.
#[cold]
#[inline(never)]
fn shared_ring<P: RingSupply>(
    shared: &Arc<Shared<P>>,
    level: Level,
    log: impl FnOnce(&mut Writer<P>),
) {
    let make = || {
        let ring = shared.supply.make_ring().ok()?;
        shared.registry.add(ring.storage());
        Some(Writer::new(ring, Arc::clone(shared)))
    };
    shared.registry.current().fallback.with(level, make, log);
}

impl<P: RingSupply> Writer<P> {
    /// A writer with a ring of its own, for a handle.
    pub(super) fn for_handle(shared: &Arc<Shared<P>>) -> Result<Self, P::Error> {
        let ring = match shared.registry.vacancy() {
            Vacancy::Used(ring) => ring,
            vacancy => {
                let made = shared.supply.make_ring();
                match vacancy {
                    Vacancy::New => shared.registry.made(made.as_ref().ok().map(|r| r.storage())),
                    _ => made.iter().for_each(|ring| shared.registry.add(ring.storage())),
                }
                made?
            }
        };
        let mut writer = Writer::new(ring, Arc::clone(shared));
        writer.introduce_thread();
        Ok(writer)
    }
}
