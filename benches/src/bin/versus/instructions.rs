//! Instructions of a call, counted by valgrind's callgrind.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::report::{Failure, Instructions, Report};
use crate::run::{Way, run};
use crate::subject::Entry;
use crate::task::Work;

/// Calls of the first count; the second has twice as many, and the difference is theirs alone.
const CALLS: u64 = 1000;

/// The subject whose calls do nothing: what it takes is the loop's, and is taken off the others.
const NOTHING: &str = "clock";

/// Counts the instructions of all subjects. Without valgrind there is nothing to count.
pub(crate) fn count(report: &mut Report, subjects: &[&Entry], base: &Path) -> anyhow::Result<()> {
    let Ok(version) = Command::new("valgrind").arg("--version").output() else {
        eprintln!("versus: valgrind is not installed: no instructions are counted");
        return Ok(());
    };
    eprintln!("counting instructions with {}", String::from_utf8_lossy(&version.stdout).trim());
    let program = build()?;
    let slope = |entry: &Entry| {
        let count = |calls| calls_of(entry, calls, &program, base);
        anyhow::Ok((count(2 * CALLS)? - count(CALLS)?) / CALLS as f64)
    };
    let nothing = crate::subjects::ALL.iter().find(|entry| entry.about.name == NOTHING);
    let nothing = slope(nothing.context("there is no subject that does nothing")?)?;
    for entry in subjects.iter().filter(|entry| entry.about.name != NOTHING) {
        let name = entry.about.name.to_owned();
        match slope(entry) {
            Ok(count) => {
                report.instructions.push(Instructions { name, per_call: count - nothing });
            }
            Err(error) => {
                let (table, error) = ("instructions".to_owned(), format!("{error:#}"));
                // Of a tool that cannot run a subject, the subject is innocent.
                eprintln!("versus: {name}: {error}");
                if !crate::subject::is_ours(&name) {
                    report.errors.push(Failure { name, table, error });
                }
            }
        }
    }
    Ok(())
}

/// Builds this program once more: valgrind 3.19 cannot run rustix's own system calls, which read
/// the vDSO.
fn build() -> anyhow::Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    let target = target.join("versus-valgrind");
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "-p", "millpond-benches", "--features", "peers"]);
    command.args(["--bin", "versus", "--target-dir"]).arg(&target);
    command.env("RUSTFLAGS", "--cfg rustix_use_libc").stdout(Stdio::null());
    let status = command.status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo could not build for valgrind: run this in the workspace");
    Ok(target.join("release/versus").canonicalize()?)
}

/// Instructions of the thread that calls, in all of its calls.
fn calls_of(entry: &Entry, calls: u64, program: &Path, base: &Path) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir_in(base)?;
    let counts = folder.path().join("counts");
    let under = [
        "valgrind".to_owned(),
        "--tool=callgrind".to_owned(),
        "--separate-threads=yes".to_owned(),
        "--toggle-collect=*measured_calls*".to_owned(),
        format!("--callgrind-out-file={}", counts.display()),
    ];
    let way = Way::new(1, 1, Work::Calls { calls });
    run(entry, &Way { under: &under, program: Some(program), ..way }, base)?;
    // The main thread is the first.
    let path = folder.path().join("counts-01");
    let text = std::fs::read_to_string(&path).context("callgrind has written nothing")?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total: f64 = total.context("callgrind has written no total")?.trim().parse()?;
    ensure!(total > 0.0, "callgrind has counted nothing");
    Ok(total)
}
