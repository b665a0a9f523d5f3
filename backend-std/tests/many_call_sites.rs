//! More call sites than a ring's table holds. They are numbered for the whole process, and this is a
//! process of its own: tests beside it would find the table full.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{Handler, HandlerError, Overflow, Records, info};

const PATIENCE: Duration = Duration::from_secs(20);

/// Keeps messages and targets.
#[derive(Clone, Default)]
struct Keep(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    messages: Vec<String>,
    targets: Vec<String>,
}

impl Handler for Keep {
    fn name(&self) -> &str {
        "keep"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        let mut kept = self.0.lock().unwrap();
        for record in records {
            kept.messages.push(record.message().to_owned());
            let target = record.call_site().map_or("", |site| site.target());
            kept.targets.push(target.to_owned());
        }
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

macro_rules! ten_times {
    ($($call:tt)*) => {
        $($call)* $($call)* $($call)* $($call)* $($call)*
        $($call)* $($call)* $($call)* $($call)* $($call)*
    };
}

/// A thousand call sites are more than a table holds. Those that do not fit travel as text: their
/// messages are the same, in order, and the books balance.
#[test]
fn more_call_sites_than_the_table_holds() {
    let keep = Keep::default();
    let config = LoggerConfig { overflow: Overflow::WAIT, ..LoggerConfig::default() };
    let log = Logger::new("many", config, vec![Box::new(keep.clone())]).unwrap();
    let mut number = 0_u32;
    ten_times!(ten_times!(ten_times!(
        info!(log, "number {:>5} of {kind} call sites", number, kind = "a thousand");
        number += 1;
    );););
    assert_eq!(number, 1000);
    log.flush(PATIENCE).unwrap();
    let kept = keep.0.lock().unwrap();
    let expected: Vec<String> =
        (0..1000).map(|n| format!("number {n:>5} of a thousand call sites")).collect();
    assert_eq!(kept.messages, expected);
    let known = kept.targets.iter().filter(|target| !target.is_empty()).count();
    assert!((100..1000).contains(&known), "{known} call sites found room");
    assert!(kept.targets[..known].iter().all(|target| target.starts_with("many_call_sites")));
    drop(kept);
    assert!(log.shutdown().unwrap().total.is_balanced(0));
}
