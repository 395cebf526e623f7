use std::{collections::VecDeque, io, time::Duration};

use bytes::BytesMut;
use slab::Slab;
use squall_proto::{
    Binary, Instant, PacketRef, ReasonCode, Version,
    client::{
        self as proto, Authenticate, Distrust, Failure, Input, Misuse, NotReauthenticated, Output, Ticket,
        Why,
    },
    encode,
};
use tokio::sync::{mpsc, oneshot};

use super::{
    Acknowledgement, Event,
    acknowledgement::Answer,
    authentication::{Exchange, Exchanges},
    inbox::{Asked, Publish, Request},
};
use crate::clock::Clock;

/// The state machine, with its clock and what it puts out.
#[derive(Debug)]
pub(super) struct Machine {
    client: proto::Client,
    clock: Clock,
    pub(super) out: Out,
}

/// What the state machine puts out, until somebody writes, tells or closes.
#[derive(Debug)]
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
}

/// Who waits for an answer.
#[derive(Debug)]
enum Reply {
    Publish(oneshot::Sender<Result<ReasonCode, Failure>>),
    Request(oneshot::Sender<Result<Vec<ReasonCode>, Failure>>),
    Reauthenticate(oneshot::Sender<Result<(), NotReauthenticated>>),
}

impl Machine {
    pub(super) fn new(
        mut options: proto::Options,
        clock: Clock,
        answers: mpsc::UnboundedSender<Answer>,
    ) -> Result<Self, Misuse> {
        // An event is not the application's yet when it is put out here.
        options.acknowledge = proto::Acknowledge::Manual;
        let client = proto::Client::new(options)?;
        let out = Out {
            version: client.version(),
            bytes: BytesMut::new(),
            unflushed: false,
            close: None,
            connected_at: None,
            events: VecDeque::new(),
            error: None,
            replies: Slab::new(),
            answers,
            exchanges: Exchanges::default(),
        };
        Ok(Self { client, clock, out })
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
            Asked::Answer((receipt, verdict)) => Input::Acknowledge(receipt, verdict),
            Asked::Stop(reason_code) => Input::Disconnect(reason_code),
        };
        self.handle(input);
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
            } => Event::Message {
                message,
                dup,
                acknowledgement: receipt.map(|receipt| Acknowledgement::new(receipt, self.answers.clone())),
            },
            proto::Event::SubscriptionLost { filter, reason_code } => {
                Event::SubscriptionLost { filter, reason_code }
            }
        };
        self.events.push_back(event);
    }
}
