//! Events through the standard logger: handlers that share what was rendered.

use std::sync::{Arc, Mutex};

use millpond_std::standard::{Logger, LoggerConfig};
use millpond_std::{Handler, HandlerError, LineFormat, Overflow, Records, TimeText, info, warning};

/// Keeps messages, lines, and what else a record says.
#[derive(Clone, Default)]
struct Keep(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    messages: Vec<String>,
    lines: String,
    targets: Vec<String>,
    fields: Vec<String>,
}

impl Handler for Keep {
    fn name(&self) -> &str {
        "keep"
    }

    fn push(&mut self, records: &Records) -> Result<(), HandlerError> {
        let mut kept = self.0.lock().unwrap();
        let mut lines = Vec::new();
        let format = LineFormat::new("%(levelname)s %(message)s").unwrap();
        format.write_lines(records, &mut TimeText::new(), &mut lines);
        kept.lines.push_str(std::str::from_utf8(&lines).unwrap());
        for record in records {
            kept.messages.push(record.message().to_owned());
            let target = record.call_site().map_or("", |site| site.target());
            kept.targets.push(target.to_owned());
            kept.fields.extend(record.fields().map(|(name, value)| format!("{name}: {value:?}")));
        }
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

fn logger(handlers: &[&Keep]) -> Logger {
    let config = LoggerConfig { overflow: Overflow::WAIT, ..LoggerConfig::default() };
    let handlers = handlers.iter().map(|keep| Box::new((*keep).clone()) as Box<dyn Handler>);
    Logger::new("events", config, handlers.collect()).unwrap()
}

#[test]
fn handlers_that_share_a_batch_see_the_same_as_one_that_has_it_alone() {
    let (alone, first, second) = (Keep::default(), Keep::default(), Keep::default());
    for keeps in [vec![&alone], vec![&first, &second]] {
        let log = logger(&keeps);
        for number in 0..500_u64 {
            info!(log, "{} {:?} {}", number, Some("two\nlines"), 'ß', half = number as f32 / 2.0);
            warning!(log, "text {}\x1b", "with control characters\r\n");
            log.error_with("text and bytes", b"\x00\xff");
        }
        assert!(log.shutdown().unwrap().total.is_balanced(0));
    }
    let [alone, first, second] = [&alone, &first, &second].map(|keep| keep.0.lock().unwrap());
    assert_eq!(alone.messages.len(), 1500);
    assert_eq!(alone.messages[3], "1 Some(\"two\\nlines\") ß half=0.5");
    assert_eq!(alone.messages[4], "text with control characters\r\n\x1b");
    assert!(alone.lines.contains("WARNING text with control characters\\r\\n\\x1b\n"));
    assert_eq!(alone.fields[1], "half: F32(0.5)");
    for shared in [first, second] {
        assert_eq!(shared.messages, alone.messages);
        assert_eq!(shared.lines, alone.lines);
        assert_eq!((&shared.fields, &shared.targets), (&alone.fields, &alone.targets));
    }
}
