use std::io;

use squall_proto::{
    Connack, ReasonCode, TopicFilter,
    client::{Message, Why},
};
use tokio::sync::mpsc;

use super::{Acknowledgement, StoreError};

/// What the client tells, in order. Whoever does not want it drops it: messages are then acknowledged as they come.
#[derive(Debug)]
pub struct Events {
    told: mpsc::Receiver<Event>,
    /// Whether the application acknowledges messages itself.
    manual: bool,
}

/// What the application is told beside the answers to what it asked.
#[derive(Debug)]
pub enum Event {
    /// The server accepted a connection.
    Connected {
        /// Whether it still has the session.
        session_present: bool,
        /// The whole CONNACK.
        connack: Connack,
    },
    /// A connection ended, or was refused.
    Disconnected {
        /// Why.
        why: Why,
        /// How the stream broke, if it did.
        error: Option<io::Error>,
    },
    /// No connection could be made, or not in time.
    Unreachable(io::Error),
    /// An Application Message came.
    Message {
        /// The message.
        message: Message,
        /// Whether it may have come before.
        dup: bool,
        /// How to answer it: at QoS 1 and 2 with [`Acknowledge::Manual`](squall_proto::client::Acknowledge::Manual), otherwise `None`.
        acknowledgement: Option<Acknowledgement>,
    },
    /// The server had lost the session, and refuses to renew this subscription of it.
    SubscriptionLost {
        /// Which.
        filter: TopicFilter,
        /// What it said.
        reason_code: ReasonCode,
    },
    /// The client's messages cannot be kept any more. It is the last event: the client ends without another packet, because it could not
    /// hold what it says.
    StoreFailed(StoreError),
}

impl Events {
    pub(super) const fn new(told: mpsc::Receiver<Event>, manual: bool) -> Self {
        Self { told, manual }
    }

    /// The next event; `None` when the client has ended. Loses nothing when it is dropped before it is ready. Unless the application
    /// acknowledges messages itself, one is acknowledged when it is returned from here, and not before.
    pub async fn next(&mut self) -> Option<Event> {
        let event = self.told.recv().await?;
        Some(self.taken(event))
    }

    /// The next event if there is one by now.
    pub fn try_next(&mut self) -> Option<Event> {
        let event = self.told.try_recv().ok()?;
        Some(self.taken(event))
    }

    fn taken(&self, mut event: Event) -> Event {
        if let (Event::Message { acknowledgement, .. }, false) = (&mut event, self.manual)
            && let Some(acknowledgement) = acknowledgement.take()
        {
            acknowledgement.accept();
        }
        event
    }
}
