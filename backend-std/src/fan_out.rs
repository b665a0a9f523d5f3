//! Handler threads: each handler runs on its own behind a bounded queue, so none waits for
//! another.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crate::failure::{HandlerFailure, OnError};
use crate::handler::{Handler, HandlerError};
use crate::records::Records;
use crate::report::HandlerAccount;

/// How many batches a handler may lag behind.
const QUEUE: u64 = 4;
/// How long a durable handler that makes no room in its queue may hold everybody up. Past it, it is
/// suspended: batches pass it by, counted, until it has room again.
const HOLD: Duration = Duration::from_secs(10);

/// All handlers of a collector.
pub(crate) struct FanOut {
    lanes: Vec<Lane>,
    /// Batches handed out so far.
    handed: u64,
}

struct Lane {
    name: String,
    durable: bool,
    queue: Sender<Work>,
    progress: Arc<Progress>,
    /// How long it may hold everybody up.
    hold: Duration,
    /// Since when there was no room in the queue.
    full_since: Cell<Option<Instant>>,
}

enum Work {
    Push(u64, Records),
    Flush(u64, Instant),
    Close(Instant),
}

/// What a lane's thread tells. Every store is Release and every load Acquire, so that whoever sees
/// a batch acknowledged sees what the handler did with it (a file's bytes, a test's list).
#[derive(Default)]
struct Progress {
    /// Batches taken from the queue and finished.
    finished: AtomicU64,
    /// Batches put into the queue; written by the collector.
    queued: AtomicU64,
    /// The number of the last batch that is finished.
    acknowledged: AtomicU64,
    flushed: AtomicU64,
    closed: AtomicBool,
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

/// Called whenever a lane has finished something.
pub(crate) type Wake = Arc<dyn Fn() + Send + Sync>;

impl FanOut {
    pub(crate) fn start(
        handlers: Vec<Box<dyn Handler>>,
        on_error: &OnError,
        wake: &Wake,
    ) -> std::io::Result<Self> {
        Self::start_with_hold(handlers, on_error, wake, HOLD)
    }

    /// As [`FanOut::start`]; `hold` is for how long a durable handler may hold everybody up.
    fn start_with_hold(
        handlers: Vec<Box<dyn Handler>>,
        on_error: &OnError,
        wake: &Wake,
        hold: Duration,
    ) -> std::io::Result<Self> {
        let mut lanes = Vec::with_capacity(handlers.len());
        for handler in handlers {
            let (queue, work) = channel();
            let progress = Arc::new(Progress::default());
            let lane = Lane {
                name: handler.name().to_owned(),
                durable: handler.is_durable(),
                queue,
                progress: Arc::clone(&progress),
                hold,
                full_since: Cell::new(None),
            };
            let runner = Runner {
                name: lane.name.clone(),
                tick_interval: handler.tick_interval(),
                next_tick: Instant::now(),
                handler,
                work,
                progress,
                on_error: on_error.clone(),
                wake: Arc::clone(wake),
            };
            std::thread::Builder::new()
                .name("millpond-handler".to_owned())
                .spawn(move || runner.run())?;
            lanes.push(lane);
        }
        Ok(Self { lanes, handed: 0 })
    }

    /// Whether several handlers get each batch.
    pub(crate) fn is_shared(&self) -> bool {
        self.lanes.len() > 1
    }

    /// Whether every durable handler can take another batch, or is suspended.
    pub(crate) fn has_room(&self) -> bool {
        self.lanes.iter().all(|lane| !lane.durable || lane.has_room() || lane.is_suspended())
    }

    /// Hands a batch to every handler and returns its number. A handler that lags too far behind
    /// does not get it.
    pub(crate) fn push(&mut self, records: &Records) -> u64 {
        self.handed += 1;
        for lane in &self.lanes {
            if !lane.has_room() {
                lane.progress.dropped.fetch_add(records.len() as u64, Ordering::Relaxed);
                continue;
            }
            lane.progress.queued.fetch_add(1, Ordering::Release);
            // The thread ends only after `Close`, so somebody receives.
            let _ = lane.queue.send(Work::Push(self.handed, records.clone()));
        }
        self.handed
    }

    /// The number of the last batch that every durable handler has finished, or was passed by;
    /// if there is no durable handler, of the last batch handed out.
    pub(crate) fn acknowledged(&self) -> u64 {
        let holding = self.lanes.iter().filter(|lane| lane.durable && !lane.is_suspended());
        holding.map(|lane| lane.acknowledged(self.handed)).min().unwrap_or(self.handed)
    }

    /// The number of the last batch handed out.
    pub(crate) fn handed(&self) -> u64 {
        self.handed
    }

    /// Asks every handler to flush, under a number that grows with each flush.
    pub(crate) fn flush(&self, number: u64, deadline: Instant) {
        for lane in &self.lanes {
            let _ = lane.queue.send(Work::Flush(number, deadline));
        }
    }

    /// The durable handlers that have not finished flush `number`.
    pub(crate) fn unflushed(&self, number: u64) -> Vec<String> {
        let behind =
            |lane: &&Lane| lane.durable && lane.progress.flushed.load(Ordering::Acquire) < number;
        self.lanes.iter().filter(behind).map(|lane| lane.name.clone()).collect()
    }

    /// The durable handlers that have batches to finish.
    pub(crate) fn behind(&self) -> Vec<String> {
        let behind = |lane: &&Lane| lane.durable && lane.lag() > 0;
        self.lanes.iter().filter(behind).map(|lane| lane.name.clone()).collect()
    }

    /// Asks every handler to close.
    pub(crate) fn close(&self, deadline: Instant) {
        for lane in &self.lanes {
            let _ = lane.queue.send(Work::Close(deadline));
        }
    }

    /// Whether every handler has closed. One that never does is left to itself: its thread is
    /// detached.
    pub(crate) fn is_closed(&self) -> bool {
        self.lanes.iter().all(|lane| lane.progress.closed.load(Ordering::Acquire))
    }

    pub(crate) fn accounts(&self, closing: bool) -> Vec<HandlerAccount> {
        let account = |lane: &Lane| HandlerAccount {
            name: lane.name.clone(),
            delivered: lane.progress.delivered.load(Ordering::Relaxed),
            failed: lane.progress.failed.load(Ordering::Relaxed),
            dropped: lane.progress.dropped.load(Ordering::Relaxed),
            stuck: closing && !lane.progress.closed.load(Ordering::Acquire),
        };
        self.lanes.iter().map(account).collect()
    }
}

impl Lane {
    fn has_room(&self) -> bool {
        let has_room = self.lag() < QUEUE;
        if has_room {
            self.full_since.set(None);
        } else if self.full_since.get().is_none() {
            self.full_since.set(Some(Instant::now()));
        }
        has_room
    }

    fn is_suspended(&self) -> bool {
        self.full_since.get().is_some_and(|since| since.elapsed() > self.hold)
    }

    /// The last batch that it is done with, of those up to `handed`.
    fn acknowledged(&self, handed: u64) -> u64 {
        if self.lag() == 0 { handed } else { self.progress.acknowledged.load(Ordering::Acquire) }
    }

    fn lag(&self) -> u64 {
        let queued = self.progress.queued.load(Ordering::Acquire);
        queued - self.progress.finished.load(Ordering::Acquire)
    }
}

/// The thread of one handler.
struct Runner {
    name: String,
    tick_interval: Option<Duration>,
    next_tick: Instant,
    handler: Box<dyn Handler>,
    work: Receiver<Work>,
    progress: Arc<Progress>,
    on_error: OnError,
    wake: Wake,
}

thread_local! {
    static IS_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is a handler's. What is logged there must not wait for room, which
/// may come only when this very handler has finished.
pub(crate) fn is_handler_thread() -> bool {
    IS_HANDLER.try_with(Cell::get).unwrap_or(false)
}

impl Runner {
    fn run(mut self) {
        IS_HANDLER.set(true);
        while let Some(work) = self.next() {
            let last = matches!(work, Work::Close(_));
            self.perform(work);
            (self.wake)();
            if last {
                return;
            }
        }
    }

    /// The next piece of work; ticks the handler whenever that is due, work or no work.
    fn next(&mut self) -> Option<Work> {
        let Some(interval) = self.tick_interval else { return self.work.recv().ok() };
        loop {
            let now = Instant::now();
            if now >= self.next_tick {
                self.next_tick = now + interval;
                self.call("tick", 0, |handler| handler.tick(now));
            }
            match self.work.recv_timeout(self.next_tick.saturating_duration_since(now)) {
                Ok(work) => return Some(work),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn perform(&mut self, work: Work) {
        match work {
            Work::Push(number, records) => {
                let count = records.len() as u64;
                let done = self.call("push", count, |handler| handler.push(&records));
                drop(records);
                let counter = if done { &self.progress.delivered } else { &self.progress.failed };
                counter.fetch_add(count, Ordering::Relaxed);
                self.progress.acknowledged.store(number, Ordering::Release);
                self.progress.finished.fetch_add(1, Ordering::Release);
            }
            Work::Flush(number, deadline) => {
                self.call("flush", 0, |handler| handler.flush(deadline));
                self.progress.flushed.store(number, Ordering::Release);
            }
            Work::Close(deadline) => {
                self.call("close", 0, |handler| handler.close(deadline));
                self.progress.closed.store(true, Ordering::Release);
            }
        }
    }

    /// Calls the handler; reports an error or a panic and returns false.
    fn call(
        &mut self,
        call: &'static str,
        records: u64,
        run: impl FnOnce(&mut dyn Handler) -> Result<(), HandlerError>,
    ) -> bool {
        let handler = &mut *self.handler;
        let reason = match catch_unwind(AssertUnwindSafe(|| run(handler))) {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("panicked: {}", panic_text(&*panic)),
        };
        let failure = HandlerFailure { handler: self.name.clone(), call, reason, records };
        // A callback that panics must not end the lane either.
        let _ = catch_unwind(AssertUnwindSafe(|| self.on_error.report(&failure)));
        false
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::testing::{Item, records};
    use millpond_core::Level;

    const PATIENCE: Duration = Duration::from_secs(20);
    const HOUR: Duration = Duration::from_secs(3600);

    /// Keeps what it gets. If it has a gate, each push waits there first.
    struct Keep {
        name: &'static str,
        seen: Arc<Mutex<Vec<String>>>,
        gate: Option<Receiver<()>>,
    }

    impl Handler for Keep {
        fn name(&self) -> &str {
            self.name
        }

        fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
            if let Some(gate) = &self.gate {
                let _ = gate.recv(); // fails once the gate is dropped: open for ever
            }
            self.seen.lock().unwrap().extend(records.iter().map(|r| r.message().to_string()));
            Ok(())
        }

        fn is_durable(&self) -> bool {
            true
        }
    }

    /// Two durable handlers, one of them behind a gate.
    struct Scene {
        fan_out: FanOut,
        seen: Arc<Mutex<Vec<String>>>,
        seen_by_stuck: Arc<Mutex<Vec<String>>>,
        gate: Sender<()>,
    }

    impl Scene {
        fn new(hold: Duration) -> Self {
            let (seen, seen_by_stuck) = (Arc::default(), Arc::default());
            let (gate, shut) = channel();
            let well = Keep { name: "well", seen: Arc::clone(&seen), gate: None };
            let stuck = Keep { name: "stuck", seen: Arc::clone(&seen_by_stuck), gate: Some(shut) };
            let handlers: Vec<Box<dyn Handler>> = vec![Box::new(well), Box::new(stuck)];
            let wake: Wake = Arc::new(|| {});
            let fan_out =
                FanOut::start_with_hold(handlers, &OnError::default(), &wake, hold).unwrap();
            Self { fan_out, seen, seen_by_stuck, gate }
        }

        /// Hands out batches until the handler that is stuck has no room.
        fn fill(&mut self) {
            for number in 0..QUEUE {
                assert!(self.fan_out.has_room());
                self.push(&number.to_string());
            }
        }

        /// Hands out a batch of one record, and waits until the other handler has it.
        fn push(&mut self, text: &str) {
            self.fan_out.push(&records(&[Item::new(Level::Info, "app", text, 0)]));
            eventually("the other handler has it", || {
                self.seen.lock().unwrap().last().is_some_and(|last| last == text)
                    && self.fan_out.lanes[0].lag() == 0
            });
        }

        fn account(&self, name: &str) -> HandlerAccount {
            self.fan_out.accounts(false).into_iter().find(|lane| lane.name == name).unwrap()
        }
    }

    fn eventually(what: &str, mut look: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !look() {
            assert!(Instant::now() < deadline, "never came true: {what}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_durable_handler_that_lags_holds_the_others_up_for_a_while() {
        let mut scene = Scene::new(HOUR);
        scene.fill();
        assert!(!scene.fan_out.has_room());
        assert_eq!(scene.fan_out.acknowledged(), 0);
        scene.gate.send(()).unwrap();
        eventually("there is room again", || scene.fan_out.has_room());
        assert_eq!(scene.fan_out.acknowledged(), 1);
    }

    #[test]
    fn a_durable_handler_that_is_stuck_is_passed_by_and_comes_back() {
        let mut scene = Scene::new(Duration::from_millis(1));
        scene.fill();
        eventually("it is suspended", || scene.fan_out.has_room());
        for number in QUEUE..QUEUE + 10 {
            assert!(scene.fan_out.has_room(), "suspended until it has room");
            scene.push(&number.to_string());
        }
        assert_eq!(scene.fan_out.acknowledged(), QUEUE + 10, "nobody waits for it");
        assert_eq!(scene.account("well").delivered, QUEUE + 10);
        let stuck = scene.account("stuck");
        assert_eq!((stuck.delivered, stuck.dropped), (0, 10), "what passed it by is counted");

        drop(scene.gate);
        let stuck = &scene.fan_out.lanes[1];
        eventually("it has caught up", || stuck.lag() == 0);
        assert!(scene.fan_out.has_room() && !stuck.is_suspended());
        scene.fan_out.push(&records(&[Item::new(Level::Info, "app", "after", 0)]));
        let stuck = &scene.fan_out.lanes[1];
        eventually("it gets the next one", || stuck.lag() == 0);
        let expected = ["0", "1", "2", "3", "after"];
        assert_eq!(*scene.seen_by_stuck.lock().unwrap(), expected);
    }
}
