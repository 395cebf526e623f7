use std::collections::BTreeSet;

use rand::RngExt;
use squall_node::{
    broker::Server,
    tls::{SharedServerConfig, TlsAcceptor},
    ws::WsAcceptor,
};
use squall_proto::broker::Limits;

use super::Power;
use crate::world::{Host, HostAcceptor, Transport, generator, tls::server_config};

/// Our broker, on its host, which listens for each of these transports. It keeps what it knows in memory: after a crash it knows
/// nothing.
pub(crate) async fn broker(
    host: Host,
    transports: BTreeSet<Transport>,
    limits: Limits,
    seed: u64,
    power: Power,
) {
    let mut chance = generator(seed, "broker");
    loop {
        power.on().await;
        let server = Server::new(limits.clone(), chance.random());
        let serve = |transport| {
            let server = &server;
            let wanted = transports.contains(&transport);
            async move {
                if wanted {
                    serve(server, host, transport).await;
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

async fn serve(server: &Server, host: Host, transport: Transport) {
    let acceptor = host
        .listen(transport.port())
        .await
        .expect("nobody else listens on the broker's host");
    match transport {
        Transport::Tcp => server.serve(acceptor).await,
        Transport::Tls => server.serve(over_tls(acceptor)).await,
        Transport::Ws => server.serve(WsAcceptor::new(acceptor, None)).await,
        Transport::Wss => server.serve(WsAcceptor::new(over_tls(acceptor), None)).await,
    }
}

fn over_tls(below: HostAcceptor) -> TlsAcceptor<HostAcceptor> {
    TlsAcceptor::new(below, SharedServerConfig::new(server_config()))
}
