use std::collections::BTreeSet;

use rand::RngExt;
use squall_node::{
    Acceptor,
    broker::Server,
    tls::{SharedServerConfig, TlsAcceptor},
    ws::WsAcceptor,
};
use squall_proto::broker::Limits;

use super::Power;
use crate::{
    mutants::Mutator,
    world::{Host, HostAcceptor, Transport, generator, tls::server_config},
};

/// Our broker, on its host, which listens for each of these transports. It keeps what it knows in memory: after a crash it knows
/// nothing.
pub(crate) async fn broker(
    host: Host,
    transports: BTreeSet<Transport>,
    limits: Limits,
    seed: u64,
    mutator: Option<Mutator>,
    power: Power,
) {
    let mut chance = generator(seed, "broker");
    loop {
        power.on().await;
        let server = Server::new(limits.clone(), chance.random());
        let serve = |transport| {
            let server = &server;
            let mutator = mutator.clone();
            let wanted = transports.contains(&transport);
            async move {
                if wanted {
                    serve(server, host, transport, mutator).await;
                }
            }
        };
        let serving = async {
            tokio::join!(
                biased;
                serve(Transport::Tcp),
                serve(Transport::Tls),
                serve(Transport::Ws),
                serve(Transport::Wss),
            )
        };
        power.run(serving).await;
    }
}

async fn serve(server: &Server, host: Host, transport: Transport, mutator: Option<Mutator>) {
    let acceptor = host
        .listen(transport.port())
        .await
        .expect("nobody else listens on the broker's host");
    match transport {
        Transport::Tcp => accept(server, acceptor, mutator).await,
        Transport::Tls => accept(server, over_tls(acceptor), mutator).await,
        Transport::Ws => accept(server, WsAcceptor::new(acceptor, None), mutator).await,
        Transport::Wss => accept(server, WsAcceptor::new(over_tls(acceptor), None), mutator).await,
    }
}

async fn accept(server: &Server, acceptor: impl Acceptor, mutator: Option<Mutator>) {
    match mutator {
        None => server.serve(acceptor).await,
        Some(mutator) => server.serve(mutator.acceptor(acceptor)).await,
    }
}

fn over_tls(below: HostAcceptor) -> TlsAcceptor<HostAcceptor> {
    TlsAcceptor::new(below, SharedServerConfig::new(server_config()))
}
