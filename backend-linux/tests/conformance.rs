//! Rings in mapped files pass the suite, with the producer and the consumer each in a mapping of
//! its own, as in two processes.
#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

use std::os::unix::fs::FileExt;

use millpond_core::ring::{Consumer, Producer};
use millpond_linux::directory::Directory;
use millpond_linux::identity::ProcessIdentity;
use millpond_linux::ring_file::{
    BirthAnchor, ClockKind, MappedStorage, RingFile, RingKind, RingSpec,
};

#[test]
fn mapped_storage_conforms() {
    let place = tempfile::tempdir_in("/dev/shm").unwrap();
    let directory = Directory::open(&place.path().join("pond")).unwrap();
    millpond_conformance::check_all(|position| mapped_ring(&directory, position));
}

fn mapped_ring(
    directory: &Directory,
    position: u32,
) -> (Producer<MappedStorage>, Consumer<MappedStorage>) {
    let identity = ProcessIdentity::of_this_process().unwrap();
    let mut file = RingFile::create(
        directory,
        &RingSpec {
            kind: RingKind::Records,
            capacity: 16 * 1024,
            table_length: 4096,
            worker_id: 1,
            worker_name: "suite",
            identity: &identity,
            tid: 1,
            clock_kind: ClockKind::MonotonicNs,
            birth: BirthAnchor::default(),
        },
    )
    .unwrap();
    file.publish().unwrap();
    // The tail stands at the head of the second page.
    let page = rustix::param::page_size() as u64;
    let raw = std::fs::OpenOptions::new().write(true).open(file.path()).unwrap();
    raw.write_all_at(&position.to_le_bytes(), page).unwrap();

    let attached = RingFile::attach(directory, file.name()).unwrap();
    directory.remove(file.name()).unwrap();
    // SAFETY: the file was just made, so these are its only producer and consumer; its tail was
    // just set to `position`, its head is by `Consumer::new`, its table is empty.
    unsafe {
        (
            Producer::new(file.storage().clone(), position),
            Consumer::new(attached.storage, u64::from(position)),
        )
    }
}
