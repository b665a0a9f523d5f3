//! Shared memory that is full, or nearly.

use std::fs;

use millpond_linux::{LoggerConfig, MasterLogger, WorkerLogger};

use super::support::{PATIENCE, Place, SmallTmpfs, eventually, master};
use super::{Healthy, check_books};

/// Fills the file system up to `left` bytes; remove the file to make room.
fn fill(place: &Place, left: usize) {
    let path = place.pond().join("filler");
    let _ = fs::remove_file(&path);
    let mut length = free(place).saturating_sub(left);
    while fs::write(&path, vec![1; length]).is_err() {
        length -= 4096;
    }
}

fn free(place: &Place) -> usize {
    let free = rustix::fs::statvfs(place.pond()).unwrap();
    (free.f_bavail * free.f_frsize) as usize
}

fn ring_sizes(place: &Place) -> Vec<u64> {
    let rings = place.names(&["r-"]);
    let length = |name: &String| fs::metadata(place.pond().join(name)).unwrap().len();
    rings.iter().map(length).collect()
}

#[test]
fn nobody_starts_without_any_room_and_the_error_says_what_is_needed() {
    let Some(tmpfs) = SmallTmpfs::new("1M") else { return };
    fill(tmpfs.place(), 0);
    let config = tmpfs.place().config();
    let worker = WorkerLogger::new(config.clone(), "w").unwrap_err().to_string();
    let master = MasterLogger::new(config.clone(), vec![]).unwrap_err().to_string();
    assert!(worker.contains("bytes are needed and 0 are free"), "{worker}");
    assert!(worker.contains("--shm-size"), "{worker}");
    assert!(master.contains("No space left on device"), "{master}");
    assert!(master.contains("look at the free space"), "{master}");
    fs::remove_file(tmpfs.place().pond().join("filler")).unwrap();
    let (master, lines) = super::support::master(&config);
    Healthy::new(&config).check(&lines);
    check_books(&master);
}

#[test]
fn a_worker_takes_a_smaller_ring_where_room_is_short() {
    let Some(tmpfs) = SmallTmpfs::new("4M") else { return };
    let place = tmpfs.place();
    let (master, lines) = master(&place.config());
    let mut healthy = Healthy::new(&place.config());
    let late = WorkerLogger::new(place.config(), "late").unwrap();
    fill(place, 24 * 1024);
    healthy.check(&lines);
    let sizes = ring_sizes(place);
    assert!(sizes.iter().all(|size| *size <= 24 * 1024) && !sizes.is_empty(), "{sizes:?}");

    // And with no room at all: counted, and everybody else is served.
    fill(place, 0);
    late.info("lost");
    late.error("lost too");
    assert_eq!(late.refused(), 2);
    healthy.check(&lines);

    // When there is room again, the loss is shown.
    fs::remove_file(place.pond().join("filler")).unwrap();
    eventually("it has a ring", || {
        late.warning("found room");
        late.refused() == 0
    });
    late.flush(PATIENCE).unwrap();
    lines.wait_for("late: found room");
    assert!(lines.wait_for(" records lost ").contains("1 INFO"), "{:?}", lines.all());
    check_books(&master);
}

#[test]
fn a_hundred_threads_share_64_megabytes() {
    const THREADS: usize = 100;
    let Some(tmpfs) = SmallTmpfs::new("64M") else { return };
    let place = tmpfs.place();
    let (master, lines) = master(&place.config());
    let mut healthy = Healthy::new(&place.config());
    healthy.check(&lines);
    let config = LoggerConfig { max_rings: 2 * THREADS, ..place.config() };
    let worker = WorkerLogger::new(config, "crowd").unwrap();
    let barrier = std::sync::Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (worker, barrier) = (&worker, &barrier);
            scope.spawn(move || {
                for number in 0..10 {
                    worker.info(&format!("{thread} {number}"));
                }
                barrier.wait(); // so that no ring is handed on
            });
        }
    });
    worker.flush(PATIENCE).unwrap();
    assert_eq!(worker.refused(), 0);
    assert_eq!(lines.of("crowd").len(), 10 * THREADS, "{:?}", master.report());
    let rings = ring_sizes(place);
    assert!(rings.len() > THREADS, "{}", rings.len());
    assert!(rings.iter().max() > rings.iter().min(), "all as large: {rings:?}");
    assert!(free(place) > 0);
    healthy.check(&lines);
    check_books(&master);
}
