//! The worker processes.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::notes::Notes;
use super::worker::{WorkerArgs, name_of};

/// How long workers may take until they are ready.
const READY: Duration = Duration::from_secs(30);

/// The worker processes; none is left when this is dropped.
#[derive(Debug)]
pub(super) struct Crew(Vec<Worker>);

#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    pub(super) pid: u32,
    pub(super) ended: Option<Instant>,
    /// Of a worker that was killed: records whose call had returned at its end, less those that it
    /// dropped and those that were in the file when SIGKILL had been sent.
    pub(super) undelivered_at_kill: Option<u64>,
}

impl Crew {
    /// Starts a process for each of the arguments.
    pub(super) fn start(all: &[WorkerArgs]) -> anyhow::Result<Self> {
        let mut crew = Self(Vec::new());
        for args in all {
            // Not by its path: the program may have been replaced since it was started.
            let mut command = Command::new("/proc/self/exe");
            command.arg0("millpond").arg("demo-worker");
            command.arg("--path").arg(&args.path).arg("--scratch").arg(&args.scratch);
            for (name, number) in [
                ("--index", args.index as u64),
                ("--workers", args.workers as u64),
                ("--threads", args.threads as u64),
                ("--records", args.records),
                ("--parent", u64::from(std::process::id())),
            ] {
                command.arg(name).arg(number.to_string());
            }
            command.args(args.endless.then_some("--endless"));
            command.args(args.drop.then_some("--drop"));
            // A group of its own: Ctrl-C reaches the demo, which ends its workers.
            command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null());
            let child = command.spawn().context("cannot start a worker process")?;
            let pid = child.id();
            crew.0.push(Worker { child, pid, ended: None, undelivered_at_kill: None });
        }
        Ok(crew)
    }

    /// Waits until every worker could begin; `go_on` is asked now and then.
    pub(super) fn wait_until_ready(
        &mut self,
        notes: &Notes,
        go_on: impl Fn() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY;
        let is_ready = |worker| notes.ready(worker).load(Ordering::Acquire) == 1;
        while !(0..self.0.len()).all(is_ready) {
            go_on()?;
            self.reap()?;
            if self.0.iter().any(|worker| worker.ended.is_some()) || Instant::now() > deadline {
                bail!("a worker process did not come up within {} s", READY.as_secs());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Notes which workers have ended.
    ///
    /// # Errors
    ///
    /// If one ended that was not to.
    pub(super) fn reap(&mut self) -> anyhow::Result<()> {
        for (index, worker) in self.0.iter_mut().enumerate().filter(|(_, w)| w.ended.is_none()) {
            let Some(status) = worker.child.try_wait().context("cannot wait for a worker")? else {
                continue;
            };
            worker.ended = Some(Instant::now());
            if !status.success() {
                bail!("worker {} ended in an unexpected way: {status}", name_of(index));
            }
        }
        Ok(())
    }

    /// Sends SIGKILL to a worker.
    pub(super) fn kill(&mut self, worker: usize) -> anyhow::Result<()> {
        self.0[worker].child.kill().context("cannot kill a worker")
    }

    /// Waits for the end of a worker that was sent SIGKILL.
    pub(super) fn wait_for(&mut self, worker: usize) -> anyhow::Result<()> {
        let worker = &mut self.0[worker];
        worker.child.wait().context("cannot wait for a killed worker")?;
        worker.ended = Some(Instant::now());
        Ok(())
    }

    /// Notes what was in the rings of a worker when it was killed.
    pub(super) fn note_kill(&mut self, worker: usize, undelivered: u64) {
        self.0[worker].undelivered_at_kill = Some(undelivered);
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.iter().all(|worker| worker.ended.is_some())
    }

    pub(super) fn workers(&self) -> &[Worker] {
        &self.0
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        let running = self.0.iter_mut().filter(|worker| worker.ended.is_none());
        let mut running: Vec<&mut Worker> = running.collect();
        for worker in &mut running {
            let _ = worker.child.kill();
        }
        for worker in &mut running {
            let _ = worker.child.wait();
        }
    }
}
