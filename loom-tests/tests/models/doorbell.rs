//! The collector never sleeps for ever while a record lies in a ring: loom reports a thread that
//! nobody wakes as a deadlock.

use std::sync::Arc;

use loom::sync::{Condvar, Mutex};
use loom::thread;
use millpond_core::doorbell::Doorbell;
use millpond_core::ring::{Consumer, Producer};
use millpond_loom_tests::{TrackedStorage, insert, look, outcomes, outcomes_within, ring};

use crate::{CAPACITY, SHORT, set};

/// `futex(2)` on the doorbell's word: the wait compares the word under the waiters' lock, and a
/// wake takes that lock.
#[derive(Default)]
struct Bell {
    word: Doorbell,
    waiters: Mutex<()>,
    wakes: Condvar,
}

impl Bell {
    /// FUTEX_WAIT with no time-out: whether it slept.
    fn wait(&self) -> bool {
        let waiters = self.waiters.lock().unwrap();
        if !self.word.is_asleep() {
            return false;
        }
        drop(self.wakes.wait(waiters).unwrap());
        true
    }

    /// FUTEX_WAKE.
    fn wake(&self) {
        let waiters = self.waiters.lock().unwrap();
        self.wakes.notify_all();
        drop(waiters);
    }
}

/// A producer with an urgent record: whether it had to wake the collector.
fn urgent(producer: &mut Producer<TrackedStorage>, bell: &Bell) -> bool {
    insert(producer, SHORT);
    let must_wake = bell.word.must_wake();
    if must_wake {
        bell.wake();
    }
    must_wake
}

/// A collector that sleeps until it has `expected` records: whether it slept.
fn collect(consumers: &mut [Consumer<TrackedStorage>], bell: &Bell, expected: usize) -> bool {
    let mut slept = false;
    let mut seen = 0;
    loop {
        seen += consumers.iter_mut().map(|consumer| look(consumer).len()).sum::<usize>();
        if seen == expected {
            return slept;
        }
        bell.word.announce_sleep();
        if consumers.iter().all(Consumer::is_drained) {
            slept |= bell.wait();
        } else {
            bell.word.wake_up();
        }
    }
}

#[test]
fn an_urgent_record_wakes_the_collector() {
    let reached = outcomes(|| {
        let (mut producer, consumer) = ring(CAPACITY, 0);
        let bell = Arc::new(Bell::default());
        let theirs = Arc::clone(&bell);
        let writer = thread::spawn(move || urgent(&mut producer, &theirs));
        let slept = collect(&mut [consumer], &bell, 1);
        (slept, writer.join().unwrap())
    });
    // Never (true, false): who slept was woken.
    assert_eq!(reached, set([(false, false), (false, true), (true, true)]));
}

#[test]
fn a_second_record_is_not_lost_while_the_collector_dozes_off_again() {
    let reached = outcomes_within(5, || {
        let (mut producer, consumer) = ring(CAPACITY, 0);
        let bell = Arc::new(Bell::default());
        let theirs = Arc::clone(&bell);
        let writer = thread::spawn(move || {
            let first = urgent(&mut producer, &theirs);
            (first, urgent(&mut producer, &theirs))
        });
        collect(&mut [consumer], &bell, 2);
        writer.join().unwrap()
    });
    assert_eq!(reached, set([(false, false), (false, true), (true, false), (true, true)]));
}

#[test]
fn two_producers_may_ring_at_once() {
    let reached = outcomes_within(3, || {
        let (mut first, consumer) = ring(CAPACITY, 0);
        let (mut second, other) = ring(CAPACITY, 0);
        let bell = Arc::new(Bell::default());
        let (left, right) = (Arc::clone(&bell), Arc::clone(&bell));
        let writers = [
            thread::spawn(move || urgent(&mut first, &left)),
            thread::spawn(move || urgent(&mut second, &right)),
        ];
        collect(&mut [consumer, other], &bell, 2);
        writers.map(|writer| writer.join().unwrap())
    });
    let legal = set([[false, false], [false, true], [true, false], [true, true]]);
    assert_eq!(reached, legal);
}
