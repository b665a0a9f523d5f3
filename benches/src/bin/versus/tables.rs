//! The figures as tables that fit 80 columns.

use std::io::IsTerminal as _;

use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::report::{Flow, Latency, Report};

/// Prints everything.
pub(crate) fn print(report: &Report) {
    println!("{}", report.machine.show());
    println!("Medians of {} rounds; (least .. most).", report.rounds);
    let limits = &report.limits;
    println!(
        "Limits: reading the clock {:.1} ns, copying 64 bytes {:.1} ns.\n",
        limits.clock_read_ns, limits.copy64_ns
    );
    latency(report);
    throughput(report);
    processes(report);
    instructions(report);
    settings(report);
    errors(report);
}

fn latency(report: &Report) {
    for threads in [1, 2, 4] {
        latencies("100 to 200 us", threads, &report.latency);
    }
    for threads in [1, 2, 4] {
        latencies("8 us", threads, &report.latency_short_pauses);
    }
}

fn latencies(pause: &str, threads: u32, rows: &[Latency]) {
    let mut rows: Vec<&Latency> = rows.iter().filter(|row| row.threads == threads).collect();
    if rows.is_empty() {
        return;
    }
    rows.sort_by(|a, b| a.in_burst.total_cmp(&b.in_burst));
    println!("Nanoseconds of a call: bursts of 20, {pause} apart, {}", count(threads));
    let mut table = table(&["", "in a burst", "p50", "p90", "p99", "p99.9"]);
    for row in rows {
        let range = row.spread.get("in_burst");
        table.add_row([
            row.name.clone(),
            shown(row.in_burst, range, 1, 1.0),
            format!("{:.0}", row.p50),
            format!("{:.0}", row.p90),
            format!("{:.0}", row.p99),
            format!("{:.0}", row.p999),
        ]);
    }
    println!("{table}\n");
}

fn count(threads: u32) -> String {
    if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") }
}

fn throughput(report: &Report) {
    for producers in [1, 4] {
        let rows = report.throughput.iter().filter(|row| row.producers == producers);
        let rows = rows.map(|row| (row.name.clone(), &row.flow));
        let title = format!("As fast as it goes until all is in the file, {}", count(producers));
        flows(&title, "", rows);
    }
}

fn processes(report: &Report) {
    let rows = report.processes.iter().map(|row| {
        let files = match row.files.as_str() {
            "own" => " *",
            "shared" => " +",
            _ => "",
        };
        (format!("{}{files}", row.name), &row.flow)
    });
    let note = "* a file for each process; + all append to one file; else a process collects.\n";
    flows("The same from 4 processes of one thread each", note, rows);
}

fn flows<'a>(title: &str, note: &str, rows: impl Iterator<Item = (String, &'a Flow)>) {
    let mut rows: Vec<(String, &Flow)> = rows.collect();
    if rows.is_empty() {
        return;
    }
    rows.sort_by(|a, b| b.1.records_per_second.total_cmp(&a.1.records_per_second));
    println!("{title}");
    let mut table = table(&["", "million/s", "cpu s/million", "dropped", "MB"]);
    for (name, flow) in rows {
        let cpu = flow.spread.get("cpu_seconds_per_million");
        table.add_row([
            name,
            shown(flow.records_per_second, flow.spread.get("records_per_second"), 2, 1e-6),
            shown(flow.cpu_seconds_per_million, cpu, 2, 1.0),
            flow.dropped.to_string(),
            format!("{:.0}", flow.bytes as f64 / 1e6),
        ]);
    }
    println!("{table}\n{note}");
}

fn instructions(report: &Report) {
    if report.instructions.is_empty() {
        println!("Instructions of a call: not counted (--instructions counts them).\n");
        return;
    }
    println!("Instructions of a call, of the thread that calls");
    let mut table = table(&["", "instructions"]);
    let mut rows: Vec<_> = report.instructions.iter().collect();
    rows.sort_by(|a, b| a.per_call.total_cmp(&b.per_call));
    for row in rows {
        table.add_row([row.name.clone(), format!("{:.0}", row.per_call)]);
    }
    println!("{table}\n");
}

fn settings(report: &Report) {
    println!("Settings");
    let mut table = table(&["", ""]);
    for (name, settings) in &report.settings {
        table.add_row([name, settings]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    println!("{table}\n");
}

fn errors(report: &Report) {
    for failure in &report.errors {
        println!("FAILED {} ({}): {}", failure.name, failure.table, failure.error);
    }
}

fn shown(median: f64, range: Option<&[f64; 2]>, decimals: usize, unit: f64) -> String {
    let [least, most] = range.copied().unwrap_or([median; 2]).map(|value| value * unit);
    let median = median * unit;
    format!("{median:.decimals$} ({least:.decimals$} .. {most:.decimals$})")
}

/// Lines on a terminal, columns only in a pipe.
fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    let is_terminal = std::io::stdout().is_terminal();
    table.load_style(if is_terminal { UTF8_FULL_CONDENSED } else { NOTHING });
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(80);
    if header.iter().any(|title| !title.is_empty()) {
        table.set_header(header);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
