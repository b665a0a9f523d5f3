//! The books: each ring's account, added up by worker.

use std::collections::HashMap;

use crate::fan_out::FanOut;
use crate::report::{Account, Report, WorkerAccount};
use crate::source::Source;

/// Ended workers whose accounts are kept apart; those that end later are added up as one.
const KEPT: usize = 4096;

/// Accounts of rings that are gone.
#[derive(Default)]
pub(super) struct Books {
    ended: HashMap<(String, u32), (u32, Account)>,
    /// Of workers beyond the kept ones.
    others: (u32, Account),
}

impl Books {
    /// Takes over the account of a ring that is removed.
    pub(super) fn close(&mut self, source: &Source, account: &Account) {
        let key = (source.name.clone(), source.process);
        let entry = if self.ended.len() < KEPT || self.ended.contains_key(&key) {
            self.ended.entry(key).or_default()
        } else {
            &mut self.others
        };
        entry.0 += 1;
        entry.1.merge(account);
    }

    /// The report over these and the rings that are still open.
    pub(super) fn report<'a>(
        &self,
        open: impl Iterator<Item = (&'a Source, Account)>,
        fan_out: &FanOut,
        closing: bool,
    ) -> Report {
        let mut workers: HashMap<(&str, u32), WorkerAccount> = HashMap::new();
        let rows = self.ended.iter().map(|((name, process), (rings, account))| {
            (name.as_str(), *process, *rings, *account, true)
        });
        let open =
            open.map(|(source, account)| (source.name.as_str(), source.process, 1, account, false));
        for (name, process, rings, account, ended) in rows.chain(open) {
            let worker = workers.entry((name, process)).or_insert_with(|| WorkerAccount {
                name: name.to_owned(),
                process,
                ended,
                rings: 0,
                account: Account::default(),
            });
            worker.ended &= ended;
            worker.rings += rings;
            worker.account.merge(&account);
        }
        let mut workers: Vec<WorkerAccount> = workers.into_values().collect();
        workers.sort_by(|a, b| (&a.name, a.process).cmp(&(&b.name, b.process)));
        if self.others.0 > 0 {
            workers.push(WorkerAccount {
                name: "(others)".to_owned(),
                process: 0,
                ended: true,
                rings: self.others.0,
                account: self.others.1,
            });
        }
        let mut total = Account::default();
        workers.iter().for_each(|worker| total.merge(&worker.account));
        Report { total, workers, handlers: fan_out.accounts(closing), refused: 0 }
    }
}
