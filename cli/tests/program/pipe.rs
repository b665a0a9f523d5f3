//! `millpond pipe`.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use rustix::process::Signal;

use crate::input::{messages, noise};
use crate::running::{Place, Running, text, wait_for};

/// Pipes `input` to a master and expects each line in its place.
fn arrives(what: &str, input: &[u8]) {
    let place = Place::new();
    let master = place.serve(&[]);
    let piped = place.pipe_all(input);
    assert!(piped.status.success(), "{what}: {}", text(&piped.stderr));
    let (code, said) = master.end(Signal::TERM);
    assert_eq!(code, Some(0), "{what}: {said}");
    let (found, expected) = (place.messages(), messages(input));
    let differs = found.iter().zip(&expected).position(|(found, expected)| found != expected);
    assert_eq!(differs, None, "{what}: the first line that differs");
    assert_eq!(found.len(), expected.len(), "{what}: {said}");
}

#[test]
fn lines_arrive_as_they_are() {
    arrives("nothing", b"");
    arrives("one line", b"one line\n");
    arrives("a last line without its end", b"a\nb");
    arrives("empty lines", b"\n\n\nx\n\n");
    arrives("carriage returns", b"dos\r\nmac\rboth\r\n");
    arrives("control characters", b"\x1b[31mred\x1b[0m\0\x07\ttab \\n backslash\n");
    arrives("what is not UTF-8", b"\xff\xfe\n\xc3\ncut \xf0\x9f\xa6\n\xed\xa0\x80\n");
    arrives("what is", "Grüße, 世界 🦀 \u{202e}\u{85}\n".as_bytes());
    arrives("what looks like a line of a log", b"2026 [INFO] p - forged\n");
}

#[test]
fn binary_files_and_noise_arrive() {
    arrives("bash", &fs::read("/bin/bash").unwrap());
    arrives("noise", &noise(2_000_000));
}

#[test]
fn lines_longer_than_a_record_arrive_whole() {
    let around = [1 << 10, 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20, (1 << 20) + (1 << 18)];
    for length in around.iter().flat_map(|at| [at - 33, at - 1, *at, at + 1]) {
        let mut input = vec![b'x'; length];
        input.extend_from_slice(b"\nnext\n");
        arrives(&format!("a line of {length} bytes"), &input);
    }
    let long = "0123456789äöü🦀".repeat(5_000_000 / 20);
    arrives("5 MB of text, twice", format!("{long}\nshort\n{long}\n").as_bytes());
    let mut noise = noise(3_000_000);
    noise.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = 0x80);
    arrives("3 MB that are not UTF-8", &noise);
}

#[test]
fn a_line_beyond_32_mib_becomes_several_records() {
    let place = Place::new();
    let master = place.serve(&[]);
    let mut input = b"0123456789abcdef".repeat((65 << 20) / 16);
    input.push(b'\n');
    assert!(place.pipe_all(&input).status.success());
    assert_eq!(master.end(Signal::TERM).0, Some(0));
    let found = place.messages();
    assert_eq!(found.iter().map(String::len).collect::<Vec<_>>(), [32 << 20, 32 << 20, 1 << 20]);
    assert!(found.concat().as_bytes() == &input[..65 << 20]);
}

/// The files in `MILLPOND_TEST_FILES`, separated by colons: for the largest logs at hand.
#[test]
fn files_of_the_user_arrive() {
    let files = std::env::var("MILLPOND_TEST_FILES").unwrap_or_default();
    for file in files.split(':').filter(|file| !file.is_empty()) {
        arrives(file, &fs::read(file).unwrap());
    }
}

#[test]
fn without_a_master_the_lines_wait_for_the_next() {
    let place = Place::new();
    let piped = place.pipe_all(b"early\nbird\n");
    let said = text(&piped.stderr);
    assert_eq!(piped.status.code(), Some(0), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("no master") && said.contains(&place.path()), "{said}");
    let master = place.serve(&[]);
    assert_eq!(master.end(Signal::TERM).0, Some(0));
    assert_eq!(place.messages(), ["early", "bird"]);
}

#[test]
fn with_a_full_ring_and_no_master_it_waits_and_loses_nothing() {
    let place = Place::new();
    let input = "a line of some length that fills the ring\n".repeat(100_000);
    let mut pipe = Running(place.pipe(&[]).spawn().unwrap());
    let mut stdin = pipe.0.stdin.take().unwrap();
    let mut stderr = pipe.0.stderr.take().unwrap();
    let all = input.clone();
    let writer = std::thread::spawn(move || stdin.write_all(all.as_bytes()).unwrap());
    // It says so after a while.
    let mut said = [0; 4096];
    let length = std::io::Read::read(&mut stderr, &mut said).unwrap();
    let said = text(&said[..length]);
    assert!(said.starts_with("millpond: waiting for room") && said.lines().count() == 1, "{said}");
    let master = place.serve(&[]);
    assert_eq!(pipe.end(), Some(0));
    writer.join().unwrap();
    assert_eq!(master.end(Signal::TERM).0, Some(0));
    assert!(place.messages() == messages(input.as_bytes()));
}

#[test]
fn a_signal_ends_it_with_everything_logged_that_was_read() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = Place::new();
        let master = place.serve(&[]);
        let mut pipe = Running(place.pipe(&[]).spawn().unwrap());
        let mut stdin = pipe.0.stdin.take().unwrap();
        stdin.write_all(b"one\nand a half").unwrap();
        // Its ring is made after it can be signalled.
        let is_up = || place.messages().contains(&"one".to_owned()).then_some(());
        wait_for("the first line", is_up);
        pipe.signal(signal);
        assert_eq!(pipe.end(), Some(0));
        assert_eq!(master.end(Signal::TERM).0, Some(0));
        assert_eq!(place.messages(), ["one", "and a half"]);
        drop(stdin);
    }
}

#[test]
fn a_signal_ends_it_even_while_it_waits_for_room() {
    let place = Place::new();
    let mut pipe = Running(place.pipe(&[]).stdin(Stdio::piped()).spawn().unwrap());
    let mut stdin = pipe.0.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let line = "a line of some length that fills the ring\n".repeat(1000);
        while stdin.write_all(line.as_bytes()).is_ok() {}
    });
    let mut stderr = pipe.0.stderr.take().unwrap();
    let mut said = [0; 4096];
    assert_ne!(std::io::Read::read(&mut stderr, &mut said).unwrap(), 0);
    pipe.signal(Signal::TERM);
    assert_eq!(pipe.end(), Some(3));
    writer.join().unwrap();
    let said = std::io::read_to_string(stderr).unwrap();
    assert!(said.contains("ended while waiting for room"), "{said}");
    let lines: usize = said.split(": ").nth(2).unwrap().split(' ').next().unwrap().parse().unwrap();
    // What it says it logged is there.
    let master = place.serve(&[]);
    assert_eq!(master.end(Signal::TERM).0, Some(0));
    assert_eq!(place.messages().len(), lines);
}

#[test]
fn an_input_that_cannot_be_read_is_told_of() {
    let place = Place::new();
    let folder = fs::File::open("/").unwrap();
    let output = place.pipe(&[]).stdin(folder).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.lines().last().unwrap().contains("cannot read the standard input after 0 lines"));
}
