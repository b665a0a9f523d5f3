//! `FileHandler` and what only a system can do to it: devices, rights, full disks.
#![cfg(target_os = "linux")]

mod small_disk;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use millpond_core::Level;
use millpond_handlers::{FileError, FileHandler};
use millpond_std::testing::{Item, records_with_format};
use millpond_std::{Handler, LineFormat, Records};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use small_disk::SmallDisk;

fn batch(messages: &[String]) -> Records {
    let items: Vec<_> = messages.iter().map(|m| Item::new(Level::Info, "app", m, 0)).collect();
    records_with_format(LineFormat::new("%(message)s").unwrap(), &items)
}

#[test]
fn fifos_sockets_and_devices_are_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = folder.path().join("full");
    std::os::unix::fs::symlink("/dev/full", &link).unwrap();

    let cases = [
        (fifo.as_path(), "found a FIFO or pipe"),
        (&socket, "found a socket"),
        (Path::new("/dev/null"), "found a device"),
        (&link, "found a device"),
    ];
    for (path, found) in cases {
        for create in [true, false] {
            let start = Instant::now();
            let error = FileHandler::options().create(create).open(path).unwrap_err();
            assert!(error.is_not_a_file());
            assert!(error.to_string().contains(found), "{error}");
            assert!(start.elapsed() < Duration::from_secs(1));
        }
    }
}

#[test]
fn a_folder_without_rights_is_an_error() {
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root may write everywhere");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    for path in ["app.log", "sub/app.log"] {
        let error = FileHandler::new(folder.path().join(path)).unwrap_err();
        assert!(error.to_string().contains("let this process's user read and write"), "{error}");
    }
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_full_disk_fails_batches_and_tears_or_joins_no_line() {
    let Some(disk) = SmallDisk::mount() else { return };
    let ballast = disk.path("ballast");
    fs::write(&ballast, vec![0; 32 * 1024]).unwrap();
    let path = disk.path("app.log");
    let mut handler = FileHandler::new(&path).unwrap();

    // Lines of 100 bytes, so that the disk is full within one.
    let lines = |batch: usize| -> Vec<String> {
        (0..7).map(|i| format!("<{batch:03}.{i} {}>", "x".repeat(91))).collect()
    };
    let mut acknowledged = Vec::new();
    let mut failures = 0;
    for number in 0..120 {
        if number == 80 {
            fs::remove_file(&ballast).unwrap();
        }
        match handler.push(&batch(&lines(number))) {
            Ok(()) => acknowledged.extend(lines(number)),
            Err(error) => {
                failures += 1;
                let error = error.downcast::<FileError>().unwrap();
                let kind = error.io_error().unwrap().kind();
                assert_eq!(kind, std::io::ErrorKind::StorageFull);
                assert_eq!(error.path(), path);
                assert!(error.to_string().contains("free some space"), "{error}");
                assert!(number < 80, "batch {number}: {error}");
            }
        }
    }
    assert!(failures > 20, "the disk was never full");

    let content = fs::read_to_string(&path).unwrap();
    assert!(content.ends_with('\n'));
    let whole = |line: &&str| line.len() == 99 && line.starts_with('<') && line.ends_with('>');
    let torn: Vec<_> = content.lines().filter(|line| !whole(line)).collect();
    let delivered: Vec<_> = content.lines().filter(whole).collect();
    assert_eq!(torn.len(), 1, "the disk was full once, within a line: {torn:?}");
    assert!(torn.iter().all(|line| !line.contains('>')), "joined: {torn:?}");
    for line in &acknowledged {
        assert_eq!(delivered.iter().filter(|found| *found == line).count(), 1, "{line}");
    }
    let in_part = 7;
    assert!(delivered.len() <= acknowledged.len() + in_part);
}

#[test]
fn a_disk_that_is_full_from_the_start_gets_its_lines_later() {
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.path("app.log");
    fs::write(&path, "tor").unwrap();
    let ballast = disk.path("ballast");
    let _ = fs::write(&ballast, vec![0; 64 * 1024]);
    let mut handler = FileHandler::new(&path).unwrap();
    let giant = ["x".repeat(8 * 1024)];
    handler.push(&batch(&giant)).unwrap_err();
    handler.push(&batch(&giant)).unwrap_err();
    fs::remove_file(&ballast).unwrap();
    handler.push(&batch(&["whole".to_owned()])).unwrap();
    let content = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = content.lines().collect();
    assert_eq!((lines[0], lines[lines.len() - 1]), ("tor", "whole"));
}

const TRACED: &str = "MILLPOND_TEST_TRACED_LOG";

/// Runs under `strace` in the test below, and does nothing otherwise.
#[test]
fn traced_child() {
    let Some(path) = std::env::var_os(TRACED) else { return };
    let mut handler = FileHandler::new(path).unwrap();
    for number in 0..10 {
        let lines: Vec<_> = (0..1000).map(|line| format!("line {number}.{line}")).collect();
        handler.push(&batch(&lines)).unwrap();
    }
}

#[test]
fn a_batch_is_one_system_call() {
    let folder = tempfile::tempdir().unwrap();
    let (log, trace) = (folder.path().join("app.log"), folder.path().join("trace"));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-e", "trace=desc", "-o"]).arg(&trace);
    strace.arg(std::env::current_exe().unwrap()).args(["--exact", "traced_child"]);
    let Ok(output) = strace.env(TRACED, &log).output() else {
        eprintln!("skipped: there is no strace");
        return;
    };
    if !output.status.success() {
        eprintln!("skipped: strace failed: {}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let trace = String::from_utf8_lossy(&fs::read(&trace).unwrap()).into_owned();
    let log_calls = |call: &str| {
        let on_log = |line: &&str| line.contains(call) && line.contains("/app.log>");
        trace.lines().filter(on_log).count()
    };
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 10_000);
    assert_eq!(log_calls(" write("), 10, "{trace}");
    assert_eq!(log_calls("writev(") + log_calls("sync"), 0, "{trace}");
}
