//! A forked child of a process with a standard logger: the collector's thread did not come along.
#![cfg(unix)]
#![allow(unsafe_code)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use millpond_core::doorbell::Doorbell;
use millpond_core::ring::{Consumer, Producer as Ring};
use millpond_std::collector::FlushError;
use millpond_std::front::{Front, FrontConfig, RingSupply};
use millpond_std::standard::{Forked, Logger, LoggerConfig, ShutdownError};
use millpond_std::{
    Handler, HandlerError, HeapStorage, Level, Overflow, Records, SystemClock, fork, heap_ring,
};

const PATIENCE: Duration = Duration::from_secs(20);
/// Whoever waits for this long hangs.
const HOUR: Duration = Duration::from_secs(3600);

/// Runs `run` in a forked child and fails unless it ends, and with `true` in every place.
#[track_caller]
fn check_in_child<const N: usize>(run: impl FnOnce() -> [bool; N]) {
    // SAFETY: the child has this one thread. It calls what is tested, which is to get along with
    // that, and leaves by `_exit`, so that nothing of the parent is run in it.
    let child = match unsafe { libc::fork() } {
        0 => {
            let went = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            let first_wrong = went.map_or(99, |checks| {
                checks.iter().position(|right| !right).map_or(0, |at| at as i32 + 1)
            });
            // SAFETY: ends the child without running the parent's destructors.
            unsafe { libc::_exit(first_wrong) }
        }
        child => child,
    };
    assert!(child > 0, "no child: {}", std::io::Error::last_os_error());
    let deadline = Instant::now() + PATIENCE;
    let mut status = 0;
    // SAFETY: asks for our own child; the status is ours.
    while unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == 0 {
        if Instant::now() > deadline {
            // SAFETY: our own child, which was not yet waited for; then it is.
            unsafe {
                libc::kill(child, libc::SIGKILL);
                libc::waitpid(child, &raw mut status, 0);
            }
            panic!("the child hangs");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(libc::WIFEXITED(status), "the child crashed: status {status:#x}");
    assert_eq!(libc::WEXITSTATUS(status), 0, "the number of the check that failed, or a panic");
}

struct Keep(Arc<Mutex<Vec<String>>>);

impl Handler for Keep {
    fn name(&self) -> &str {
        "keep"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        self.0.lock().unwrap().extend(records.iter().map(|r| r.message().to_owned()));
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// Nothing in the child waits for a thread that is not there, whatever time it is given, and
/// nothing of it comes through in the parent.
#[test]
fn a_forked_child_does_not_hang_and_leaves_its_parents_logger_alone() {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let config = LoggerConfig {
        buffer_size: 4096,
        overflow: Overflow::WAIT,
        shutdown_timeout: HOUR,
        ..LoggerConfig::default()
    };
    let handler = Keep(Arc::clone(&seen));
    let logger = Logger::new("app", config, vec![Box::new(handler)]).unwrap();
    let mut producer = logger.producer().unwrap();
    logger.info("before");
    producer.info("before, by a producer");
    logger.flush(PATIENCE).unwrap();
    let clone = logger.clone();
    check_in_child(|| {
        // More than fits into a ring: with nobody to make room, waiting would not end.
        for number in 0..1000 {
            logger.info(&format!("in the child {number}"));
            producer.info(&format!("in the child {number}"));
        }
        let checks = [
            logger.flush(HOUR) == Err(FlushError::NoMaster),
            logger.producer().is_err_and(|error| error == Forked),
            logger.shutdown() == Err(ShutdownError::NoAnswer),
        ];
        drop(logger);
        drop(producer);
        drop(clone);
        checks
    });
    assert_eq!(*seen.lock().unwrap(), ["before", "before, by a producer"]);
}

/// The test above used up its logger; this one is used again by the parent.
#[test]
fn the_parent_goes_on_after_a_fork() {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let handler = Keep(Arc::clone(&seen));
    let logger = Logger::new("app", LoggerConfig::default(), vec![Box::new(handler)]).unwrap();
    logger.info("before");
    check_in_child(|| {
        logger.info("in the child");
        []
    });
    logger.info("after");
    let report = logger.shutdown().unwrap();
    assert_eq!(*seen.lock().unwrap(), ["before", "after"]);
    assert_eq!((report.total.attempted, report.refused), (2, 0));
}

/// Makes rings in its own process only.
struct Supply {
    generation: u32,
    doorbell: Doorbell,
    rings: Mutex<Vec<Consumer<HeapStorage>>>,
}

impl RingSupply for Supply {
    type Storage = HeapStorage;
    type Error = Forked;

    fn make_ring(&self) -> Result<Ring<HeapStorage>, Forked> {
        if self.generation != fork::generation() {
            return Err(Forked);
        }
        let (producer, consumer) = heap_ring(4096, 0);
        self.rings.lock().unwrap().push(consumer);
        Ok(producer)
    }

    fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    fn wake(&self) {}
}

#[test]
fn what_a_forked_child_cannot_log_is_counted_by_level() {
    let config = FrontConfig {
        base_level: Level::Info,
        wake_level: Level::Error,
        overflow: Overflow::WAIT,
        max_rings: 8,
        clock: SystemClock::monotonic(),
    };
    fork::watch();
    let generation = fork::generation();
    let supply = Supply { generation, doorbell: Doorbell::new(), rings: Mutex::default() };
    let front = Front::new(config, supply);
    let mut producer = front.producer().unwrap();
    front.text(Level::Info, "in the parent");
    check_in_child(|| {
        (0..3).for_each(|_| front.text(Level::Info, "in the child"));
        (0..2).for_each(|_| front.text_with(Level::Error, "in the child", b"bytes"));
        front.text(Level::Debug, "below the level");
        producer.warning("by a producer of the parent");
        let mut expected = [0; Level::COUNT];
        expected[Level::Info.index()] = 3;
        expected[Level::Warning.index()] = 1;
        expected[Level::Error.index()] = 2;
        [front.unrecorded() == expected]
    });
    assert_eq!(front.unrecorded(), [0; Level::COUNT], "the child counts for itself");
}
