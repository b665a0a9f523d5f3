//! One run of one subject: its processes, from the first call until every line is in the file.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use crate::place::Place;
use crate::subject::{Entry, Files};
use crate::task::{MARK, Outcome, Quantiles, Role, Said, Task, Work};
use crate::verify::{Found, Search};

/// A child that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a subject is run.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) processes: u32,
    pub(crate) threads: u32,
    pub(crate) work: Work,
    /// A program that runs the producers, with its arguments.
    pub(crate) under: &'a [String],
    /// The program of the producers, where it is not this one.
    pub(crate) program: Option<&'a Path>,
}

impl Way<'_> {
    pub(crate) fn new(processes: u32, threads: u32, work: Work) -> Self {
        Self { processes, threads, work, under: &[], program: None }
    }
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// From the first call until the last process had nothing left to do.
    pub(crate) seconds: f64,
    /// Of all processes.
    pub(crate) cpu_seconds: f64,
    pub(crate) dropped: u64,
    pub(crate) found: Found,
    /// Records that were measured, warm-up left out.
    pub(crate) measured: u64,
    pub(crate) latency: Option<Quantiles>,
}

/// Runs a subject once.
pub(crate) fn run(entry: &Entry, way: &Way<'_>, base: &Path) -> anyhow::Result<Ran> {
    let folder = tempfile::Builder::new().prefix("versus-").tempdir_in(base);
    let folder = folder.with_context(|| format!("cannot make a folder in {}", base.display()))?;
    let spawner = Spawner { entry, folder: &folder, way };
    let mut collector = None;
    if entry.about.files == Files::Collected {
        let mut child = spawner.start(0, Role::Collect)?;
        child.wait_until_ready()?;
        collector = Some(child);
    }
    let roles = (0..way.processes).map(|process| (process, way.threads, way.work));
    let producers = roles.map(|(process, threads, work)| {
        spawner.start(process, Role::Produce { process, threads, work })
    });
    let mut producers = producers.collect::<anyhow::Result<Vec<_>>>()?;
    producers.iter_mut().try_for_each(Process::wait_until_ready)?;
    producers.iter_mut().try_for_each(Process::go_on)?;
    let mut outcomes = Vec::new();
    for producer in &mut producers {
        outcomes.push(producer.outcome()?);
    }
    if let Some(collector) = &mut collector {
        collector.go_on()?;
        outcomes.push(collector.outcome()?);
    }
    let found = search(entry, way, folder.path())?;
    Ok(sum(&outcomes, found, way))
}

fn search(entry: &Entry, way: &Way<'_>, folder: &Path) -> anyhow::Result<Found> {
    if entry.about.files == Files::None {
        return Ok(Found::default());
    }
    let mut search = Search::new(way.processes * way.threads, way.work.all());
    let mut files: Vec<PathBuf> =
        (0..way.processes).map(|process| file_of(entry, folder, process)).collect();
    files.dedup();
    let mut bytes = 0;
    // A file that is missing has no lines.
    for file in files.iter().filter(|file| file.exists()) {
        bytes += file.metadata()?.len();
        search.lines(&(entry.read_back)(file)?);
    }
    Ok(search.finish(bytes))
}

fn file_of(entry: &Entry, folder: &Path, process: u32) -> PathBuf {
    match entry.about.files {
        Files::Own => folder.join(format!("log-{process}.log")),
        _ => folder.join("log.log"),
    }
}

fn sum(outcomes: &[Outcome], found: Found, way: &Way<'_>) -> Ran {
    let start = outcomes.iter().map(|outcome| outcome.start).min().unwrap_or(0);
    let end = outcomes.iter().map(|outcome| outcome.end).max().unwrap_or(0);
    Ran {
        seconds: end.saturating_sub(start) as f64 / 1e9,
        cpu_seconds: outcomes.iter().map(|outcome| outcome.cpu_seconds).sum(),
        dropped: outcomes.iter().map(|outcome| outcome.dropped).sum(),
        found,
        measured: way.work.measured() * u64::from(way.processes * way.threads),
        latency: outcomes.iter().find_map(|outcome| outcome.latency),
    }
}

struct Spawner<'a> {
    entry: &'a Entry,
    folder: &'a TempDir,
    way: &'a Way<'a>,
}

impl Spawner<'_> {
    fn start(&self, process: u32, role: Role) -> anyhow::Result<Process> {
        let folder = self.folder.path();
        let produces = matches!(role, Role::Produce { .. });
        let place = Place {
            folder: folder.to_owned(),
            file: file_of(self.entry, folder, process),
            producers: self.way.processes * self.way.threads,
        };
        let subject = self.entry.about.name.to_owned();
        let parent = std::process::id() as i32;
        let task = serde_json::to_string(&Task { subject, place, role, parent })?;
        // Not by its own path: the program may have been replaced since it was started.
        let program = self.way.program.filter(|_| produces);
        let program = program.unwrap_or(Path::new("/proc/self/exe"));
        let mut command = match self.way.under {
            [tool, arguments @ ..] if produces => {
                let mut command = Command::new(tool);
                command.args(arguments).arg(program);
                command
            }
            _ => Command::new(program),
        };
        let complaints = folder.join(format!("stderr-{process}-{produces}"));
        command.arg("--child").arg(task).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&complaints)?);
        let mut child = command.spawn().context("cannot start a process")?;
        let output = child.stdout.take().context("no output")?;
        let (sender, said) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            for line in lines.filter_map(|line| line.strip_prefix(MARK).map(str::to_owned)) {
                let _ = sender.send(line);
            }
        });
        Ok(Process { child, said, complaints })
    }
}

/// A child process; it has ended when this is dropped.
struct Process {
    child: Child,
    said: Receiver<String>,
    complaints: PathBuf,
}

impl Process {
    fn hear(&mut self) -> anyhow::Result<Said> {
        match self.said.recv_timeout(PATIENCE) {
            Ok(line) => Ok(serde_json::from_str(&line)?),
            Err(RecvTimeoutError::Timeout) => {
                bail!("hangs: nothing happened for {} s", PATIENCE.as_secs())
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait()?;
                let text = std::fs::read_to_string(&self.complaints).unwrap_or_default();
                let last = text.lines().rev().find(|line| !line.trim().is_empty());
                bail!("ended too early ({status}): {}", last.unwrap_or("without a word"))
            }
        }
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        match self.hear()? {
            Said::Ready => Ok(()),
            Said::Failed(why) => bail!(why),
            Said::Done(_) => bail!("was done before it had begun"),
        }
    }

    fn go_on(&mut self) -> anyhow::Result<()> {
        let input = self.child.stdin.as_mut().context("no input")?;
        input.write_all(b"go\n").context("a process does not listen")
    }

    fn outcome(&mut self) -> anyhow::Result<Outcome> {
        match self.hear()? {
            Said::Done(outcome) => {
                let status = self.child.wait()?;
                ensure!(status.success(), "ended in an unexpected way: {status}");
                Ok(outcome)
            }
            Said::Failed(why) => bail!(why),
            Said::Ready => bail!("was ready twice"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
