//! The listeners of a configuration: bound, served, and told to read their certificates again.

use std::io;

use crate::{
    TcpAcceptor,
    broker::Server,
    config::{Listener, Secure},
    tls::{SharedServerConfig, TlsAcceptor, TlsFileError},
    ws::WsAcceptor,
};
#[cfg(unix)]
use crate::{UnixAcceptor, config::Unix};

/// A place where clients can connect.
#[derive(Debug)]
pub struct Bound {
    url: String,
    kind: Kind,
}

/// Has a listener read its files again. Others have none.
#[derive(Clone, Debug)]
pub struct Reload {
    url: String,
    listener: Secure,
    websocket: bool,
    config: SharedServerConfig,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpAcceptor),
    Tls(TlsAcceptor<TcpAcceptor>, Reload),
    Ws(WsAcceptor<TcpAcceptor>),
    Wss(WsAcceptor<TlsAcceptor<TcpAcceptor>>, Reload),
    #[cfg(unix)]
    Unix(UnixAcceptor),
}

/// Why nobody can connect there.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The place is none, is not of this machine, or is taken.
    #[error("cannot listen on {place}: {error}")]
    Place {
        /// As the configuration names it.
        place: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// A file for TLS is not what it should be.
    #[error(transparent)]
    File(#[from] TlsFileError),
}

impl Listener {
    /// Reads its files, to see whether they are right.
    ///
    /// # Errors
    ///
    /// See [`TlsFileError`].
    pub fn check(&self) -> Result<(), TlsFileError> {
        match self {
            Self::Tls(secure) => secure.tls().config(false).map(drop),
            Self::Wss(secure) => secure.tls().config(true).map(drop),
            Self::Tcp(_) | Self::Ws(_) | Self::Unix(_) => Ok(()),
        }
    }

    /// Listens.
    ///
    /// # Errors
    ///
    /// See [`BindError`].
    pub async fn bind(&self) -> Result<Bound, BindError> {
        match self {
            Self::Tcp(tcp) => {
                let (acceptor, url) = bind_tcp(&tcp.address, "mqtt").await?;
                let kind = Kind::Tcp(acceptor);
                Ok(Bound { url, kind })
            }
            Self::Ws(ws) => {
                let (acceptor, url) = bind_tcp(&ws.address, "ws").await?;
                let kind = Kind::Ws(WsAcceptor::new(acceptor, ws.path.as_deref()));
                Ok(Bound { url, kind })
            }
            Self::Tls(secure) => {
                let (acceptor, reload) = bind_tls(secure, false).await?;
                let url = reload.url.clone();
                let kind = Kind::Tls(acceptor, reload);
                Ok(Bound { url, kind })
            }
            Self::Wss(secure) => {
                let (acceptor, reload) = bind_tls(secure, true).await?;
                let url = reload.url.clone();
                let kind = Kind::Wss(WsAcceptor::new(acceptor, secure.path.as_deref()), reload);
                Ok(Bound { url, kind })
            }
            #[cfg(unix)]
            Self::Unix(unix) => bind_unix(unix).await,
            #[cfg(not(unix))]
            Self::Unix(unix) => Err(BindError::Place {
                place: unix.path.display().to_string(),
                error: io::ErrorKind::Unsupported.into(),
            }),
        }
    }
}

async fn bind_tcp(place: &str, scheme: &str) -> Result<(TcpAcceptor, String), BindError> {
    let cannot = |error| BindError::Place {
        place: place.to_owned(),
        error,
    };
    let acceptor = TcpAcceptor::bind(place).await.map_err(cannot)?;
    let address = acceptor.local_addr().map_err(cannot)?;
    Ok((acceptor, format!("{scheme}://{address}")))
}

async fn bind_tls(secure: &Secure, websocket: bool) -> Result<(TlsAcceptor<TcpAcceptor>, Reload), BindError> {
    let config = SharedServerConfig::new(secure.tls().config(websocket)?);
    let scheme = if websocket { "wss" } else { "mqtts" };
    let (acceptor, url) = bind_tcp(&secure.address, scheme).await?;
    let acceptor = TlsAcceptor::new(acceptor, config.clone());
    let reload = Reload {
        url,
        listener: secure.clone(),
        websocket,
        config,
    };
    Ok((acceptor, reload))
}

#[cfg(unix)]
async fn bind_unix(unix: &Unix) -> Result<Bound, BindError> {
    let place = unix.path.display().to_string();
    match UnixAcceptor::bind(&unix.path, unix.mode).await {
        Ok(acceptor) => Ok(Bound {
            url: format!("unix:{place}"),
            kind: Kind::Unix(acceptor),
        }),
        Err(error) => Err(BindError::Place { place, error }),
    }
}

impl Bound {
    /// Where clients connect, with the port that was chosen: `mqtt://127.0.0.1:1883`. The path of a WebSocket is left out.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What has it read its files again, if it has any.
    #[must_use]
    pub fn reload(&self) -> Option<Reload> {
        match &self.kind {
            Kind::Tls(_, reload) | Kind::Wss(_, reload) => Some(reload.clone()),
            Kind::Tcp(_) | Kind::Ws(_) => None,
            #[cfg(unix)]
            Kind::Unix(_) => None,
        }
    }

    /// Serves what comes; see [`Server::serve`].
    pub async fn serve(self, server: Server) {
        match self.kind {
            Kind::Tcp(acceptor) => server.serve(acceptor).await,
            Kind::Tls(acceptor, _) => server.serve(acceptor).await,
            Kind::Ws(acceptor) => server.serve(acceptor).await,
            Kind::Wss(acceptor, _) => server.serve(acceptor).await,
            #[cfg(unix)]
            Kind::Unix(acceptor) => server.serve(acceptor).await,
        }
    }
}

impl Reload {
    /// Reads the files again: connections that begin from now on get what is in them. Those that there are keep what they have.
    ///
    /// # Errors
    ///
    /// When a file is not what it should be; then everything stays as it is.
    pub fn reload(&self) -> Result<(), TlsFileError> {
        self.config.replace(self.listener.tls().config(self.websocket)?);
        Ok(())
    }

    /// The listener's.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}
