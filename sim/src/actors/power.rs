use std::{future::Future, sync::Arc};

use squall_node::Watched;

/// Whether the process of a host may run: as long as no crash keeps it down.
#[derive(Clone, Debug)]
pub(crate) struct Power(Arc<Watched<u32>>);

impl Power {
    /// Of a process that so many crashes keep down.
    pub(crate) fn new(down: Arc<Watched<u32>>) -> Self {
        Self(down)
    }

    /// Waits until the process may run.
    pub(super) async fn on(&self) {
        self.until(|down| down == 0).await;
    }

    /// Runs `process` to its end, or to the next crash, which drops it: then `None`.
    pub(super) async fn run<T>(&self, process: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.until(|down| down > 0) => None,
            output = process => Some(output),
        }
    }

    async fn until(&self, is: impl Fn(u32) -> bool) {
        self.0.wait_for(|down| is(*down)).await;
    }
}
