//! When a call wakes the collector.

use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use millpond_core::Batch;
use millpond_core::doorbell::Doorbell;
use millpond_core::ring::{Consumer, Producer as Ring};
use millpond_std::front::{Front, FrontConfig, RingSupply};
use millpond_std::{HeapStorage, Level, Overflow, SystemClock, heap_ring};

const CAPACITY: usize = 64 * 1024;

/// Hands its rings' other ends to the test.
#[derive(Default)]
struct Supply {
    doorbell: Doorbell,
    wakes: AtomicU32,
    rings: Mutex<Vec<Consumer<HeapStorage>>>,
}

impl RingSupply for Supply {
    type Storage = HeapStorage;
    type Error = Infallible;

    fn make_ring(&self) -> Result<Ring<HeapStorage>, Infallible> {
        let (producer, consumer) = heap_ring(CAPACITY, 0);
        self.rings.lock().unwrap().push(consumer);
        Ok(producer)
    }

    fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    fn wake(&self) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }
}

fn front() -> Front<Supply> {
    let config = FrontConfig {
        base_level: Level::Info,
        wake_level: Level::Error,
        overflow: Overflow::Drop,
        max_rings: 8,
        clock: SystemClock::monotonic(),
    };
    Front::new(config, Supply::default())
}

impl Supply {
    /// What a collector does before it sleeps.
    fn fall_asleep(&self) {
        self.wakes.store(0, Ordering::Relaxed);
        self.doorbell.announce_sleep();
    }

    fn wakes(&self) -> u32 {
        self.wakes.load(Ordering::Relaxed)
    }

    fn drain(&self) {
        for ring in &mut *self.rings.lock().unwrap() {
            let mut batch = Box::new(Batch::<{ 64 * 1024 }>::new());
            while ring.consume_all(&mut batch).unwrap().more {
                batch.clear();
            }
            ring.release(ring.position());
        }
    }
}

/// However full the ring was before: what was once looked at must not be believed for ever.
#[test]
fn a_ring_that_is_half_full_wakes_the_collector_each_time() {
    let front = front();
    let mut producer = front.producer().unwrap();
    let supply = front.supply();
    let text = "x".repeat(104); // 128 bytes with its header
    let records = CAPACITY / 128;
    for fill in [records * 2, records * 3 / 4, records * 2, records] {
        supply.fall_asleep();
        (0..records / 2 - 2).for_each(|_| producer.text(Level::Info, &text));
        assert_eq!(supply.wakes(), 0, "not yet half full");
        (0..records / 8).for_each(|_| producer.text(Level::Info, &text));
        assert_eq!(supply.wakes(), 1, "more than half full");
        (0..fill - records / 2).for_each(|_| producer.text(Level::Info, &text));
        assert_eq!(supply.wakes(), 1, "once for each sleep");
        supply.drain();
    }
}

#[test]
fn a_record_at_the_wake_level_wakes_once_for_each_sleep() {
    let front = front();
    let supply = front.supply();
    supply.fall_asleep();
    front.text(Level::Warning, "not urgent");
    assert_eq!(supply.wakes(), 0);
    front.text(Level::Error, "urgent");
    front.text(Level::Error, "urgent too, but the collector is on its way");
    assert_eq!(supply.wakes(), 1);
}
