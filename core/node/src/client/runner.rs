use std::{fmt, future::Future, io, sync::Arc, time::Duration};

use squall_proto::client::{Input, Misuse};
use tokio::{sync::mpsc, time::timeout};

use super::{
    Authentication, Event, Options,
    back_off::BackOff,
    connection::{serve, tell},
    inbox::{Asked, Inbox},
    machine::{Machine, Parts},
};
use crate::{Connector, clock::Clock};

/// The client's task.
pub struct Runner<C> {
    connector: C,
    machine: Machine,
    authentication: Option<Arc<dyn Authentication>>,
    inbox: Inbox,
    events: mpsc::Sender<Event>,
    /// `None` when the client does not come back.
    back_off: Option<BackOff>,
    connect_timeout: Duration,
    packet_size_max: u32,
}

impl<C: Connector> Runner<C> {
    pub(super) fn new(
        mut options: Options,
        connector: C,
        inbox: Inbox,
        events: mpsc::Sender<Event>,
        parts: Parts,
    ) -> Result<Self, Misuse> {
        let seed = options.seed;
        let authentication = options.authentication;
        options.protocol.authentication_method = authentication.as_ref().map(|it| it.method());
        Ok(Self {
            connector,
            authentication,
            inbox,
            events,
            back_off: options.reconnect.map(|reconnect| BackOff::new(reconnect, seed)),
            connect_timeout: options.protocol.connect_timeout,
            packet_size_max: options.protocol.packet_size_max,
            machine: Machine::new(options.protocol, Clock::start(), parts)?,
        })
    }

    /// Connects and connects again, until the client is told to stop or nobody is left to tell it, or [`Reconnect`](super::Reconnect) says
    /// that it does not come back. Dropping the future breaks the
    /// connection; whoever waits for an answer gets [`Error::Ended`](super::Error::Ended).
    pub async fn run(mut self) {
        while let Some(lasted) = self.connection().await {
            let Some(back_off) = &mut self.back_off else {
                break;
            };
            let why = self.machine.out.close.as_ref();
            let Some(wait) = back_off.after_end(lasted, why) else {
                break;
            };
            let wait = tokio::time::sleep(wait);
            if self.offline(wait).await.is_none() {
                break;
            }
        }
        self.end().await;
    }

    /// One connection, or the attempt at one; how long it lasted, or `None` if the client is to stop.
    async fn connection(&mut self) -> Option<Duration> {
        match self.connect().await? {
            Ok(stream) => {
                let stopped = serve(
                    stream,
                    &mut self.machine,
                    &mut self.inbox,
                    &self.events,
                    self.packet_size_max,
                )
                .await;
                (!stopped).then(|| self.machine.lasted())
            }
            Err(error) => {
                self.machine.out.close = None;
                self.machine.out.events.push_back(Event::Unreachable(error));
                Some(Duration::ZERO)
            }
        }
    }

    async fn connect(&mut self) -> Option<io::Result<C::Stream>> {
        let Self {
            connector,
            machine,
            authentication,
            inbox,
            events,
            connect_timeout,
            ..
        } = self;
        let connect = timeout(*connect_timeout, async {
            let exchange = match authentication {
                Some(authentication) => Some(authentication.begin().await?),
                None => None,
            };
            Ok((exchange, connector.connect().await?))
        });
        let connected = offline(connect, machine, inbox, events).await?;
        let connected = connected.unwrap_or_else(|late| Err(late.into()));
        Some(connected.map(|(exchange, stream)| {
            machine.prepare(exchange);
            stream
        }))
    }

    async fn offline<T>(&mut self, until: impl Future<Output = T>) -> Option<T> {
        offline(until, &mut self.machine, &mut self.inbox, &self.events).await
    }

    /// Nobody waits any more for what will not come; then the application gets the events that it has not taken yet. What it has said of
    /// messages meanwhile is kept for the next process.
    async fn end(self) {
        let Self {
            mut machine,
            mut inbox,
            events,
            ..
        } = self;
        for asked in inbox.close() {
            if let Asked::Answer(_) = asked {
                machine.ask(asked);
            }
        }
        // When it cannot be, there is nothing left to end.
        let _ = machine.commit().await;
        drop(inbox);
        let untold = std::mem::take(&mut machine.out.events);
        drop(machine);
        for event in untold {
            if events.send(event).await.is_err() {
                return;
            }
        }
    }
}

/// Takes what is asked while there is no connection, until something has happened and the application has been told everything;
/// `None` if the client is to stop.
async fn offline<T>(
    until: impl Future<Output = T>,
    machine: &mut Machine,
    inbox: &mut Inbox,
    events: &mpsc::Sender<Event>,
) -> Option<T> {
    let mut until = std::pin::pin!(until);
    let mut done = None;
    loop {
        machine.commit().await.ok()?;
        tell(&mut machine.out, events);
        machine.flushed(inbox);
        let all_told = machine.out.events.is_empty();
        if all_told && done.is_some() {
            return done;
        }
        let (messages, requests) = (machine.takes_messages(), machine.takes_requests());
        let deadline = machine.clock().sleep_until(machine.next_deadline());
        tokio::select! {
            biased;
            happened = &mut until, if done.is_none() => done = Some(happened),
            () = deadline => machine.handle(Input::Tick { reading: false }),
            _ = events.reserve(), if !all_told => {}
            asked = inbox.next(requests, messages) => match asked {
                Asked::Stop(_) => return None,
                Asked::Publish(_) | Asked::Request(_) | Asked::Answer(_) => machine.ask(asked),
            },
        }
    }
}

impl<C> fmt::Debug for Runner<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}
