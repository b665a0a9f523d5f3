//! What the tests of several files need: directories, handlers that can be waited on, and this
//! test binary started again as a worker process.
#![allow(dead_code, unreachable_pub)] // each test binary uses its part

use std::io::{BufRead, BufReader, Lines as InputLines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use millpond_core::frame::Flags;
use millpond_linux::{LoggerConfig, MasterLogger};
use millpond_std::{Handler, HandlerError, Records};

/// How long anything that must come may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Lines `NAME: MESSAGE` that a handler got, and a way to wait for one.
#[derive(Clone, Default)]
pub struct Lines(Arc<(Mutex<Vec<Line>>, Condvar)>);

#[derive(Clone, Debug)]
pub struct Line {
    pub text: String,
    pub timestamp_ns: i64,
    pub late: bool,
    pub original_length: Option<u32>,
    pub bytes: Option<Vec<u8>>,
}

impl Lines {
    pub fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap().iter().map(|line| line.text.clone()).collect()
    }

    pub fn line(&self, index: usize) -> Line {
        self.0.0.lock().unwrap()[index].clone()
    }

    /// The messages logged under `name`.
    pub fn of(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}: ");
        self.all().iter().filter_map(|l| l.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    /// How many lines have `what` in them.
    pub fn count(&self, what: &str) -> usize {
        self.all().iter().filter(|line| line.contains(what)).count()
    }

    /// Waits for a line with `what` in it.
    pub fn wait_for(&self, what: &str) -> String {
        self.wait_for_line(what).text
    }

    pub fn wait_for_line(&self, what: &str) -> Line {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.0.0.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(|line| line.text.contains(what)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what:?} in {lines:#?}");
            lines = self.0.1.wait_timeout(lines, left).unwrap().0;
        }
    }

    fn add(&self, records: &Records) {
        let mut lines = self.0.0.lock().unwrap();
        lines.extend(records.iter().map(|record| Line {
            text: format!("{}: {}", record.name(), record.message()),
            timestamp_ns: record.timestamp_ns(),
            late: record.flags().contains(Flags::LATE),
            original_length: record.original_length(),
            bytes: record.bytes().map(<[u8]>::to_vec),
        }));
        self.0.1.notify_all();
    }
}

/// A durable handler that keeps [`Lines`].
pub struct Keep(pub Lines);

impl Handler for Keep {
    fn name(&self) -> &str {
        "keep"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        self.0.add(records);
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// A place for a rendezvous directory on tmpfs, removed at the end.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::Builder::new().prefix("millpond-test-").tempdir_in("/dev/shm").unwrap())
    }

    /// The directory that the loggers make.
    pub fn pond(&self) -> PathBuf {
        self.0.path().join("pond")
    }

    pub fn config(&self) -> LoggerConfig {
        config_of(&self.pond())
    }

    /// The names in the directory that begin with one of `prefixes`.
    pub fn names(&self, prefixes: &[&str]) -> Vec<String> {
        let files = std::fs::read_dir(self.pond()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> =
            names.filter(|name| prefixes.iter().any(|p| name.starts_with(p))).collect();
        names.sort();
        names
    }
}

pub fn config_of(pond: &Path) -> LoggerConfig {
    let path = format!("ipc://{}", pond.display());
    // Short, so that what nobody flushes comes soon.
    let flush_interval = Duration::from_millis(20);
    LoggerConfig { path, flush_interval, ..LoggerConfig::default() }
}

pub fn master(config: &LoggerConfig) -> (MasterLogger, Lines) {
    let lines = Lines::default();
    let master = MasterLogger::new(config.clone(), vec![Box::new(Keep(lines.clone()))]).unwrap();
    (master, lines)
}

/// Repeats `look` until it is true.
pub fn eventually(what: &str, mut look: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !look() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// This test binary, started again to play a part: its test `worker_process`, which looks at
/// [`role`] and does nothing without one.
pub struct Process {
    pub child: Child,
    lines: InputLines<BufReader<ChildStdout>>,
}

/// The part to play, and the configuration to play it with.
pub fn role() -> Option<(String, LoggerConfig)> {
    let role = std::env::var("MILLPOND_TEST_ROLE").ok()?;
    let path = std::env::var("MILLPOND_TEST_PATH").unwrap();
    Some((role, LoggerConfig { path, ..LoggerConfig::default() }))
}

impl Process {
    pub fn start(role: &str, config: &LoggerConfig) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "worker_process", "--nocapture"])
            .env("MILLPOND_TEST_ROLE", role)
            .env("MILLPOND_TEST_PATH", &config.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits for `said: WORD` and returns the word.
    pub fn hears(&mut self) -> String {
        for line in &mut self.lines {
            if let Some((_, word)) = line.unwrap().split_once("said: ") {
                return word.to_owned();
            }
        }
        panic!("the process ended early: {:?}", self.child.wait());
    }

    /// Lets the process go on behind its [`wait_for_parent`].
    pub fn release(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Releases it and waits for its orderly end.
    pub fn end(mut self) {
        self.release();
        for line in &mut self.lines {
            drop(line); // or it might wait for a reader
        }
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a process: tells the parent a word.
pub fn say(word: impl std::fmt::Display) {
    println!("said: {word}");
}

/// In a process: blocks until the parent releases it or ends.
pub fn wait_for_parent() {
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {}
}

/// Whether this is root; says so if not.
pub fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("skipped: only root can do this");
    }
    is_root
}

/// A tmpfs of its own, unmounted at the end; `None`, with a note, where that is not allowed.
pub struct SmallTmpfs(Place);

impl SmallTmpfs {
    pub fn new(size: &str) -> Option<Self> {
        let place = Place::new();
        std::fs::create_dir(place.pond()).unwrap();
        let options = format!("size={size},mode=700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(place.pond());
        if !mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            println!("skipped: a tmpfs cannot be mounted here");
            return None;
        }
        Some(Self(place))
    }

    pub fn place(&self) -> &Place {
        &self.0
    }
}

impl Drop for SmallTmpfs {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("-l").arg(self.0.pond()).status();
        assert!(status.is_ok_and(|status| status.success()));
    }
}
