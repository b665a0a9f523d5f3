//! Logs text records, a gap and a batch into a ring in a `static`, drains it, and compares what
//! came out with the bytes that the wire format demands. Exits with 0 if they are equal.
//!
//! Not linked to std, alloc or libc; `scripts/no-std-proof` looks into the program to make sure.
//!
//! # Safety
//!
//! `rust_main` is entered once, by `_start`, and there is one thread.
#![no_std]
#![no_main]
#![no_builtins] // else a loop in `memory` could be compiled into a call to itself

mod expected;
mod memory;
mod system;

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use millpond_core::ring::{Entry, PushError, StaticRing};
use millpond_core::{Batch, Level};

static mut RING: StaticRing<4096, 0> = StaticRing::new();
static mut BATCH: Batch<4096> = Batch::new();

/// The program, once `_start` has set up the stack.
extern "C" fn rust_main() -> ! {
    // SAFETY: called once, see above, so these are the only references.
    let (ring, batch) = unsafe { (&mut *&raw mut RING, &mut *&raw mut BATCH) };
    if let Err(error) = log(ring) {
        fail(format_args!("a frame was refused: {error}"));
    }
    if let Err(fault) = ring_into(ring, batch) {
        fail(format_args!("the ring could not be drained: {fault}"));
    }
    system::exit(0)
}
