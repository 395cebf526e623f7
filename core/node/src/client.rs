//! The client: a handle whose futures end when the server has answered, and a stream of events, over any [`Connector`].
//!
//! A client is one task. It connects, comes back when the connection is lost, publishes and subscribes again what the server has
//! lost, and ends when every [`Client`] is dropped, or [`Client::disconnect`] is called. Everything in it is bounded: with as many
//! messages waiting as [`protocol.queued`](squall_proto::client::Options::queued), [`Client::publish`] waits for room; with as many
//! events waiting as [`Options::events_max`], nothing more is read from the server.
//!
//! ```
//! use squall_node::client::{Client, Event, Message, Options, Qos, Subscription, TcpConnector, Version, protocol};
//! use squall_proto::{Text, TopicFilter, TopicName};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let protocol = protocol::Options::persistent(Version::V5, Text::new("thermometer")?);
//! let connector: TcpConnector = "mqtt://localhost:1883".parse()?;
//! let (client, mut events) = Client::spawn(Options::new(protocol, 7), connector)?;
//!
//! client.subscribe(Subscription::new(TopicFilter::new("room/+")?, Qos::AtLeastOnce)).await?;
//! let message = Message::new(TopicName::new("room/temperature")?, "21".into(), Qos::ExactlyOnce);
//! let reason_code = client.publish(message).await?; // after PUBCOMP, however many connections it took
//! assert!(!reason_code.is_error());
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::Message { message, .. } => println!("{}: {:?}", message.topic, message.payload),
//!         Event::Connected { session_present, .. } => println!("connected, session present: {session_present}"),
//!         Event::Disconnected { why, .. } => println!("{why}"),
//!         Event::Unreachable(error) => println!("cannot connect: {error}"),
//!         Event::SubscriptionLost { filter, reason_code } => println!("{filter}: {reason_code}"),
//!         Event::StoreFailed(error) => println!("{error}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! In reading order: this file (the handle), `event` and `acknowledgement` (what the application gets and says to it), `options`,
//! `runner` (connecting and waiting), `connection` (one connection's bytes), `machine` (the state machine of `squall-proto` and what
//! it puts out), `authentication`, `responses` (requests and what answers them), `store` (what outlives the process), `inbox` (what
//! handles ask), `back_off`, `tcp` and `connector` (where connections come from).

mod acknowledgement;
mod authentication;
mod back_off;
mod connection;
mod connector;
mod event;
mod inbox;
mod machine;
mod options;
mod responses;
mod runner;
mod store;
mod tcp;

use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use squall_proto::{Disconnect, ReasonCode};
pub use squall_proto::{
    Qos, Version,
    client::{
        self as protocol, Distrust, Failure, Message, Misuse, NotReauthenticated, Refusal, Saved,
        Subscription, Unsubscription, Why,
    },
};
use tokio::sync::{mpsc, oneshot};

pub use self::{
    acknowledgement::Acknowledgement,
    authentication::{Authentication, Beginning, Exchange},
    connector::{AddressConnector, ConnectorError},
    event::{Event, Events},
    options::{Again, Options, Reconnect},
    runner::Runner,
    store::{Commit, DatabaseStore, FileStore, MemoryStore, Store, StoreError},
    tcp::TcpConnector,
};
use self::{
    inbox::{Inbox, Publish, Request},
    machine::Parts,
    responses::Responses,
};
use crate::Connector;

/// Asks the client's task for things. Clones ask the same task; when the last is dropped the client disconnects and ends.
#[derive(Clone)]
pub struct Client {
    publishes: mpsc::Sender<Publish>,
    requests: mpsc::Sender<Request>,
    stop: mpsc::Sender<Disconnect>,
    authentication: Option<Arc<dyn Authentication>>,
    protocol: Arc<protocol::Options>,
    responses: Responses,
}

/// Why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It cannot be, or nobody knows any more.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The client ended first. A message may have arrived or not.
    #[error("the client ended before the server answered")]
    Ended,
    /// The server does not let the client publish a request, or subscribe to its answer.
    #[error("the server refused the request: {0}")]
    Refused(ReasonCode),
    /// No response came in time.
    #[error("no response came in time")]
    TimedOut,
}

/// Why a client cannot begin with what was kept.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The options make no sense, or not with what was kept.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// What was kept cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a client did not authenticate again.
#[derive(Debug, thiserror::Error)]
pub enum ReauthenticateError {
    /// What is needed for it could not be had; the connection goes on.
    #[error("cannot prepare the authentication: {0}")]
    Unprepared(#[from] io::Error),
    /// It cannot be, or the connection ended.
    #[error(transparent)]
    Refused(#[from] NotReauthenticated),
    /// The client ended first.
    #[error("the client ended before the server answered")]
    Ended,
}

/// A message on its way; see [`Client::enqueue`]. Dropping it does not take the message back.
#[must_use = "a message is lost without a word when nobody awaits its end"]
#[derive(Debug)]
pub struct Publishing {
    answer: oneshot::Receiver<Result<ReasonCode, Failure>>,
    _keeps_the_client: Client,
}

impl Client {
    /// A client, its events, and the task that whoever calls must run: until then nothing happens.
    pub fn open<C: Connector>(options: Options, connector: C) -> Result<(Self, Events, Runner<C>), Misuse> {
        Self::with(options, connector, None, Saved::new())
    }

    /// As [`Client::open`], with a session that outlives the process: what the store has is taken up, and what changes is in the store
    /// before the server learns of it. The session must be one that the server keeps
    /// ([`persistent`](squall_proto::client::Options::persistent)), and each Client Identifier needs a store of its own.
    pub fn restore<C: Connector>(
        options: Options,
        connector: C,
        mut store: impl Store,
    ) -> Result<(Self, Events, Runner<C>), RestoreError> {
        let saved = store.load()?;
        Ok(Self::with(options, connector, Some(Box::new(store)), saved)?)
    }

    fn with<C: Connector>(
        options: Options,
        connector: C,
        store: Option<Box<dyn Store>>,
        saved: Saved,
    ) -> Result<(Self, Events, Runner<C>), Misuse> {
        let (publishes, take_publishes) = mpsc::channel(256);
        let (requests, take_requests) = mpsc::channel(16);
        let (stop, take_stop) = mpsc::channel(1);
        let (events, take_events) = mpsc::channel(options.events_max.max(1));
        let (answers, take_answers) = mpsc::unbounded_channel();
        let inbox = Inbox {
            publishes: take_publishes,
            requests: take_requests,
            stop: take_stop,
            answers: take_answers,
        };
        let authentication = options.authentication.clone();
        let protocol = Arc::new(options.protocol.clone());
        let responses = Responses::new(&options);
        let parts = Parts {
            answers,
            store,
            saved,
            responses: responses.clone(),
        };
        let manual = protocol.acknowledge == protocol::Acknowledge::Manual;
        let runner = Runner::new(options, connector, inbox, events, parts)?;
        let client = Self {
            publishes,
            requests,
            stop,
            authentication,
            protocol,
            responses,
        };
        Ok((client, Events::new(take_events, manual), runner))
    }

    /// As [`Client::open`], with the task spawned. It ends when every `Client` is dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn spawn<C: Connector>(options: Options, connector: C) -> Result<(Self, Events), Misuse> {
        let (client, events, runner) = Self::open(options, connector)?;
        tokio::spawn(runner.run());
        Ok((client, events))
    }

    /// Publishes a message and waits for its end: at QoS 0 that it was sent, at QoS 1 PUBACK, at QoS 2 PUBCOMP. Waits through
    /// as many connections as it takes. The Reason Code is the server's, an error from 0x80.
    pub async fn publish(&self, message: Message) -> Result<ReasonCode, Error> {
        self.enqueue(message).await?.await
    }

    /// Waits for room in the queue and puts a message in it; what is returned waits for the message's end. Messages of one
    /// handle are sent in the order they were put in.
    pub async fn enqueue(&self, message: Message) -> Result<Publishing, Error> {
        let (reply, answer) = oneshot::channel();
        let publish = Publish { message, reply };
        self.publishes.send(publish).await.map_err(|_| Error::Ended)?;
        Ok(Publishing {
            answer,
            _keeps_the_client: self.clone(),
        })
    }

    /// Subscribes, and waits for SUBACK: one Reason Code a Topic Filter, in order; an error from 0x80.
    pub async fn subscribe(&self, subscription: Subscription) -> Result<Vec<ReasonCode>, Error> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Subscribe(subscription, reply), answer).await
    }

    /// Unsubscribes, and waits for UNSUBACK: one Reason Code a Topic Filter, in order; none in 3.1.1.
    pub async fn unsubscribe(&self, unsubscription: Unsubscription) -> Result<Vec<ReasonCode>, Error> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Unsubscribe(unsubscription, reply), answer)
            .await
    }

    /// Authenticates again on the connection there is, by the method of [`Options::authentication`], and waits until the server has
    /// accepted it; meanwhile everything else goes on. If the server refuses it, the connection ends.
    pub async fn reauthenticate(&self) -> Result<(), ReauthenticateError> {
        let missing = NotReauthenticated::NoAuthenticationMethod;
        let authentication = self.authentication.as_ref().ok_or(missing)?;
        let exchange = authentication.begin().await?;
        let (reply, answer) = oneshot::channel();
        let request = Request::Reauthenticate(exchange, reply);
        self.requests
            .send(request)
            .await
            .map_err(|_| ReauthenticateError::Ended)?;
        Ok(answer.await.map_err(|_| ReauthenticateError::Ended)??)
    }

    async fn ask(
        &self,
        request: Request,
        answer: oneshot::Receiver<Result<Vec<ReasonCode>, Failure>>,
    ) -> Result<Vec<ReasonCode>, Error> {
        self.requests.send(request).await.map_err(|_| Error::Ended)?;
        Ok(answer.await.map_err(|_| Error::Ended)??)
    }

    /// Waits until everything that was asked for is answered and nothing waits to be sent, through as many connections as it takes; at most
    /// so long. `false`: something is left.
    pub async fn flush(&self, within: Duration) -> bool {
        let (done, is_done) = oneshot::channel();
        let flushed = async {
            self.requests.send(Request::Flush(done)).await.ok()?;
            is_done.await.ok()
        };
        matches!(tokio::time::timeout(within, flushed).await, Ok(Some(())))
    }

    /// Sends what was put in the queue as far as the server takes it, then DISCONNECT, and ends the client. Does not wait for
    /// acknowledgements: see [`Client::flush`], or await the publishes first.
    pub async fn disconnect(&self) {
        self.stop(Disconnect::of(ReasonCode::Success)).await;
    }

    /// As [`Client::disconnect`], with another DISCONNECT: Reason Code 0x04 to have the Will published all the same, another Session Expiry
    /// Interval, a Reason String. 3.1.1 has no word for those: with a Reason Code the connection is then closed without DISCONNECT.
    /// An error: it is not one that this client may send, and nothing happened.
    pub async fn disconnect_with(&self, disconnect: Disconnect) -> Result<(), Misuse> {
        if self.protocol.version == Version::V5 || !disconnect.properties.is_empty() {
            self.protocol.check_disconnect(&disconnect)?;
        }
        self.stop(disconnect).await;
        Ok(())
    }

    async fn stop(&self, disconnect: Disconnect) {
        // Full or closed, the client is about to end already.
        let _ = self.stop.try_send(disconnect);
        self.stop.closed().await;
    }
}

impl Future for Publishing {
    type Output = Result<ReasonCode, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.answer).poll(context));
        Poll::Ready(answer.map_err(|_| Error::Ended).and_then(|result| Ok(result?)))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
