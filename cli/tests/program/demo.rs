//! `millpond demo`.

use std::fs;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use crate::running::{Running, millpond, text, wait_for};

/// What the demo with this process id has left in shared memory.
fn left(pid: u32) -> Vec<String> {
    let entries = fs::read_dir("/dev/shm").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(&format!("millpond-demo-{pid}-"))).collect()
}

/// Runs the demo with `--json` and returns what it printed.
fn demo(args: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mut command = millpond(&["demo", "--json"]);
    command.args(args).env("TMPDIR", folder.path());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    let (said, json) = (text(&output.stderr), text(&output.stdout));
    assert_eq!(output.status.code(), Some(0), "{args:?}: {said}{json}");
    assert!(left(pid).is_empty());
    let outcome: Value = serde_json::from_str(&json).unwrap();
    let log = outcome["log"].as_str().unwrap();
    assert_eq!(fs::metadata(log).unwrap().len(), outcome["log_bytes"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the log");
    outcome
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_small_run_balances_and_leaves_nothing() {
    let outcome = demo(&["--workers", "2", "--records", "20000"]);
    assert_eq!(outcome["balanced"], true);
    assert_eq!(outcome["killed"], 1);
    assert_eq!(outcome["dropped"], 0);
    assert_eq!(outcome["lines"], outcome["delivered"]);
    assert!(number(&outcome["undelivered_at_kill"]) > 0, "{outcome:#}");
    let calls = &outcome["call_ns"];
    let times = ["p50", "p99", "p999", "max"].map(|time| number(&calls[time]));
    assert!(times.is_sorted() && times[0] > 0, "{times:?}");
    assert!(outcome["clock_read_ns"].as_f64().unwrap() > 0.0);
    assert!(outcome["seconds"].as_f64().unwrap() > 0.0);
    assert!(outcome["records_per_second"].as_f64().unwrap() > 0.0);
    let workers = outcome["workers"].as_array().unwrap();
    assert_eq!(workers.len(), 2);
    assert_eq!((number(&workers[0]["lines"]), &workers[0]["killed"]), (20_000, &false.into()));
    assert_eq!(workers[1]["killed"], true);
}

#[test]
fn several_threads_and_several_kills_balance() {
    let args = ["--workers", "3", "--threads", "3", "--kill", "2", "--records", "30001"];
    let outcome = demo(&args);
    assert_eq!((&outcome["balanced"], &outcome["killed"]), (&true.into(), &2.into()));
    assert_eq!(outcome["workers"][0]["lines"], 30_001);
}

#[test]
fn the_smallest_runs_balance() {
    for args in [["--records", "1"], ["--records", "2"], ["--records", "1000"]] {
        let outcome = demo(&[&args[..], &["--workers", "1", "--threads", "2"]].concat());
        assert_eq!(outcome["killed"], 1, "{args:?}");
    }
    let outcome = demo(&["--records", "1", "--workers", "1", "--threads", "4", "--kill", "0"]);
    assert_eq!((number(&outcome["lines"]), &outcome["killed"]), (1, &0.into()));
}

#[test]
fn what_is_dropped_is_counted() {
    let outcome = demo(&["--drop", "--records", "100000"]);
    assert!(number(&outcome["dropped"]) > 0, "{outcome:#}");
    let (attempted, lines) = (number(&outcome["attempted"]), number(&outcome["lines"]));
    assert!(attempted - lines - number(&outcome["dropped"]) <= 1, "{outcome:#}");
}

#[test]
fn the_table_fits_a_terminal_and_has_no_colours_in_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("demo.log");
    let mut command = millpond(&["demo", "--records", "10000", "--out", out.to_str().unwrap()]);
    let output = command.output().unwrap();
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{table}");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    for word in ["demo-4", "killed", "p99.9", "clock read", "\nbalanced: ", "is dead: pid "] {
        assert!(table.contains(word), "no {word:?} in {table}");
    }
    let paths = |line: &&str| !line.contains('/') || line.contains("records/s");
    for line in table.lines().filter(paths) {
        assert!(line.chars().count() <= 80 && !line.contains('\x1b'), "{line:?}");
    }
    assert!(out.exists());

    // The file is the user's now.
    let again = command.output().unwrap();
    let said = text(&again.stderr);
    assert_eq!((again.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("bytes already"), "{said}");
}

#[test]
fn a_directory_of_the_user_is_used_and_left_alone() {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = folder.path().join("mine");
    demo(&["--records", "1000", "--path", path.to_str().unwrap()]);
    assert!(!path.exists(), "it was not there before");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    demo(&["--records", "1000", "--path", path.to_str().unwrap()]);
    let rings = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name());
    let rings = rings.filter(|name| name.to_string_lossy().contains('-')).count();
    assert_eq!(rings, 0);
}

/// The processes that `pid` has started.
fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let children = fs::read_to_string(path).unwrap_or_default();
    children.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn a_signal_ends_all_of_it() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = millpond(&["demo", "--records", "900000000"]);
        command.env("TMPDIR", folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut demo = Running(command.spawn().unwrap());
        let pid = demo.0.id();
        let log = || fs::read_dir(folder.path()).unwrap().next()?.unwrap().metadata().ok();
        wait_for("lines", || log().filter(|log| log.len() > 1_000_000));
        let workers = children(pid);
        assert_eq!(workers.len(), 4);
        demo.signal(signal);
        assert_eq!(demo.end(), Some(code));
        let gone = |pid: &u32| !fs::exists(format!("/proc/{pid}")).unwrap();
        assert!(workers.iter().all(gone), "no worker is left");
        assert!(left(pid).is_empty(), "no directory is left");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no log is left");
        let said = std::io::read_to_string(demo.0.stderr.take().unwrap()).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn workers_end_with_a_demo_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = tempfile::tempdir_in("/dev/shm").unwrap();
    let mut command = millpond(&["demo", "--records", "900000000", "--path"]);
    command.arg(path.path().join("pond")).env("TMPDIR", folder.path());
    let mut demo = Running(command.spawn().unwrap());
    let pid = demo.0.id();
    let workers = wait_for("workers", || Some(children(pid)).filter(|workers| workers.len() == 4));
    demo.signal(Signal::KILL);
    demo.end();
    let is_gone = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        status.is_empty() || status.contains(") Z ")
    };
    wait_for("the end of the workers", || workers.iter().all(is_gone).then_some(()));
    // What SIGKILL leaves.
    left(pid).iter().for_each(|name| fs::remove_dir_all(format!("/dev/shm/{name}")).unwrap());
}
