//! The outcome as a person or a program reads it.

use std::fmt::{Display, Write as _};
use std::io::{ErrorKind, Write as _};

use anstyle::{AnsiColor, Style};
use anyhow::anyhow;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicatif::{HumanBytes, HumanCount};

use super::latency::Percentiles;
use super::outcome::{Outcome, WorkerOutcome};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const STRONG: Style = Style::new().bold();

/// Prints it, in colours if the output is a terminal that has some.
pub(super) fn print(outcome: &Outcome, json: bool) -> anyhow::Result<()> {
    let text = if json { serde_json::to_string_pretty(outcome)? + "\n" } else { text(outcome) };
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(|error| anyhow!("cannot write to standard output: {error}")),
    }
}

fn text(outcome: &Outcome) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}\n", workers(&outcome.workers));
    if let (Some(calls), Some(clock)) = (&outcome.call_ns, outcome.clock_read_ns) {
        let _ = writeln!(text, "{}", latencies(calls, clock));
        let _ = writeln!(text, "Every call, with one clock read and the waiting for room in it.");
        if outcome.killed > 0 {
            let _ = writeln!(text, "The times of the killed died with them.");
        }
        text.push('\n');
    }
    for worker in outcome.workers.iter().filter(|worker| worker.killed) {
        let undelivered = HumanCount(worker.undelivered_at_kill.unwrap_or(0));
        let _ = writeln!(
            text,
            "{} was killed with {STRONG}{undelivered} records undelivered{STRONG:#} in its rings",
            worker.name
        );
    }
    for obituary in &outcome.obituaries {
        let _ = writeln!(text, "  MASTER - {obituary}");
    }
    let _ = writeln!(
        text,
        "{} attempted = {} delivered + {} dropped + {} in flight\n{} lines found in the log",
        HumanCount(outcome.attempted),
        HumanCount(outcome.delivered),
        HumanCount(outcome.dropped),
        HumanCount(outcome.attempted.saturating_sub(outcome.delivered + outcome.dropped)),
        HumanCount(outcome.lines),
    );
    let _ = writeln!(
        text,
        "{:.2} s from the first call to the last line, {} records/s",
        outcome.seconds,
        HumanCount(outcome.records_per_second as u64)
    );
    verdict(outcome, &mut text);
    next(outcome, &mut text);
    text
}

fn verdict(outcome: &Outcome, text: &mut String) {
    if outcome.balanced {
        let _ = writeln!(
            text,
            "{GOOD}balanced{GOOD:#}: each call that returned is a line in the log, or counted as dropped"
        );
        return;
    }
    let _ = writeln!(text, "{BAD}not balanced{BAD:#}:");
    for problem in &outcome.problems {
        let _ = writeln!(text, "  {problem}");
    }
}

fn next(outcome: &Outcome, text: &mut String) {
    let log = outcome.log.display();
    let program = std::env::args().next().unwrap_or_else(|| "millpond".to_owned());
    let _ = writeln!(
        text,
        "\nThe log is {log} ({}). Next:\n  grep MASTER {log}\n  {program} demo --drop\n  {program} \
         serve --help",
        HumanBytes(outcome.log_bytes)
    );
}

fn workers(rows: &[WorkerOutcome]) -> Table {
    let mut table =
        new_table(["worker", "attempted", "delivered", "dropped", "lines", "records/s", ""]);
    for row in rows {
        let counts = [row.attempted, row.delivered, row.dropped, row.lines];
        let cells = [row.name.clone()]
            .into_iter()
            .chain(counts.map(|count| HumanCount(count).to_string()))
            .chain([HumanCount(row.records_per_second as u64).to_string()])
            .chain([if row.killed { "killed".to_owned() } else { String::new() }]);
        table.add_row(cells);
    }
    table
}

fn latencies(calls: &Percentiles, clock: f64) -> Table {
    let mut table = new_table(["ns per call", "p50", "p99", "p99.9", "max", "clock read"]);
    let times = [calls.p50, calls.p99, calls.p999, calls.max];
    let times = times.map(|time| HumanCount(time).to_string());
    let cells = [String::new()].into_iter().chain(times).chain([format!("{clock:.1}")]);
    table.add_row(cells);
    table
}

fn new_table<const N: usize>(header: [impl Display; N]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(ToString::to_string));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
