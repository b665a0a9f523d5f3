//! `millpond decode`.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use millpond::handlers::{ArchiveHandler, FileHandler};
use millpond::standard::{Logger, LoggerConfig};
use millpond::{Capture, debug, error, info, trace, warning};
use millpond::{Handler, Level, LineFormat, Overflow};
use serde_json::{Value, json};

use crate::running::{Running, millpond, run, text};

#[derive(Debug, Capture)]
enum Order {
    Stop,
    Move(u8, u8),
    Buy { price: f64, venue: &'static str },
}

/// A folder with an archive, and with the lines of the same records.
struct Archive {
    folder: tempfile::TempDir,
}

impl Archive {
    fn new() -> Self {
        Self { folder: tempfile::tempdir_in("/dev/shm").unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("app.mpa")
    }

    fn lines(&self) -> String {
        fs::read_to_string(self.folder.path().join("app.log")).unwrap()
    }

    /// Logs what `log` logs, into both.
    fn write(&self, level: Option<i32>, format: &str, log: impl FnOnce(&Logger)) {
        let options = ArchiveHandler::options();
        let options = level.map_or(options.clone(), |level| options.compression(level));
        let archive = options.open(self.path()).unwrap();
        let format = LineFormat::new(format).unwrap();
        let lines = FileHandler::options().format(format).open(self.folder.path().join("app.log"));
        let handlers: Vec<Box<dyn Handler>> = vec![Box::new(archive), Box::new(lines.unwrap())];
        let config = LoggerConfig {
            base_level: Level::Trace,
            overflow: Overflow::WAIT,
            ..LoggerConfig::default()
        };
        let logger = Logger::new("app", config, handlers).unwrap();
        log(&logger);
        logger.shutdown().unwrap();
    }

    fn decode(&self, args: &[&str]) -> Output {
        run(&[&["decode", self.path().to_str().unwrap()], args].concat())
    }

    /// What is written of a whole archive.
    fn shown(&self, args: &[&str]) -> String {
        let output = self.decode(args);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
        text(&output.stdout)
    }
}

fn everything(logger: &Logger) {
    trace!(logger, "nothing");
    debug!(logger, "{} {:?} {:>8} {:<8}|{:^+8.2}", true, 'ß', "right", "left", 1.255f64);
    info!(logger, "{} {} {} {}", i8::MIN, i16::MIN, i32::MIN, i64::MIN);
    info!(logger, "{} {:x} {:#010b} {}", u8::MAX, u16::MAX, 5u32, u64::MAX);
    info!(logger, "{} {}", i128::MIN, u128::MAX);
    info!(logger, "{} {} {}", f32::MIN_POSITIVE, f64::NAN, 0.1f32);
    let ip: IpAddr = "::1".parse().unwrap();
    warning!(logger, "{:?} {} {:?}", Duration::from_micros(1500), ip, Some("some"));
    error!(logger, "{:?} {:?} {:?}", Order::Stop, Order::Move(1, 2), None::<u8>);
    info!(logger, "bought", order = Order::Buy { price: 1.5, venue: "x" }, id = 7);
    info!(logger, "line\nbreak \x1b[31m {}", "and\tmore\u{202e}");
    logger.error_with("text and bytes", b"\x00\xff\"");
    logger.info("long ".repeat(100_000).as_str());
    for number in 0..3000u32 {
        info!(logger, "order {number} of {}", number % 7);
    }
}

const ALL: &str = "%(asctime)s %(levelname)s %(name)s %(process)d %(thread)s %(target)s \
                   %(pathname)s %(filename)s:%(lineno)d %(message)s";

#[test]
fn an_archive_becomes_the_lines_of_a_file() {
    for level in [None, Some(3)] {
        for format in [LineFormat::DEFAULT_PATTERN, ALL] {
            let archive = Archive::new();
            archive.write(level, format, everything);
            assert!(archive.lines().lines().count() >= 3012);
            let (shown, lines) = (archive.shown(&["--format", format]), archive.lines());
            let differs = shown.lines().zip(lines.lines()).find(|(shown, line)| shown != line);
            assert_eq!(differs, None, "{level:?}");
            assert_eq!(shown.len(), lines.len());
        }
    }
}

#[test]
fn several_threads_come_in_the_order_of_the_file() {
    let archive = Archive::new();
    archive.write(None, ALL, |logger| {
        std::thread::scope(|scope| {
            for thread in 0..4u32 {
                let name = format!("worker {thread}");
                let log = move || {
                    for number in 0..5000u32 {
                        info!(logger, "{thread} {number}");
                    }
                };
                std::thread::Builder::new().name(name).spawn_scoped(scope, log).unwrap();
            }
        });
        // Threads that come after them take over their rings.
        for thread in 0..10u32 {
            std::thread::scope(|scope| {
                scope.spawn(|| info!(logger, "short {thread}")).join().unwrap()
            });
        }
    });
    assert!(archive.lines().lines().count() >= 20_010);
    assert!(archive.shown(&["--format", ALL]) == archive.lines());
}

#[test]
fn json_has_an_object_for_each_record() {
    let archive = Archive::new();
    archive.write(None, ALL, |logger| {
        everything(logger);
        info!(logger, "types", a = u64::MAX, b = i128::MIN, c = f64::INFINITY, d = -1.5f32);
        info!(logger, "more", e = "täxt\n", f = Some(3u8), g = None::<u8>, h = true, i = 0.1f32);
        info!(logger, "own", stop = Order::Stop, go = Order::Move(1, 2));
    });
    let shown = archive.shown(&["--json"]);
    let objects: Vec<Value> =
        shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), archive.lines().lines().count());
    let by_message: HashMap<&str, &Value> =
        objects.iter().map(|object| (object["message"].as_str().unwrap(), object)).collect();
    let find =
        |start: &str| by_message.iter().find(|(message, _)| message.starts_with(start)).unwrap().1;
    assert_eq!(
        find("types")["fields"],
        json!({"a": u64::MAX, "b": i128::MIN.to_string(), "c": "inf", "d": -1.5})
    );
    let more = &find("more")["fields"];
    assert_eq!(*more, json!({"e": "täxt\n", "f": 3, "g": null, "h": true, "i": 0.1}));
    assert_eq!(find("own")["fields"], json!({"stop": "Stop", "go": {"Move": [1, 2]}}));
    let bought = find("bought");
    assert_eq!(bought["fields"], json!({"order": {"Buy": {"price": 1.5, "venue": "x"}}, "id": 7}));
    assert_eq!(bought["level"], "INFO");
    assert_eq!(bought["template"], "bought");
    assert_eq!(bought["process"], std::process::id());
    assert!(bought["file"].as_str().unwrap().ends_with("decode.rs"));
    assert!(bought["line"].as_u64().unwrap() > 0);
    assert_eq!(find("text and bytes")["bytes"], r#"\x00\xff\""#);
    let time = bought["time"].as_str().unwrap();
    assert!(time.len() == 30 && time.ends_with('Z'), "{time}");
    // To the microsecond, the time of the line.
    let line = archive.lines().lines().find(|line| line.contains("bought")).unwrap().to_owned();
    assert!(line.starts_with(&time[..26]), "{line} {time}");
    assert!(objects[0].get("fields").is_none() && objects[0].get("late").is_none());
}

#[test]
fn filters_leave_out_what_is_not_asked_for() {
    let archive = Archive::new();
    archive.write(None, LineFormat::DEFAULT_PATTERN, everything);
    let all = archive.lines();
    let filtered = |keep: &dyn Fn(&str) -> bool| -> String {
        all.split_inclusive('\n').filter(|line| keep(line)).collect()
    };
    let errors = filtered(&|line| line.contains("[ERROR]"));
    assert_eq!(archive.shown(&["--level", "error"]), errors);
    assert_eq!(archive.shown(&["--grep", "of 6"]), filtered(&|line| line.contains("of 6")));
    assert_eq!(archive.shown(&["--name", "app", "--grep", "order 17 "]).lines().count(), 1);
    assert_eq!(archive.shown(&["--name", "ap"]), "");
    assert_eq!(archive.shown(&["--since", "2020-01-01T00:00:00Z"]), all);
    assert_eq!(archive.shown(&["--until", "2020-01-01T00:00:00Z"]), "");
    let time = all.lines().last().unwrap().split(' ').next().unwrap();
    let before = archive.shown(&["--until", time]);
    let after = archive.shown(&["--since", time]);
    assert!(!after.is_empty() && before + &after == all);
}

#[test]
fn what_is_damaged_is_told_of_and_the_code_is_3() {
    let archive = Archive::new();
    for round in 0..3 {
        archive.write(None, LineFormat::DEFAULT_PATTERN, |logger| info!(logger, "round {round}"));
    }
    let whole = fs::read(archive.path()).unwrap();
    let mut bytes = whole.clone();
    bytes[whole.len() / 2] ^= 1;
    fs::write(archive.path(), &bytes).unwrap();
    let output = archive.decode(&[]);
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), said.lines().count()), (Some(3), 1), "{said}");
    assert!(said.contains("passed over: envelope is damaged: checksum"), "{said}");
    assert!(archive.lines().starts_with(text(&output.stdout).lines().next().unwrap()));

    // Cut off, it may be written yet.
    fs::write(archive.path(), &whole[..whole.len() - 1]).unwrap();
    let shown = archive.shown(&[]);
    assert!(!shown.is_empty() && archive.lines().starts_with(&shown));
}

#[test]
fn what_is_no_archive_is_refused() {
    let archive = Archive::new();
    for content in ["hello world\n", &"no archive\n".repeat(100_000)] {
        fs::write(archive.path(), content).unwrap();
        let output = archive.decode(&[]);
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains("is no archive: there is no envelope in its"), "{said}");
        assert!(said.contains(&format!("{} bytes", content.len())), "{said}");
    }
    fs::write(archive.path(), "").unwrap();
    assert_eq!(archive.shown(&[]), "");
    fs::remove_file(archive.path()).unwrap();
    let output = archive.decode(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("No such file"));
    let output = run(&["decode", "--follow", "a", "b"]);
    assert_eq!(output.status.code(), Some(2));
    let output = run(&["decode", "--since", "yesterday", "a"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn standard_input_and_several_files_are_read() {
    let archive = Archive::new();
    archive.write(Some(1), LineFormat::DEFAULT_PATTERN, |logger| info!(logger, "piped {}", 1));
    let path = archive.path();
    let mut command = millpond(&["decode", path.to_str().unwrap(), "-"]);
    let output = command.stdin(fs::File::open(&path).unwrap()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), archive.lines().repeat(2));
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let archive = Archive::new();
    archive.write(None, LineFormat::DEFAULT_PATTERN, |logger| {
        for number in 0..50_000u32 {
            info!(logger, "a line that nobody reads {number}");
        }
    });
    let mut command = millpond(&["decode", archive.path().to_str().unwrap()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn follow_shows_what_is_appended() {
    for level in [None, Some(1)] {
        let archive = Archive::new();
        fs::write(archive.path(), "").unwrap();
        let mut command = millpond(&["decode", "--follow", archive.path().to_str().unwrap()]);
        let mut following = Running(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut shown = BufReader::new(following.0.stdout.take().unwrap());
        for round in 0..3 {
            archive.write(level, LineFormat::DEFAULT_PATTERN, |logger| info!(logger, "no {round}"));
            let mut line = String::new();
            shown.read_line(&mut line).unwrap();
            assert!(line.contains(&format!("no {round}")), "{line}");
            // A torn end, as of a writer that was killed.
            let mut file = fs::OpenOptions::new().append(true).open(archive.path()).unwrap();
            let bytes = fs::read(archive.path()).unwrap();
            file.write_all(&bytes[..60]).unwrap();
        }
    }
}
