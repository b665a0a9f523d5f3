//! What the next master finds, after a good end, a kill, a reboot, or something else altogether.

use std::fs;
use std::os::unix::fs::{FileExt, symlink};

use super::*;
use crate::testing::{Helper, SmallTmpfs, TestDirectory, role, say};

fn progress(n: u64) -> Progress {
    Progress { released: n, delivered: n + 1, filtered: n + 2, quarantined: n + 3 }
}

#[test]
fn what_one_master_sets_the_next_one_gets() {
    let test = TestDirectory::new();
    let mut first = Checkpoint::open(&test.open()).unwrap();
    assert_eq!(first.warnings(), [""; 0]);
    let mut slot = first.slot(7).unwrap();
    assert_eq!((slot.ring_id(), slot.get()), (7, Progress::default()));
    for n in 0..5 {
        slot.set(progress(n));
        assert_eq!(slot.get(), progress(n));
    }
    first.slot(8).unwrap().set(progress(100));
    drop((first, slot));

    let mut second = Checkpoint::open(&test.open()).unwrap();
    assert_eq!(second.warnings(), [""; 0]);
    assert_eq!(second.slot(7).unwrap().get(), progress(4));
    assert_eq!(second.slot(8).unwrap().get(), progress(100));
    assert_eq!(second.ring_ids().collect::<Vec<_>>(), [7, 8]);
    assert_eq!(test.names(), ["checkpoint"]);
}

#[test]
fn a_forgotten_ring_leaves_nothing_to_the_next() {
    let test = TestDirectory::new();
    let mut checkpoint = Checkpoint::open(&test.open()).unwrap();
    let mut old = checkpoint.slot(7).unwrap();
    old.set(progress(1));
    old.set(progress(2));
    assert!(checkpoint.forget(7));
    assert!(!checkpoint.forget(7));
    assert!(!checkpoint.forget(0));
    old.set(progress(3));
    let new = checkpoint.slot(8).unwrap();
    assert_eq!(new.index, old.index);
    old.set(progress(4));
    assert_eq!(new.get(), Progress::default());
}

#[test]
fn there_is_room_for_so_many_rings_and_no_more() {
    let test = TestDirectory::new();
    let mut checkpoint = Checkpoint::open(&test.open()).unwrap();
    assert!(checkpoint.slot(0).is_none());
    for ring_id in 1..=SLOTS as u64 {
        checkpoint.slot(ring_id).unwrap().set(progress(ring_id));
    }
    assert!(checkpoint.slot(u64::MAX).is_none());
    assert_eq!(checkpoint.slot(SLOTS as u64).unwrap().get(), progress(SLOTS as u64));
    assert!(checkpoint.forget(5));
    assert_eq!(checkpoint.slot(u64::MAX).unwrap().get(), Progress::default());
}

#[test]
fn what_is_no_checkpoint_of_this_boot_is_set_aside() {
    let test = TestDirectory::new();
    let directory = test.open();
    drop(Checkpoint::open(&directory).unwrap());
    let path = test.path().join("checkpoint");
    let good = fs::read(&path).unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut all = good.clone();
        all[at..at + bytes.len()].copy_from_slice(bytes);
        all
    };
    let mut expected = vec!["checkpoint".to_string()];
    for (number, (bytes, word)) in [
        (vec![], "0 bytes long"),
        (vec![0; good.len()], "zeros"),
        (good[..good.len() - 1].to_vec(), "bytes long"),
        (with(12, &[2]), "layout version 2"),
        (with(24, &[0; 4]), "slots = 0"),
        (with(28, &[64]), "slot size = 64"),
        (with(32, &[0; 16]), "boot id = 00000000000000000000000000000000"),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(&path, &bytes).unwrap();
        let mut checkpoint = Checkpoint::open(&directory).unwrap();
        let [warning] = checkpoint.warnings() else { panic!("{:?}", checkpoint.warnings()) };
        let warning = warning.clone();
        assert!(warning.contains(word), "{warning}");
        assert_eq!(checkpoint.slot(1).unwrap().get(), Progress::default());
        let aside = format!("checkpoint.bad-{}", number + 1);
        assert!(warning.contains(&aside), "{warning}");
        assert_eq!(fs::read(test.path().join(&aside)).unwrap(), bytes);
        expected.push(aside);
        assert_eq!(test.names(), expected);
    }
    // The last one gives way.
    for contents in ["eight", "nine"] {
        fs::write(&path, contents).unwrap();
        Checkpoint::open(&directory).unwrap();
        assert_eq!(fs::read_to_string(test.path().join("checkpoint.bad-8")).unwrap(), contents);
    }
}

#[test]
fn what_is_no_file_is_set_aside_and_not_followed() {
    let test = TestDirectory::new();
    let directory = test.open();
    let target = test.path().join("target");
    fs::write(&target, "precious").unwrap();
    symlink(&target, test.path().join("checkpoint")).unwrap();
    let checkpoint = Checkpoint::open(&directory).unwrap();
    assert!(checkpoint.warnings()[0].contains("symbolic link"), "{:?}", checkpoint.warnings());
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");

    fs::remove_file(test.path().join("checkpoint")).unwrap();
    fs::create_dir(test.path().join("checkpoint")).unwrap();
    let checkpoint = Checkpoint::open(&directory).unwrap();
    assert!(checkpoint.warnings()[0].contains("directory"), "{:?}", checkpoint.warnings());
}

#[test]
fn arbitrary_slots_are_read_without_harm() {
    let test = TestDirectory::new();
    let directory = test.open();
    drop(Checkpoint::open(&directory).unwrap());
    let file = fs::OpenOptions::new().write(true).open(test.path().join("checkpoint")).unwrap();
    file.write_all_at(&vec![0xff; SLOTS * 128], HEADER as u64).unwrap();
    let mut checkpoint = Checkpoint::open(&directory).unwrap();
    assert!(checkpoint.slot(1).is_none());
    let mut slot = checkpoint.slot(u64::MAX).unwrap();
    assert_eq!(slot.get().released, u64::MAX);
    slot.set(progress(1)); // the turn wraps
    assert_eq!(slot.get(), progress(1));
}

#[test]
fn a_full_file_system_is_an_error_and_leaves_nothing() {
    let Some(small) = SmallTmpfs::new("256k") else { return };
    let error = Checkpoint::open(&small.directory()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
    assert!(small.names().is_empty());
}

/// The part that the helper process plays: it sets values that belong together until it is killed.
#[test]
fn helper_process() {
    let Some((_, place)) = role() else { return };
    let mut checkpoint = Checkpoint::open(&Directory::open(&place).unwrap()).unwrap();
    let mut slot = checkpoint.slot(7).unwrap();
    let from = slot.get().released;
    for n in from + 1.. {
        slot.set(progress(n));
        if n == from + 1000 {
            say("running");
        }
    }
}

#[test]
fn a_kill_at_any_moment_leaves_values_that_belong_together() {
    let test = TestDirectory::new();
    let mut last = 0;
    for _ in 0..10 {
        let mut helper = Helper::start(module_path!(), "set", test.path());
        helper.hears();
        helper.kill();
        let got = Checkpoint::open(&test.open()).unwrap().slot(7).unwrap().get();
        assert_eq!(got, progress(got.released));
        assert!(got.released >= last + 1000);
        last = got.released;
    }
}

#[test]
fn a_reader_on_another_thread_sees_values_that_belong_together() {
    let test = TestDirectory::new();
    let mut checkpoint = Checkpoint::open(&test.open()).unwrap();
    let mut slot = checkpoint.slot(7).unwrap();
    let reader = checkpoint.slot(7).unwrap();
    slot.set(progress(1));
    std::thread::scope(|scope| {
        scope.spawn(move || (2..200_000).for_each(|n| slot.set(progress(n))));
        let mut last = 0;
        while last < 199_999 {
            let got = reader.get();
            assert_eq!(got, progress(got.released));
            assert!(got.released >= last);
            last = got.released;
        }
    });
}
