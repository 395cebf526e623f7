//! The heads of a WebSocket's handshake, for what is wrong below MQTT.

use tokio::io::{AsyncRead, AsyncReadExt as _};

const END: &[u8] = b"\r\n\r\n";

/// A head up to its empty line, or to the end.
pub(crate) async fn head(from: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(END) {
        match from.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    head
}

/// Without the line that names a subprotocol.
pub(crate) fn without_subprotocol(head: &[u8]) -> Vec<u8> {
    let head = String::from_utf8_lossy(head);
    let lines = head.split_inclusive('\n').filter(|line| !names_one(line));
    lines.collect::<String>().into_bytes()
}

/// With the subprotocol `mqtt`, if it names none.
pub(crate) fn with_subprotocol(mut head: Vec<u8>) -> Vec<u8> {
    let is_named = String::from_utf8_lossy(&head).lines().any(names_one);
    if !is_named && head.ends_with(END) {
        head.truncate(head.len() - 2);
        head.extend(b"Sec-WebSocket-Protocol: mqtt\r\n\r\n");
    }
    head
}

fn names_one(line: &str) -> bool {
    line.to_lowercase().starts_with("sec-websocket-protocol:")
}
