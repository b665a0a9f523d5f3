//! The advanced logger: a worker and its master, in one process here.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use millpond_handlers::FileHandler;
use millpond_linux::{LoggerConfig, MasterLogger, WorkerLogger};
use millpond_std::Report;

use crate::events::verify;

pub(crate) fn start(parent: &Path) -> anyhow::Result<(MasterLogger, WorkerLogger, PathBuf)> {
    let folder = parent.join("rendezvous");
    let path = parent.join("worker.log");
    let config = LoggerConfig { path: folder.display().to_string(), ..Default::default() };
    let handler = FileHandler::new(&path)?;
    let master = MasterLogger::new(config.clone(), vec![Box::new(handler)])?;
    let worker = WorkerLogger::new(config, "worker")?;
    Ok((master, worker, path))
}

/// Verifies the file, whose gaps the report has to know of, and returns how many lines it has.
pub(super) fn check(path: &Path, sent: u64, report: &Report) -> anyhow::Result<u64> {
    ensure!(report.total.is_balanced(0), "the books do not balance: {report:?}");
    let found = verify(path, true)?;
    let dropped = report.total.total_dropped();
    ensure!(found.total() + dropped == sent, "{sent} sent, {} found: {report}", found.total());
    ensure!(found.lost == dropped, "{} lost according to the file: {report}", found.lost);
    Ok(found.total())
}
