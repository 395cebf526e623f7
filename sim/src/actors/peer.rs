use std::{future, io};

use bytes::Bytes;
use squall_node::{Connector, Stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

use crate::world::{HostConnector, HostRead, HostStream, HostWrite};

/// What a raw peer is told to do. It does nothing else: it acknowledges nothing and answers nothing by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PeerCommand {
    /// Opens a connection; one that is open is closed first.
    Connect,
    /// Sends these bytes as they are.
    Send(Bytes),
    /// Whether it takes what comes. What it does not take fills the receiver's buffers and then the sender's.
    Read(bool),
    /// Closes the connection: with an RST if something was left to read.
    Close,
}

/// A raw peer's process: carries out commands in order until there are no more.
///
/// # Errors
///
/// None: a command that cannot be carried out, because the connection is gone, does nothing. The trace shows what happened.
pub(crate) async fn peer(mut connector: HostConnector, mut commands: mpsc::UnboundedReceiver<PeerCommand>) {
    let mut connection: Option<Connection> = None;
    loop {
        let command = tokio::select! {
            biased;
            command = commands.recv() => command,
            ended = taken(&mut connection) => {
                if ended {
                    connection = None;
                }
                continue;
            }
        };
        match command {
            None => return,
            Some(PeerCommand::Connect) => {
                drop(connection.take());
                connection = connector.connect().await.ok().map(Connection::new);
            }
            Some(PeerCommand::Send(bytes)) => {
                if let Some(connection) = &mut connection {
                    // The trace shows that it broke.
                    _ = connection.send(&bytes).await;
                }
            }
            Some(PeerCommand::Read(reads)) => {
                if let Some(connection) = &mut connection {
                    connection.reads = reads;
                }
            }
            Some(PeerCommand::Close) => drop(connection.take()),
        }
    }
}

struct Connection {
    read: HostRead,
    write: HostWrite,
    reads: bool,
}

/// Takes what comes and forgets it. Says whether the other end has ended the connection; pends while there is nothing to take.
async fn taken(connection: &mut Option<Connection>) -> bool {
    match connection {
        Some(Connection { read, reads: true, .. }) => {
            let mut forgotten = [0; 4096];
            !matches!(read.read(&mut forgotten).await, Ok(1..))
        }
        Some(_) | None => future::pending().await,
    }
}

impl Connection {
    fn new(stream: HostStream) -> Self {
        let (read, write) = stream.split();
        Self { read, write, reads: true }
    }

    /// Sends while it reads on, if it reads: two sides that both only send would wait for each other.
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut forgotten = [0; 4096];
        let sending = self.write.write_all(bytes);
        tokio::pin!(sending);
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => return sent,
                read = self.read.read(&mut forgotten), if self.reads => {
                    if read? == 0 {
                        return sending.await;
                    }
                }
            }
        }
    }
}
