//! What no logger can be faster than: reading the clock, and copying 64 bytes into memory.

use std::hint::black_box;

use millpond_std::SystemClock;

use crate::place::Place;
use crate::report::Limits;
use crate::subject::{About, Files, Record, Subject};

const fn about(name: &'static str, settings: &'static str) -> About {
    About { files: Files::None, ..About::new(name, settings) }
}

/// Nothing at all between two readings of the clock: what the measurement costs.
pub(crate) struct Clock;

impl Subject for Clock {
    const ABOUT: About = about("clock", "the call does nothing: two readings of the clock");

    type Handle<'a> = ();

    fn open(_: &Place) -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&self) -> anyhow::Result<()> {
        Ok(())
    }

    #[inline(always)]
    fn log((): &mut (), record: Record, _: u64) {
        black_box(record);
    }

    fn close(self) -> anyhow::Result<u64> {
        Ok(0)
    }
}

/// The record, a stamp and padding, into a ring of 64 KiB in memory.
pub(crate) struct Copy64;

/// Slots of 64 bytes.
pub(crate) struct Ring {
    slots: Box<[[u64; 8]; SLOTS]>,
    next: usize,
}

const SLOTS: usize = 1024;

impl Ring {
    fn new() -> Self {
        Self { slots: Box::new([[0; 8]; SLOTS]), next: 0 }
    }

    #[inline(always)]
    fn put(&mut self, record: Record) {
        let Record { producer, number, price } = record;
        let slot = &mut self.slots[self.next % SLOTS];
        *slot = [producer as u64, number, price.to_bits(), 1, 2, 3, 4, 5];
        // Somebody might read it: it has to be written.
        black_box(slot);
        self.next += 1;
    }
}

impl Subject for Copy64 {
    const ABOUT: About = about("copy64", "64 bytes into a ring of 64 KiB of the thread's memory");

    type Handle<'a> = Ring;

    fn open(_: &Place) -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&self) -> anyhow::Result<Ring> {
        Ok(Ring::new())
    }

    #[inline(always)]
    fn log(ring: &mut Ring, record: Record, _: u64) {
        ring.put(record);
    }

    fn close(self) -> anyhow::Result<u64> {
        Ok(0)
    }
}

/// Both in a tight loop, without the clock around each call.
pub(crate) fn measure(ns_per_tick: f64) -> Limits {
    let mut ring = Ring::new();
    let clock = SystemClock::detect();
    let clock_read_ns = per_call(ns_per_tick, |_| {
        black_box(clock.now());
    });
    let copy64_ns = per_call(ns_per_tick, |number| ring.put(Record::new(0, number)));
    Limits { clock_read_ns, copy64_ns }
}

/// Nanoseconds of one of a million calls in a row.
fn per_call(ns_per_tick: f64, call: impl FnMut(u64)) -> f64 {
    const CALLS: u64 = 1_000_000;
    let clock = SystemClock::detect();
    let start = clock.now();
    (0..CALLS).for_each(call);
    (clock.now() - start) as f64 * ns_per_tick / CALLS as f64
}
