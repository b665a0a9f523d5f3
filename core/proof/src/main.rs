//! Logs text records, a batch and a gap into a ring in a `static`, drains it, and compares what
//! came out with the bytes that the wire format demands. Exits with 0 if they are equal.
//!
//! Nothing of std, alloc or libc is linked: `scripts/no-std-proof` looks into the program to make
//! sure.
//!
//! # Safety
//!
//! `_start` enters `rust_main` once, and there is one thread.
#![no_std]
#![no_main]
#![no_builtins] // else the loops in `memory` could be compiled into calls of themselves

mod expected;
mod memory;
mod system;

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use millpond_core::ring::{Entry, Producer, PushError, StaticRing};
use millpond_core::storage::Storage;
use millpond_core::{Batch, Level};

static mut RING: StaticRing<4096, 0> = StaticRing::new();
static mut BATCH: Batch<4096> = Batch::new();

extern "C" fn rust_main() -> ! {
    let (ring, batch) = (&raw mut RING, &raw mut BATCH);
    // SAFETY: this runs once and there is one thread, so these are the only references.
    let (ring, batch) = unsafe { (&mut *ring, &mut *batch) };
    let (mut producer, mut consumer) = ring.split();
    if let Err(error) = log(&mut producer) {
        fail(format_args!("a frame was refused: {error}"));
    }
    if let Err(fault) = consumer.consume_all(batch) {
        fail(format_args!("the ring cannot be drained: {fault}"));
    }
    if batch.as_bytes() != expected::BYTES.as_flattened() {
        fail(format_args!("expected {:?}\nfound    {:?}", expected::BYTES, batch.as_bytes()));
    }
    let frames = batch.frames().count();
    say(format_args!("{frames} frames came out of the ring as the wire format demands"));
    system::exit(0)
}

fn log<S: Storage>(producer: &mut Producer<S>) -> Result<(), PushError> {
    producer.try_insert_text(Level::Info, 1, b"booted")?;
    let mut batch = producer.batch(1024, u64::MAX);
    for (ticks, text) in [(2, b"one"), (3, b"two")] {
        batch.try_insert(Entry::text(Level::Debug, ticks), text.len() as u32, |claim| {
            claim.put(text);
        })?;
    }
    drop(batch);
    producer.drop_record(Level::Warning, 9);
    producer.try_insert_text(Level::Error, 4, b"after the gap")
}

/// Prints one line.
fn say(line: fmt::Arguments<'_>) {
    // The only error is one of formatting, and there is nobody to tell.
    let _ = writeln!(system::Output, "{line}");
}

fn fail(line: fmt::Arguments<'_>) -> ! {
    say(line);
    system::exit(1)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    say(format_args!("{info}"));
    system::exit(2)
}

/// The unwinder's entry into a frame. The compiled core library names it, though with panics that
/// abort there is no unwinder to call it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() -> ! {
    system::exit(3)
}
