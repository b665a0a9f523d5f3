//! Noticing a fork with one load.
//!
//! # Safety
//!
//! The one unsafe block registers a handler that only adds to an atomic.
#![allow(unsafe_code)]

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

static GENERATION: AtomicU32 = AtomicU32::new(1);

/// A number that differs between a process and its forked child. Rings, threads and locks that
/// were made under another generation are the parent's: the child must leave them alone.
///
/// Relaxed: the child has one thread, and that thread ran the handler.
#[inline(always)]
pub fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Makes [`generation`] change in children that are forked from now on. Cheap to call again.
pub fn watch() {
    #[cfg(unix)]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        extern "C" fn in_child() {
            GENERATION.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: `in_child` is async-signal-safe (one atomic addition on a static), which is
        // what a handler may be in the child of a process with several threads. rustix has no
        // pthread_atfork, since it is the C library's and not the kernel's.
        ONCE.call_once(|| unsafe {
            libc::pthread_atfork(None, None, Some(in_child));
        });
    }
}

/// A value that each process has one of: a forked child makes its own at the first use and leaves
/// its parent's untouched, locks and all, since their holders may not exist in the child.
pub struct PerProcess<T> {
    generation: u32,
    value: OnceLock<T>,
    child: OnceLock<Box<PerProcess<T>>>,
}

impl<T> PerProcess<T> {
    /// No value yet, in this process.
    pub fn new() -> Self {
        Self { generation: generation(), value: OnceLock::new(), child: OnceLock::new() }
    }

    /// This process's value, made by `make` if there is none yet.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        self.of_this_process().value.get_or_init(make)
    }

    /// This process's value, if there is one.
    pub fn get(&self) -> Option<&T> {
        self.of_this_process().value.get()
    }

    fn of_this_process(&self) -> &Self {
        let mut found = self;
        while found.generation != generation() {
            found = found.child.get_or_init(|| Box::new(Self::new()));
        }
        found
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerProcess").field("generation", &self.generation).finish_non_exhaustive()
    }
}
