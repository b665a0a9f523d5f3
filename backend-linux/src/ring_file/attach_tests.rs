//! Every file that a master may find, and what it says of it.
#![allow(unsafe_code)] // `Area` is read and written as a ring would

use std::fs;
use std::os::unix::fs::{FileExt, chown, symlink};
use std::path::Path;

use millpond_core::storage::{Area, Storage};
use millpond_core::version::{LAYOUT_MAJOR, VersionError};
use proptest::prelude::*;

use super::*;
use crate::file_head::{BYTE_ORDER, BYTE_ORDER_AT, INCOMPATIBLE_AT, MAGIC_AT, MAJOR_AT};
use crate::identity::ProcessIdentity;
use crate::owner::OwnerState;
use crate::ring_file::create::tests::{identity, spec};
use crate::ring_file::identity_page::{CAPACITY_AT, DATA_AT, MAGIC, WORKER_NAME_LENGTH_AT};
use crate::ring_file::{ClockKind, RingFile, RingKind, RingSpec};
use crate::testing::{TestDirectory, is_root};

/// A published ring, and the test's directory.
fn ring(test: &TestDirectory) -> (Directory, RingFile) {
    let directory = test.open();
    let identity = identity();
    let mut ring = RingFile::create(&directory, &spec(&identity)).unwrap();
    ring.publish().unwrap();
    (directory, ring)
}

fn refusal(directory: &Directory, name: &str) -> Refusal {
    let error = RingFile::attach(directory, name.as_ref()).unwrap_err();
    assert!(error.to_string().contains(name), "{error}");
    assert_eq!(error.is_gone(), matches!(error.reason(), Refusal::Gone));
    error.reason
}

/// What is said of a valid ring file whose bytes at `at` were replaced.
fn refusal_with(at: usize, bytes: &[u8]) -> Refusal {
    let test = TestDirectory::new();
    let (directory, ring) = ring(&test);
    let file = fs::OpenOptions::new().write(true).open(ring.path()).unwrap();
    file.write_all_at(bytes, at as u64).unwrap();
    refusal(&directory, ring.name().to_str().unwrap())
}

#[test]
fn both_sides_see_the_same_ring() {
    let test = TestDirectory::new();
    let directory = test.open();
    let process = identity();
    for kind in [RingKind::Records, RingKind::Keeper] {
        let spec = RingSpec { kind, clock_kind: ClockKind::Tsc, ..spec(&process) };
        let mut ring = RingFile::create(&directory, &spec).unwrap();
        ring.publish().unwrap();
        let attached = RingFile::attach(&directory, ring.name()).unwrap();
        assert_eq!(attached.identity, *ring.identity());
        assert_eq!(attached.identity.process, process);
        assert_eq!(attached.uid, process.uid);
        assert_eq!(attached.name, ring.name());
        assert_eq!(attached.owner.state(), OwnerState::Unheld);

        ring.storage().producer_line().request_flush(1);
        assert_eq!(attached.storage.producer_line().flush_requests(), 1);
        // SAFETY: 16 bytes are inside the data, and nobody else of this process writes them.
        unsafe { ring.storage().data().write(8, &[7; 16]) };
        let mut seen = [std::mem::MaybeUninit::new(0); 16];
        // SAFETY: offset and length are multiples of 8 inside the data; the writer is done.
        unsafe { attached.storage.data().read(8, &mut seen) };
        // SAFETY: `read` filled all of it.
        assert_eq!(seen.map(|byte| unsafe { byte.assume_init() }), [7; 16]);
    }
}

#[test]
fn a_clock_has_the_same_number_in_a_file_as_in_a_program() {
    use millpond_std::ClockKind::{Cntvct, Monotonic, Tsc};
    for kind in [Monotonic, Tsc, Cntvct] {
        assert_eq!(ClockKind::from(kind) as u32, kind as u32);
    }
}

#[test]
fn a_removed_ring_stays_readable_for_whoever_has_it() {
    let test = TestDirectory::new();
    let (directory, ring) = ring(&test);
    let attached = RingFile::attach(&directory, ring.name()).unwrap();
    assert!(directory.remove(ring.name()).unwrap());
    ring.storage().producer_line().request_flush(1);
    drop(ring);
    assert_eq!(attached.storage.producer_line().flush_requests(), 1);
    assert!(RingFile::attach(&directory, &attached.name).unwrap_err().is_gone());
}

#[test]
fn what_is_no_regular_file_is_refused_without_waiting() {
    let test = TestDirectory::new();
    let (directory, ring) = ring(&test);
    let at = |name: &str| test.path().join(name);
    symlink(ring.path(), at("r-link")).unwrap();
    symlink("/nowhere", at("r-dangling")).unwrap();
    fs::create_dir(at("r-directory")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("r-fifo"), rustix::fs::Mode::RUSR).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(at("r-socket")).unwrap();
    for (name, kind) in [
        ("r-link", "symbolic link"),
        ("r-dangling", "symbolic link"),
        ("r-directory", "directory"),
        ("r-fifo", "FIFO"),
        ("r-socket", "socket"),
    ] {
        match refusal(&directory, name) {
            Refusal::NotAFile { came } => assert_eq!(came, kind),
            other => panic!("{name}: {other:?}"),
        }
    }
    drop(socket);
    assert!(matches!(refusal(&directory, "r-nothing"), Refusal::Gone));
    for name in [".", "..", "../x", ""] {
        assert!(RingFile::attach(&directory, name.as_ref()).is_err());
    }
    if is_root() {
        let null = rustix::fs::makedev(1, 3);
        let mode = rustix::fs::Mode::RWXU;
        let kind = rustix::fs::FileType::CharacterDevice;
        rustix::fs::mknodat(rustix::fs::CWD, at("r-device"), kind, mode, null).unwrap();
        assert!(matches!(refusal(&directory, "r-device"), Refusal::NotAFile { .. }));
    }
}

#[test]
fn a_hard_link_is_refused_by_both_names() {
    let test = TestDirectory::new();
    let (directory, ring) = ring(&test);
    fs::hard_link(ring.path(), test.path().join("r-other")).unwrap();
    for name in ["r-other", ring.name().to_str().unwrap()] {
        assert!(matches!(refusal(&directory, name), Refusal::HardLinked { links: 2 }));
    }
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    if !is_root() {
        println!("skipped: only root can give a file away");
        return;
    }
    let test = TestDirectory::new();
    let (directory, ring) = ring(&test);
    chown(ring.path(), Some(12345), Some(12345)).unwrap();
    let reason = refusal(&directory, ring.name().to_str().unwrap());
    assert!(matches!(reason, Refusal::NotOurs { came: 12345, expected: 0 }), "{reason}");
}

#[test]
fn a_shared_directory_takes_files_of_its_group_only() {
    if !is_root() {
        println!("skipped: only root can give a file away");
        return;
    }
    let test = TestDirectory::new();
    let path = test.path().join("shared");
    let directory = Directory::open_shared(&path).unwrap();
    let process = identity();
    let mut ring = RingFile::create(&directory, &spec(&process)).unwrap();
    ring.publish().unwrap();
    chown(ring.path(), Some(12345), None).unwrap();
    let attached = RingFile::attach(&directory, ring.name()).unwrap();
    assert_eq!((attached.uid, attached.identity.process.uid), (12345, process.uid));
    chown(ring.path(), Some(12345), Some(12345)).unwrap();
    let error = RingFile::attach(&directory, ring.name()).unwrap_err();
    assert!(matches!(error.reason(), Refusal::NotOurs { .. }), "{error}");
}

#[test]
fn truncated_and_oversized_files_are_refused() {
    let test = TestDirectory::new();
    let (directory, ring) = ring(&test);
    let name = ring.name().to_str().unwrap().to_string();
    let whole = fs::metadata(ring.path()).unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(ring.path()).unwrap();
    drop(ring); // whoever has it mapped would get SIGBUS, which is not what is tested here
    // The longest first, since what is cut off comes back as zeros.
    for length in [1 << 40, MAX_FILE + 1, MAX_FILE, whole + 1, whole - 1, 16384, 16383, 4096, 1, 0]
    {
        file.set_len(length).unwrap();
        match refusal(&directory, &name) {
            Refusal::Length { came, .. } => assert_eq!(came, length),
            other => panic!("{length}: {other}"),
        }
    }
}

#[test]
fn a_file_with_holes_is_refused() {
    let test = TestDirectory::new();
    let (directory, ring) = ring(&test);
    let bytes = fs::read(ring.path()).unwrap();
    fs::write(test.path().join("r-copy"), &bytes[..4096]).unwrap();
    let copy = fs::OpenOptions::new().write(true).open(test.path().join("r-copy")).unwrap();
    copy.set_len(bytes.len() as u64).unwrap();
    match refusal(&directory, "r-copy") {
        Refusal::Sparse { allocated: 4096, length } => assert_eq!(length, bytes.len() as u64),
        other => panic!("{other}"),
    }
}

#[test]
fn zeros_and_noise_are_refused() {
    let test = TestDirectory::new();
    let directory = test.open();
    fs::write(test.path().join("r-zeros"), [0; 65536]).unwrap();
    assert!(matches!(refusal(&directory, "r-zeros"), Refusal::Zeros));
    let noise: Vec<u8> =
        (0..65536u32).map(|i| (i.wrapping_mul(2654435761) >> 24) as u8 | 1).collect();
    fs::write(test.path().join("r-noise"), noise).unwrap();
    assert!(matches!(refusal(&directory, "r-noise"), Refusal::Magic { .. }));
}

#[test]
fn a_file_that_was_not_finished_is_refused() {
    assert!(matches!(refusal_with(MAGIC_AT, &[0; 8]), Refusal::Magic { came: 0, .. }));
}

#[test]
fn another_byte_order_is_named() {
    let reversed = BYTE_ORDER.swap_bytes();
    let reason = refusal_with(BYTE_ORDER_AT, &reversed.to_ne_bytes());
    assert!(matches!(reason, Refusal::ByteOrder { came, .. } if came == reversed), "{reason}");
    assert!(reason.to_string().contains("other byte order"));
}

#[test]
fn another_version_is_named() {
    for major in [0, LAYOUT_MAJOR + 1, u16::MAX] {
        let reason = refusal_with(MAJOR_AT, &major.to_le_bytes());
        let version = VersionError::Major { came: major };
        assert!(matches!(&reason, Refusal::Version(came) if *came == version), "{reason}");
        assert!(reason.to_string().contains(&format!("{major}")), "{reason}");
    }
    let reason = refusal_with(INCOMPATIBLE_AT, &(1u32 << 31).to_le_bytes());
    assert!(matches!(reason, Refusal::Version(VersionError::Incompatible { .. })), "{reason}");
}

#[test]
fn a_later_minor_version_is_read() {
    let test = TestDirectory::new();
    let (directory, ring) = ring(&test);
    let file = fs::OpenOptions::new().write(true).open(ring.path()).unwrap();
    file.write_all_at(&7u16.to_le_bytes(), 14).unwrap(); // minor
    file.write_all_at(&[0xff; 4], 20).unwrap(); // ignorable features
    file.write_all_at(&512u32.to_le_bytes(), 24).unwrap(); // header size
    file.write_all_at(&[0xff; 128], 384).unwrap(); // what it added
    RingFile::attach(&directory, ring.name()).unwrap();
}

#[test]
fn every_field_that_is_out_of_range_is_named() {
    for (at, bytes, field) in [
        (24, &[0; 4][..], "header size"),
        (28, &8192u32.to_le_bytes()[..3], "offset of the producer page"),
        (28, &1000u32.to_le_bytes(), "page size"),
        (28, &0u32.to_le_bytes(), "page size"),
        (28, &(1u32 << 20).to_le_bytes(), "page size"),
        (32, &3u32.to_le_bytes(), "kind"),
        (CAPACITY_AT, &0u32.to_le_bytes(), "capacity"),
        (CAPACITY_AT, &65535u32.to_le_bytes(), "capacity"),
        (CAPACITY_AT, &u32::MAX.to_le_bytes(), "capacity"),
        (40, &1u32.to_le_bytes(), "table length"),
        (40, &(u32::MAX - 4095).to_le_bytes(), "table length"),
        (44, &0u32.to_le_bytes(), "offset of the producer page"),
        (48, &0u32.to_le_bytes(), "offset of the consumer page"),
        (52, &u32::MAX.to_le_bytes(), "offset of the table"),
        (DATA_AT, &0u32.to_le_bytes(), "offset of the data"),
        (60, &1u32.to_le_bytes(), "offset of the owner word"),
        (80, &[0; 8], "ring id"),
        (144, &[0; 4], "pid"),
        (144, &[0xff; 4], "pid"),
        (148, &[0; 4], "tid"),
        (156, &[0; 4], "clock kind"),
        (156, &4u32.to_le_bytes(), "clock kind"),
        (WORKER_NAME_LENGTH_AT, &129u16.to_le_bytes(), "length of the worker name"),
        (162, &65u16.to_le_bytes(), "length of the process name"),
    ] {
        match refusal_with(at, bytes) {
            Refusal::Field { field: came, .. } => assert_eq!(came, field),
            other => panic!("{field}: {other}"),
        }
    }
    // Valid by itself, but not in a file of this length.
    let reason = refusal_with(CAPACITY_AT, &4096u32.to_le_bytes());
    assert!(matches!(reason, Refusal::Length { .. }), "{reason}");
}

#[test]
fn a_name_in_broken_utf8_is_repaired() {
    let test = TestDirectory::new();
    let (directory, ring) = ring(&test);
    let file = fs::OpenOptions::new().write(true).open(ring.path()).unwrap();
    file.write_all_at(&[0xff], 168).unwrap();
    let attached = RingFile::attach(&directory, ring.name()).unwrap();
    assert_eq!(attached.identity.worker_name, "\u{fffd}ataProcessor");
}

/// Attaches to these bytes, from a file.
fn attach_to(
    test: &TestDirectory,
    directory: &Directory,
    bytes: &[u8],
) -> Result<Attached, AttachError> {
    let path: &Path = &test.path().join("r-any");
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
    RingFile::attach(directory, "r-any".as_ref())
}

proptest! {
    #[test]
    fn no_bytes_make_decoding_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..600),
        length in prop_oneof![any::<u64>(), MIN_FILE..MAX_FILE],
        with_magic: bool,
    ) {
        if with_magic && bytes.len() >= 16 {
            bytes[..8].copy_from_slice(&MAGIC.to_le_bytes());
            bytes[8..12].copy_from_slice(&BYTE_ORDER.to_ne_bytes());
            bytes[12..16].copy_from_slice(&[1, 0, 0, 0]);
        }
        let _ = RingIdentity::decode(&bytes, length);
    }

    #[test]
    fn a_mutated_header_is_refused_or_yields_a_ring_that_fits_its_file(
        mutations in proptest::collection::vec((0..HEADER_SIZE, any::<u8>()), 1..4),
        length in prop_oneof![Just(12288 + 8192 + 65536), 0..200_000usize],
    ) {
        let test = TestDirectory::new();
        let (directory, ring) = ring(&test);
        let mut bytes = fs::read(ring.path()).unwrap();
        for (at, byte) in mutations {
            bytes[at] = byte;
        }
        bytes.resize(length, 0);
        if let Ok(attached) = attach_to(&test, &directory, &bytes) {
            let storage = attached.storage;
            let (data, table) = (storage.data().length(), storage.table().length());
            assert!(data.is_power_of_two());
            assert!(3 * 4096 + u64::from(data) + u64::from(table) <= length as u64);
            let mut last = [std::mem::MaybeUninit::uninit(); 8];
            // SAFETY: the last 8 bytes of the data, which nobody writes.
            unsafe { storage.data().read(data as usize - 8, &mut last) };
        }
    }

    #[test]
    fn what_is_encoded_is_decoded(
        ring_id in 1..u64::MAX,
        numbers: [u64; 6],
        pid in 1..=i32::MAX as u32,
        tid in 1..=i32::MAX as u32,
        time_offset_ns: i64,
        uid: u32,
        boot_id: [u8; 16],
        worker_name in "\\PC{0,32}",
        process_name in "[a-z é-]{0,30}",
        capacity in 12..20u32,
        table in 0..64u32,
    ) {
        use crate::ring_file::identity_page::BirthAnchor;
        use crate::ring_file::layout::Offsets;
        let [worker_id, start_time, pid_namespace, ticks, monotonic_ns, wall_ns] = numbers;
        let offsets = Offsets::new(rustix::param::page_size() as u32, table * 4096, 1 << capacity);
        let process = ProcessIdentity {
            boot_id, pid, start_time, pid_namespace, time_offset_ns, uid, process_name,
        };
        let identity = RingIdentity {
            ring_id, worker_id, kind: RingKind::Keeper, capacity: 1 << capacity,
            table_length: table * 4096, tid, clock: ClockKind::Cntvct,
            birth: BirthAnchor { ticks, monotonic_ns, wall_ns }, worker_name, process,
        };
        let mut page = identity.encode(&offsets);
        page[..8].copy_from_slice(&MAGIC.to_le_bytes());
        let (decoded, at) = RingIdentity::decode(&page, offsets.end()).unwrap();
        prop_assert_eq!(decoded, identity);
        prop_assert_eq!(at, offsets);
    }
}
