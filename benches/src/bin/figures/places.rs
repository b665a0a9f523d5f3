//! Where files are written, and what machine this is.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Folders for the files of this run, removed at its end.
pub(crate) struct Places {
    memory: Option<TempDir>,
    disk: TempDir,
}

impl Places {
    pub(crate) fn new() -> std::io::Result<Self> {
        let shared = Path::new("/dev/shm");
        let memory = shared.is_dir().then(|| TempDir::new_in(shared)).transpose()?;
        Ok(Self { memory, disk: TempDir::new()? })
    }

    /// A folder in memory, or on disk where there is none in memory.
    pub(crate) fn memory(&self) -> &Path {
        self.memory.as_ref().unwrap_or(&self.disk).path()
    }

    /// The folders there are, each with its name.
    pub(crate) fn all(&self) -> Vec<(&'static str, PathBuf)> {
        let memory = self.memory.iter().map(|folder| ("tmpfs", folder.path().to_owned()));
        memory.chain([("disk", self.disk.path().to_owned())]).collect()
    }
}

/// Processor, number of processors and kernel, as far as the system tells.
pub(crate) fn machine() -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name\t: "));
    let processor = processor.unwrap_or("unknown processor");
    let count = std::thread::available_parallelism().map_or(0, |count| count.get());
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{processor}, {count} processors, {} {}", std::env::consts::OS, kernel.trim())
}
