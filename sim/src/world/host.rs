use std::{
    future::{Future, Ready, ready},
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use squall_node::{Acceptor, Connector, Peer};
use tokio::time::{sleep, timeout};
use turmoil_net::{
    HostId,
    shim::tokio::net::{TcpListener, TcpStream},
};

use super::{
    network,
    pause::Pausable,
    socket::{HostStream, on_host},
};

/// A machine of the world, with a TCP stack of its own.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    id: HostId,
    place: usize,
}

/// Accepts connections on a host.
pub struct HostAcceptor {
    host: HostId,
    place: usize,
    /// Taken only on drop.
    listener: Option<TcpListener>,
}

/// Makes connections from a host to one name and port.
#[derive(Clone, Debug)]
pub struct HostConnector {
    host: HostId,
    to: String,
}

/// How often it is tried again to listen where a process that has ended did: its tasks end, what they left is forgotten, and the kernel
/// gives the port back.
const BIND_ATTEMPTS: u32 = 3;

/// How long Linux sends SYN again before it gives up (`tcp_syn_retries` = 6).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(127);

impl Host {
    pub(super) const fn new(id: HostId, place: usize) -> Self {
        Self { id, place }
    }

    /// Its place among the hosts of the world.
    pub(crate) const fn place(self) -> usize {
        self.place
    }

    /// What its wall clock shows: the time since the beginning of 1970.
    pub(crate) fn wall_clock(self) -> Duration {
        network::with(|network| network.wall_clock(self.place))
    }

    /// Listens on a port, on every address of the host.
    ///
    /// # Errors
    ///
    /// When something listens there already.
    pub async fn listen(self, port: u16) -> io::Result<HostAcceptor> {
        let listener = self.bind(port).await?;
        Ok(HostAcceptor {
            host: self.id,
            place: self.place,
            listener: Some(listener),
        })
    }

    /// As with `SO_REUSEADDR`: what the process before has left in its kernel is in nobody's way. Its tasks may still be at their end.
    async fn bind(self, port: u16) -> io::Result<TcpListener> {
        let mut attempts = 0;
        loop {
            on_host(self.id);
            match TcpListener::bind(("0.0.0.0", port)).await {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempts < BIND_ATTEMPTS => {
                    attempts += 1;
                    network::with(|network| network.forget_closed(self.place));
                    sleep(Duration::from_millis(1)).await;
                }
                bound => return bound,
            }
        }
    }

    /// Connects to `to`, a host and a port: `broker:1883`.
    pub fn connector(self, to: &str) -> HostConnector {
        HostConnector {
            host: self.id,
            to: to.to_owned(),
        }
    }
}

impl Acceptor for HostAcceptor {
    type Stream = HostStream;
    type Opening = Ready<io::Result<HostStream>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, Peer)> {
        let listener = self.listener.as_ref().expect("taken only on drop");
        let (stream, from) = OnHost::new(self.host, listener.accept()).await?;
        let stream = HostStream::new(self.host, stream)?;
        Ok((ready(Ok(stream)), Peer(from.to_string())))
    }

    fn task<T: Future<Output = ()> + Send + 'static>(
        &self,
        serve: T,
    ) -> impl Future<Output = ()> + Send + 'static {
        Pausable::new(self.place, serve)
    }
}

impl Connector for HostConnector {
    type Stream = HostStream;

    async fn connect(&mut self) -> io::Result<HostStream> {
        let connecting = OnHost::new(self.host, TcpStream::connect(self.to.as_str()));
        let stream = timeout(CONNECT_TIMEOUT, connecting).await??;
        HostStream::new(self.host, stream)
    }
}

impl Drop for HostAcceptor {
    fn drop(&mut self) {
        on_host(self.host);
        self.listener.take();
    }
}

/// A future of the kernel that is polled, and dropped, on its host.
struct OnHost<F> {
    host: HostId,
    /// Taken only on drop.
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> OnHost<F> {
    fn new(host: HostId, future: F) -> Self {
        Self {
            host,
            future: Some(Box::pin(future)),
        }
    }
}

impl<F: Future> Future for OnHost<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        on_host(self.host);
        self.future
            .as_mut()
            .expect("taken only on drop")
            .as_mut()
            .poll(cx)
    }
}

impl<F> Drop for OnHost<F> {
    fn drop(&mut self) {
        on_host(self.host);
        self.future.take();
    }
}
