use std::collections::BTreeSet;

use rand::RngExt;
use squall_node::{
    Acceptor,
    broker::Server,
    tls::{SharedServerConfig, TlsAcceptor},
    ws::WsAcceptor,
};
use squall_proto::broker::Limits;

use super::{Administrator, Power};
use crate::{
    mutants::Mutator,
    world::{Host, HostAcceptor, Transport, generator, tls::server_config},
};

/// Our broker, on its host, which listens for each of these transports. It keeps what it knows in memory: after a crash it knows
/// nothing, unless the fault says that it is kept: then what a perfect store would give goes on.
pub(crate) async fn broker(
    host: Host,
    transports: BTreeSet<Transport>,
    limits: Limits,
    seed: u64,
    mutator: Option<Mutator>,
    power: Power,
    administrator: Administrator,
) {
    let mut chance = generator(seed, "broker");
    let mut last = None;
    loop {
        power.on().await;
        // What the last end left counts, and there may have been several.
        let server = match last.filter(|_| power.is_kept()) {
            Some(server) => revived(server),
            None => Server::new(limits.clone(), chance.random()),
        };
        administrator.of(Some(server.clone()));
        let ended = power
            .run(life(&server, host, &transports, mutator.as_ref(), &power))
            .await;
        administrator.of(None);
        if ended.is_some() {
            power.has_stopped(false);
        }
        last = Some(server);
    }
}

/// What the next process makes of all that the last one knew.
fn revived(server: Server) -> Server {
    server.revive();
    server
}

/// Serves until it is asked to stop, and then until it has told its clients.
async fn life(
    server: &Server,
    host: Host,
    transports: &BTreeSet<Transport>,
    mutator: Option<&Mutator>,
    power: &Power,
) {
    let serve = |transport| async move {
        if transports.contains(&transport) {
            serve(server, host, transport, mutator.cloned()).await;
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
    let stopping = async {
        power.stop().await;
        server.shutdown();
    };
    tokio::join!(biased; stopping, serving);
}

async fn serve(server: &Server, host: Host, transport: Transport, mutator: Option<Mutator>) {
    match listen(host, transport).await {
        Listener::Tcp(acceptor) => accept(server, acceptor, mutator).await,
        Listener::Tls(acceptor) => accept(server, acceptor, mutator).await,
        Listener::Ws(acceptor) => accept(server, acceptor, mutator).await,
        Listener::Wss(acceptor) => accept(server, acceptor, mutator).await,
    }
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
