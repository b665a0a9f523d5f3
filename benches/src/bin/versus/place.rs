//! Where the processes of a run find each other and leave their files.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// The folder of a run, as one of its processes sees it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Place {
    /// Fresh for each run.
    pub(crate) folder: PathBuf,
    /// The log file of this process; processes may share one.
    pub(crate) file: PathBuf,
    /// How many threads log, in all processes together.
    pub(crate) producers: u32,
}

impl Place {
    /// The file as text, for the loggers that want it so.
    pub(crate) fn file_text(&self) -> anyhow::Result<&str> {
        self.file.to_str().context("the path of the folder is not UTF-8")
    }

    /// A name that no other run has: that of the folder.
    pub(crate) fn unique_name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// A file of this run that is no log.
    pub(crate) fn other(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Where the folders of runs are made: in memory if nothing else is said, since the subjects are
/// to be compared and not the disk.
pub(crate) fn base(wanted: Option<&Path>) -> anyhow::Result<PathBuf> {
    let shared = Path::new("/dev/shm");
    match wanted {
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
            Ok(folder.to_owned())
        }
        None if shared.is_dir() => Ok(shared.to_owned()),
        None => Ok(std::env::temp_dir()),
    }
}
