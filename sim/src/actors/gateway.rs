//! The broker's host where the broker is a process of the machine: each connection goes on as one to that process, byte by byte.

use std::{pin::pin, sync::Arc, time::Duration};

use squall_node::{Acceptor, Stream};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::oneshot,
    task::JoinSet,
    time::timeout,
};

use super::Power;
use crate::{
    target::RealBroker,
    world::{Host, HostAcceptor, HostStream, Pausable, Transport, network},
};

/// The host of a process, through all its lives, of which the first has begun. `broke` is told why it is of no use any more.
pub(crate) struct Gateway {
    pub(crate) host: Host,
    pub(crate) broker: Arc<dyn RealBroker>,
    pub(crate) power: Power,
    pub(crate) broke: oneshot::Sender<Broke>,
}

/// Why a run cannot go on.
#[derive(Clone, Debug)]
pub(crate) enum Broke {
    /// The process did not start.
    NotStarted(String),
    /// It ended by itself.
    Ended(String),
}

/// How a connection came to no orderly end.
enum Broken {
    Reading,
    Writing,
}

/// For what a process that has ended said last.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// What is taken from one end before the other has taken it.
const BUFFER: usize = 16 * 1024;

impl Gateway {
    /// Serves until the process is of no use any more.
    pub(crate) async fn run(self) {
        let mut runs = true;
        loop {
            self.power.on().await;
            let has_begun = std::mem::take(&mut runs);
            match self.power.run(self.life(has_begun)).await {
                Some(Ok(())) => self.power.has_stopped(self.broker.keeps()),
                Some(Err(broke)) => {
                    // Who no longer waits has ended the run.
                    _ = self.broke.send(broke);
                    return;
                }
                None => {}
            }
        }
    }

    /// Until it has been asked to stop and has done so.
    async fn life(&self, has_begun: bool) -> Result<(), Broke> {
        // Who connects while the process begins waits for it, as with a host that listens for its services.
        let mut acceptor = Some(self.listen().await);
        if !has_begun {
            self.broker.start().await.map_err(Broke::NotStarted)?;
        }
        let mut ended = pin!(self.broker.ended());
        let mut pipes = JoinSet::new();
        let how = loop {
            tokio::select! {
                biased;
                how = &mut ended => break how,
                () = self.power.stop(), if acceptor.is_some() => {
                    acceptor = None;
                    self.broker.terminate();
                }
                stream = accept(&mut acceptor) => {
                    let broker = Arc::clone(&self.broker);
                    pipes.spawn(Pausable::new(self.host.place(), pipe(stream, broker)));
                }
                Some(_) = pipes.join_next() => {}
            }
        };
        if acceptor.is_some() {
            return Err(Broke::Ended(how));
        }
        _ = timeout(LAST_WORDS, pipes.join_all()).await;
        Ok(())
    }

    async fn listen(&self) -> HostAcceptor {
        let listening = self.host.listen(Transport::Tcp.port()).await;
        listening.expect("nobody else listens on the broker's host")
    }
}

async fn accept(acceptor: &mut Option<HostAcceptor>) -> HostStream {
    while let Some(acceptor) = acceptor {
        if let Ok((opening, _)) = acceptor.accept().await
            && let Ok(stream) = opening.await
        {
            return stream;
        }
    }
    std::future::pending().await
}

/// Carries what each end says to the other. A client's end is passed on as an orderly one however it came: a reset could destroy what the
/// process has not read yet, and in the world it has arrived.
async fn pipe(stream: HostStream, broker: Arc<dyn RealBroker>) {
    let (wire, side) = stream.end();
    let reset = || network::with(|network| network.reset_side(wire, side));
    let Ok(real) = broker.connect().await else {
        return reset();
    };
    let ((from_client, to_client), (from_broker, to_broker)) = (stream.split(), real.split());
    let mut up = pin!(carry(from_client, to_broker));
    let mut down = pin!(carry(from_broker, to_client));
    let (mut is_up, mut is_down) = (true, true);
    loop {
        tokio::select! {
            biased;
            ended = &mut down, if is_down => match ended {
                Ok(()) => is_down = false,
                Err(Broken::Reading) => return reset(),
                Err(Broken::Writing) => return,
            },
            ended = &mut up, if is_up => match ended {
                Err(Broken::Reading) => return,
                // What the process had still to say comes the other way.
                Ok(()) | Err(Broken::Writing) => is_up = false,
            },
            else => return,
        }
    }
}

/// Reads no more than what the other end has taken.
async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> Result<(), Broken> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from.read(&mut buffer).await.map_err(|_| Broken::Reading)?;
        let said = buffer.get(..read).unwrap_or_default();
        if said.is_empty() {
            return to.shutdown().await.map_err(|_| Broken::Writing);
        }
        to.write_all(said).await.map_err(|_| Broken::Writing)?;
        to.flush().await.map_err(|_| Broken::Writing)?;
    }
}
