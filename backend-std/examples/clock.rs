//! How far stamps are from CLOCK_REALTIME, second by second:
//!
//! ```sh
//! cargo run --release -p millpond-std --example clock -- 60
//! ```

#[path = "../tests/support/clock_error.rs"]
mod clock_error;

use std::time::{Duration, Instant};

use clock_error::{Errors, Random};
use millpond_std::{SystemClock, Timeline};

fn main() {
    let seconds: u32 = match std::env::args().nth(1).map(|argument| argument.parse()) {
        None => 10,
        Some(Ok(seconds)) => seconds,
        Some(Err(error)) => {
            eprintln!("expected a number of seconds: {error}");
            std::process::exit(2);
        }
    };
    let mut timeline = Timeline::new(SystemClock::detect());
    let mut random = Random(7);
    // As the collector waits until a rate is known.
    std::thread::sleep(Duration::from_millis(2));
    timeline.refresh();

    println!("stamps by {:?} against CLOCK_REALTIME, ns", timeline.clock().kind());
    println!("second  stamps  interrupted    p50    p90    p99  p99.9    max");
    let mut all = Vec::new();
    let mut left_out = 0;
    for second in 1..=seconds {
        let errors = Errors::collect(&mut timeline, &mut random, Duration::from_secs(1));
        let sizes = errors.sorted();
        left_out += errors.len() - sizes.len();
        line(&second.to_string(), errors.len() - sizes.len(), &sizes);
        all.extend(sizes);
    }
    all.sort_unstable();
    line("all", left_out, &all);
    println!("refresh: {:.0} ns", refresh_ns(&mut timeline));
}

fn line(second: &str, interrupted: usize, sizes: &[u64]) {
    print!("{second:>6} {:>7} {interrupted:>12}", sizes.len());
    for permille in [500, 900, 990, 999, 1000] {
        let at = (sizes.len() * permille / 1000).min(sizes.len().saturating_sub(1));
        print!(" {:>6}", sizes.get(at).copied().unwrap_or_default());
    }
    println!();
}

/// What reading the clocks costs a collector on each pass.
fn refresh_ns(timeline: &mut Timeline) -> f64 {
    const TIMES: u32 = 100_000;
    let start = Instant::now();
    (0..TIMES).for_each(|_| timeline.refresh());
    start.elapsed().as_nanos() as f64 / f64::from(TIMES)
}
