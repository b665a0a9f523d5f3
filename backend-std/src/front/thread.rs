//! Finding the ring of the calling thread.
//!
//! # Safety
//!
//! A thread keeps its writers in slots on the heap that no other thread can reach, and a pointer
//! to the one used last, so that a call finds it with one load and two compares.
//!
//! 1. *Type*: the pointer is followed only if the logger's id and the fork generation match those
//!    it was stored under. An id is never used twice, so the type is the one it was stored with.
//! 2. *Life*: a slot is freed when its thread ends, which clears the pointer, or when its logger
//!    was closed, it is not busy, and the pointer is not to it: a signal handler may come between
//!    the moment when a call has read the pointer and the moment when it has set `busy`.
//! 3. *Borrow*: there are only shared references to a slot. The writer inside is borrowed by
//!    whoever has set `busy`, which a nested call (a signal handler, a `Display`) finds set.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ptr::{self, NonNull};
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
    slot: *const (),
}

const NOBODY: Last = Last { id: 0, generation: 0, slot: ptr::null() };

thread_local! {
    static LAST: Cell<Last> = const { Cell::new(NOBODY) };
    static WRITERS: RefCell<Writers> = const { RefCell::new(Writers(Vec::new())) };
}

struct Writers(Vec<Owned>);

/// A slot, whatever its type.
struct Owned {
    id: u32,
    generation: u32,
    slot: NonNull<dyn Give>,
}

struct Slot<P: RingSupply> {
    busy: Cell<bool>,
    writer: UnsafeCell<Writer<P>>,
}

trait Give {
    /// Whether a call is using the writer.
    fn is_busy(&self) -> bool;
    /// Whether the logger was closed. Not to be called while busy.
    fn is_closed(&self) -> bool;
    /// Hands the ring on.
    fn give_back(self: Box<Self>);
}

impl<P: RingSupply> Give for Slot<P> {
    fn is_busy(&self) -> bool {
        self.busy.get()
    }

    fn is_closed(&self) -> bool {
        // SAFETY: not busy, so nobody borrows the writer (rule 3).
        let writer = unsafe { &*self.writer.get() };
        writer.is_closed()
    }

    fn give_back(self: Box<Self>) {
        let Writer { ring, shared, .. } = self.writer.into_inner();
        shared.registry.hand_back(ring);
    }
}

impl Owned {
    /// Frees the slot, unless it is the parent's: then not even its memory is ours to unmap. A
    /// busy one is left to the call that uses it.
    fn free(self) {
        // SAFETY: made by `Box::leak` in `find`, and taken out of the list only once.
        unsafe {
            if self.generation == fork::generation() && !self.slot.as_ref().is_busy() {
                Box::from_raw(self.slot.as_ptr()).give_back();
            }
        }
    }

    fn is_of_closed_logger(&self) -> bool {
        // SAFETY: the slot lives as long as it is in the list (rule 2).
        let slot = unsafe { self.slot.as_ref() };
        !slot.is_busy() && slot.is_closed()
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        LAST.set(NOBODY);
        self.0.drain(..).for_each(Owned::free);
    }
}

/// The slot that this thread used last, if it is this logger's and this process's.
#[inline(always)]
fn last_slot<P: RingSupply>(shared: &Shared<P>) -> Option<*const Slot<P>> {
    let last = LAST.get();
    let is_ours = last.id == shared.id && last.generation == fork::generation();
    is_ours.then(|| last.slot.cast())
}

/// Calls `log` with the writer of the calling thread, if that is the one that this thread used last
/// and no call is using it. False if it is not, or if `log` says so.
#[inline(always)]
pub(super) fn with_last_writer<P: RingSupply>(
    shared: &Shared<P>,
    log: impl FnOnce(&mut Writer<P>) -> bool,
) -> bool {
    let Some(slot) = last_slot(shared) else { return false };
    // SAFETY: only `find` stores an id of a logger, with a slot that is not null; so this is a slot
    // of this type (rule 1) that is alive (rule 2).
    let Some(mut borrowed) = (unsafe { &*slot }).borrow() else { return false };
    log(borrowed.writer())
}

/// Calls `log` with the writer of the calling thread. Where there is none to be had, with that of
/// the ring that all such threads share, or counts a record of `level` as dropped.
#[inline(always)]
pub(super) fn with_writer<P: RingSupply>(
    shared: &Arc<Shared<P>>,
    level: Level,
    log: impl FnOnce(&mut Writer<P>),
) {
    let slot = last_slot(shared).unwrap_or_else(|| find(shared));
    // SAFETY: not null means a slot of this type (rule 1) that is alive (rule 2): it is not freed
    // during the call, since from here on it is busy.
    match unsafe { slot.as_ref() }.and_then(Slot::borrow) {
        Some(mut borrowed) => log(borrowed.writer()),
        None => shared_ring(shared, level, log),
    }
}

impl<P: RingSupply> Slot<P> {
    /// The writer, unless a call is using it.
    #[inline(always)]
    fn borrow(&self) -> Option<Borrowed<'_, P>> {
        if self.busy.replace(true) { None } else { Some(Borrowed(self)) }
    }
}

/// Leave to use a writer, made by [`Slot::borrow`] only. Given back even if the call panics.
struct Borrowed<'a, P: RingSupply>(&'a Slot<P>);

impl<P: RingSupply> Borrowed<'_, P> {
    #[inline(always)]
    fn writer(&mut self) -> &mut Writer<P> {
        // SAFETY: `busy` was not set when this was made and now is, and `&mut self` rules out a
        // second borrow by the same leave; so this is the only one (rule 3).
        unsafe { &mut *self.0.writer.get() }
    }
}

impl<P: RingSupply> Drop for Borrowed<'_, P> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}

/// Finds or makes the writer of this thread; null if there is none to be had.
#[cold]
#[inline(never)]
fn find<P: RingSupply>(shared: &Arc<Shared<P>>) -> *const Slot<P> {
    let generation = fork::generation();
    let found = WRITERS.try_with(|writers| {
        // A signal handler may come while the list is borrowed.
        let Ok(mut writers) = writers.try_borrow_mut() else { return ptr::null() };
        let mine = |owned: &&Owned| owned.id == shared.id && owned.generation == generation;
        if let Some(owned) = writers.0.iter().find(mine) {
            return owned.slot.as_ptr().cast::<Slot<P>>().cast_const();
        }
        let last = LAST.get().slot;
        let forgotten = |owned: &mut Owned| {
            owned.generation != generation
                || (!ptr::addr_eq(owned.slot.as_ptr(), last) && owned.is_of_closed_logger())
        };
        writers.0.extract_if(.., forgotten).for_each(Owned::free);
        let Some(writer) = make(shared) else { return ptr::null() };
        let slot = Slot { busy: Cell::new(false), writer: UnsafeCell::new(writer) };
        let slot = NonNull::from(Box::leak(Box::new(slot)));
        writers.0.push(Owned { id: shared.id, generation, slot });
        slot.as_ptr().cast_const()
    });
    let slot = found.unwrap_or(ptr::null());
    if !slot.is_null() {
        LAST.set(Last { id: shared.id, generation, slot: slot.cast() });
    }
    slot
}

thread_local! {
    static IS_MAKING: Cell<bool> = const { Cell::new(false) };
}

/// Calls `make`, unless this thread is making a ring already: a call from inside (an allocator that
/// logs, a signal handler) would meet the locks that the outer one holds.
pub(super) fn unless_making<T>(make: impl FnOnce() -> Option<T>) -> Option<T> {
    if IS_MAKING.get() {
        return None;
    }
    let _making = Making::begin();
    make()
}

struct Making(bool);

impl Making {
    fn begin() -> Self {
        Self(IS_MAKING.replace(true))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        IS_MAKING.set(self.0);
    }
}

fn make<P: RingSupply>(shared: &Arc<Shared<P>>) -> Option<Writer<P>> {
    unless_making(|| take_or_make(shared))
}

fn take_or_make<P: RingSupply>(shared: &Arc<Shared<P>>) -> Option<Writer<P>> {
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
    shared.registry.current().fallback.settle(&mut writer);
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
        if !shared.registry.may_make() {
            return None;
        }
        let ring = unless_making(|| shared.supply.make_ring().ok())?;
        shared.registry.add(ring.storage());
        Some(Writer::new(ring, Arc::clone(shared)))
    };
    shared.registry.current().fallback.with(level, make, log);
}

impl<P: RingSupply> Writer<P> {
    /// A writer with a ring of its own, for a handle.
    pub(super) fn for_handle(shared: &Arc<Shared<P>>) -> Result<Self, P::Error> {
        let _making = Making::begin();
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
        shared.registry.current().fallback.settle(&mut writer);
        Ok(writer)
    }
}
