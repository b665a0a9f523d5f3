//! Where records come from: who logged them, and the call sites they name by number.

use std::sync::Arc;

use crate::render::Definition;
use crate::source::Source;

/// The source of a ring's records, and the call sites in the ring's table so far. Records of a batch
/// share it; when a ring changes hands or has a new call site, its next records get another one.
#[derive(Debug)]
pub struct Origin {
    pub(crate) source: Source,
    /// Those with the numbers 1, 2, 3 ...; of an archive those that are needed, by number.
    pub(crate) sites: Arc<Vec<Arc<Definition>>>,
}

impl Origin {
    pub(crate) fn new(source: Source) -> Arc<Self> {
        Arc::new(Self { source, sites: Arc::default() })
    }

    /// Logger, process and thread.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The call site with this number, if it is known.
    #[inline]
    pub fn site(&self, number: u32) -> Option<&Arc<Definition>> {
        match self.sites.get((number as usize).checked_sub(1)?) {
            Some(site) if site.number() == number => Some(site),
            _ => self.find(number),
        }
    }

    /// Archives have gaps in their numbers.
    #[cold]
    fn find(&self, number: u32) -> Option<&Arc<Definition>> {
        let at = self.sites.binary_search_by_key(&number, |site| site.number()).ok()?;
        self.sites.get(at)
    }
}
