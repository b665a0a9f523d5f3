//! The word, held by threads and processes that end in every way there is.
#![allow(unsafe_code)] // a helper forks

use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::Signal;

use super::*;
use crate::directory::Directory;
use crate::identity::ProcessIdentity;
use crate::ring_file::{Attached, BirthAnchor, ClockKind, RingFile, RingKind, RingSpec};
use crate::testing::{Helper, TestDirectory, eventually, role, say, wait_for_parent};

fn keeper(directory: &Directory) -> RingFile {
    let identity = ProcessIdentity::of_this_process().unwrap();
    RingFile::create(
        directory,
        &RingSpec {
            kind: RingKind::Keeper,
            capacity: 4096,
            table_length: 0,
            worker_id: 1,
            worker_name: "w",
            identity: &identity,
            tid: gettid().as_raw_pid() as u32,
            clock_kind: ClockKind::MonotonicNs,
            birth: BirthAnchor::default(),
        },
    )
    .unwrap()
}

fn own_tid() -> u32 {
    gettid().as_raw_pid() as u32
}

#[test]
fn every_word_means_something() {
    assert_eq!(decode(0), OwnerState::Unheld);
    assert_eq!(decode(futex::WAITERS), OwnerState::Unheld);
    assert_eq!(decode(7), OwnerState::Held { tid: 7 });
    assert_eq!(decode(futex::WAITERS | 7), OwnerState::Held { tid: 7 });
    assert_eq!(decode(futex::OWNER_DIED), OwnerState::Died);
    assert_eq!(decode(u32::MAX), OwnerState::Died);
}

#[test]
fn taking_and_releasing_leaves_the_thread_as_it_was() {
    let test = TestDirectory::new();
    let ring = keeper(&test.open());
    let before = robust_list().unwrap();
    for _ in 0..3 {
        let guard = OwnerWord::take_on_this_thread(ring.storage()).unwrap();
        let word = ring.storage().owner_word();
        assert_eq!(word.state(), OwnerState::Held { tid: own_tid() });
        assert_ne!(robust_list().unwrap().head, before.head);
        drop(guard);
        assert_eq!(word.state(), OwnerState::Unheld);
        assert_eq!(robust_list().unwrap().head, before.head);
    }
}

#[test]
fn a_word_has_one_owner_and_a_thread_one_word() {
    let test = TestDirectory::new();
    let directory = test.open();
    let (mut first, second) = (keeper(&directory), keeper(&directory));
    first.publish().unwrap();
    let guard = OwnerWord::take_on_this_thread(first.storage()).unwrap();
    let error = OwnerWord::take_on_this_thread(second.storage()).unwrap_err();
    assert!(error.to_string().contains("owns another word"), "{error}");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let error = OwnerWord::take_on_this_thread(first.storage()).unwrap_err();
            assert!(error.to_string().contains("is held"), "{error}");
        });
    });
    drop(guard);
    let attached = RingFile::attach(&directory, first.name()).unwrap();
    let error = OwnerWord::take_on_this_thread(&attached.storage).unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Argument);
    drop(OwnerWord::take_on_this_thread(second.storage()).unwrap());
}

#[test]
fn a_thread_that_ends_without_releasing_is_dead() {
    let test = TestDirectory::new();
    let ring = keeper(&test.open());
    let word = ring.storage().owner_word();
    std::thread::scope(|scope| {
        let storage = ring.storage();
        scope.spawn(move || std::mem::forget(OwnerWord::take_on_this_thread(storage).unwrap()));
    });
    // A scope ends when the closure does, which is a moment before the kernel's thread does.
    eventually("the word is marked", || word.state() == OwnerState::Died);
    assert!(OwnerWord::take_on_this_thread(ring.storage()).is_err());
}

#[test]
fn a_thread_that_releases_is_not_dead() {
    let test = TestDirectory::new();
    let ring = keeper(&test.open());
    let storage = ring.storage().clone();
    let thread = std::thread::spawn(move || {
        let _guard = OwnerWord::take_on_this_thread(&storage).unwrap();
    });
    thread.join().unwrap();
    assert_eq!(ring.storage().owner_word().state(), OwnerState::Unheld);
}

/// The parts that the helper process plays.
#[test]
fn helper_process() {
    let Some((role, place)) = role() else { return };
    let directory = Directory::open(&place).unwrap();
    let mut ring = keeper(&directory);
    let guard = OwnerWord::take_on_this_thread(ring.storage()).unwrap();
    ring.publish().unwrap();
    match role.as_str() {
        "wait" => {
            say(ring.name().to_str().unwrap());
            wait_for_parent();
            std::mem::forget(guard); // as if nobody had thought of it
            std::process::exit(0);
        }
        "exec" => {
            // As in a worker: a thread of ours holds the word, and another one execs.
            drop(guard);
            std::thread::scope(|scope| {
                let storage = ring.storage();
                let (taken, ready) = std::sync::mpsc::channel();
                scope.spawn(move || {
                    let _guard = OwnerWord::take_on_this_thread(storage).unwrap();
                    taken.send(()).unwrap();
                    loop {
                        std::thread::park();
                    }
                });
                ready.recv().unwrap();
                say(ring.name().to_str().unwrap());
                wait_for_parent();
                panic!("exec failed: {}", Command::new("sleep").arg("600").exec());
            });
        }
        "fork" => {
            // SAFETY: the child calls nothing but functions that are allowed after fork.
            let child = unsafe { libc::fork() };
            if child == 0 {
                drop(guard); // must not touch the parent's word
                // SAFETY: ends the child without running anything else.
                unsafe { libc::_exit(0) };
            }
            let mut status = 0;
            // SAFETY: waits for a child of ours; `status` is an int.
            unsafe { libc::waitpid(child, &mut status, 0) };
            assert_eq!(status, 0, "the child ended badly");
            // SAFETY: as above; this child only waits.
            if unsafe { libc::fork() } == 0 {
                say_raw("forked\n");
                loop {
                    // SAFETY: no arguments.
                    unsafe { libc::pause() };
                }
            }
            say(ring.name().to_str().unwrap());
            wait_for_parent();
        }
        other => panic!("unknown part {other}"),
    }
}

fn say_raw(text: &str) {
    let _ = rustix::io::write(std::io::stderr(), text.as_bytes());
}

fn start(role: &str, test: &TestDirectory) -> (Helper, Attached) {
    let mut helper = Helper::start(module_path!(), role, test.path());
    let name = helper.hears();
    let attached = RingFile::attach(&test.open(), name.as_ref()).unwrap();
    assert_eq!(attached.identity.process.pid, helper.pid());
    assert!(matches!(attached.owner.state(), OwnerState::Held { .. }));
    (helper, attached)
}

#[test]
fn a_killed_process_is_dead() {
    let test = TestDirectory::new();
    let (mut helper, attached) = start("wait", &test);
    helper.kill();
    assert_eq!(attached.owner.state(), OwnerState::Died);
}

#[test]
fn a_process_killed_in_another_pid_namespace_is_dead() {
    let test = TestDirectory::new();
    let Some(mut helper) = Helper::unshared(&["--pid"], module_path!(), "wait", test.path()) else {
        return;
    };
    let name = helper.hears();
    let attached = RingFile::attach(&test.open(), name.as_ref()).unwrap();
    let us = ProcessIdentity::of_this_process().unwrap();
    assert!(!us.sees_pids_of(&attached.identity.process));
    assert_eq!(attached.identity.process.pid, 1);
    assert!(matches!(attached.owner.state(), OwnerState::Held { tid: 1..100 }));
    helper.kill(); // the first process of the namespace follows
    eventually("the word is marked", || attached.owner.state() == OwnerState::Died);
}

#[test]
fn a_process_that_exits_without_releasing_is_dead() {
    let test = TestDirectory::new();
    let (mut helper, attached) = start("wait", &test);
    helper.wait();
    assert_eq!(attached.owner.state(), OwnerState::Died);
}

#[test]
fn a_process_that_execs_is_dead() {
    let test = TestDirectory::new();
    let (mut helper, attached) = start("exec", &test);
    helper.release();
    eventually("exec marks the word", || attached.owner.state() == OwnerState::Died);
    let name = format!("/proc/{}/comm", helper.pid());
    eventually("it is another program", || std::fs::read_to_string(&name).unwrap() == "sleep\n");
}

#[test]
fn a_stopped_process_is_alive() {
    let test = TestDirectory::new();
    let (mut helper, attached) = start("wait", &test);
    let held = attached.owner.state();
    helper.signal(Signal::STOP);
    let stat = format!("/proc/{}/stat", helper.pid());
    eventually("it is stopped", || std::fs::read_to_string(&stat).unwrap().contains(") T "));
    assert_eq!(attached.owner.state(), held);
    helper.signal(Signal::CONT);
    assert_eq!(attached.owner.state(), held);
    helper.kill();
    assert_eq!(attached.owner.state(), OwnerState::Died);
}

#[test]
fn neither_the_death_nor_the_life_of_a_forked_child_is_the_owners() {
    let test = TestDirectory::new();
    let (mut helper, attached) = start("fork", &test);
    // One child has ended, another one lives.
    assert!(matches!(attached.owner.state(), OwnerState::Held { .. }));
    let child = children(helper.pid());
    helper.kill();
    assert_eq!(attached.owner.state(), OwnerState::Died);
    for pid in child {
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, Signal::KILL).unwrap();
    }
}

/// The children of the only thread that forks in the helper.
fn children(pid: u32) -> Vec<i32> {
    let mut all = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let path = task.unwrap().path().join("children");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        all.extend(text.split_whitespace().map(|pid| pid.parse::<i32>().unwrap()));
    }
    all
}
