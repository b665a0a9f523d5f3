//! What only a system can do to an archive: a full disk, a kill.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use millpond_handlers::FileError;

use super::small_disk::SmallDisk;
use super::*;

#[test]
fn a_full_disk_fails_batches_and_what_is_acknowledged_is_read() {
    for (way, options) in ways() {
        let Some(disk) = SmallDisk::mount() else { return };
        let (path, ballast) = (disk.path("app.mpa"), disk.path("ballast"));
        fs::write(&ballast, vec![0; 32 * 1024]).unwrap();
        let mut handler = options.open(&path).unwrap();
        let (mut acknowledged, mut failures) = (Vec::new(), 0);
        for number in 0..400u32 {
            if number == 300 {
                fs::remove_file(&ballast).unwrap();
            }
            let all: Vec<_> = (0..7).map(|at| arguments(number * 10 + at)).collect();
            let batch = events(LineFormat::default(), &site(1), &all);
            match handler.push(&batch) {
                Ok(()) => acknowledged.push(batch),
                Err(error) => {
                    failures += 1;
                    assert!(number < 300, "{error}");
                    let error = error.downcast::<FileError>().unwrap();
                    assert!(error.to_string().contains("free some space"), "{error}");
                }
            }
            if acknowledged.len() > 150 && number > 300 {
                break;
            }
        }
        assert!(failures > 10, "the disk was never full");
        let decoded = decode(&fs::read(&path).unwrap());
        assert_eq!(decoded.lines, lines_of(&acknowledged), "{way}");
        assert!(decoded.skipped.len() <= 1, "{way}: {:?}", decoded.skipped);
    }
}

const WRITER: &str = "MILLPOND_TEST_ARCHIVE_WRITER";

/// Writes until it is killed, in the test below, and does nothing otherwise.
#[test]
fn killed_child() {
    let Some(path) = std::env::var_os(WRITER).map(PathBuf::from) else { return };
    let way = std::env::var("MILLPOND_TEST_ARCHIVE_WAY").unwrap();
    let (_, options) = ways().into_iter().find(|(name, _)| *name == way).unwrap();
    let mut handler = options.open(&path).unwrap();
    for number in 0.. {
        let all: Vec<_> = (0..2000).map(|at| arguments(number * 2000 + at)).collect();
        handler.push(&events(LineFormat::default(), &site(1), &all)).unwrap();
    }
}

#[test]
fn after_a_kill_in_the_middle_everything_whole_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for (way, options) in ways() {
        let path = folder.path().join(way);
        for _ in 0..3 {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "system::killed_child"]).env(WRITER, &path);
            child.env("MILLPOND_TEST_ARCHIVE_WAY", way).stdout(Stdio::null());
            let before = fs::metadata(&path).map_or(0, |file| file.len());
            let mut child = child.spawn().unwrap();
            while fs::metadata(&path).map_or(0, |file| file.len()) < before + 100_000 {
                std::thread::sleep(Duration::from_millis(1));
            }
            child.kill().unwrap();
            child.wait().unwrap();
            // As a write that was cut short leaves it.
            let length = fs::metadata(&path).unwrap().len();
            fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 50).unwrap();
        }
        let last = texts(&["in good order"]);
        options.open(&path).unwrap().push(&last).unwrap();
        let decoded = decode(&fs::read(&path).unwrap());
        assert!(decoded.lines.ends_with(&lines_of(&[last])), "{way}");
        assert!(!decoded.lines.contains("not known"), "{way}");
        assert_eq!((decoded.skipped.len(), decoded.torn), (3, None), "{way}");
        assert!(decoded.records > 4000, "{way}: {}", decoded.records);
    }
}
