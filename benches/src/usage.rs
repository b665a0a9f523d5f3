//! Processor time, and the rate of the clock that stamps.

use std::time::{Duration, Instant};

use millpond_std::SystemClock;

/// Processor time of the calling thread.
pub fn thread_time() -> Duration {
    time_of(Whose::Thread)
}

/// Processor time of all threads of this process together.
pub fn process_time() -> Duration {
    time_of(Whose::Process)
}

enum Whose {
    Thread,
    Process,
}

#[cfg(unix)]
fn time_of(whose: Whose) -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let clock = match whose {
        Whose::Thread => ClockId::ThreadCPUTime,
        Whose::Process => ClockId::ProcessCPUTime,
    };
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(not(unix))]
fn time_of(_: Whose) -> Duration {
    Duration::ZERO
}

/// Nanoseconds per tick of `clock`, measured over a tenth of a second.
pub fn ns_per_tick(clock: SystemClock) -> f64 {
    let (start, first) = (Instant::now(), clock.now());
    std::thread::sleep(Duration::from_millis(100));
    let (end, last) = (Instant::now(), clock.now());
    (end - start).as_nanos() as f64 / (last - first) as f64
}

/// Keeps this thread busy, as a program is between its log calls.
pub fn spin_for(duration: Duration) {
    let start = Instant::now();
    while start.elapsed() < duration {
        std::hint::spin_loop();
    }
}
