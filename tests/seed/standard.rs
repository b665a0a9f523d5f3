//! "Standard logger (single-process)".

use std::time::Duration;

use millpond::handlers::FileHandler;
use millpond::standard::{Logger, LoggerConfig};
use millpond::{Handler, HandlerError, Level, Overflow, Records};

use super::support::{PATIENCE, Place, Process, eventually, keep, lines};

/// The quick start, word by word as far as the languages agree.
#[test]
fn standard_quick_start() {
    let place = Place::new();
    let app_log = place.file("app.log");

    let config = LoggerConfig {
        base_level: Level::Info,
        flush_interval: Duration::from_millis(500),
        do_stdout: true,
        ..Default::default()
    };
    let file = Box::new(FileHandler::new(&app_log).unwrap());
    let logger = Logger::new("app", config, vec![file]).unwrap();

    logger.info("booted");
    logger.error("something went wrong");
    logger.shutdown().unwrap();

    let lines = lines(&app_log);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with("Z [INFO] app - booted"), "{lines:?}");
    assert!(lines[1].ends_with("Z [ERROR] app - something went wrong"), "{lines:?}");
}

#[test]
fn optional_stdout_mirroring() {
    let place = Place::new();
    let mut process = Process::start("mirror screen", &place.config());
    let line = process.hears();
    assert!(line.ends_with("Z [INFO] screen - said: mirrored"), "{line}");
    process.end();
}

#[test]
fn background_thread_flushes_on_a_cadence() {
    let place = Place::new();
    let app_log = place.file("app.log");
    let config = LoggerConfig { flush_interval: Duration::from_millis(20), ..Default::default() };
    let file = Box::new(FileHandler::new(&app_log).unwrap());
    let logger = Logger::new("app", config, vec![file]).unwrap();
    for number in 1..=3 {
        logger.info("nobody flushes this");
        eventually("the line is in the file", || lines(&app_log).len() == number);
    }
    logger.shutdown().unwrap();
}

/// Of file, Discord, Telegram: the latter two come with the issue on handlers.
#[test]
fn handler_fan_out_each_on_its_own_thread() {
    let place = Place::new();
    let (first, handler) = keep();
    let (second, other) = keep();
    let file = Box::new(FileHandler::new(place.file("app.log")).unwrap());
    let logger = Logger::new("app", LoggerConfig::default(), vec![handler, file, other]).unwrap();
    logger.warning("to all");
    logger.flush(PATIENCE).unwrap();
    assert_eq!((first.of("app"), second.of("app")), (vec!["to all".into()], vec!["to all".into()]));
    assert_eq!(lines(&place.file("app.log")).len(), 1);
    let here = Some(std::thread::current().id());
    assert!(first.thread() != here && second.thread() != here);
    assert_ne!(first.thread(), second.thread());
    logger.shutdown().unwrap();
}

#[test]
fn buffered_writes_reduce_handler_overhead() {
    let (seen, handler) = keep();
    let config = LoggerConfig { flush_interval: Duration::from_secs(3600), ..Default::default() };
    let logger = Logger::new("app", config, vec![handler]).unwrap();
    (0..2000).for_each(|number| logger.info(&number.to_string()));
    logger.flush(PATIENCE).unwrap();
    assert_eq!(seen.records().len(), 2000);
    assert!(seen.pushes() < 20, "{} batches", seen.pushes());
    logger.shutdown().unwrap();
}

/// App thread → queue → flush thread → handlers: a handler that takes its time holds up nobody.
#[test]
fn a_slow_handler_does_not_hold_up_the_app_thread() {
    struct Slow(std::sync::mpsc::Receiver<()>);
    impl Handler for Slow {
        fn name(&self) -> &str {
            "slow"
        }
        fn push(&mut self, _: &Records) -> Result<(), HandlerError> {
            let _ = self.0.recv();
            Ok(())
        }
    }
    let (go, gate) = std::sync::mpsc::channel();
    let (seen, handler) = keep();
    let logger =
        Logger::new("app", LoggerConfig::default(), vec![Box::new(Slow(gate)), handler]).unwrap();
    for number in 0..100 {
        logger.info(&number.to_string());
        logger.flush(PATIENCE).unwrap();
    }
    assert_eq!(seen.records().len(), 100, "while the other is still in its first call");
    drop(go);
    logger.shutdown().unwrap();
}

#[test]
fn best_for_single_process_apps_any_thread_may_log() {
    let (seen, handler) = keep();
    let logger = Logger::new("service", LoggerConfig::default(), vec![handler]).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let logger = &logger;
            scope.spawn(move || logger.info(&thread.to_string()));
        }
    });
    let report = logger.shutdown().unwrap();
    let mut numbers = seen.of("service");
    numbers.sort();
    assert_eq!(numbers, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(report.total.delivered, 8);
}

/// "Not designed for cross-process aggregation": all it knows is this process.
#[test]
fn not_designed_for_cross_process_aggregation() {
    let (_, handler) = keep();
    let logger = Logger::new("alone", LoggerConfig::default(), vec![handler]).unwrap();
    logger.info("in this process only");
    let workers = logger.shutdown().unwrap().workers;
    assert_eq!(workers.len(), 1);
    assert_eq!((&*workers[0].name, workers[0].process), ("alone", std::process::id()));
}

/// The default waits for room, so that a first program loses nothing.
#[test]
fn nothing_is_lost_by_default() {
    let (seen, handler) = keep();
    let config = LoggerConfig { buffer_size: 4096, ..Default::default() };
    assert!(matches!(config.overflow, Overflow::Block { .. }));
    let logger = Logger::new("app", config, vec![handler]).unwrap();
    (0..5000).for_each(|number| logger.info(&number.to_string()));
    let report = logger.shutdown().unwrap();
    assert_eq!((report.total.delivered, report.total.total_dropped()), (5000, 0));
    assert_eq!(seen.records().len(), 5000);
}
