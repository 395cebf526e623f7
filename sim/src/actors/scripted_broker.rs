//! A broker that does what its script says, so that clients can be the subject: by itself it is the smallest that is right, accepts
//! everybody, acknowledges everything and forwards nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use squall_node::{Acceptor, BoxedStream};
use squall_proto::{Packet, Version};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::{
    Power,
    broker::{Listener, listen},
    line::{Later, Line, Next, Saying},
    peer::{Order, Peer, PeerCommand},
    script::{Hearing, Script},
    usual::{self, Sessions},
};
use crate::{
    scenario::{How, Rule, Then},
    trace::{Side, WireId},
    world::{Host, Pausable, Transport, network},
};

/// The process of a scripted broker, through all its lives.
pub(crate) struct ScriptedBroker {
    host: Host,
    transports: BTreeSet<Transport>,
    script: Arc<Mutex<Script>>,
    /// How many connections it has had.
    connections: u32,
    later: Later,
    commands: mpsc::UnboundedReceiver<Order>,
    power: Power,
}

/// A connection that was accepted.
struct Accepted {
    stream: BoxedStream,
    wire: WireId,
    /// Who is at its other end.
    name: String,
}

/// One connection, on a task of its own.
struct Connection {
    line: Line,
    number: u32,
    version: Version,
    script: Arc<Mutex<Script>>,
    sessions: Arc<Mutex<Sessions>>,
}

/// The connections that are open, by their numbers: who is there, and how they are told what to do.
type Connections = BTreeMap<u32, (String, mpsc::UnboundedSender<Order>)>;

impl ScriptedBroker {
    /// The process, which does nothing until it runs, and the handle to it. It listens for each of these transports.
    pub(crate) fn new(
        name: &str,
        host: Host,
        transports: BTreeSet<Transport>,
        rules: &[Rule],
        seed: u64,
        power: Power,
    ) -> (Peer, Self) {
        let (peer, commands) = Peer::new(name);
        let process = Self {
            host,
            transports,
            script: Arc::new(Mutex::new(Script::new(name, rules, seed))),
            connections: 0,
            later: peer.later(),
            commands,
            power,
        };
        (peer, process)
    }

    /// Listens through all its lives, each of which knows nothing of the one before.
    pub(crate) async fn run(mut self) {
        let power = self.power.clone();
        while power.life(self.live()).await.is_continue() {}
    }

    async fn live(&mut self) {
        let sessions = Arc::new(Mutex::new(Sessions::default()));
        let (accepted, mut take_accepted) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        for transport in self.transports.clone() {
            tasks.spawn(accept_all(self.host, transport, accepted.clone()));
        }
        let mut connections = Connections::new();
        loop {
            tokio::select! {
                biased;
                order = self.commands.recv() => {
                    let Some((command, done)) = order else { return };
                    carry_out(&command, done, &mut connections, &mut tasks);
                }
                Some(Accepted { stream, wire, name }) = take_accepted.recv() => {
                    self.connections += 1;
                    let (tell, told) = mpsc::unbounded_channel();
                    connections.insert(self.connections, (name, tell));
                    let connection = Connection {
                        line: Line::new(stream, (wire, Side::Broker), None, self.later.clone()),
                        number: self.connections,
                        version: Version::V3_1_1,
                        script: Arc::clone(&self.script),
                        sessions: Arc::clone(&sessions),
                    };
                    tasks.spawn(Pausable::new(self.host.place(), connection.run(told)));
                }
            }
        }
    }
}

async fn accept_all(host: Host, transport: Transport, accepted: mpsc::UnboundedSender<Accepted>) {
    match listen(host, transport).await {
        Listener::Tcp(acceptor) => accept_each(acceptor, accepted).await,
        Listener::Tls(acceptor) => accept_each(acceptor, accepted).await,
        Listener::Ws(acceptor) => accept_each(acceptor, accepted).await,
        Listener::Wss(acceptor) => accept_each(acceptor, accepted).await,
    }
}

/// Accepts until nobody wants to know. Handshakes are made side by side.
async fn accept_each<A: Acceptor>(mut acceptor: A, accepted: mpsc::UnboundedSender<Accepted>) {
    let mut openings = JoinSet::new();
    while !accepted.is_closed() {
        let Ok((opening, from)) = acceptor.accept().await else {
            continue;
        };
        let address = from.0.parse().ok();
        let whose = address.and_then(|from| network::with(|network| network.accepted_from(from)));
        let Some((wire, name)) = whose else { continue };
        let accepted = accepted.clone();
        openings.spawn(async move {
            if let Ok(stream) = opening.await {
                let stream = BoxedStream::new(stream);
                _ = accepted.send(Accepted { stream, wire, name });
            }
        });
    }
}

/// Tells each connection that is meant; whoever waits is told when all have done it.
fn carry_out(
    command: &PeerCommand,
    done: oneshot::Sender<()>,
    connections: &mut Connections,
    tasks: &mut JoinSet<()>,
) {
    connections.retain(|_, (_, tell)| !tell.is_closed());
    let (PeerCommand::Send { to, .. } | PeerCommand::Shut { to, .. }) = command else {
        return;
    };
    let is_meant = |name: &String| to.as_ref().is_none_or(|to| to.contains(name));
    let mut waiting = Vec::new();
    for (_, tell) in connections.values().filter(|(name, _)| is_meant(name)) {
        let (each_done, is_done) = oneshot::channel();
        if tell.send((command.clone(), each_done)).is_ok() {
            waiting.push(is_done);
        }
    }
    tasks.spawn(async move {
        for is_done in waiting {
            _ = is_done.await;
        }
        _ = done.send(());
    });
}

impl Connection {
    async fn run(mut self, mut told: mpsc::UnboundedReceiver<Order>) {
        loop {
            tokio::select! {
                biased;
                Some((command, done)) = told.recv() => match command {
                    PeerCommand::Send { bytes, pieces, .. } => {
                        let done = Some(done);
                        self.line.say(Saying { bytes, pieces, done, ..Saying::default() });
                    }
                    PeerCommand::Shut { how: How::Rst, .. } => return self.line.reset(),
                    PeerCommand::Shut { how: How::Fin, .. } => return,
                    PeerCommand::Open => {}
                },
                next = self.line.next() => match next {
                    Next::Heard(packet) => self.heard(&packet),
                    Next::Then(Then::Silence) => self.line.fall_silent(),
                    Next::Then(Then::Rst) => return self.line.reset(),
                    Next::Then(Then::Fin) | Next::Over => return,
                },
            }
        }
    }

    fn heard(&mut self, packet: &Packet) {
        let mut session_present = false;
        if let Packet::Connect(connect) = packet {
            self.version = connect.version;
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            session_present = sessions.connect(connect);
        }
        if self.line.is_silent() {
            return;
        }
        let hearing = Hearing {
            connection: self.number,
            version: self.version,
            packet,
            session_present,
        };
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(saying) = script.answer(&hearing, usual::of_a_broker(packet)) {
            self.line.say(saying);
        }
    }
}
