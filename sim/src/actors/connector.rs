use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use squall_node::Connector;
use tokio::sync::Semaphore;

use super::pace::PacedStream;
use crate::{scenario::Reads, world::HostConnector};

/// How a client of ours connects.
pub(super) struct ClientConnector {
    pub(super) host: HostConnector,
    pub(super) reads: Option<Reads>,
    pub(super) gate: Gate,
}

/// Lets a client connect: always, or once for each permit.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate {
    permits: Option<Arc<Semaphore>>,
    /// Whether an attempt has been let through since this was last asked.
    passed: Arc<AtomicBool>,
}

impl Gate {
    /// Lets nobody through yet.
    pub(super) fn closed() -> Self {
        Self {
            permits: Some(Arc::new(Semaphore::new(0))),
            passed: Arc::default(),
        }
    }

    /// Lets one attempt through.
    pub(super) fn permit(&self) {
        if let Some(permits) = &self.permits {
            permits.add_permits(1);
        }
    }

    /// Whether an attempt has been let through since this was last asked.
    pub(super) fn has_been_passed(&self) -> bool {
        self.passed.swap(false, Ordering::Relaxed)
    }

    async fn pass(&self) {
        if let Some(permits) = &self.permits {
            permits
                .acquire()
                .await
                .expect("the gate is never taken away")
                .forget();
        }
        self.passed.store(true, Ordering::Relaxed);
    }
}

impl Connector for ClientConnector {
    type Stream = PacedStream;

    async fn connect(&mut self) -> io::Result<PacedStream> {
        self.gate.pass().await;
        let stream = self.host.connect().await?;
        Ok(PacedStream {
            stream,
            reads: self.reads,
        })
    }
}
