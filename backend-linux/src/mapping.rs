//! Mapped memory, and the only place where it becomes Rust references.
//!
//! # Safety
//!
//! The bytes of a mapping belong to no Rust object: other processes write them at any time. So
//! there is no slice and no plain value over them, only raw pointers and references to
//! [`Shared`] types, which consist of atomics. Three facts that the blocks below cite:
//!
//! 1. *Mapped*: `base` to `base + length` stays mapped, at least readable, until the `Mapping` is
//!    dropped: nothing else unmaps it, and `protect` never takes reading away.
//! 2. *Inside*: `at` is the only way in and checks bounds and alignment.
//! 3. *No destructor in a child*: in a forked child the range may be absent
//!    ([`Mapping::keep_from_children`]) and the addresses may by now belong to something else, so
//!    only the process that mapped it unmaps it.
//!
//! What is beyond Rust: a file that another process truncates takes its pages out of the mapping,
//! and the next access is SIGBUS. Who may do that is decided by the modes of directory and file.
#![allow(unsafe_code)]

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};
use rustix::process::{Pid, getpid};

/// What this process may do with mapped bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    ReadWrite,
}

/// A shared mapping of the head of a file, unmapped when dropped.
pub(crate) struct Mapping {
    base: NonNull<u8>,
    length: usize,
    process: Pid,
}

// SAFETY: a mapping belongs to the process, not to a thread, and `Mapping` lends nothing but
// pointers and references to `Shared` types, which are `Sync`.
unsafe impl Send for Mapping {}
// SAFETY: as above; `protect` and `populate` are calls of the kernel, which orders them.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `length` bytes of `file`.
    pub(crate) fn new(file: BorrowedFd<'_>, length: u64, access: Access) -> Result<Self, Errno> {
        let length = usize::try_from(length).map_err(|_| Errno::NOMEM)?;
        let protection = match access {
            Access::Read => ProtFlags::READ,
            Access::ReadWrite => ProtFlags::READ | ProtFlags::WRITE,
        };
        // SAFETY: a null address lets the kernel choose a free range, so no mapping of ours is
        // replaced.
        let base = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), length, protection, MapFlags::SHARED, file, 0)
        }?;
        let base = NonNull::new(base.cast()).ok_or(Errno::NOMEM)?;
        Ok(Self { base, length, process: getpid() })
    }

    /// Makes the pages present, for writing if they are writable, so that no first touch is left
    /// for the hot path. A wish: kernels before 5.14 refuse it, and nothing depends on it.
    pub(crate) fn populate(&self, access: Access) {
        let advice = match access {
            Access::Read => Advice::LinuxPopulateRead,
            Access::ReadWrite => Advice::LinuxPopulateWrite,
        };
        // SAFETY: the range is mapped (fact 1); populating changes no byte.
        let _ = unsafe { rustix::mm::madvise(self.base.as_ptr().cast(), self.length, advice) };
    }

    /// Leaves the mapping out of children that are forked from now on, so that a child which does
    /// not notice that it is one cannot write into its parent's rings: it gets SIGSEGV.
    pub(crate) fn keep_from_children(&self) -> Result<(), Errno> {
        let advice = Advice::LinuxDontFork;
        // SAFETY: the range is mapped (fact 1); in this process nothing changes.
        unsafe { rustix::mm::madvise(self.base.as_ptr().cast(), self.length, advice) }
    }

    /// Changes what may be done with the pages from `offset` on; both arguments are multiples of
    /// the page size.
    pub(crate) fn protect(
        &self,
        offset: usize,
        length: usize,
        access: Access,
    ) -> Result<(), Errno> {
        let protection = match access {
            Access::Read => MprotectFlags::READ,
            Access::ReadWrite => MprotectFlags::READ | MprotectFlags::WRITE,
        };
        let start = self.at::<u8>(offset, length).ok_or(Errno::INVAL)?;
        // SAFETY: the range is inside this mapping (fact 2). Taking writing away cannot break a
        // reference: those are to atomics, whose loads need reading only, and who stores is
        // settled by the protocols of `ring_file`, `control` and `checkpoint`.
        unsafe { rustix::mm::mprotect(start.as_ptr().cast(), length, protection) }
    }

    /// The address of `count` values at `offset`, if they are inside and aligned.
    pub(crate) fn at<T>(&self, offset: usize, count: usize) -> Option<NonNull<T>> {
        let end = size_of::<T>().checked_mul(count)?.checked_add(offset)?;
        if end > self.length {
            return None;
        }
        // SAFETY: `offset <= end <= length`, so the address is in the range or just behind it.
        let pointer = unsafe { self.base.add(offset) }.cast::<T>();
        pointer.is_aligned().then_some(pointer)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if getpid() != self.process {
            return; // fact 3
        }
        // SAFETY: we mapped exactly this range, and every pointer into it that is still used is
        // kept together with an `Arc` of this value, which therefore would not be dropped.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.length) };
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mapping({:p}, {} bytes)", self.base, self.length)
    }
}

/// A type that may be laid over bytes which other processes write.
///
/// # Safety
///
/// Every field is an atomic or made of atomics or is never read (so a store by another process is
/// no data race), any bytes are a valid value, and the layout is fixed (`repr(C)` or
/// `repr(transparent)`).
pub(crate) unsafe trait Shared: Sync {}

/// A reference into a mapping, which it keeps mapped.
pub(crate) struct Mapped<T> {
    pointer: NonNull<T>,
    mapping: Arc<Mapping>,
}

// SAFETY: it is an `Arc<Mapping>` and what amounts to a `&T`; `T: Shared` is `Sync`.
unsafe impl<T: Shared> Send for Mapped<T> {}
// SAFETY: as above.
unsafe impl<T: Shared> Sync for Mapped<T> {}

impl<T: Shared> Mapped<T> {
    /// The value at `offset`; `None` if it is not inside or not aligned.
    pub(crate) fn new(mapping: &Arc<Mapping>, offset: usize) -> Option<Self> {
        let pointer = mapping.at(offset, 1)?;
        Some(Self { pointer, mapping: Arc::clone(mapping) })
    }
}

impl<T: Shared> Deref for Mapped<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: mapped while we hold the `Arc` (fact 1), inside and aligned (fact 2), and any
        // bytes that others write are a `T` and no data race (`Shared`).
        unsafe { self.pointer.as_ref() }
    }
}

impl<T> Clone for Mapped<T> {
    fn clone(&self) -> Self {
        Self { pointer: self.pointer, mapping: Arc::clone(&self.mapping) }
    }
}

impl<T> fmt::Debug for Mapped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mapped({:p} in {:?})", self.pointer, self.mapping)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use rustix::fd::AsFd;

    use super::*;

    struct Word(AtomicU32);

    // SAFETY: one atomic.
    unsafe impl Shared for Word {}

    fn mapping(length: u64) -> Arc<Mapping> {
        let file = tempfile::tempfile().unwrap();
        file.set_len(length).unwrap();
        Arc::new(Mapping::new(file.as_fd(), length, Access::ReadWrite).unwrap())
    }

    #[test]
    fn nothing_outside_or_between_is_lent() {
        let map = mapping(4096);
        assert!(Mapped::<Word>::new(&map, 4092).is_some());
        for offset in [4093, 4096, 8192, usize::MAX, 1, 2] {
            assert!(Mapped::<Word>::new(&map, offset).is_none(), "{offset}");
        }
        assert!(map.at::<u64>(0, usize::MAX).is_none());
        assert!(map.at::<u8>(4096, 0).is_some());
    }

    #[test]
    fn two_references_see_each_other_and_outlive_their_source() {
        let map = mapping(4096);
        let one = Mapped::<Word>::new(&map, 8).unwrap();
        let two = one.clone();
        drop(map);
        one.0.store(7, Ordering::Relaxed);
        assert_eq!(two.0.load(Ordering::Relaxed), 7);
    }

    #[test]
    fn an_empty_or_impossible_range_is_an_error() {
        let file = tempfile::tempfile().unwrap();
        assert!(Mapping::new(file.as_fd(), 0, Access::Read).is_err());
        assert!(Mapping::new(file.as_fd(), u64::MAX, Access::Read).is_err());
    }
}
