//! Files in the directory that are no rings of ours.

use std::os::unix::fs::{FileExt, chown, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use millpond_linux::WorkerLogger;
use millpond_linux::ring_file::BirthAnchor;

use super::ring_file::{
    BOOT_ID, BYTE_ORDER, CAPACITY, CLOCK_KIND, Forged, INCOMPATIBLE, MAJOR, PAGE_SIZE, Scribbler,
    good, put,
};
use super::support::{Lines, Place, eventually, is_root, master};
use super::{Healthy, check_books};

/// A wall clock that is stepped a little meanwhile is no lie of ours.
const SLACK_NS: i64 = 500_000_000;

const BIRTH: BirthAnchor = BirthAnchor { ticks: 0, monotonic_ns: 0, wall_ns: 0 };

/// A good ring file with other bytes at one place.
fn spoiled(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = good("spoiled", BIRTH);
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

/// Puts something into the directory, and what the line about it says.
fn bad_files(pond: &Path) -> Vec<(&'static str, &'static str)> {
    let whole = good("spoiled", BIRTH);
    let noise: Vec<u8> =
        (0..32768u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let bytes: [(&str, Vec<u8>, &str); 12] = [
        ("r-cut", whole[..whole.len() - 4096].to_vec(), "bytes long; expected"),
        ("r-short", whole[..100].to_vec(), "it is 100 bytes long; expected"),
        ("r-empty", Vec::new(), "it is 0 bytes long; expected"),
        ("r-version", spoiled(MAJOR, &[9, 0]), "layout version 9 cannot be read: expected 1 to 1"),
        ("r-feature", spoiled(INCOMPATIBLE, &[64]), "feature bits 0x40 are unknown"),
        ("r-order", spoiled(BYTE_ORDER, &0x0403_0201u32.to_ne_bytes()), "other byte order"),
        ("r-page", spoiled(PAGE_SIZE, &1000u32.to_le_bytes()), "page size = 1000; expected"),
        ("r-capacity", spoiled(CAPACITY, &5000u32.to_le_bytes()), "capacity = 5000; expected"),
        ("r-clock", spoiled(CLOCK_KIND, &77u32.to_le_bytes()), "clock kind = 77; expected"),
        ("r-arm", spoiled(CLOCK_KIND, &3u32.to_le_bytes()), "its stamps are ticks of Cntvct"),
        ("r-zeros", vec![0; 32768], "its header is all zeros"),
        ("w-noise", noise, "the mark of this kind of file"),
    ];
    let mut bad = Vec::new();
    for (name, bytes, says) in bytes {
        put(pond, name, &bytes);
        bad.push((name, says));
    }

    let at = |name: &str| pond.join(name);
    let sparse = std::fs::File::create(at(".sparse")).unwrap();
    sparse.set_len(whole.len() as u64).unwrap();
    sparse.write_all_at(&whole[..4096], 0).unwrap();
    std::fs::rename(at(".sparse"), at("r-sparse")).unwrap();
    symlink(at("r-cut"), at("r-link")).unwrap();
    std::fs::create_dir(at("r-directory")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("r-fifo"), rustix::fs::Mode::RUSR).unwrap();
    std::os::unix::net::UnixListener::bind(at("r-socket")).unwrap();
    std::fs::write(at(".linked"), &whole).unwrap();
    std::fs::hard_link(at(".linked"), at("r-hard")).unwrap();
    bad.extend([
        ("r-sparse", "bytes are allocated; expected all"),
        ("r-link", "it is a symbolic link; expected a regular file"),
        ("r-directory", "it is a directory; expected a regular file"),
        ("r-fifo", "it is a FIFO; expected a regular file"),
        ("r-socket", "it is a socket; expected a regular file"),
        ("r-hard", "it has 2 names (hard links); expected 1"),
    ]);
    if is_root() {
        put(pond, "not-mine", &whole);
        chown(at("not-mine"), Some(12345), None).unwrap();
        std::fs::rename(at("not-mine"), at("r-theirs")).unwrap();
        bad.push(("r-theirs", "it belongs to user 12345; expected user 0"));
        let made = Command::new("mknod").arg(at("r-device")).args(["c", "1", "3"]).status();
        if made.is_ok_and(|status| status.success()) {
            bad.push(("r-device", "it is a character device; expected a regular file"));
        }
    }
    bad
}

/// Makes the master list the directory `times` more: each time it says so of a new bad file.
fn scan_again(pond: &Path, lines: &Lines, times: usize) {
    for number in 0..times {
        let name = format!("r-probe-{number}");
        put(pond, &name, b"probe");
        lines.wait_for(&format!("/{name}`"));
    }
}

#[test]
fn each_bad_file_is_named_once_and_disturbs_nobody() {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let mut healthy = Healthy::new(&place.config());
    healthy.check(&lines);
    let bad = bad_files(&place.pond());
    for (name, says) in &bad {
        let line = lines.wait_for(name);
        assert!(line.starts_with("MASTER: "), "{line}");
        assert!(line.contains(says), "{name}: {says:?} is not in {line:?}");
        healthy.check(&lines);
    }
    scan_again(&place.pond(), &lines, 3);
    for (name, says) in &bad {
        let said = lines.all().iter().filter(|l| l.contains(name) && l.contains(says)).count();
        assert_eq!(said, 1, "{name}: {:#?}", lines.all());
        assert!(place.pond().join(name).symlink_metadata().is_ok(), "{name} was removed");
    }
    healthy.check(&lines);
    check_books(&master);
}

#[test]
fn bad_files_that_are_there_before_the_master_are_named_as_well() {
    let place = Place::new();
    let mut healthy = Healthy::new(&place.config());
    let bad = bad_files(&place.pond());
    let (master, lines) = master(&place.config());
    for (name, says) in bad {
        assert!(lines.wait_for(name).contains(says), "{name}");
    }
    healthy.check(&lines);
    check_books(&master);
}

#[test]
fn a_ring_is_drained_when_the_reason_against_it_is_gone() {
    let place = Place::new();
    // Linked before any master can look at it.
    let worker = WorkerLogger::new(place.config(), "linked").unwrap();
    worker.info("behind a hard link");
    let [ring] = &place.names(&["r-"])[..] else { panic!("one ring expected") };
    let link = place.pond().join("second name");
    std::fs::hard_link(place.pond().join(ring), &link).unwrap();

    let (master, lines) = master(&place.config());
    lines.wait_for("it has 2 names (hard links); expected 1");
    assert!(lines.of("linked").is_empty());
    std::fs::remove_file(link).unwrap();
    lines.wait_for("linked: behind a hard link");
    worker.shutdown();
    check_books(&master);
}

#[test]
fn a_copy_of_a_ring_is_not_drained_twice() {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let mut healthy = Healthy::new(&place.config());
    healthy.check(&lines);
    let rings = place.names(&["r-"]);
    for (number, ring) in rings.iter().enumerate() {
        let bytes = std::fs::read(place.pond().join(ring)).unwrap();
        put(&place.pond(), &format!("r-copy-{number}"), &bytes);
        lines.wait_for(&format!("ignored a second file of a ring: r-copy-{number}"));
    }
    healthy.check(&lines);
    assert_eq!(lines.count("healthy: 0"), 1);
    check_books(&master);
}

/// A ring of a process that ended with an earlier boot: on a disk, it may still be there.
#[test]
fn a_ring_of_an_earlier_boot_is_drained_and_buried() {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let mut healthy = Healthy::new(&place.config());
    let mut ring = good("before the reboot", BIRTH);
    ring[BOOT_ID..BOOT_ID + 16].copy_from_slice(&[7; 16]);
    put(&place.pond(), "r-old", &ring);
    lines.wait_for("Worker before the reboot is dead: pid ");
    eventually("it is removed", || place.names(&["r-old"]).is_empty());
    healthy.check(&lines);
    check_books(&master);
}

/// The same of a keeper, whose owner word nobody has marked.
#[test]
fn a_worker_of_an_earlier_boot_is_dead_whatever_its_owner_word_says() {
    let place = Place::new();
    let worker = WorkerLogger::new(place.config(), "before the reboot").unwrap();
    worker.info("last words");
    let files = place.names(&["r-", "w-"]);
    for name in &files {
        // The worker lives and has the original; this is what a power failure would leave.
        let mut bytes = std::fs::read(place.pond().join(name)).unwrap();
        bytes[BOOT_ID..BOOT_ID + 16].copy_from_slice(&[7; 16]);
        put(&place.pond(), name, &bytes);
    }
    let (master, lines) = master(&place.config());
    lines.wait_for("before the reboot: last words");
    lines.wait_for("Worker before the reboot is dead");
    eventually("its files are removed", || {
        let left = place.names(&["r-", "w-"]);
        !files.iter().any(|file| left.contains(file))
    });
    check_books(&master);
}

#[test]
fn a_lie_about_the_birth_disturbs_no_stamps() {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let mut healthy = Healthy::new(&place.config());
    let now = millpond_std::SystemClock::detect().now();
    // As if one tick took an hour, and as if all since the start of the machine took none.
    for (ticks, monotonic_ns) in [(now - 1, 1), (1, millpond_std::monotonic_ns() - 1)] {
        let birth = BirthAnchor { ticks, monotonic_ns, wall_ns: 5 };
        let name = format!("r-{ticks}");
        put(&place.pond(), &name, &good("liar", birth));
        Scribbler::open(&place.pond().join(name)).publish(&Forged::text("adopted"));
    }
    lines.wait_for("liar: ");
    // Drained long after it was logged: what a tick is said to last shows.
    let wall = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
    let before = wall();
    healthy.check(&lines);
    let stamp = lines.wait_for_line("healthy: 0").timestamp_ns;
    let range = before - SLACK_NS..=wall() + SLACK_NS;
    assert!(range.contains(&stamp), "{stamp} is not in {range:?}");
    master.shutdown().unwrap();
}
