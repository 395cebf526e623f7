use std::future::Future;

use tokio::sync::watch;

/// Whether the process of a host may run: as long as no crash keeps it down.
#[derive(Clone, Debug)]
pub(crate) struct Power(watch::Receiver<u32>);

impl Power {
    /// Of a process that so many crashes keep down.
    pub(crate) const fn new(down: watch::Receiver<u32>) -> Self {
        Self(down)
    }

    /// Waits until the process may run.
    pub(super) async fn on(&mut self) {
        self.until(|down| down == 0).await;
    }

    /// Runs `process` to its end, or to the next crash, which drops it: then `None`.
    pub(super) async fn run<T>(&mut self, process: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.until(|down| down > 0) => None,
            output = process => Some(output),
        }
    }

    async fn until(&mut self, is: impl Fn(u32) -> bool) {
        if self.0.wait_for(|down| is(*down)).await.is_err() {
            // Whoever could crash it is gone: nothing changes any more.
            std::future::pending().await
        }
    }
}
