//! The watcher: a thread of the master that hears of new and removed rings and of dead processes
//! at once, so that the collector may sleep.
//!
//! It waits on inotify for the directory, on a pidfd for each worker, and on an eventfd that ends
//! it; it never wakes up without a cause. What it says is a hint to look: the collector scans the
//! directory now and then anyway, and death is read from the [owner word](crate::owner). So a
//! watcher that misses something costs a delay and nothing else.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::inotify::{self, ReadFlags, WatchFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};

use crate::directory::Directory;
use crate::error::{Error, ErrorKind};
use crate::identity::start_time_of;

const STEP: &str = "watch";
const THREAD: &str = "millpond-watch";

/// What the watcher says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Something came into the directory or left it, or the kernel lost count: list the rings.
    Rescan,
    /// A watched process has ended; said once.
    Died {
        /// Its pid, which may soon be another process's.
        pid: u32,
        /// What [`Watcher::watch_process`] was given, for example a ring id.
        tag: u64,
    },
}

/// What became of a wish to watch a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a process that is gone is not watched, and nothing more is said of it"]
pub enum Watched {
    /// It is watched: [`Signal::Died`] follows when it ends, or has followed already.
    Watching,
    /// It has ended; its pid is nobody's, or that of a process which started at another time.
    Gone,
}

/// The watcher of a directory. Dropping it ends its thread and waits for that.
#[derive(Debug)]
pub struct Watcher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    process: Pid,
    warnings: Vec<String>,
}

#[derive(Debug)]
struct Shared {
    epoll: OwnedFd,
    inotify: Option<OwnedFd>,
    stop: OwnedFd,
    processes: Mutex<Processes>,
}

#[derive(Debug, Default)]
struct Processes {
    watched: HashMap<u64, Process>,
    /// Names one watch for ever, so that an event which was already on its way when a watch was
    /// given up is not taken for another one's.
    last_token: u64,
}

#[derive(Debug)]
struct Process {
    pidfd: OwnedFd,
    pid: u32,
    tag: u64,
}

/// Tokens of what is no process; those of processes count up from here.
const STOP: u64 = 0;
const INOTIFY: u64 = 1;

impl Watcher {
    /// Starts the thread. `notify` is called on it, for one signal at a time; while it runs nothing
    /// else is heard, so it should do little, such as waking the collector.
    ///
    /// Where inotify is not to be had (its instances are limited to 128 per user by default), it
    /// goes on without and says so in [`Watcher::warnings`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`] if the thread cannot be started or descriptors have run out.
    pub fn start(
        directory: &Directory,
        notify: impl Fn(Signal) + Send + 'static,
    ) -> Result<Watcher, Error> {
        let failed = |errno| {
            let advice = "look at this process's limits (ulimit -n, ulimit -u)";
            Error::system(STEP, directory.path(), errno, advice)
        };
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(failed)?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(failed)?;
        listen(&epoll, &stop, STOP).map_err(failed)?;

        let mut warnings = Vec::new();
        let inotify = watch_directory(directory).and_then(|inotify| {
            listen(&epoll, &inotify, INOTIFY)?;
            Ok(inotify)
        });
        let inotify = inotify
            .map_err(|errno| {
                warnings.push(format!(
                    "inotify is not available for `{}` ({errno}): new rings are found by the \
                     periodic scan, some time later; raise fs.inotify.max_user_instances and \
                     fs.inotify.max_user_watches",
                    directory.path().display()
                ));
            })
            .ok();

        let processes = Mutex::new(Processes { watched: HashMap::new(), last_token: INOTIFY });
        let shared = Arc::new(Shared { epoll, inotify, stop, processes });
        let thread = std::thread::Builder::new()
            .name(THREAD.to_string())
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.run(&notify)
            })
            .map_err(|error| {
                let errno = Errno::from_io_error(&error).unwrap_or(Errno::AGAIN);
                failed(errno)
            })?;
        Ok(Watcher { shared, thread: Some(thread), process: getpid(), warnings })
    }

    /// What works but not well, for the log: sentences.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Says [`Signal::Died`] with this `tag` when the process ends: all its threads, that is. A
    /// watch with the same tag is replaced. May be called on any thread; does not wait.
    ///
    /// `start_time` is [`ProcessIdentity::start_time`](crate::identity::ProcessIdentity): it tells
    /// the process from a later one with the same pid. Both mean something only if
    /// [`sees_pids_of`](crate::identity::ProcessIdentity::sees_pids_of) holds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Argument`] for a pid that cannot be one; [`ErrorKind::System`] if the kernel
    /// has no pidfds (before 5.3, or in a sandbox), descriptors have run out, or `/proc` is that of
    /// another pid namespace. The owner word
    /// still tells of its death, when it is looked at.
    pub fn watch_process(&self, pid: u32, start_time: u64, tag: u64) -> Result<Watched, Error> {
        let path = PathBuf::from(format!("process {pid}"));
        let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
            let problem = "that is no pid";
            return Err(Error::new(ErrorKind::Argument, STEP, &path, problem, "give another one"));
        };
        let failed = |errno| {
            let advice = "look at this process's limit of open files (ulimit -n)";
            Error::system(STEP, &path, errno, advice)
        };
        let pidfd = match pidfd_open(process, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(Errno::SRCH) => return Ok(Watched::Gone),
            Err(errno) => return Err(failed(errno)),
        };
        // Only now that the descriptor holds one process: before, the pid could have changed hands
        // between this look and the opening.
        if start_time_of(pid)? != Some(start_time) {
            return Ok(Watched::Gone);
        }
        self.unwatch(tag);
        let mut processes = self.shared.processes();
        processes.last_token += 1;
        let token = processes.last_token;
        // Under the lock: the thread may hear of the death before this returns, and then waits
        // until the entry is there.
        listen(&self.shared.epoll, &pidfd, token).map_err(failed)?;
        processes.watched.insert(token, Process { pidfd, pid, tag });
        Ok(Watched::Watching)
    }

    /// Gives a watch up, for example of a worker that has ended in good order. Returns whether
    /// there was one; its signal may be on its way already.
    pub fn unwatch(&self, tag: u64) -> bool {
        let mut processes = self.shared.processes();
        let token =
            processes.watched.iter().find(|(_, process)| process.tag == tag).map(|(t, _)| *t);
        match token.and_then(|token| processes.watched.remove(&token)) {
            Some(process) => {
                let _ = epoll::delete(&self.shared.epoll, &process.pidfd);
                true
            }
            None => false,
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // In a forked child the thread does not exist, and the eventfd is the parent's too.
        if getpid() != self.process {
            return;
        }
        // Fails only if the counter is full, and then the thread has been told.
        let _ = rustix::io::write(&self.shared.stop, &1u64.to_ne_bytes());
        if let Some(thread) = self.thread.take()
            // Dropped by `notify` itself, it cannot wait for itself.
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn processes(&self) -> MutexGuard<'_, Processes> {
        // Nothing that runs under the lock leaves it half done.
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, notify: &impl Fn(Signal)) {
        let mut events = Vec::with_capacity(64);
        loop {
            let room = rustix::buffer::spare_capacity(&mut events);
            match epoll::wait(&self.epoll, room, None) {
                Ok(_) | Err(Errno::INTR) => {}
                // The descriptor is ours and valid, so nothing else is possible.
                Err(_) => return,
            }
            for event in events.drain(..) {
                match event.data.u64() {
                    STOP => return,
                    INOTIFY => {
                        if self.read_inotify() {
                            notify(Signal::Rescan);
                        }
                    }
                    token => {
                        let dead = self.processes().watched.remove(&token);
                        if let Some(Process { pidfd, pid, tag }) = dead {
                            let _ = epoll::delete(&self.epoll, &pidfd);
                            notify(Signal::Died { pid, tag });
                        }
                    }
                }
            }
        }
    }

    /// Reads all that has happened in the directory; returns whether it is worth a look.
    fn read_inotify(&self) -> bool {
        let Some(inotify) = &self.inotify else { return false };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(inotify, &mut buffer);
        let mut worth_a_look = false;
        loop {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::IGNORED) => {
                    // The directory itself is gone, or its file system is unmounted.
                    worth_a_look = true;
                    let _ = epoll::delete(&self.epoll, inotify);
                }
                // What begins with a dot is not finished yet. No name: the queue ran over.
                Ok(event) => {
                    let name = event.file_name().map(|name| name.to_bytes());
                    worth_a_look |= name.is_none_or(|name| !name.starts_with(b"."));
                }
                Err(Errno::INTR) => {}
                Err(_) => return worth_a_look, // WOULDBLOCK: that was all
            }
        }
    }
}

fn listen(epoll: &OwnedFd, source: &OwnedFd, token: u64) -> Result<(), Errno> {
    epoll::add(epoll, source, epoll::EventData::new_u64(token), epoll::EventFlags::IN)
}

fn watch_directory(directory: &Directory) -> Result<OwnedFd, Errno> {
    let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
    let inotify = inotify::init(flags)?;
    let events = WatchFlags::CREATE
        | WatchFlags::MOVED_TO
        | WatchFlags::DELETE
        | WatchFlags::DELETE_SELF
        | WatchFlags::ONLYDIR;
    // The directory that is held open, wherever its path leads by now.
    let held = format!("/proc/self/fd/{}", directory.fd().as_fd().as_raw_fd());
    inotify::add_watch(&inotify, Path::new(&held), events)?;
    Ok(inotify)
}

static_assertions::assert_impl_all!(Watcher: Send, Sync);

#[cfg(test)]
#[path = "watcher_tests.rs"]
mod tests;
