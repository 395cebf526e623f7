//! Something wrong below MQTT, on the bytes of a WebSocket connection.

use std::future;

use squall_conformance::Duplex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, duplex, split};

use crate::http::{head, with_subprotocol, without_subprotocol};

/// What a server gets wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    NeverCloses,
    /// What comes after the answer to the handshake is not sent.
    IsSilent,
    /// The answer to the handshake does not name the subprotocol.
    LeavesOutSubprotocol,
    /// The answer to the handshake is 400.
    Refuses,
    /// Who asks for no subprotocol is taken to ask for `mqtt`.
    TakesAll,
}

/// Every one, as the table names it.
pub(crate) const ALL: &[(&str, Broken)] = &[
    ("never closes", Broken::NeverCloses),
    ("sends nothing after the handshake", Broken::IsSilent),
    ("leaves out the subprotocol", Broken::LeavesOutSubprotocol),
    ("refuses the handshake", Broken::Refuses),
    ("takes a handshake without a subprotocol", Broken::TakesAll),
];

/// A connection with this between its ends.
pub(crate) fn between(
    mut read: impl AsyncRead + Send + Unpin + 'static,
    mut write: impl AsyncWrite + Send + Unpin + 'static,
    broken: Broken,
) -> Duplex {
    let (case, wire) = duplex(1 << 20);
    let (mut from_case, mut to_case) = split(wire);
    tokio::spawn(async move {
        let asked = head(&mut from_case).await;
        let asked = if broken == Broken::TakesAll {
            with_subprotocol(asked)
        } else {
            asked
        };
        let _ = write.write_all(&asked).await;
        let _ = tokio::io::copy(&mut from_case, &mut write).await;
        let _ = write.shutdown().await;
    });
    tokio::spawn(async move {
        let head = answered(&head(&mut read).await, broken);
        let _ = to_case.write_all(&head).await;
        if broken == Broken::IsSilent {
            return future::pending().await;
        }
        let _ = tokio::io::copy(&mut read, &mut to_case).await;
        if broken == Broken::NeverCloses {
            return future::pending().await;
        }
        let _ = to_case.shutdown().await;
    });
    let (read, write) = split(case);
    Duplex::new(read, write)
}

fn answered(head: &[u8], broken: Broken) -> Vec<u8> {
    match broken {
        Broken::NeverCloses | Broken::IsSilent | Broken::TakesAll => head.to_vec(),
        Broken::LeavesOutSubprotocol => without_subprotocol(head),
        Broken::Refuses => b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(),
    }
}
