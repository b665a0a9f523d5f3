//! The end of a collector.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use super::command::{Command, FlushError};
use super::intake::{Ending, RingIntake};
use super::{CLOSING, Collector, NAP};
use crate::report::Report;

impl<I: RingIntake> Collector<I> {
    /// Whether calls that began before their logger was shut down wait for room.
    pub(super) fn has_calls_to_wait_for(&mut self) -> bool {
        let intake = &mut self.intake;
        self.rings
            .iter()
            .flatten()
            .any(|ring| ring.is_awaited() && intake.ending(ring.id) == Some(Ending::Orderly))
    }

    /// Drains what is there, closes the handlers, and reports.
    pub(super) fn shut_down(mut self, deadline: Instant, reply: &SyncSender<Report>) {
        self.intake.collector_ends();
        // The second round takes what the end of rings in the first had to say.
        for _ in 0..2 {
            let (done, flushed) = std::sync::mpsc::sync_channel(1);
            self.begin_flush(deadline, done);
            while flushed.try_recv().is_err() {
                let pass = self.step();
                self.advance_flushes();
                if !pass.more || !self.fan_out.has_room() {
                    self.sleep_for(NAP, false);
                }
            }
            while self.has_calls_to_wait_for() && Instant::now() < deadline {
                self.step();
                self.sleep_for(NAP, false);
            }
        }
        let deadline = deadline.max(Instant::now() + CLOSING);
        self.fan_out.close(deadline);
        while !self.fan_out.is_closed() && Instant::now() < deadline {
            self.sleep_for(NAP, false);
        }
        self.release();
        self.bury();
        let report = self.report(true);
        let mailbox = Arc::clone(&self.mailbox);
        // Before the answer, so that whoever gets it can start a new collector of these rings.
        drop(self);
        for command in mailbox.take() {
            match command {
                Command::Flush(_, reply) => drop(reply.send(Err(FlushError::NoMaster))),
                Command::Report(reply) | Command::Shutdown(_, reply) => {
                    drop(reply.send(report.clone()));
                }
            }
        }
        drop(reply.send(report));
    }
}
