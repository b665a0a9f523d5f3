//! Noticing a fork with one load.
//!
//! # Safety
//!
//! The one unsafe block registers a handler that only adds to an atomic.
#![allow(unsafe_code)]

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
