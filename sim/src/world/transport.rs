use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What carries MQTT between a client and the broker. The broker of a world listens for each at a port of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TCP alone.
    #[default]
    Tcp,
    /// TLS 1.3.
    Tls,
    /// WebSocket.
    Ws,
    /// WebSocket over TLS 1.3.
    Wss,
}

impl Transport {
    /// Where the broker listens for it.
    pub(crate) const fn port(self) -> u16 {
        match self {
            Self::Tcp => 1883,
            Self::Tls => 8883,
            Self::Ws => 8080,
            Self::Wss => 8443,
        }
    }

    /// What is spoken at a port of the broker.
    pub(super) fn at(port: u16) -> Self {
        let others = [Self::Tls, Self::Ws, Self::Wss];
        let found = others.into_iter().find(|transport| transport.port() == port);
        found.unwrap_or(Self::Tcp)
    }

    pub(super) const fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    pub(super) const fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }
}
