use std::{future, io};

use bytes::{Bytes, BytesMut};
use squall_node::{Connector, Stream};
use squall_proto::{Ack, Decoder, Delivery, Packet, Version, encode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{mpsc, oneshot},
};

use super::Power;
use crate::{
    scenario::How,
    world::{HostConnector, HostRead, HostStream, HostWrite},
};

/// Tells a raw peer what to do.
#[derive(Clone, Debug)]
pub(crate) struct Peer(mpsc::UnboundedSender<(PeerCommand, oneshot::Sender<()>)>);

/// What a raw peer is told to do. Without connection there is nothing to send or close; the trace shows what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PeerCommand {
    /// Opens a connection; one that is open is closed first.
    Open,
    /// Sends these bytes as they are.
    Send(Bytes),
    /// Closes the connection.
    Shut(How),
}

/// The process of a raw peer, through all its lives.
pub(crate) struct PeerProcess {
    connector: HostConnector,
    version: Version,
    /// Whether it answers PUBLISH, PUBREC and PUBREL.
    acknowledges: bool,
    commands: mpsc::UnboundedReceiver<(PeerCommand, oneshot::Sender<()>)>,
    power: Power,
}

struct Connection {
    read: HostRead,
    write: HostWrite,
    decoder: Decoder,
    input: BytesMut,
}

impl Peer {
    /// Over when it is done, or cannot be.
    pub(crate) async fn tell(&self, command: PeerCommand) {
        let (done, is_done) = oneshot::channel();
        if self.0.send((command, done)).is_ok() {
            _ = is_done.await;
        }
    }
}

impl PeerProcess {
    /// The process, which does nothing until it runs, and the handle to it.
    pub(crate) fn new(
        connector: HostConnector,
        version: Version,
        acknowledges: bool,
        power: Power,
    ) -> (Peer, Self) {
        let (commands, take_commands) = mpsc::unbounded_channel();
        let process = Self {
            connector,
            version,
            acknowledges,
            commands: take_commands,
            power,
        };
        (Peer(commands), process)
    }

    /// Carries out commands in order, through all its lives, until there are no more.
    pub(crate) async fn run(mut self) {
        let power = self.power.clone();
        loop {
            power.on().await;
            if power.run(self.live()).await.is_some() {
                return;
            }
        }
    }

    async fn live(&mut self) {
        let mut connection: Option<Connection> = None;
        loop {
            let command = tokio::select! {
                biased;
                command = self.commands.recv() => command,
                alive = hear(&mut connection, self.acknowledges, self.version) => {
                    if !alive {
                        connection = None;
                    }
                    continue;
                }
            };
            let Some((command, done)) = command else { return };
            self.carry_out(command, &mut connection).await;
            _ = done.send(());
        }
    }

    async fn carry_out(&mut self, command: PeerCommand, connection: &mut Option<Connection>) {
        match command {
            PeerCommand::Open => {
                drop(connection.take());
                *connection = self
                    .connector
                    .connect()
                    .await
                    .ok()
                    .map(|stream| self.opened(stream));
            }
            PeerCommand::Send(bytes) => {
                if let Some(connection) = connection {
                    _ = connection.send(&bytes).await;
                }
            }
            PeerCommand::Shut(How::Fin) => drop(connection.take()),
            PeerCommand::Shut(How::Rst) => {
                if let Some(connection) = connection.take() {
                    connection.write.reset();
                }
            }
        }
    }

    fn opened(&self, stream: HostStream) -> Connection {
        let (read, write) = stream.split();
        Connection {
            read,
            write,
            decoder: Decoder::with_version(self.version, u32::MAX),
            input: BytesMut::new(),
        }
    }
}

/// Takes what comes, and answers it if the peer does. `false`: the connection is over. Pends while there is nothing to take.
async fn hear(connection: &mut Option<Connection>, acknowledges: bool, version: Version) -> bool {
    let Some(connection) = connection else {
        return future::pending().await;
    };
    match connection.read.read_buf(&mut connection.input).await {
        Ok(1..) if acknowledges => connection.answer(version).await.is_ok(),
        Ok(1..) => {
            connection.input.clear();
            true
        }
        Ok(0) | Err(_) => false,
    }
}

impl Connection {
    async fn answer(&mut self, version: Version) -> io::Result<()> {
        // What is no packet is the broker's fault, and the checks' affair.
        while let Ok(Some(packet)) = self.decoder.decode(&mut self.input) {
            if let Some(answer) = answer_to(&packet) {
                let mut bytes = BytesMut::new();
                encode(version, (&answer).into(), &mut bytes);
                self.write.write_all(&bytes).await?;
            }
        }
        Ok(())
    }

    /// Sends while it takes what comes: two sides that both only send would wait for each other.
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sending = self.write.write_all(bytes);
        tokio::pin!(sending);
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => return sent,
                read = self.read.read_buf(&mut self.input) => {
                    if read? == 0 {
                        return sending.await;
                    }
                }
            }
        }
    }
}

fn answer_to(packet: &Packet) -> Option<Packet> {
    match packet {
        Packet::Publish(publish) => match publish.delivery {
            Delivery::AtMostOnce => None,
            Delivery::AtLeastOnce(id) => Some(Packet::Puback(Ack::success(id))),
            Delivery::ExactlyOnce(id) => Some(Packet::Pubrec(Ack::success(id))),
        },
        Packet::Pubrec(ack) => Some(Packet::Pubrel(Ack::success(ack.packet_id))),
        Packet::Pubrel(ack) => Some(Packet::Pubcomp(Ack::success(ack.packet_id))),
        Packet::Connect(_)
        | Packet::Connack(_)
        | Packet::Puback(_)
        | Packet::Pubcomp(_)
        | Packet::Subscribe(_)
        | Packet::Suback(_)
        | Packet::Unsubscribe(_)
        | Packet::Unsuback(_)
        | Packet::Pingreq
        | Packet::Pingresp
        | Packet::Disconnect(_)
        | Packet::Auth(_) => None,
    }
}
