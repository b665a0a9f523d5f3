//! `millpond serve`.

use std::fs;
use std::io::Write as _;

use rustix::process::Signal;

use crate::running::{Place, Running, run, text, wait_for};

#[test]
fn a_round_trip_ends_in_good_order_by_either_signal() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = Place::new();
        let master = place.serve(&[]);
        let piped = place.pipe_all(b"one\ntwo\n");
        assert!(piped.status.success() && piped.stderr.is_empty(), "{}", text(&piped.stderr));
        let (code, said) = master.end(signal);
        assert_eq!(code, Some(0), "{said}");
        let account = "millpond: ended: 1 worker, 2 attempted, 2 delivered, 0 dropped\n";
        assert_eq!(said, account);
        assert_eq!(place.messages(), ["one", "two"]);
    }
}

#[test]
fn a_second_master_is_told_who_the_first_is() {
    let place = Place::new();
    let master = place.serve(&[]);
    let file = place.file();
    let second = run(&["serve", "--path", &place.path(), "--file", file.to_str().unwrap()]);
    let said = text(&second.stderr);
    assert_eq!((second.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains(&format!("process {} is the master", master.pid())), "{said}");
    assert_eq!(master.end(Signal::TERM).0, Some(0));
}

#[test]
fn format_level_and_stdout_are_heeded() {
    let place = Place::new();
    let format = "%(levelname)s] %(name)s - %(message)s";
    let mut master = place.serve(&["--format", format, "--level", "warning", "--stdout"]);
    let stdout = master.running.0.stdout.take().unwrap();
    for level in ["info", "warning", "ERROR"] {
        let mut pipe = place.pipe(&["--level", level]).spawn().unwrap();
        pipe.stdin.take().unwrap().write_all(level.as_bytes()).unwrap();
        assert!(pipe.wait().unwrap().success());
    }
    let (code, said) = master.end(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(said.contains("3 attempted, 2 delivered, 0 dropped, 1 filtered"), "{said}");
    let expected = "WARNING] p - warning\nERROR] p - ERROR\n";
    assert_eq!(fs::read_to_string(place.file()).unwrap(), expected);
    assert_eq!(std::io::read_to_string(stdout).unwrap(), expected);
}

#[test]
fn an_archive_beside_the_file_decodes_to_the_same_lines() {
    let place = Place::new();
    let archive = place.file().with_extension("mpa");
    let archive = archive.to_str().unwrap();
    let master = place.serve(&["--archive", archive]);
    assert!(place.pipe_all(b"one\ntwo\x1b\n").status.success());
    assert_eq!(master.end(Signal::TERM).0, Some(0));
    let decoded = run(&["decode", archive]);
    assert_eq!(decoded.status.code(), Some(0), "{}", text(&decoded.stderr));
    assert_eq!(text(&decoded.stdout), fs::read_to_string(place.file()).unwrap());
    assert_eq!(place.messages(), ["one", "two\\x1b"]);
}

/// Each line at least once; exactly once is for the masters to come.
#[test]
fn a_killed_master_is_followed_by_the_next() {
    const LINES: usize = 200_000;
    let place = Place::new();
    let first = place.serve(&[]);
    let mut pipe = Running(place.pipe(&[]).spawn().unwrap());
    let mut stdin = pipe.0.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let lines: String = (0..LINES).map(|number| format!("line {number}\n")).collect();
        stdin.write_all(lines.as_bytes()).unwrap();
    });
    let has_some = || fs::metadata(place.file()).ok().filter(|file| file.len() > 100_000);
    wait_for("the first lines", has_some);
    let (code, _) = first.end(Signal::KILL);
    assert_eq!(code, None);
    let second = place.serve(&[]);
    assert_eq!(pipe.end(), Some(0));
    writer.join().unwrap();
    assert_eq!(second.end(Signal::TERM).0, Some(0));

    let mut seen = vec![0u32; LINES];
    for message in place.messages() {
        if let Some(number) = message.strip_prefix("line ").and_then(|n| n.parse::<usize>().ok()) {
            seen[number] += 1;
        }
    }
    let missing: Vec<usize> = (0..LINES).filter(|number| seen[*number] == 0).collect();
    assert!(missing.is_empty(), "{} missing, {:?} ...", missing.len(), &missing[..1]);
}
