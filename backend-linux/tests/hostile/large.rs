//! Records that are larger than a ring allows.

use millpond_linux::{LoggerConfig, WorkerLogger};
use millpond_std::Overflow;

use super::check_books;
use super::support::{Line, PATIENCE, Place, master};

/// The largest frame of this ring is a quarter of it.
const RING: usize = 16 * 1024;
const FRAME: usize = RING / 4;

/// Logs something through a worker with a small ring and returns how it came out.
fn logged(overflow: Overflow, log: impl FnOnce(&WorkerLogger)) -> Line {
    logged_in(RING, overflow, log)
}

fn logged_in(ring: usize, overflow: Overflow, log: impl FnOnce(&WorkerLogger)) -> Line {
    let place = Place::new();
    let (master, lines) = master(&place.config());
    let config = LoggerConfig { buffer_size: ring, overflow, ..place.config() };
    let worker = WorkerLogger::new(config, "w").unwrap();
    worker.info("before");
    log(&worker);
    worker.info("after");
    worker.flush(PATIENCE).unwrap();
    assert_eq!(lines.of("w").len(), 3, "{:?}", lines.of("w"));
    assert_eq!((&*lines.all()[0], &*lines.all()[2]), ("w: before", "w: after"));
    check_books(&master);
    lines.line(1)
}

fn text_of(length: usize) -> String {
    (0..)
        .flat_map(|number: u32| format!("{number} ").into_bytes())
        .take(length)
        .map(char::from)
        .collect()
}

#[test]
fn one_that_waits_sends_any_length_in_parts() {
    for length in [FRAME - 24, FRAME - 23, RING, 10 * RING, 3_000_000] {
        let text = text_of(length);
        let line = logged(Overflow::WAIT, |worker| worker.info(&text));
        assert_eq!(line.text.len(), "w: ".len() + length);
        assert!(line.text.ends_with(&text) && line.original_length.is_none(), "{length}");
    }
}

#[test]
fn one_that_drops_sends_in_parts_what_fits_at_once() {
    // Larger than the largest frame of any ring, and well below half of this one.
    let text = text_of(200_000);
    let line = logged_in(1 << 20, Overflow::Drop, |worker| worker.info(&text));
    assert_eq!(line.text, format!("w: {text}"));
    assert_eq!(line.original_length, None);
}

#[test]
fn one_that_drops_cuts_what_never_fits_and_notes_its_length() {
    for length in [RING / 2, RING, 1_000_000] {
        let text = text_of(length);
        let line = logged(Overflow::Drop, |worker| worker.info(&text));
        let message = line.text.strip_prefix("w: ").unwrap();
        assert!(text.starts_with(message) && message.len() > FRAME / 2, "{}", message.len());
        assert_eq!(line.original_length, Some(length as u32));
    }
}

#[test]
fn characters_are_not_cut() {
    let text = "€".repeat(RING);
    let line = logged(Overflow::Drop, |worker| worker.info(&text));
    assert!(text.starts_with(line.text.strip_prefix("w: ").unwrap()), "{:?}", line.text);
    let line = logged(Overflow::WAIT, |worker| worker.info(&text));
    assert_eq!(line.text.strip_prefix("w: "), Some(&*text));
}

#[test]
fn text_with_too_many_bytes_is_cut_to_a_frame() {
    let (short, long) = (text_of(100), text_of(RING));
    let (few, many) = (vec![7; 100], vec![8; RING]);
    for overflow in [Overflow::Drop, Overflow::WAIT] {
        for (text, bytes) in [(&short, &many), (&long, &few), (&long, &many)] {
            let line = logged(overflow, |worker| worker.info_with(text, bytes));
            let message = line.text.strip_prefix("w: ").unwrap();
            let kept = line.bytes.expect("bytes");
            assert!(text.starts_with(message) && bytes.starts_with(&kept));
            assert!(!message.is_empty() && !kept.is_empty());
            let all = message.len() + kept.len();
            assert!((FRAME / 2..FRAME).contains(&all), "{all}");
            assert_eq!(line.original_length, Some((text.len() + bytes.len()) as u32));
            // What is short is whole.
            assert!(text.len() > 100 || message == text);
            assert!(bytes.len() > 100 || kept == *bytes);
        }
    }
}

#[test]
fn the_empty_record_and_bytes_without_text_arrive() {
    let line = logged(Overflow::Drop, |worker| worker.info(""));
    assert_eq!((&*line.text, line.bytes), ("w: ", None));
    let line = logged(Overflow::Drop, |worker| worker.info_with("", b""));
    assert_eq!((&*line.text, line.bytes), ("w: ", Some(vec![])));
    let line = logged(Overflow::Drop, |worker| worker.info_with("", b"\0\xff"));
    assert_eq!((&*line.text, line.bytes), ("w: ", Some(vec![0, 255])));
}
