//! How the client under test is started.

use std::{any::Any, fmt, future::Future, io, pin::Pin};

use squall_proto::Version;
use tokio::sync::mpsc;

use crate::Duplex;

/// Starts the client under test.
pub trait Launch: Send + Sync {
    /// Starts one, which is to speak this version.
    fn launch(&self, version: Version) -> Launching<'_>;
}

/// A start under way.
pub type Launching<'a> = Pin<Box<dyn Future<Output = io::Result<Launched>> + Send + 'a>>;

/// A client that was started.
pub struct Launched {
    /// Its driver: lines to it, lines from it.
    pub lines: Duplex,
    /// The connections it makes, in the order they come.
    pub connections: mpsc::UnboundedReceiver<Duplex>,
    /// Dropped when the case is over, which ends the client.
    pub keep: Box<dyn Any + Send>,
}

impl fmt::Debug for Launched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Launched")
    }
}
