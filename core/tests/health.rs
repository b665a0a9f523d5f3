//! The worker-health monitor against an obvious one.
#![cfg(not(millpond_loom))]

use std::collections::BTreeMap;

use embassy_time::{Duration, Instant, TICK_HZ};
use millpond_core::health::{Change, Evidence, GRACE, Monitor, MonitorFull, State, WorkerId};
use proptest::collection::vec;
use proptest::prelude::*;

const ROOM: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    CheckIn { id: u64, next: u64 },
    ShutDown(u64),
    Died(u64),
    Check { alive: [bool; 5] },
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let id = || 0u64..5;
    let ticks = || {
        prop_oneof![
            8 => 0..3 * TICK_HZ,
            2 => Just(GRACE.as_ticks()),
            1 => u64::MAX - 3 * TICK_HZ..=u64::MAX,
        ]
    };
    prop_oneof![
        4 => (id(), ticks()).prop_map(|(id, next)| Step::CheckIn { id, next }),
        1 => id().prop_map(Step::ShutDown),
        1 => id().prop_map(Step::Died),
        4 => any::<[bool; 5]>().prop_map(|alive| Step::Check { alive }),
        3 => ticks().prop_map(Step::Pass),
    ]
}

/// The last word of a worker, in ticks that cannot overflow, and what was reported since.
struct Word {
    due: u128,
    reported: Option<Change>,
}

proptest! {
    #[test]
    fn the_monitor_agrees_with_an_obvious_one(steps in vec(step(), 0..60)) {
        let mut monitor = Monitor::<ROOM>::new();
        let mut model = BTreeMap::<u64, Word>::new();
        let mut now = 0u64;
        for step in steps {
            match step {
                Step::CheckIn { id, next } => {
                    let came = monitor.check_in(
                        WorkerId(id),
                        Instant::from_ticks(now),
                        Duration::from_ticks(next),
                    );
                    if !model.contains_key(&id) && model.len() == ROOM {
                        let full = MonitorFull { id: WorkerId(id), capacity: ROOM };
                        prop_assert_eq!(came, Err(full));
                    } else {
                        let due = now as u128 + next as u128;
                        let before = model.insert(id, Word { due, reported: None });
                        let change =
                            before.and_then(|word| word.reported).map(|_| Change::Recovered);
                        prop_assert_eq!(came, Ok(change));
                    }
                }
                Step::ShutDown(id) => {
                    prop_assert_eq!(monitor.shut_down(WorkerId(id)), model.remove(&id).is_some());
                }
                Step::Died(id) => {
                    prop_assert_eq!(monitor.died(WorkerId(id)), model.remove(&id).is_some());
                }
                Step::Check { alive } => {
                    let mut came = Vec::new();
                    let evidence = |WorkerId(id)| match alive[id as usize] {
                        true => Evidence::Alive,
                        false => Evidence::Unknown,
                    };
                    monitor.check(Instant::from_ticks(now), evidence, |WorkerId(id), change| {
                        came.push((id, change));
                    });
                    came.sort_by_key(|(id, _)| *id);
                    let mut expected = Vec::new();
                    for (id, word) in &mut model {
                        let late = now as u128 >= word.due + GRACE.as_ticks() as u128;
                        if late && word.reported.is_none() {
                            let change = match alive[*id as usize] {
                                true => Change::Stalled,
                                false => Change::AppearsDead,
                            };
                            word.reported = Some(change);
                            expected.push((*id, change));
                        }
                    }
                    prop_assert_eq!(came, expected);
                }
                Step::Pass(ticks) => now = now.saturating_add(ticks),
            }

            let next_due = model
                .values()
                .filter(|word| word.reported.is_none())
                .filter_map(|word| u64::try_from(word.due + GRACE.as_ticks() as u128).ok())
                .min();
            prop_assert_eq!(monitor.next_due().map(|due| due.as_ticks()), next_due);
            prop_assert_eq!(monitor.len(), model.len());
            prop_assert_eq!(monitor.is_empty(), model.is_empty());
            prop_assert_eq!(monitor.workers().count(), model.len());
            for id in 0..5 {
                let state = model.get(&id).map(|word| match word.reported {
                    Some(Change::Stalled) => State::Stalled,
                    Some(Change::AppearsDead) => State::AppearsDead,
                    _ => State::Punctual,
                });
                prop_assert_eq!(monitor.state(WorkerId(id)), state);
            }
        }
    }
}
