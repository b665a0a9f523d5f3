//! The figures as tables that fit 80 columns.

use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::Figures;
use crate::system_calls::Answer;
use crate::throughput::What;

pub(crate) fn print(figures: &Figures) {
    println!("{}\n", figures.machine);
    if let Some(calls) = &figures.calls {
        println!("Log call, 64 bytes of text, or 3 arguments (info!): nanoseconds;");
        println!("median (least .. most) of the rounds");
        let mut table = table(&["entry point", "p50", "beyond clock", "p99", "p99.9", "max µs"]);
        for call in &calls.entries {
            table.add_row([
                call.entry.to_owned(),
                call.p50.show(0),
                call.beyond_clock.show(1),
                format!("{:.0}", call.p99),
                format!("{:.0}", call.p999),
                format!("{:.0}", call.max / 1e3),
            ]);
        }
        println!("{table}");
        println!("\nThe same in bursts of 20, per call, no clock read in between:");
        for call in &calls.entries {
            println!("  {:24} {}", call.entry, call.in_burst.show(1));
        }
        println!("\nDisabled level: {} ns;", calls.disabled.show(2));
        println!("through a producer: {} ns.", calls.disabled_producer.show(2));
        let allocations = calls.entries.iter().map(|call| call.allocations).sum::<u64>();
        let total = calls.entries.iter().map(|call| call.calls).sum::<u64>();
        println!("Allocations: {allocations} in {total} calls that log,");
        println!("{} in those at a disabled level.", calls.disabled_allocations);
        println!("Lines read back and verified: {}.\n", calls.lines);
    }
    if !figures.throughput.is_empty() {
        println!("From the calls into a file: median (least .. most) of the rounds");
        let mut table =
            table(&["file", "threads x ring", "million/s", "cpu s per million", "dropped"]);
        for row in &figures.throughput {
            let ring = match row.ring_kib {
                kib if kib % 1024 == 0 => format!("{} MiB", kib / 1024),
                kib => format!("{kib} KiB"),
            };
            let mut threads = format!("{} x {ring}", row.threads);
            if row.what == What::Events {
                threads += ", info!";
            }
            if row.idle_rings > 0 {
                threads += &format!(", {} idle", row.idle_rings);
            }
            let dropped = if row.drops {
                format!("{:.0} %", row.dropped_percent.median)
            } else {
                "none".to_owned()
            };
            table.add_row([
                row.place.to_owned(),
                threads,
                row.million_per_second.show(2),
                row.cpu_per_million.show(3),
                dropped,
            ]);
        }
        println!("{table}");
        let lines = figures.throughput.iter().map(|row| row.lines).sum::<u64>();
        println!("Lines read back and verified: {lines}.\n");
    }
    if let Some(resting) = &figures.resting {
        println!("A logger with {} rings", resting.rings);
        println!("  idle:   {} % of one processor", resting.idle_percent.show(3));
        println!("  memory: {:.2} MiB beside the rings when idle,", resting.idle_mib);
        println!("          {:.2} MiB at most under load;", resting.busy_mib);
        println!("          {:.3} MiB a ring\n", resting.ring_mib);
        if let Some(master) = &resting.master {
            println!("A master and its {} workers, in one process", master.workers);
            println!("  idle:   {} % of one processor", master.idle_percent.show(3));
            println!("  memory: {:.2} MiB on the heap,", master.idle_mib);
            println!("          {:.3} MiB shared memory for each worker\n", master.worker_mib);
        }
    }
    match &figures.system_calls {
        None => {}
        Some(Answer::Skipped(why)) => println!("System calls: not counted ({why})"),
        Some(Answer::Counted { calls, by_entry }) => {
            println!("System calls in {calls} calls: wakes of the collector, others");
            for made in by_entry {
                println!("  {:14} {:6} {:6}", made.entry, made.wakes, made.others);
            }
        }
    }
}

/// Lines on a terminal, columns only in a pipe.
fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    if std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        table.load_style(UTF8_FULL_CONDENSED);
    } else {
        table.load_style(NOTHING);
    }
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(80).set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, 1)); // so that no cell needs a second line
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
