use std::{collections::VecDeque, io, time::Duration};

use bytes::BytesMut;
use slab::Slab;
use squall_proto::{
    Binary, Instant, PacketRef, ReasonCode, Version,
    client::{
        self as proto, Authenticate, Distrust, Failure, Input, Misuse, NotReauthenticated, Output, Record,
        Saved, Ticket, Why,
    },
    encode,
};
use tokio::sync::{mpsc, oneshot};

use super::{
    Acknowledgement, Event,
    acknowledgement::Answer,
    authentication::{Exchange, Exchanges},
    inbox::{Asked, Inbox, Publish, Request},
    responses::Responses,
    store::Store,
};
use crate::clock::Clock;

/// The state machine, with its clock and what it puts out.
pub(super) struct Machine {
    client: proto::Client,
    clock: Clock,
    /// Who waits until nothing waits any more.
    flushes: Vec<oneshot::Sender<()>>,
    pub(super) out: Out,
}

/// Records cannot be kept any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken;

/// What the state machine puts out, until somebody writes, tells or closes.
pub(super) struct Out {
    version: Version,
    /// Bytes for the server.
    pub(super) bytes: BytesMut,
    /// Whether the stream has to be flushed.
    pub(super) unflushed: bool,
    /// Whether the connection is to be closed, and why.
    pub(super) close: Option<Why>,
    /// When the server accepted the connection.
    connected_at: Option<tokio::time::Instant>,
    /// For the application.
    pub(super) events: VecDeque<Event>,
    /// How the stream broke.
    error: Option<io::Error>,
    replies: Slab<Reply>,
    /// What the application says of messages goes there.
    answers: mpsc::UnboundedSender<Answer>,
    exchanges: Exchanges,
    /// Where records go; `None` after a commit has failed.
    store: Option<Box<dyn Store>>,
    /// Whether records were appended that are not committed: until they are, nothing is written.
    uncommitted: bool,
    responses: Responses,
}

/// What a machine is given beside its options.
pub(super) struct Parts {
    pub(super) answers: mpsc::UnboundedSender<Answer>,
    pub(super) store: Option<Box<dyn Store>>,
    pub(super) saved: Saved,
    pub(super) responses: Responses,
}

/// Who waits for an answer.
#[derive(Debug)]
enum Reply {
    Publish(oneshot::Sender<Result<ReasonCode, Failure>>),
    Request(oneshot::Sender<Result<Vec<ReasonCode>, Failure>>),
    Reauthenticate(oneshot::Sender<Result<(), NotReauthenticated>>),
}

impl Machine {
    pub(super) fn new(mut options: proto::Options, clock: Clock, parts: Parts) -> Result<Self, Misuse> {
        // An event is not the application's yet when it is put out here.
        options.acknowledge = proto::Acknowledge::Manual;
        let client = proto::Client::restore(options, parts.saved, clock.now())?;
        let out = Out {
            version: client.version(),
            bytes: BytesMut::new(),
            unflushed: false,
            close: None,
            connected_at: None,
            events: VecDeque::new(),
            error: None,
            replies: Slab::new(),
            exchanges: Exchanges::default(),
            answers: parts.answers,
            store: parts.store,
            uncommitted: false,
            responses: parts.responses,
        };
        let flushes = Vec::new();
        Ok(Self {
            client,
            clock,
            flushes,
            out,
        })
    }

    pub(super) fn handle(&mut self, input: Input) {
        self.client.handle(self.clock.now(), input, &mut self.out);
    }

    pub(super) fn opened(&mut self) {
        self.out.bytes.clear();
        self.out.close = None;
        self.out.connected_at = None;
        self.handle(Input::Opened);
    }

    /// What the next connection authenticates with.
    pub(super) fn prepare(&mut self, exchange: Option<Box<dyn Exchange>>) {
        self.out.exchanges.prepare(exchange);
    }

    pub(super) fn lost(&mut self, error: Option<io::Error>) {
        self.out.error = error;
        self.handle(Input::Lost);
    }

    /// How long ago the server accepted the last connection; zero if it did not.
    pub(super) fn lasted(&self) -> Duration {
        self.out.connected_at.map_or(Duration::ZERO, |at| at.elapsed())
    }

    pub(super) fn ask(&mut self, asked: Asked) {
        let input = match asked {
            Asked::Publish(Publish { message, reply }) => {
                Input::Publish(self.out.ticket(Reply::Publish(reply)), message)
            }
            Asked::Request(Request::Subscribe(subscription, reply)) => {
                Input::Subscribe(self.out.ticket(Reply::Request(reply)), subscription)
            }
            Asked::Request(Request::Unsubscribe(unsubscription, reply)) => {
                Input::Unsubscribe(self.out.ticket(Reply::Request(reply)), unsubscription)
            }
            Asked::Request(Request::Reauthenticate(exchange, reply)) => {
                self.out.exchanges.prepare(Some(exchange));
                Input::Reauthenticate(self.out.ticket(Reply::Reauthenticate(reply)))
            }
            Asked::Request(Request::Flush(done)) => return self.flushes.push(done),
            Asked::Answer((receipt, verdict)) => Input::Acknowledge(receipt, verdict),
            Asked::Stop(disconnect) => Input::Disconnect(disconnect),
        };
        self.handle(input);
    }

    /// Commits the records there are. When it fails, the application is told and no packet leaves any more: the client has to end.
    pub(super) async fn commit(&mut self) -> Result<(), Broken> {
        if !self.out.uncommitted {
            return Ok(());
        }
        let store = self.out.store.as_mut().ok_or(Broken)?;
        match store.commit().await {
            Ok(()) => {
                self.out.uncommitted = false;
                Ok(())
            }
            Err(error) => {
                self.out.store = None;
                self.out.bytes.clear();
                self.out.events.push_back(Event::StoreFailed(error));
                Err(Broken)
            }
        }
    }

    /// Tells those who wait for it that everything that was asked is answered and written, if it is.
    pub(super) fn flushed(&mut self, inbox: &Inbox) {
        if !self.flushes.is_empty() && self.client.is_idle() && !self.out.unflushed && inbox.is_empty() {
            for done in self.flushes.drain(..) {
                // It may have waited long enough.
                let _ = done.send(());
            }
        }
    }

    pub(super) fn takes_messages(&self) -> bool {
        self.client.takes_messages()
    }

    pub(super) fn takes_requests(&self) -> bool {
        self.client.takes_requests()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.client.next_deadline()
    }

    pub(super) const fn version(&self) -> Version {
        self.client.version()
    }

    pub(super) const fn clock(&self) -> Clock {
        self.clock
    }
}

impl Out {
    fn ticket(&mut self, reply: Reply) -> Ticket {
        let key = self.replies.insert(reply);
        Ticket(u64::try_from(key).unwrap_or(u64::MAX))
    }

    fn reply(&mut self, ticket: Ticket) -> Option<Reply> {
        usize::try_from(ticket.0)
            .ok()
            .and_then(|key| self.replies.try_remove(key))
    }

    fn answered(&mut self, ticket: Ticket, result: Result<Vec<ReasonCode>, Failure>) {
        if let Some(Reply::Request(reply)) = self.reply(ticket) {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(result);
        }
    }
}

impl Output for Out {
    fn send(&mut self, packet: PacketRef<'_>) {
        encode(self.version, packet, &mut self.bytes);
        self.unflushed = true;
    }

    /// The reason follows with [`proto::Event::Disconnected`].
    fn close(&mut self) {}

    fn authenticate(&mut self, asked: Authenticate) -> Result<Option<Binary>, Distrust> {
        self.exchanges.authenticate(asked)
    }

    fn event(&mut self, event: proto::Event) {
        let event = match event {
            proto::Event::Published { ticket, result } => {
                if let Some(Reply::Publish(reply)) = self.reply(ticket) {
                    let _ = reply.send(result);
                }
                return;
            }
            proto::Event::Subscribed { ticket, result } | proto::Event::Unsubscribed { ticket, result } => {
                return self.answered(ticket, result);
            }
            proto::Event::Reauthenticated { ticket, result } => {
                if let Some(Reply::Reauthenticate(reply)) = self.reply(ticket) {
                    let _ = reply.send(result);
                }
                return;
            }
            proto::Event::Connected {
                session_present,
                connack,
            } => {
                self.connected_at = Some(tokio::time::Instant::now());
                self.responses.connected(session_present, &connack);
                Event::Connected {
                    session_present,
                    connack,
                }
            }
            proto::Event::Disconnected(why) => {
                self.close = Some(why.clone());
                let error = self.error.take();
                Event::Disconnected { why, error }
            }
            proto::Event::Message {
                message,
                dup,
                receipt,
            } => {
                let answers = &self.answers;
                let acknowledgement = receipt.map(|receipt| Acknowledgement::new(receipt, answers.clone()));
                // A response is its request's; its acknowledgement is dropped here, and so accepts.
                let Some(message) = self.responses.take(message) else {
                    return;
                };
                Event::Message {
                    message,
                    dup,
                    acknowledgement,
                }
            }
            proto::Event::SubscriptionLost { filter, reason_code } => {
                Event::SubscriptionLost { filter, reason_code }
            }
        };
        self.events.push_back(event);
    }
    fn persist(&mut self, record: Record<'_>) {
        if let Some(store) = &mut self.store {
            store.append(&record);
            self.uncommitted |= store.blocks();
        }
    }
}
