//! A half of a ring goes from one thread to another, or from a master to the next.
//!
//! # Safety
//!
//! The second consumer is made when the first is gone, at the position up to which the first one
//! has read, as a master does that finds this position in its checkpoint.
#![allow(unsafe_code)]

use std::sync::Arc;

use loom::sync::Mutex;
use loom::thread;
use millpond_core::ring::Consumer;
use millpond_loom_tests::{insert, look, outcomes, ring, try_insert};

use crate::{CAPACITY, LONG, SHORT, set, texts};

#[test]
fn a_new_thread_goes_on_where_a_finished_one_stopped() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0u32.wrapping_sub(32));
        let finished = thread::spawn(move || {
            insert(&mut producer, SHORT);
            producer
        });
        let next = thread::spawn(move || {
            let mut producer = finished.join().unwrap();
            insert(&mut producer, LONG);
        });
        let early = look(&mut consumer);
        next.join().unwrap();
        (early, look(&mut consumer))
    });
    let legal = set([
        (texts(&[]), texts(&[SHORT, LONG])),
        (texts(&[SHORT]), texts(&[LONG])),
        (texts(&[SHORT, LONG]), texts(&[])),
    ]);
    assert_eq!(reached, legal);
}

#[test]
fn threads_may_share_a_producer_behind_a_lock() {
    let reached = outcomes(|| {
        let (producer, mut consumer) = ring(CAPACITY, 0);
        let shared = Arc::new(Mutex::new(producer));
        let writers = ["a", "b"].map(|text| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || insert(&mut shared.lock().unwrap(), text))
        });
        let early = look(&mut consumer);
        for writer in writers {
            writer.join().unwrap();
        }
        (early, look(&mut consumer))
    });
    let legal = set([
        (texts(&[]), texts(&["a", "b"])),
        (texts(&[]), texts(&["b", "a"])),
        (texts(&["a"]), texts(&["b"])),
        (texts(&["b"]), texts(&["a"])),
        (texts(&["a", "b"]), texts(&[])),
        (texts(&["b", "a"]), texts(&[])),
    ]);
    assert_eq!(reached, legal);
}

/// The first consumer dies after its handlers have acknowledged and before it releases: the head
/// that the second one stores is the first sign to the producer that those bytes are free.
#[test]
fn a_new_consumer_releases_what_the_old_one_has_read() {
    let reached = outcomes(|| {
        let (mut producer, mut first) = ring(CAPACITY, 0u32.wrapping_sub(64));
        while try_insert(&mut producer, LONG).is_ok() {}
        let storage = first.storage().clone();
        let writer = thread::spawn(move || try_insert(&mut producer, LONG).is_ok());
        let dying = thread::spawn(move || {
            assert_eq!(look(&mut first).len(), 4);
            first.position()
        });
        let position = dying.join().unwrap();
        // SAFETY: the first consumer was dropped by its thread, and this is its position.
        let mut second = unsafe { Consumer::new(storage, position) };
        let early = look(&mut second).len();
        let inserted = writer.join().unwrap();
        assert_eq!(early + look(&mut second).len(), inserted as usize);
        (early, inserted)
    });
    assert_eq!(reached, set([(0, false), (0, true), (1, true)]));
}
