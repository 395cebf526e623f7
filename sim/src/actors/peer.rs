use std::{future, io, time::Duration};

use bytes::Bytes;
use squall_node::{BoxedStream, Connector};
use squall_proto::{Packet, Version};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};

use super::{
    Power,
    line::{Later, Line, Next, Saying},
    script::{Hearing, Script},
    usual,
};
use crate::{
    scenario::{self, How, Pieces, Then},
    world::HostConnector,
};

/// Tells a raw peer or a scripted broker what to do.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    name: String,
    commands: mpsc::UnboundedSender<Order>,
    later: Later,
}

/// A command, and whoever waits until it is done.
pub(super) type Order = (PeerCommand, oneshot::Sender<()>);

/// What it is told to do. Without connection there is nothing to send or close; the trace shows what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PeerCommand {
    /// Opens a connection; one that is open is closed first.
    Open,
    /// Sends these bytes as they are.
    Send {
        /// What.
        bytes: Bytes,
        /// How much at a time.
        pieces: Option<Pieces>,
        /// The hosts that a scripted broker sends it to; `None`: everybody.
        to: Option<Vec<String>>,
    },
    /// Closes the connection.
    Shut {
        /// How.
        how: How,
        /// The hosts whose connections a scripted broker closes; `None`: all.
        to: Option<Vec<String>>,
    },
}

/// The process of a raw peer, through all its lives.
pub(crate) struct PeerProcess {
    connector: HostConnector,
    version: Version,
    acknowledges: bool,
    pings: Option<Duration>,
    script: Script,
    /// How many connections it has had.
    connections: u32,
    later: Later,
    commands: mpsc::UnboundedReceiver<Order>,
    power: Power,
}

/// The connection that a peer has.
struct Open {
    line: Line,
    next_ping: Option<Instant>,
}

impl Peer {
    pub(super) fn new(name: &str) -> (Self, mpsc::UnboundedReceiver<Order>) {
        let (commands, take_commands) = mpsc::unbounded_channel();
        let peer = Self {
            name: name.to_owned(),
            commands,
            later: Later::default(),
        };
        (peer, take_commands)
    }

    /// What it has still to say, because its script says so.
    pub(super) fn later(&self) -> Later {
        self.later.clone()
    }

    /// Whether it has still something to say, because its script says so.
    pub(crate) fn has_more_to_say(&self) -> bool {
        self.later.is_some()
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Over when it is done, or cannot be.
    pub(crate) async fn tell(&self, command: PeerCommand) {
        let (done, is_done) = oneshot::channel();
        if self.commands.send((command, done)).is_ok() {
            _ = is_done.await;
        }
    }
}

impl PeerProcess {
    /// The process, which does nothing until it runs, and the handle to it.
    pub(crate) fn new(
        name: &str,
        spec: &scenario::Peer,
        connector: HostConnector,
        version: Version,
        seed: u64,
        power: Power,
    ) -> (Peer, Self) {
        let (peer, commands) = Peer::new(name);
        let process = Self {
            connector,
            version,
            acknowledges: spec.acknowledges,
            pings: spec.pings.map(|pings| pings.duration()),
            script: Script::new(name, &spec.script, seed),
            connections: 0,
            later: peer.later(),
            commands,
            power,
        };
        (peer, process)
    }

    /// Carries out commands in order, through all its lives, until there are no more.
    pub(crate) async fn run(mut self) {
        let power = self.power.clone();
        while power.life(self.live()).await.is_continue() {}
    }

    async fn live(&mut self) {
        let mut open: Option<Open> = None;
        loop {
            let ping_at = open.as_ref().and_then(|open| open.next_ping);
            tokio::select! {
                biased;
                order = self.commands.recv() => {
                    let Some((command, done)) = order else { return };
                    self.carry_out(command, done, &mut open).await;
                }
                next = next(&mut open) => self.happened(next, &mut open),
                () = sleep_until(ping_at.unwrap_or_else(Instant::now)), if ping_at.is_some() => self.ping(&mut open),
            }
        }
    }

    async fn carry_out(&mut self, command: PeerCommand, done: oneshot::Sender<()>, open: &mut Option<Open>) {
        match command {
            PeerCommand::Open => {
                drop(open.take());
                *open = self.open().await.ok();
            }
            PeerCommand::Send { bytes, pieces, .. } => {
                let Some(open) = open else { return };
                return open.line.say(Saying {
                    bytes,
                    pieces,
                    done: Some(done),
                    ..Saying::default()
                });
            }
            PeerCommand::Shut { how: How::Fin, .. } => drop(open.take()),
            PeerCommand::Shut { how: How::Rst, .. } => {
                if let Some(open) = open.take() {
                    open.line.reset();
                }
            }
        }
        _ = done.send(());
    }

    async fn open(&mut self) -> io::Result<Open> {
        let stream = timeout(CONNECT_TIMEOUT, self.connector.connect()).await??;
        self.connections += 1;
        let end = stream.end();
        Ok(Open {
            line: Line::new(
                BoxedStream::new(stream),
                end,
                Some(self.version),
                self.later.clone(),
            ),
            next_ping: self.pings.map(|every| Instant::now() + every),
        })
    }

    fn happened(&mut self, next: Next, open: &mut Option<Open>) {
        match next {
            Next::Heard(packet) => {
                if let Some(open) = open
                    && let Some(saying) = self.answer(&packet, &open.line)
                {
                    open.line.say(saying);
                }
            }
            Next::Then(Then::Silence) => {
                if let Some(open) = open {
                    open.line.fall_silent();
                }
            }
            Next::Then(Then::Rst) => {
                if let Some(open) = open.take() {
                    open.line.reset();
                }
            }
            Next::Then(Then::Fin) | Next::Over => *open = None,
        }
    }

    fn answer(&mut self, packet: &Packet, line: &Line) -> Option<Saying> {
        if line.is_silent() {
            return None;
        }
        let hearing = Hearing {
            connection: self.connections,
            version: self.version,
            packet,
            session_present: false,
        };
        let usual = self.acknowledges.then(|| usual::acknowledgement(packet));
        self.script.answer(&hearing, usual.flatten())
    }

    fn ping(&self, open: &mut Option<Open>) {
        if let Some(open) = open {
            open.next_ping = self.pings.map(|every| Instant::now() + every);
            open.line.say(Saying {
                bytes: Bytes::from_static(&PINGREQ),
                ..Saying::default()
            });
        }
    }
}

const PINGREQ: [u8; 2] = [0xc0, 0x00];

/// How long it waits for a connection, as a client of ours does.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

async fn next(open: &mut Option<Open>) -> Next {
    match open {
        Some(open) => open.line.next().await,
        None => future::pending().await,
    }
}
