//! Where the demo puts its files, and what it leaves.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use tempfile::TempDir;

use crate::exit::Usage;

/// A fresh directory in memory, gone when this is dropped.
pub(super) fn scratch() -> anyhow::Result<TempDir> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let places = ["/dev/shm".into()].into_iter().chain(runtime).chain([std::env::temp_dir()]);
    let prefix = format!("millpond-demo-{}-", std::process::id());
    let mut last = None;
    for place in places.filter(|place| place.is_absolute()) {
        match tempfile::Builder::new().prefix(&prefix).tempdir_in(place) {
            Ok(scratch) => return Ok(scratch),
            Err(error) => last = Some(error),
        }
    }
    let error = last.map_or_else(|| anyhow!("there is none"), anyhow::Error::from);
    Err(anyhow!("cannot make a directory in /dev/shm or elsewhere: {error}; make one writable"))
}

/// The directory in which workers and master meet, removed at the end if it was not there before.
#[derive(Debug)]
pub(super) struct Pond {
    pub(super) path: String,
    is_ours: bool,
}

impl Pond {
    /// The one that the user named, or one in `scratch`.
    pub(super) fn new(named: Option<&str>, scratch: &Path) -> anyhow::Result<Self> {
        let Some(named) = named else {
            let path = scratch.join("pond");
            let path = path.to_str().ok_or_else(|| anyhow!("{} is not UTF-8", path.display()))?;
            return Ok(Self { path: path.to_owned(), is_ours: true });
        };
        let plain = named.strip_prefix("ipc://").unwrap_or(named);
        let is_ours = fs::symlink_metadata(plain).is_err_and(|e| e.kind() == ErrorKind::NotFound);
        Ok(Self { path: named.to_owned(), is_ours })
    }
}

impl Drop for Pond {
    fn drop(&mut self) {
        if self.is_ours {
            let path = self.path.strip_prefix("ipc://").unwrap_or(&self.path);
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// The log file of the demo; removed when this is dropped, unless it is to be kept.
#[derive(Debug)]
pub(super) struct LogFile {
    pub(super) path: PathBuf,
    remove: bool,
}

impl LogFile {
    /// The one that the user named, which must be empty or missing, or a fresh one.
    pub(super) fn new(named: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = named {
            let found = fs::metadata(path);
            if let Ok(found) = &found
                && found.is_file()
                && found.len() > 0
            {
                let text = "holds {} bytes already: name a file that is new or empty, the demo \
                            counts every line";
                let text = text.replace("{}", &found.len().to_string());
                return Err(Usage(format!("--out {} {text}", path.display())).into());
            }
            return Ok(Self { path: path.to_owned(), remove: found.is_err() });
        }
        let builder = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
        let made = tempfile::Builder::new()
            .prefix("millpond-demo-")
            .suffix(".log")
            .make(builder)
            .context("cannot make a log file; name one with --out FILE")?;
        let (_, path) = made.keep().context("cannot keep the log file")?;
        Ok(Self { path, remove: true })
    }

    /// Leaves the file to the user.
    pub(super) fn keep(&mut self) {
        self.remove = false;
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        if self.remove {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_user_is_never_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.log");
        fs::write(&path, "mine\n").unwrap();
        let error = LogFile::new(Some(&path)).unwrap_err();
        assert!(error.is::<Usage>() && error.to_string().contains("holds 5 bytes"), "{error}");
        fs::write(&path, "").unwrap();
        drop(LogFile::new(Some(&path)).unwrap());
        assert!(path.exists(), "it was there before");
    }

    #[test]
    fn a_fresh_file_goes_unless_it_is_kept() {
        let mut kept = LogFile::new(None).unwrap();
        let lost = LogFile::new(None).unwrap();
        kept.keep();
        let (kept_path, lost_path) = (kept.path.clone(), lost.path.clone());
        drop((kept, lost));
        assert!(kept_path.exists() && !lost_path.exists());
        fs::remove_file(kept_path).unwrap();
    }
}
