use std::{fmt, sync::Arc};

/// How far the opening of a store has come.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Progress {
    /// The process before did not close it: so much of it, from 0 to 1, is looked through for what that left unfinished.
    Repaired(f64),
    /// It is compared with its checksums.
    Checking,
    /// Much of the file is free, so it is made shorter.
    Compacting,
    /// So many rows of so many are read.
    Read {
        /// Those that are.
        rows: u64,
        /// All.
        of: u64,
    },
}

/// Is told how far it has come: often, on the thread that opens it.
#[derive(Clone)]
pub struct Watcher(Arc<dyn Fn(Progress) + Send + Sync>);

impl Watcher {
    /// Tells this function.
    pub fn new(tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells nobody.
    pub fn nobody() -> Self {
        Self::new(|_| {})
    }

    pub(crate) fn tell(&self, progress: Progress) {
        (self.0)(progress);
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}
