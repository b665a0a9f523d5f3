//! Pictures of the figures, for a page that is read on a screen: SVG, and the same as PNG.

mod bars;
mod canvas;
mod latency;
mod png;

use std::path::Path;

use anyhow::Context as _;

use crate::report::Report;
use bars::{Bar, Row};

/// Draws what was measured into a folder, which is made if it is missing.
pub(crate) fn draw(report: &Report, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    canvas::register_fonts()?;
    let save = |name: &str, svg: Option<String>| match svg {
        Some(svg) => save(&svg, &folder.join(name)),
        None => Ok(()),
    };
    let source = source(report);
    save("latency", latency::draw(report, &source)?)?;
    let legend = ["1 thread", "4 threads"];
    let title = "Records per second until every line is in the file";
    save("throughput", bars::draw(title, &legend, &throughput(report), &source)?)?;
    let title = "Records per second from four processes until every line is in the file";
    save(
        "processes",
        bars::draw(title, &["one thread in each process"], &processes(report), &source)?,
    )
}

/// Where the figures come from: the last line of each picture.
fn source(report: &Report) -> String {
    format!("{}. Medians of {} rounds.", report.machine.show(), report.rounds)
}

fn save(svg: &str, path: &Path) -> anyhow::Result<()> {
    let write = |extension: &str, bytes: &[u8]| {
        let path = path.with_extension(extension);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    write("svg", svg.as_bytes())?;
    write("png", &png::of(svg)?)
}

fn throughput(report: &Report) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for measured in &report.throughput {
        let bar = Bar::of(usize::from(measured.producers > 1), &measured.flow);
        match rows.iter_mut().find(|row| row.name == measured.name) {
            Some(row) => row.bars.push(bar),
            None => rows.push(Row::new(&measured.name, "", bar)),
        }
    }
    rows
}

fn processes(report: &Report) -> Vec<Row> {
    let row = |measured: &crate::report::Processes| {
        let files = match measured.files.as_str() {
            "own" => "four files",
            "shared" => "one file, all append",
            _ => "one file, a process collects",
        };
        Row::new(&measured.name, files, Bar::of(0, &measured.flow))
    };
    report.processes.iter().map(row).collect()
}
