//! "Configuration" and the advanced "Quick start".

use std::time::Duration;

use millpond::Level;
use millpond::advanced::{LoggerConfig, MasterLogger, WorkerLogger};
use millpond::handlers::FileHandler;

use super::support::{PATIENCE, Place, lines};

/// The snippet (the Discord handler comes with the issue on handlers).
#[test]
fn configuration_snippet() {
    let place = Place::new();
    let myapp_log = place.file("var/log/myapp.log");

    let config = LoggerConfig {
        base_level: Level::Info,
        path: place.path(),
        flush_interval: Duration::from_secs_f64(1.0),
        str_format: "%(asctime)s [%(levelname)s] %(name)s - %(message)s".to_owned(),
        ..Default::default()
    };
    let file = Box::new(FileHandler::options().create(true).open(&myapp_log).unwrap());
    let master = MasterLogger::new(config.clone(), vec![file]).unwrap();

    let worker = WorkerLogger::new(config, "DataProcessor").unwrap();
    worker.info("Processing batch 123");
    let error_data = b"\x89PNG\r\n\x00\xff";
    worker.error_with("Failed to process item", error_data);

    worker.shutdown();
    master.shutdown().unwrap();
    let lines = lines(&myapp_log);
    let [first, second] = &lines[..] else { panic!("{lines:#?}") };
    let (time, rest) = first.split_once(' ').unwrap();
    assert_eq!(rest, "[INFO] DataProcessor - Processing batch 123");
    assert_eq!(time.len(), "2026-01-01T00:00:00.000000Z".len());
    assert!(second.contains("[ERROR] DataProcessor - Failed to process item"), "{second}");
    assert!(second.contains("PNG") && !second.contains('\0'), "shown escaped: {second}");
}

#[test]
fn quick_start() {
    let place = Place::new();
    let app_log = place.file("app.log");
    let config = place.config();

    let file = Box::new(FileHandler::new(&app_log).unwrap());
    let master = MasterLogger::new(config.clone(), vec![file]).unwrap();
    let worker = WorkerLogger::new(config, &format!("Worker-{}", std::process::id())).unwrap();

    worker.info("Worker started");
    worker.shutdown();
    master.shutdown().unwrap();

    let expected = format!("[INFO] Worker-{} - Worker started", std::process::id());
    let lines = lines(&app_log);
    assert!(matches!(&lines[..], [line] if line.ends_with(&expected)), "{lines:?}");
}

#[test]
fn base_level_holds_for_worker_and_master() {
    let place = Place::new();
    let worker = WorkerLogger::new(place.config(), "w").unwrap();
    assert!(worker.is_enabled(Level::Info) && !worker.is_enabled(Level::Debug));
    worker.debug("not even written");
    let file = Box::new(FileHandler::new(place.file("x.log")).unwrap());
    let master = MasterLogger::new(place.config(), vec![file]).unwrap();
    worker.info("written");
    worker.flush(PATIENCE).unwrap();
    let report = master.shutdown().unwrap();
    assert_eq!((report.total.attempted, report.total.filtered), (1, 0));
}

/// `create=True` and what it means to leave it out.
#[test]
fn create_makes_what_is_missing_and_nothing_is_truncated() {
    let place = Place::new();
    let path = place.file("app.log");
    assert!(FileHandler::options().create(false).open(&path).unwrap_err().is_missing());
    for _ in 0..2 {
        let file = Box::new(FileHandler::new(&path).unwrap());
        let master = MasterLogger::new(place.config(), vec![file]).unwrap();
        let worker = WorkerLogger::new(place.config(), "w").unwrap();
        worker.info("again");
        worker.flush(PATIENCE).unwrap();
        master.shutdown().unwrap();
    }
    assert_eq!(lines(&path).len(), 2);
}

#[test]
fn str_format_is_free_but_for_the_message() {
    let place = Place::new();
    let str_format = "%(process)d|%(levelname)s|%(name)s|%(message)s|100%%".to_owned();
    let config = LoggerConfig { str_format, ..place.config() };
    let file = Box::new(FileHandler::new(place.file("app.log")).unwrap());
    let master = MasterLogger::new(config.clone(), vec![file]).unwrap();
    let worker = WorkerLogger::new(config.clone(), "w").unwrap();
    worker.warning("two\nlines");
    worker.flush(PATIENCE).unwrap();
    master.shutdown().unwrap();
    let expected = format!(r"{}|WARNING|w|two\nlines|100%", std::process::id());
    assert_eq!(lines(&place.file("app.log")), [expected]);

    let without = LoggerConfig { str_format: "%(name)s".to_owned(), ..config };
    let error = MasterLogger::new(without, vec![]).unwrap_err().to_string();
    assert!(error.contains("no %(message)s"), "{error}");
}
