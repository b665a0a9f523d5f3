//! Whoever sees the ring released sees what was done with the records before.
//!
//! # Safety
//!
//! The count is a loom cell, which panics if two accesses are not ordered.
#![allow(unsafe_code)]

use loom::cell::UnsafeCell;
use loom::thread;
use millpond_core::storage::Storage;
use millpond_loom_tests::{insert, look, outcomes, ring};
use std::sync::Arc;

use crate::{CAPACITY, SHORT, set};

#[test]
fn released_means_delivered() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0);
        // Not `Sync`: it is there to show whether two threads meet in it.
        #[allow(clippy::arc_with_non_send_sync)]
        let delivered = Arc::new(UnsafeCell::new(0));
        let handler = Arc::clone(&delivered);
        let flusher = thread::spawn(move || {
            insert(&mut producer, SHORT);
            let is_released = producer.storage().consumer_line().released() == producer.position();
            is_released.then(|| // SAFETY: loom has just checked that nobody writes it.
                delivered.with(|count| unsafe { *count }))
        });
        let count = look(&mut consumer).len();
        // SAFETY: loom has just checked that nobody else uses it.
        handler.with_mut(|place| unsafe { *place = count });
        consumer.release(consumer.position());
        flusher.join().unwrap()
    });
    assert_eq!(reached, set([None, Some(1)]));
}

#[test]
fn whoever_sees_a_flush_request_sees_the_records_before_it() {
    let reached = outcomes(|| {
        let (mut producer, consumer) = ring(CAPACITY, 0);
        let flusher = thread::spawn(move || {
            insert(&mut producer, SHORT);
            producer.storage().producer_line().request_flush(1);
        });
        let is_asked = consumer.storage().producer_line().flush_requests() == 1;
        let seen = is_asked.then(|| consumer.unread() > 0);
        flusher.join().unwrap();
        seen
    });
    assert_eq!(reached, set([None, Some(true)]));
}
