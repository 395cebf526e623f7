use std::{future::Future, ops::ControlFlow, sync::Arc};

use squall_node::Watched;

use crate::{
    trace::{Down, What},
    world::{Pausable, network},
};

/// Whether the process of a host may run: as long as no crash keeps it down, and nobody has asked it to stop.
#[derive(Clone, Debug)]
pub(crate) struct Power {
    place: usize,
    host: String,
    condition: Arc<Watched<Condition>>,
}

/// What faults have done to a process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Condition {
    /// How many crashes keep it down.
    pub(crate) crashes: u32,
    /// How many crashes there ever were: one may be over before anybody looks.
    pub(crate) crashes_ever: u64,
    /// How many stops keep it down, or are to.
    pub(crate) stops: u32,
    /// It has ended as it was asked to.
    pub(crate) has_stopped: bool,
    /// A process has begun since the last one ended.
    pub(crate) has_begun: bool,
    /// The next process takes up what this one knew.
    pub(crate) kept: bool,
}

impl Condition {
    /// Whether something keeps it from running.
    pub(crate) const fn is_down(self) -> bool {
        self.crashes > 0 || self.has_stopped
    }
}

impl Power {
    /// Of the process of this host, which is at this place of the world.
    pub(crate) const fn new(place: usize, host: String, condition: Arc<Watched<Condition>>) -> Self {
        Self {
            place,
            host,
            condition,
        }
    }

    /// Waits until the process may run.
    pub(crate) async fn on(&self) {
        self.until(|condition| condition.crashes == 0 && condition.stops == 0)
            .await;
    }

    /// One life of a process that keeps nothing: from the moment that it may run until it crashes, is asked to stop, or has nothing more
    /// to do; then `Break`.
    pub(crate) async fn life(&self, live: impl Future<Output = ()>) -> ControlFlow<()> {
        self.on().await;
        let stopped = async {
            tokio::select! {
                biased;
                () = self.stop() => true,
                () = live => false,
            }
        };
        match self.run(stopped).await {
            Some(true) => self.has_stopped(false),
            Some(false) => return ControlFlow::Break(()),
            None => {}
        }
        ControlFlow::Continue(())
    }

    /// Runs `process` to its end, or to the next crash, which drops it: then `None`. While the host is paused, the process stands still.
    pub(crate) async fn run<T>(&self, process: impl Future<Output = T>) -> Option<T> {
        let before = self.condition.modify(|condition| {
            condition.has_begun = true;
            condition.crashes_ever
        });
        tokio::select! {
            biased;
            () = self.until(|condition| condition.crashes > 0 || condition.crashes_ever > before) => None,
            output = Pausable::new(self.place, process) => Some(output),
        }
    }

    /// Waits until the process is asked to stop.
    pub(crate) async fn stop(&self) {
        self.until(|condition| condition.stops > 0).await;
    }

    /// The process has ended because it was asked to. `kept`: the next one takes up what this one knew.
    pub(crate) fn has_stopped(&self, kept: bool) {
        let starts_again = self.condition.modify(|condition| {
            condition.has_stopped = condition.stops > 0;
            condition.has_begun = false;
            condition.kept = kept;
            !condition.has_stopped
        });
        let host = || self.host.clone();
        network::with(|network| {
            network.note(What::HostDown {
                host: host(),
                how: Down::Stopped,
                kept,
            });
            if starts_again {
                network.note(What::HostUp { host: host(), kept });
            }
        });
    }

    /// Whether the process that crashed last left all that it knew to the next.
    pub(crate) fn is_kept(&self) -> bool {
        self.condition.get().kept
    }

    async fn until(&self, is: impl Fn(Condition) -> bool) {
        self.condition.wait_for(|condition| is(*condition)).await;
    }
}
