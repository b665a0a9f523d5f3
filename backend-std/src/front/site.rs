//! Call sites of this process: their numbers, and the list of them.
//!
//! A call site gets its number when it is used for the first time. All of them are in one list,
//! in the order of their numbers, from which each ring publishes what its records need. The list
//! only grows, without a lock: a signal handler may log for the first time while another call does,
//! and a forked child may find itself in the middle of its parent's call. Only the second and further
//! kinds of arguments of one call site, in a generic function, need memory from the allocator.
//!
//! # Safety
//!
//! 1. A pointer in the list is to an [`Entry`] in a `static` or on the heap that is never freed.
//! 2. `describe` of an entry is stored, before the entry gets into the list, by a cast from the one
//!    function type that it is cast back to.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use millpond_core::Level;
use millpond_core::callsite::CallSite;
use millpond_core::capture::{Argument, Signature, Types};

/// A place in the source that logs. Made by the macros, as a `static`.
///
/// In a generic function one static stands for calls with arguments of several types, each of
/// which has a number of its own.
#[derive(Debug)]
pub struct Site {
    /// Of up to four kinds of arguments, [`key`] and number.
    words: [AtomicU64; WORDS],
    level: Level,
    line: u32,
    target: &'static str,
    file: &'static str,
    template: &'static str,
    fields: &'static str,
    entry: Entry,
    entry_is_taken: AtomicBool,
}

const WORDS: usize = 4;
/// No number yet. Differs from every key by more than any number.
const NONE: u64 = u64::MAX;
/// Bits of a number.
const NUMBER_BITS: u32 = 24;
/// The largest number.
const LAST: u32 = (1 << NUMBER_BITS) - 1;

/// What the word of a call site is, less its number, for calls with these arguments.
const fn key<A: Argument>() -> u64 {
    A::SHAPE.bits() << NUMBER_BITS
}

/// A number and what it stands for.
#[derive(Debug)]
pub(super) struct Entry {
    site: AtomicPtr<Site>,
    key: AtomicU64,
    describe: AtomicPtr<()>,
    number: AtomicU32,
    /// The entry with the number before.
    before: AtomicPtr<Entry>,
    /// The entry with the number after, if it is known already.
    after: AtomicPtr<Entry>,
}

type Describe = fn(&mut Signature);

/// Whether whoever reads a ring can make something of these types: they are neither too many nor
/// nested too deep.
fn is_readable(describe: Describe) -> bool {
    let mut signature = Signature::new();
    describe(&mut signature);
    signature.as_bytes().is_some_and(|bytes| Types::new(bytes).all(|each| each.is_ok()))
}

/// The entry with the highest number.
static NEWEST: AtomicPtr<Entry> = AtomicPtr::new(ptr::null_mut());

impl Site {
    /// A call site. `template` names its arguments by numbers, `fields` ends each name by a zero
    /// byte.
    pub const fn new(
        level: Level,
        line: u32,
        target: &'static str,
        file: &'static str,
        template: &'static str,
        fields: &'static str,
    ) -> Self {
        Self {
            words: [const { AtomicU64::new(NONE) }; WORDS],
            level,
            line,
            target,
            file,
            template,
            fields,
            entry: Entry::new(),
            entry_is_taken: AtomicBool::new(false),
        }
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }

    /// The number of calls with these arguments, or something larger than any number, if it has
    /// none or has to be looked up.
    ///
    /// Relaxed: whoever finds the number among those that its ring has published needs no more
    /// than the number, and everybody else looks at the list.
    #[inline(always)]
    pub(super) fn quick_number<A: Argument>(&self) -> u64 {
        self.words[0].load(Ordering::Relaxed) ^ key::<A>()
    }

    /// The number of calls with these arguments. `None` if their types are too complex, or if there
    /// are no more numbers.
    pub(super) fn number<A: Argument>(&'static self) -> Option<u32> {
        let key = key::<A>();
        let known = |word: u64| u32::try_from(word ^ key).ok().filter(|number| *number <= LAST);
        for word in &self.words {
            // Acquire: pairs with the Release below. Whoever gets the number here goes on to look
            // for its entry, which with Relaxed might not be in the list yet as seen from here.
            match word.load(Ordering::Acquire) {
                NONE => {
                    let number = self.register(key, A::describe)?;
                    let new = key | u64::from(number);
                    let set =
                        word.compare_exchange(NONE, new, Ordering::Release, Ordering::Acquire);
                    return match set {
                        Ok(_) => Some(number),
                        // A thread or a signal handler was faster; two numbers do no harm.
                        Err(other) => Some(known(other).unwrap_or(number)),
                    };
                }
                word => {
                    if let Some(number) = known(word) {
                        return Some(number);
                    }
                }
            }
        }
        match self.find_in_list(key) {
            Some(number) => Some(number),
            None => self.register(key, A::describe),
        }
    }

    #[cold]
    fn find_in_list(&'static self, key: u64) -> Option<u32> {
        let mut at = Entry::newest();
        while let Some(entry) = at {
            let same = ptr::eq(entry.site.load(Ordering::Relaxed), self)
                && entry.key.load(Ordering::Relaxed) == key;
            if same {
                return Some(entry.number());
            }
            at = entry.before();
        }
        None
    }

    /// Adds an entry to the list and returns its number.
    #[cold]
    fn register(&'static self, key: u64, describe: Describe) -> Option<u32> {
        // An entry that cannot be published would keep all later ones out of the tables.
        let is_full = Entry::newest().is_some_and(|newest| newest.number() == LAST);
        if is_full || !is_readable(describe) {
            return None;
        }
        let entry = match self.entry_is_taken.swap(true, Ordering::Relaxed) {
            false => &self.entry,
            // The arguments of a generic function's second type.
            true => Box::leak(Box::new(Entry::new())),
        };
        entry.site.store(ptr::from_ref(self).cast_mut(), Ordering::Relaxed);
        entry.key.store(key, Ordering::Relaxed);
        entry.describe.store(describe as *mut (), Ordering::Relaxed);
        entry.append()
    }

    /// The definition for the table of a ring. `None` if its types are too complex.
    fn define<T>(
        &self,
        number: u32,
        signature: &Signature,
        with: impl FnOnce(&CallSite<'_>) -> T,
    ) -> Option<T> {
        Some(with(&CallSite {
            number,
            level: self.level,
            line: self.line,
            target: self.target.as_bytes(),
            file: self.file.as_bytes(),
            template: self.template.as_bytes(),
            signature: signature.as_bytes()?,
            fields: self.fields.as_bytes(),
        }))
    }

    /// The definition of calls with these arguments, without a number. `None` if nobody could read
    /// it.
    pub(super) fn define_unnumbered<A: Argument, T>(
        &self,
        with: impl FnOnce(&CallSite<'_>) -> T,
    ) -> Option<T> {
        let mut signature = Signature::new();
        A::describe(&mut signature);
        is_readable(A::describe).then(|| self.define(0, &signature, with)).flatten()
    }

    pub(super) fn template(&self) -> &'static str {
        self.template
    }
}

impl Entry {
    const fn new() -> Self {
        Self {
            site: AtomicPtr::new(ptr::null_mut()),
            key: AtomicU64::new(0),
            describe: AtomicPtr::new(ptr::null_mut()),
            number: AtomicU32::new(0),
            before: AtomicPtr::new(ptr::null_mut()),
            after: AtomicPtr::new(ptr::null_mut()),
        }
    }

    fn newest() -> Option<&'static Entry> {
        // Acquire: pairs with the Release in `append`, which stores what the entry consists of
        // before. With Relaxed, an entry could be seen without it.
        // SAFETY: fact 1 of this module.
        unsafe { NEWEST.load(Ordering::Acquire).as_ref() }
    }

    /// Makes this the newest entry.
    fn append(&'static self) -> Option<u32> {
        let mut before = NEWEST.load(Ordering::Acquire);
        loop {
            // SAFETY: fact 1 of this module.
            let number = unsafe { before.as_ref() }.map_or(0, Entry::number) + 1;
            if number > LAST {
                return None;
            }
            self.number.store(number, Ordering::Relaxed);
            self.before.store(before, Ordering::Relaxed);
            let me = ptr::from_ref(self).cast_mut();
            // Release: pairs with the Acquire in `newest`; Acquire: what is before is dereferenced.
            match NEWEST.compare_exchange(before, me, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    // SAFETY: fact 1 of this module.
                    if let Some(before) = unsafe { before.as_ref() } {
                        // Release: pairs with the Acquire in `after`.
                        before.after.store(me, Ordering::Release);
                    }
                    return Some(number);
                }
                Err(newer) => before = newer,
            }
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number.load(Ordering::Relaxed)
    }

    fn before(&self) -> Option<&'static Entry> {
        // SAFETY: fact 1 of this module. Whoever has this entry has acquired those before it: each
        // append acquired what it stands upon.
        unsafe { self.before.load(Ordering::Relaxed).as_ref() }
    }

    /// The entry with this number, which some call has got from [`Site::number`]; `last` is one
    /// with a lower number, if one is known.
    pub(super) fn find(number: u32, last: Option<&'static Entry>) -> Option<&'static Entry> {
        if let Some(last) = last.filter(|last| last.number() + 1 == number) {
            // Acquire: pairs with the Release in `append`.
            // SAFETY: fact 1 of this module.
            if let Some(next) = unsafe { last.after.load(Ordering::Acquire).as_ref() } {
                return Some(next);
            }
        }
        let mut at = Entry::newest();
        while let Some(entry) = at {
            if entry.number() == number {
                return Some(entry);
            }
            at = entry.before();
        }
        None
    }

    /// Calls `with` with the definition. `None` if its types are too complex.
    pub(super) fn define<T>(&self, with: impl FnOnce(&CallSite<'_>) -> T) -> Option<T> {
        let mut signature = Signature::new();
        let describe = self.describe.load(Ordering::Relaxed);
        // SAFETY: an entry of the list has its function (fact 2) and its site (fact 1).
        let site = unsafe {
            let describe: Describe = std::mem::transmute::<*mut (), Describe>(describe);
            describe(&mut signature);
            &*self.site.load(Ordering::Relaxed)
        };
        site.define(self.number(), &signature, with)
    }
}
