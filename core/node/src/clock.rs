use squall_proto::Instant;

/// tokio's clock, read as microseconds since a moment that whoever starts it chooses. Virtual when tokio's is paused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: tokio::time::Instant,
    /// What it showed then.
    showed: Instant,
}

impl Clock {
    /// A clock that shows zero now.
    pub(crate) fn start() -> Self {
        Self::start_at(Instant::ZERO)
    }

    /// A clock that shows this moment now.
    pub(crate) fn start_at(showed: Instant) -> Self {
        Self {
            start: tokio::time::Instant::now(),
            showed,
        }
    }

    /// The moment it is.
    pub(crate) fn now(self) -> Instant {
        self.showed + self.start.elapsed()
    }

    /// Waits until `deadline`, to the millisecond above; for ever when there is none, or when tokio cannot count that far.
    pub(crate) async fn sleep_until(self, deadline: Option<Instant>) {
        let deadline = deadline.and_then(|at| self.start.checked_add(at.saturating_since(self.showed)));
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }
}
