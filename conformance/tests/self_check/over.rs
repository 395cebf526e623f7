//! The broker of a world over TLS and WebSocket.

use std::{
    num::NonZeroUsize,
    sync::{Arc, LazyLock},
};

use rcgen::generate_simple_self_signed;
use rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use squall_conformance::{BelowWebSocket, Case, Connecting, Duplex, Segmented, Selected, Transport, run};
use squall_node::{
    Connector, Stream as _,
    tls::{SharedServerConfig, TlsAcceptor, TlsConnector},
    ws::{WsAcceptor, WsConnector},
};
use squall_reports::TestResult;
use squall_sim::world::{HostAcceptor, OurBroker, SimNet, simulate_with};

use crate::{
    SEED,
    mutation::websocket::{Broken, between},
    probed, settings,
};

/// What lies between the suite and the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Tls,
    Ws,
    /// With one byte in each frame and record.
    WssByteByByte,
}

impl Over {
    pub(crate) const ALL: [Self; 3] = [Self::Tls, Self::Ws, Self::WssByteByByte];

    pub(crate) const fn is_websocket(self) -> bool {
        match self {
            Self::Ws | Self::WssByteByByte => true,
            Self::Tls => false,
        }
    }
}

/// Runs the case against our broker over this.
pub(crate) fn in_a_world_over(
    selected: Selected<Case>,
    broker: OurBroker,
    over: Over,
    broken: Option<Broken>,
) -> TestResult {
    let settings = settings();
    let (server, client) = LazyLock::force(&CONFIGS).clone();
    let serve = move |acceptor| serve(acceptor, over, server, broker);
    simulate_with(SEED, serve, |net| async move {
        let reached = Reached {
            net,
            over,
            client,
            broken,
        };
        let transport: Arc<dyn Transport> = match over {
            Over::Tls | Over::Ws => Arc::new(reached),
            Over::WssByteByByte => Arc::new(Segmented::new(reached, NonZeroUsize::MIN)),
        };
        let target = probed(&transport, selected, broker).await;
        run(selected, &settings, &target, &transport).await
    })
}

async fn serve(acceptor: HostAcceptor, over: Over, config: Arc<ServerConfig>, broker: OurBroker) {
    let server = broker.server(SEED);
    let config = SharedServerConfig::new(config);
    match over {
        Over::Tls => server.serve(TlsAcceptor::new(acceptor, config)).await,
        Over::Ws => server.serve(WsAcceptor::new(acceptor, None)).await,
        Over::WssByteByByte => {
            let over_tls = TlsAcceptor::new(acceptor, config);
            server.serve(WsAcceptor::new(over_tls, None)).await;
        }
    }
}

/// Both sides of TLS.
static CONFIGS: LazyLock<(Arc<ServerConfig>, Arc<ClientConfig>)> = LazyLock::new(configs);

/// With a certificate that is its own authority.
fn configs() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let made = generate_simple_self_signed(["broker".to_owned()]).expect("a name");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(ring::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![certificate.clone()], key)
        });
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a certificate");
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks every version there is")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (
        Arc::new(server.expect("the key is the certificate's")),
        Arc::new(client),
    )
}

struct Reached {
    net: SimNet,
    over: Over,
    client: Arc<ClientConfig>,
    /// What is wrong between a case about WebSocket and the broker.
    broken: Option<Broken>,
}

impl Reached {
    fn tls(&self) -> TlsConnector<impl Connector + use<>> {
        let connector = TlsConnector::new(self.net.connector(), Arc::clone(&self.client), "broker");
        connector.expect("a name")
    }
}

async fn connected(mut connector: impl Connector) -> std::io::Result<Duplex> {
    let (read, write) = connector.connect().await?.split();
    Ok(Duplex::new(read, write))
}

async fn below(mut connector: impl Connector, broken: Option<Broken>) -> std::io::Result<Duplex> {
    let (read, write) = connector.connect().await?.split();
    Ok(match broken {
        None => Duplex::new(read, write),
        Some(broken) => between(read, write, broken),
    })
}

impl Transport for Reached {
    fn connect(&self) -> Connecting<'_> {
        let websocket = [7; 32];
        match self.over {
            Over::Tls => Box::pin(connected(self.tls())),
            Over::Ws => {
                let below = self.net.connector();
                Box::pin(connected(WsConnector::new(below, "broker", "/mqtt", websocket)))
            }
            Over::WssByteByByte => Box::pin(connected(WsConnector::new(
                self.tls(),
                "broker",
                "/mqtt",
                websocket,
            ))),
        }
    }

    fn below_websocket(&self) -> Option<BelowWebSocket<'_>> {
        let broken = self.broken;
        let connecting: Connecting<'_> = match self.over {
            Over::Tls => return None,
            Over::Ws => Box::pin(below(self.net.connector(), broken)),
            Over::WssByteByByte => Box::pin(below(self.tls(), broken)),
        };
        Some(BelowWebSocket {
            host: "broker".into(),
            path: "/mqtt".into(),
            connecting,
        })
    }
}
