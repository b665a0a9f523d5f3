//! Measures the figures that Millpond promises, all in one run.
//!
//! Rounds are interleaved: what is compared is measured in turn, several times over, so that a
//! machine that is busy with something else disturbs all of it alike. Every line that is logged
//! here is read back and verified.
//!
//! `docs/performance/README.md` says what each figure means.

mod calls;
mod events;
mod places;
mod resting;
mod show;
mod spread;
mod system_calls;
mod throughput;

use clap::Parser;
use millpond_benches::allocator::Counting;
use serde::Serialize;

use places::Places;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Measures what a log call costs and how fast records get into a file.
#[derive(Parser)]
struct Options {
    /// A tenth of the work: for a first impression.
    #[arg(long)]
    quick: bool,
    /// Machine-readable output.
    #[arg(long)]
    json: bool,
    /// Measure only these (calls, throughput, resting, system).
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// For `strace`, which runs this program again.
    #[arg(long, hide = true)]
    system_calls_of: Option<String>,
    /// How often the entry point is called then.
    #[arg(long, hide = true, default_value_t = 0)]
    repeat: u64,
}

/// How much is measured.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    /// Calls of each entry point, over all rounds.
    calls: u64,
    /// Records of each throughput run.
    records: u64,
    idle_seconds: u64,
}

impl Effort {
    fn new(quick: bool) -> Self {
        if quick {
            Self { rounds: 5, calls: 100_000, records: 200_000, idle_seconds: 1 }
        } else {
            Self { rounds: 7, calls: 1_400_000, records: 2_000_000, idle_seconds: 10 }
        }
    }
}

/// Everything that was measured.
#[derive(Serialize)]
struct Figures {
    machine: String,
    calls: Option<calls::Calls>,
    throughput: Vec<throughput::Row>,
    resting: Option<resting::Resting>,
    system_calls: Option<system_calls::Answer>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(entry) = &options.system_calls_of {
        return system_calls::child(entry, options.repeat);
    }
    let effort = Effort::new(options.quick);
    let wanted = |what: &str| options.only.is_empty() || options.only.iter().any(|o| o == what);
    let places = Places::new()?;
    // Memory first, while nothing else has used any.
    let resting = wanted("resting").then(|| resting::measure(&effort)).transpose()?;
    let calls = wanted("calls").then(|| calls::measure(&effort, &places)).transpose()?;
    let throughput =
        if wanted("throughput") { throughput::measure(&effort, &places)? } else { Vec::new() };
    let system_calls = wanted("system").then(|| system_calls::measure(&effort)).transpose()?;
    let machine = places::machine();
    let figures = Figures { machine, calls, throughput, resting, system_calls };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        show::print(&figures);
    }
    Ok(())
}
