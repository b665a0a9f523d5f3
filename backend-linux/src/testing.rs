//! What the tests of several modules need: directories on tmpfs, and helper processes.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::directory::Directory;

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A fresh directory on tmpfs, removed at the end.
pub(crate) struct TestDirectory {
    _outer: tempfile::TempDir,
    path: PathBuf,
}

impl TestDirectory {
    pub(crate) fn new() -> Self {
        let outer =
            tempfile::Builder::new().prefix("millpond-test-").tempdir_in("/dev/shm").unwrap();
        let path = outer.path().join("pond");
        let test = Self { _outer: outer, path };
        drop(test.open());
        test
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn open(&self) -> Directory {
        Directory::open(&self.path).unwrap()
    }

    /// All names in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.path).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A tmpfs of its own, unmounted at the end; `None`, with a note, where that is not allowed.
pub(crate) struct SmallTmpfs(TestDirectory);

impl SmallTmpfs {
    pub(crate) fn new(size: &str) -> Option<Self> {
        let test = TestDirectory::new();
        let options = format!("size={size},mode=700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(test.path())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            println!("skipped: a tmpfs cannot be mounted here");
            return None;
        }
        Some(Self(test))
    }

    pub(crate) fn directory(&self) -> Directory {
        self.0.open()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.names()
    }
}

impl Drop for SmallTmpfs {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(status.is_ok_and(|status| status.success()));
    }
}

const ROLE: &str = "MILLPOND_LINUX_TEST_ROLE";
const PLACE: &str = "MILLPOND_LINUX_TEST_PLACE";

/// This test binary, run once more to play a part: a test named `helper_process` next to the test
/// that starts it, which looks at [`role`] and does nothing without one.
pub(crate) struct Helper {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The part to play, and the directory to play it in.
pub(crate) fn role() -> Option<(String, PathBuf)> {
    Some((std::env::var(ROLE).ok()?, std::env::var_os(PLACE)?.into()))
}

/// The command that runs `MODULE::tests::helper_process`; `module` is `module_path!()` of the
/// tests.
pub(crate) fn helper_command(module: &str, role: &str, place: &Path) -> Command {
    let module = module.split_once("::").map_or(module, |(_, inside)| inside);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([&format!("{module}::helper_process"), "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(PLACE, place)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// `outer`, with `inner` as its last arguments and in its place.
pub(crate) fn wrapped(mut outer: Command, inner: &Command) -> Command {
    outer.arg(inner.get_program()).args(inner.get_args());
    outer.envs(inner.get_envs().filter_map(|(key, value)| Some((key, value?))));
    outer.stdin(Stdio::piped()).stdout(Stdio::piped());
    outer
}

impl Helper {
    pub(crate) fn start(module: &str, role: &str, place: &Path) -> Self {
        Self::run(helper_command(module, role, place))
    }

    pub(crate) fn run(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Starts one in namespaces of its own (options of `unshare`); it is killed together with the
    /// `unshare` that [`Helper::kill`] kills. `None`, with a note, where that is not allowed.
    pub(crate) fn unshared(
        options: &[&str],
        module: &str,
        role: &str,
        place: &Path,
    ) -> Option<Self> {
        let unshare = || {
            let mut command = Command::new("unshare");
            command.args(options).args(["--fork", "--kill-child"]);
            command
        };
        let probe = unshare().arg("true").stderr(Stdio::null()).status();
        if !probe.is_ok_and(|status| status.success()) {
            println!("skipped: `unshare {}` is not allowed here", options.join(" "));
            return None;
        }
        Some(Self::run(wrapped(unshare(), &helper_command(module, role, place))))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the helper to print `said: WORD` and returns the word.
    pub(crate) fn hears(&mut self) -> String {
        for line in &mut self.lines {
            // libtest may leave its own text before ours on the line.
            if let Some((_, word)) = line.unwrap().split_once("said: ") {
                return word.to_string();
            }
        }
        panic!("the helper ended early: {:?}", self.child.wait());
    }

    /// Lets the helper go on: its [`wait_for_parent`] returns.
    pub(crate) fn release(&mut self) {
        drop(self.child.stdin.take());
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn wait(&mut self) -> std::process::ExitStatus {
        self.release();
        self.child.wait().unwrap()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a helper: tells the parent a word.
pub(crate) fn say(word: impl std::fmt::Display) {
    println!("said: {word}");
}

/// In a helper: blocks until the parent releases it or ends.
pub(crate) fn wait_for_parent() {
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {}
}

/// Spins, yielding, until `condition` holds; panics after ten seconds.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < end, "never came true: {what}");
        std::thread::yield_now();
    }
}
