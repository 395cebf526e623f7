//! The suite against a broker that listens somewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use rand::{TryRng as _, rngs::SysRng};
use squall_conformance::{
    BelowWebSocket, Capability, Connecting, Duplex, Segmented, Selected, Settings, Target, Transport, User,
    run,
};
use squall_node::{
    Address, Connector as _, NetworkAddress, Stream as _,
    client::AddressConnector,
    tls::{ClientTls, Roots},
};
use squall_proto::Version;

use super::running::Running;
use crate::{
    connection::connector,
    exit::Misuse,
    target::{self, Process},
};

/// How the broker is reached, and what is known of it.
#[derive(Clone)]
pub(super) struct Way {
    /// Where it listens.
    pub(super) address: Address,
    pub(super) tls: ClientTls,
    /// Bytes sent at a time, if not all there are.
    pub(super) segment: Option<NonZeroUsize>,
    /// Somebody it knows.
    pub(super) user: Option<User>,
    /// What it does not do and does not say, and why.
    pub(super) lacks: BTreeMap<Capability, String>,
}

impl Way {
    /// The same, to a process that listens for this, and shows a certificate of its own if it has to.
    pub(super) fn to(&self, process: &Process, transport: target::Transport) -> Self {
        let scheme = transport.scheme();
        let address = Address::Network(NetworkAddress {
            scheme,
            host: "127.0.0.1".into(),
            port: process.port(),
            path: scheme.path().into(),
        });
        let tls = ClientTls {
            roots: Roots::File(process.certificate()),
            ..self.tls.clone()
        };
        Self {
            address,
            tls,
            ..self.clone()
        }
    }
}

/// What sets this run's names apart from those of others at the same broker, also of one that begins in the same moment.
pub(super) fn unique() -> Result<String, anyhow::Error> {
    Ok(Settings::unique(SysRng.try_next_u64()?))
}

/// A broker that is there, and what it said.
pub(super) struct Found {
    transport: Arc<dyn Transport>,
    target: Arc<Target>,
}

/// Looks whether the broker is there, and asks it with the versions of these cases.
pub(super) async fn find(
    way: &Way,
    selected: &[Selected],
    settings: &Settings,
) -> Result<Found, anyhow::Error> {
    let transport = transport(way)?;
    let versions: BTreeSet<Version> = selected.iter().map(|selected| selected.version).collect();
    let versions: Vec<Version> = versions.into_iter().collect();
    let said = Target::probe(
        &transport,
        &versions,
        &settings.unique,
        settings.patience,
        way.user.clone(),
    )
    .await;
    let said = said.map_err(|error| nothing_answers(&way.address, &error))?;
    Ok(Found {
        transport,
        target: Arc::new(said.with_lacks(way.lacks.clone())),
    })
}

impl Found {
    /// Starts the cases.
    pub(super) fn start(&self, jobs: usize, selected: &[Selected], settings: &Settings) -> Running {
        let mut running = Running::new(jobs);
        for selected in selected.iter().copied() {
            let (transport, target) = (Arc::clone(&self.transport), Arc::clone(&self.target));
            let settings = settings.clone();
            running.start(selected, async move {
                run(selected, &settings, &target, &transport).await
            });
        }
        running
    }
}

/// There is no broker.
pub(super) fn nothing_answers(address: &Address, error: &io::Error) -> Misuse {
    Misuse::new(
        format!("nothing answers at {address}: {error}"),
        "start the broker first, and name the host and port it listens on; --cafile names the CA of its certificate",
    )
}

/// Reaches the broker this way.
pub(super) fn transport(way: &Way) -> Result<Arc<dyn Transport>, anyhow::Error> {
    let tls = &way.tls;
    let below = way.address.without_websocket();
    let below = below
        .map(|address| Below::new(address, &way.address, tls))
        .transpose()?;
    let whole = Reached {
        connector: Mutex::new(connector(&way.address, tls)?),
        below,
    };
    Ok(match way.segment {
        Some(segment) => Arc::new(Segmented::new(whole, segment)),
        None => Arc::new(whole),
    })
}

/// A broker that is reached as our clients reach one.
struct Reached {
    connector: Mutex<AddressConnector>,
    /// What is below its WebSocket, if that is what it speaks.
    below: Option<Below>,
}

struct Below {
    connector: Mutex<AddressConnector>,
    host: String,
    path: String,
}

impl Below {
    fn new(address: Address, websocket: &Address, tls: &ClientTls) -> Result<Self, anyhow::Error> {
        let tls = ClientTls {
            alpn: tls.alpn.clone().or_else(|| Some(vec!["http/1.1".into()])),
            ..tls.clone()
        };
        let (host, path) = match websocket {
            Address::Network(network) => (network.host_and_port(), network.path.clone()),
            Address::Unix(_) => (String::new(), String::new()),
        };
        Ok(Self {
            connector: Mutex::new(connector(&address, &tls)?),
            host,
            path,
        })
    }
}

async fn connect(connector: &Mutex<AddressConnector>) -> io::Result<Duplex> {
    let mut connector = connector.lock().unwrap_or_else(PoisonError::into_inner).fork();
    let (read, write) = connector.connect().await?.split();
    Ok(Duplex::new(read, write))
}

impl Transport for Reached {
    fn connect(&self) -> Connecting<'_> {
        Box::pin(connect(&self.connector))
    }

    fn below_websocket(&self) -> Option<BelowWebSocket<'_>> {
        let below = self.below.as_ref()?;
        Some(BelowWebSocket {
            host: below.host.clone(),
            path: below.path.clone(),
            connecting: Box::pin(connect(&below.connector)),
        })
    }
}
