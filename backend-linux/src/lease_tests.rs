//! One master at a time, whatever the others do.
#![allow(unsafe_code)] // a helper forks

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::*;
use crate::testing::{Helper, TestDirectory, eventually, role, say, wait_for_parent};

#[test]
fn a_second_master_is_told_who_the_first_is() {
    let test = TestDirectory::new();
    let directory = test.open();
    assert!(!Lease::is_held(&directory));
    let lease = Lease::acquire(&directory).unwrap();
    assert!(Lease::is_held(&directory));
    assert!(lease.is_current(&directory));

    let start = Instant::now();
    let error = Lease::acquire(&test.open()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LeaseHeld);
    let us = format!("process {} is the master", std::process::id());
    assert!(error.to_string().contains(&us), "{error}");
    assert!(start.elapsed() < PROBES, "a master was waited for as if it were a probe");

    drop(lease);
    assert!(!Lease::is_held(&directory));
    drop(Lease::acquire(&directory).unwrap());
    assert_eq!(test.names(), [NAME]);
}

#[test]
fn workers_that_probe_all_the_time_do_not_keep_a_master_away() {
    let test = TestDirectory::new();
    drop(Lease::acquire(&test.open()).unwrap()); // makes the file
    let end = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let directory = test.open();
            while !end.load(Ordering::Relaxed) {
                Lease::is_held(&directory);
            }
        });
        let outcomes: Vec<_> = (0..50).map(|_| Lease::acquire(&test.open())).collect();
        end.store(true, Ordering::Relaxed);
        // All but the first find a master: the first lease is alive in the vector.
        let held = |r: &Result<Lease, Error>| {
            r.as_ref().is_err_and(|e| e.to_string().contains("is the master"))
        };
        assert!(outcomes[0].is_ok(), "{:?}", outcomes[0]);
        assert!(outcomes[1..].iter().all(held));
    });
}

#[test]
fn a_lock_held_by_probes_alone_is_waited_for() {
    let test = TestDirectory::new();
    let directory = test.open();
    drop(Lease::acquire(&directory).unwrap());
    let (probe, _) = open_existing(&directory, NAME.as_ref(), OFlags::RDONLY).unwrap();
    flock(&probe, FlockOperation::NonBlockingLockShared).unwrap();
    let start = Instant::now();
    let error = Lease::acquire(&directory).unwrap_err();
    assert!(start.elapsed() >= PROBES);
    assert!(error.to_string().contains("keep asking"), "{error}");
    drop(probe);
    Lease::acquire(&directory).unwrap();
}

#[test]
fn what_is_no_lock_file_is_refused() {
    let test = TestDirectory::new();
    let directory = test.open();
    symlink("/etc/passwd", test.path().join(NAME)).unwrap();
    let error = Lease::acquire(&directory).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Foreign);
    assert!(error.to_string().contains("symbolic link"), "{error}");
    assert!(!Lease::is_held(&directory));
}

#[test]
fn whatever_stands_in_the_file_the_lock_decides() {
    let test = TestDirectory::new();
    let directory = test.open();
    for text in
        ["", "pid x", "pid 1 start 2", "\u{0}\u{ff}", "pid 99999999999 start 0 namespace 0 boot 0"]
    {
        fs::write(test.path().join(NAME), text).unwrap();
        assert!(!Lease::is_held(&directory));
        let lease = Lease::acquire(&directory).unwrap();
        fs::write(test.path().join(NAME), text).unwrap();
        assert!(Lease::is_held(&directory), "{text:?}");
        assert_eq!(Lease::acquire(&directory).unwrap_err().kind(), ErrorKind::LeaseHeld);
        drop(lease);
    }
}

#[test]
fn a_removed_lock_file_is_noticed() {
    let test = TestDirectory::new();
    let directory = test.open();
    let lease = Lease::acquire(&directory).unwrap();
    fs::remove_file(test.path().join(NAME)).unwrap();
    assert!(!lease.is_current(&directory));
    let second = Lease::acquire(&directory).unwrap();
    assert!(second.is_current(&directory));
    assert!(!lease.is_current(&directory));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = Holder::parse(&text);
    }
}

#[test]
fn what_is_written_is_read() {
    let file: OwnedFd = tempfile::tempfile().unwrap().into();
    let us = Holder::this_process().unwrap();
    write_holder(&file, &us).unwrap();
    assert_eq!(read_holder(&file).unwrap(), us);
    assert_eq!(us.is_alive(), Some(true));
    assert_eq!(Holder { start_time: us.start_time + 1, ..us }.is_alive(), Some(false));
}

/// The parts that the helper process plays.
#[test]
fn helper_process() {
    let Some((role, place)) = role() else { return };
    let lease = Lease::acquire(&Directory::open(&place).unwrap()).unwrap();
    match role.as_str() {
        "hold" => {
            say("master");
            wait_for_parent();
        }
        "fork" => {
            // SAFETY: the child calls nothing but functions that are allowed after fork.
            let child = unsafe { libc::fork() };
            if child == 0 {
                drop(lease); // must not end the parent's
                // SAFETY: ends the child without running anything else.
                unsafe { libc::_exit(0) };
            }
            // SAFETY: waits for a child of ours.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            // SAFETY: as above; this child only waits.
            let child = unsafe { libc::fork() };
            if child == 0 {
                loop {
                    // SAFETY: no arguments.
                    unsafe { libc::pause() };
                }
            }
            say(child);
            wait_for_parent();
        }
        other => panic!("unknown part {other}"),
    }
}

#[test]
fn a_killed_master_gives_the_lease_back() {
    let test = TestDirectory::new();
    let directory = test.open();
    let mut helper = Helper::start(module_path!(), "hold", test.path());
    helper.hears();
    assert!(Lease::is_held(&directory));
    let error = Lease::acquire(&directory).unwrap_err();
    assert!(error.to_string().contains(&format!("process {}", helper.pid())), "{error}");
    helper.kill();
    assert!(!Lease::is_held(&directory));
    Lease::acquire(&directory).unwrap();
}

#[test]
fn a_forked_child_of_a_dead_master_is_told_from_a_master() {
    let test = TestDirectory::new();
    let directory = test.open();
    let mut helper = Helper::start(module_path!(), "fork", test.path());
    let child: i32 = helper.hears().parse().unwrap();
    assert!(Lease::is_held(&directory)); // though one child has dropped its copy
    helper.kill();
    assert!(!Lease::is_held(&directory));
    let error = Lease::acquire(&directory).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LeaseHeld);
    assert!(error.to_string().contains("a child of the master"), "{error}");
    let child = Pid::from_raw(child).unwrap();
    rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
    eventually("the child is gone", || Lease::acquire(&directory).is_ok());
}
