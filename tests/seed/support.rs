//! Directories, handlers that can be waited on, and processes.

use std::io::{BufRead, BufReader, Lines as InputLines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use millpond::advanced::{LoggerConfig, MasterLogger};
use millpond::{Handler, HandlerError, Level, Records};

/// How long anything that must come may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A record as a handler got it.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) level: Level,
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) timestamp_ns: i64,
}

#[derive(Default)]
struct Kept {
    records: Vec<Got>,
    pushes: usize,
    thread: Option<ThreadId>,
}

/// What a [`Keep`] got, and ways to wait for it.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<(Mutex<Kept>, Condvar)>);

impl Seen {
    pub(crate) fn records(&self) -> Vec<Got> {
        self.0.0.lock().unwrap().records.clone()
    }

    /// The messages logged under `name`.
    pub(crate) fn of(&self, name: &str) -> Vec<String> {
        let records = self.records().into_iter().filter(|record| record.name == name);
        records.map(|record| record.message).collect()
    }

    /// How many batches came.
    pub(crate) fn pushes(&self) -> usize {
        self.0.0.lock().unwrap().pushes
    }

    /// The thread that the batches came on.
    pub(crate) fn thread(&self) -> Option<ThreadId> {
        self.0.0.lock().unwrap().thread
    }

    /// Waits for a record whose message contains `what`.
    pub(crate) fn wait_for(&self, what: &str) -> Got {
        let deadline = Instant::now() + PATIENCE;
        let mut kept = self.0.0.lock().unwrap();
        loop {
            if let Some(record) = kept.records.iter().find(|r| r.message.contains(what)) {
                return record.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what:?} in {:#?}", kept.records);
            kept = self.0.1.wait_timeout(kept, left).unwrap().0;
        }
    }
}

/// A durable handler that keeps what it gets.
pub(crate) struct Keep(Seen);

impl Handler for Keep {
    fn name(&self) -> &str {
        "keep"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        let mut kept = self.0.0.0.lock().unwrap();
        kept.pushes += 1;
        kept.thread = Some(std::thread::current().id());
        kept.records.extend(records.iter().map(|record| Got {
            level: record.level(),
            name: record.name().to_owned(),
            message: record.message().to_owned(),
            bytes: record.bytes().map(<[u8]>::to_vec),
            timestamp_ns: record.timestamp_ns(),
        }));
        self.0.0.1.notify_all();
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

pub(crate) fn keep() -> (Seen, Box<dyn Handler>) {
    let seen = Seen::default();
    (seen.clone(), Box::new(Keep(seen)))
}

/// A place in shared memory and one on disk, removed at the end.
pub(crate) struct Place {
    memory: tempfile::TempDir,
    disk: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let memory = tempfile::Builder::new().prefix("millpond-seed-").tempdir_in("/dev/shm");
        Self { memory: memory.unwrap(), disk: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn pond(&self) -> PathBuf {
        self.memory.path().join("pond")
    }

    pub(crate) fn path(&self) -> String {
        format!("ipc://{}", self.pond().display())
    }

    pub(crate) fn config(&self) -> LoggerConfig {
        LoggerConfig { path: self.path(), ..LoggerConfig::default() }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.disk.path().join(name)
    }

    /// The ring files whose names begin with `prefix`: `r-` records, `w-` heartbeats.
    pub(crate) fn rings(&self, prefix: &str) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.pond()).unwrap().map(|file| file.unwrap().path());
        let is_ring =
            |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(prefix);
        files.filter(is_ring).collect()
    }
}

pub(crate) fn master(config: &LoggerConfig) -> (MasterLogger, Seen) {
    let (seen, handler) = keep();
    (MasterLogger::new(config.clone(), vec![handler]).unwrap(), seen)
}

pub(crate) fn lines(file: &Path) -> Vec<String> {
    std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

/// Repeats `look` until it is true.
pub(crate) fn eventually(what: &str, mut look: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !look() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// This test binary, started again to play a part: `ROLE NAME`.
pub(crate) struct Process {
    child: Child,
    lines: InputLines<BufReader<ChildStdout>>,
}

/// The part to play, and the configuration to play it with.
pub(crate) fn role() -> Option<(String, LoggerConfig)> {
    let role = std::env::var("MILLPOND_SEED_ROLE").ok()?;
    let path = std::env::var("MILLPOND_SEED_PATH").unwrap();
    let beat: u64 = std::env::var("MILLPOND_SEED_BEAT_MS").unwrap().parse().unwrap();
    let heartbeat_interval = Duration::from_millis(beat);
    Some((role, LoggerConfig { path, heartbeat_interval, ..LoggerConfig::default() }))
}

impl Process {
    pub(crate) fn start(role: &str, config: &LoggerConfig) -> Self {
        let beat = config.heartbeat_interval.as_millis().to_string();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "worker_process", "--nocapture"])
            .env("MILLPOND_SEED_ROLE", role)
            .env("MILLPOND_SEED_PATH", &config.path)
            .env("MILLPOND_SEED_BEAT_MS", beat)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line with `said: ` in it and returns the whole line.
    pub(crate) fn hears(&mut self) -> String {
        for line in &mut self.lines {
            let line = line.unwrap();
            if line.contains("said: ") {
                return line;
            }
        }
        panic!("the process ended early: {:?}", self.child.wait());
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Lets it go on behind [`wait_for_parent`] and waits for its orderly end.
    pub(crate) fn end(mut self) {
        drop(self.child.stdin.take());
        for line in &mut self.lines {
            drop(line);
        }
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a process: tells the parent a word.
pub(crate) fn say(word: &str) {
    println!("said: {word}");
}

/// In a process: blocks until the parent lets it go on, or ends.
pub(crate) fn wait_for_parent() {
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {}
}
