//! Reads the log back and compares it with what the workers noted and what was counted.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::Context as _;
use millpond::Account;
use millpond::advanced::MASTER;

use super::message::{Said, understand};
use super::worker::name_of;

/// At most so many problems are told one by one.
const TOLD: usize = 5;

/// What is known of a worker apart from the log.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The last number of each thread whose call returned.
    pub(super) returned: Vec<u64>,
    pub(super) account: Account,
    /// It was killed, so each thread may have had one call in progress.
    pub(super) was_killed: bool,
}

/// What the log holds of a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) lines: u64,
    /// Records that the log says were dropped.
    pub(super) gaps: u64,
    /// The last number of each thread.
    last: Vec<u64>,
}

/// What the log holds.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) workers: Vec<Found>,
    /// What the master said of workers that died.
    pub(super) obituaries: Vec<String>,
}

/// What does not fit; empty if everything does.
#[derive(Debug, Default)]
pub(super) struct Problems {
    told: Vec<String>,
    count: usize,
}

impl Problems {
    pub(super) fn add(&mut self, problem: String) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(problem);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The problems as they are told.
    pub(super) fn into_told(mut self) -> Vec<String> {
        if self.count > self.told.len() {
            self.told.push(format!("and {} more", self.count - self.told.len()));
        }
        self.told
    }
}

/// Reads the log and checks the order of each thread's numbers: one after the other if nothing may
/// be dropped, else ascending.
pub(super) fn read_back(
    log: &Path,
    workers: usize,
    threads: usize,
    may_drop: bool,
    problems: &mut Problems,
) -> anyhow::Result<Log> {
    let file = File::open(log).with_context(|| format!("cannot read back {}", log.display()))?;
    let mut input = BufReader::with_capacity(1 << 20, file);
    let names: Vec<String> = (0..workers).map(name_of).collect();
    let mut found = vec![Found { last: vec![0; threads], ..Found::default() }; workers];
    let mut obituaries = Vec::new();
    let mut line = Vec::new();
    for at in 1u64.. {
        line.clear();
        let length = input.read_until(b'\n', &mut line);
        if length.with_context(|| format!("cannot read back {}", log.display()))? == 0 {
            break;
        }
        let Some((name, message)) = parts(&line) else {
            problems.add(format!("line {at} is no whole line"));
            continue;
        };
        let Some(worker) = names.iter().position(|known| known.as_bytes() == name) else {
            if name == MASTER.as_bytes() && memchr::memmem::find(message, b" is dead").is_some() {
                obituaries.push(String::from_utf8_lossy(message).into_owned());
            }
            continue; // the master, or somebody else's worker
        };
        let of_worker = &mut found[worker];
        match understand(message) {
            Said::Number { thread, number } if (1..=threads).contains(&thread) => {
                of_worker.lines += 1;
                let last = &mut of_worker.last[thread - 1];
                let fits = if may_drop { number > *last } else { number == *last + 1 };
                if !fits {
                    let name = &names[worker];
                    problems.add(format!(
                        "line {at}: {name} thread {thread} has {number} after {last}"
                    ));
                }
                *last = number;
            }
            Said::Gap(lost) => of_worker.gaps += lost,
            _ => problems.add(format!("line {at} of {} makes no sense", names[worker])),
        }
    }
    Ok(Log { workers: found, obituaries })
}

/// Name and message of `... [INFO] name - message\n`.
fn parts(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.strip_suffix(b"\n")?;
    let dash = memchr::memmem::find(line, b" - ")?;
    let (head, message) = (&line[..dash], &line[dash + 3..]);
    let name = memchr::memmem::rfind(head, b"] ")? + 2;
    Some((&head[name..], message))
}

/// Whether everything that is known of a worker fits what the log holds.
pub(super) fn compare(index: usize, known: &Known, found: &Found, problems: &mut Problems) {
    let name = name_of(index);
    let account = &known.account;
    let dropped = account.total_dropped();
    let returned: u64 = known.returned.iter().sum();
    let in_flight = if known.was_killed { known.returned.len() as u64 } else { 0 };

    if account.delivered != found.lines {
        problems.add(format!("{name}: {} delivered, {} found", account.delivered, found.lines));
    }
    if !(returned..=returned + in_flight).contains(&(found.lines + dropped)) {
        problems.add(format!(
            "{name}: {returned} calls returned, {} lines and {dropped} dropped",
            found.lines
        ));
    }
    if dropped != found.gaps {
        problems.add(format!("{name}: {dropped} dropped, the log tells of {}", found.gaps));
    }
    if !account.is_balanced(in_flight) {
        problems.add(format!("{name}: the account is not balanced: {account:?}"));
    }
    for (thread, (returned, last)) in known.returned.iter().zip(&found.last).enumerate() {
        let most = returned + u64::from(known.was_killed);
        let fits = if dropped > 0 { *last <= most } else { (*returned..=most).contains(last) };
        if !fits {
            problems.add(format!(
                "{name} thread {}: the call of {returned} returned, the last line has {last}",
                thread + 1
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::message::Message;
    use super::*;

    /// A log of one worker with one thread, whose lines say these numbers.
    fn log(numbers: &[u64], more: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for number in numbers {
            let mut message = Message::new(1);
            let text = (0..*number).map(|_| message.next().to_owned()).last().unwrap();
            writeln!(file, "2026-11-22T07:45:53.123456Z [INFO] demo-1 - {text}").unwrap();
        }
        write!(file, "{more}").unwrap();
        file
    }

    fn check(numbers: &[u64], more: &str, known: &Known, may_drop: bool) -> Vec<String> {
        let file = log(numbers, more);
        let mut problems = Problems::default();
        let found = read_back(file.path(), 1, 1, may_drop, &mut problems).unwrap();
        compare(0, known, &found.workers[0], &mut problems);
        problems.told
    }

    fn known(returned: u64, delivered: u64, dropped: u64, was_killed: bool) -> Known {
        let mut account = Account::of_earlier(delivered, 0, 0, [0; millpond::Level::COUNT]);
        account.attempted = delivered + dropped;
        account.dropped[2] = dropped;
        Known { returned: vec![returned], account, was_killed }
    }

    #[test]
    fn a_whole_log_fits() {
        assert!(check(&[1, 2, 3], "", &known(3, 3, 0, false), false).is_empty());
        assert!(check(&[1, 2, 3], "", &known(3, 3, 0, true), false).is_empty());
        let noise = "2026 [INFO] MASTER - Worker demo-1 is dead: pid 1\n";
        assert!(check(&[1, 2, 3], noise, &known(2, 3, 0, true), false).is_empty());
        let gap = "2026 [WARNING] demo-1 - 2 records lost here: 2 INFO\n";
        assert!(check(&[1, 2, 5], gap, &known(5, 3, 2, false), true).is_empty());
    }

    #[test]
    fn whatever_is_wrong_is_found() {
        let cases: [(&[u64], &str, Known, bool, &str); 8] = [
            (&[1, 3], "", known(3, 2, 0, false), false, "has 3 after 1"),
            (&[1, 2, 2], "", known(2, 3, 0, false), true, "has 2 after 2"),
            (&[1, 2], "", known(3, 2, 0, false), false, "3 calls returned"),
            (&[1, 2, 3], "", known(2, 3, 0, false), false, "last line has 3"),
            (&[1, 2], "", known(2, 3, 0, false), false, "3 delivered, 2 found"),
            (&[1, 2], "", known(4, 2, 2, false), true, "tells of 0"),
            (&[1], "torn", known(1, 1, 0, false), false, "no whole line"),
            (&[1], "x [INFO] demo-1 - thread\n", known(1, 1, 0, false), false, "no sense"),
        ];
        for (numbers, more, known, may_drop, expected) in cases {
            let told = check(numbers, more, &known, may_drop);
            assert!(told.iter().any(|problem| problem.contains(expected)), "{expected}: {told:?}");
        }
    }
}
