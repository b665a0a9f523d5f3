//! Stamps against CLOCK_REALTIME, and stamps that lie.

#[path = "support/clock_error.rs"]
mod clock_error;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clock_error::{Errors, Random};
use millpond_core::frame::Flags;
use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{
    ClockKind, Handler, HandlerError, Level, Records, SystemClock, Timeline, monotonic_ns,
    native_ticks,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Set `MILLPOND_CLOCK_SECONDS` to look longer.
#[test]
fn converted_stamps_are_within_a_microsecond_of_the_wall_clock() {
    let seconds = std::env::var("MILLPOND_CLOCK_SECONDS");
    let seconds = seconds.map_or(3, |seconds| seconds.parse().expect("a number of seconds"));
    let mut timeline = Timeline::new(SystemClock::detect());
    let mut random = Random(7);
    // As the collector waits until a rate is known.
    std::thread::sleep(Duration::from_millis(2));
    timeline.refresh();
    let errors = Errors::collect(&mut timeline, &mut random, Duration::from_secs(seconds));
    let sizes = errors.sorted();
    assert!(sizes.len() >= errors.len() / 2);
    let p99 = sizes[sizes.len() * 99 / 100];
    assert!(p99 < 1000, "p99 {p99} ns of {} stamps", sizes.len());
}

#[test]
fn the_native_counter_is_that_of_the_clock() {
    let clock = SystemClock::detect();
    assert_eq!(clock.is_native_counter(), clock.kind() != ClockKind::Monotonic);
    let read = if clock.is_native_counter() { native_ticks } else { monotonic_ns };
    let (before, between, after) = (read(), clock.now(), read());
    assert!((before..=after).contains(&between));
}

/// What a record was, and whether it is flagged as late.
type Seen = Arc<Mutex<Vec<(String, bool)>>>;

struct Keep(Seen);

impl Handler for Keep {
    fn name(&self) -> &str {
        "keep"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        let seen = records
            .iter()
            .map(|record| (record.message().to_owned(), record.flags().contains(Flags::LATE)));
        self.0.lock().unwrap().extend(seen);
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// One producer lies now and then, two do not. The collector drains whenever it likes.
#[test]
fn lying_stamps_among_honest_ones_disturb_nobody_else() {
    const TURNS: usize = 2000;
    let seen = Seen::default();
    // Nothing is handed out before a flush asks for it, so that no honest record can be late.
    let config = LoggerConfig { flush_interval: Duration::from_secs(3600), ..Default::default() };
    let logger = Logger::new("app", config, vec![Box::new(Keep(Arc::clone(&seen)))]).unwrap();
    let clock = SystemClock::detect();
    let start = clock.now();
    let lies = |now: u64| [u64::MAX, 0, u64::MAX / 2, start, now + (1 << 40), 1];
    let mut liar = logger.producer().unwrap();
    let mut honest = [logger.producer().unwrap(), logger.producer().unwrap()];
    liar.info("liar: first");
    honest.iter_mut().for_each(|producer| producer.info("hello"));
    // From here on the collector knows the rings: it hands out at once what it finds in a new one.
    logger.flush(PATIENCE).unwrap();
    for turn in 0..TURNS {
        // Turn by turn, so that each is stamped after the one before.
        honest[turn % 2].info(&format!("honest: {turn}"));
        let lie = lies(clock.now())[turn % 6];
        liar.text_at(Level::Info, lie, &format!("liar: lie {turn}"));
        liar.info(&format!("liar: {turn}"));
        if turn % 500 == 499 {
            logger.flush(PATIENCE).unwrap();
        }
    }
    let report = logger.shutdown().unwrap();
    assert_eq!(report.total.delivered, 3 * TURNS as u64 + 3);
    assert!(report.total.is_balanced(0), "{report}");

    let seen = seen.lock().unwrap();
    let of = |start: &str| {
        let seen = seen.iter().filter(|(text, _)| text.starts_with(start)).cloned();
        seen.collect::<Vec<_>>()
    };
    let expected: Vec<_> = (0..TURNS).map(|turn| (format!("honest: {turn}"), false)).collect();
    assert_eq!(of("honest"), expected, "in the order of time and not late");

    let mut expected = vec!["liar: first".to_owned()];
    expected.extend((0..TURNS).flat_map(|t| [format!("liar: lie {t}"), format!("liar: {t}")]));
    let texts: Vec<_> = of("liar").into_iter().map(|(text, _)| text).collect();
    assert_eq!(texts, expected, "in the order of logging");
    let lies = of("liar: lie");
    assert_eq!(lies.iter().find(|(_, is_late)| !is_late), None, "each lie is flagged");
}
