//! Starting the program, and waiting for what it does.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// The program with these arguments.
pub(crate) fn millpond(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millpond"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    millpond(args).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Asks again and again until there is an answer.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A place for rings and log of one test.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir_in("/dev/shm").unwrap() }
    }

    /// The rendezvous directory, which is not there yet.
    pub(crate) fn path(&self) -> String {
        self.folder.path().join("pond").to_str().unwrap().to_owned()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("app.log")
    }

    pub(crate) fn serve(&self, more: &[&str]) -> Serving {
        let (path, file) = (self.path(), self.file());
        let args = ["serve", "--path", &path, "--file", file.to_str().unwrap()];
        Serving::start(&[&args, more].concat())
    }

    pub(crate) fn pipe(&self, more: &[&str]) -> Command {
        let path = self.path();
        let mut command = millpond(&[&["pipe", "--path", &path, "--name", "p"], more].concat());
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Pipes `input` and returns what it came to.
    pub(crate) fn pipe_all(&self, input: &[u8]) -> Output {
        let mut child = self.pipe(&[]).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(input).unwrap());
            child.wait_with_output().unwrap()
        })
    }

    /// The messages of the worker `p` in the file so far.
    pub(crate) fn messages(&self) -> Vec<String> {
        let log = fs::read_to_string(self.file()).unwrap();
        let messages = log.lines().filter_map(|line| line.split_once("] p - "));
        messages.map(|(_, message)| message.to_owned()).collect()
    }
}

/// A child that does not outlive its test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Waits for the end and returns the exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        wait_for("the end", || self.0.try_wait().unwrap()).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A master that has said that it is ready.
pub(crate) struct Serving {
    pub(crate) running: Running,
    stderr: BufReader<ChildStderr>,
}

impl Serving {
    fn start(args: &[&str]) -> Self {
        let child = millpond(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut running = Running(child);
        let mut stderr = BufReader::new(running.0.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert!(line.starts_with("millpond: serving "), "{line}");
        Self { running, stderr }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.running.0.id()
    }

    /// Ends it by a signal and returns its exit code and what it said.
    pub(crate) fn end(mut self, signal: Signal) -> (Option<i32>, String) {
        self.running.signal(signal);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.stderr, &mut said).unwrap();
        (self.running.end(), said)
    }
}
