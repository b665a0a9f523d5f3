//! A call site is known before the first record that names it.

use loom::thread;
use millpond_core::Level;
use millpond_core::callsite::{CallSite, TableReader};
use millpond_core::frame::Kind;
use millpond_core::ring::{Consumer, Entry, Producer};
use millpond_loom_tests::{TrackedStorage, look, outcomes, ring};

use crate::{CAPACITY, set};

fn site(number: u32) -> CallSite<'static> {
    CallSite {
        number,
        level: Level::Warning,
        line: number + 6,
        target: b"m",
        file: b"f.rs",
        template: b"{} of {}",
        signature: b"uu",
        fields: b"",
    }
}

fn publish(producer: &mut Producer<TrackedStorage>, number: u32) {
    producer.publish_call_site(&site(number)).expect("the model leaves room");
}

/// How many call sites stand in the ring's table now; each is whole and in its place.
fn known(consumer: &Consumer<TrackedStorage>, reader: &mut TableReader) -> u32 {
    let mut buffer = [0; 128];
    let polled = reader.poll(consumer.storage(), &mut buffer, |found| {
        assert_eq!(found, site(found.number));
    });
    polled.expect("an honest producer");
    reader.known()
}

#[test]
fn a_definition_is_seen_whole_or_not_at_all() {
    let reached = outcomes(|| {
        let (mut producer, consumer) = ring(CAPACITY, 0);
        let writer = thread::spawn(move || {
            publish(&mut producer, 1);
            publish(&mut producer, 2);
        });
        let mut reader = TableReader::new();
        let looks = [known(&consumer, &mut reader), known(&consumer, &mut reader)];
        writer.join().unwrap();
        assert_eq!(known(&consumer, &mut reader), 2);
        looks
    });
    assert_eq!(reached, set([[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]]));
}

#[test]
fn whoever_sees_a_record_finds_its_call_site() {
    let reached = outcomes(|| {
        let (mut producer, mut consumer) = ring(CAPACITY, 0);
        let writer = thread::spawn(move || {
            publish(&mut producer, 1);
            let entry = Entry { kind: Kind::Event, site: 1, ..Entry::text(Level::Warning, 0) };
            producer.try_insert(entry, 0, |_| ()).expect("the model leaves room");
        });
        let records = look(&mut consumer).len();
        let sites = known(&consumer, &mut TableReader::new());
        writer.join().unwrap();
        (records, sites)
    });
    assert_eq!(reached, set([(0, 0), (0, 1), (1, 1)]));
}
