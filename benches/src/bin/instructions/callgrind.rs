//! Counting with valgrind's callgrind.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

/// Calls of the shorter run.
const CALLS: u64 = 2_000;

/// Instructions that one call of a case takes, beyond those of a loop that only makes its
/// arguments.
pub(crate) fn per_call(case: &str) -> anyhow::Result<f64> {
    Ok(round(slope(case)? - slope("nothing")?))
}

/// Instructions that one more turn of the loop takes. The difference of two runs: what happens
/// before, after and now and then is the same in both or lost in rounding.
fn slope(case: &str) -> anyhow::Result<f64> {
    let [once, twice] = [CALLS, 2 * CALLS].map(|calls| total(case, calls));
    Ok((twice? - once?) / CALLS as f64)
}

/// To a tenth: the rare second looks are spread over all calls.
fn round(count: f64) -> f64 {
    (count * 10.0).round() / 10.0
}

/// Instructions of the thread that calls.
fn total(case: &str, calls: u64) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let counts = folder.path().join("counts");
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--separate-threads=yes"])
        .arg("--toggle-collect=*measured*")
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(std::env::current_exe()?)
        .args(["calls", case, &calls.to_string()])
        .stdout(Stdio::null())
        .status()
        .context("cannot run valgrind; is it installed?")?;
    ensure!(status.success(), "valgrind or the case {case} failed: {status}");
    // The main thread is the first.
    let path = folder.path().join("counts-01");
    let text = std::fs::read_to_string(path).context("callgrind has written nothing")?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total: f64 = total.context("callgrind has written no total")?.trim().parse()?;
    ensure!(total > 0.0, "callgrind has counted nothing of the case {case}");
    Ok(total)
}
