use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use squall_node::{BoxedStream, Connector, tls::TlsConnector, ws::WsConnector};
use tokio::sync::Semaphore;

use crate::{
    mutants::Mutator,
    world::{Host, HostConnector, HostStream, Transport, tls::client_config},
};

/// How a client of ours connects.
pub(super) struct ClientConnector {
    carried: Carried,
    /// What is wrong with the client.
    mutator: Option<Mutator>,
}

/// By what its MQTT is carried.
enum Carried {
    Tcp(GatedConnector),
    Tls(TlsConnector<GatedConnector>),
    Ws(WsConnector<GatedConnector>),
    Wss(WsConnector<TlsConnector<GatedConnector>>),
}

/// How it connects over TCP.
pub(super) struct GatedConnector {
    pub(super) host: HostConnector,
    pub(super) gate: Gate,
}

/// Lets a client connect: always, or once for each permit.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate {
    permits: Option<Arc<Semaphore>>,
    /// Whether an attempt has been let through since this was last asked.
    passed: Arc<AtomicBool>,
}

impl Gate {
    /// Lets nobody through yet.
    pub(super) fn closed() -> Self {
        Self {
            permits: Some(Arc::new(Semaphore::new(0))),
            passed: Arc::default(),
        }
    }

    /// Lets one attempt through.
    pub(super) fn permit(&self) {
        if let Some(permits) = &self.permits {
            permits.add_permits(1);
        }
    }

    /// Whether an attempt has been let through since this was last asked.
    pub(super) fn has_been_passed(&self) -> bool {
        self.passed.swap(false, Ordering::Relaxed)
    }

    async fn pass(&self) {
        if let Some(permits) = &self.permits {
            permits
                .acquire()
                .await
                .expect("the gate is never taken away")
                .forget();
        }
        self.passed.store(true, Ordering::Relaxed);
    }
}

impl ClientConnector {
    /// From this host. `chance` is what a WebSocket masks with.
    pub(super) fn new(
        host: Host,
        below: GatedConnector,
        transport: Transport,
        chance: [u8; 32],
        mutator: Option<Mutator>,
    ) -> Self {
        let tls = |below| {
            TlsConnector::new(below, client_config(host), BROKER).expect("a certificate can be for it")
        };
        let carried = match transport {
            Transport::Tcp => Carried::Tcp(below),
            Transport::Tls => Carried::Tls(tls(below)),
            Transport::Ws => Carried::Ws(WsConnector::new(below, BROKER, "/mqtt", chance)),
            Transport::Wss => Carried::Wss(WsConnector::new(tls(below), BROKER, "/mqtt", chance)),
        };
        Self { carried, mutator }
    }
}

impl Connector for ClientConnector {
    type Stream = BoxedStream;

    async fn connect(&mut self) -> io::Result<BoxedStream> {
        let stream = match &mut self.carried {
            Carried::Tcp(connector) => connector.connect().await.map(BoxedStream::new),
            Carried::Tls(connector) => connector.connect().await.map(BoxedStream::new),
            Carried::Ws(connector) => connector.connect().await.map(BoxedStream::new),
            Carried::Wss(connector) => connector.connect().await.map(BoxedStream::new),
        }?;
        Ok(match &self.mutator {
            None => stream,
            Some(mutator) => BoxedStream::new(mutator.clone().stream(stream)),
        })
    }
}

impl Connector for GatedConnector {
    type Stream = HostStream;

    async fn connect(&mut self) -> io::Result<HostStream> {
        self.gate.pass().await;
        self.host.connect().await
    }
}

/// What certificates and requests call the broker.
const BROKER: &str = "broker";
