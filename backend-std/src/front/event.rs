//! Records with raw arguments: what the macros call.

use millpond_core::Level;
use millpond_core::capture::{Argument, Cut};
use millpond_core::frame::{Kind, TextPrefix};
use millpond_core::ring::{Claim, Entry, PushError, Quick};
use millpond_core::storage::{Area, Storage};

use super::site::{Entry as SiteEntry, Site};
use super::writer::Writer;
use super::{Front, Producer, RingSupply, thread};
use crate::clock::native_ticks;
use crate::overflow::Overflow;
use crate::render::Definition;

/// Bytes of the arguments of a record that travels as text, since its call site found no room in
/// the ring's table.
const AS_TEXT: usize = 4096;
/// Room for what is formatted if there is little.
const LITTLE: u32 = 256;

/// What a record says beside its arguments.
#[derive(Clone, Copy)]
struct Circumstances {
    /// The stamp, if it is the caller's or was taken already.
    ticks: Option<u64>,
    /// Records of this call site that were suppressed before it.
    suppressed: u32,
}

/// Writes the payload.
type Fill<'a, P> = &'a mut dyn FnMut(&mut Claim<'_, <<P as RingSupply>::Storage as Storage>::Area>);

const ORDINARY: Circumstances = Circumstances { ticks: None, suppressed: 0 };

impl Circumstances {
    fn at(self, ticks: u64) -> Self {
        Self { ticks: Some(ticks), ..self }
    }

    fn after(self, suppressed: u32) -> Self {
        Self { suppressed, ..self }
    }
}

impl<P: RingSupply> Writer<P> {
    /// Logs an event, if that needs no second look.
    #[inline(always)]
    fn event_quickly<const LEVEL: u8, A: Argument>(
        &mut self,
        site: &'static Site,
        ticks: impl FnOnce() -> u64,
        args: A,
    ) -> bool {
        let number = site.quick_number::<A>();
        if A::IS_FORMATTED || number > self.quick_sites {
            return false;
        }
        let level = const { level::<LEVEL>() };
        let length = args.length();
        let quick = Quick { kind: Kind::Event, level, site: number as u32, length };
        self.ring.try_insert_quick(quick, ticks, |claim| args.put(claim))
    }

    /// Logs an event that needs a second look: the first of its call site in this ring, one that
    /// finds the ring full, a long one, one that is formatted here.
    #[cold]
    #[inline(never)]
    fn event_slowly<A: Argument>(
        &mut self,
        site: &'static Site,
        circumstances: Circumstances,
        args: A,
    ) {
        let ticks = circumstances.ticks.unwrap_or_else(|| self.now());
        let prefix = TextPrefix {
            suppressed: (circumstances.suppressed > 0).then_some(circumstances.suppressed),
            ..TextPrefix::default()
        };
        // A ring that was given up has to be left before the call site is made known in it.
        self.leave_retired_ring();
        let number = site.number::<A>().filter(|number| self.make_known(*number));
        let Some(number) = number else { return self.event_as_text(site, ticks, prefix, args) };
        let entry = Entry {
            kind: Kind::Event,
            level: site.level(),
            flags: prefix.flags(),
            ticks,
            site: number,
        };
        let arguments = args.length();
        let exact = arguments.saturating_add(prefix.flags().prefix_length() as u32);
        let max = self.ring.max_payload();
        if !A::IS_FORMATTED && exact <= max {
            return self.insert_event(entry, exact, exact, &mut |claim| {
                put_prefix(prefix, claim);
                args.put(claim);
            });
        }
        // What is formatted may take a quarter of the largest frame, and if the ring is nearly
        // full and nobody waits, just a little.
        let most = if A::IS_FORMATTED { exact.saturating_add(max / 4).min(max) } else { max };
        let least = match self.shared.config.overflow {
            Overflow::Drop if A::IS_FORMATTED => exact.saturating_add(LITTLE).min(most),
            _ => most,
        };
        self.insert_event(entry, most, least, &mut |claim| {
            put_prefix(prefix, claim);
            let (contents, formatted) = share::<A>(claim.room(), arguments);
            args.put(&mut Cut::new(claim, contents, formatted));
        });
    }

    /// Inserts an event that takes at most `most` bytes, or makes do with `least`.
    fn insert_event(&mut self, entry: Entry, most: u32, least: u32, fill: Fill<'_, P>) {
        let mut inserted = self.ring.try_insert(entry, most, &mut *fill);
        if inserted.is_err() && least < most {
            inserted = self.ring.try_insert(entry, least, &mut *fill);
        }
        match inserted {
            Ok(()) => self.after_insert(entry.level),
            Err(PushError::TooLarge { .. }) => self.give_up(entry.level, most.into()),
            Err(_) => self.wait_or_drop(entry.level, least.into(), |writer| {
                // In a new ring, the call site is not known yet.
                if !writer.make_known(entry.site) {
                    return Err(PushError::Retired);
                }
                writer.ring.try_insert(entry, least, &mut *fill)
            }),
        }
    }

    /// Publishes call sites in the ring's table up to this one. False if it found no room.
    fn make_known(&mut self, number: u32) -> bool {
        while self.ring.known_call_sites() < number {
            let next = SiteEntry::find(self.ring.known_call_sites() + 1, self.last_site);
            let Some(entry) = next else { return false };
            let published = entry.define(|site| self.ring.publish_call_site(site));
            if !matches!(published, Some(Ok(()))) {
                return false;
            }
            self.last_site = Some(entry);
        }
        self.set_known_sites(self.ring.known_call_sites());
        true
    }

    /// Logs an event as the text that would be made of it.
    #[cold]
    fn event_as_text<A: Argument>(
        &mut self,
        site: &'static Site,
        ticks: u64,
        prefix: TextPrefix,
        args: A,
    ) {
        let mut payload = heapless::Vec::<u8, AS_TEXT>::new();
        let (contents, formatted) = share::<A>(AS_TEXT, args.length());
        args.put(&mut Cut::new(&mut payload, contents, formatted));
        let mut text = Vec::new();
        let rendered = site.define_unnumbered::<A, _>(|site| {
            Definition::new(site).write_message(&payload, &mut text);
        });
        if rendered.is_none() {
            text.extend_from_slice(site.template().as_bytes());
            text.extend_from_slice(b" [the types of the arguments are too complex]");
        }
        let level = site.level();
        match self.insert(level, ticks, prefix, &[&text]) {
            Ok(()) => self.after_insert(level),
            Err(PushError::TooLarge { max }) => self.split_or_cut(level, ticks, prefix, &text, max),
            Err(_) => self.wait_or_drop(level, text.len() as u64, |writer| {
                writer.insert(level, ticks, prefix, &[&text])
            }),
        }
    }
}

/// How `room` is shared between the contents of texts and what is formatted, if the arguments have
/// `length` bytes without the latter.
fn share<A: Argument>(room: usize, length: u32) -> (usize, usize) {
    match room.checked_sub(length as usize) {
        // All contents fit: what is formatted has the rest.
        Some(rest) => (usize::MAX, rest),
        None => {
            let spare = room.saturating_sub((A::FIXED + 4 * A::TEXTS) as usize);
            let formatted = if A::IS_FORMATTED { spare / 4 } else { 0 };
            (spare - formatted, formatted)
        }
    }
}

fn put_prefix<A: Area>(prefix: TextPrefix, claim: &mut Claim<'_, A>) {
    for word in prefix.words() {
        claim.put(&word);
    }
}

/// The level that a macro named.
const fn level<const LEVEL: u8>() -> Level {
    match Level::from_byte(LEVEL) {
        Some(level) => level,
        None => panic!("not a level"),
    }
}

/// The functions that the macros call, one for each number of arguments, so that arguments travel
/// in registers. They are not inlined: there is one for each combination of types, and what a
/// call adds to the program is little more than its arguments. The slow halves are functions of
/// their own, so that the quick ones need no memory for what they may have to hand on.
macro_rules! event_functions {
    ($($name:ident $slowly:ident ($($arg:ident: $type:ident),*);)*) => {
        /// Called by the macros, which have asked whether the level is enabled.
        #[doc(hidden)]
        #[allow(missing_docs, clippy::too_many_arguments)]
        impl<P: RingSupply> Producer<P> {
            $(
                #[inline(never)]
                pub fn $name<const LEVEL: u8, $($type: Argument),*>(
                    &mut self,
                    site: &'static Site,
                    $($arg: $type),*
                ) {
                    let writer = self.open_writer();
                    // The quick path knows the number, so the clock is the counter.
                    if !writer.event_quickly::<LEVEL, _>(site, native_ticks, ($($arg,)*)) {
                        self.$slowly(site, $($arg),*);
                    }
                }

                #[cold]
                #[inline(never)]
                fn $slowly<$($type: Argument),*>(
                    &mut self,
                    site: &'static Site,
                    $($arg: $type),*
                ) {
                    self.open_writer().event_slowly(site, ORDINARY, ($($arg,)*));
                }
            )*

            #[inline(never)]
            pub fn event_at<const LEVEL: u8, A: Argument>(
                &mut self,
                site: &'static Site,
                ticks: u64,
                args: A,
            ) {
                let writer = self.open_writer();
                if !writer.event_quickly::<LEVEL, A>(site, || ticks, args) {
                    writer.event_slowly(site, ORDINARY.at(ticks), args);
                }
            }

            pub fn event_limited<const LEVEL: u8, A: Argument>(
                &mut self,
                site: &'static Site,
                suppressed: u32,
                args: A,
            ) {
                self.open_writer().event_slowly(site, ORDINARY.after(suppressed), args);
            }
        }

        /// Called by the macros, which have asked whether the level is enabled.
        #[doc(hidden)]
        #[allow(missing_docs, clippy::too_many_arguments)]
        impl<P: RingSupply> Front<P> {
            $(
                #[inline(never)]
                pub fn $name<const LEVEL: u8, $($type: Argument),*>(
                    &self,
                    site: &'static Site,
                    $($arg: $type),*
                ) {
                    let is_done = thread::with_last_writer(&self.0, |writer| {
                        writer.event_quickly::<LEVEL, _>(site, native_ticks, ($($arg,)*))
                    });
                    if !is_done {
                        self.$slowly(site, $($arg),*);
                    }
                }

                #[cold]
                #[inline(never)]
                fn $slowly<$($type: Argument),*>(
                    &self,
                    site: &'static Site,
                    $($arg: $type),*
                ) {
                    thread::with_writer(&self.0, site.level(), |writer| {
                        writer.event_slowly(site, ORDINARY, ($($arg,)*));
                    });
                }
            )*

            #[inline(never)]
            pub fn event_at<const LEVEL: u8, A: Argument>(
                &self,
                site: &'static Site,
                ticks: u64,
                args: A,
            ) {
                thread::with_writer(&self.0, const { level::<LEVEL>() }, |writer| {
                    if !writer.event_quickly::<LEVEL, A>(site, || ticks, args) {
                        writer.event_slowly(site, ORDINARY.at(ticks), args);
                    }
                });
            }

            pub fn event_limited<const LEVEL: u8, A: Argument>(
                &self,
                site: &'static Site,
                suppressed: u32,
                args: A,
            ) {
                thread::with_writer(&self.0, const { level::<LEVEL>() }, |writer| {
                    writer.event_slowly(site, ORDINARY.after(suppressed), args);
                });
            }
        }
    };
}

event_functions! {
    event0 event0_slowly ();
    event1 event1_slowly (a: A);
    event2 event2_slowly (a: A, b: B);
    event3 event3_slowly (a: A, b: B, c: C);
    event4 event4_slowly (a: A, b: B, c: C, d: D);
    event5 event5_slowly (a: A, b: B, c: C, d: D, e: E);
    event6 event6_slowly (a: A, b: B, c: C, d: D, e: E, f: F);
    event7 event7_slowly (a: A, b: B, c: C, d: D, e: E, f: F, g: G);
    event8 event8_slowly (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H);
}

/// What the macros ask first.
#[doc(hidden)]
impl<P: RingSupply> Producer<P> {
    /// Whether a record of this level is to be logged. Afterwards the ring is this process's.
    #[inline(always)]
    pub fn __begin(&mut self, level: Level) -> bool {
        crate::ceiling::allows(level) && self.begin(level)
    }

    /// Where the event functions are.
    #[inline(always)]
    pub fn __events(&mut self) -> &mut Self {
        self
    }
}

/// What the macros ask first.
#[doc(hidden)]
impl<P: RingSupply> Front<P> {
    /// Whether a record of this level is to be logged.
    #[inline(always)]
    pub fn __begin(&self, level: Level) -> bool {
        if crate::ceiling::allows(level) && self.is_enabled(level) {
            return true;
        }
        self.0.level.count_if_closed();
        false
    }

    /// Where the event functions are.
    #[inline(always)]
    pub fn __events(&self) -> &Self {
        self
    }
}
