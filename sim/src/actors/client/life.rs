use std::ops::ControlFlow;

use squall_node::client::{self, Subscription};
use squall_proto::{Disconnect, ReasonCode};
use tokio::{sync::oneshot, task::JoinSet};

use super::{Command, Owes, process::Start};
use crate::{
    actors::connector::Gate,
    scenario::{Reconnect, Session},
};

/// One client that ships.
pub(super) struct Life {
    pub(super) client: client::Client,
    pub(super) gate: Gate,
    pub(super) session: Session,
    /// Whether it is to have a connection.
    pub(super) wanted: bool,
    pub(super) connected: bool,
    /// Whether it has subscribed to what the scenario says; from then on it does so by itself when it must.
    pub(super) subscribed: bool,
    /// Who waits for CONNACK.
    pub(super) waiting: Vec<oneshot::Sender<()>>,
    /// Who waits for the end.
    pub(super) stopped: Vec<oneshot::Sender<()>>,
    pub(super) subscribing: JoinSet<()>,
    pub(super) stopping: JoinSet<()>,
    /// What is to follow its end.
    pub(super) next: Option<Start>,
    /// Records cannot be kept any more.
    pub(super) store_failed: bool,
}

impl Life {
    /// The client has just been started with this session. `done` waits for its CONNACK.
    pub(super) fn new(
        client: client::Client,
        gate: Gate,
        session: Session,
        done: Option<oneshot::Sender<()>>,
    ) -> Self {
        Self {
            client,
            gate,
            session,
            wanted: true,
            connected: false,
            subscribed: false,
            waiting: done.into_iter().collect(),
            stopped: Vec::new(),
            subscribing: JoinSet::new(),
            stopping: JoinSet::new(),
            next: None,
            store_failed: false,
        }
    }

    pub(super) fn owes(&self) -> Owes {
        if !self.wanted && !self.connected {
            Owes::NothingEver
        } else if !self.connected {
            Owes::Connection
        } else if self.subscribing.is_empty() {
            Owes::Nothing
        } else {
            Owes::Subscriptions(self.subscribing.len())
        }
    }

    pub(super) fn lost(&mut self, reconnect: &Reconnect) {
        self.connected = false;
        if let Reconnect::Never = reconnect {
            self.wanted = false;
            self.waiting.clear();
        }
    }

    pub(super) fn told(&mut self, command: Command) -> ControlFlow<Start> {
        match command {
            Command::Connect { session, done } if !self.stopping.is_empty() => {
                self.next = Some(Start {
                    session: session.unwrap_or(self.session),
                    done: Some(done),
                });
            }
            Command::Connect {
                session: Some(session),
                done,
            } if session != self.session => {
                return ControlFlow::Break(Start {
                    session,
                    done: Some(done),
                });
            }
            Command::Connect { done, .. } => {
                if self.connected {
                    _ = done.send(());
                } else {
                    if !self.wanted {
                        self.gate.permit();
                    }
                    self.wanted = true;
                    self.waiting.push(done);
                }
            }
            Command::Disconnect { with_will, done } => {
                self.next = None;
                self.stop(with_will, Some(done));
            }
        }
        ControlFlow::Continue(())
    }

    /// Says DISCONNECT and ends. `done` waits for that.
    pub(super) fn stop(&mut self, with_will: bool, done: Option<oneshot::Sender<()>>) {
        let reason_code = if with_will {
            ReasonCode::DisconnectWithWillMessage
        } else {
            ReasonCode::Success
        };
        let client = self.client.clone();
        self.wanted = false;
        self.stopped.extend(done);
        self.stopping.spawn(async move {
            let disconnect = Disconnect::of(reason_code);
            client
                .disconnect_with(disconnect)
                .await
                .expect("a reason code of DISCONNECT");
        });
    }

    pub(super) fn subscribe(&mut self, subscription: Subscription) {
        if subscription.filters.is_empty() {
            return;
        }
        let client = self.client.clone();
        self.subscribing.spawn(async move {
            // What SUBACK said is on the wire.
            _ = client.subscribe(subscription).await;
        });
    }
}
