//! Every outcome that a small concurrent program can have.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use loom::model::Builder;

/// Runs `body` under every schedule, and collects what it returned.
///
/// # Panics
///
/// If `body` panics, races or deadlocks under any schedule; and if there was only one schedule,
/// which is what happens when the code under test does not use loom's atomics.
pub fn outcomes<T, F>(body: F) -> BTreeSet<T>
where
    T: Ord + Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    explore(Builder::new(), body)
}

/// As [`outcomes`], over the schedules in which at most `preemptions` times a thread is
/// interrupted that could have gone on. For models that would take too long otherwise: nearly all
/// bugs show with two (Musuvathi and Qadeer, *Iterative Context Bounding*, PLDI 2007).
pub fn outcomes_within<T, F>(preemptions: usize, body: F) -> BTreeSet<T>
where
    T: Ord + Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    explore(builder, body)
}

fn explore<T, F>(builder: Builder, body: F) -> BTreeSet<T>
where
    T: Ord + Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    // The standard library's, not loom's: they survive from one execution to the next and are not
    // part of the model.
    let reached = Arc::new(Mutex::new(BTreeSet::new()));
    let executions = Arc::new(AtomicUsize::new(0));
    let (set, count) = (Arc::clone(&reached), Arc::clone(&executions));
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let outcome = body();
        set.lock().unwrap_or_else(PoisonError::into_inner).insert(outcome);
    });
    let executions = executions.load(Ordering::Relaxed);
    println!("{executions} executions");
    assert!(executions > 1, "only one schedule: the code under test does not run on loom");
    std::mem::take(&mut reached.lock().unwrap_or_else(PoisonError::into_inner))
}
