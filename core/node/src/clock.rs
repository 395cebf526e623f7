use std::time::Duration;

use squall_proto::Instant;

/// tokio's clock, read as microseconds since this clock was started. Virtual when tokio's is paused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: tokio::time::Instant,
}

impl Clock {
    /// A clock that shows zero now.
    pub(crate) fn start() -> Self {
        Self {
            start: tokio::time::Instant::now(),
        }
    }

    /// The moment it is.
    pub(crate) fn now(self) -> Instant {
        let micros = self.start.elapsed().as_micros();
        Instant::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// Waits until `deadline`, to the millisecond above; for ever when there is none, or when tokio cannot count that far.
    pub(crate) async fn sleep_until(self, deadline: Option<Instant>) {
        let deadline = deadline.and_then(|at| self.start.checked_add(Duration::from_micros(at.as_micros())));
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }
}
