//! The storage of a `static` passes the suite.

use millpond_core::ring::StaticRing;

#[test]
fn static_storage_conforms() {
    millpond_conformance::check_all(|position| {
        let ring = Box::leak(Box::new(StaticRing::<16384, 1024>::new()));
        ring.split_at(position)
    });
}
