//! Directories and names that cannot be used, through the loggers themselves.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use millpond_linux::{LoggerConfig, MasterLogger, WorkerLogger};

use super::support::{Keep, Lines, PATIENCE, Place, Process, config_of, is_root, master};
use super::{Healthy, check_books};

/// What both loggers say to this configuration.
fn refusals(config: &LoggerConfig) -> [String; 2] {
    let worker = WorkerLogger::new(config.clone(), "w").unwrap_err().to_string();
    [MasterLogger::new(config.clone(), vec![]).unwrap_err().to_string(), worker]
}

fn are_refused(path: &Path, words: &[&str]) {
    for error in refusals(&config_of(path)) {
        for word in words.iter().chain([&path.to_str().unwrap()]) {
            assert!(error.contains(word), "{word:?} is not in: {error}");
        }
    }
}

#[test]
fn a_directory_that_is_missing_is_made() {
    for master_first in [true, false] {
        let place = Place::new();
        let config = config_of(&place.pond().join("a/b"));
        let early = (!master_first).then(|| WorkerLogger::new(config.clone(), "early").unwrap());
        let (master, lines) = master(&config);
        Healthy::new(&config).check(&lines);
        let mode = fs::metadata(place.pond().join("a/b")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700);
        drop(early);
        check_books(&master);
    }
}

#[test]
fn what_is_no_directory_is_refused() {
    let place = Place::new();
    fs::write(place.pond(), "").unwrap();
    are_refused(&place.pond(), &["it is a file; expected a directory", "give another path"]);
    let link = place.pond().with_extension("link");
    symlink("/dev/shm", &link).unwrap();
    are_refused(&link, &["it is a symbolic link; expected the directory itself"]);
    are_refused(&place.pond().join("below"), &["make the directory"]);
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    fs::create_dir(place.pond()).unwrap();
    chown(place.pond(), Some(12345), None).unwrap();
    are_refused(&place.pond(), &["it belongs to user 12345; expected user 0", "chown 0"]);
}

#[test]
fn a_directory_that_others_can_write_is_refused() {
    let place = Place::new();
    fs::create_dir(place.pond()).unwrap();
    for mode in [0o777, 0o1777, 0o770, 0o707] {
        fs::set_permissions(place.pond(), Permissions::from_mode(mode)).unwrap();
        let shown = format!("its mode is {mode:04o}");
        are_refused(&place.pond(), &[&shown, "group or others can write", "chmod 700"]);
    }
    fs::set_permissions(place.pond(), Permissions::from_mode(0o700)).unwrap();
    let (master, lines) = master(&place.config());
    Healthy::new(&place.config()).check(&lines);
    check_books(&master);
}

#[test]
fn a_directory_that_is_not_in_memory_is_warned_of_and_works() {
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let config = config_of(&disk.path().join("pond"));
    let (master, lines) = master(&config);
    let [warning] = master.warnings() else {
        println!("skipped: the target directory lies on tmpfs");
        return;
    };
    assert!(warning.contains("not on tmpfs"), "{warning}");
    assert!(warning.contains("1 store in 800 takes longer than 5 µs"), "{warning}");
    let mut healthy = Healthy::new(&config);
    assert_eq!(healthy.worker.warnings(), [warning.as_str()]);
    for _ in 0..3 {
        healthy.check(&lines);
    }
    assert_eq!(lines.wait_for("not on tmpfs"), format!("MASTER: {warning}"));
    check_books(&master);
}

#[test]
fn another_scheme_is_refused() {
    for (path, says) in [
        ("tcp://localhost:5555", "the scheme `tcp` is not supported, only `ipc` is"),
        ("inproc://x", "the scheme `inproc` is not supported"),
        ("ipc://", "there is no path in it"),
        ("ipc:///dev/shm/a\0b", "there is a NUL byte in it"),
    ] {
        let config = LoggerConfig { path: path.to_owned(), ..LoggerConfig::default() };
        for error in refusals(&config) {
            assert!(error.contains(says), "{says:?} is not in: {error}");
        }
    }
}

#[test]
fn the_scheme_may_be_left_out() {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let bare = LoggerConfig { path: place.pond().to_str().unwrap().into(), ..place.config() };
    Healthy::new(&bare).check(&lines);
    check_books(&master);
}

#[test]
fn a_second_master_is_refused_and_the_first_goes_on() {
    let place = Place::new();
    let (first, lines) = master(&place.config());
    let mut healthy = Healthy::new(&place.config());
    healthy.check(&lines);
    let handler = Box::new(Keep(Lines::default()));
    let error = MasterLogger::new(place.config(), vec![handler]).unwrap_err().to_string();
    assert!(
        error.contains(&format!("process {} is the master here", std::process::id())),
        "{error}"
    );
    assert!(error.contains("master.lock"), "{error}");
    healthy.check(&lines);
    check_books(&first);

    let (second, lines) = master(&place.config());
    healthy.worker.info("to the second");
    healthy.worker.flush(PATIENCE).unwrap();
    assert_eq!(lines.of("healthy"), ["to the second"]);
    second.shutdown().unwrap();
}

#[test]
fn names_that_cannot_be_are_refused() {
    let place = Place::new();
    let long = "x".repeat(129);
    for name in ["", " ", "\t", "two\nlines", "bell\x07", "del\x7f", "\u{85}", "a\0b", &long] {
        let error = WorkerLogger::new(place.config(), name).unwrap_err().to_string();
        assert!(error.contains(&format!("{name:?}")), "{error}");
        assert!(error.contains("expected 1 to 128 bytes without control characters"), "{error}");
    }
    assert!(!place.pond().exists(), "nothing was made for them");
    for name in ["x", "Händler #7 / 日本", &"x".repeat(128)] {
        assert_eq!(WorkerLogger::new(place.config(), name).unwrap().name(), name);
    }
}

#[test]
fn names_need_not_be_unique() {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let mut others = [(); 2].map(|()| Process::start("victim", &place.config()));
    others.iter_mut().for_each(|other| drop(other.hears()));
    others.iter_mut().for_each(Process::kill);
    for other in &others {
        let line = format!("Worker victim is dead: pid {}, 1 delivered", other.child.id());
        lines.wait_for(&line);
    }
    let report = master.shutdown().unwrap();
    assert_eq!(report.workers.iter().filter(|worker| worker.name == "victim").count(), 2);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let place = Place::new();
    let good = place.config();
    let zero = std::time::Duration::ZERO;
    for (bad, says) in [
        (LoggerConfig { buffer_size: 0, ..good.clone() }, "buffer_size is 0"),
        (LoggerConfig { buffer_size: usize::MAX, ..good.clone() }, "buffer_size is"),
        (LoggerConfig { flush_interval: zero, ..good.clone() }, "flush_interval is zero"),
        (LoggerConfig { heartbeat_interval: zero, ..good.clone() }, "heartbeat_interval is zero"),
        (LoggerConfig { max_rings: 0, ..good.clone() }, "max_rings is 0"),
        (LoggerConfig { str_format: "%(name)s".into(), ..good.clone() }, "no %(message)s"),
        (LoggerConfig { str_format: "%(message)s %(x)s".into(), ..good }, "`%(x)s` at byte 12"),
    ] {
        for error in refusals(&bad) {
            assert!(error.contains(says), "{says:?} is not in: {error}");
        }
    }
    assert!(!place.pond().exists(), "nothing was made for them");
}
