//! A client of ours: the one that ships, told what to do by the steps of a scenario.

mod application;
mod life;
mod options;
mod process;
mod store;

pub(crate) use application::Published;
pub(crate) use options::Character;
pub(crate) use process::{ClientProcess, subscription};

use std::sync::Arc;

use squall_node::{
    Watched,
    client::{self, Message, Subscription, Unsubscription},
};
use tokio::sync::{mpsc, oneshot};

use crate::scenario::Session;

/// Tells a client what to do, and how it is.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    name: String,
    commands: mpsc::UnboundedSender<Command>,
    /// The client that ships.
    running: Arc<Watched<Running>>,
    owes: Arc<Watched<Owes>>,
}

/// What a step tells a client's process.
#[derive(Debug)]
enum Command {
    Connect {
        session: Option<Session>,
        done: oneshot::Sender<()>,
    },
    Disconnect {
        with_will: bool,
        done: oneshot::Sender<()>,
    },
}

/// Whether the client that ships runs on a host.
#[derive(Clone, Debug)]
enum Running {
    /// It is not started, or its process is dead.
    NotYet,
    Now(client::Client),
    /// What it has kept is damaged.
    Never,
}

/// What a client still has to do by itself, before a run may end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Owes {
    /// Nothing.
    #[default]
    Nothing,
    /// Nothing, and it says nothing more before a step has it connect again.
    NothingEver,
    /// To connect.
    Connection,
    /// To be answered so many SUBSCRIBE packets.
    Subscriptions(usize),
}

impl Client {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What it still has to do by itself.
    pub(crate) fn owes(&self) -> Owes {
        self.owes.get()
    }

    /// Connects. Over with CONNACK, or when the attempt has failed and the client makes no other.
    pub(crate) async fn connect(self, session: Option<Session>) {
        self.tell(|done| Command::Connect { session, done }).await;
    }

    /// Says DISCONNECT. Over when the connection is closed.
    pub(crate) async fn disconnect(self, with_will: bool) {
        self.tell(|done| Command::Disconnect { with_will, done }).await;
    }

    /// Puts a message of this step in the client's queue, once it runs.
    pub(crate) async fn publish(&self, step: usize, message: Message) -> Option<Published> {
        let payload = message.payload.clone();
        let publishing = self.running().await?.enqueue(message).await.ok()?;
        let client = self.name.clone();
        Some(Published::new(client, step, payload, publishing))
    }

    /// Subscribes. Over with SUBACK.
    pub(crate) async fn subscribe(self, subscription: Subscription) {
        if let Some(client) = self.running().await {
            // What SUBACK said is on the wire.
            _ = client.subscribe(subscription).await;
        }
    }

    /// Unsubscribes. Over with UNSUBACK.
    pub(crate) async fn unsubscribe(self, unsubscription: Unsubscription) {
        if let Some(client) = self.running().await {
            _ = client.unsubscribe(unsubscription).await;
        }
    }

    async fn tell(&self, command: impl FnOnce(oneshot::Sender<()>) -> Command) {
        let (done, is_done) = oneshot::channel();
        if self.commands.send(command(done)).is_ok() {
            // Dropped: it will not come to it.
            _ = is_done.await;
        }
    }

    /// As soon as it runs; `None`: it will not.
    async fn running(&self) -> Option<client::Client> {
        let known = self
            .running
            .wait_for(|running| !matches!(running, Running::NotYet));
        match known.await {
            Running::Now(client) => Some(client),
            Running::NotYet | Running::Never => None,
        }
    }
}
