//! Unix sockets: a file instead of an address and a port, for programs of the same machine.

#![expect(
    clippy::disallowed_types,
    reason = "these are the machine's own sockets, and no world's"
)]

use std::{
    fs,
    future::{Ready, ready},
    io,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tokio::net::{
    UnixListener, UnixStream,
    unix::{OwnedReadHalf, OwnedWriteHalf, UCred},
};

use crate::{Acceptor, Connector, Peer, Stream};

/// Accepts connections at a file. When it is dropped, the file is removed.
#[derive(Debug)]
pub struct UnixAcceptor {
    listener: UnixListener,
    path: PathBuf,
}

/// Connects to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixConnector {
    path: PathBuf,
}

impl UnixAcceptor {
    /// Listens at `path`. A socket that is there and that nobody listens at, because its process died, is replaced. `mode` says
    /// who may connect, as for any file: to connect is to write.
    ///
    /// # Errors
    ///
    /// When something listens there, something else is there, or the file cannot be made.
    pub async fn bind(path: &Path, mode: Option<u32>) -> io::Result<Self> {
        remove_stale(path).await?;
        let listener = UnixListener::bind(path)?;
        let acceptor = Self {
            listener,
            path: path.to_path_buf(),
        };
        if let Some(mode) = mode {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
        Ok(acceptor)
    }
}

async fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = match fs::symlink_metadata(path) {
        Ok(there) => there.file_type().is_socket(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !is_socket {
        let why = "something that is no socket is there";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another process listens there",
        )),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

impl Drop for UnixAcceptor {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = fs::remove_file(&self.path);
    }
}

impl Acceptor for UnixAcceptor {
    type Stream = UnixStream;
    type Opening = Ready<io::Result<UnixStream>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, Peer)> {
        let (stream, _) = self.listener.accept().await?;
        let peer = match stream.peer_cred() {
            Ok(peer) => described(peer),
            Err(_) => "a process that is gone".to_owned(),
        };
        Ok((ready(Ok(stream)), Peer(peer)))
    }
}

fn described(peer: UCred) -> String {
    match peer.pid() {
        Some(pid) => format!("user {}, process {pid}", peer.uid()),
        None => format!("user {}", peer.uid()),
    }
}

impl UnixConnector {
    /// To whoever listens at this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl Connector for UnixConnector {
    type Stream = UnixStream;

    async fn connect(&mut self) -> io::Result<UnixStream> {
        UnixStream::connect(&self.path).await
    }
}

impl Stream for UnixStream {
    type Read = OwnedReadHalf;
    type Write = OwnedWriteHalf;

    fn split(self) -> (Self::Read, Self::Write) {
        self.into_split()
    }
}
