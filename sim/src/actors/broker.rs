mod store;

use std::{collections::BTreeSet, future::pending, pin::pin, sync::Arc, time::Duration};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use squall_node::{
    Acceptor,
    broker::{Server, Store, StoreError},
    tls::{SharedServerConfig, TlsAcceptor},
    ws::WsAcceptor,
};
use squall_proto::broker::Limits;
use tokio::time::sleep;

use self::store::DiskStore;
pub(crate) use self::store::stored;
use super::{Administrator, Power};
use crate::{
    model::BROKER,
    mutants::{MutatedStore, Mutator},
    trace::{Told, What},
    world::{Host, HostAcceptor, Transport, disk::Disk, generator, network, tls::server_config},
};

/// Our broker, on its host.
pub(crate) struct Broker {
    pub(crate) host: Host,
    /// It listens for each of these.
    pub(crate) transports: BTreeSet<Transport>,
    pub(crate) limits: Limits,
    pub(crate) seed: u64,
    /// Where it keeps what outlives its process. Without, it has what it knows in memory: after a crash it knows nothing, unless the fault
    /// says that it is kept: then what a perfect store would give goes on.
    pub(crate) disk: Option<Disk>,
    pub(crate) mutator: Option<Mutator>,
    pub(crate) power: Power,
    pub(crate) administrator: Administrator,
}

/// How long whoever watches over a process waits before it starts one again that has failed.
const STARTS_AGAIN: Duration = Duration::from_secs(1);

impl Broker {
    /// Serves, and again after each crash.
    pub(crate) async fn run(self) {
        let mut chance = generator(self.seed, "broker");
        let mut last = None;
        loop {
            self.power.on().await;
            let ended = self.power.run(self.process(&mut last, &mut chance)).await;
            self.administrator.of(None);
            if ended.is_some() {
                self.power.has_stopped(self.disk.is_some());
            }
        }
    }

    /// Until it is asked to stop: one process, or several if they fail.
    async fn process(&self, last: &mut Option<Server>, chance: &mut Pcg64Mcg) {
        loop {
            let error = match self.start(last.take(), chance.random()).await {
                Ok(server) => {
                    *last = Some(server.clone());
                    self.administrator.of(Some(server.clone()));
                    self.live(&server).await;
                    self.administrator.of(None);
                    match server.failure().filter(|error| !error.may_pass()) {
                        Some(error) => error,
                        None => return,
                    }
                }
                Err(error) => Arc::new(error),
            };
            tell(&error);
            // What is damaged stays so.
            let again = async {
                if matches!(*error, StoreError::Damaged { .. }) {
                    pending::<()>().await;
                }
                sleep(STARTS_AGAIN).await;
            };
            tokio::select! {
                biased;
                () = self.power.stop() => return,
                () = again => {}
            }
        }
    }

    /// The next process, after the last one.
    async fn start(&self, last: Option<Server>, seed: u64) -> Result<Server, StoreError> {
        if let Some(disk) = &self.disk {
            let store = DiskStore::open(disk, self.mutator.clone())?;
            let server = match self.mutator.clone() {
                None => self.restored(store, seed),
                Some(mutator) => self.restored(MutatedStore::new(store, mutator), seed),
            }?;
            // It has mended what the last process left half done.
            disk.synced().await;
            return Ok(server);
        }
        // What the last end left counts, and there may have been several.
        Ok(match last.filter(|_| self.power.is_kept()) {
            Some(server) => {
                server.revive();
                server
            }
            None => Server::new(self.limits.clone(), seed),
        })
    }

    fn restored(&self, store: impl Store, seed: u64) -> Result<Server, StoreError> {
        Server::restored(self.limits.clone(), seed, None, store, self.host.wall_clock())
    }

    /// Serves until it is asked to stop, and then until it has told its clients; or until its store fails.
    async fn live(&self, server: &Server) {
        let serve = |transport| async move {
            if self.transports.contains(&transport) {
                self.serve(server, transport).await;
            }
        };
        let serving = async {
            tokio::join!(
                biased;
                serve(Transport::Tcp),
                serve(Transport::Tls),
                serve(Transport::Ws),
                serve(Transport::Wss),
            );
        };
        let mut serving = pin!(serving);
        tokio::select! {
            biased;
            () = self.power.stop() => server.shutdown(),
            () = &mut serving => return,
        }
        serving.await;
    }

    async fn serve(&self, server: &Server, transport: Transport) {
        let mutator = self.mutator.clone();
        match listen(self.host, transport).await {
            Listener::Tcp(acceptor) => accept(server, acceptor, mutator).await,
            Listener::Tls(acceptor) => accept(server, acceptor, mutator).await,
            Listener::Ws(acceptor) => accept(server, acceptor, mutator).await,
            Listener::Wss(acceptor) => accept(server, acceptor, mutator).await,
        }
    }
}

/// Its log, as far as a trace has it.
fn tell(error: &StoreError) {
    let (client, why) = (BROKER.to_owned(), error.to_string());
    let told = Told::StoreFailed { why };
    network::with(|network| network.note(What::Application { client, told }));
}

async fn accept(server: &Server, acceptor: impl Acceptor, mutator: Option<Mutator>) {
    match mutator {
        None => server.serve(acceptor).await,
        Some(mutator) => server.serve(mutator.acceptor(acceptor)).await,
    }
}

/// Accepts connections of one transport.
pub(super) enum Listener {
    Tcp(HostAcceptor),
    Tls(TlsAcceptor<HostAcceptor>),
    Ws(WsAcceptor<HostAcceptor>),
    Wss(WsAcceptor<TlsAcceptor<HostAcceptor>>),
}

/// Listens for a transport on its port of a broker's host.
pub(super) async fn listen(host: Host, transport: Transport) -> Listener {
    let acceptor = host
        .listen(transport.port())
        .await
        .expect("nobody else listens on the broker's host");
    let over_tls = |below| TlsAcceptor::new(below, SharedServerConfig::new(server_config(host)));
    match transport {
        Transport::Tcp => Listener::Tcp(acceptor),
        Transport::Tls => Listener::Tls(over_tls(acceptor)),
        Transport::Ws => Listener::Ws(WsAcceptor::new(acceptor, None)),
        Transport::Wss => Listener::Wss(WsAcceptor::new(over_tls(acceptor), None)),
    }
}
