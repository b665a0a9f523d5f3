//! The three tables: which ways each subject is run, round by round.

use std::collections::BTreeMap;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use millpond_benches::usage::ns_per_tick;
use millpond_std::SystemClock;

use crate::Table;
use crate::report::{Failure, Flow, Latency, Processes, Report, Throughput};
use crate::run::{Ran, Way, run};
use crate::spread::Spread;
use crate::subject::{Entry, Files, is_limit, is_ours};
use crate::subjects::limits;
use crate::task::{Pause, Quantiles, Work};

/// How much is measured.
pub(crate) struct Effort {
    rounds: usize,
    /// Bursts of each thread in a round, timed by call; as many again as a whole.
    bursts: u64,
    /// Records of all producers together in a round.
    records: u64,
}

impl Effort {
    pub(crate) fn new(quick: bool, rounds: Option<u64>) -> Self {
        let (default, bursts, records) =
            if quick { (3, 150, 80_000) } else { (5, 1500, 1_000_000) };
        Self { rounds: rounds.map_or(default, |rounds| rounds as usize), bursts, records }
    }
}

/// One row of a table, and what its rounds have brought so far.
struct Row<'a> {
    table: Table,
    entry: &'a Entry,
    way: Way<'static>,
    ran: Vec<Ran>,
    error: Option<String>,
}

pub(crate) fn measure(
    report: &mut Report,
    subjects: &[&Entry],
    effort: &Effort,
    base: &Path,
    wanted: impl Fn(Table) -> bool,
) -> anyhow::Result<()> {
    let ns_per_tick = ns_per_tick(SystemClock::detect());
    let mut rows: Vec<Row<'_>> = subjects
        .iter()
        .flat_map(|entry| rows_of(entry, effort, ns_per_tick))
        .filter(|row| wanted(row.table))
        .collect();
    report.rounds = effort.rounds;
    report.limits = limits::measure(ns_per_tick);
    let progress = progress((rows.len() * effort.rounds) as u64)?;
    let count = rows.len();
    for round in 0..effort.rounds {
        // A limit is what nothing was below: the least of all rounds.
        let limits = limits::measure(ns_per_tick);
        report.limits.clock_read_ns = report.limits.clock_read_ns.min(limits.clock_read_ns);
        report.limits.copy64_ns = report.limits.copy64_ns.min(limits.copy64_ns);
        for turn in 0..count {
            // Another begins in each round, so that nobody always follows the same one.
            let row = &mut rows[(turn + round * count / effort.rounds) % count];
            progress.set_message(row.entry.about.name);
            row.round(base);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    rows.into_iter().for_each(|row| row.finish(report));
    Ok(())
}

fn progress(length: u64) -> anyhow::Result<ProgressBar> {
    // On standard error, and only if that is a terminal.
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg:20} {eta:>4} left")?;
    Ok(ProgressBar::new(length).with_style(style))
}

fn rows_of<'a>(entry: &'a Entry, effort: &Effort, ns_per_tick: f64) -> Vec<Row<'a>> {
    let about = &entry.about;
    let row = |table, way| Row { table, entry, way, ran: Vec::new(), error: None };
    let may = |threads: &u32| about.threads || *threads == 1;
    let mut rows = Vec::new();
    if !about.no_latency {
        // Short pauses show how a call and the thread that drains get into each other's way.
        let short = is_ours(about.name) || is_limit(about.name);
        for pause in [Pause::Long, Pause::Short].into_iter().take(1 + usize::from(short)) {
            let work = Work::Bursts { bursts: effort.bursts, pause, ns_per_tick };
            let ways = [1, 2, 4].into_iter().filter(may);
            rows.extend(ways.map(|n| row(Table::Latency, Way::new(1, n, work))));
        }
    }
    if about.files != Files::None {
        let work = |producers| Work::Saturate { records: effort.records / u64::from(producers) };
        let ways = [1, 4].into_iter().filter(may);
        rows.extend(ways.map(|n| row(Table::Throughput, Way::new(1, n, work(n)))));
        rows.push(row(Table::Processes, Way::new(4, 1, work(4))));
    }
    rows
}

impl Row<'_> {
    /// Runs once. What has failed is not tried again.
    fn round(&mut self, base: &Path) {
        if self.error.is_none() {
            match run(self.entry, &self.way, base) {
                Ok(ran) => self.ran.push(ran),
                Err(error) => self.error = Some(format!("{error:#}")),
            }
        }
    }

    fn finish(self, report: &mut Report) {
        let missing = self.ran.iter().map(|ran| ran.found.missing).sum::<u64>();
        let wrong = self.ran.iter().map(|ran| ran.found.wrong).sum::<u64>();
        let lost = (missing + wrong > 0).then(|| format!("{missing} lines missing, {wrong} wrong"));
        if let Some(error) = self.error.clone().or(lost) {
            let table = format!("{:?}, {}", self.table, self.producers()).to_lowercase();
            report.errors.push(Failure { name: self.name(), table, error });
        }
        if self.ran.is_empty() {
            return;
        }
        let name = self.name();
        match self.table {
            Table::Latency => match self.way.work {
                Work::Bursts { pause: Pause::Short, .. } => {
                    report.latency_short_pauses.push(self.latency());
                }
                _ => report.latency.push(self.latency()),
            },
            Table::Throughput => {
                let producers = self.way.threads;
                report.throughput.push(Throughput { name, producers, flow: self.flow() });
            }
            Table::Processes => {
                let (processes, files) = (self.way.processes, self.entry.about.files);
                let files = format!("{files:?}").to_lowercase();
                report.processes.push(Processes { name, processes, files, flow: self.flow() });
            }
        }
    }

    fn name(&self) -> String {
        self.entry.about.name.to_owned()
    }

    fn producers(&self) -> String {
        match self.table {
            Table::Processes => format!("{} processes", self.way.processes),
            _ => format!("{} threads", self.way.threads),
        }
    }

    fn latency(&self) -> Latency {
        let rounds: Vec<Quantiles> = self.ran.iter().filter_map(|ran| ran.latency).collect();
        let mut spread = BTreeMap::new();
        let mut of = |name: &str, figure: fn(&Quantiles) -> f64| {
            let figure = Spread::of(rounds.iter().map(figure));
            spread.insert(name.to_owned(), figure.range);
            figure.median
        };
        Latency {
            name: self.name(),
            threads: self.way.threads,
            p50: of("p50", |q| q.p50),
            p90: of("p90", |q| q.p90),
            p99: of("p99", |q| q.p99),
            p999: of("p999", |q| q.p999),
            in_burst: of("in_burst", |q| q.in_burst),
            missing: self.ran.iter().map(|ran| ran.found.missing).sum(),
            spread,
        }
    }

    fn flow(&self) -> Flow {
        let rate = Spread::of(self.ran.iter().map(|ran| {
            // Of what was measured, what is in the file.
            ran.measured.saturating_sub(ran.found.missing) as f64 / ran.seconds
        }));
        let cpu = |ran: &Ran| ran.cpu_seconds * 1e6 / ran.measured as f64;
        let cpu = Spread::of(self.ran.iter().map(cpu));
        let range = |name: &str, of: Spread| (name.to_owned(), of.range);
        Flow {
            records_per_second: rate.median,
            cpu_seconds_per_million: cpu.median,
            lines: self.ran.iter().map(|ran| ran.found.lines).sum(),
            dropped: self.ran.iter().map(|ran| ran.found.missing.max(ran.dropped)).sum(),
            bytes: self.ran.iter().map(|ran| ran.found.bytes).max().unwrap_or(0),
            spread: BTreeMap::from([
                range("records_per_second", rate),
                range("cpu_seconds_per_million", cpu),
            ]),
        }
    }
}
