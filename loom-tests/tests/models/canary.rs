//! Can these models fail at all?
//!
//! # Safety
//!
//! The last test breaks a contract on purpose, which tracked memory answers with a panic.
#![allow(unsafe_code)]

use loom::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use loom::sync::Mutex;
use loom::thread;
use millpond_core::storage::{Area, Storage};
use millpond_loom_tests::{insert, look, outcomes, ring};

use crate::{CAPACITY, SHORT, set, texts};

/// Store buffering: each thread stores one word and loads the other.
fn store_buffering(with_fence: bool) -> std::collections::BTreeSet<(u32, u32)> {
    outcomes(move || {
        let words = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        let other = words.clone();
        let exchange = move |mine: &AtomicU32, theirs: &AtomicU32| {
            mine.store(1, Ordering::Relaxed);
            if with_fence {
                loom::sync::atomic::fence(Ordering::SeqCst);
            }
            theirs.load(Ordering::Relaxed)
        };
        let thread = thread::spawn(move || exchange(&other.1, &other.0));
        let here = exchange(&words.0, &words.1);
        (here, thread.join().unwrap())
    })
}

#[test]
fn loom_sees_weak_memory_and_what_a_fence_does_about_it() {
    assert_eq!(store_buffering(false), set([(0, 0), (0, 1), (1, 0), (1, 1)]));
    assert_eq!(store_buffering(true), set([(0, 1), (1, 0), (1, 1)]));
}

#[test]
fn the_ring_runs_on_looms_atomics() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0);
        let writer = thread::spawn(move || insert(&mut producer, SHORT));
        let seen = look(&mut consumer);
        writer.join().unwrap();
        seen
    });
    assert_eq!(reached, set([texts(&[]), texts(&[SHORT])]));
}

#[test]
#[should_panic(expected = "only one schedule")]
fn a_single_schedule_is_a_failure() {
    outcomes(|| ());
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_thread_that_sleeps_for_ever_is_a_failure() {
    outcomes(|| {
        let shared = Arc::new((Mutex::new(()), loom::sync::Condvar::new()));
        let other = shared.clone();
        let waker = thread::spawn(move || other.1.notify_all());
        drop(shared.1.wait(shared.0.lock().unwrap()));
        waker.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "Causality violation")]
fn an_unordered_access_to_a_rings_bytes_is_a_failure() {
    outcomes(|| {
        let (producer, consumer) = ring(CAPACITY, 0);
        // SAFETY: none: that is the point. The bytes are in bounds.
        let write = |area: &millpond_loom_tests::TrackedArea| unsafe { area.write(16, b"x") };
        let writer = thread::spawn(move || write(producer.storage().data()));
        write(consumer.storage().data());
        writer.join().unwrap();
    });
}
