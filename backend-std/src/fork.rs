//! Noticing a fork with one load.
//!
//! # Safety
//!
//! 1. The handler that is registered touches atomics only, which is what the child of a process
//!    with several threads may do.
//! 2. A pointer in the list of marked words is to a node on the heap that is never freed.
#![allow(unsafe_code)]

use std::fmt;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, Ordering};

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
            Node::mark_all();
        }
        // SAFETY: `in_child` is async-signal-safe (fact 1 of this module). rustix has no
        // pthread_atfork, since it is the C library's and not the kernel's.
        ONCE.call_once(|| unsafe {
            libc::pthread_atfork(None, None, Some(in_child));
        });
    }
}

/// A word that becomes [`Marked::FORKED`] in every child that is forked from now on, so that one load
/// tells what the word says and that this is still the process that made it. The memory is used
/// again and never freed.
pub(crate) struct Marked(&'static Node);

struct Node {
    word: AtomicU8,
    is_used: AtomicBool,
    next: AtomicPtr<Node>,
}

/// All nodes; relaxed but for the pointers, since only those lead to other data.
static NODES: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());

impl Node {
    fn all() -> impl Iterator<Item = &'static Node> {
        // Acquire: pairs with the Release in `Marked::new`. With Relaxed, a node could be seen
        // without its content.
        // SAFETY: fact 2 of this module.
        let first = unsafe { NODES.load(Ordering::Acquire).as_ref() };
        // SAFETY: as above. The next node was there before this one was.
        std::iter::successors(first, |node| unsafe { node.next.load(Ordering::Relaxed).as_ref() })
    }

    fn mark_all() {
        Node::all().for_each(|node| node.word.store(Marked::FORKED, Ordering::Relaxed));
    }
}

impl Marked {
    /// What the word is in a forked child.
    pub(crate) const FORKED: u8 = 254;

    /// A word of this process.
    pub(crate) fn new() -> Self {
        watch();
        let is_free = |node: &&Node| !node.is_used.swap(true, Ordering::Relaxed);
        if let Some(node) = Node::all().find(is_free) {
            node.word.store(0, Ordering::Relaxed);
            return Self(node);
        }
        let node = Box::leak(Box::new(Node {
            word: AtomicU8::new(0),
            is_used: AtomicBool::new(true),
            next: AtomicPtr::new(NODES.load(Ordering::Acquire)),
        }));
        loop {
            let next = node.next.load(Ordering::Relaxed);
            // Release: pairs with the Acquire in `Node::all`. Acquire: the next try leads there.
            match NODES.compare_exchange(next, node, Ordering::Release, Ordering::Acquire) {
                Ok(_) => return Self(node),
                Err(newer) => node.next.store(newer, Ordering::Relaxed),
            }
        }
    }

    /// The word.
    pub(crate) fn word(&self) -> &'static AtomicU8 {
        &self.0.word
    }
}

impl Drop for Marked {
    fn drop(&mut self) {
        self.0.is_used.store(false, Ordering::Relaxed);
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
